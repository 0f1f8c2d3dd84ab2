// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors

// mch_datapath: the MAC array with one requantizer per column; beats of operands in, rows of codes out. Rows of sums that were
// made elsewhere (means) enter the requantizers when the array has no row to give.
// Twin: cmodel/arch/datapath.c, register for register. Spec: docs/datapath.md "datapath".
//
// Latency: six edges from the edge that takes a tile's last beat to its first row of codes on y_o; the other rows
// follow one a cycle. Throughput: one beat per cycle, see mch_mac_array. A row of sums: three edges, one a cycle.

`default_nettype none

module mch_datapath #(
    parameter ROWS     = 16,
    parameter COLS     = 16,
    parameter X_BITS   = 8,
    parameter W_BITS   = 8,
    parameter ACC_BITS = 32,
    parameter ACC_SAT  = 0,
    parameter OUT_BITS = 8,   // 1..16
    parameter ROUND    = 3,   // as in mch_round_shift
    parameter OUT_WRAP = 0,   // as in mch_requant
    parameter MULT     = 0,   // as in mch_mac_array, all of the rest
    parameter W_KIND   = 0,
    parameter PACK     = 0,
    parameter OUT_KIND = 0,   // as in mch_requant, the next one too
    parameter OUT_EXP  = 0,
    parameter X_KIND   = 0,   // as in mch_mac_array, the rest
    parameter X_EXP    = 0,
    parameter W_EXP    = 0,
    parameter X_COLS   = 1
) (
    input  wire                     clk_i,
    input  wire                     rst_ni,

    // Layer: changes only while nothing is in flight.
    input  wire                     x_signed_i,
    input  wire                     relu_i,
    input  wire                     y_signed_i,
    input  wire [4:0]               y_bits_i,
    // Channel tile: replaces all columns' parameters; values already in the requantizers keep the old ones.
    input  wire                     load_i,
    input  wire [COLS*ACC_BITS-1:0] bias_i,
    input  wire [COLS*6-1:0]        shift_i,  // shift + 15
    input  wire [COLS*16-1:0]       noise_i,

    input  wire                     in_valid_i,
    output wire                     in_ready_o,
    input  wire                     in_first_i,
    input  wire                     in_last_i,
    input  wire [ROWS*X_COLS*X_BITS-1:0] x_i,
    input  wire [COLS*W_BITS-1:0]   w_i,

    // A second source of rows; one of its values has the array's width.
    input  wire                     sum_valid_i,
    output wire                     sum_ready_o,
    input  wire [COLS*ACC_BITS-1:0] sum_i,

    output wire                     out_valid_o,
    input  wire                     out_ready_i,
    output wire [COLS*OUT_BITS-1:0] y_o,
    output wire [COLS-1:0]          sat_o,
    output wire                     idle_o       // nothing in flight, by the registers alone
);

    wire                     acc_valid;
    wire [COLS*ACC_BITS-1:0] acc;
    wire [COLS-1:0]          over;
    wire [COLS-1:0]          y_valid;
    wire                     array_idle;
    wire [COLS-1:0]          y_idle;

    // The requantizers move as one: when their last stage is empty or taken.
    wire en = !y_valid[0] || out_ready_i;
    assign out_valid_o = y_valid[0];
    assign idle_o      = array_idle && y_idle[0];

    // The array wins: its rows are those of the layer that runs.
    assign sum_ready_o = en && !acc_valid;
    wire row_valid     = acc_valid || sum_valid_i;
    wire [COLS*ACC_BITS-1:0] row = acc_valid ? acc : sum_i;

    mch_mac_array #(
        .ROWS(ROWS), .COLS(COLS), .X_BITS(X_BITS), .W_BITS(W_BITS), .ACC_BITS(ACC_BITS), .ACC_SAT(ACC_SAT),
        .MULT(MULT), .W_KIND(W_KIND), .PACK(PACK), .X_KIND(X_KIND), .X_EXP(X_EXP), .W_EXP(W_EXP),
        .X_COLS(X_COLS)
    ) u_array (
        .clk_i(clk_i),
        .rst_ni(rst_ni),
        .in_valid_i(in_valid_i),
        .in_ready_o(in_ready_o),
        .in_first_i(in_first_i),
        .in_last_i(in_last_i),
        .x_signed_i(x_signed_i),
        .x_i(x_i),
        .w_i(w_i),
        .out_valid_o(acc_valid),
        .out_ready_i(en),
        .out_acc_o(acc),
        .out_over_o(over),
        .idle_o(array_idle)
    );

    // The accumulators' saturation flags end here: the bench reads them in the bank. The columns move alike.
    wire unused = &{1'b0, over, y_valid, y_idle};

    genvar c;
    generate
        for (c = 0; c < COLS; c = c + 1) begin : g_col
            mch_requant #(
                .ACC_BITS(ACC_BITS), .OUT_BITS(OUT_BITS), .ROUND(ROUND), .OUT_WRAP(OUT_WRAP),
                .OUT_KIND(OUT_KIND), .OUT_EXP(OUT_EXP)
            ) u_requant (
                .clk_i(clk_i),
                .rst_ni(rst_ni),
                .en_i(en),
                .load_i(load_i),
                .bias_i(bias_i[c*ACC_BITS +: ACC_BITS]),
                .shift_i(shift_i[c*6 +: 6]),
                .noise_i(noise_i[c*16 +: 16]),
                .relu_i(relu_i),
                .y_signed_i(y_signed_i),
                .y_bits_i(y_bits_i),
                .valid_i(row_valid),
                .acc_i(row[c*ACC_BITS +: ACC_BITS]),
                .valid_o(y_valid[c]),
                .y_o(y_o[c*OUT_BITS +: OUT_BITS]),
                .sat_o(sat_o[c]),
                .idle_o(y_idle[c])
            );
        end
    endgenerate

endmodule

`default_nettype wire
