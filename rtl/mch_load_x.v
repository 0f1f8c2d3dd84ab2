// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors

// mch_load_x: fills the halves of the feature buffer with the strips of a layer, in turn, ahead of their use.
// Twin: cmodel/arch/load_x.c, register for register. Spec: docs/accelerator.md "load_x".
//
// Latency: a layer's first strip is asked for 12 edges after that of start_i; a next one 3 edges after the last burst
// of the one before it and at least 11 after its first request, when its half is free: one adder reckons its start and
// end while the one before is asked for. Throughput: req_valid_o stands from the first word of a strip to its
// last, so a burst a cycle; words land one a cycle.
// req_*, strip_* and done_o depend on registers alone.

`default_nettype none
`include "mch_map.vh"

module mch_load_x #(
	parameter X_WORDS = 2048 // words of a half: a power of two, 2..32768 (what req_words_o can say)
) (
	input  wire                     clk_i,
	input  wire                     rst_ni,
	input  wire                     clear_i,

	input  wire                     start_i,
	input  wire [1023:0]            d_i,
	input  wire                     go_i,
	output wire                     done_o,
	output wire                     overflow_o,

	// mch_read
	output wire                     req_valid_o,
	output wire [31:0]              req_addr_o,
	output wire [15:0]              req_words_o,
	input  wire                     take_i,
	input  wire [15:0]              take_words_i,
	input  wire                     word_valid_i,

	// the buffer's write port; the word goes past this module
	output wire                     xw_en_o,
	output wire [$clog2(X_WORDS):0] xw_addr_o,

	// strips, that of half 0 in the low bits
	output wire [1:0]               strip_valid_o,
	output wire [63:0]              strip_start_o,
	output wire [63:0]              strip_words_o,
	output wire [63:0]              filled_o,
	input  wire [1:0]               release_i
);

	localparam LOG = $clog2(X_WORDS);

	generate
		if (X_WORDS < 2 || X_WORDS > 32768 || X_WORDS != (1 << LOG)) begin : g_illegal
			mch_load_x_needs_X_WORDS_a_power_of_two_of_2_to_32768 u_error ();
		end
	endgenerate

	// The strip after the one being asked for, step by step. From ADDR0 on the steps wait for the asking.
	localparam [3:0] IDLE = 0, PAD = 1, LEFT = 2, START = 3, ROWS = 4, WRAP = 5, REACH = 6, BACK = 7, END = 8,
		WORDS = 9, ADDR0 = 10, ADDR1 = 11, OPEN = 12, STOP = 13;
	reg [3:0] step_q;
	// Row words of the strip's (from ROWS on: the next one's) first pixel, less PAD_WORDS, and the end. Fields are 32
	// bits, unsigned: the difference of two takes 33 bits, signed, and with a third added 34.
	reg [33:0] low_q, high_q;
	reg [31:0] from_q, left_q; // start; pixels that follow the strip
	reg [16:0] column_q;       // of the next strip's first pixel; before WRAP up to twice OUT_Q
	reg last_q;

	// Asking. The half in use is !next_q; the strip before it, if words of it are still to land, has next_q.
	reg next_q, ask_q, second_q, overflow_q;
	reg [1:0] valid_q;
	reg [31:0] addr_q, block_q, other_q; // next word; first word of this block, and of the second tensor
	reg [15:0] blocks_q;                 // of this tensor, this one included
	reg [LOG:0] run_q, asked_q, total_q; // words of the block to ask for; of the blocks begun; of the strip before
	reg [31:0] start_q [0:1];
	reg [LOG:0] words_q [0:1], filled_q [0:1];

	// One adder for all steps: a + b, or a - b as a + ~b + 1.
	reg [33:0] a;
	reg [31:0] b;
	always @* begin
		case (step_q)
			LEFT: a = {2'b00, left_q};
			START, ROWS, WRAP, REACH: a = low_q;
			BACK, END, WORDS: a = high_q;
			ADDR0: a = {2'b00, d_i[`MCH_D_X0_ADDR]};
			ADDR1: a = {2'b00, d_i[`MCH_D_X1_ADDR]};
			default: a = 34'd0;
		endcase
		case (step_q)
			LEFT: b = d_i[`MCH_D_STRIP_PIXELS];
			START, END: b = d_i[`MCH_D_MAP_WORDS];
			ROWS: b = d_i[`MCH_D_STRIP_ROWS];
			WRAP, BACK: b = d_i[`MCH_D_ROW_STEP];
			REACH: b = d_i[`MCH_D_REACH];
			WORDS, ADDR0, ADDR1: b = from_q;
			default: b = d_i[`MCH_D_PAD_WORDS];
		endcase
	end
	wire minus = step_q == PAD || step_q == LEFT || step_q == START || step_q == BACK || step_q == END ||
		step_q == WORDS;
	wire [33:0] sum;
	wire unused_carry;
	assign {sum, unused_carry} = {a, 1'b1} + {{2'b00, b} ^ {34{minus}}, minus};

	// The next column: one step of STRIP_Q is less than OUT_Q, so OUT_Q is passed at most once.
	wire [17:0] turned = {1'b0, column_q} - {2'b00, d_i[`MCH_D_OUT_Q]};

	wire old = filled_q[next_q] != total_q;
	wire open = step_q == OPEN && go_i && !valid_q[next_q] && !old;
	wire too_long = high_q[33:LOG+1] != 0 || (high_q[LOG] && high_q[LOG-1:0] != 0);
	wire begins = open && !too_long;

	wire [LOG:0] words = words_q[!next_q];
	wire [LOG+1:0] more = {1'b0, asked_q} + {1'b0, words};
	wire fits = !more[LOG+1] && !(more[LOG] && more[LOG-1:0] != 0);
	wire tensor_ends = blocks_q == 16'd1;
	wire strip_ends = tensor_ends && !second_q;
	wire whole = take_i && take_words_i == req_words_o;
	wire bursts = whole && !strip_ends && !fits;
	wire [31:0] following = tensor_ends ? other_q : block_q + d_i[`MCH_D_X_STEP];

	wire land = old ? next_q : !next_q;
	wire [LOG:0] landing = filled_q[land];

	always @(posedge clk_i or negedge rst_ni)
		if (!rst_ni) begin
			step_q      <= IDLE;
			next_q      <= 1'b0;
			ask_q       <= 1'b0;
			overflow_q  <= 1'b0;
			valid_q     <= 2'b00;
			asked_q     <= {(LOG+1){1'b0}};
			total_q     <= {(LOG+1){1'b0}};
			filled_q[0] <= {(LOG+1){1'b0}};
			filled_q[1] <= {(LOG+1){1'b0}};
		end else if (clear_i) begin
			step_q      <= IDLE;
			next_q      <= 1'b0;
			ask_q       <= 1'b0;
			overflow_q  <= 1'b0;
			valid_q     <= 2'b00;
			asked_q     <= {(LOG+1){1'b0}};
			total_q     <= {(LOG+1){1'b0}};
			filled_q[0] <= {(LOG+1){1'b0}};
			filled_q[1] <= {(LOG+1){1'b0}};
		end else begin
			case (step_q)
				IDLE: if (start_i) step_q <= PAD;
				ADDR0: if (!ask_q) step_q <= ADDR1;
				OPEN: if (open) step_q <= too_long ? STOP : last_q ? IDLE : LEFT;
				STOP: ;
				default: step_q <= step_q + 4'd1;
			endcase
			if (bursts)
				step_q <= STOP;
			overflow_q <= bursts || (open && too_long);
			valid_q <= (valid_q & ~release_i) | {begins && next_q, begins && !next_q};
			if (word_valid_i)
				filled_q[land] <= landing + 1'b1;
			if (begins) begin
				filled_q[next_q] <= {(LOG+1){1'b0}};
				asked_q          <= high_q[LOG:0];
				total_q          <= asked_q;
				next_q           <= !next_q;
				ask_q            <= high_q[LOG:0] != 0;
			end
			if (whole) begin
				ask_q <= !strip_ends && fits;
				if (!strip_ends && fits)
					asked_q <= more[LOG:0];
			end
		end

	always @(posedge clk_i)
		case (step_q)
			IDLE: if (start_i) begin
				left_q   <= d_i[`MCH_D_PIXELS];
				column_q <= 17'd0;
			end
			PAD: low_q <= sum;
			LEFT: begin
				left_q <= sum[31:0];
				last_q <= sum[33] || sum == 0;
			end
			START: from_q <= low_q[33] ? 32'd0 : sum[33] ? low_q[31:0] : d_i[`MCH_D_MAP_WORDS];
			ROWS: begin
				low_q    <= sum;
				column_q <= column_q + {1'b0, d_i[`MCH_D_STRIP_Q]};
			end
			WRAP: if (!turned[17]) begin
				low_q    <= sum;
				column_q <= turned[16:0];
			end
			REACH: high_q <= sum;
			// The strip's last pixel is the one before the next strip's first: a row above, when that begins a row.
			BACK: if (column_q == 0) high_q <= sum;
			END: if (last_q || !sum[33]) high_q <= {2'b00, d_i[`MCH_D_MAP_WORDS]};
			// An end before the start is one at the start.
			WORDS: high_q <= sum[33] ? 34'd0 : sum;
			ADDR1: other_q <= sum[31:0];
			default: ;
		endcase

	always @(posedge clk_i) begin
		if (step_q == ADDR0 && !ask_q) begin
			addr_q  <= sum[31:0];
			block_q <= sum[31:0];
		end
		if (begins) begin
			start_q[next_q] <= from_q;
			words_q[next_q] <= high_q[LOG:0];
			run_q           <= high_q[LOG:0];
			blocks_q        <= d_i[`MCH_D_X0_BLOCKS];
			second_q        <= d_i[`MCH_D_X1_BLOCKS] != 0;
		end
		if (whole) begin
			addr_q   <= following;
			block_q  <= following;
			run_q    <= words;
			blocks_q <= tensor_ends ? d_i[`MCH_D_X1_BLOCKS] : blocks_q - 16'd1;
			second_q <= second_q && !tensor_ends;
		end else if (take_i) begin
			addr_q <= addr_q + {16'd0, take_words_i};
			run_q  <= run_q - take_words_i[LOG:0];
		end
	end

	assign done_o        = step_q == IDLE && !ask_q;
	assign overflow_o    = overflow_q;
	assign req_valid_o   = ask_q;
	assign req_addr_o    = addr_q;
	assign req_words_o   = {{(15-LOG){1'b0}}, run_q};
	assign xw_en_o       = word_valid_i;
	assign xw_addr_o     = {land, landing[LOG-1:0]};
	assign strip_valid_o = valid_q;
	assign strip_start_o = {start_q[1], start_q[0]};
	assign strip_words_o = {{(31-LOG){1'b0}}, words_q[1], {(31-LOG){1'b0}}, words_q[0]};
	assign filled_o      = {{(31-LOG){1'b0}}, filled_q[1], {(31-LOG){1'b0}}, filled_q[0]};

	wire unused = &{1'b0, d_i, take_words_i, landing, unused_carry};

endmodule

`default_nettype wire
