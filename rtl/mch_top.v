// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors
// mch_top: the accelerator: runs a list of descriptors from external memory.
// Twin: cmodel/arch/top.c, register for register. Spec: docs/accelerator.md.
//
// Throughput: ROWS x COLS products a cycle while a layer computes; docs/results.md has what whole networks reach. Nothing is
// combined here but the units: this file is their wiring, the two memories, and the choice between lanes and pooler.
`default_nettype none
`include "mch_map.vh"

module mch_top #(
	parameter ROWS = 16,      // 1..64
	parameter COLS = 16,      // 4, 8, 16, 32, 64
	parameter X_BITS = 8,     // 1..16
	parameter W_BITS = 8,     // 1..16
	parameter OUT_BITS = 8,   // 1..16
	parameter ACC_BITS = 32,  // 2..48
	parameter ROUND = 3,      // as in mch_round_shift
	parameter MULT = 0,       // as in mch_datapath: 0 integers, 1 weights that are powers of two, 2 minifloats
	parameter PACK = 0,       // as in mch_datapath: 1: two columns in one DSP slice
	parameter X_KIND = 0,     // of minifloats, as in mch_datapath: activations, results too
	parameter X_EXP = 0,
	parameter W_KIND = 0,     // of minifloats, as in mch_datapath: weights
	parameter W_EXP = 0,
	parameter MEM_BITS = 128, // 64, 128, 256, 512
	parameter X_WORDS = 4096, // words in half of the feature buffer, a power of two
	parameter W_WORDS = 4096  // words in the ring of weights, a power of two
) (
	input  wire                  clk_i,
	input  wire                  rst_ni,
	output wire                  irq_o,

	// AXI4-Lite, control
	input  wire                  s_awvalid_i,
	output wire                  s_awready_o,
	input  wire [7:0]            s_awaddr_i,
	input  wire                  s_wvalid_i,
	output wire                  s_wready_o,
	input  wire [31:0]           s_wdata_i,
	input  wire [3:0]            s_wstrb_i,
	output wire                  s_bvalid_o,
	input  wire                  s_bready_i,
	output wire [1:0]            s_bresp_o,
	input  wire                  s_arvalid_i,
	output wire                  s_arready_o,
	input  wire [7:0]            s_araddr_i,
	output wire                  s_rvalid_o,
	input  wire                  s_rready_i,
	output wire [31:0]           s_rdata_o,
	output wire [1:0]            s_rresp_o,

	// AXI4, memory
	output wire                  m_arvalid_o,
	input  wire                  m_arready_i,
	output wire [31:0]           m_araddr_o,
	output wire [7:0]            m_arlen_o,
	output wire [2:0]            m_arsize_o,
	output wire [1:0]            m_arburst_o,
	input  wire                  m_rvalid_i,
	output wire                  m_rready_o,
	input  wire [MEM_BITS-1:0]   m_rdata_i,
	input  wire [1:0]            m_rresp_i,
	input  wire                  m_rlast_i,
	output wire                  m_awvalid_o,
	input  wire                  m_awready_i,
	output wire [31:0]           m_awaddr_o,
	output wire [7:0]            m_awlen_o,
	output wire [2:0]            m_awsize_o,
	output wire [1:0]            m_awburst_o,
	output wire                  m_wvalid_o,
	input  wire                  m_wready_i,
	output wire [MEM_BITS-1:0]   m_wdata_o,
	output wire [MEM_BITS/8-1:0] m_wstrb_o,
	output wire                  m_wlast_o,
	input  wire                  m_bvalid_i,
	output wire                  m_bready_o,
	input  wire [1:0]            m_bresp_i
);
	localparam ELEM_BITS = X_BITS <= 8 && W_BITS <= 8 && OUT_BITS <= 8 ? 8 : 16;
	localparam WORD_BITS = COLS * ELEM_BITS, BURST = 16;
	localparam X_LOG2 = $clog2(X_WORDS), W_LOG2 = $clog2(W_WORDS);
	localparam X_COLS = PACK == 1 ? 1 : 4; // activations of a row in a beat: depthwise layers, which shared multipliers do not have

	generate
		if ((COLS != 4 && COLS != 8 && COLS != 16 && COLS != 32 && COLS != 64) || X_WORDS != 1 << X_LOG2 || X_WORDS < 16 ||
		    W_WORDS != 1 << W_LOG2) begin : g_illegal
			mch_top_needs_COLS_4_to_64_and_buffers_that_are_powers_of_two u_illegal ();
		end
		if (MULT == 2 ? OUT_BITS != X_BITS : X_KIND != 0 || X_EXP != 0 || W_KIND != 0 || W_EXP != 0) begin : g_illegal_number
			mch_top_needs_OUT_BITS_that_are_X_BITS_with_MULT_2_and_no_KIND_and_EXP_without u_illegal ();
		end
	endgenerate

	// Registers and the sequencer.
	wire start, soft_reset, stop, clear, busy, draining, done, error;
	wire [31:0] list, watchdog;
	wire [3:0] error_code;
	wire [7:0] error_field;
	wire [15:0] index;
	wire ld_start, cp_start, x_go;
	wire [1023:0] ld_d, cp_d;

	// The read port: 0 descriptors, 1 activations, 2 weights.
	wire [2:0] req_valid, take, word_valid;
	wire [3*32-1:0] req_addr;
	wire [3*16-1:0] req_words;
	wire [15:0] take_words;
	wire [WORD_BITS-1:0] word;
	wire read_idle, read_error, read_beat;

	// Loaders.
	wire x_done, x_overflow, w_done;
	wire xw_en, ww_en;
	wire [X_LOG2:0] xw_addr;
	wire [W_LOG2-1:0] ww_addr;
	wire [1:0] strip_valid;
	wire [63:0] strip_start, strip_words, filled;
	wire [W_LOG2:0] w_fill, w_release_words;
	wire w_release;

	// Computing.
	wire lanes_done, pooler_done, issue_done, dp_idle;
	wire [1:0] lanes_release, pooler_release;
	wire lanes_xr_en, pooler_xr_en;
	wire [X_LOG2:0] lanes_xr_addr, pooler_xr_addr;
	wire lanes_wait_x, pooler_wait_x, wait_w, wait_out;
	wire beat_valid, beat_signed, beat_first, beat_last, beat_param, beat_release, beat_take;
	wire [6:0] beat_words;
	wire [ROWS*X_COLS*X_BITS-1:0] lanes_x, x;
	wire wr_en;
	wire [W_LOG2-1:0] wr_addr;
	wire pool_param, pool_param_ack;
	wire load, in_valid, in_ready, in_first, in_last, x_signed;
	wire [COLS*ACC_BITS-1:0] bias, sum;
	wire [COLS*6-1:0] shift;
	wire [COLS*16-1:0] noise;
	wire [COLS*W_BITS-1:0] w;
	wire sum_valid, sum_ready;
	wire y_valid;
	wire [COLS*OUT_BITS-1:0] y, pooler_row;
	wire [COLS-1:0] y_sat;
	wire pooler_row_valid;

	// The store.
	wire issue_cmd_valid, pooler_cmd_valid, cmd_ready;
	wire [31:0] issue_cmd_addr, pooler_cmd_addr;
	wire [6:0] issue_cmd_words, pooler_cmd_words;
	wire row_ready, store_idle, write_error, write_beat;

	// The datapath has one reset. It clears the control registers of a run that was cut off; from a register, so without glitches.
	reg dp_clear_q;
	always @(posedge clk_i or negedge rst_ni)
		if (!rst_ni)
			dp_clear_q <= 1'b0;
		else
			dp_clear_q <= clear;

	// Of the layer that is computed: convolutions go through the lanes, pools through the pooler; a maximum needs no arithmetic.
	wire [31:0] op = {30'd0, cp_d[`MCH_D_OP]};
	wire is_conv = op == `MCH_OP_CONV;
	wire is_max = op == `MCH_OP_MAX;

	// The two memories: written by their loader, read a cycle ahead by whoever computes.
	reg [WORD_BITS-1:0] x_mem [0:2*X_WORDS-1];
	reg [WORD_BITS-1:0] w_mem [0:W_WORDS-1];
	reg [WORD_BITS-1:0] x_word_q, w_word_q;
	wire xr_en = is_conv ? lanes_xr_en : pooler_xr_en;
	wire [X_LOG2:0] xr_addr = is_conv ? lanes_xr_addr : pooler_xr_addr;
	always @(posedge clk_i) begin
		if (xw_en)
			x_mem[xw_addr] <= word;
		if (xr_en)
			x_word_q <= x_mem[xr_addr];
	end
	always @(posedge clk_i) begin
		if (ww_en)
			w_mem[ww_addr] <= word;
		if (wr_en)
			w_word_q <= w_mem[wr_addr];
	end

	wire progress = (m_arvalid_o && m_arready_i) || (m_rvalid_i && m_rready_o) || (m_awvalid_o && m_awready_i) ||
		(m_wvalid_o && m_wready_i) || (m_bvalid_i && m_bready_o) || (in_valid && in_ready) || xr_en;

	mch_read #(
		.MEM_BITS(MEM_BITS), .WORD_BITS(WORD_BITS), .BURST(BURST)
	) u_read (
		.clk_i(clk_i),
		.rst_ni(rst_ni),
		.req_valid_i(req_valid),
		.req_addr_i(req_addr),
		.req_words_i(req_words),
		.take_o(take),
		.take_words_o(take_words),
		.word_valid_o(word_valid),
		.word_o(word),
		.stop_i(stop),
		.clear_i(clear),
		.idle_o(read_idle),
		.error_o(read_error),
		.beat_o(read_beat),
		.arvalid_o(m_arvalid_o),
		.arready_i(m_arready_i),
		.araddr_o(m_araddr_o),
		.arlen_o(m_arlen_o),
		.arsize_o(m_arsize_o),
		.arburst_o(m_arburst_o),
		.rvalid_i(m_rvalid_i),
		.rready_o(m_rready_o),
		.rdata_i(m_rdata_i),
		.rresp_i(m_rresp_i),
		.rlast_i(m_rlast_i)
	);

	mch_load_x #(.X_WORDS(X_WORDS)) u_load_x (
		.clk_i(clk_i),
		.rst_ni(rst_ni),
		.clear_i(clear),
		.start_i(ld_start),
		.d_i(ld_d),
		.go_i(x_go),
		.done_o(x_done),
		.overflow_o(x_overflow),
		.req_valid_o(req_valid[1]),
		.req_addr_o(req_addr[63:32]),
		.req_words_o(req_words[31:16]),
		.take_i(take[1]),
		.take_words_i(take_words),
		.word_valid_i(word_valid[1]),
		.xw_en_o(xw_en),
		.xw_addr_o(xw_addr),
		.strip_valid_o(strip_valid),
		.strip_start_o(strip_start),
		.strip_words_o(strip_words),
		.filled_o(filled),
		.release_i(lanes_release | pooler_release)
	);

	mch_load_w #(
		.W_WORDS(W_WORDS), .BURST_WORDS(BURST * MEM_BITS / WORD_BITS)
	) u_load_w (
		.clk_i(clk_i),
		.rst_ni(rst_ni),
		.clear_i(clear),
		.start_i(ld_start),
		.d_i(ld_d),
		.done_o(w_done),
		.req_valid_o(req_valid[2]),
		.req_addr_o(req_addr[95:64]),
		.req_words_o(req_words[47:32]),
		.take_i(take[2]),
		.take_words_i(take_words),
		.word_valid_i(word_valid[2]),
		.ww_en_o(ww_en),
		.ww_addr_o(ww_addr),
		.fill_o(w_fill),
		.release_i(w_release),
		.release_words_i(w_release_words)
	);

	mch_lanes #(
		.ROWS(ROWS), .COLS(COLS), .ELEM_BITS(ELEM_BITS), .X_BITS(X_BITS), .X_WORDS(X_WORDS), .X_COLS(X_COLS)
	) u_lanes (
		.clk_i(clk_i),
		.rst_ni(rst_ni),
		.clear_i(clear),
		.start_i(cp_start && is_conv),
		.d_i(cp_d),
		.done_o(lanes_done),
		.wait_x_o(lanes_wait_x),
		.strip_valid_i(strip_valid),
		.strip_start_i(strip_start),
		.strip_words_i(strip_words),
		.filled_i(filled),
		.release_o(lanes_release),
		.skip_i(pooler_release != 2'b00),
		.xr_en_o(lanes_xr_en),
		.xr_addr_o(lanes_xr_addr),
		.xr_word_i(x_word_q),
		.beat_valid_o(beat_valid),
		.x_o(lanes_x),
		.beat_signed_o(beat_signed),
		.beat_first_o(beat_first),
		.beat_last_o(beat_last),
		.beat_param_o(beat_param),
		.beat_release_o(beat_release),
		.beat_words_o(beat_words),
		.beat_take_i(beat_take)
	);

	mch_pooler #(
		.ROWS(ROWS), .COLS(COLS), .ELEM_BITS(ELEM_BITS), .X_BITS(X_BITS), .OUT_BITS(OUT_BITS), .ACC_BITS(ACC_BITS),
		.X_WORDS(X_WORDS), .X_KIND(X_KIND)
	) u_pooler (
		.clk_i(clk_i),
		.rst_ni(rst_ni),
		.clear_i(clear),
		.start_i(cp_start && !is_conv),
		.d_i(cp_d),
		.done_o(pooler_done),
		.wait_x_o(pooler_wait_x),
		.strip_valid_i(strip_valid),
		.strip_start_i(strip_start),
		.strip_words_i(strip_words),
		.filled_i(filled),
		.release_o(pooler_release),
		.skip_i(lanes_release != 2'b00),
		.xr_en_o(pooler_xr_en),
		.xr_addr_o(pooler_xr_addr),
		.xr_word_i(x_word_q),
		.param_o(pool_param),
		.param_ack_i(pool_param_ack),
		.sum_valid_o(sum_valid),
		.sum_ready_i(sum_ready),
		.sum_o(sum),
		.row_valid_o(pooler_row_valid),
		.row_ready_i(row_ready),
		.row_o(pooler_row),
		.cmd_valid_o(pooler_cmd_valid),
		.cmd_ready_i(cmd_ready),
		.cmd_addr_o(pooler_cmd_addr),
		.cmd_words_o(pooler_cmd_words)
	);

	mch_issue #(
		.ROWS(ROWS), .COLS(COLS), .ELEM_BITS(ELEM_BITS), .X_BITS(X_BITS), .W_BITS(W_BITS), .ACC_BITS(ACC_BITS),
		.ROUND(ROUND), .W_WORDS(W_WORDS), .X_COLS(X_COLS)
	) u_issue (
		.clk_i(clk_i),
		.rst_ni(rst_ni),
		.clear_i(clear),
		.start_i(cp_start),
		.d_i(cp_d),
		.done_o(issue_done),
		.beat_valid_i(beat_valid),
		.x_i(lanes_x),
		.beat_signed_i(beat_signed),
		.beat_first_i(beat_first),
		.beat_last_i(beat_last),
		.beat_param_i(beat_param),
		.beat_release_i(beat_release),
		.beat_words_i(beat_words),
		.beat_take_o(beat_take),
		.w_fill_i(w_fill),
		.wr_en_o(wr_en),
		.wr_addr_o(wr_addr),
		.w_word_i(w_word_q),
		.release_o(w_release),
		.release_words_o(w_release_words),
		.pool_param_i(pool_param),
		.pool_param_ack_o(pool_param_ack),
		.load_o(load),
		.bias_o(bias),
		.shift_o(shift),
		.noise_o(noise),
		.in_valid_o(in_valid),
		.in_ready_i(in_ready),
		.in_first_o(in_first),
		.in_last_o(in_last),
		.x_signed_o(x_signed),
		.x_o(x),
		.w_o(w),
		.cmd_valid_o(issue_cmd_valid),
		.cmd_ready_i(cmd_ready),
		.cmd_addr_o(issue_cmd_addr),
		.cmd_words_o(issue_cmd_words),
		.wait_w_o(wait_w),
		.wait_out_o(wait_out)
	);

	mch_datapath #(
		.ROWS(ROWS), .COLS(COLS), .X_BITS(X_BITS), .W_BITS(W_BITS), .ACC_BITS(ACC_BITS), .ACC_SAT(0), .OUT_BITS(OUT_BITS),
		.ROUND(ROUND), .OUT_WRAP(0), .MULT(MULT), .W_KIND(MULT == 1 ? 5 : W_KIND), .PACK(PACK),
		.OUT_KIND(X_KIND), .OUT_EXP(X_EXP), .X_KIND(X_KIND), .X_EXP(X_EXP), .W_EXP(W_EXP), .X_COLS(X_COLS)
	) u_datapath (
		.clk_i(clk_i),
		.rst_ni(rst_ni && !dp_clear_q),
		.x_signed_i(x_signed),
		.relu_i(cp_d[`MCH_D_RELU]),
		.y_signed_i(cp_d[`MCH_D_Y_SIGNED]),
		.y_bits_i(cp_d[`MCH_D_Y_BITS]),
		.load_i(load),
		.bias_i(bias),
		.shift_i(shift),
		.noise_i(noise),
		.in_valid_i(in_valid),
		.in_ready_o(in_ready),
		.in_first_i(in_first),
		.in_last_i(in_last),
		.x_i(x),
		.w_i(w),
		.sum_valid_i(sum_valid),
		.sum_ready_o(sum_ready),
		.sum_i(sum),
		.out_valid_o(y_valid),
		.out_ready_i(row_ready),
		.y_o(y),
		.sat_o(y_sat),
		.idle_o(dp_idle)
	);

	mch_store #(
		.ROWS(ROWS), .COLS(COLS), .ELEM_BITS(ELEM_BITS), .OUT_BITS(OUT_BITS), .MEM_BITS(MEM_BITS), .BURST(BURST)
	) u_store (
		.clk_i(clk_i),
		.rst_ni(rst_ni),
		.clear_i(clear),
		.stop_i(stop),
		.cmd_valid_i(issue_cmd_valid || pooler_cmd_valid),
		.cmd_ready_o(cmd_ready),
		.cmd_addr_i(is_conv ? issue_cmd_addr : pooler_cmd_addr),
		.cmd_words_i(is_conv ? issue_cmd_words : pooler_cmd_words),
		.cmd_rows_i(is_conv),
		.row_valid_i(is_max ? pooler_row_valid : y_valid),
		.row_ready_o(row_ready),
		.row_i(is_max ? pooler_row : y),
		.row_signed_i(MULT != 2 && cp_d[`MCH_D_Y_SIGNED]), // sign and magnitude are extended by zeros
		.awvalid_o(m_awvalid_o),
		.awready_i(m_awready_i),
		.awaddr_o(m_awaddr_o),
		.awlen_o(m_awlen_o),
		.awsize_o(m_awsize_o),
		.awburst_o(m_awburst_o),
		.wvalid_o(m_wvalid_o),
		.wready_i(m_wready_i),
		.wdata_o(m_wdata_o),
		.wstrb_o(m_wstrb_o),
		.wlast_o(m_wlast_o),
		.bvalid_i(m_bvalid_i),
		.bready_o(m_bready_o),
		.bresp_i(m_bresp_i),
		.beat_o(write_beat),
		.error_o(write_error),
		.idle_o(store_idle)
	);

	mch_seq #(
		.ROWS(ROWS), .COLS(COLS), .OUT_BITS(OUT_BITS), .WORD_BITS(WORD_BITS), .MEAN(MULT == 2 ? 0 : 1),
		.DEPTHWISE(X_COLS == 1 ? 0 : 1)
	) u_seq (
		.clk_i(clk_i),
		.rst_ni(rst_ni),
		.start_i(start),
		.reset_i(soft_reset),
		.list_i(list),
		.watchdog_i(watchdog),
		.req_valid_o(req_valid[0]),
		.req_addr_o(req_addr[31:0]),
		.req_words_o(req_words[15:0]),
		.take_i(take[0]),
		.w_take_i(take[2]),
		.take_words_i(take_words),
		.word_valid_i(word_valid[0]),
		.word_i(word),
		.ld_start_o(ld_start),
		.ld_d_o(ld_d),
		.x_go_o(x_go),
		.x_done_i(x_done),
		.w_done_i(w_done),
		.x_overflow_i(x_overflow),
		.cp_start_o(cp_start),
		.cp_d_o(cp_d),
		.cp_idle_i(lanes_done && pooler_done && issue_done && dp_idle),
		.store_idle_i(store_idle),
		.w_release_i(w_release),
		.w_release_words_i({{15-W_LOG2{1'b0}}, w_release_words}),
		.read_error_i(read_error),
		.write_error_i(write_error),
		.progress_i(progress),
		.read_idle_i(read_idle),
		.write_idle_i(store_idle),
		.stop_o(stop),
		.clear_o(clear),
		.busy_o(busy),
		.draining_o(draining),
		.done_o(done),
		.error_o(error),
		.error_code_o(error_code),
		.error_field_o(error_field),
		.index_o(index)
	);

	mch_regs #(
		.ROWS(ROWS), .COLS(COLS), .X_BITS(X_BITS), .W_BITS(W_BITS), .OUT_BITS(OUT_BITS), .ACC_BITS(ACC_BITS), .ROUND(ROUND),
		.MULT(MULT), .X_KIND(X_KIND), .X_EXP(X_EXP), .W_KIND(W_KIND), .W_EXP(W_EXP), .MEM_BITS(MEM_BITS), .X_WORDS(X_WORDS), .W_WORDS(W_WORDS)
	) u_regs (
		.clk_i(clk_i),
		.rst_ni(rst_ni),
		.irq_o(irq_o),
		.s_awvalid_i(s_awvalid_i),
		.s_awready_o(s_awready_o),
		.s_awaddr_i(s_awaddr_i),
		.s_wvalid_i(s_wvalid_i),
		.s_wready_o(s_wready_o),
		.s_wdata_i(s_wdata_i),
		.s_wstrb_i(s_wstrb_i),
		.s_bvalid_o(s_bvalid_o),
		.s_bready_i(s_bready_i),
		.s_bresp_o(s_bresp_o),
		.s_arvalid_i(s_arvalid_i),
		.s_arready_o(s_arready_o),
		.s_araddr_i(s_araddr_i),
		.s_rvalid_o(s_rvalid_o),
		.s_rready_i(s_rready_i),
		.s_rdata_o(s_rdata_o),
		.s_rresp_o(s_rresp_o),
		.start_o(start),
		.reset_o(soft_reset),
		.list_o(list),
		.watchdog_o(watchdog),
		.busy_i(busy),
		.draining_i(draining),
		.done_i(done),
		.error_i(error),
		.error_code_i(error_code),
		.error_field_i(error_field),
		.index_i(index),
		.beat_i(in_valid && in_ready),
		.wait_x_i(lanes_wait_x || pooler_wait_x),
		.wait_w_i(wait_w),
		.wait_out_i(wait_out),
		.read_beat_i(read_beat),
		.write_beat_i(write_beat)
	);

	// Saturation is counted by the model; what the loaders and the tops of words leave is no one's.
	wire unused = &{1'b0, y_sat};
endmodule

`default_nettype wire
