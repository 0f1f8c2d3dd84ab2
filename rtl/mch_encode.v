// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors
// encode: the minifloat nearest to v * 2^-shift, under the rounding rule ROUND, as a code in memory form: sign and magnitude.
// Twin: cmodel/fxp/encode.h. Spec: docs/datapath.md "encode".
//
// Combinational: latency 0. shift_i holds shift + 15, as in mch_round_shift. The place of the leading one says how many bits lie
// below a code's last: one right shifter serves numbers of all exponents and subnormal ones.
`default_nettype none

module mch_encode #(
	parameter IN_BITS = 33,  // 2..49
	parameter OUT_BITS = 8,  // 3..16
	parameter OUT_KIND = 1,  // 1..4 of "number"
	parameter OUT_EXP = 4,   // 1..5; a signed code has a mantissa bit or more, of kind 3 two
	parameter ROUND = 3      // as in mch_round_shift
) (
	input  wire signed [IN_BITS-1:0] v_i,
	input  wire [5:0]                shift_i,
	input  wire [15:0]               noise_i,    // read by ROUND 4 alone
	input  wire                      y_signed_i, // 0: the sign's bit is one of the mantissa
	output wire [OUT_BITS-1:0]       y_o,
	output wire                      sat_o
);
	localparam FLOOR = 0, HALF_UP = 1, HALF_AWAY = 2, HALF_EVEN = 3, STOCHASTIC = 4, IEEE = 2, FN = 3, FLUSH = 4;
	localparam MAN = OUT_BITS - 1 - OUT_EXP; // of a signed code

	generate
		if (IN_BITS < 2 || IN_BITS > 49) begin : g_bad_in_bits
			mch_encode_needs_IN_BITS_2_to_49 u_illegal ();
		end
		if (OUT_KIND < 1 || OUT_KIND > 4 || OUT_BITS > 16 || OUT_EXP < 1 || OUT_EXP > 5 || MAN < 1 ||
		    (OUT_KIND == FN && MAN < 2)) begin : g_bad_format
			mch_encode_needs_OUT_KIND_1_to_4_OUT_EXP_1_to_5_and_a_mantissa_in_OUT_BITS_up_to_16 u_illegal ();
		end
		if (ROUND < FLOOR || ROUND > STOCHASTIC) begin : g_bad_round
			mch_encode_needs_ROUND_0_to_4 u_illegal ();
		end
	endgenerate

	wire negative = v_i[IN_BITS-1];
	wire [IN_BITS-1:0] magnitude = (v_i ^ {IN_BITS{negative}}) + {{(IN_BITS-1){1'b0}}, negative};

	// By halves: whether the upper one holds a one, and then that one.
	function [5:0] place_of_leading_one;
		input [63:0] v;
		reg [31:0] v5;
		reg [15:0] v4;
		// The lowest bit decides nothing.
		// verilator lint_off UNUSEDSIGNAL
		reg [7:0] v3;
		// verilator lint_on UNUSEDSIGNAL
		reg [2:0] v2;
		begin
			place_of_leading_one[5] = |v[63:32];
			v5 = |v[63:32] ? v[63:32] : v[31:0];
			place_of_leading_one[4] = |v5[31:16];
			v4 = |v5[31:16] ? v5[31:16] : v5[15:0];
			place_of_leading_one[3] = |v4[15:8];
			v3 = |v4[15:8] ? v4[15:8] : v4[7:0];
			place_of_leading_one[2] = |v3[7:4];
			v2 = |v3[7:4] ? v3[7:5] : v3[3:1];
			place_of_leading_one[1] = |v2[2:1];
			place_of_leading_one[0] = |v2[2:1] ? v2[2] : v2[0];
		end
	endfunction

	// Places counted from 15 below v's last, where the shifter's input begins. A number with all its mantissa is shifted until
	// the leading one has MAN bits behind it, one more when unsigned: by at most 48 + 14. A smaller one by the shift alone, or,
	// flushed, to where it is less than half of the smallest, or half and more.
	localparam ABOVE_SIGNED = 15 - MAN, ABOVE_UNSIGNED = 14 - MAN, MAN_UNSIGNED = MAN + 1;
	wire [5:0] normal_places = place_of_leading_one({{(64-IN_BITS){1'b0}}, magnitude}) +
				   (y_signed_i ? ABOVE_SIGNED[5:0] : ABOVE_UNSIGNED[5:0]);
	wire is_normal = normal_places >= shift_i && magnitude != {IN_BITS{1'b0}};
	wire [6:0] small_places = {1'b0, shift_i} + (OUT_KIND != FLUSH ? 7'd0 : y_signed_i ? MAN[6:0] : MAN_UNSIGNED[6:0]);
	wire [6:0] places = is_normal ? {1'b0, normal_places} : small_places;
	wire [5:0] octave = is_normal ? normal_places - shift_i : 6'd0;

	// Bits kept below the code's last place.
	localparam LOST_BITS = ROUND == STOCHASTIC ? 16 : 1, KEPT_BITS = MAN + 2;
	localparam KEPT_BELOW = 15 + LOST_BITS;
	wire [IN_BITS+LOST_BITS+14:0] wide = {magnitude, {(15 + LOST_BITS){1'b0}}};
	// Above the kept bits there are zeros.
	// verilator lint_off UNUSEDSIGNAL
	wire [IN_BITS+LOST_BITS+14+KEPT_BITS:0] shifted = {{KEPT_BITS{1'b0}}, wide} >> places;
	// verilator lint_on UNUSEDSIGNAL
	wire [KEPT_BITS-1:0] kept = shifted[KEPT_BITS+LOST_BITS-1:LOST_BITS];
	wire [6:0] n_below = places > KEPT_BELOW[6:0] ? places - KEPT_BELOW[6:0] : 7'd0;
	wire [IN_BITS-1:0] at_or_above = {IN_BITS{1'b1}} << n_below;
	wire below = |(magnitude & ~at_or_above);

	// Codes: MAN bits an octave. Those of a flushed format begin with 1, and the leading one is not counted.
	wire is_odd = kept[0] ^ (OUT_KIND == FLUSH && is_normal);

	// Away from zero, of a magnitude.
	wire up;
	generate
		if (ROUND == FLOOR) begin : g_floor
			assign up = negative & (shifted[0] | below);
		end else if (ROUND == HALF_UP) begin : g_half_up
			assign up = shifted[0] & (below | !negative);
		end else if (ROUND == HALF_AWAY) begin : g_half_away
			assign up = shifted[0];
		end else if (ROUND == HALF_EVEN) begin : g_half_even
			assign up = shifted[0] & (below | is_odd);
		end else begin : g_stochastic
			// Of a negative number, what is lost on the way down is what this magnitude lacks to the next.
			wire [16:0] dithered = {1'b0, shifted[15:0]} + {1'b0, noise_i};
			assign up = negative ? {shifted[15:0], below} > {noise_i, 1'b0} : dithered[16];
			wire unused = &{1'b0, dithered[15:0]};
		end
		if (ROUND != STOCHASTIC) begin : g_no_noise
			wire unused = &{1'b0, noise_i};
		end
		if (ROUND == HALF_AWAY) begin : g_no_below
			wire unused = &{1'b0, below};
		end
		if (ROUND != HALF_EVEN) begin : g_no_tie
			wire unused = &{1'b0, is_odd};
		end
	endgenerate

	// 63 octaves of MAN + 1 bits, the kept bits, and one: MAN + 8 bits.
	localparam CODE_BITS = MAN + 8;
	localparam ALL_SIGNED = (1 << (OUT_BITS - 1)) - 1, ALL_UNSIGNED = (1 << OUT_BITS) - 1;
	localparam MAX_SIGNED = OUT_KIND == IEEE ? ALL_SIGNED - (1 << MAN) : OUT_KIND == FN ? ALL_SIGNED - 1 :
				OUT_KIND == FLUSH ? ALL_SIGNED + 1 - (1 << MAN) : ALL_SIGNED;
	localparam MAX_UNSIGNED = OUT_KIND == IEEE ? ALL_UNSIGNED - (2 << MAN) : OUT_KIND == FN ? ALL_UNSIGNED - 1 :
				  OUT_KIND == FLUSH ? ALL_UNSIGNED + 1 - (2 << MAN) : ALL_UNSIGNED;
	wire [CODE_BITS-1:0] base = y_signed_i ? {2'b00, octave, {MAN{1'b0}}} : {1'b0, octave, {(MAN+1){1'b0}}};
	wire [KEPT_BITS-1:0] leading = y_signed_i ? {2'b01, {MAN{1'b0}}} : {1'b1, {(MAN+1){1'b0}}};
	wire [KEPT_BITS-1:0] mantissa = OUT_KIND == FLUSH && is_normal ? kept & ~leading : kept;
	wire one = OUT_KIND == FLUSH && is_normal;
	wire [CODE_BITS-1:0] code = base + {{(CODE_BITS-KEPT_BITS){1'b0}}, mantissa} + {{(CODE_BITS-1){1'b0}}, up} +
				    {{(CODE_BITS-1){1'b0}}, one};

	wire [CODE_BITS-1:0] max = y_signed_i ? MAX_SIGNED[CODE_BITS-1:0] : MAX_UNSIGNED[CODE_BITS-1:0];
	wire is_zero = code == {CODE_BITS{1'b0}};
	wire is_beyond = code > max;
	wire [OUT_BITS-1:0] clamped = is_beyond ? max[OUT_BITS-1:0] : code[OUT_BITS-1:0];
	assign sat_o = is_beyond | (negative & !y_signed_i & !is_zero);
	assign y_o = y_signed_i ? {negative & !is_zero, clamped[OUT_BITS-2:0]} : clamped & {OUT_BITS{!negative}};
endmodule

`default_nettype wire
