// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors
// mch_read is "read" of docs/accelerator.md, whatever the requesters and the memory do: AR stands until it is taken; a burst lies in a
// block of BURST beats, begins at its run's first word and is told to its requester in the cycle in which it stands on AR; at most
// OUTSTANDING are open; every word goes once to who asked for it, in the order of the bursts, as the count of words owed to
// one requester (any: which) says.
// Assumed: a requester that asks wants 1 word or more; clear only while idle. Nothing of the memory: a beat that nobody waits for is
// not taken.
// Words have a width and an address as small as the module takes: no rule depends on more.
`default_nettype none
module prove_read #(
	parameter MEM_BITS = 64,
	parameter WORD_BITS = 64,
	parameter BURST = 2,
	parameter OUTSTANDING = 2
) (
	input wire clk,
	input wire [2:0] req_valid,
	input wire [95:0] req_addr,
	input wire [47:0] req_words,
	input wire stop,
	input wire clear,
	input wire arready,
	input wire rvalid,
	input wire [MEM_BITS-1:0] rdata,
	input wire [1:0] rresp,
	input wire rlast
);
	localparam RATIO = MEM_BITS > WORD_BITS ? MEM_BITS / WORD_BITS : 1, PARTS = WORD_BITS > MEM_BITS ? WORD_BITS / MEM_BITS : 1;
	localparam MEM_LOG = $clog2(MEM_BITS / 8), WORD_LOG = $clog2(WORD_BITS / 8), N = BURST * RATIO / PARTS;

	reg run = 0; // out of reset
	always @(posedge clk)
		run <= 1;

	wire [2:0] take, word_valid;
	wire [15:0] take_words;
	wire [WORD_BITS-1:0] word;
	wire idle, error, beat, arvalid, rready;
	wire [31:0] araddr;
	wire [7:0] arlen;
	wire [2:0] arsize;
	wire [1:0] arburst;
	mch_read #(.MEM_BITS(MEM_BITS), .WORD_BITS(WORD_BITS), .ADDR_BITS(32), .BURST(BURST), .OUTSTANDING(OUTSTANDING)) u_dut (
		.clk_i(clk), .rst_ni(run), .req_valid_i(req_valid), .req_addr_i(req_addr), .req_words_i(req_words), .take_o(take),
		.take_words_o(take_words), .word_valid_o(word_valid), .word_o(word), .stop_i(stop), .clear_i(clear), .idle_o(idle),
		.error_o(error), .beat_o(beat), .arvalid_o(arvalid), .arready_i(arready), .araddr_o(araddr), .arlen_o(arlen),
		.arsize_o(arsize), .arburst_o(arburst), .rvalid_i(rvalid), .rready_o(rready), .rdata_i(rdata), .rresp_i(rresp),
		.rlast_i(rlast));

	// The cycle before.
	reg was = 0, clear_1, stop_1, arvalid_1, arready_1;
	reg [2:0] req_1, take_1;
	reg [31:0] araddr_1;
	reg [7:0] arlen_1;
	reg [95:0] addr_1;
	reg [47:0] words_1;
	always @(posedge clk) begin
		was <= run;
		{clear_1, stop_1, arvalid_1, arready_1} <= {clear, stop, arvalid, arready};
		{req_1, take_1, araddr_1, arlen_1, addr_1, words_1} <= {req_valid, take, araddr, arlen, req_addr, req_words};
	end

	// Of the burst that has been taken: who, where, how much was wanted. A block of memory has N words.
	wire [1:0] who = take[0] ? 0 : take[1] ? 1 : 2;
	wire [31:0] first = addr_1[who*32 +: 32];
	wire [15:0] wanted = words_1[who*16 +: 16];
	wire [31:0] to_end = N - first % N;
	wire [31:0] burst_words = wanted < to_end ? wanted : to_end;
	wire [31:0] last = first + burst_words - 1;
	wire [31:0] n_beats = PARTS > 1 ? burst_words * PARTS : last / RATIO - first / RATIO + 1;

	// The bursts that are open, oldest in the low places: a list of its own, without pointers.
	reg [7:0] n_open = 0;
	reg [1:0] of_who [0:OUTSTANDING];
	reg [15:0] of_words [0:OUTSTANDING];
	reg [15:0] given = 0;
	wire give = |word_valid, ends = give && given + 1 == of_words[0];
	integer i;
	always @(posedge clk) if (run) begin : list
		reg [7:0] n;
		n = n_open;
		if (give)
			given <= ends ? 0 : given + 1;
	end
endmodule
