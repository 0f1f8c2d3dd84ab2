// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors
// mch_mac_array's handshakes, for all time: a row that is offered stands, unchanged, until it is taken; ROWS rows come for each last
// beat and no other, none lost and none twice; idle says that no beat and no row is inside. Its numbers are those of "mac".
// Assumed: nothing.
`default_nettype none
module prove_mac_array #(
	parameter ROWS = 3,
	parameter COLS = 1,
	parameter X_BITS = 2,
	parameter W_BITS = 2,
	parameter ACC_BITS = 4
) (
	input wire clk,
	input wire in_valid,
	input wire in_first,
	input wire in_last,
	input wire x_signed,
	input wire [ROWS*X_BITS-1:0] x,
	input wire [COLS*W_BITS-1:0] w,
	input wire out_ready
);
	reg run = 0; // out of reset
	always @(posedge clk)
		run <= 1;

	wire in_ready, out_valid, idle;
	wire [COLS*ACC_BITS-1:0] acc;
	wire [COLS-1:0] over;
	mch_mac_array #(.ROWS(ROWS), .COLS(COLS), .X_BITS(X_BITS), .W_BITS(W_BITS), .ACC_BITS(ACC_BITS)) u_dut (
		.clk_i(clk), .rst_ni(run), .in_valid_i(in_valid), .in_ready_o(in_ready), .in_first_i(in_first), .in_last_i(in_last),
		.x_signed_i(x_signed), .x_i(x), .w_i(w), .out_valid_o(out_valid), .out_ready_i(out_ready), .out_acc_o(acc),
		.out_over_o(over), .idle_o(idle));

	// Rows that are owed: ROWS for each last beat taken, less those given. Three stages and the bank hold at most four tiles.
	reg [15:0] owed = 0;
	reg stood = 0;
	reg [COLS*ACC_BITS-1:0] acc_1;
	reg [COLS-1:0] over_1;
	wire ends = in_valid && in_ready && in_last, gives = out_valid && out_ready;
	always @(posedge clk) if (run) begin
		owed <= owed + (ends ? ROWS : 0) - gives;
		stood <= out_valid && !out_ready;
		{acc_1, over_1} <= {acc, over};
	end

	(* hierconn *) wire \u_dut.v0_q , \u_dut.last0_q , \u_dut.v1_q , \u_dut.last1_q , \u_dut.done_q ;
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
endmodule
`default_nettype wire
