// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors

// mch_lanes: reads the windows of ROWS output pixels from the feature buffer and gives their channels as beats.
// Twin: cmodel/arch/lanes.c, register for register. Spec: docs/accelerator.md "lanes".
//
// Latency: ROWS + 4 cycles from the cycle that takes a strip whose words are there to that of its first beat.
// Throughput: one beat per cycle across words, tiles and y blocks when ROWS <= COLS, blocks are full and the words
// there; a word of c channels takes max(ROWS, c) cycles. Of a depthwise layer a walk takes ROWS + (TAPS - 1) * COLS / X_COLS.
// Additions and comparisons alone.

`default_nettype none
`include "mch_map.vh"

module mch_lanes #(
	parameter ROWS      = 16,   // 1..64
	parameter COLS      = 16,   // 4, 8, 16, 32, 64
	parameter ELEM_BITS = 8,    // 8, 16
	parameter X_BITS    = 8,    // 1..ELEM_BITS
	parameter X_WORDS   = 4096, // words in half of the buffer, a power of two up to 2^16
	parameter X_COLS    = 1     // activations of a lane in a beat: 1, or a power of two up to COLS, and depthwise layers can be
) (
	input  wire                       clk_i,
	input  wire                       rst_ni,
	input  wire                       clear_i,
	input  wire                       start_i,
	input  wire [1023:0]              d_i,
	output wire                       done_o,
	output wire                       wait_x_o,  // busy, and no beat stands

	// Strips in the halves of the buffer. What is above their sizes' bits is not looked at.
	input  wire [1:0]                 strip_valid_i,
	input  wire [2*32-1:0]            strip_start_i,
	input  wire [2*32-1:0]            strip_words_i,
	input  wire [2*32-1:0]            filled_i,
	output wire [1:0]                 release_o,
	input  wire                       skip_i,  // the pooler has released a strip: the next is in the other half

	output wire                       xr_en_o,
	output wire [$clog2(X_WORDS):0]   xr_addr_o,
	input  wire [COLS*ELEM_BITS-1:0]  xr_word_i,

	output wire                       beat_valid_o,
	output wire [ROWS*X_COLS*X_BITS-1:0] x_o,          // lane 0 in the lowest bits, in it column 0
	output wire                       beat_signed_o,
	output wire                       beat_first_o,
	output wire                       beat_last_o,
	output wire                       beat_param_o,
	output wire                       beat_release_o,
	output wire [6:0]                 beat_words_o,
	input  wire                       beat_take_i
);

	generate
		if (ROWS < 1 || ROWS > 64 || (COLS != 4 && COLS != 8 && COLS != 16 && COLS != 32 && COLS != 64) ||
		    (ELEM_BITS != 8 && ELEM_BITS != 16) || X_BITS < 1 || X_BITS > ELEM_BITS || X_WORDS < 2 ||
		    X_WORDS > 65536 || (X_WORDS & (X_WORDS - 1)) != 0 ||
		    X_COLS < 1 || X_COLS > COLS || (X_COLS & (X_COLS - 1)) != 0) begin : g_illegal
			mch_lanes_parameter_out_of_range u_error ();
		end
	endgenerate

	localparam X_LOG2 = $clog2(X_WORDS);
	localparam C_LOG2 = $clog2(COLS);
	localparam E_LOG2 = $clog2(ELEM_BITS);
	localparam WORD_BITS = COLS * ELEM_BITS;
	// Rows are in words of a map. Legal maps, their padding and their pixels are below 2^24 words, so a row is in
	// [-2^24, 2^25): 26 bits, signed. Sums may wrap on their way there. A column is in [-255, Q_END + 255 * 255), with
	// Q_END below 2^17: 19 bits, signed. Offsets of words that are read are below X_WORDS, as the strip fits, so they are
	// computed modulo that.
	localparam ROW_BITS = 26;
	localparam COL_BITS = 19;
	localparam Q_BITS = 17;
	localparam N_BITS = 24;
	// A depthwise walk goes TAPS - 1 pixels beyond the last lane: below 64 + 255.
	localparam L_BITS = 9;
	localparam [31:0] N_ROWS = ROWS;
	localparam [L_BITS-1:0] LANE_LAST = N_ROWS[L_BITS-1:0] - 1'b1;
	localparam [N_BITS-1:0] TILE = N_ROWS[N_BITS-1:0];
	localparam [C_LOG2-1:0] C_LAST = {C_LOG2{1'b1}}, ONE = 1;
	localparam [31:0] N_COLS = X_COLS;
	localparam [C_LOG2-1:0] X_STEP = N_COLS[C_LOG2-1:0]; // COLS is 0, modulo COLS
	localparam INFO_BITS = C_LOG2 + 13; // see `info`

	// Control.
	reg busy_q;        // from the start to the last beat
	reg more_q;        // strips are left to walk, or one is walked
	reg walk_q;        // one is walked
	reg half_q;        // the half that holds it, or will hold the next
	reg v0_q, v1_q;    // stages 0 and 1 hold a fetch
	reg full_q;        // next_q holds a word of every lane
	reg cur_valid_q;   // cur_q does: a beat stands

	// The walk. Pixels: the lane's, the tile's first, the strip's first; of the last two, how many are left of the map. And the
	// next tile's first, which a depthwise walk passes.
	reg [ROW_BITS-1:0] prow_q, trow_q, srow_q, nrow_q;
	reg [Q_BITS-1:0]   pcol_q, tcol_q, scol_q, ncol_q;
	reg [N_BITS-1:0]   tleft_q, sleft_q;
	reg [L_BITS-1:0]   lane_q;
	reg [7:0]          s_q, r_q;
	reg [15:0]         block_q, tile_q, y_q;
	reg                second_q; // the block is one of the second input
	reg                first_q;  // first word of a tile
	reg [ROW_BITS-1:0] roff_q;   // r * TAP_STEP - PAD_WORDS
	reg [COL_BITS-1:0] coff_q;   // s * DILATION_W - PAD_LEFT
	reg [X_LOG2-1:0]   base_q;   // block * strip_words - strip_start

	// Depthwise: the reduction ends with the window, each output block reads the input's of the same number, a beat takes X_COLS
	// channels of a word, and a walk goes on for TAPS - 1 pixels, each of which gives every lane the word of the pixel after.
	reg              depthwise_q;
	reg [L_BITS-1:0] lane_last_q;

	// Stage 0: an address. Stage 1: the word that the RAM gives. Then the lanes' words, and what is to be known of them. Words
	// enter at the last lane and move towards the first: `whole` comes with the one that gives every lane its own.
	reg [X_LOG2-1:0]    off0_q;
	reg                 half0_q, zero0_q, end0_q, zero1_q, whole0_q, whole1_q;
	reg [INFO_BITS-1:0] info0_q, info1_q, next_info_q, cur_info_q;
	reg [WORD_BITS-1:0] next_q [0:ROWS-1];
	reg [WORD_BITS-1:0] cur_q  [0:ROWS-1];
	reg [C_LOG2-1:0]    c_q;     // channel of the beat

	// Fields of the descriptor that are cut or chosen.
	wire [31:0] pixels = d_i[`MCH_D_PIXELS];
	wire [31:0] row_step = d_i[`MCH_D_ROW_STEP];
	wire [31:0] tap_step = d_i[`MCH_D_TAP_STEP];
	wire [31:0] pad_words = d_i[`MCH_D_PAD_WORDS];
	wire [31:0] map_words = d_i[`MCH_D_MAP_WORDS];
	wire [31:0] q_end = d_i[`MCH_D_Q_END];
	wire [7:0]  taps = d_i[`MCH_D_TAPS];
	wire        depthwise = X_COLS > 1 && taps != 8'd0;
	wire [15:0] blocks = second_q ? d_i[`MCH_D_X1_BLOCKS] : d_i[`MCH_D_X0_BLOCKS];
	wire [7:0]  channels = second_q ? d_i[`MCH_D_X1_LAST] : d_i[`MCH_D_X0_LAST];
	wire [ROW_BITS-1:0] roff_0 = -pad_words[ROW_BITS-1:0];
	wire [COL_BITS-1:0] coff_0 = -{{COL_BITS-8{1'b0}}, d_i[`MCH_D_PAD_LEFT]};

	// The strip in the half.
	wire [X_LOG2-1:0] start = half_q ? strip_start_i[32 +: X_LOG2] : strip_start_i[0 +: X_LOG2];
	wire [X_LOG2-1:0] words = half_q ? strip_words_i[32 +: X_LOG2] : strip_words_i[0 +: X_LOG2];
	wire [X_LOG2:0]   filled = half0_q ? filled_i[32 +: X_LOG2 + 1] : filled_i[0 +: X_LOG2 + 1];

	// What moves. A word that is used up, one that waits and one that comes out of the RAM move on in the same cycle.
	wire [C_LOG2-1:0] step_c = depthwise_q ? X_STEP : ONE;
	wire top = (c_q | (step_c - 1'b1)) == cur_info_q[0 +: C_LOG2];
	wire swap = full_q && (!cur_valid_q || (beat_take_i && top));
	wire go1 = v1_q && (!full_q || swap);
	wire go0 = v0_q && (zero0_q || {1'b0, off0_q} < filled) && (!v1_q || go1);
	wire step = walk_q && (!v0_q || go0);
	wire enter = more_q && !walk_q && strip_valid_i[half_q];

	// Where the walk stands: each end holds with all those before it.
	wire [7:0]  s_next = s_q + 1'b1;
	wire [7:0]  r_next = r_q + 1'b1;
	wire [15:0] block_next = block_q + 1'b1;
	wire [15:0] tile_next = tile_q + 1'b1;
	wire [15:0] y_next = y_q + 1'b1;
	wire whole = lane_q + 1'b1 > LANE_LAST;
	wire lane_end = lane_q == lane_last_q;
	wire s_end = s_next == d_i[`MCH_D_KERNEL_S];
	wire r_end = s_end && r_next == d_i[`MCH_D_KERNEL_R];
	wire input_end = depthwise_q || block_next == blocks;
	wire tile_end = r_end && input_end && (depthwise_q || second_q || d_i[`MCH_D_X1_BLOCKS] == 16'd0);
	wire map_end = tleft_q <= TILE;
	wire y_end = map_end || tile_next == d_i[`MCH_D_TILES]; // the tile is the strip's last
	wire strip_end = y_end && y_next == d_i[`MCH_D_Y_BLOCKS];

	// The pixel after the lane's.
	wire [Q_BITS-1:0]   q_next = pcol_q + {{Q_BITS-8{1'b0}}, d_i[`MCH_D_STRIDE_W]};
	wire                wrap = q_next == q_end[Q_BITS-1:0];
	wire [Q_BITS-1:0]   pcol_next = wrap ? {Q_BITS{1'b0}} : q_next;
	wire [ROW_BITS-1:0] prow_next = wrap ? prow_q + row_step[ROW_BITS-1:0] : prow_q;
	wire [N_BITS-1:0]   left_next = tleft_q - TILE;
	// The next tile's first pixel, at the end of a walk: the one after the last lane's, or kept when that was passed.
	wire                last = lane_q == LANE_LAST;
	wire [ROW_BITS-1:0] nrow = last ? prow_next : nrow_q;
	wire [Q_BITS-1:0]   ncol = last ? pcol_next : ncol_q;

	// Stage 0's address. A negative position is a large one to the comparisons.
	wire [ROW_BITS-1:0] row = prow_q + roff_q;
	wire [COL_BITS-1:0] col = {{COL_BITS-Q_BITS{1'b0}}, pcol_q} + coff_q;
	wire zero = row >= map_words[ROW_BITS-1:0] || col >= {{COL_BITS-16{1'b0}}, d_i[`MCH_D_IN_W]} ||
		{{N_BITS-L_BITS{1'b0}}, lane_q} >= tleft_q;

	// What is to be known of a word, lowest first: its last channel, pixels of the tile, first, last, sign, first tile of
	// the y block, last tile of it, end of the layer.
	wire [7:0] channel_last = channels - 1'b1;
	wire [INFO_BITS-1:0] info = {
		lane_end && tile_end && strip_end && map_end, y_end, tile_q == 16'd0,
		second_q ? d_i[`MCH_D_X1_SIGNED] : d_i[`MCH_D_X0_SIGNED], lane_end && tile_end, first_q && last,
		map_end ? tleft_q[6:0] : TILE[6:0],
		input_end && !depthwise_q ? channel_last[C_LOG2-1:0] : C_LAST};

	assign done_o = !busy_q;
	assign wait_x_o = busy_q && !cur_valid_q;
	assign release_o = {go0 && end0_q && half0_q, go0 && end0_q && !half0_q};
	assign xr_en_o = go0 && !zero0_q;
	assign xr_addr_o = {half0_q, off0_q};
	assign beat_valid_o = cur_valid_q;
	assign beat_words_o = cur_info_q[C_LOG2 +: 7];
	assign beat_first_o = cur_info_q[C_LOG2 + 7] && c_q == {C_LOG2{1'b0}};
	assign beat_last_o = cur_info_q[C_LOG2 + 8] && top;
	assign beat_signed_o = cur_info_q[C_LOG2 + 9];
	assign beat_param_o = cur_info_q[C_LOG2 + 10] && beat_first_o;
	assign beat_release_o = cur_info_q[C_LOG2 + 11];

	genvar l, k;
	generate
		for (l = 0; l < ROWS; l = l + 1) begin : g_lane
			// Of each run of X_COLS channels the beat's; of these its one channel, or each for columns of its own.
			wire [X_COLS*X_BITS-1:0] run;
			for (k = 0; k < X_COLS; k = k + 1) begin : g_run
				localparam [31:0] K = k;
				wire [C_LOG2-1:0] at = (c_q & ~(X_STEP - ONE)) | K[C_LOG2-1:0];
				assign run[k*X_BITS +: X_BITS] = cur_q[l][{at, {E_LOG2{1'b0}}} +: X_BITS];
			end
			if (X_COLS == 1) begin : g_one
				assign x_o[l*X_BITS +: X_BITS] = run;
			end else begin : g_columns
				wire [X_BITS-1:0] one = run[c_q[$clog2(X_COLS)-1:0]*X_BITS +: X_BITS];
				assign x_o[l*X_COLS*X_BITS +: X_COLS*X_BITS] = depthwise_q ? run : {X_COLS{one}};
			end
		end
	endgenerate

	always @(posedge clk_i or negedge rst_ni)
		if (!rst_ni) begin
			{busy_q, more_q, walk_q, half_q, v0_q, v1_q, full_q, cur_valid_q} <= 8'd0;
		end else if (clear_i) begin
			{busy_q, more_q, walk_q, half_q, v0_q, v1_q, full_q, cur_valid_q} <= 8'd0;
		end else begin
			if (start_i)
				busy_q <= 1'b1;
			else if (cur_valid_q && beat_take_i && top && cur_info_q[C_LOG2 + 12])
				busy_q <= 1'b0;
			if (start_i)
				more_q <= 1'b1;
			else if (step && lane_end && tile_end && strip_end && map_end)
				more_q <= 1'b0;
			if (enter)
				walk_q <= 1'b1;
			else if (step && lane_end && tile_end && strip_end)
				walk_q <= 1'b0;
			if (skip_i || (step && lane_end && tile_end && strip_end))
				half_q <= !half_q;
			v0_q <= step || (v0_q && !go0);
			v1_q <= go0 || (v1_q && !go1);
			full_q <= (go1 && whole1_q) || (full_q && !swap);
			cur_valid_q <= swap || (cur_valid_q && !(beat_take_i && top));
		end

	// The pixels. Every word begins at the tile's first pixel, every y block at the strip's.
	always @(posedge clk_i)
		if (start_i) begin
			{prow_q, trow_q, srow_q} <= {3*ROW_BITS{1'b0}};
			{pcol_q, tcol_q, scol_q} <= {3*Q_BITS{1'b0}};
			{tleft_q, sleft_q} <= {2{pixels[N_BITS-1:0]}};
			lane_q <= {L_BITS{1'b0}};
			depthwise_q <= depthwise;
			lane_last_q <= LANE_LAST + (depthwise ? {1'b0, taps} - 9'd1 : 9'd0);
		end else if (step) begin
			lane_q <= lane_end ? {L_BITS{1'b0}} : lane_q + 1'b1;
			if (!lane_end)
				{prow_q, pcol_q} <= {prow_next, pcol_next};
			else if (!tile_end)
				{prow_q, pcol_q} <= {trow_q, tcol_q};
			else if (y_end && !strip_end) begin
				{prow_q, pcol_q} <= {srow_q, scol_q};
				{trow_q, tcol_q, tleft_q} <= {srow_q, scol_q, sleft_q};
			end else begin
				{prow_q, pcol_q} <= {nrow, ncol};
				{trow_q, tcol_q, tleft_q} <= {nrow, ncol, left_next};
				if (strip_end)
					{srow_q, scol_q, sleft_q} <= {nrow, ncol, left_next};
			end
			if (last)
				{nrow_q, ncol_q} <= {prow_next, pcol_next};
		end

	// The reduction, the tiles and the y blocks.
	always @(posedge clk_i)
		if (enter) begin
			{s_q, r_q} <= 16'd0;
			{block_q, tile_q, y_q} <= 48'd0;
			second_q <= 1'b0;
			first_q <= 1'b1;
			roff_q <= roff_0;
			coff_q <= coff_0;
			base_q <= -start;
		end else if (step && lane_end) begin
			first_q <= tile_end;
			s_q <= s_end ? 8'd0 : s_next;
			coff_q <= s_end ? coff_0 : coff_q + {{COL_BITS-8{1'b0}}, d_i[`MCH_D_DILATION_W]};
			if (s_end) begin
				r_q <= r_end ? 8'd0 : r_next;
				roff_q <= r_end ? roff_0 : roff_q + tap_step[ROW_BITS-1:0];
			end
			if (r_end) begin
				block_q <= input_end ? 16'd0 : block_next;
				second_q <= input_end ? !tile_end : second_q;
				if (!depthwise_q)
					base_q <= tile_end ? -start : base_q + words;
				else if (y_end)
					base_q <= base_q + words;
			end
			if (tile_end)
				tile_q <= y_end ? 16'd0 : tile_next;
			if (tile_end && y_end)
				y_q <= y_next;
		end

	integer i;
	always @(posedge clk_i) begin
		if (step) begin
			off0_q <= base_q + row[X_LOG2-1:0] + col[X_LOG2-1:0];
			half0_q <= half_q;
			zero0_q <= zero;
			end0_q <= lane_end && tile_end && strip_end;
			whole0_q <= whole;
			info0_q <= info;
		end
		if (go0) begin
			zero1_q <= zero0_q;
			whole1_q <= whole0_q;
			info1_q <= info0_q;
		end
		if (go1) begin
			for (i = 0; i < ROWS - 1; i = i + 1)
				next_q[i] <= next_q[i+1];
			next_q[ROWS-1] <= zero1_q ? {WORD_BITS{1'b0}} : xr_word_i;
			next_info_q <= info1_q;
		end
		if (swap) begin
			for (i = 0; i < ROWS; i = i + 1)
				cur_q[i] <= next_q[i];
			cur_info_q <= next_info_q;
			c_q <= {C_LOG2{1'b0}};
		end else if (beat_take_i)
			c_q <= c_q + step_c;
	end

	wire unused = &{1'b0, d_i, strip_start_i, strip_words_i, filled_i, channel_last,
		pixels, row_step, tap_step, pad_words, map_words, q_end};
endmodule

`default_nettype wire
