// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors
// mch_round_shift is docs/datapath.md "round_shift", for all values, shifts and noises. Nothing is assumed.
`default_nettype none
module prove_round_shift #(
	parameter IN_BITS = 49,
	parameter ROUND = 3
) (
	input wire signed [IN_BITS-1:0] v,
	input wire [5:0] shift_15,
	input wire [15:0] noise
);
	`include "spec.vh"
	wire signed [IN_BITS+14:0] y;
	mch_round_shift #(.IN_BITS(IN_BITS), .ROUND(ROUND)) u_dut (.v_i(v), .shift_i(shift_15), .noise_i(noise), .y_o(y));

	wire signed [66:0] got = y;
	always @* begin
		assert (got == spec_round_shift(v, shift_15, noise, ROUND));
		cover (shift_15 > 16 && y == 0 && v > 1);
		cover (shift_15 == 0 && y < 0);
	end
endmodule
`default_nettype wire
