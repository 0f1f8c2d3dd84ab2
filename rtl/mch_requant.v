// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors
// requant: y = sat(round_shift(relu(acc + bias), shift)), the lane of one output channel. With OUT_WRAP the code wraps. With
// OUT_KIND y = encode(relu(acc + bias), shift), a minifloat.
// Twin: cmodel/op/requant.h. Spec: docs/datapath.md "requant".
//
// Latency 3, counted in edges with en_i high: y of an acc taken at edge t stands from edge t + 2 until the next, for
// the reader to take at edge t + 3. Throughput one value a cycle. en_i low holds all three stages and takes nothing.
// A data register loads only when its stage takes a value: bubbles cost no toggles.
//   stage 1  sum_q    relu(acc + bias); shift1_q and noise1_q travel with it
//   stage 2  round_q  round_shift; of a minifloat sat and y
//   stage 3  y_q, sat_q
// load_i replaces the channel's bias, shift and noise at any edge, en_i high or low: the value taken at that same edge
// and all values in flight keep the old ones. The noise advances by one step with every value taken.
// relu_i, y_signed_i and y_bits_i belong to the layer: they change only while no value is in flight.
`default_nettype none

module mch_requant #(
	parameter ACC_BITS = 32, // 2..48
	parameter OUT_BITS = 8,  // 1..16
	parameter ROUND = 3,     // as in mch_round_shift
	parameter OUT_WRAP = 0,  // 1: what does not fit the output wraps
	parameter OUT_KIND = 0,  // of "number": 0 fixed point; 1..4 minifloats, as in mch_encode
	parameter OUT_EXP = 0    // of a minifloat: 1..5
) (
	input  wire                       clk_i,
	input  wire                       rst_ni,
	input  wire                       en_i,
	// channel
	input  wire                       load_i,
	input  wire signed [ACC_BITS-1:0] bias_i,
	input  wire [5:0]                 shift_i, // shift + 15
	input  wire [15:0]                noise_i, // mch_lfsr_seed(); not 0; read when ROUND is 4
	// layer
	input  wire                       relu_i,
	input  wire                       y_signed_i,
	input  wire [4:0]                 y_bits_i, // 1..OUT_BITS; minifloats have OUT_BITS
	// values
	input  wire                       valid_i,
	input  wire signed [ACC_BITS-1:0] acc_i,
	output wire                       valid_o,
	output wire [OUT_BITS-1:0]        y_o,
	output wire                       sat_o,
	output wire                       idle_o // no value in the stages
);
	localparam SUM_BITS = ACC_BITS + 1, ROUND_BITS = OUT_KIND == 0 ? SUM_BITS + 15 : OUT_BITS + 1, STOCHASTIC = 4;

	// OUT_BITS and ROUND are refused by mch_sat and mch_round_shift, or mch_encode.
	generate
		if (ACC_BITS < 2 || ACC_BITS > 48) begin : g_bad_acc_bits
			mch_requant_needs_ACC_BITS_2_to_48 u_illegal ();
		end
		if (OUT_KIND < 0 || OUT_KIND > 4 || (OUT_KIND != 0 && OUT_WRAP != 0) || (OUT_KIND == 0 && OUT_EXP != 0)) begin : g_bad_kind
			mch_requant_needs_OUT_KIND_0_to_4_OUT_EXP_of_a_minifloat_and_OUT_WRAP_without_one u_illegal ();
		end
	endgenerate

	reg signed [ACC_BITS-1:0] bias_q;
	reg [5:0] shift_q;
	always @(posedge clk_i)
		if (load_i) begin
			bias_q <= bias_i;
			shift_q <= shift_i;
		end

	reg valid1_q, valid2_q, valid3_q;
	always @(posedge clk_i or negedge rst_ni)
		if (!rst_ni)
			{valid1_q, valid2_q, valid3_q} <= 3'b000;
		else if (en_i)
			{valid1_q, valid2_q, valid3_q} <= {valid_i, valid1_q, valid2_q};

	// Stage 1. ACC_BITS + ACC_BITS makes one bit more, exact.
	wire signed [SUM_BITS-1:0] sum = {acc_i[ACC_BITS-1], acc_i} + {bias_q[ACC_BITS-1], bias_q};
	reg signed [SUM_BITS-1:0] sum_q;
	reg [5:0] shift1_q;
	always @(posedge clk_i)
		if (en_i && valid_i) begin
			sum_q <= sum & {SUM_BITS{!(relu_i & sum[SUM_BITS-1])}};
			shift1_q <= shift_q;
		end

	wire [15:0] noise1;
	generate
		if (ROUND == STOCHASTIC) begin : g_noise
			wire [15:0] noise;
			reg [15:0] noise1_q;
			mch_lfsr u_lfsr (
				.clk_i(clk_i),
				.load_i(load_i),
				.seed_i(noise_i),
				.en_i(en_i & valid_i),
				.noise_o(noise)
			);
			always @(posedge clk_i)
				if (en_i && valid_i)
					noise1_q <= noise;
			assign noise1 = noise1_q;
		end else begin : g_no_noise
			assign noise1 = 16'd0;
			wire unused = &{1'b0, noise_i};
		end
	endgenerate

	// Stages 2 and 3.
	wire signed [ROUND_BITS-1:0] rounded;
	reg signed [ROUND_BITS-1:0] round_q;
	always @(posedge clk_i)
		if (en_i && valid1_q)
			round_q <= rounded;

	wire [OUT_BITS-1:0] y;
	wire sat;
	generate
		if (OUT_KIND == 0) begin : g_fixed
			mch_round_shift #(
				.IN_BITS(SUM_BITS),
				.ROUND(ROUND)
			) u_round_shift (
				.v_i(sum_q),
				.shift_i(shift1_q),
				.noise_i(noise1),
				.y_o(rounded)
			);
			mch_sat #(
				.IN_BITS(ROUND_BITS),
				.OUT_BITS(OUT_BITS),
				.WRAP(OUT_WRAP)
			) u_sat (
				.v_i(round_q),
				.y_bits_i(y_bits_i),
				.y_signed_i(y_signed_i),
				.y_o(y),
				.sat_o(sat)
			);
		end else begin : g_minifloat
			wire [OUT_BITS-1:0] code;
			wire code_sat;
			mch_encode #(
				.IN_BITS(SUM_BITS),
				.OUT_BITS(OUT_BITS),
				.OUT_KIND(OUT_KIND),
				.OUT_EXP(OUT_EXP),
				.ROUND(ROUND)
			) u_encode (
				.v_i(sum_q),
				.shift_i(shift1_q),
				.noise_i(noise1),
				.y_signed_i(y_signed_i),
				.y_o(code),
				.sat_o(code_sat)
			);
			assign rounded = {code_sat, code};
			assign {sat, y} = round_q;
			wire unused = &{1'b0, y_bits_i};
		end
	endgenerate

	reg [OUT_BITS-1:0] y_q;
	reg sat_q;
	always @(posedge clk_i)
		if (en_i && valid2_q) begin
			y_q <= y;
			sat_q <= sat;
		end

	assign valid_o = valid3_q;
	assign y_o = y_q;
	assign sat_o = sat_q;
	assign idle_o = !(valid1_q || valid2_q || valid3_q);
endmodule

`default_nettype wire
