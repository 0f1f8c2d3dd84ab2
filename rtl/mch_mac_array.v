// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors

// mch_mac_array: ROWS x COLS output-stationary accumulators; on each beat acc[i][j] takes the step x[i] * w[j].
// Twin: cmodel/arch/mac_array.c, register for register. Spec: docs/datapath.md "mac_array".
//
// Latency: the first row of a tile is on out_acc_o three edges after the edge that took the tile's last beat; the
// other rows follow one a cycle. Throughput: one beat per cycle; a tile of at least ROWS + 1 beats hides the draining
// of the one before it. in_ready_o depends on registers alone, so valid never waits for ready and no path runs
// from out_ready_i to in_ready_o.

`default_nettype none

module mch_mac_array #(
    parameter ROWS     = 16,  // 1..64
    parameter COLS     = 16,  // 1..64
    parameter X_BITS   = 8,   // 1..16
    parameter W_BITS   = 8,   // 1..16
    parameter ACC_BITS = 32,  // 2..48
    parameter ACC_SAT  = 0,   // 0 wraps, 1 saturates
    parameter MULT     = 0,   // 0 multiplies; 1 shifts: W_BITS 2..5
    parameter W_KIND   = 0,   // what weights are, docs/datapath.md "number": MULT 0: 0; MULT 1: 5, 6
    parameter PACK     = 0    // with MULT 0: 1 takes a DSP slice for two columns; X_BITS + 2 * W_BITS up to 24
) (
    input  wire                     clk_i,
    input  wire                     rst_ni,

    input  wire                     in_valid_i,
    output wire                     in_ready_o,
    input  wire                     in_first_i,   // first beat of a tile
    input  wire                     in_last_i,    // last beat of a tile
    input  wire                     x_signed_i,   // how to read x_i
    input  wire [ROWS*X_BITS-1:0]   x_i,          // row 0 in the lowest bits
    input  wire [COLS*W_BITS-1:0]   w_i,          // column 0 in the lowest bits; codes, signed

    output wire                     out_valid_o,
    input  wire                     out_ready_i,
    output wire [COLS*ACC_BITS-1:0] out_acc_o,    // one row of finished sums, row 0 of the tile first
    output wire [COLS-1:0]          out_over_o,   // saturation seen in this sum (ACC_SAT = 1 only)
    output wire                     idle_o        // no beat in the stages, no row in the bank
);

    generate
        if (ROWS < 1 || ROWS > 64 || COLS < 1 || COLS > 64 || X_BITS < 1 || X_BITS > 16 || W_BITS < 1 || W_BITS > 16 ||
            ACC_BITS < 2 || ACC_BITS > 48 || ACC_SAT < 0 || ACC_SAT > 1) begin : g_illegal
            mch_mac_array_parameter_out_of_range u_error ();
        end
        if (MULT < 0 || MULT > 1 || (MULT == 0 && W_KIND != 0) ||
            (MULT == 1 && (W_KIND < 5 || W_KIND > 6 || W_BITS < 2 || W_BITS > 5))) begin : g_illegal_mult
            mch_mac_array_needs_MULT_0_or_MULT_1_with_W_KIND_5_or_6_and_W_BITS_2_to_5 u_error ();
        end
        if (PACK < 0 || PACK > 1 || (PACK == 1 && (MULT != 0 || X_BITS + 2 * W_BITS > 24))) begin : g_illegal_pack
            mch_mac_array_needs_PACK_0_or_PACK_1_with_MULT_0_and_X_BITS_plus_two_W_BITS_up_to_24 u_error ();
        end
    endgenerate

    localparam N_OUT_BITS = $clog2(ROWS + 1);
    localparam [N_OUT_BITS-1:0] N_OUT_FULL = ROWS[N_OUT_BITS-1:0];

    // Control: stage 0 holds operands, stage 1 products, stage 2 sums; see the spec's table.
    reg v0_q, first0_q, last0_q;
    reg v1_q, first1_q, last1_q;
    reg done_q;
    reg [N_OUT_BITS-1:0] n_out_q;

    wire en    = !(done_q && n_out_q != 0);
    wire load  = done_q && en;
    wire shift = !load && n_out_q != 0 && out_ready_i;

    assign in_ready_o  = en;
    assign out_valid_o = n_out_q != 0;
    assign idle_o      = !(v0_q || v1_q || done_q || n_out_q != 0);

    always @(posedge clk_i or negedge rst_ni)
        if (!rst_ni) begin
            v0_q    <= 1'b0;
            v1_q    <= 1'b0;
            done_q  <= 1'b0;
            n_out_q <= {N_OUT_BITS{1'b0}};
        end else begin
            if (en) begin
                v0_q   <= in_valid_i;
                v1_q   <= v0_q;
                done_q <= v1_q && last1_q;
            end
            if (load)
                n_out_q <= N_OUT_FULL;
            else if (shift)
                n_out_q <= n_out_q - 1'b1;
        end

    always @(posedge clk_i)
        if (en) begin
            first0_q <= in_first_i;
            last0_q  <= in_last_i;
            first1_q <= first0_q;
            last1_q  <= last0_q;
        end

    // Stage 0. The sign of x is resolved here, once: one more bit, always signed from here on.
    reg signed [X_BITS:0]   x_q [0:ROWS-1];
    reg [COLS*W_BITS-1:0]   w_q;

    integer i;
    always @(posedge clk_i)
        if (en && in_valid_i) begin
            w_q <= w_i;
            for (i = 0; i < ROWS; i = i + 1)
                x_q[i] <= {x_signed_i & x_i[i*X_BITS + X_BITS - 1], x_i[i*X_BITS +: X_BITS]};
        end

    // Stages 1 to 3. Bank rows form a shift register towards row 0; zeros follow the last row.
    wire [COLS*ACC_BITS-1:0] bank      [0:ROWS];
    wire [COLS-1:0]          bank_over [0:ROWS];
    assign bank[ROWS]      = {COLS*ACC_BITS{1'b0}};
    assign bank_over[ROWS] = {COLS{1'b0}};

    genvar r;
    generate
        for (r = 0; r < ROWS; r = r + 1) begin : g_row
            mch_mac #(
                .COLS(COLS), .X_BITS(X_BITS), .W_BITS(W_BITS), .ACC_BITS(ACC_BITS), .ACC_SAT(ACC_SAT),
                .MULT(MULT), .W_KIND(W_KIND), .PACK(PACK)
            ) u_mac (
                .clk_i(clk_i),
                .mul_i(en && v0_q),
                .add_i(en && v1_q),
                .first_i(first1_q),
                .load_i(load),
                .shift_i(shift),
                .x_i(x_q[r]),
                .w_i(w_q),
                .bank_i(bank[r+1]),
                .bank_over_i(bank_over[r+1]),
                .bank_o(bank[r]),
                .bank_over_o(bank_over[r])
            );
        end
    endgenerate

    assign out_acc_o  = bank[0];
    assign out_over_o = bank_over[0];

endmodule

`default_nettype wire
