// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors
// mch_requant is "requant" of docs/datapath.md, for every value that can be in flight: three registers behind one another, the
// channel's parameters of the moment in which a value is taken, noise of one step a value. Of minifloats the code is that of another
// mch_encode, which "encode" proves, beside it.
// Assumed: y_bits is 1..OUT_BITS; relu, y_bits and y_signed change only while idle (the header of mch_requant).
`default_nettype none
module prove_requant #(
	parameter ACC_BITS = 48,
	parameter OUT_BITS = 16,
	parameter ROUND = 3,
	parameter OUT_WRAP = 0,
	parameter OUT_KIND = 0,
	parameter OUT_EXP = 0
) (
	input wire clk,
	input wire en,
	input wire load,
	input wire signed [ACC_BITS-1:0] bias,
	input wire [5:0] shift_15,
	input wire [15:0] noise,
	input wire relu,
	input wire y_signed,
	input wire [4:0] y_bits,
	input wire valid,
	input wire signed [ACC_BITS-1:0] acc
);
	`include "spec.vh"
	reg run = 0; // out of reset
	always @(posedge clk)
		run <= 1;

	wire valid_out, sat, idle;
	wire [OUT_BITS-1:0] y;
	mch_requant #(.ACC_BITS(ACC_BITS), .OUT_BITS(OUT_BITS), .ROUND(ROUND), .OUT_WRAP(OUT_WRAP), .OUT_KIND(OUT_KIND),
		.OUT_EXP(OUT_EXP)) u_dut (
		.clk_i(clk), .rst_ni(run), .en_i(en), .load_i(load), .bias_i(bias), .shift_i(shift_15), .noise_i(noise),
		.relu_i(relu), .y_signed_i(y_signed), .y_bits_i(y_bits), .valid_i(valid), .acc_i(acc), .valid_o(valid_out),
		.y_o(y), .sat_o(sat), .idle_o(idle));

	// The channel, and whether it has been loaded: before that its registers hold anything.
	reg loaded = 0;
	reg signed [ACC_BITS-1:0] bias_q;
	reg [5:0] shift_q;
	reg [15:0] noise_q;
	always @(posedge clk)
		if (load) begin
			loaded <= 1;
			{bias_q, shift_q, noise_q} <= {bias, shift_15, noise};
		end else if (en && valid)
			noise_q <= noise_q[0] ? noise_q >> 1 ^ 16'hb400 : noise_q >> 1;

	// Values in flight: k for "known", made with a loaded channel.
	reg v1 = 0, v2 = 0, v3 = 0;
	reg k1, k2, k3;
	reg signed [66:0] kept, rounded, code;
	reg [5:0] shift1;
	reg [15:0] noise1;
	reg outside;
	wire signed [66:0] sum = acc + bias_q;
	wire signed [66:0] minifloat; // {saturated, code}
	generate
		if (OUT_KIND == 0) begin : g_fixed
			assign minifloat = 0;
		end else begin : g_minifloat
			assign minifloat[66:OUT_BITS+1] = 0;
			mch_encode #(.IN_BITS(ACC_BITS + 1), .OUT_BITS(OUT_BITS), .OUT_KIND(OUT_KIND), .OUT_EXP(OUT_EXP), .ROUND(ROUND)) u_encode (
				.v_i(kept[ACC_BITS:0]), .shift_i(shift1), .noise_i(noise1), .y_signed_i(y_signed),
				.y_o(minifloat[OUT_BITS-1:0]), .sat_o(minifloat[OUT_BITS]));
		end
	endgenerate
	always @(posedge clk)
		if (run && en) begin
			{v1, v2, v3} <= {valid, v1, v2};
			if (valid) begin
				{k1, shift1, noise1} <= {loaded, shift_q, noise_q};
				kept <= relu && sum < 0 ? 67'sd0 : sum;
			end
			if (v1) begin
				k2 <= k1;
				rounded <= OUT_KIND != 0 ? minifloat : spec_round_shift(kept, shift1, noise1, ROUND);
			end
			if (v2) begin
				k3 <= k2;
				code <= OUT_KIND != 0 ? rounded : spec_sat(rounded, y_bits, y_signed, OUT_WRAP);
				outside <= OUT_KIND != 0 ? rounded[OUT_BITS] : spec_outside(rounded, y_bits, y_signed);
			end
		end

	// Registers, for the induction.
	(* hierconn *) wire signed [ACC_BITS-1:0] \u_dut.bias_q ;
	(* hierconn *) wire \u_dut.valid1_q , \u_dut.valid2_q ;
	(* hierconn *) wire [5:0] \u_dut.shift_q ;
	(* hierconn *) wire [5:0] \u_dut.shift1_q ;
	(* hierconn *) wire signed [ACC_BITS:0] \u_dut.sum_q ;
	(* hierconn *) wire signed [OUT_KIND != 0 ? OUT_BITS : ACC_BITS+15:0] \u_dut.round_q ;
	(* hierconn *) wire [15:0] \u_dut.noise1 ;
	(* hierconn *) wire [15:0] \u_dut.g_noise.u_lfsr.state_q ;
	wire signed [66:0] sum_67 = \u_dut.sum_q , round_67 = \u_dut.round_q ;

	always @* begin
		assume (y_bits >= 1 && y_bits <= OUT_BITS);
		if (run) begin
			assert (valid_out == v3);
			assert ({\u_dut.valid1_q , \u_dut.valid2_q } == {v1, v2});
			assert (idle == !(v1 || v2 || v3));
			if (loaded)
				assert (\u_dut.bias_q == bias_q && \u_dut.shift_q == shift_q &&
					(ROUND != 4 || \u_dut.g_noise.u_lfsr.state_q == noise_q));
			if (v1 && k1)
				assert (sum_67 == kept && \u_dut.shift1_q == shift1 && (ROUND != 4 || \u_dut.noise1 == noise1));
			if (v2 && k2)
				assert (OUT_KIND != 0 ? \u_dut.round_q [OUT_BITS:0] == rounded[OUT_BITS:0] : round_67 == rounded);
			if (v3 && k3) begin
				assert (y == code[OUT_BITS-1:0]);
				assert (sat == outside);
			end
		end
		cover (v1 && v2 && v3 && k3 && sat && y != 0);
	end
endmodule
`default_nettype wire
