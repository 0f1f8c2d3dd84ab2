// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors
// mch_load_w is "load_w" of docs/accelerator.md about its ring: what is on its way and what has landed never exceed the ring, so no
// word that is not released is written over; words are written in the order of their addresses; fill is what has landed less what
// was released; a request stands until it is taken.
// Assumed: a request is taken for as many words as it asks for, or fewer, at least one, while it stands; words come for what was
// taken alone; at most fill words are released; clear comes when no word is on its way; start only when done.
`default_nettype none
module prove_load_w #(
	parameter W_WORDS = 16,
	parameter BURST_WORDS = 4
) (
	input wire clk,
	input wire clear,
	input wire start,
	input wire [1023:0] d,
	input wire take,
	input wire [15:0] take_words,
	input wire word_valid,
	input wire free,
	input wire [$clog2(W_WORDS):0] free_words
);
	localparam LOG = $clog2(W_WORDS);
	reg run = 0; // out of reset
	always @(posedge clk)
		run <= 1;

	wire done, req_valid, ww_en;
	wire [31:0] req_addr;
	wire [15:0] req_words;
	wire [LOG-1:0] ww_addr;
	wire [LOG:0] fill;
	mch_load_w #(.W_WORDS(W_WORDS), .BURST_WORDS(BURST_WORDS)) u_dut (
		.clk_i(clk), .rst_ni(run), .clear_i(clear), .start_i(start), .d_i(d), .done_o(done), .req_valid_o(req_valid),
		.req_addr_o(req_addr), .req_words_o(req_words), .take_i(take), .take_words_i(take_words), .word_valid_i(word_valid),
		.ww_en_o(ww_en), .ww_addr_o(ww_addr), .fill_o(fill), .release_i(free), .release_words_i(free_words));

	// Counts wider than the ring's: what was taken and has not come; what has come and is not released; where the next goes.
	reg [31:0] coming = 0, landed = 0, place = 0;
	wire [31:0] taken = take ? take_words : 0, freed = free ? free_words : 0;
	reg stood = 0;
	reg [31:0] addr_1;
	reg [15:0] words_1;
	always @(posedge clk) begin
		if (!run || clear)
			{coming, landed, place} <= 96'd0;
		else begin
			coming <= coming + taken - word_valid;
			landed <= landed + word_valid - freed;
			place <= (place + word_valid) % W_WORDS;
		end
		stood <= run && req_valid && !take && !clear && !start;
		{addr_1, words_1} <= {req_addr, req_words};
	end

	(* hierconn *) wire [LOG:0] \u_dut.used_q ;
	always @* begin
		assume (!take || (run && req_valid && take_words >= 1 && take_words <= req_words));
		assume (!word_valid || coming != 0);
		assume (!free || free_words <= landed);
		assume (!clear || coming == 0);
		assume (!start || done);
		if (run) begin
			assert (coming <= W_WORDS && landed <= W_WORDS);
			assert (coming + landed <= W_WORDS);
			assert (\u_dut.used_q == coming + landed);
			assert (fill == landed);
			assert (ww_en == word_valid && ww_addr == place);
			if (req_valid)
				assert (coming + landed + req_words <= W_WORDS && req_words <= BURST_WORDS);
			if (stood)
				assert (req_valid && req_addr == addr_1 && req_words == words_1);
		end
		cover (run && landed == W_WORDS && !done);
	end
endmodule
`default_nettype wire
