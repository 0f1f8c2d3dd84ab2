// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors
// A descriptor that mch_seq lets pass (docs/accelerator.md "seq") has W_WORDS below 2^24. mch_read takes what is
// asked for or less, at least a word, and nobody releases more than there is ("read", "load_w").
`include "given.vh"
`include "mch_map.vh"
module given_load_w #(
	parameter W_WORDS = 1024
) (
	input wire                     clk_i,
	input wire                     rst_ni,
	input wire                     start_i,
	input wire [1023:0]            d_i,
	input wire                     done_o,
	input wire                     req_valid_o,
	input wire [15:0]              req_words_o,
	input wire                     take_i,
	input wire [15:0]              take_words_i,
	input wire [$clog2(W_WORDS):0] fill_o,
	input wire                     release_i,
	input wire [$clog2(W_WORDS):0] release_words_i
);
	wire [3:0] ok = {(done_o && !start_i) || d_i[`MCH_D_W_WORDS] < 32'h1000000,
			 !take_i || req_valid_o,
			 !take_i || (take_words_i != 0 && take_words_i <= req_words_o),
			 !release_i || release_words_i <= fill_o};
	`GIVEN(posedge clk_i, rst_ni)
endmodule
