// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors

// mch_regs: the registers of rtl/mch_map.txt behind an AXI4-Lite port; commands, status, interrupts, counters.
// Twin: cmodel/arch/regs.h, register for register. Spec: docs/accelerator.md "regs".
//
// Latency: a read's data stand one edge after its address was taken; a write acts one edge after both its parts were taken,
// and its answer stands one edge later. Throughput: a read every second cycle, a write every second. Every ready and every
// valid is a function of registers alone.

`default_nettype none
`include "mch_map.vh"

module mch_regs #(
	parameter ROWS = 16,      // 1..64
	parameter COLS = 16,      // 1..64
	parameter X_BITS = 8,     // 1..16
	parameter W_BITS = 8,     // 1..16
	parameter OUT_BITS = 8,   // 1..16
	parameter ACC_BITS = 32,  // 2..48
	parameter ROUND = 3,      // 0..4
	parameter MULT = 0,       // 0..2
	parameter X_KIND = 0,     // with MULT 2 1..4, else 0; W_KIND too
	parameter X_EXP = 0,      // with MULT 2 1..5, else 0; W_EXP too
	parameter W_KIND = 0,
	parameter W_EXP = 0,
	parameter MEM_BITS = 128, // 64..512
	parameter X_WORDS = 4096,
	parameter W_WORDS = 4096
) (
	input  wire        clk_i,
	input  wire        rst_ni,
	output wire        irq_o,

	input  wire        s_awvalid_i,
	output wire        s_awready_o,
	input  wire [7:0]  s_awaddr_i,
	input  wire        s_wvalid_i,
	output wire        s_wready_o,
	input  wire [31:0] s_wdata_i,
	input  wire [3:0]  s_wstrb_i,
	output wire        s_bvalid_o,
	input  wire        s_bready_i,
	output wire [1:0]  s_bresp_o,
	input  wire        s_arvalid_i,
	output wire        s_arready_o,
	input  wire [7:0]  s_araddr_i,
	output wire        s_rvalid_o,
	input  wire        s_rready_i,
	output wire [31:0] s_rdata_o,
	output wire [1:0]  s_rresp_o,

	output wire        start_o,
	output wire        reset_o,
	output wire [31:0] list_o,
	output wire [31:0] watchdog_o,
	input  wire        busy_i,
	input  wire        draining_i,
	input  wire        done_i,
	input  wire        error_i,
	input  wire [3:0]  error_code_i,
	input  wire [7:0]  error_field_i,
	input  wire [15:0] index_i,

	// Counted in each cycle in which they are high.
	input  wire        beat_i,
	input  wire        wait_x_i,
	input  wire        wait_w_i,
	input  wire        wait_out_i,
	input  wire        read_beat_i,
	input  wire        write_beat_i
);
	localparam MEM_LOG2 = $clog2(MEM_BITS), X_LOG2 = $clog2(X_WORDS), W_LOG2 = $clog2(W_WORDS);

	generate
		if (ROWS < 1 || ROWS > 64 || COLS < 1 || COLS > 64 || X_BITS < 1 || X_BITS > 16 || W_BITS < 1 || W_BITS > 16 ||
		    OUT_BITS < 1 || OUT_BITS > 16 || ACC_BITS < 2 || ACC_BITS > 48 || ROUND < 0 || ROUND > 4 || MULT < 0 || MULT > 2 ||
		    X_KIND < 0 || X_KIND > 4 || W_KIND < 0 || W_KIND > 4 || X_EXP < 0 || X_EXP > 5 || W_EXP < 0 || W_EXP > 5 ||
		    MEM_BITS != 1 << MEM_LOG2 || MEM_LOG2 > 15 || X_WORDS != 1 << X_LOG2 || W_WORDS != 1 << W_LOG2) begin : g_illegal
			mch_regs_parameter_out_of_range u_error ();
		end
	endgenerate

	localparam [31:0] ID = 32'h4d434831;
	localparam [31:0] VERSION = {COLS[7:0], ROWS[7:0], 16'd2};
	localparam [31:0] BUILD = {2'd0, MULT[1:0], MEM_LOG2[3:0], ROUND[2:0], ACC_BITS[5:0], OUT_BITS[4:0], W_BITS[4:0], X_BITS[4:0]};
	localparam [31:0] BUFFERS = {4'd0, W_EXP[2:0], W_KIND[2:0], X_EXP[2:0], X_KIND[2:0], W_LOG2[7:0], X_LOG2[7:0]};
	localparam [1:0] OKAY = 2'b00, SLVERR = 2'b10;
	localparam N_COUNTERS = 7;

	reg aw_full_q, w_full_q, bvalid_q, rvalid_q;
	reg start_q, reset_q, run_q, done_q;
	reg [3:0] error_q;
	reg [7:0] field_q;
	reg [1:0] irq_q, irq_enable_q;
	reg [31:0] list_q, watchdog_q;
	reg [7:0] awaddr_q;
	reg [31:0] wdata_q, rdata_q;
	reg [3:0] wstrb_q;
	reg [1:0] bresp_q, rresp_q;
	reg [31:0] count_q [0:N_COUNTERS-1];

	assign s_awready_o = !aw_full_q;
	assign s_wready_o = !w_full_q;
	assign s_bvalid_o = bvalid_q;
	assign s_bresp_o = bresp_q;
	assign s_arready_o = !rvalid_q;
	assign s_rvalid_o = rvalid_q;
	assign s_rdata_o = rdata_q;
	assign s_rresp_o = rresp_q;
	assign start_o = start_q;
	assign reset_o = reset_q;
	assign list_o = list_q;
	assign watchdog_o = watchdog_q;
	assign irq_o = (irq_q & irq_enable_q) != 0;

	// A write with both its parts here, and the answer of the one before taken.
	wire write = aw_full_q && w_full_q && !bvalid_q;
	wire whole = write && wstrb_q == 4'hf;
	wire w_control = whole && awaddr_q == `MCH_REG_CONTROL;
	wire w_irq = whole && awaddr_q == `MCH_REG_IRQ;
	wire w_irq_enable = whole && awaddr_q == `MCH_REG_IRQ_ENABLE;
	wire w_list = whole && awaddr_q == `MCH_REG_LIST;
	wire w_watchdog = whole && awaddr_q == `MCH_REG_WATCHDOG;
	wire written = w_control || w_irq || w_irq_enable || w_list || w_watchdog;

	// The sequencer is busy one cycle after start_q; the next write comes no sooner.
	wire start = w_control && wdata_q[`MCH_BITS_CONTROL_START] && !wdata_q[`MCH_BITS_CONTROL_RESET] && !busy_i;
	wire busy = busy_i || start_q || reset_q;

	always @(posedge clk_i or negedge rst_ni) begin
		if (!rst_ni) begin
			aw_full_q <= 1'b0;
			w_full_q <= 1'b0;
			bvalid_q <= 1'b0;
			rvalid_q <= 1'b0;
			start_q <= 1'b0;
			reset_q <= 1'b0;
			run_q <= 1'b0;
			done_q <= 1'b0;
			error_q <= 0;
			field_q <= 0;
			irq_q <= 0;
			irq_enable_q <= 0;
			list_q <= 0;
			watchdog_q <= 0;
		end else begin
			aw_full_q <= write ? 1'b0 : aw_full_q || s_awvalid_i;
			w_full_q <= write ? 1'b0 : w_full_q || s_wvalid_i;
			bvalid_q <= write || (bvalid_q && !s_bready_i);
			rvalid_q <= rvalid_q ? !s_rready_i : s_arvalid_i;
			start_q <= start;
			reset_q <= w_control && wdata_q[`MCH_BITS_CONTROL_RESET];
			if (w_irq_enable)
				irq_enable_q <= wdata_q[1:0];
			if (w_list)
				list_q <= wdata_q;
			if (w_watchdog)
				watchdog_q <= wdata_q;
			// What comes in the cycle in which it is acknowledged stands.
			irq_q <= (irq_q & ~(w_irq ? wdata_q[1:0] : 2'b00)) | {error_i, done_i};
			run_q <= start_q || (run_q && !done_i && !error_i && !reset_q);
			if (start_q) begin
				done_q <= 1'b0;
				error_q <= 0;
				field_q <= 0;
			end else begin
				if (done_i)
					done_q <= 1'b1;
				if (error_i) begin
					error_q <= error_code_i;
					field_q <= error_field_i;
				end
			end
		end
	end

	wire [N_COUNTERS-1:0] counts = {write_beat_i, read_beat_i, wait_out_i, wait_w_i, wait_x_i, beat_i, 1'b1};
	integer i;
	always @(posedge clk_i) begin
		if (!aw_full_q)
			awaddr_q <= s_awaddr_i;
		if (!w_full_q) begin
			wdata_q <= s_wdata_i;
			wstrb_q <= s_wstrb_i;
		end
		if (write)
			bresp_q <= written ? OKAY : SLVERR;
		if (start_q) begin
			for (i = 0; i < N_COUNTERS; i = i + 1)
				count_q[i] <= 0;
		end else if (run_q) begin
			for (i = 0; i < N_COUNTERS; i = i + 1)
				if (counts[i])
					count_q[i] <= count_q[i] + 32'd1;
		end
		if (s_arvalid_i && !rvalid_q) begin
			rresp_q <= OKAY;
			case (s_araddr_i)
			`MCH_REG_ID: rdata_q <= ID;
			`MCH_REG_VERSION: rdata_q <= VERSION;
			`MCH_REG_BUILD: rdata_q <= BUILD;
			`MCH_REG_BUFFERS: rdata_q <= BUFFERS;
			`MCH_REG_CONTROL: rdata_q <= 0;
			`MCH_REG_STATUS: rdata_q <= {index_i, field_q, error_q, 1'b0, done_q, draining_i, busy};
			`MCH_REG_IRQ: rdata_q <= {30'd0, irq_q};
			`MCH_REG_IRQ_ENABLE: rdata_q <= {30'd0, irq_enable_q};
			`MCH_REG_LIST: rdata_q <= list_q;
			`MCH_REG_WATCHDOG: rdata_q <= watchdog_q;
			`MCH_REG_CYCLES: rdata_q <= count_q[0];
			`MCH_REG_BEATS: rdata_q <= count_q[1];
			`MCH_REG_WAIT_X: rdata_q <= count_q[2];
			`MCH_REG_WAIT_W: rdata_q <= count_q[3];
			`MCH_REG_WAIT_OUT: rdata_q <= count_q[4];
			`MCH_REG_READ_BEATS: rdata_q <= count_q[5];
			`MCH_REG_WRITE_BEATS: rdata_q <= count_q[6];
			default: begin
				rdata_q <= 0;
				rresp_q <= SLVERR;
			end
			endcase
		end
	end
endmodule

`default_nettype wire
