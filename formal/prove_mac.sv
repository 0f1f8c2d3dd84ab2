// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors
// mch_mac is "mac" of docs/datapath.md: acc' = overflow(acc + product), the exact sum wrapped or saturated, and the flag; product,
// accumulator and bank of column AT, whatever order they are loaded in. Each product is a sum of moved operands, one for each bit of
// the weight, the highest one subtracted: of integers, of powers of two by integer(w) of "number", of minifloats between their
// significands and then moved by both exponents; with PACK just that of the column by itself.
// Assumed: x is a code of X_BITS bits of either sign; of minifloats both operands are taken apart as the header of mch_mac says. A
// product comes before it is added, and a tile's first beat before the others.
`default_nettype none
module prove_mac #(
	parameter COLS = 1, // 1 or 2; two of a pair with PACK
	parameter AT = 0,
	parameter X_BITS = 8,
	parameter W_BITS = 8,
	parameter ACC_BITS = 32,
	parameter ACC_SAT = 0,
	parameter MULT = 0,
	parameter W_KIND = 0,
	parameter PACK = 0,
	parameter X_KIND = 0,
	parameter X_EXP = 0,
	parameter W_EXP = 0,
	parameter X_COLS = 1,
	parameter GIVEN = 0, // 1: the product is Verilog's own, for widths whose multiplier is too much for a solver
	parameter X_PORT = MULT == 2 ? X_BITS + 2 : X_BITS + 1,
	parameter W_PORT = MULT == 2 ? W_BITS + 1 : W_BITS
) (
	input wire clk,
	input wire mul,
	input wire add,
	input wire first,
	input wire load,
	input wire shift,
	input wire [X_COLS*X_PORT-1:0] x_all,
	input wire [COLS*W_PORT-1:0] w,
	input wire [COLS*ACC_BITS-1:0] below,
	input wire [COLS-1:0] below_over
);
	`include "spec.vh"
	wire [COLS*ACC_BITS-1:0] bank;
	wire [COLS-1:0] bank_over;
	mch_mac #(.COLS(COLS), .X_BITS(X_BITS), .W_BITS(W_BITS), .ACC_BITS(ACC_BITS), .ACC_SAT(ACC_SAT), .MULT(MULT),
		.W_KIND(W_KIND), .PACK(PACK), .X_KIND(X_KIND), .X_EXP(X_EXP), .W_EXP(W_EXP), .X_COLS(X_COLS)) u_dut (
		.clk_i(clk), .mul_i(mul), .add_i(add), .first_i(first), .load_i(load), .shift_i(shift), .x_i(x_all), .w_i(w),
		.bank_i(below), .bank_over_i(below_over), .bank_o(bank), .bank_over_o(bank_over));

	wire [X_PORT-1:0] x = x_all[(AT % X_COLS)*X_PORT +: X_PORT];

	// Operands: a number, and the places that it is moved.
	localparam X_SIG = MULT == 2 ? X_BITS - X_EXP + 2 : X_PORT, W_SIG = MULT == 2 ? W_BITS - W_EXP + 1 : W_PORT;
	wire signed [X_SIG-1:0] x_number = x[X_PORT-1 -: X_SIG];
	wire [4:0] x_places = MULT == 2 ? x & ((1 << X_EXP) - 1) : 0;

	// All in 67 bits: an operand of 17 moved by 15, a product of 48 bits.
	function signed [66:0] times;
		input signed [66:0] a;
		input signed [W_SIG-1:0] b;
		integer i;
		begin
			times = 0;
			for (i = 0; i < W_SIG; i = i + 1)
				if (b[i])
					times = i == W_SIG - 1 ? times - (a <<< i) : times + (a <<< i);
		end
	endfunction

	function signed [66:0] product_of;
		input [W_PORT-1:0] port;
		reg signed [W_SIG-1:0] w_number;
		reg [5:0] places;
		reg signed [X_SIG+W_SIG-1:0] own;
		begin
			w_number = port[W_PORT-1 -: W_SIG];
			places = x_places + (MULT == 2 ? port & ((1 << W_EXP) - 1) : 0);
			own = x_number * w_number;
			product_of = MULT == 1 ? spec_power(x_number, w_number, W_KIND) : (GIVEN != 0 ? own : times(x_number, w_number)) <<< places;
		end
	endfunction

	localparam signed [66:0] HIGH = (67'sd1 <<< (ACC_BITS - 1)) - 67'sd1, LOW = -(67'sd1 <<< (ACC_BITS - 1));
	reg signed [66:0] product_0, product_1, acc, row;
	wire signed [66:0] product = AT == 0 ? product_0 : product_1;
	reg over, row_over;
	reg have_product = 0, have_acc = 0, have_row = 0;
	wire signed [66:0] sum = (first ? 67'sd0 : acc) + product;
	wire signed [66:0] wrapped = $signed(sum << (67 - ACC_BITS)) >>> (67 - ACC_BITS);
	wire signed [ACC_BITS-1:0] below_at = below[AT*ACC_BITS +: ACC_BITS], bank_at = bank[AT*ACC_BITS +: ACC_BITS];
	always @(posedge clk) begin
		if (mul) begin
			product_0 <= product_of(w[W_PORT-1:0]);
			product_1 <= product_of(w[AT*W_PORT +: W_PORT]);
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
			row <= below_at;
			row_over <= below_over[AT];
			have_row <= 1;
		end
	end

	// Registers, for the induction. Of a pair, the upper product is one less where the lower is negative.
	localparam P_BITS = MULT == 2 ? X_SIG + W_SIG - 1 + (1 << X_EXP) + (1 << W_EXP) - (X_KIND == 4 ? 1 : 2) - (W_KIND == 4 ? 1 : 2) :
			    MULT == 1 ? X_BITS + (1 << (W_BITS - 1)) : X_BITS + W_BITS;
	(* hierconn *) wire signed [P_BITS-1:0] \u_dut.product_q[0] , \u_dut.product_q[1] ;
	(* hierconn *) wire signed [ACC_BITS-1:0] \u_dut.acc_q[0] , \u_dut.acc_q[1] ;
	(* hierconn *) wire [COLS-1:0] \u_dut.g_saturate.over_q ;
	wire signed [66:0] dut_product_0 = \u_dut.product_q[0] , dut_product_1 = \u_dut.product_q[1] ;
	wire signed [66:0] dut_acc = AT == 0 ? \u_dut.acc_q[0] : \u_dut.acc_q[1] , dut_row = bank_at;
	always @* begin
		assume (x_number != {1'b1, {X_SIG-1{1'b0}}});
		assume (MULT != 2 || x_places <= (1 << X_EXP) - (X_KIND == 4 ? 1 : 2));
		assume (MULT != 2 || w[W_PORT-1 -: W_SIG] != {1'b1, {W_SIG-1{1'b0}}});
		assume (MULT != 2 || (w & ((1 << W_EXP) - 1)) <= (1 << W_EXP) - (W_KIND == 4 ? 1 : 2));
		assume (!add || (have_product && (first || have_acc)));
		if (have_product) begin
			assert (AT % X_COLS != 0 || dut_product_0 == product_0);
			assert (AT == 0 || dut_product_1 == product_1 - (PACK != 0 && product_0 < 0 ? 67'sd1 : 67'sd0));
		end
		if (have_acc) begin
			assert (dut_acc == acc);
			assert (ACC_SAT == 0 || \u_dut.g_saturate.over_q [AT] == over);
		end
		if (have_row) begin
			assert (dut_row == row);
			assert (bank_over[AT] == (ACC_SAT != 0 && row_over));
		end
		cover (have_row && row == (MULT == 1 ? -67'sd4 : -67'sd6) && !first);
	end
endmodule
`default_nettype wire
