// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors
// sat: y = the value of y_bits_i bits, signed or unsigned, that is nearest to v; sat_o = v was outside. With WRAP the low
// y_bits_i bits of v instead.
// Twin: cmodel/fxp/sat.h. Spec: docs/datapath.md "sat".
//
// Combinational: latency 0. The format is a run-time input, since each layer has its own. The code stands in the
// low y_bits_i bits of y_o; the bits above repeat its sign, or are 0 when unsigned.
`default_nettype none

module mch_sat #(
	parameter IN_BITS = 48, // 2..64, more than OUT_BITS
	parameter OUT_BITS = 8, // 1..16
	parameter WRAP = 0      // 1: wraps
) (
	input  wire signed [IN_BITS-1:0] v_i,
	input  wire [4:0]                y_bits_i, // 1..OUT_BITS
	input  wire                      y_signed_i,
	output wire [OUT_BITS-1:0]       y_o,
	output wire                      sat_o
);
	generate
		if (OUT_BITS < 1 || OUT_BITS > 16) begin : g_bad_out_bits
			mch_sat_needs_OUT_BITS_1_to_16 u_illegal ();
		end
		if (IN_BITS < 2 || IN_BITS > 64 || IN_BITS <= OUT_BITS) begin : g_bad_in_bits
			mch_sat_needs_IN_BITS_2_to_64_and_above_OUT_BITS u_illegal ();
		end
	endgenerate

	wire negative = v_i[IN_BITS-1];

	// v fits when all bits from the code's sign bit on (from above its top bit when unsigned) equal v's sign.
	wire [4:0] n_free = y_bits_i - {4'd0, y_signed_i};
	wire [OUT_BITS-1:0] above = {OUT_BITS{1'b1}} << n_free;
	wire [IN_BITS-1:0] unlike = v_i ^ {IN_BITS{negative}};

	assign sat_o = |unlike[IN_BITS-1:OUT_BITS] | |(unlike[OUT_BITS-1:0] & above) | (negative & !y_signed_i);

	// ~above is the highest code; above is the lowest signed one, already extended.
	wire [OUT_BITS-1:0] lowest = above & {OUT_BITS{y_signed_i}};
	wire [OUT_BITS-1:0] clamped = !sat_o ? v_i[OUT_BITS-1:0] : negative ? lowest : ~above;

	// The kept sign is the lowest bit that above covers.
	wire [OUT_BITS-1:0] extension = above & {OUT_BITS{y_signed_i & |(v_i[OUT_BITS-1:0] & above & ~(above << 1))}};
	assign y_o = (WRAP != 0) ? (v_i[OUT_BITS-1:0] & ~above) | extension : clamped;
endmodule

`default_nettype wire
