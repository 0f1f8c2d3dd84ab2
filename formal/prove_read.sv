// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors
// mch_read is "read" of docs/accelerator.md in its lists and on AR, whatever the requesters and the memory do: AR stands until it is
// taken; a burst lies in one block of BURST beats and begins at the word that was asked for; who was taken is told in the cycle in
// which its burst stands on AR; at most OUTSTANDING are open, and none is begun under stop; each of three requesters is given as
// many words as it took, and never one that it is not owed.
// Assumed: a requester that asks wants 1 word or more; clear comes only while idle. Nothing of the memory: what nobody waits for is
// not taken.
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
	input wire [MEM_BITS-1:0] rdata
);
	localparam RATIO = MEM_BITS > WORD_BITS ? MEM_BITS / WORD_BITS : 1, PARTS = WORD_BITS > MEM_BITS ? WORD_BITS / MEM_BITS : 1;
	localparam N = BURST * RATIO / PARTS, N_LOG = $clog2(N), RATIO_LOG = $clog2(RATIO), PARTS_LOG = $clog2(PARTS); // N words a block
	localparam [31:0] IN_BLOCK = N - 1;

	reg run = 0; // out of reset
	always @(posedge clk)
		run <= 1;

	wire [2:0] take, word_valid;
	wire [15:0] take_words;
	wire idle, arvalid;
	wire [31:0] araddr;
	wire [7:0] arlen;
	mch_read #(.MEM_BITS(MEM_BITS), .WORD_BITS(WORD_BITS), .ADDR_BITS(32), .BURST(BURST), .OUTSTANDING(OUTSTANDING)) u_dut (
		.clk_i(clk), .rst_ni(run), .req_valid_i(req_valid), .req_addr_i(req_addr), .req_words_i(req_words), .take_o(take),
		.take_words_o(take_words), .word_valid_o(word_valid), .word_o(), .stop_i(stop), .clear_i(clear), .idle_o(idle),
		.error_o(), .beat_o(), .arvalid_o(arvalid), .arready_i(arready), .araddr_o(araddr), .arlen_o(arlen), .arsize_o(),
		.arburst_o(), .rvalid_i(rvalid), .rready_o(), .rdata_i(rdata), .rresp_i(2'b00), .rlast_i(1'b0));

	// The cycle before: what was asked for, and whether AR waits.
	reg stood = 0, stop_1 = 0;
	reg [2:0] req_1 = 0;
	reg [31:0] araddr_1, addr_1 [0:2];
	reg [7:0] arlen_1;
	reg [15:0] words_1 [0:2];
	// What each is owed: the words of its bursts less those given. A burst counts from the cycle in which it stands on AR.
	reg [7:0] owed_q [0:2];
	initial {owed_q[0], owed_q[1], owed_q[2]} = 0;
	reg [7:0] owed [0:2];
	integer i, k;
	always @* for (k = 0; k < 3; k = k + 1)
		owed[k] = owed_q[k] + (take[k] ? take_words : 0);
	always @(posedge clk) begin
		stood <= run && arvalid && !arready && !clear;
		stop_1 <= stop;
		req_1 <= run && !clear ? req_valid : 3'd0;
		{araddr_1, arlen_1} <= {araddr, arlen};
		for (i = 0; i < 3; i = i + 1) begin
			{addr_1[i], words_1[i]} <= {req_addr[i*32 +: 32], req_words[i*16 +: 16]};
			owed_q[i] <= !run || clear ? 8'd0 : owed[i] - word_valid[i];
		end
	end

	wire [1:0] who = take[0] ? 0 : take[1] ? 1 : 2;
	wire [31:0] first = addr_1[who], last = first + take_words - 1;
	wire [31:0] n_beats = PARTS > 1 ? {16'd0, take_words} << PARTS_LOG : (last >> RATIO_LOG) - (first >> RATIO_LOG) + 1;
	(* hierconn *) wire [$clog2(OUTSTANDING):0] \u_dut.open_q ;
	always @* begin
		for (k = 0; k < 3; k = k + 1)
			assume (req_words[k*16 +: 16] != 0);
		assume (!clear || idle);
		if (run) begin
			if (stood)
				assert (arvalid && araddr == araddr_1 && arlen == arlen_1 && take == 0);
			assert (take == 0 || take == 1 || take == 2 || take == 4);
			if (take != 0) begin
				assert (arvalid && !stop_1 && (req_1 & take) == take);
				assert (take_words >= 1 && take_words <= words_1[who]);
				assert (first >> N_LOG == last >> N_LOG);
				assert (take_words == words_1[who] || (last & IN_BLOCK) == IN_BLOCK);
				assert (araddr == first >> RATIO_LOG << PARTS_LOG + $clog2(MEM_BITS / 8));
				assert (arlen + 1 == n_beats);
			end
			for (k = 0; k < 3; k = k + 1) begin
				assert (owed[k] <= OUTSTANDING * N);
				assert (!word_valid[k] || owed[k] != 0);
			end
			assert (\u_dut.open_q <= OUTSTANDING);
			assert (word_valid == 0 || (rvalid && !idle));
			assert (idle == (owed[0] == 0 && owed[1] == 0 && owed[2] == 0));
		end
		cover (run && owed[0] != 0 && owed[1] != 0 && word_valid[0] && stood);
	end
endmodule
`default_nettype wire
