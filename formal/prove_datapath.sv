// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors
// mch_datapath is "datapath" of docs/datapath.md around an array and requantizers of which nothing is known: two cells below take their
// place, whose outputs are anything at any time. What the array gets and gives, which row enters the requantizers, when they move, and
// what leaves, for every column. It has no registers of its own; with "mac_array" and "requant" this says: in order, each row of the
// array, or of sums when there is none, leaves once, requantized.
// Assumed: nothing. All columns have one valid flag and one idle, since "requant" shows that these depend on en and valid alone.
`default_nettype none
module mch_mac_array #(
	parameter ROWS = 0, COLS = 0, X_BITS = 0, W_BITS = 0, ACC_BITS = 0, ACC_SAT = 0, MULT = 0, W_KIND = 0, PACK = 0, X_KIND = 0,
	parameter X_EXP = 0, W_EXP = 0, X_COLS = 1
) (
	input wire clk_i, rst_ni, in_valid_i, in_first_i, in_last_i, x_signed_i, out_ready_i,
	input wire [ROWS*X_COLS*X_BITS-1:0] x_i,
	input wire [COLS*W_BITS-1:0] w_i,
	output wire in_ready_o, out_valid_o, idle_o,
	output wire [COLS*ACC_BITS-1:0] out_acc_o,
	output wire [COLS-1:0] out_over_o
);
	assign {in_ready_o, out_valid_o, idle_o} = $anyseq;
	assign out_acc_o = $anyseq;
	assign out_over_o = $anyseq;
endmodule

module mch_requant #(
	parameter ACC_BITS = 0, OUT_BITS = 0, ROUND = 0, OUT_WRAP = 0, OUT_KIND = 0, OUT_EXP = 0
) (
	input wire clk_i, rst_ni, en_i, load_i, relu_i, y_signed_i, valid_i,
	input wire [ACC_BITS-1:0] bias_i, acc_i,
	input wire [5:0] shift_i,
	input wire [15:0] noise_i,
	input wire [4:0] y_bits_i,
	output wire valid_o, sat_o, idle_o,
	output wire [OUT_BITS-1:0] y_o
);
	assign {valid_o, sat_o, idle_o} = $anyseq;
	assign y_o = $anyseq;
endmodule

module prove_datapath #(
	parameter ROWS = 16,
	parameter COLS = 16,
	parameter X_BITS = 8,
	parameter W_BITS = 8,
	parameter ACC_BITS = 32,
	parameter OUT_BITS = 8,
	parameter X_COLS = 1
) (
	input wire clk,
	input wire rst_n,
	input wire x_signed, relu, y_signed, load, in_valid, in_first, in_last, sum_valid, out_ready,
	input wire [4:0] y_bits,
	input wire [COLS*ACC_BITS-1:0] bias, sum,
	input wire [COLS*6-1:0] shift_15,
	input wire [COLS*16-1:0] noise,
	input wire [ROWS*X_COLS*X_BITS-1:0] x,
	input wire [COLS*W_BITS-1:0] w
);
	wire in_ready, sum_ready, out_valid, idle;
	wire [COLS*OUT_BITS-1:0] y;
	wire [COLS-1:0] sat;
	mch_datapath #(.ROWS(ROWS), .COLS(COLS), .X_BITS(X_BITS), .W_BITS(W_BITS), .ACC_BITS(ACC_BITS), .OUT_BITS(OUT_BITS), .X_COLS(X_COLS)) u_dut (
		.clk_i(clk), .rst_ni(rst_n), .x_signed_i(x_signed), .relu_i(relu), .y_signed_i(y_signed), .y_bits_i(y_bits), .load_i(load),
		.bias_i(bias), .shift_i(shift_15), .noise_i(noise), .in_valid_i(in_valid), .in_ready_o(in_ready), .in_first_i(in_first),
		.in_last_i(in_last), .x_i(x), .w_i(w), .sum_valid_i(sum_valid), .sum_ready_o(sum_ready), .sum_i(sum),
		.out_valid_o(out_valid), .out_ready_i(out_ready), .y_o(y), .sat_o(sat), .idle_o(idle));

	// What the cells got and gave.
	(* hierconn *) wire \u_dut.u_array.in_valid_i , \u_dut.u_array.in_first_i , \u_dut.u_array.in_last_i , \u_dut.u_array.x_signed_i ,
		\u_dut.u_array.out_ready_i , \u_dut.u_array.rst_ni , \u_dut.u_array.in_ready_o , \u_dut.u_array.out_valid_o ,
		\u_dut.u_array.idle_o ;
	(* hierconn *) wire [ROWS*X_COLS*X_BITS-1:0] \u_dut.u_array.x_i ;
	(* hierconn *) wire [COLS*W_BITS-1:0] \u_dut.u_array.w_i ;
	(* hierconn *) wire [COLS*ACC_BITS-1:0] \u_dut.u_array.out_acc_o ;
	wire row = \u_dut.u_array.out_valid_o , moves = !out_valid || out_ready;
	always @* begin
		assert ({\u_dut.u_array.in_valid_i , \u_dut.u_array.in_first_i , \u_dut.u_array.in_last_i , \u_dut.u_array.x_signed_i ,
			\u_dut.u_array.rst_ni } == {in_valid, in_first, in_last, x_signed, rst_n});
		assert (\u_dut.u_array.x_i == x);
		assert (\u_dut.u_array.w_i == w);
		assert (in_ready == \u_dut.u_array.in_ready_o );
		// A row of the array is taken when the requantizers move, one of sums when there is none of the array.
		assert (\u_dut.u_array.out_ready_i == moves);
		assert (sum_ready == (moves && !row));
		cover (sum_valid && row && moves);
	end

	genvar g;
	generate
		for (g = 0; g < COLS; g = g + 1) begin : \u_dut.g_col
			(* hierconn *) wire \u_requant.en_i , \u_requant.load_i , \u_requant.relu_i , \u_requant.y_signed_i , \u_requant.valid_i ,
				\u_requant.rst_ni , \u_requant.valid_o , \u_requant.sat_o , \u_requant.idle_o ;
			(* hierconn *) wire [ACC_BITS-1:0] \u_requant.bias_i , \u_requant.acc_i ;
			(* hierconn *) wire [5:0] \u_requant.shift_i ;
			(* hierconn *) wire [15:0] \u_requant.noise_i ;
			(* hierconn *) wire [4:0] \u_requant.y_bits_i ;
			(* hierconn *) wire [OUT_BITS-1:0] \u_requant.y_o ;
			always @* begin
				assert ({\u_requant.load_i , \u_requant.relu_i , \u_requant.y_signed_i , \u_requant.y_bits_i , \u_requant.rst_ni } ==
					{load, relu, y_signed, y_bits, rst_n});
				assert ({\u_requant.bias_i , \u_requant.shift_i , \u_requant.noise_i } ==
					{bias[g*ACC_BITS +: ACC_BITS], shift_15[g*6 +: 6], noise[g*16 +: 16]});
				assert (\u_requant.en_i == moves);
				assert (\u_requant.valid_i == (row || sum_valid));
				assert (\u_requant.acc_i == (row ? \u_dut.u_array.out_acc_o [g*ACC_BITS +: ACC_BITS] : sum[g*ACC_BITS +: ACC_BITS]));
				assert (y[g*OUT_BITS +: OUT_BITS] == \u_requant.y_o && sat[g] == \u_requant.sat_o );
				if (g == 0) begin
					assert (out_valid == \u_requant.valid_o );
					assert (idle == (\u_dut.u_array.idle_o && \u_requant.idle_o ));
				end
			end
		end
	endgenerate
endmodule
`default_nettype wire
