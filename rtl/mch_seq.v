// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors

// mch_seq: fetches descriptors, checks them, starts the loaders on one while the one before is computed, and ends a run.
// Twin: cmodel/arch/seq.h, register for register. Spec: docs/accelerator.md "seq".
//
// Latency: a descriptor's loaders start three edges after its last word has come, its computing two edges after that at the
// earliest. Throughput: one descriptor is loaded while one is computed. All outputs but ld_start_o, stop_o, clear_o, busy_o,
// draining_o and req_valid_o, which decode the state, are registers.

`default_nettype none
`include "mch_map.vh"

module mch_seq #(
	parameter ROWS = 16,      // 1..64
	parameter COLS = 16,      // 1..64
	parameter OUT_BITS = 8,   // 1..16
	parameter WORD_BITS = 128, // 32..1024, a power of two
	parameter MEAN = 1,        // 0: the build has no means (its codes are minifloats), OP_MEAN is illegal
	parameter DEPTHWISE = 1    // 0: the build has no depthwise layers (X_COLS is 1), TAPS is illegal
) (
	input  wire                 clk_i,
	input  wire                 rst_ni,

	input  wire                 start_i,
	input  wire                 reset_i,
	input  wire [31:0]          list_i,
	input  wire [31:0]          watchdog_i,

	// The read port. take_words_i belongs to both takes: that of the descriptors' bursts and that of load_w's.
	output wire                 req_valid_o,
	output wire [31:0]          req_addr_o,
	output wire [15:0]          req_words_o,
	input  wire                 take_i,
	input  wire                 w_take_i,
	input  wire [15:0]          take_words_i,
	input  wire                 word_valid_i,
	input  wire [WORD_BITS-1:0] word_i,

	output wire                 ld_start_o,
	output wire [1023:0]        ld_d_o,
	output wire                 x_go_o,
	input  wire                 x_done_i,
	input  wire                 w_done_i,
	input  wire                 x_overflow_i,

	output wire                 cp_start_o,
	output wire [1023:0]        cp_d_o,
	input  wire                 cp_idle_i,
	input  wire                 store_idle_i,
	input  wire                 w_release_i,
	input  wire [15:0]          w_release_words_i,

	input  wire                 read_error_i,
	input  wire                 write_error_i,
	input  wire                 progress_i,
	input  wire                 read_idle_i,
	input  wire                 write_idle_i,

	output wire                 stop_o,
	output wire                 clear_o,
	output wire                 busy_o,
	output wire                 draining_o,
	output wire                 done_o,
	output wire                 error_o,
	output wire [3:0]           error_code_o,
	output wire [7:0]           error_field_o,
	output wire [15:0]          index_o
);
	generate
		if (ROWS < 1 || ROWS > 64 || COLS < 1 || COLS > 64 || OUT_BITS < 1 || OUT_BITS > 16 || WORD_BITS < 32 ||
		    WORD_BITS > 1024 || WORD_BITS != 1 << $clog2(WORD_BITS) || MEAN < 0 || MEAN > 1 || DEPTHWISE < 0 ||
		    DEPTHWISE > 1) begin : g_illegal
			mch_seq_parameter_out_of_range u_error ();
		end
	endgenerate

	localparam N_WORDS = 1024 / WORD_BITS;
	localparam [5:0] N = N_WORDS[5:0]; // 1..32
	localparam [5:0] LAST = N - 6'd1;
	localparam [7:0] MOST_LAST = COLS[7:0];
	localparam [4:0] MOST_BITS = OUT_BITS[4:0];
	localparam [6:0] ROWS_BITS = ROWS[6:0];
	localparam [1023:0] USED = `MCH_D_USED;
	// 32-bit words that are one number: those that are below 2^24 (9..15, 19, 21, 24), those that are not 0 (9..11, 13..16).
	localparam [31:0] BELOW_24 = 32'h0128fe00;
	localparam [31:0] NOT_0 = 32'h0001ee00;

	localparam [2:0] IDLE = 0, FETCH = 1, CHECK = 2, DECIDE = 3, RUN = 4, FINISH = 5, DRAIN = 6, CLEAR = 7;

	reg [2:0] state_q;
	reg moved_q, go_q, cp_start_q, done_q, error_q;
	reg [15:0] index_q;
	// Words of weights that were asked for and not yet released: of the descriptor that computes, and of the one that is
	// loaded ahead. The ring bounds both by 32768, below and above: 18 bits hold them with their signs.
	reg signed [17:0] owed_q;
	reg [17:0] ahead_q;

	reg [1023:0] d_q, cp_d_q;
	reg [31:0] bad_q, addr_q, watchdog_q;
	reg [5:0] ask_q, place_q;
	reg [3:0] error_code_q;
	reg [7:0] error_field_q;

	assign req_valid_o = state_q == FETCH && ask_q != 0;
	assign req_addr_o = addr_q;
	assign req_words_o = {10'd0, ask_q};
	assign ld_d_o = d_q;
	assign x_go_o = go_q;
	assign cp_start_o = cp_start_q;
	assign cp_d_o = cp_d_q;
	assign stop_o = state_q == DRAIN || state_q == CLEAR;
	assign clear_o = state_q == CLEAR;
	assign busy_o = state_q != IDLE;
	assign draining_o = state_q == DRAIN;
	assign done_o = done_q;
	assign error_o = error_q;
	assign error_code_o = error_code_q;
	assign error_field_o = error_field_q;
	assign index_o = index_q;

	// Bit i: 32-bit word i is illegal. Fixed places, so that all at once takes fewer LUTs than the multiplexer that would bring
	// one word after the other.
	function [31:0] illegal;
		input [1023:0] d;
		integer i;
		reg [31:0] pixels;
		reg is_pool, is_depthwise;
		begin
			for (i = 0; i < 32; i = i + 1)
				illegal[i] = (d[32*i +: 32] & ~USED[32*i +: 32]) != 0;
			pixels = 0; // TILES * ROWS, at most 22 bits: a constant's bits, no multiplier
			for (i = 0; i < 7; i = i + 1)
				if (ROWS_BITS[i])
					pixels = pixels + ({16'd0, d[`MCH_D_TILES]} << i);
			is_pool = d[`MCH_D_OP] == `MCH_OP_MAX || d[`MCH_D_OP] == `MCH_OP_MEAN;
			if (d[`MCH_D_OP] != `MCH_OP_STOP) begin
				for (i = 0; i < 32; i = i + 1) begin
					if (BELOW_24[i] && d[32*i+24 +: 8] != 0)
						illegal[i] = 1'b1;
					if (NOT_0[i] && d[32*i +: 32] == 0)
						illegal[i] = 1'b1;
				end
				is_depthwise = !is_pool && d[`MCH_D_TAPS] != 0;
				if (d[`MCH_D_Y_BITS] == 0 || d[`MCH_D_Y_BITS] > MOST_BITS)
					illegal[0] = 1'b1;
				if (MEAN == 0 && d[`MCH_D_OP] == `MCH_OP_MEAN)
					illegal[0] = 1'b1;
				if (d[`MCH_D_X0_BLOCKS] == 0 || ((is_pool || is_depthwise) && d[`MCH_D_X1_BLOCKS] != 0))
					illegal[4] = 1'b1;
				if (d[`MCH_D_X0_LAST] == 0 || d[`MCH_D_X0_LAST] > MOST_LAST)
					illegal[5] = 1'b1;
				if (d[`MCH_D_X1_BLOCKS] != 0 && (d[`MCH_D_X1_LAST] == 0 || d[`MCH_D_X1_LAST] > MOST_LAST))
					illegal[5] = 1'b1;
				if (d[`MCH_D_IN_W] == 0 || d[`MCH_D_OUT_Q] == 0)
					illegal[6] = 1'b1;
				if (d[`MCH_D_KERNEL_R] == 0 || d[`MCH_D_KERNEL_S] == 0 || d[`MCH_D_Y_BLOCKS] == 0)
					illegal[7] = 1'b1;
				if ((is_pool || is_depthwise) && d[`MCH_D_Y_BLOCKS] != d[`MCH_D_X0_BLOCKS])
					illegal[7] = 1'b1;
				if (d[`MCH_D_STRIDE_W] == 0 || d[`MCH_D_DILATION_W] == 0)
					illegal[8] = 1'b1;
				if ((is_pool || DEPTHWISE == 0) && d[`MCH_D_TAPS] != 0)
					illegal[25] = 1'b1;
				if (d[`MCH_D_STRIP_PIXELS] != pixels)
					illegal[17] = 1'b1;
				if (d[`MCH_D_STRIP_Q] >= d[`MCH_D_OUT_Q])
					illegal[18] = 1'b1;
				if ((d[`MCH_D_W_WORDS] != 0) == (d[`MCH_D_OP] == `MCH_OP_MAX))
					illegal[21] = 1'b1;
			end
		end
	endfunction

	function [7:0] lowest;
		input [31:0] bits;
		integer i;
		begin
			lowest = 0;
			for (i = 31; i >= 0; i = i - 1)
				if (bits[i])
					lowest = i[7:0];
		end
	endfunction

	wire is_stop = d_q[`MCH_D_OP] == `MCH_OP_STOP;
	wire is_bad = state_q == DECIDE && bad_q != 0;
	assign ld_start_o = state_q == DECIDE && bad_q == 0 && !is_stop;

	// The units are busy from the cycle after cp_start_o. With BARRIER computing starts only when all has been written, and
	// the activations are read from then on.
	wire cp_free = cp_idle_i && !cp_start_q;
	wire may_move = state_q == RUN && !moved_q && cp_free && (!d_q[`MCH_D_BARRIER] || store_idle_i);
	wire move = may_move && owed_q == 0;
	wire signed [17:0] asked = w_take_i ? {2'd0, take_words_i} : 18'd0;
	wire signed [17:0] released = w_release_i ? {2'd0, w_release_words_i} : 18'd0;

	wire ends = state_q == FINISH && cp_free && store_idle_i && read_idle_i;
	wire is_max = d_q[`MCH_D_OP] == `MCH_OP_MAX;
	wire bad_weights = owed_q < 0 || ((may_move || (state_q == FINISH && cp_free)) && owed_q != 0) ||
	                   (state_q == RUN && moved_q && cp_free && !w_done_i && !is_max);

	wire running = state_q != IDLE && state_q != DRAIN && state_q != CLEAR;
	wire dead = watchdog_q == 1 && !progress_i;
	wire error = running && (read_error_i || write_error_i || x_overflow_i || is_bad || bad_weights || dead);

	always @(posedge clk_i or negedge rst_ni) begin
		if (!rst_ni) begin
			state_q <= IDLE;
			moved_q <= 1'b0;
			go_q <= 1'b0;
			cp_start_q <= 1'b0;
			done_q <= 1'b0;
			error_q <= 1'b0;
			index_q <= 0;
			owed_q <= 0;
			ahead_q <= 0;
		end else begin
			cp_start_q <= move && !error && !reset_i;
			done_q <= ends && !error && !reset_i;
			error_q <= error && !reset_i;
			if (reset_i || error) begin
				state_q <= DRAIN;
			end else begin
				case (state_q)
				IDLE: if (start_i) state_q <= FETCH;
				FETCH: if (word_valid_i && place_q == LAST) state_q <= CHECK;
				CHECK: state_q <= DECIDE;
				DECIDE: state_q <= is_stop ? FINISH : RUN;
				RUN: if (moved_q && x_done_i && w_done_i) state_q <= FETCH;
				FINISH: if (ends) state_q <= CLEAR;
				DRAIN: if (read_idle_i && write_idle_i) state_q <= CLEAR;
				default: state_q <= IDLE;
				endcase
			end

			if (state_q == IDLE && start_i)
				index_q <= 0;
			else if (state_q == CHECK && index_q != 16'hffff)
				index_q <= index_q + 16'd1;

			if (ld_start_o) begin
				moved_q <= 1'b0;
				go_q <= !d_q[`MCH_D_BARRIER];
			end else if (move) begin
				moved_q <= 1'b1;
				go_q <= 1'b1;
			end
			if (!running) begin
				owed_q <= 0;
				ahead_q <= 0;
			end else if (move) begin
				owed_q <= ahead_q + asked;
				ahead_q <= 0;
			end else begin
				owed_q <= owed_q + (moved_q ? asked : 18'sd0) - released;
				ahead_q <= ahead_q + (moved_q ? 18'd0 : asked);
			end
		end
	end

	integer k;
	always @(posedge clk_i) begin
		if (word_valid_i)
			for (k = 0; k < N_WORDS; k = k + 1)
				if (place_q == k[5:0])
					d_q[WORD_BITS*k +: WORD_BITS] <= word_i;
		if (state_q != FETCH)
			place_q <= 0;
		else if (word_valid_i)
			place_q <= place_q + 6'd1;
		if (state_q != FETCH)
			ask_q <= N;
		else if (take_i)
			ask_q <= ask_q - take_words_i[5:0];
		if (state_q == IDLE)
			addr_q <= list_i;
		else if (take_i)
			addr_q <= addr_q + {16'd0, take_words_i};
		// One more descriptor than a run can count is illegal, whatever it says: so a list without an end has one.
		if (state_q == CHECK)
			bad_q <= illegal(d_q) | {31'd0, index_q == 16'hffff};
		if (move)
			cp_d_q <= d_q;
		if (!running || progress_i)
			watchdog_q <= watchdog_i;
		else if (watchdog_q != 0)
			watchdog_q <= watchdog_q - 32'd1;
		if (error) begin
			error_code_q <= read_error_i  ? `MCH_ERROR_READ :
			                write_error_i ? `MCH_ERROR_WRITE :
			                x_overflow_i  ? `MCH_ERROR_STRIP :
			                is_bad        ? `MCH_ERROR_DESCRIPTOR :
			                bad_weights   ? `MCH_ERROR_WEIGHTS : `MCH_ERROR_WATCHDOG;
			error_field_q <= is_bad && !read_error_i && !write_error_i && !x_overflow_i ? lowest(bad_q) : 8'd0;
		end
	end
endmodule

`default_nettype wire
