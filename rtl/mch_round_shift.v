// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors
// round_shift: y = v * 2^-shift as an integer, under the rounding rule ROUND.
// Twin: cmodel/fxp/round_shift.h. Spec: docs/datapath.md "round_shift".
//
// Combinational: latency 0. shift_i holds shift + 15, so -15..48 are 0..63: v enters 15 places up, and one
// right shifter serves left shifts too. A left shift then loses only the zeros below v, so no rule rounds it.
`default_nettype none

module mch_round_shift #(
	parameter IN_BITS = 33,  // 2..49
	parameter ROUND = 3      // enum mch_round: 0 floor, 1 half up, 2 half away, 3 half even, 4 stochastic
) (
	input  wire signed [IN_BITS-1:0]  v_i,
	input  wire [5:0]                 shift_i,
	input  wire [15:0]                noise_i, // read by ROUND 4 alone
	output wire signed [IN_BITS+14:0] y_o
);
	localparam FLOOR = 0, HALF_UP = 1, HALF_AWAY = 2, HALF_EVEN = 3, STOCHASTIC = 4;

	generate
		if (IN_BITS < 2 || IN_BITS > 49) begin : g_bad_in_bits
			mch_round_shift_needs_IN_BITS_2_to_49 u_illegal ();
		end
		if (ROUND < FLOOR || ROUND > STOCHASTIC) begin : g_bad_round
			mch_round_shift_needs_ROUND_0_to_4 u_illegal ();
		end
	endgenerate

	// Bits kept below the result's last place: none; the half; or as many as the noise has.
	localparam LOST_BITS = ROUND == FLOOR ? 0 : ROUND == STOCHASTIC ? 16 : 1;

	wire signed [IN_BITS+LOST_BITS+14:0] wide = {v_i, {(15 + LOST_BITS){1'b0}}};
	wire signed [IN_BITS+LOST_BITS+14:0] shifted = wide >>> shift_i;
	wire signed [IN_BITS+14:0] down = shifted[IN_BITS+LOST_BITS+14:LOST_BITS];

	// down + up cannot overflow: up is 1 only after a shift to the right, which freed a place.
	wire up;
	assign y_o = down + $signed({{(IN_BITS + 14){1'b0}}, up});

	generate
		if (ROUND == FLOOR) begin : g_floor
			assign up = 1'b0;
		end else if (ROUND == HALF_UP) begin : g_half_up
			assign up = shifted[0];
		end else if (ROUND == HALF_AWAY || ROUND == HALF_EVEN) begin : g_half_tie
			// The bits below the half are v's lowest shift - 1: shift_i - 16 of them, none when that is negative.
			wire [5:0] n_below = shift_i > 6'd16 ? shift_i - 6'd16 : 6'd0;
			wire [IN_BITS-1:0] at_or_above = {IN_BITS{1'b1}} << n_below;
			wire above_tie = |(v_i & ~at_or_above);
			wire tie_up = ROUND == HALF_AWAY ? !v_i[IN_BITS-1] : shifted[1];
			assign up = shifted[0] & (above_tie | tie_up);
		end else begin : g_stochastic
			// The carry of lost + noise, both aligned to the top of the lost bits. Bits that the 16 do not
			// reach are zero on one side, so they make no carry.
			wire [16:0] dithered = {1'b0, shifted[15:0]} + {1'b0, noise_i};
			assign up = dithered[16];
			wire unused = &{1'b0, dithered[15:0]};
		end
		if (ROUND != STOCHASTIC) begin : g_no_noise
			wire unused = &{1'b0, noise_i};
		end
	endgenerate
endmodule

`default_nettype wire
