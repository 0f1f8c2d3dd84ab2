// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors
// No rows of sums where the build rounds stochastically: these are means, which such a build leaves to the host
// (docs/accelerator.md "Programs"). y_bits is 1..OUT_BITS, as of mch_sat.
`include "given.vh"
module given_datapath #(
	parameter OUT_BITS = 8,
	parameter ROUND = 3
) (
	input wire       clk_i,
	input wire       rst_ni,
	input wire [4:0] y_bits_i,
	input wire       sum_valid_i
);
	wire [1:0] ok = {ROUND != 4 || !sum_valid_i, y_bits_i >= 1 && y_bits_i <= OUT_BITS} | {2{!rst_ni}};
	`GIVEN(posedge clk_i)
endmodule
