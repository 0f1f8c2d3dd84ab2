// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors

// mch_pooler: walks the windows of a pool through the feature buffer and gives the largest code, or the sum times the
// reciprocal of the count, of COLS channels at once.
// Twin: cmodel/arch/pooler.c, register for register. Spec: docs/accelerator.md "pooler".
//
// Latency: four edges from the one that takes a strip whose words are there to the first maximum of one position;
// one more for each further position. Throughput: one position per cycle, also across windows and tiles: a window of
// R x S takes R x S cycles, or R x (S - 1) when its first column is the last one of the window before. A mean of a new count
// waits 19 cycles for its reciprocal; then a mean takes 18, during which the next window is gathered. No multiplier:
// products are shifts and additions.

`default_nettype none
`include "mch_map.vh"

module mch_pooler #(
	parameter ROWS      = 16,   // 1..64: pixels of a tile
	parameter COLS      = 16,   // 1..64
	parameter ELEM_BITS = 8,    // 8, 16
	parameter X_BITS    = 8,    // 1..ELEM_BITS
	parameter OUT_BITS  = 8,    // 1..16
	parameter ACC_BITS  = 32,   // 2..48
	parameter X_WORDS   = 4096, // words in half of the buffer, a power of two up to 2^16
	parameter X_KIND    = 0     // 1..4: codes are minifloats, sign and magnitude, and there are no means
) (
	input  wire                       clk_i,
	input  wire                       rst_ni,
	input  wire                       clear_i,
	input  wire                       start_i,
	input  wire [1023:0]              d_i,
	output wire                       done_o,
	output wire                       wait_x_o, // a position, or a strip, is not there yet

	// Strips in the halves of the buffer. What is above their sizes' bits is not looked at.
	input  wire [1:0]                 strip_valid_i,
	input  wire [2*32-1:0]            strip_start_i,
	input  wire [2*32-1:0]            strip_words_i,
	input  wire [2*32-1:0]            filled_i,
	output wire [1:0]                 release_o,
	input  wire                       skip_i,   // the lanes have released a strip: the next is in the other half

	output wire                       xr_en_o,
	output wire [$clog2(X_WORDS):0]   xr_addr_o,
	input  wire [COLS*ELEM_BITS-1:0]  xr_word_i,

	// Mean: the parameters of the next y block are wanted in the requantizers; its sums.
	output wire                       param_o,
	input  wire                       param_ack_i,
	output wire                       sum_valid_o,
	input  wire                       sum_ready_i,
	output wire [COLS*ACC_BITS-1:0]   sum_o,

	// Maximum: words for the store.
	output wire                       row_valid_o,
	input  wire                       row_ready_i,
	output wire [COLS*OUT_BITS-1:0]   row_o,

	output wire                       cmd_valid_o,
	input  wire                       cmd_ready_i,
	output wire [31:0]                cmd_addr_o,
	output wire [6:0]                 cmd_words_o
);

	generate
		if (ROWS < 1 || ROWS > 64 || COLS < 1 || COLS > 64 || (ELEM_BITS != 8 && ELEM_BITS != 16) || X_BITS < 1 ||
		    X_BITS > ELEM_BITS || OUT_BITS < 1 || OUT_BITS > 16 || ACC_BITS < 2 || ACC_BITS > 48 || X_WORDS < 2 ||
		    X_WORDS > 65536 || (X_WORDS & (X_WORDS - 1)) != 0 || X_KIND < 0 || X_KIND > 4) begin : g_illegal
			mch_pooler_parameter_out_of_range u_error ();
		end
	endgenerate

	localparam X_LOG2 = $clog2(X_WORDS);
	// As in mch_lanes: rows are in words of a map, below 2^24 with their padding, so 26 bits, signed; columns in
	// [-255, 2^17 + 255 * 255): 19 bits, signed. Offsets of words that are read are below X_WORDS, so modulo that.
	localparam ROW_BITS = 26;
	localparam COL_BITS = 19;
	localparam N_BITS = 24;
	// 2^15 codes, and a sign.
	localparam SUM_BITS = X_BITS + 16;
	localparam RECIP_BITS = 17;
	localparam PROD_BITS = SUM_BITS + RECIP_BITS;
	localparam [31:0] N_ROWS = ROWS;
	localparam [6:0] LANE_LAST = N_ROWS[6:0] - 7'd1;
	localparam [4:0] DIVIDE_LAST = 5'd17, MULTIPLY_LAST = 5'd16;
	localparam [1:0] IDLE = 2'd0, DIVIDE = 2'd1, MULTIPLY = 2'd2;

	// The fields of the descriptor, in the widths in which they are used.
	wire mean = X_KIND == 0 && d_i[`MCH_D_OP] == `MCH_OP_MEAN;
	wire max = !mean;
	wire is_signed = d_i[`MCH_D_X0_SIGNED];
	wire [31:0] row_step = d_i[`MCH_D_ROW_STEP], tap_step = d_i[`MCH_D_TAP_STEP], pixels = d_i[`MCH_D_PIXELS];
	wire [31:0] map_words = d_i[`MCH_D_MAP_WORDS], count_words = d_i[`MCH_D_COUNT_WORDS];
	wire [31:0] pad_words = d_i[`MCH_D_PAD_WORDS];
	wire [7:0] kernel_r = d_i[`MCH_D_KERNEL_R], kernel_s = d_i[`MCH_D_KERNEL_S], stride = d_i[`MCH_D_STRIDE_W];
	wire [7:0] dilation = d_i[`MCH_D_DILATION_W], pad_left = d_i[`MCH_D_PAD_LEFT];
	wire [15:0] in_w = d_i[`MCH_D_IN_W], count_w = d_i[`MCH_D_COUNT_W], out_q = d_i[`MCH_D_OUT_Q];
	wire [15:0] y_blocks = d_i[`MCH_D_Y_BLOCKS], tiles = d_i[`MCH_D_TILES];
	wire shares = stride != 8'd0 && {1'b0, stride} + 9'd1 == {1'b0, kernel_s} && dilation == 8'd1;
	wire unused = &{1'b0, d_i, row_step, tap_step, pad_words, map_words, count_words, pixels, strip_start_i,
			strip_words_i, filled_i, xr_word_i};

	// Control.
	reg busy_q, walk_q;       // strips are left to walk, or one is walked; one is
	reg half_q;               // the half that holds it, or will hold the next
	reg v0_q, v1_q, v2_q;     // a position has its address; its word is there; column_q has it
	reg full_q;               // hold_q has a window's result
	reg cmd_valid_q, early_q; // a command waits; its first window is not in hold_q: what is there has had its own
	reg known_q;              // recip_q is that of count_q
	reg [1:0] step_q;         // what is done with a sum in hold_q
	reg [4:0] n_q;            // bits of quotient or reciprocal that are done with
	reg prod_q, param_q;      // product_q has a row; it waits for its parameters

	// The walk. p: the window's first position; s: that of the strip's first window.
	reg signed [ROW_BITS-1:0] row_q, prow_q, srow_q;
	reg signed [COL_BITS-1:0] col_q, pcol_q, scol_q;
	reg [15:0] q_q, sq_q;          // output column
	reg [7:0] r_q, s_q;
	reg [N_BITS-1:0] left_q, sleft_q; // pixels of the layer from this one on
	reg [6:0] lane_q;              // pixel of the tile
	reg [15:0] tile_q, y_q;
	reg begin_q;                   // the next position is the first of a tile
	reg [X_LOG2-1:0] base_q;       // y block's first word less start
	reg [31:0] addr_q, yaddr_q, saddr_q; // output word of the tile, of the y block's first pixel, of the strip's

	// Stage 0.
	reg [X_LOG2-1:0] off0_q;
	reg half0_q, end0_q;
	reg [7:0] tag0_q, tag1_q; // what goes with a position: see `tag`
	reg [7:3] tag2_q;

	// The window.
	reg signed [SUM_BITS-1:0] column_q [0:COLS-1]; // of the column that is walked
	reg signed [SUM_BITS-1:0] window_q [0:COLS-1]; // of its columns before; after its last position, of the last one
	reg signed [SUM_BITS-1:0] hold_q   [0:COLS-1];
	reg signed [PROD_BITS-1:0] product_q [0:COLS-1];
	reg [15:0] ccount_q, wcount_q, hcount_q; // positions that count, alike
	reg block_q;                             // hold_q is the first row of a y block
	reg [15:0] count_q;
	reg [16:0] rest_q;  // of the division; below twice the count
	reg [16:0] quot_q;
	reg [RECIP_BITS-1:0] recip_q;

	reg [31:0] cmd_addr_q;
	reg [6:0] cmd_words_q;

	// What moves.
	wire zero0 = tag0_q[0];
	wire r_first1 = tag1_q[2], r_last2 = tag2_q[3], s_first2 = tag2_q[4], last2 = tag2_q[5];
	wire commanded = full_q && (!cmd_valid_q || early_q);
	wire divided = step_q == DIVIDE && n_q == DIVIDE_LAST;
	wire multiplied = step_q == MULTIPLY && n_q == MULTIPLY_LAST;
	wire empties = mean ? multiplied : row_valid_o && row_ready_i;
	wire go2 = v2_q && (!last2 || !full_q || empties);
	wire go1 = v1_q && (!v2_q || go2);
	wire [X_LOG2:0] filled = half0_q ? filled_i[32 +: X_LOG2 + 1] : filled_i[0 +: X_LOG2 + 1];
	wire there = zero0 || {1'b0, off0_q} < filled;
	wire go0 = v0_q && there && (!v1_q || go1);
	wire enter = busy_q && !walk_q && strip_valid_i[half_q];
	wire go = walk_q && (!v0_q || go0) && !(begin_q && (cmd_valid_q || early_q));
	wire fills = go2 && last2;

	// The position.
	wire row_below = row_q[ROW_BITS-1] || row_q[ROW_BITS-2:0] < map_words[ROW_BITS-2:0];
	wire col_below = col_q[COL_BITS-1] || col_q[COL_BITS-2:0] < {2'b00, in_w};
	wire under = row_q[ROW_BITS-1] || col_q[COL_BITS-1];
	wire zero = under || !row_below || !col_below;
	wire counts = (row_q[ROW_BITS-1] || row_q[ROW_BITS-2:0] < count_words[ROW_BITS-2:0]) &&
		      (col_q[COL_BITS-1] || col_q[COL_BITS-2:0] < {2'b00, count_w}) &&
		      (d_i[`MCH_D_COUNT_PAD] || !under);
	wire r_last = r_q == kernel_r - 8'd1;
	wire s_last = s_q == kernel_s - 8'd1;
	wire w_last = r_last && s_last;
	wire q_last = q_q == out_q - 16'd1;
	wire layer_last = left_q == {{N_BITS-1{1'b0}}, 1'b1};
	wire t_last = lane_q == LANE_LAST;
	wire p_last = layer_last || (t_last && tile_q == tiles - 16'd1); // of the strip
	wire y_last = y_q == y_blocks - 16'd1;
	wire first_pixel = lane_q == 7'd0;
	wire [7:0] tag = {first_pixel && tile_q == 16'd0, first_pixel, w_last, s_q == 8'd0, r_last, r_q == 8'd0, counts,
			  zero};

	// The next window's first position; the column is where the walk goes on when it shares one.
	wire signed [ROW_BITS-1:0] nrow = q_last ? prow_q + row_step[ROW_BITS-1:0] : prow_q;
	wire signed [COL_BITS-1:0] ncol = q_last ? -{{COL_BITS-8{1'b0}}, pad_left}
						 : pcol_q + {{COL_BITS-8{1'b0}}, stride};
	wire [15:0] nq = q_last ? 16'd0 : q_q + 16'd1;
	wire keeps = shares && !q_last;
	wire [31:0] yaddr_next = yaddr_q + d_i[`MCH_D_Y_STEP];
	wire [X_LOG2-1:0] words = half_q ? strip_words_i[32 +: X_LOG2] : strip_words_i[0 +: X_LOG2];
	wire [X_LOG2-1:0] start = half_q ? strip_start_i[32 +: X_LOG2] : strip_start_i[0 +: X_LOG2];

	wire taken = sum_valid_o && sum_ready_i;
	wire reckoned = known_q && count_q == hcount_q;
	wire divides = step_q == IDLE && mean && full_q && !reckoned;
	wire multiplies = step_q == IDLE && mean && commanded && reckoned && (!prod_q || taken);

	assign done_o = !(busy_q || v0_q || v1_q || v2_q || full_q || prod_q || cmd_valid_q);
	assign wait_x_o = (v0_q && !there) || (busy_q && !walk_q && !strip_valid_i[half_q]);
	assign release_o = {go0 && end0_q && half0_q, go0 && end0_q && !half0_q};
	assign xr_en_o = go0 && !zero0;
	assign xr_addr_o = {half0_q, off0_q};
	assign param_o = param_q;
	assign sum_valid_o = prod_q && !param_q;
	assign row_valid_o = max && commanded;
	assign {cmd_valid_o, cmd_addr_o, cmd_words_o} = {cmd_valid_q, cmd_addr_q, cmd_words_q};

	always @(posedge clk_i or negedge rst_ni)
		if (!rst_ni) begin
			{busy_q, walk_q, half_q, v0_q, v1_q, v2_q, full_q, cmd_valid_q, early_q} <= 9'd0;
			{known_q, prod_q, param_q, step_q, n_q} <= 10'd0;
		end else if (clear_i) begin
			{busy_q, walk_q, half_q, v0_q, v1_q, v2_q, full_q, cmd_valid_q, early_q} <= 9'd0;
			{known_q, prod_q, param_q, step_q, n_q} <= 10'd0;
		end else begin
			if (start_i)
				busy_q <= 1'b1;
			if (skip_i)
				half_q <= !half_q;
			if (enter)
				walk_q <= 1'b1;
			if (go && w_last && p_last && y_last) begin
				walk_q <= 1'b0;
				half_q <= !half_q;
				busy_q <= !layer_last;
			end
			v0_q <= go || (v0_q && !go0);
			v1_q <= go0 || (v1_q && !go1);
			v2_q <= go1 || (v2_q && !go2);
			full_q <= fills || (full_q && !empties);
			cmd_valid_q <= (go && begin_q) || (cmd_valid_q && !cmd_ready_i);
			early_q <= (go && begin_q) || (early_q && !(fills && tag2_q[6]));
			if (divides || multiplies)
				step_q <= divides ? DIVIDE : MULTIPLY;
			else if (divided || multiplied)
				step_q <= IDLE;
			known_q <= divided || known_q;
			n_q <= step_q == IDLE ? 5'd0 : n_q + 5'd1;
			prod_q <= multiplied || (prod_q && !taken);
			param_q <= multiplies ? block_q : param_q && !param_ack_i;
		end

	// The walk.
	always @(posedge clk_i) begin
		if (start_i) begin
			srow_q  <= -pad_words[ROW_BITS-1:0];
			scol_q  <= -{{COL_BITS-8{1'b0}}, pad_left};
			sq_q    <= 16'd0;
			sleft_q <= pixels[N_BITS-1:0];
			saddr_q <= d_i[`MCH_D_Y_ADDR];
		end
		if (enter) begin
			y_q     <= 16'd0;
			base_q  <= -start;
			yaddr_q <= saddr_q;
			addr_q  <= saddr_q;
		end
		if (go) begin
			begin_q <= 1'b0;
			r_q     <= r_q + 8'd1;
			row_q   <= row_q + tap_step[ROW_BITS-1:0];
			if (r_last) begin
				r_q   <= 8'd0;
				row_q <= prow_q;
				s_q   <= s_q + 8'd1;
				col_q <= col_q + {{COL_BITS-8{1'b0}}, dilation};
			end
			if (w_last) begin
				prow_q  <= nrow;
				pcol_q  <= ncol;
				q_q     <= nq;
				row_q   <= nrow;
				s_q     <= {7'd0, keeps};
				if (!keeps)
					col_q <= ncol;
				left_q  <= left_q - 1'b1;
				lane_q  <= lane_q + 7'd1;
				if (t_last) begin
					lane_q  <= 7'd0;
					tile_q  <= tile_q + 16'd1;
					begin_q <= 1'b1;
					addr_q  <= addr_q + N_ROWS;
				end
			end
			if (w_last && p_last) begin
				y_q     <= y_q + 16'd1;
				base_q  <= base_q + words;
				yaddr_q <= yaddr_next;
				addr_q  <= yaddr_next;
				if (y_last) begin
					{srow_q, scol_q, sq_q, sleft_q} <= {nrow, ncol, nq, left_q - 1'b1};
					saddr_q <= saddr_q + d_i[`MCH_D_STRIP_PIXELS];
				end
			end
		end
		if (enter || (go && w_last && p_last)) begin // to the strip's first window
			{prow_q, pcol_q, q_q, left_q} <= {srow_q, scol_q, sq_q, sleft_q};
			{row_q, col_q} <= {srow_q, scol_q};
			{r_q, s_q, lane_q, tile_q, begin_q} <= {8'd0, 8'd0, 7'd0, 16'd0, 1'b1};
		end
	end

	always @(posedge clk_i) begin
		if (go) begin
			off0_q  <= base_q + row_q[X_LOG2-1:0] + col_q[X_LOG2-1:0];
			half0_q <= half_q;
			end0_q  <= w_last && p_last && y_last;
			tag0_q  <= tag;
			if (begin_q) begin
				cmd_addr_q  <= addr_q;
				cmd_words_q <= left_q < N_ROWS[N_BITS-1:0] ? left_q[6:0] : N_ROWS[6:0];
			end
		end
		if (go0)
			tag1_q <= tag0_q;
		if (go1)
			tag2_q <= tag1_q[7:3];
	end

	// b joins a: the larger or the sum, by one adder. Codes have fewer bits than sums, so their difference fits.
	function signed [SUM_BITS-1:0] join_of;
		input first, larger;
		input signed [SUM_BITS-1:0] a, b;
		reg signed [SUM_BITS-1:0] t;
		begin
			t = a + (b ^ {SUM_BITS{larger}}) + {{SUM_BITS-1{1'b0}}, larger};
			join_of = first || (larger && t[SUM_BITS-1]) ? b : larger ? a : t;
		end
	endfunction

	// A position outside of the map is no larger than any code, and adds nothing.
	wire low = max && is_signed;
	function signed [SUM_BITS-1:0] code_of;
		input outside, low_code, sign;
		input [X_BITS-1:0] code;
		code_of = outside ? {{SUM_BITS-X_BITS+1{low_code}}, {X_BITS-1{1'b0}}} :
			  {{SUM_BITS-X_BITS{sign & code[X_BITS-1]}}, code};
	endfunction

	genvar c;
	generate
		for (c = 0; c < COLS; c = c + 1) begin : g_lane
			// Of a negative minifloat the magnitude's bits are turned over: as two's complement it is a smaller number then,
			// the largest magnitude the smallest of all, and the same on the way out gives the code again.
			wire [X_BITS-1:0] in = xr_word_i[c*ELEM_BITS +: X_BITS];
			wire [X_BITS-1:0] in_turned = {X_BITS{X_KIND != 0 && is_signed && in[X_BITS-1]}} >> 1;
			wire [X_BITS-1:0] raw = in ^ in_turned;
			wire signed [SUM_BITS-1:0] code = code_of(tag1_q[0], low, is_signed, raw);
			wire signed [SUM_BITS-1:0] column = join_of(r_first1, max, column_q[c], code);
			wire signed [SUM_BITS-1:0] window = join_of(s_first2, max, window_q[c], column_q[c]);
			always @(posedge clk_i) begin
				if (go1)
					column_q[c] <= column;
				if (go2 && r_last2)
					window_q[c] <= last2 ? column_q[c] : window;
				if (fills)
					hold_q[c] <= window;
			end

			// One bit of the reciprocal a cycle, the lowest first: added at the top, and all moves down.
			wire signed [SUM_BITS-1:0] high = product_q[c][PROD_BITS-1:RECIP_BITS];
			wire signed [SUM_BITS-1:0] term = recip_q[0] ? hold_q[c] : {SUM_BITS{1'b0}};
			wire signed [SUM_BITS:0] added = {high[SUM_BITS-1], high} + {term[SUM_BITS-1], term};
			always @(posedge clk_i)
				if (multiplies)
					product_q[c] <= {PROD_BITS{1'b0}};
				else if (step_q == MULTIPLY)
					product_q[c] <= {added, product_q[c][RECIP_BITS-1:1]};

			wire [OUT_BITS-1:0] out_turned = {OUT_BITS{X_KIND != 0 && is_signed && hold_q[c][OUT_BITS-1]}} >> 1;
			assign row_o[c*OUT_BITS +: OUT_BITS] = hold_q[c][OUT_BITS-1:0] ^ out_turned;
			wire [PROD_BITS+ACC_BITS-1:0] wide = {{ACC_BITS{product_q[c][PROD_BITS-1]}}, product_q[c]};
			wire unused_top = &{1'b0, wide};
			assign sum_o[c*ACC_BITS +: ACC_BITS] = wide[ACC_BITS-1:0];
		end
	endgenerate

	// Positions that count, joined like the sums.
	wire [15:0] ccount = (r_first1 ? 16'd0 : ccount_q) + {15'd0, tag1_q[1]};
	wire [15:0] wcount = (s_first2 ? 16'd0 : wcount_q) + ccount_q;
	always @(posedge clk_i) begin
		if (go1)
			ccount_q <= ccount;
		if (go2 && r_last2)
			wcount_q <= last2 ? ccount_q : wcount;
		if (fills) begin
			hcount_q <= wcount;
			block_q  <= tag2_q[7];
		end
	end

	// recip = (floor(2^17 / count) + 1) / 2: 18 bits of quotient, the highest first. It turns while it is used.
	wire fits = rest_q >= {1'b0, count_q};
	wire [15:0] rest = fits ? rest_q[15:0] - count_q : rest_q[15:0];
	wire [17:0] quot = {quot_q, fits};
	always @(posedge clk_i) begin
		if (divides) begin
			count_q <= hcount_q;
			rest_q  <= 17'd1;
			quot_q  <= 17'd0;
		end else if (step_q == DIVIDE) begin
			rest_q  <= {rest, 1'b0};
			quot_q  <= quot[16:0];
			recip_q <= quot[17:1] + {16'd0, quot[0]};
		end else if (step_q == MULTIPLY)
			recip_q <= {recip_q[0], recip_q[RECIP_BITS-1:1]};
	end

endmodule

`default_nettype wire
