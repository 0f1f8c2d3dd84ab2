// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors

// mch_load_w: streams a layer's weights into the ring, anew for every strip, as far ahead as the ring has room.
// Twin: cmodel/arch/load_w.c, register for register. Spec: docs/accelerator.md "load_w".
//
// Latency: the first burst is asked for from the edge of start_i on; a word counts in fill_o from the edge that
// writes it. Throughput: a burst a cycle, also from strip to strip; a word lands, and any are released, each cycle.
// req_*, fill_o and done_o depend on registers alone.

`default_nettype none
`include "mch_map.vh"

module mch_load_w #(
	parameter W_WORDS     = 1024, // of the ring: a power of two, 2..32768, two bursts or more
	parameter BURST_WORDS = 16    // of a full burst of mch_read
) (
	input  wire                       clk_i,
	input  wire                       rst_ni,
	input  wire                       clear_i,

	input  wire                       start_i,
	input  wire [1023:0]              d_i,
	output wire                       done_o,

	// mch_read
	output wire                       req_valid_o,
	output wire [31:0]                req_addr_o,
	output wire [15:0]                req_words_o,
	input  wire                       take_i,
	input  wire [15:0]                take_words_i,
	input  wire                       word_valid_i,

	// the ring's write port; the word goes past this module
	output wire                       ww_en_o,
	output wire [$clog2(W_WORDS)-1:0] ww_addr_o,

	output wire [$clog2(W_WORDS):0]   fill_o,
	input  wire                       release_i,
	input  wire [$clog2(W_WORDS):0]   release_words_i // at most fill_o
);

	localparam LOG = $clog2(W_WORDS);
	localparam [15:0] BURST = BURST_WORDS[15:0];
	localparam [LOG:0] FULL = {1'b1, {LOG{1'b0}}};

	generate
		if (W_WORDS < 2 || W_WORDS > 32768 || W_WORDS != (1 << LOG)) begin : g_illegal
			mch_load_w_needs_W_WORDS_a_power_of_two_of_2_to_32768 u_error ();
		end
		if (BURST_WORDS < 1 || 2 * BURST_WORDS > W_WORDS) begin : g_shallow
			mch_load_w_needs_W_WORDS_of_two_bursts_of_BURST_WORDS u_error ();
		end
	endgenerate

	reg busy_q;
	reg [31:0] addr_q, run_q;  // next word; words of the strip to ask for
	reg [31:0] left_q;         // pixels, those of this strip included
	reg [LOG:0] used_q;        // words of the ring that are asked for, or landed and not released
	reg [LOG:0] fill_q;
	reg [LOG-1:0] write_q;

	// mch_read takes a burst at most, so to ask for more would only need more room.
	wire [15:0] ask = run_q < {16'd0, BURST} ? run_q[15:0] : BURST;
	wire room = FULL - used_q >= ask[LOG:0];
	wire whole = take_i && run_q == {16'd0, take_words_i};
	// Pixels after this strip; none or less when it is the last.
	wire [32:0] after = {1'b0, left_q} - {1'b0, d_i[`MCH_D_STRIP_PIXELS]};
	wire last = after[32] || after == 0;

	wire [LOG:0] taken = take_i ? take_words_i[LOG:0] : {(LOG+1){1'b0}};
	wire [LOG:0] freed = release_i ? release_words_i : {(LOG+1){1'b0}};

	always @(posedge clk_i or negedge rst_ni)
		if (!rst_ni) begin
			busy_q  <= 1'b0;
			used_q  <= {(LOG+1){1'b0}};
			fill_q  <= {(LOG+1){1'b0}};
			write_q <= {LOG{1'b0}};
		end else if (clear_i) begin
			busy_q  <= 1'b0;
			used_q  <= {(LOG+1){1'b0}};
			fill_q  <= {(LOG+1){1'b0}};
			write_q <= {LOG{1'b0}};
		end else begin
			if (start_i)
				busy_q <= d_i[`MCH_D_W_WORDS] != 0;
			else if (whole && last)
				busy_q <= 1'b0;
			used_q <= used_q + taken - freed;
			fill_q <= fill_q + {{LOG{1'b0}}, word_valid_i} - freed;
			if (word_valid_i)
				write_q <= write_q + 1'b1;
		end

	always @(posedge clk_i)
		if (start_i || whole) begin
			addr_q <= d_i[`MCH_D_W_ADDR];
			run_q  <= d_i[`MCH_D_W_WORDS];
			left_q <= start_i ? d_i[`MCH_D_PIXELS] : after[31:0];
		end else if (take_i) begin
			addr_q <= addr_q + {16'd0, take_words_i};
			run_q  <= run_q - {16'd0, take_words_i};
		end

	assign done_o      = !busy_q;
	assign req_valid_o = busy_q && room;
	assign req_addr_o  = addr_q;
	assign req_words_o = ask;
	assign ww_en_o     = word_valid_i;
	assign ww_addr_o   = write_q;
	assign fill_o      = fill_q;

	wire unused = &{1'b0, d_i, take_words_i, ask};

endmodule

`default_nettype wire
