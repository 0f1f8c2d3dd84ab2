// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors
// mch_mac_array, for all time. Handshakes: a row that is offered stands, unchanged, until it is taken; ROWS rows come for each last
// beat and no other, none lost and none twice; idle says that no beat and no row is inside. Numbers, of the accumulator of row ROW and
// column COL: row ROW of the n-th tile to leave has, in column COL, what "mac" makes of x[ROW] (of X_COLS, number COL mod X_COLS) and w[COL] of all beats that were taken
// since the first of the n-th tile, in their order; so has the flag. Operands are those of "number": products are Verilog's own, since
// "mac" proves them.
// Assumed: nothing. A tile is judged once a first beat has come.
`default_nettype none
module prove_mac_array #(
	parameter ROWS = 3,
	parameter COLS = 1,
	parameter ROW = ROWS - 1,
	parameter COL = COLS - 1,
	parameter X_BITS = 2,
	parameter W_BITS = 2,
	parameter ACC_BITS = 4,
	parameter ACC_SAT = 0,
	parameter MULT = 0,
	parameter W_KIND = 0,
	parameter PACK = 0,
	parameter X_KIND = 0,
	parameter X_EXP = 0,
	parameter W_EXP = 0,
	parameter X_COLS = 1
) (
	input wire clk,
	input wire in_valid,
	input wire in_first,
	input wire in_last,
	input wire x_signed,
	input wire [ROWS*X_COLS*X_BITS-1:0] x,
	input wire [COLS*W_BITS-1:0] w,
	input wire out_ready
);
	`include "spec.vh"
	reg run = 0; // out of reset
	always @(posedge clk)
		run <= 1;

	wire in_ready, out_valid, idle;
	wire [COLS*ACC_BITS-1:0] acc;
	wire [COLS-1:0] over;
	mch_mac_array #(.ROWS(ROWS), .COLS(COLS), .X_BITS(X_BITS), .W_BITS(W_BITS), .ACC_BITS(ACC_BITS), .ACC_SAT(ACC_SAT),
		.MULT(MULT), .W_KIND(W_KIND), .PACK(PACK), .X_KIND(X_KIND), .X_EXP(X_EXP), .W_EXP(W_EXP),
		.X_COLS(X_COLS)) u_dut (
		.clk_i(clk), .rst_ni(run), .in_valid_i(in_valid), .in_ready_o(in_ready), .in_first_i(in_first), .in_last_i(in_last),
		.x_signed_i(x_signed), .x_i(x), .w_i(w), .out_valid_o(out_valid), .out_ready_i(out_ready), .out_acc_o(acc),
		.out_over_o(over), .idle_o(idle));

	// Rows that are owed: ROWS for each last beat taken, less those given. Three stages and the bank hold at most four tiles.
	reg [15:0] owed = 0;
	reg stood = 0;
	reg [COLS*ACC_BITS-1:0] acc_1;
	reg [COLS-1:0] over_1;
	wire takes = in_valid && in_ready, ends = takes && in_last, gives = out_valid && out_ready;
	always @(posedge clk) if (run) begin
		owed <= owed + (ends ? ROWS : 0) - gives;
		stood <= out_valid && !out_ready;
		{acc_1, over_1} <= {acc, over};
	end

	(* hierconn *) wire \u_dut.v0_q , \u_dut.first0_q , \u_dut.last0_q , \u_dut.v1_q , \u_dut.first1_q , \u_dut.last1_q ,
		\u_dut.done_q ;
	(* hierconn *) wire [$clog2(ROWS+1)-1:0] \u_dut.n_out_q ;
	wire [2:0] inside = (\u_dut.v0_q && \u_dut.last0_q ) + (\u_dut.v1_q && \u_dut.last1_q ) + \u_dut.done_q ;
	always @* if (run) begin
		assert (owed == \u_dut.n_out_q + inside * ROWS);
		assert (\u_dut.n_out_q <= ROWS);
		assert (!out_valid || owed != 0);
		assert (!idle || owed == 0);
		// What is owed comes: with no row there every stage moves.
		assert (in_ready || out_valid);
		if (stood)
			assert (out_valid && acc == acc_1 && over == over_1);
		cover (owed == 4 * ROWS && stood);
	end

	// Operands as the lane gets them, {number, places that it is moved}; a beat is {valid, first, product}.
	localparam X_SIG = MULT == 2 ? X_BITS - X_EXP + 2 : X_BITS + 1, W_SIG = MULT == 2 ? W_BITS - W_EXP + 1 : W_BITS;
	localparam X_PORT = X_SIG + X_EXP, W_PORT = W_SIG + W_EXP, P_BITS =
		MULT == 2 ? X_SIG + W_SIG - 1 + (1 << X_EXP) + (1 << W_EXP) - (X_KIND == 4 ? 1 : 2) - (W_KIND == 4 ? 1 : 2) :
		MULT == 1 ? X_BITS + (1 << (W_BITS - 1)) : X_BITS + W_BITS;
	localparam BEAT = 2 + P_BITS;

	// A minifloat's integer as {places, significand}: its table in "number".
	function signed [22:0] apart;
		input [15:0] code;
		input negative;
		input integer man, kind;
		reg [15:0] pattern, e, m;
		reg signed [17:0] significand;
		begin
			pattern = kind == 4 && code != 0 ? code - 1'b1 : code;
			e = pattern >> man;
			m = pattern & ((1 << man) - 1);
			significand = (kind == 4 ? code != 0 : e != 0) ? m + (1 << man) : m;
			apart[22:18] = kind == 4 || e == 0 ? e : e - 1'b1;
			apart[17:0] = negative ? -significand : significand;
		end
	endfunction

	function [X_PORT+W_PORT-1:0] operands;
		input is_signed;
		input [X_BITS-1:0] xc;
		input [W_BITS-1:0] wc;
		reg [22:0] xa, wa;
		reg negative;
		begin
			negative = is_signed && xc[X_BITS-1];
			xa = apart(is_signed ? xc & ~(1 << (X_BITS - 1)) : xc, negative, X_BITS - X_EXP - is_signed, X_KIND);
			wa = apart(wc & ~(1 << (W_BITS - 1)), wc[W_BITS-1], W_BITS - W_EXP - 1, W_KIND);
			operands[W_PORT +: X_PORT] = MULT == 2 ? xa << X_EXP | xa[22:18] : {negative, xc};
			operands[0 +: W_PORT] = MULT == 2 ? wa << W_EXP | wa[22:18] : wc;
		end
	endfunction

	function signed [P_BITS-1:0] product_of;
		input [X_PORT+W_PORT-1:0] ports;
		reg signed [X_SIG-1:0] a;
		reg signed [W_SIG-1:0] b;
		reg [5:0] places;
		reg signed [X_SIG+W_SIG-2:0] own;
		begin
			a = ports >> (W_PORT + X_EXP);
			b = ports >> W_EXP;
			places = (ports >> W_PORT & ((1 << X_EXP) - 1)) + (ports & ((1 << W_EXP) - 1));
			own = a * b;
			product_of = own;
			if (MULT != 0)
				product_of = MULT == 1 ? spec_power(a, b, W_KIND) : product_of <<< places;
		end
	endfunction

	// {known, over, acc} behind a beat; known tells that there was a first one.
	localparam SUM = 2 + ACC_BITS;
	localparam signed [66:0] HIGH = (67'sd1 <<< (ACC_BITS - 1)) - 67'sd1, LOW = -(67'sd1 <<< (ACC_BITS - 1));
	function [SUM-1:0] step;
		input [SUM-1:0] before;
		input [BEAT-1:0] beat;
		reg signed [66:0] exact;
		reg first, outside;
		begin
			first = beat[BEAT-2];
			exact = first ? 0 : $signed(before[ACC_BITS-1:0]);
			exact = exact + $signed(beat[P_BITS-1:0]);
			outside = ACC_SAT != 0 && (exact > HIGH || exact < LOW);
			step[ACC_BITS-1:0] = !outside ? exact : exact < 0 ? LOW : HIGH;
			step[ACC_BITS] = outside || (before[ACC_BITS] && !first && ACC_SAT != 0);
			step[ACC_BITS+1] = first || before[ACC_BITS+1];
			if (!beat[BEAT-1])
				step = before;
		end
	endfunction

	// The beat that was taken last stands in stage 0; the lane multiplies it as operands() says, which is asserted below.
	reg v0 = 0, first0, last0, signed0;
	reg [X_BITS-1:0] x0;
	reg [W_BITS-1:0] w0;
	always @(posedge clk) if (run && in_ready) begin
		v0 <= in_valid;
		{first0, last0, signed0, x0, w0} <= {in_first, in_last, x_signed, x[(ROW*X_COLS + COL % X_COLS)*X_BITS +: X_BITS],
			w[COL*W_BITS +: W_BITS]};
	end
	wire [X_PORT+W_PORT-1:0] ports;
	wire [BEAT-1:0] beat = {v0 && in_ready, first0, product_of(ports)};

	// The sum of all beats that have left stage 0; tiles that have ended there, the oldest first, and the row that leaves next.
	reg [SUM-1:0] sum = 0, ended [0:3];
	reg [2:0] n_ended = 0;
	reg [6:0] row = 0;
	wire [SUM-1:0] after = step(sum, beat);
	wire [ACC_BITS:0] oldest = {ACC_SAT != 0 && ended[0][ACC_BITS], ended[0][ACC_BITS-1:0]};
	wire joins = v0 && in_ready && last0, leaves = gives && row == ROWS - 1;
	integer i;
	always @(posedge clk) if (run) begin
		sum <= after;
		if (gives)
			row <= leaves ? 0 : row + 1'b1;
		n_ended <= n_ended + joins - leaves;
		for (i = 0; i < 4; i = i + 1)
			if (joins && i == n_ended - leaves)
				ended[i] <= after;
			else if (leaves && i < 3)
				ended[i] <= ended[i+1];
	end
	always @* if (run)
		if (out_valid && row == ROW && ended[0][ACC_BITS+1])
			assert ({over[COL], acc[COL*ACC_BITS +: ACC_BITS]} == oldest);

	// For the induction: the same sum a beat later, as stage 2 has it.
	reg [SUM-1:0] sum2 = 0;
	reg [BEAT-1:0] beat1 = 0;
	reg last1 = 0, done = 0;
	always @(posedge clk) if (run && in_ready) begin
		{sum2, beat1, last1, done} <= {sum, beat, last0, last1 && beat1[BEAT-1]};
	end
	wire v1 = beat1[BEAT-1], end1 = v1 && last1;
	wire [2:0] in_bank = \u_dut.n_out_q != 0, at1 = in_bank + done;
	always @* if (run) begin
		assert ({v0, v1, done} == {\u_dut.v0_q , \u_dut.v1_q , \u_dut.done_q });
		assert (!v0 || {last0, first0} == {\u_dut.last0_q , \u_dut.first0_q });
		assert (!v1 || {last1, beat1[BEAT-2]} == {\u_dut.last1_q , \u_dut.first1_q });
		assert (!v0 || ports == operands(signed0, x0, w0));
		assert (sum == step(sum2, beat1));
		assert (n_ended == in_bank + done + end1);
		assert (in_bank == 0 ? row == 0 : row + \u_dut.n_out_q == ROWS);
		if (done)
			assert (ended[in_bank] == sum2);
		if (end1)
			assert (ended[at1] == sum);
	end

	// The registers of column COL (0, 1, 2 or 15) in the lanes of rows up to ROW; their names are those of the hierarchy.
	genvar g;
	generate
		for (g = 0; g <= ROW; g = g + 1) begin : \u_dut.g_row
			(* hierconn *) wire [X_COLS*X_PORT-1:0] \u_mac.x_i ;
			wire [X_PORT-1:0] x_at = \u_mac.x_i [(COL % X_COLS)*X_PORT +: X_PORT];
			(* hierconn *) wire [COLS*W_PORT-1:0] \u_mac.w_i ;
			(* hierconn *) wire signed [P_BITS-1:0] \u_mac.product_q[0] , \u_mac.product_q[1] , \u_mac.product_q[2] , \u_mac.product_q[15] ;
			(* hierconn *) wire [ACC_BITS-1:0] \u_mac.acc_q[0] , \u_mac.acc_q[1] , \u_mac.acc_q[2] , \u_mac.acc_q[15] ;
			(* hierconn *) wire [COLS-1:0] \u_mac.g_saturate.over_q ;
			(* hierconn *) wire [COLS*ACC_BITS-1:0] \u_mac.bank_o ;
			(* hierconn *) wire [COLS-1:0] \u_mac.bank_over_o ;
			wire signed [66:0] product = COL == 0 ? \u_mac.product_q[0] : COL == 1 ? \u_mac.product_q[1] :
						     COL == 2 ? \u_mac.product_q[2] : \u_mac.product_q[15] ;
			wire signed [66:0] taken = PACK != 0 && COL == 1 && \u_mac.product_q[0] < 0 ? 67'sd1 : 67'sd0; // of a pair
			wire [ACC_BITS-1:0] acc_at = COL == 0 ? \u_mac.acc_q[0] : COL == 1 ? \u_mac.acc_q[1] :
						     COL == 2 ? \u_mac.acc_q[2] : \u_mac.acc_q[15] ;
			wire [W_PORT-1:0] w_at = \u_mac.w_i [COL*W_PORT +: W_PORT];
			always @* if (run) begin
				if (in_bank != 0 && row == ROW - g && ended[0][ACC_BITS+1])
					assert ({\u_mac.bank_over_o [COL], \u_mac.bank_o [COL*ACC_BITS +: ACC_BITS]} == oldest);
				if (g == ROW) begin
					assert (!v1 || product + taken == $signed(beat1[P_BITS-1:0]));
					assert (!sum2[ACC_BITS+1] || acc_at == sum2[ACC_BITS-1:0]);
					assert (!sum2[ACC_BITS+1] || ACC_SAT == 0 || \u_mac.g_saturate.over_q [COL] == sum2[ACC_BITS]);
				end
			end
		end
	endgenerate
	assign ports = {\u_dut.g_row [ROW].x_at , \u_dut.g_row [ROW].w_at };
endmodule
`default_nettype wire
