// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors

// mch_store: commands and rows of codes in, words in bursts on the AXI4 write channels out.
// Twin: cmodel/arch/store.c, register for register. Spec: docs/accelerator.md "store".
//
// Latency: a burst is on AW one edge after the one that takes its last row, its first beat on W one edge later (two,
// where beats are wider than words). Throughput: one word or one beat per cycle, whichever is more cycles.
// All outputs but error_o, beat_o and idle_o depend on registers alone.

`default_nettype none

module mch_store #(
	parameter ROWS      = 16,   // 1..64
	parameter COLS      = 16,   // COLS * ELEM_BITS: a power of two, 32..1024, at most BURST beats
	parameter ELEM_BITS = 8,    // 8, 16
	parameter OUT_BITS  = 8,    // 1..ELEM_BITS
	parameter MEM_BITS  = 128,  // 64..512, a power of two
	parameter ADDR_BITS = 32,   // 16..32: of a byte address
	parameter DEPTH     = 64,   // words, a power of two, 64..1024
	parameter BURST     = 16    // 2..16, a power of two: bursts end at multiples of so many beats
) (
	input  wire                     clk_i,
	input  wire                     rst_ni,
	input  wire                     clear_i,      // only while idle_o
	input  wire                     stop_i,       // until clear_i: no new burst; commands and rows are taken and dropped

	input  wire                     cmd_valid_i,
	output wire                     cmd_ready_o,
	input  wire [31:0]              cmd_addr_i,   // of a word
	input  wire [6:0]               cmd_words_i,  // 1..64; with cmd_rows_i at most ROWS
	input  wire                     cmd_rows_i,   // 1: ROWS rows come, those behind `words` are dropped; 0: `words` rows

	input  wire                     row_valid_i,
	output wire                     row_ready_o,  // only where a command is there
	input  wire [COLS*OUT_BITS-1:0] row_i,
	input  wire                     row_signed_i, // how codes are extended

	output wire                     awvalid_o,
	input  wire                     awready_i,
	output wire [ADDR_BITS-1:0]     awaddr_o,
	output wire [7:0]               awlen_o,
	output wire [2:0]               awsize_o,
	output wire [1:0]               awburst_o,
	output wire                     wvalid_o,
	input  wire                     wready_i,
	output wire [MEM_BITS-1:0]      wdata_o,
	output wire [MEM_BITS/8-1:0]    wstrb_o,
	output wire                     wlast_o,
	input  wire                     bvalid_i,
	output wire                     bready_o,
	input  wire [1:0]               bresp_i,

	output wire                     beat_o,       // a beat is taken in this cycle
	output wire                     error_o,      // the write answered in this cycle failed
	output wire                     idle_o        // no command, no word, no open write; while stopped: no open write
);

	localparam WORD_BITS = COLS * ELEM_BITS;
	generate
		if (ROWS < 1 || ROWS > 64 || COLS < 1 || COLS > 64 || (ELEM_BITS != 8 && ELEM_BITS != 16) || OUT_BITS < 1 ||
		    OUT_BITS > ELEM_BITS) begin : g_illegal
			mch_store_parameter_out_of_range u_error ();
		end
		if (MEM_BITS < 64 || MEM_BITS > 512 || (MEM_BITS & (MEM_BITS - 1)) != 0) begin : g_illegal_mem
			mch_store_needs_MEM_BITS_64_128_256_or_512 u_error ();
		end
		if (WORD_BITS < 32 || WORD_BITS > 1024 || (WORD_BITS & (WORD_BITS - 1)) != 0 || WORD_BITS > BURST * MEM_BITS)
		begin : g_illegal_word
			mch_store_needs_a_word_of_a_power_of_two_of_32_to_1024_bits_and_within_a_burst u_error ();
		end
		if (ADDR_BITS < 16 || ADDR_BITS > 32) begin : g_illegal_addr
			mch_store_needs_ADDR_BITS_16_to_32 u_error ();
		end
		if (DEPTH < 64 || DEPTH > 1024 || (DEPTH & (DEPTH - 1)) != 0 || BURST < 2 || BURST > 16 ||
		    (BURST & (BURST - 1)) != 0) begin : g_illegal_depth
			mch_store_needs_powers_of_two_DEPTH_64_to_1024_and_BURST_2_to_16 u_error ();
		end
	endgenerate

	localparam WIDE      = MEM_BITS > WORD_BITS;
	localparam RATIO     = WIDE ? MEM_BITS / WORD_BITS : 1;  // words of a beat: 1..16
	localparam PARTS     = WIDE ? 1 : WORD_BITS / MEM_BITS;  // beats of a word: 1..16
	localparam RATIO_LOG = $clog2(RATIO);
	localparam PARTS_LOG = $clog2(PARTS);
	localparam WORD_LOG  = $clog2(WORD_BITS / 8);
	localparam [31:0] MEM_LOG = $clog2(MEM_BITS / 8);
	localparam DEPTH_LOG = $clog2(DEPTH);
	localparam [DEPTH_LOG:0] FULL = DEPTH[DEPTH_LOG:0];
	localparam [31:0] N_COMMANDS = 4, N_BURSTS = 4, N_OPEN = 16;

	// A burst ends where the words' addresses are a multiple of this; 1..256.
	localparam [31:0] BURST_WORDS = BURST * RATIO / PARTS;
	localparam [31:0] LAST_WORD = BURST_WORDS - 1, LAST_ROW = ROWS - 1, LAST_SLOT = RATIO - 1, LAST_PART = PARTS - 1;

	reg stop_q;

	// Commands that wait for their rows; the oldest is at get.
	reg [39:0] command_q [0:3]; // addr, words, rows
	reg [1:0]  cmd_put_q, cmd_get_q;
	reg [2:0]  commands_q;
	wire [39:0] command  = command_q[cmd_get_q];
	wire        cmd_take = cmd_valid_i && cmd_ready_o && !stop_q;
	assign cmd_ready_o = stop_q || commands_q != N_COMMANDS[2:0];

	// Rows. The current word's address goes along in at_q, the place of its burst's first word in from_q.
	reg [DEPTH_LOG:0] words_q;  // in the FIFO, the RAM's output apart
	reg [2:0]         bursts_q; // whole in the FIFO, not yet on AW
	reg [5:0]         row_q;    // of the command
	reg [5:0]         n_q;      // words of the burst before this one
	reg [31:0]        at_q, from_q;
	wire [31:0] at       = row_q == 6'd0 ? command[39:8] : at_q;
	wire [31:0] from     = n_q == 6'd0 ? at : from_q;
	wire [6:0]  row_next = {1'b0, row_q} + 7'd1;
	wire        row_take = row_valid_i && row_ready_o && !stop_q;
	wire        push     = row_take && {1'b0, row_q} < command[7:1];
	wire        row_ends = command[0] ? row_q == LAST_ROW[5:0] : row_next == command[7:1];
	wire        push_last = row_next == command[7:1] || (at & LAST_WORD) == LAST_WORD;
	assign row_ready_o = stop_q || (commands_q != 3'd0 && words_q != FULL && bursts_q != N_BURSTS[2:0]);

	// Bursts that are whole: address of the first word, words less one.
	reg [37:0] burst_q [0:3];
	reg [1:0]  burst_put_q, burst_get_q;
	wire [37:0] burst       = burst_q[burst_get_q];
	wire [31:0] burst_first = burst[37:6];
	wire        burst_put   = push && push_last;

	// AW. A burst that is in the register is open.
	reg         awvalid_q;
	reg [31:0]  awaddr_q; // of the first word
	reg [7:0]   awlen_q;
	reg [4:0]   open_q;
	wire        launch = bursts_q != 3'd0 && (!awvalid_q || awready_i) && open_q != N_OPEN[4:0] && !stop_i;
	wire [31:0] first_beat = (burst_first & LAST_WORD) >> RATIO_LOG;
	wire [31:0] last_beat  = ((burst_first & LAST_WORD) + {26'd0, burst[5:0]}) >> RATIO_LOG;
	wire [31:0] beats      = ((last_beat - first_beat) << PARTS_LOG) + LAST_PART;
	assign awvalid_o = awvalid_q;
	assign awlen_o   = awlen_q;
	assign awburst_o = 2'b01;
	assign bready_o  = 1'b1;
	assign error_o   = bvalid_i && bresp_i[1];
	wire [31:0] awaddr   = (awaddr_q & ~LAST_SLOT) << WORD_LOG;
	assign awsize_o  = MEM_LOG[2:0];
	assign awaddr_o  = awaddr[ADDR_BITS-1:0];

	// W. Words whose burst is on AW may be read.
	reg [DEPTH_LOG:0] ready_q;
	wire read;
	wire [DEPTH_LOG:0] launched = launch ? {{(DEPTH_LOG-5){1'b0}}, burst[5:0]} + 1'b1 : {(DEPTH_LOG+1){1'b0}};
	reg [DEPTH_LOG-1:0] put_q, get_q;

	assign idle_o = open_q == 5'd0 && (stop_i || (commands_q == 3'd0 && words_q == 0 && bursts_q == 3'd0));

	always @(posedge clk_i or negedge rst_ni)
		if (!rst_ni) begin
			stop_q      <= 1'b0;
			cmd_put_q   <= 2'd0;
			cmd_get_q   <= 2'd0;
			commands_q  <= 3'd0;
			row_q       <= 6'd0;
			n_q         <= 6'd0;
			burst_put_q <= 2'd0;
			burst_get_q <= 2'd0;
			bursts_q    <= 3'd0;
			awvalid_q   <= 1'b0;
			open_q      <= 5'd0;
			put_q       <= {DEPTH_LOG{1'b0}};
			get_q       <= {DEPTH_LOG{1'b0}};
			words_q     <= {(DEPTH_LOG+1){1'b0}};
			ready_q     <= {(DEPTH_LOG+1){1'b0}};
		end else if (clear_i) begin
			stop_q      <= 1'b0;
			cmd_put_q   <= 2'd0;
			cmd_get_q   <= 2'd0;
			commands_q  <= 3'd0;
			row_q       <= 6'd0;
			n_q         <= 6'd0;
			burst_put_q <= 2'd0;
			burst_get_q <= 2'd0;
			bursts_q    <= 3'd0;
			awvalid_q   <= 1'b0;
			open_q      <= 5'd0;
			put_q       <= {DEPTH_LOG{1'b0}};
			get_q       <= {DEPTH_LOG{1'b0}};
			words_q     <= {(DEPTH_LOG+1){1'b0}};
			ready_q     <= {(DEPTH_LOG+1){1'b0}};
		end else begin
			stop_q     <= stop_i;
			cmd_put_q  <= cmd_put_q + {1'b0, cmd_take};
			cmd_get_q  <= cmd_get_q + {1'b0, row_take && row_ends};
			commands_q <= commands_q + {2'd0, cmd_take} - {2'd0, row_take && row_ends};
			if (row_take)
				row_q <= row_ends ? 6'd0 : row_next[5:0];
			if (push)
				n_q <= push_last ? 6'd0 : n_q + 6'd1;
			burst_put_q <= burst_put_q + {1'b0, burst_put};
			burst_get_q <= burst_get_q + {1'b0, launch};
			bursts_q    <= bursts_q + {2'd0, burst_put} - {2'd0, launch};
			awvalid_q   <= launch || (awvalid_q && !awready_i);
			open_q      <= open_q + {4'd0, launch} - {4'd0, bvalid_i};
			put_q       <= put_q + {{(DEPTH_LOG-1){1'b0}}, push};
			get_q       <= get_q + {{(DEPTH_LOG-1){1'b0}}, read};
			words_q     <= words_q + {{DEPTH_LOG{1'b0}}, push} - {{DEPTH_LOG{1'b0}}, read};
			ready_q     <= ready_q + launched - {{DEPTH_LOG{1'b0}}, read};
		end

	always @(posedge clk_i) begin
		if (cmd_take)
			command_q[cmd_put_q] <= {cmd_addr_i, cmd_words_i, cmd_rows_i};
		if (push) begin
			at_q   <= at + 32'd1;
			from_q <= from;
		end
		if (burst_put)
			burst_q[burst_put_q] <= {from, n_q};
		if (launch) begin
			awaddr_q <= burst_first;
			awlen_q  <= beats[7:0];
		end
	end

	// Codes become elements on the way in.
	wire [WORD_BITS-1:0] word;
	genvar j;
	generate
		for (j = 0; j < COLS; j = j + 1) begin : g_element
			assign word[j*ELEM_BITS +: OUT_BITS] = row_i[j*OUT_BITS +: OUT_BITS];
			if (ELEM_BITS > OUT_BITS) begin : g_extend
				assign word[j*ELEM_BITS + OUT_BITS +: ELEM_BITS - OUT_BITS] =
					{(ELEM_BITS-OUT_BITS){row_signed_i && row_i[j*OUT_BITS + OUT_BITS - 1]}};
			end else begin : g_full
				wire unused = &{1'b0, row_signed_i};
			end
		end
	endgenerate

	// The FIFO: a word, its flag `last of the burst`, its place in the beat.
	localparam SLOT_BITS = WIDE ? RATIO_LOG : 1;
	reg [SLOT_BITS+WORD_BITS:0] fifo [0:DEPTH-1];
	reg [SLOT_BITS+WORD_BITS:0] fifo_q;
	always @(posedge clk_i) begin
		if (push)
			fifo[put_q] <= {at[SLOT_BITS-1:0], push_last, word};
		if (read)
			fifo_q <= fifo[get_q];
	end
	wire [WORD_BITS-1:0] fifo_word = fifo_q[WORD_BITS-1:0];
	wire                 fifo_last = fifo_q[WORD_BITS];
	reg                  fifo_valid_q;

	wire word_out; // the word at the RAM's output goes on
	assign read = ready_q != 0 && (!fifo_valid_q || word_out);
	always @(posedge clk_i or negedge rst_ni)
		if (!rst_ni)
			fifo_valid_q <= 1'b0;
		else if (clear_i)
			fifo_valid_q <= 1'b0;
		else
			fifo_valid_q <= read || (fifo_valid_q && !word_out);

	assign beat_o = wvalid_o && wready_i;
	generate
		if (WIDE) begin : g_wide
			// Words are collected in a beat.
			reg                  wvalid_q, wlast_q;
			reg [MEM_BITS-1:0]   wdata_q;
			reg [RATIO-1:0]      have_q; // words that the beat has
			wire [SLOT_BITS-1:0] slot = fifo_q[WORD_BITS+1 +: SLOT_BITS];
			wire                 gone = wvalid_q && wready_i;
			wire [RATIO-1:0]     kept = wvalid_q ? {RATIO{1'b0}} : have_q;
			assign word_out = fifo_valid_q && (!wvalid_q || wready_i);
			always @(posedge clk_i or negedge rst_ni)
				if (!rst_ni) begin
					wvalid_q <= 1'b0;
					have_q   <= {RATIO{1'b0}};
				end else if (clear_i) begin
					wvalid_q <= 1'b0;
					have_q   <= {RATIO{1'b0}};
				end else if (word_out) begin
					wvalid_q <= fifo_last || slot == LAST_SLOT[SLOT_BITS-1:0];
					have_q   <= kept | ({{(RATIO-1){1'b0}}, 1'b1} << slot);
				end else if (gone) begin
					wvalid_q <= 1'b0;
					have_q   <= {RATIO{1'b0}};
				end
			// Slot by slot: an indexed part would become a shifter, and one of its mask, as wide as the beat.
			integer i;
			always @(posedge clk_i)
				if (word_out) begin
					for (i = 0; i < RATIO; i = i + 1)
						if (slot == i[SLOT_BITS-1:0])
							wdata_q[i*WORD_BITS +: WORD_BITS] <= fifo_word;
					wlast_q <= fifo_last;
				end
			assign wvalid_o = wvalid_q;
			assign wdata_o  = wdata_q;
			assign wlast_o  = wlast_q;
			genvar k;
			for (k = 0; k < RATIO; k = k + 1) begin : g_strobe
				assign wstrb_o[k*WORD_BITS/8 +: WORD_BITS/8] = {WORD_BITS/8{have_q[k]}};
			end
		end else begin : g_narrow
			// The RAM's output is the beat, or holds PARTS of them.
			wire slot_unused = fifo_q[WORD_BITS+1];
			wire unused = &{1'b0, slot_unused};
			assign wvalid_o = fifo_valid_q;
			assign wstrb_o  = {MEM_BITS/8{1'b1}};
			if (PARTS == 1) begin : g_equal
				assign word_out = fifo_valid_q && wready_i;
				assign wdata_o  = fifo_word;
				assign wlast_o  = fifo_last;
			end else begin : g_parts
				localparam PART_BITS = $clog2(PARTS);
				reg [PART_BITS-1:0] part_q;
				wire part_last = part_q == LAST_PART[PART_BITS-1:0];
				assign word_out = fifo_valid_q && wready_i && part_last;
				assign wdata_o  = fifo_word[part_q*MEM_BITS +: MEM_BITS];
				assign wlast_o  = fifo_last && part_last;
				always @(posedge clk_i or negedge rst_ni)
					if (!rst_ni)
						part_q <= {PART_BITS{1'b0}};
					else if (clear_i)
						part_q <= {PART_BITS{1'b0}};
					else if (beat_o)
						part_q <= part_q + 1'b1;
			end
		end
	endgenerate

	wire unused = &{1'b0, beats, awaddr, LAST_ROW, LAST_SLOT, LAST_PART, MEM_LOG, N_COMMANDS, N_BURSTS, N_OPEN, bresp_i[0]};
endmodule

`default_nettype wire
