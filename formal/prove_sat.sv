// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors
// mch_sat is the clamp of docs/datapath.md "sat", or its wrap_code, for all values and formats.
// Assumed: y_bits is 1..OUT_BITS.
`default_nettype none
module prove_sat #(
	parameter IN_BITS = 64,
	parameter OUT_BITS = 16,
	parameter WRAP = 0
) (
	input wire signed [IN_BITS-1:0] v,
	input wire [4:0] y_bits,
	input wire y_signed
);
	`include "spec.vh"
	wire [OUT_BITS-1:0] y;
	wire sat;
	mch_sat #(.IN_BITS(IN_BITS), .OUT_BITS(OUT_BITS), .WRAP(WRAP)) u_dut (
		.v_i(v), .y_bits_i(y_bits), .y_signed_i(y_signed), .y_o(y), .sat_o(sat));

	wire signed [66:0] want = spec_sat(v, y_bits, y_signed, WRAP);
	always @* begin
		assume (y_bits >= 1 && y_bits <= OUT_BITS);
		assert (y == want[OUT_BITS-1:0]);
		assert (sat == spec_outside(v, y_bits, y_signed));
		cover (sat && v < 0 && y_signed && y_bits == OUT_BITS);
		cover (!sat && v > 1);
	end
endmodule
`default_nettype wire
