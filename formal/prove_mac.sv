// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors
// mch_mac with MULT 0 and PACK 0 is "mac" of docs/datapath.md: acc' = overflow(acc + x * w), the exact sum wrapped or saturated, and the
// flag; product, accumulator and bank, whatever order they are loaded in. The product is a sum of moved activations, one for each
// bit of the weight, the highest one subtracted.
// Assumed: x is a code of X_BITS bits of either sign; a product comes before it is added, and a tile's first beat before the others.
`default_nettype none
module prove_mac #(
	parameter X_BITS = 8,
	parameter W_BITS = 8,
	parameter ACC_BITS = 32,
	parameter ACC_SAT = 0,
	parameter GIVEN = 0 // 1: the product is Verilog's own, for widths whose multiplier is too much for a solver
) (
	input wire clk,
	input wire mul,
	input wire add,
	input wire first,
	input wire load,
	input wire shift,
	input wire signed [X_BITS:0] x,
	input wire signed [W_BITS-1:0] w,
	input wire [ACC_BITS-1:0] below,
	input wire below_over
);
	wire signed [ACC_BITS-1:0] bank;
	wire bank_over;
	mch_mac #(.COLS(1), .X_BITS(X_BITS), .W_BITS(W_BITS), .ACC_BITS(ACC_BITS), .ACC_SAT(ACC_SAT)) u_dut (
		.clk_i(clk), .mul_i(mul), .add_i(add), .first_i(first), .load_i(load), .shift_i(shift), .x_i(x), .w_i(w),
		.bank_i(below), .bank_over_i(below_over), .bank_o(bank), .bank_over_o(bank_over));

	wire signed [X_BITS+W_BITS-1:0] own = x * w;
	wire signed [66:0] given = own;
	reg signed [66:0] times;
	integer i;
	always @* begin
		times = 0;
		for (i = 0; i < W_BITS; i = i + 1)
			if (w[i])
				times = i == W_BITS - 1 ? times - ($signed({{66{x[X_BITS]}}, x}) <<< i)
							: times + ($signed({{66{x[X_BITS]}}, x}) <<< i);
	end

	localparam signed [66:0] HIGH = (67'sd1 <<< (ACC_BITS - 1)) - 67'sd1, LOW = -(67'sd1 <<< (ACC_BITS - 1));
	reg signed [66:0] product, acc, row;
	reg over, row_over;
	reg have_product = 0, have_acc = 0, have_row = 0;
	wire signed [66:0] sum = (first ? 67'sd0 : acc) + product;
	wire signed [66:0] wrapped = $signed(sum << (67 - ACC_BITS)) >>> (67 - ACC_BITS);
	always @(posedge clk) begin
		if (mul) begin
			product <= GIVEN != 0 ? given : times;
			have_product <= 1;
		end
		if (add) begin
			acc <= ACC_SAT == 0 ? wrapped : sum > HIGH ? HIGH : sum < LOW ? LOW : sum;
			over <= ACC_SAT != 0 && (sum > HIGH || sum < LOW || (over && !first));
			have_acc <= 1;
		end
		if (load) begin
			{row, row_over} <= {acc, over};
			have_row <= have_acc;
		end else if (shift) begin
			{row, row_over} <= {{{67-ACC_BITS{below[ACC_BITS-1]}}, below}, below_over};
			have_row <= 1;
		end
	end

	(* hierconn *) wire signed [X_BITS+W_BITS-1:0] \u_dut.product_q[0] ;
	(* hierconn *) wire signed [ACC_BITS-1:0] \u_dut.acc_q[0] ;
	(* hierconn *) wire \u_dut.g_saturate.over_q ;
	wire signed [66:0] dut_product = \u_dut.product_q[0] , dut_acc = \u_dut.acc_q[0] , dut_row = bank;
	always @* begin
		assume (x > -(1 <<< X_BITS)); // a code of X_BITS bits
		assume (!add || (have_product && (first || have_acc)));
		if (have_product)
			assert (dut_product == product);
		if (have_acc) begin
			assert (dut_acc == acc);
			assert (ACC_SAT == 0 || \u_dut.g_saturate.over_q == over);
		end
		if (have_row) begin
			assert (dut_row == row);
			assert (bank_over == (ACC_SAT != 0 && row_over));
		end
		cover (have_row && row == -67'sd6 && !first);
	end
endmodule
`default_nettype wire
