// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors

// mch_read: three requesters share the AXI4 read port; runs of words in, bursts out, words back in the bursts' order.
// Twin: cmodel/arch/read.c, register for register. Spec: docs/accelerator.md "read".
//
// Latency: a request is on AR, and its requester told so, in the cycle after it has won; a word is given in the cycle of the R beat
// that completes it. Throughput: one burst per cycle on AR, of one requester one in two cycles; one word or one beat per cycle,
// whichever is the wider, from R. take_o and arvalid_o depend on registers alone; with beats wider than words, rready_o too.

`default_nettype none

module mch_read #(
    parameter MEM_BITS    = 128,  // 64..512, a power of two
    parameter WORD_BITS   = 128,  // 32..1024, a power of two; at most BURST beats
    parameter ADDR_BITS   = 32,   // 16..32: of a byte address
    parameter BURST       = 16,   // 2..16, a power of two: bursts end at multiples of so many beats
    parameter OUTSTANDING = 16    // 2..16, a power of two: bursts that are open at most
) (
    input  wire                 clk_i,
    input  wire                 rst_ni,

    // Requesters 0 to 2, the lowest wins.
    input  wire [2:0]           req_valid_i,
    input  wire [3*32-1:0]      req_addr_i,    // of a word
    input  wire [3*16-1:0]      req_words_i,   // 1 or more
    output wire [2:0]           take_o,
    output wire [15:0]          take_words_o,
    output wire [2:0]           word_valid_o,
    output wire [WORD_BITS-1:0] word_o,
    input  wire                 stop_i,        // no new burst
    input  wire                 clear_i,       // only while idle_o
    output wire                 idle_o,
    output wire                 error_o,       // the beat taken in this cycle came with an error
    output wire                 beat_o,        // a beat is taken in this cycle

    output wire                 arvalid_o,
    input  wire                 arready_i,
    output wire [ADDR_BITS-1:0] araddr_o,
    output wire [7:0]           arlen_o,
    output wire [2:0]           arsize_o,
    output wire [1:0]           arburst_o,
    input  wire                 rvalid_i,
    output wire                 rready_o,
    input  wire [MEM_BITS-1:0]  rdata_i,
    input  wire [1:0]           rresp_i,
    input  wire                 rlast_i
);

    generate
        if (MEM_BITS < 64 || MEM_BITS > 512 || (MEM_BITS & (MEM_BITS - 1)) != 0) begin : g_illegal_mem
            mch_read_needs_MEM_BITS_64_128_256_or_512 u_error ();
        end
        if (WORD_BITS < 32 || WORD_BITS > 1024 || (WORD_BITS & (WORD_BITS - 1)) != 0 || WORD_BITS > BURST * MEM_BITS)
        begin : g_illegal_word
            mch_read_needs_WORD_BITS_a_power_of_two_32_to_1024_and_within_a_burst u_error ();
        end
        if (ADDR_BITS < 16 || ADDR_BITS > 32) begin : g_illegal_addr
            mch_read_needs_ADDR_BITS_16_to_32 u_error ();
        end
        if (BURST < 2 || BURST > 16 || (BURST & (BURST - 1)) != 0 ||
            OUTSTANDING < 2 || OUTSTANDING > 16 || (OUTSTANDING & (OUTSTANDING - 1)) != 0) begin : g_illegal_burst
            mch_read_needs_BURST_and_OUTSTANDING_powers_of_two_2_to_16 u_error ();
        end
    endgenerate

    localparam WIDE      = MEM_BITS > WORD_BITS;
    localparam RATIO     = WIDE ? MEM_BITS / WORD_BITS : 1;  // words of a beat: 1..16
    localparam PARTS     = WIDE ? 1 : WORD_BITS / MEM_BITS;  // beats of a word: 1..16
    localparam RATIO_LOG = $clog2(RATIO);
    localparam PARTS_LOG = $clog2(PARTS);
    localparam WORD_LOG  = $clog2(WORD_BITS / 8);
    localparam MEM_LOG   = $clog2(MEM_BITS / 8);
    localparam LEN_BITS  = $clog2(BURST);
    localparam OPEN_LOG  = $clog2(OUTSTANDING);

    // Words of the longest burst: 1..256. Counts of words are kept less one.
    localparam BURST_WORDS = BURST * RATIO / PARTS;
    localparam N_LOG       = $clog2(BURST_WORDS);
    localparam N_BITS      = N_LOG > 0 ? N_LOG : 1;
    localparam S_BITS      = RATIO > 1 ? RATIO_LOG : 1;
    localparam P_BITS      = PARTS > 1 ? PARTS_LOG : 1;
    localparam [31:0] LAST_WORD = BURST_WORDS - 1;
    localparam [31:0] LAST_SLOT = RATIO - 1;
    localparam [31:0] LAST_PART = PARTS - 1;
    localparam [31:0] MEM_BYTES = MEM_BITS / 8;
    localparam [31:0] FULL      = OUTSTANDING;

    reg                 arvalid_q;
    reg [ADDR_BITS-1:0] araddr_q;
    reg [LEN_BITS-1:0]  arlen_q;
    reg [2:0]           take_q;          // who was taken in the cycle before, and how many words less one
    reg [7:0]           take_less_q;
    reg [OPEN_LOG:0]    open_q;          // bursts taken and not yet given: 0..OUTSTANDING
    reg [OPEN_LOG-1:0]  put_q, get_q;    // places in the list of open bursts
    reg [N_BITS-1:0]    given_q;         // words given of the oldest
    reg [P_BITS-1:0]    part_q;          // beats collected of its next word

    // Open bursts: who asked, words less one, place of the first word in its beat.
    reg [1:0]           who_q   [0:OUTSTANDING-1];
    reg [N_BITS-1:0]    words_q [0:OUTSTANDING-1];
    reg [S_BITS-1:0]    slot_q  [0:OUTSTANDING-1];

    // The request that wins. Who was taken in the cycle before still shows what it asked for then.
    wire [2:0]  asks  = req_valid_i & ~take_q;
    wire [1:0]  who   = asks[0] ? 2'd0 : asks[1] ? 2'd1 : 2'd2;
    wire [31:0] addr  = asks[0] ? req_addr_i[31:0] : asks[1] ? req_addr_i[63:32] : req_addr_i[95:64];
    wire [15:0] asked = asks[0] ? req_words_i[15:0] : asks[1] ? req_words_i[31:16] : req_words_i[47:32];

    // To the end of the block of BURST beats, or to the end of the run. 8 bits: BURST_WORDS is at most 256. Where the run ends
    // with the block both sides are the same number, so it may be compared before one is taken off.
    wire [7:0]  room_less  = ~addr[7:0] & LAST_WORD[7:0];
    wire [7:0]  words_less = asked > {8'd0, room_less} ? room_less : asked[7:0] - 8'd1;
    wire [3:0]  slot       = addr[3:0] & LAST_SLOT[3:0];

    // Beats less one: below BURST, as a burst stays in its block.
    wire [8:0]  span      = {1'b0, words_less} + {5'd0, slot};
    wire [8:0]  beats     = span >> RATIO_LOG;
    wire [11:0] parts     = ({4'd0, words_less} << PARTS_LOG) | LAST_PART[11:0];
    wire [31:0] byte_addr = (addr << WORD_LOG) & ~(MEM_BYTES - 32'd1);

    wire take = asks != 3'b000 && !stop_i && open_q != FULL[OPEN_LOG:0] && (!arvalid_q || arready_i);
    assign take_o       = take_q;
    assign take_words_o = {8'd0, take_less_q} + 16'd1;

    assign arvalid_o = arvalid_q;
    assign araddr_o  = araddr_q;
    assign arlen_o   = {{8-LEN_BITS{1'b0}}, arlen_q};
    assign arsize_o  = MEM_LOG[2:0];
    assign arburst_o = 2'b01;

    // The oldest burst takes the beats.
    wire              busy       = open_q != 0;
    wire [1:0]        get_who    = who_q[get_q];
    wire              last_word  = given_q == words_q[get_q];
    wire              last_part  = part_q == LAST_PART[P_BITS-1:0];
    wire              word_valid = rvalid_i && busy && last_part;
    wire              close      = word_valid && last_word;
    wire              beat       = rvalid_i && rready_o;

    assign word_valid_o = word_valid ? 3'b001 << get_who : 3'b000;
    assign idle_o       = !busy;
    assign beat_o       = beat;
    assign error_o      = beat && rresp_i[1];

    generate
        if (WIDE) begin : g_wide
            wire [S_BITS+N_BITS-1:0] place = {{N_BITS{1'b0}}, slot_q[get_q]} + {{S_BITS{1'b0}}, given_q};
            wire [S_BITS-1:0]        at    = place[S_BITS-1:0];
            assign rready_o = busy && (last_word || at == LAST_SLOT[S_BITS-1:0]);
            assign word_o   = rdata_i[at*WORD_BITS +: WORD_BITS];
            wire unused = &{1'b0, place[S_BITS+N_BITS-1:S_BITS], parts};
        end else if (PARTS > 1) begin : g_narrow
            // The beats before the last: the newest is the highest.
            reg [WORD_BITS-MEM_BITS-1:0] part_data_q;
            wire [WORD_BITS-1:0]         all = {rdata_i, part_data_q};
            always @(posedge clk_i)
                if (beat)
                    part_data_q <= all[WORD_BITS-1:MEM_BITS];
            assign rready_o = busy;
            assign word_o   = all;
            wire unused = &{1'b0, slot_q[get_q], beats};
        end else begin : g_equal
            assign rready_o = busy;
            assign word_o   = rdata_i;
            wire unused = &{1'b0, slot_q[get_q], parts};
        end
    endgenerate

    wire [11:0] beats_less = WIDE ? {3'd0, beats} : parts;
    wire unused = &{1'b0, rlast_i, rresp_i[0], beats_less, byte_addr};

    always @(posedge clk_i or negedge rst_ni)
        if (!rst_ni) begin
            arvalid_q <= 1'b0;
            take_q    <= 3'b000;
            open_q    <= {OPEN_LOG+1{1'b0}};
            put_q     <= {OPEN_LOG{1'b0}};
            get_q     <= {OPEN_LOG{1'b0}};
            given_q   <= {N_BITS{1'b0}};
            part_q    <= {P_BITS{1'b0}};
        end else if (clear_i) begin
            arvalid_q <= 1'b0;
            take_q    <= 3'b000;
            open_q    <= {OPEN_LOG+1{1'b0}};
            put_q     <= {OPEN_LOG{1'b0}};
            get_q     <= {OPEN_LOG{1'b0}};
            given_q   <= {N_BITS{1'b0}};
            part_q    <= {P_BITS{1'b0}};
        end else begin
            arvalid_q <= take || (arvalid_q && !arready_i);
            take_q    <= take ? 3'b001 << who : 3'b000;
            if (take)
                put_q <= put_q + 1'b1;
            if (take && !close)
                open_q <= open_q + 1'b1;
            else if (close && !take)
                open_q <= open_q - 1'b1;
            if (beat)
                part_q <= last_part ? {P_BITS{1'b0}} : part_q + 1'b1;
            if (close) begin
                get_q   <= get_q + 1'b1;
                given_q <= {N_BITS{1'b0}};
            end else if (word_valid)
                given_q <= given_q + 1'b1;
        end

    always @(posedge clk_i)
        if (take) begin
            take_less_q    <= words_less;
            araddr_q       <= byte_addr[ADDR_BITS-1:0];
            arlen_q        <= beats_less[LEN_BITS-1:0];
            who_q[put_q]   <= who;
            words_q[put_q] <= words_less[N_BITS-1:0];
            slot_q[put_q]  <= slot[S_BITS-1:0];
        end

endmodule

`default_nettype wire
