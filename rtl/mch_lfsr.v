// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors
// lfsr: the noise of stochastic rounding: a Galois register of 16 bits, x^16 + x^14 + x^13 + x^11 + 1.
// Twin: cmodel/fxp/lfsr.h. Spec: docs/datapath.md "lfsr".
//
// noise_o is the register: the seed one edge after load_i, and the next state one edge after every en_i. load_i wins.
// 0 is no seed: the register cannot leave it.
`default_nettype none

module mch_lfsr (
	input  wire        clk_i,
	input  wire        load_i,
	input  wire [15:0] seed_i,
	input  wire        en_i,
	output wire [15:0] noise_o
);
	reg [15:0] state_q;

	always @(posedge clk_i)
		if (load_i)
			state_q <= seed_i;
		else if (en_i)
			state_q <= {1'b0, state_q[15:1]} ^ (state_q[0] ? 16'hb400 : 16'h0000);

	assign noise_o = state_q;
endmodule

`default_nettype wire
