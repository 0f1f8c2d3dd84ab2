// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors

// mch_exported: mch_datapath as an exported macchiato_config.vh wants it, with the header's hash on pins, so that a bench
// can refuse to start when RTL, C header and images come from different exports. For simulation.

`default_nettype none
`include "macchiato_config.vh"

module mch_exported (
    input  wire                                clk_i,
    input  wire                                rst_ni,
    output wire [255:0]                        config_hash_o,  // first digits of the hash in the highest bits

    input  wire                                x_signed_i,
    input  wire                                relu_i,
    input  wire                                y_signed_i,
    input  wire [4:0]                          y_bits_i,
    input  wire                                load_i,
    input  wire [`MCH_COLS*`MCH_ACC_BITS-1:0]  bias_i,
    input  wire [`MCH_COLS*6-1:0]              shift_i,
    input  wire [`MCH_COLS*16-1:0]             noise_i,

    input  wire                                in_valid_i,
    output wire                                in_ready_o,
    input  wire                                in_first_i,
    input  wire                                in_last_i,
    input  wire [`MCH_ROWS*`MCH_X_BITS-1:0]    x_i,
    input  wire [`MCH_COLS*`MCH_W_BITS-1:0]    w_i,

    output wire                                out_valid_o,
    input  wire                                out_ready_i,
    output wire [`MCH_COLS*`MCH_OUT_BITS-1:0]  y_o,
    output wire [`MCH_COLS-1:0]                sat_o
);

    // An export is played through the array alone.
    wire unused_sum_ready, unused_idle;
    wire unused = &{1'b0, unused_sum_ready, unused_idle};

    assign config_hash_o = {`MCH_CONFIG_HASH_0, `MCH_CONFIG_HASH_1, `MCH_CONFIG_HASH_2, `MCH_CONFIG_HASH_3};

    mch_datapath #(
        .ROWS(`MCH_ROWS), .COLS(`MCH_COLS), .X_BITS(`MCH_X_BITS), .W_BITS(`MCH_W_BITS), .ACC_BITS(`MCH_ACC_BITS),
        .ACC_SAT(`MCH_ACC_SAT), .OUT_BITS(`MCH_OUT_BITS), .ROUND(`MCH_ROUND),
        .OUT_WRAP(`MCH_OUT_WRAP)
    ) u_datapath (
        .clk_i(clk_i),
        .rst_ni(rst_ni),
        .x_signed_i(x_signed_i),
        .relu_i(relu_i),
        .y_signed_i(y_signed_i),
        .y_bits_i(y_bits_i),
        .load_i(load_i),
        .bias_i(bias_i),
        .shift_i(shift_i),
        .noise_i(noise_i),
        .in_valid_i(in_valid_i),
        .in_ready_o(in_ready_o),
        .in_first_i(in_first_i),
        .in_last_i(in_last_i),
        .x_i(x_i),
        .w_i(w_i),
        .sum_valid_i(1'b0),
        .sum_ready_o(unused_sum_ready),
        .sum_i({`MCH_COLS*`MCH_ACC_BITS{1'b0}}),
        .out_valid_o(out_valid_o),
        .out_ready_i(out_ready_i),
        .y_o(y_o),
        .sat_o(sat_o),
        .idle_o(unused_idle)
    );

endmodule

`default_nettype wire
