// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors
// mch_encode is "encode" of docs/datapath.md "number", for all values, shifts and noises of a format: its code is one of the two
// neighbours of v * 2^-shift among the integers of all codes, that which the rule takes. No leading one is looked for: `lower` is
// any code at all, and the proof is about the one that is the lower neighbour.
// Assumed: integer(lower) <= v * 2^-shift < integer(lower + 1), the last step going on at both ends. As integer() is strictly
// monotone there is such a code for every value.
`default_nettype none
module prove_encode #(
	parameter IN_BITS = 49,
	parameter OUT_BITS = 8,
	parameter OUT_KIND = 1,
	parameter OUT_EXP = 4,
	parameter ROUND = 3,
	parameter SIGNED = 1
) (
	input wire signed [IN_BITS-1:0] v,
	input wire [5:0] shift_15,
	input wire [15:0] noise,
	input wire signed [OUT_BITS+1:0] lower
);
	localparam MAN = OUT_BITS - OUT_EXP - SIGNED;
	localparam ALL = (1 << (OUT_EXP + MAN)) - 1;
	localparam LARGEST = OUT_KIND == 2 ? ALL - (1 << MAN) : OUT_KIND == 3 ? ALL - 1 :
			     OUT_KIND == 4 ? ALL + 1 - (1 << MAN) : ALL;
	localparam LOWEST = SIGNED != 0 ? -LARGEST : 0;
	// An integer moves by up to 63 places; noise takes 16 more.
	localparam BITS = 2 + MAN + 1 + (1 << OUT_EXP) + 64 + 16;

	wire [OUT_BITS-1:0] y;
	wire sat;
	mch_encode #(.IN_BITS(IN_BITS), .OUT_BITS(OUT_BITS), .OUT_KIND(OUT_KIND), .OUT_EXP(OUT_EXP), .ROUND(ROUND)) u_dut (
		.v_i(v), .shift_i(shift_15), .noise_i(noise), .y_signed_i(SIGNED != 0), .y_o(y), .sat_o(sat));

	// integer(code) of "number", at the fraction of v * 2^15.
	function signed [BITS-1:0] value;
		input signed [OUT_BITS+1:0] ordinal;
		reg [OUT_BITS+1:0] magnitude, code;
		reg [BITS-1:0] m, e;
		begin
			magnitude = ordinal < 0 ? -ordinal : ordinal;
			code = OUT_KIND == 4 && magnitude != 0 ? magnitude - 1'b1 : magnitude;
			e = code >> MAN;
			m = code & ((1 << MAN) - 1);
			if (OUT_KIND == 4)
				m = magnitude == 0 ? 0 : (m + (1 << MAN)) << e[OUT_EXP:0];
			else if (e != 0)
				m = (m + (1 << MAN)) << (e[OUT_EXP:0] - 1'b1);
			value = (ordinal < 0 ? -m : m) << shift_15;
		end
	endfunction

	wire signed [BITS-1:0] exact = $signed({v, 15'd0});
	wire signed [BITS-1:0] at = value(lower);
	wire signed [BITS-1:0] next = value(lower + 1);
	wire signed [BITS-1:0] step = next - at;
	wire signed [BITS-1:0] lost = exact - at;

	// noise * step / 2^16; a step is a power of two.
	reg [BITS-1:0] dither;
	integer i;
	always @* begin
		dither = 0;
		for (i = 0; i < BITS - 16; i = i + 1)
			if (step[i])
				dither = dither | ({{(BITS-16){1'b0}}, noise} << i);
	end

	wire up = ROUND == 0 ? lost >= step :
		  ROUND == 1 ? lost * 2 >= step :
		  ROUND == 2 ? lost * 2 > step || (lost * 2 == step && v >= 0) :
		  ROUND == 3 ? lost * 2 > step || (lost * 2 == step && lower[0]) :
			       lost * 65536 + $signed(dither) >= step * 65536;
	wire signed [OUT_BITS+1:0] rounded = lower + $signed({1'b0, up});
	wire above = rounded > LARGEST || lost >= step;
	wire below = rounded < LOWEST;
	wire signed [OUT_BITS+1:0] code = above ? LARGEST : below ? LOWEST : rounded;
	wire [OUT_BITS-1:0] magnitude = code < 0 ? -code : code;
	wire [OUT_BITS-1:0] sign = code < 0 ? 1 << (OUT_BITS - 1) : 0;

	always @* begin
		assume (lower >= LOWEST - 1 && lower <= LARGEST);
		assume (lower == LOWEST - 1 || at <= exact);
		assume (lower == LARGEST || exact < next);
		assert (y == (magnitude | sign));
		assert (sat == (above || below));
		cover (sat && y != 0);
		cover (!sat && y != 0 && lost != 0 && up);
		cover (y == 0 && v != 0);
	end
endmodule
`default_nettype wire
