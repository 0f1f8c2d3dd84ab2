// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors

// mch_issue: joins the lanes' beats with the ring's weights, loads the channels' parameters, commands the store.
// Twin: cmodel/arch/issue.c, register for register. Spec: docs/accelerator.md "issue".
//
// Latency: a beat taken in a cycle stands at the array in the next. Throughput: one beat per cycle; PARAM cycles more
// for each y block of a strip, and 4 more where the y block before had a single tile (its parameters must be gone).
// beat_take_o depends on in_ready_i and cmd_ready_i, which depend on registers alone.

`default_nettype none
`include "mch_map.vh"

module mch_issue #(
	parameter ROWS      = 16,   // 1..64
	parameter COLS      = 16,   // 1..64
	parameter ELEM_BITS = 8,    // 8, 16
	parameter X_BITS    = 8,    // 1..ELEM_BITS
	parameter W_BITS    = 8,    // 1..ELEM_BITS
	parameter ACC_BITS  = 32,   // 2..48
	parameter ROUND     = 3,    // as in mch_round_shift
	parameter W_WORDS   = 4096, // words of the ring, a power of two, 2..2^15
	parameter X_COLS    = 1     // as in mch_lanes
) (
	input  wire                       clk_i,
	input  wire                       rst_ni,
	input  wire                       clear_i,
	input  wire                       start_i,
	input  wire [1023:0]              d_i,
	output wire                       done_o,           // no beat, command or parameter on its way

	// Beats of mch_lanes.
	input  wire                       beat_valid_i,
	input  wire [ROWS*X_COLS*X_BITS-1:0] x_i,
	input  wire                       beat_signed_i,
	input  wire                       beat_first_i,
	input  wire                       beat_last_i,
	input  wire                       beat_param_i,     // with first: parameters come before this beat
	input  wire                       beat_release_i,   // its weights are not needed again
	input  wire [6:0]                 beat_words_i,     // valid pixels of the tile
	output wire                       beat_take_o,

	// The ring of weights: a RAM whose output stands from the cycle after wr_en_o until the next.
	input  wire [$clog2(W_WORDS):0]   w_fill_i,         // words landed and not released
	output wire                       wr_en_o,
	output wire [$clog2(W_WORDS)-1:0] wr_addr_o,
	input  wire [COLS*ELEM_BITS-1:0]  w_word_i,
	output wire                       release_o,
	output wire [$clog2(W_WORDS):0]   release_words_o,

	input  wire                       pool_param_i,     // the pooler wants its next parameters; until ack
	output wire                       pool_param_ack_o,

	// mch_datapath.
	output wire                       load_o,
	output wire [COLS*ACC_BITS-1:0]   bias_o,
	output wire [COLS*6-1:0]          shift_o,
	output wire [COLS*16-1:0]         noise_o,
	output wire                       in_valid_o,
	input  wire                       in_ready_i,
	output wire                       in_first_o,
	output wire                       in_last_o,
	output wire                       x_signed_o,
	output wire [ROWS*X_COLS*X_BITS-1:0] x_o,
	output wire [COLS*W_BITS-1:0]     w_o,

	// mch_store.
	output wire                       cmd_valid_o,
	input  wire                       cmd_ready_i,
	output wire [31:0]                cmd_addr_o,
	output wire [6:0]                 cmd_words_o,

	output wire                       wait_w_o,         // a beat stands and waits for weights or parameters
	output wire                       wait_out_o        // a beat stands and waits for the array or the store
);

	generate
		if (ROWS < 1 || ROWS > 64 || COLS < 1 || COLS > 64 || (ELEM_BITS != 8 && ELEM_BITS != 16) || X_BITS < 1 ||
		    X_BITS > ELEM_BITS || W_BITS < 1 || W_BITS > ELEM_BITS || ACC_BITS < 2 || ACC_BITS > 48 || ROUND < 0 ||
		    ROUND > 4 || W_WORDS < 2 || W_WORDS > 32768 || (W_WORDS & (W_WORDS - 1)) != 0 ||
		    X_COLS < 1 || X_COLS > COLS) begin : g_illegal
			mch_issue_parameter_out_of_range u_error ();
		end
	endgenerate

	localparam LOG = $clog2(W_WORDS), STOCHASTIC = 4;
	localparam BIAS_WORDS = (ACC_BITS + ELEM_BITS - 1) / ELEM_BITS;
	localparam SHIFT_AT = BIAS_WORDS * ELEM_BITS, NOISE_AT = SHIFT_AT + ELEM_BITS;
	localparam PARAM = BIAS_WORDS + 1 + (ROUND == STOCHASTIC ? 16 / ELEM_BITS : 0); // 2..9
	localparam PARAM_BITS = PARAM * ELEM_BITS;
	localparam [31:0] LAST_PARAM = PARAM - 1, TILE_WORDS = ROWS;

	reg             in_valid_q, in_mark_q;
	reg             cmd_valid_q;
	reg             pend_q, claimed_q;
	reg             param_q;
	reg [3:0]       count_q;
	reg             mark_q, mark0_q, mark1_q, done_q;
	reg [LOG-1:0]   rd_q, off_q;

	// The RAM's output register is the array's operand: it may be read anew when the beat there is taken.
	wire free     = !in_valid_q || in_ready_i;
	wire there    = {1'b0, off_q} < w_fill_i;
	wire cmd_free = !cmd_valid_q || cmd_ready_i;

	// Parameters: wanted (needs), read whole (pend), used by a tile that is on its way (claimed), loaded (neither).
	wire opens = beat_first_i && beat_param_i;
	wire needs = opens && !(pend_q && !claimed_q);
	wire read  = (pool_param_i || (beat_valid_i && needs)) && !pend_q && there && free;
	wire full  = read && count_q == LAST_PARAM[3:0];
	wire take  = beat_valid_i && !needs && there && free && (!beat_last_i || cmd_free);
	wire mark  = opens || mark_q;

	// The array loads its bank with a tile in the cycle in which its flag `done` and in_ready are up: done_q is that flag
	// for tiles with new parameters. A pool's are loaded as soon as the last word has been caught.
	wire pool_load = pool_param_i && pend_q && !param_q;
	wire load      = (done_q && in_ready_i) || pool_load;

	assign beat_take_o      = take;
	assign wr_en_o          = take || read;
	assign wr_addr_o        = rd_q;
	assign release_o        = read || (take && beat_release_i);
	assign release_words_o  = {{LOG{1'b0}}, 1'b1};
	assign load_o           = load;
	assign pool_param_ack_o = pool_load;
	assign in_valid_o       = in_valid_q;
	assign cmd_valid_o      = cmd_valid_q;
	assign done_o           = !in_valid_q && !cmd_valid_q && !pend_q;

	wire out_waits    = !free || (needs ? pend_q : beat_last_i && !cmd_free);
	assign wait_out_o = beat_valid_i && out_waits;
	assign wait_w_o   = beat_valid_i && !take && !out_waits;

	always @(posedge clk_i or negedge rst_ni)
		if (!rst_ni) begin
			in_valid_q  <= 1'b0;
			cmd_valid_q <= 1'b0;
			pend_q      <= 1'b0;
			claimed_q   <= 1'b0;
			param_q     <= 1'b0;
			count_q     <= 4'd0;
			mark_q      <= 1'b0;
			mark0_q     <= 1'b0;
			mark1_q     <= 1'b0;
			done_q      <= 1'b0;
		end else if (clear_i) begin
			in_valid_q  <= 1'b0;
			cmd_valid_q <= 1'b0;
			pend_q      <= 1'b0;
			claimed_q   <= 1'b0;
			param_q     <= 1'b0;
			count_q     <= 4'd0;
			mark_q      <= 1'b0;
			mark0_q     <= 1'b0;
			mark1_q     <= 1'b0;
			done_q      <= 1'b0;
		end else begin
			if (free)
				in_valid_q <= take;
			if (cmd_free)
				cmd_valid_q <= take && beat_last_i;
			param_q <= read;
			if (read)
				count_q <= full ? 4'd0 : count_q + 4'd1;
			pend_q    <= full || (pend_q && !load);
			claimed_q <= (take && opens) || (claimed_q && !load);
			if (take)
				mark_q <= mark && !beat_last_i;
			if (in_ready_i) begin
				mark0_q <= in_valid_q && in_mark_q;
				mark1_q <= mark0_q;
				done_q  <= mark1_q;
			end
		end

	// The ring. `off` words from here back to the oldest are kept for the tiles to come: off is 0 in a tile that
	// releases, and where parameters are read.
	always @(posedge clk_i or negedge rst_ni)
		if (!rst_ni) begin
			rd_q  <= {LOG{1'b0}};
			off_q <= {LOG{1'b0}};
		end else if (clear_i) begin
			rd_q  <= {LOG{1'b0}};
			off_q <= {LOG{1'b0}};
		end else if (read || (take && beat_release_i)) begin
			rd_q <= rd_q + 1'b1;
		end else if (take) begin
			rd_q  <= beat_last_i ? rd_q - off_q : rd_q + 1'b1;
			off_q <= beat_last_i ? {LOG{1'b0}} : off_q + 1'b1;
		end

	// The beat.
	reg first_q, last_q, signed_q;
	reg [ROWS*X_COLS*X_BITS-1:0] x_q;
	always @(posedge clk_i)
		if (take) begin
			first_q   <= beat_first_i;
			last_q    <= beat_last_i;
			signed_q  <= beat_signed_i;
			x_q       <= x_i;
			in_mark_q <= mark && beat_last_i;
		end
	assign in_first_o = first_q;
	assign in_last_o  = last_q;
	assign x_signed_o = signed_q;
	assign x_o        = x_q;

	// The command: addresses of the strip's and the y block's first pixel go along. 32 bits wrap, as addresses do.
	wire [31:0] y_addr       = d_i[`MCH_D_Y_ADDR];
	wire [31:0] y_step       = d_i[`MCH_D_Y_STEP];
	wire [31:0] strip_pixels = d_i[`MCH_D_STRIP_PIXELS];
	wire [15:0] y_blocks     = d_i[`MCH_D_Y_BLOCKS];
	reg [31:0] strip_addr_q, block_addr_q, tile_addr_q, cmd_addr_q;
	reg [15:0] left_q; // y blocks of the strip behind this one
	reg [6:0]  cmd_words_q;
	wire       strip_ends = left_q == 16'd0;
	wire [31:0] block_addr = strip_ends ? strip_addr_q + strip_pixels : block_addr_q + y_step;
	always @(posedge clk_i)
		if (start_i) begin
			strip_addr_q <= y_addr;
			block_addr_q <= y_addr;
			tile_addr_q  <= y_addr;
			left_q       <= y_blocks - 16'd1;
		end else if (take && beat_last_i) begin
			cmd_addr_q  <= tile_addr_q;
			cmd_words_q <= beat_words_i;
			if (!beat_release_i) begin
				tile_addr_q <= tile_addr_q + TILE_WORDS;
			end else begin
				block_addr_q <= block_addr;
				tile_addr_q  <= block_addr;
				left_q       <= strip_ends ? y_blocks - 16'd1 : left_q - 16'd1;
				if (strip_ends)
					strip_addr_q <= block_addr;
			end
		end
	assign cmd_addr_o  = cmd_addr_q;
	assign cmd_words_o = cmd_words_q;

	// Parameters of a column: its elements of PARAM words, the first one lowest when all have been caught.
	reg [PARAM_BITS-1:0] channel_q [0:COLS-1];
	integer i;
	always @(posedge clk_i)
		if (param_q)
			for (i = 0; i < COLS; i = i + 1)
				channel_q[i] <= {w_word_i[i*ELEM_BITS +: ELEM_BITS], channel_q[i][PARAM_BITS-1:ELEM_BITS]};

	genvar j;
	generate
		for (j = 0; j < COLS; j = j + 1) begin : g_col
			assign w_o[j*W_BITS +: W_BITS]       = w_word_i[j*ELEM_BITS +: W_BITS];
			assign bias_o[j*ACC_BITS +: ACC_BITS] = channel_q[j][0 +: ACC_BITS];
			assign shift_o[j*6 +: 6]              = channel_q[j][SHIFT_AT +: 6];
			if (ROUND == STOCHASTIC) begin : g_noise
				assign noise_o[j*16 +: 16] = channel_q[j][NOISE_AT +: 16];
			end else begin : g_no_noise
				assign noise_o[j*16 +: 16] = 16'd0;
			end
		end
	endgenerate

	wire unused = &{1'b0, d_i, LAST_PARAM};
endmodule

`default_nettype wire
