// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors

// mch_mac_array: ROWS x COLS output-stationary accumulators; on each beat acc[i][j] takes the step x[i] * w[j];
// with X_COLS above 1, x[i][j modulo X_COLS] * w[j].
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
    parameter MULT     = 0,   // 0 multiplies; 1 shifts: W_BITS 2..5; 2 multiplies minifloats
    parameter W_KIND   = 0,   // what weights are, docs/datapath.md "number": MULT 0: 0; MULT 1: 5, 6; MULT 2: 1..4
    parameter PACK     = 0,   // with MULT 0: 1 takes a DSP slice for two columns; X_BITS + 2 * W_BITS up to 24
    parameter X_KIND   = 0,   // MULT 2: 1..4
    parameter X_EXP    = 0,   // MULT 2: exponent bits, 1..5
    parameter W_EXP    = 0,
    parameter X_COLS   = 1    // activations of a row in a beat, 1..COLS; 1 with PACK
) (
    input  wire                     clk_i,
    input  wire                     rst_ni,

    input  wire                     in_valid_i,
    output wire                     in_ready_o,
    input  wire                     in_first_i,   // first beat of a tile
    input  wire                     in_last_i,    // last beat of a tile
    input  wire                     x_signed_i,   // how to read x_i
    input  wire [ROWS*X_COLS*X_BITS-1:0] x_i,     // row 0 in the lowest bits, in it number 0
    input  wire [COLS*W_BITS-1:0]   w_i,          // column 0 in the lowest bits; codes, signed; minifloats as memory has them

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
        if (MULT < 0 || MULT > 2 || (MULT == 0 && W_KIND != 0) || (MULT != 2 && (X_KIND != 0 || X_EXP != 0 || W_EXP != 0)) ||
            (MULT == 1 && (W_KIND < 5 || W_KIND > 6 || W_BITS < 2 || W_BITS > 5))) begin : g_illegal_mult
            mch_mac_array_needs_MULT_0_or_MULT_1_with_W_KIND_5_or_6_and_W_BITS_2_to_5_or_MULT_2 u_error ();
        end
        if (MULT == 2 && (X_KIND < 1 || X_KIND > 4 || W_KIND < 1 || W_KIND > 4 || X_EXP < 1 || X_EXP > 5 || W_EXP < 1 ||
                          W_EXP > 5 || X_BITS < 1 + X_EXP || W_BITS < 1 + W_EXP ||
                          X_BITS - X_EXP + (1 << X_EXP) - (X_KIND == 4 ? 1 : 2) + W_BITS - W_EXP + (1 << W_EXP) -
                          (W_KIND == 4 ? 1 : 2) + 2 > 48)) begin : g_illegal_minifloat
            mch_mac_array_needs_minifloats_of_kind_1_to_4_EXP_1_to_5_whose_products_have_48_bits u_error ();
        end
        if (PACK < 0 || PACK > 1 || (PACK == 1 && (MULT != 0 || X_BITS + 2 * W_BITS > 24))) begin : g_illegal_pack
            mch_mac_array_needs_PACK_0_or_PACK_1_with_MULT_0_and_X_BITS_plus_two_W_BITS_up_to_24 u_error ();
        end
        if (X_COLS < 1 || X_COLS > COLS || (PACK == 1 && X_COLS != 1)) begin : g_illegal_x
            mch_mac_array_needs_X_COLS_from_1_to_COLS_and_1_with_PACK u_error ();
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
    reg signed [X_BITS:0]   x_q [0:ROWS*X_COLS-1];
    reg [COLS*W_BITS-1:0]   w_q;

    function signed [X_BITS:0] resolved;
        input [X_BITS-1:0] x;
        input              is_signed;
        resolved = {is_signed & (x[X_BITS-1] | (MULT == 2)), x};
    endfunction

    // Two loops: of more than 64 turns Verilator unrolls none.
    integer i, k;
    always @(posedge clk_i)
        if (en && in_valid_i) begin
            w_q <= w_i;
            for (i = 0; i < ROWS; i = i + 1)
                for (k = 0; k < X_COLS; k = k + 1)
                    x_q[i*X_COLS + k] <= resolved(x_i[(i*X_COLS + k)*X_BITS +: X_BITS], x_signed_i);
        end

    // Minifloats are taken apart behind stage 0, once for a row and once for a column; the bit above x tells whether its highest one
    // is a sign. The pattern of a flushed format is its code less one.
    localparam X_PORT = MULT == 2 ? X_BITS + 2 : X_BITS + 1, W_PORT = MULT == 2 ? W_BITS + 1 : W_BITS;
    wire [COLS*W_PORT-1:0] w_port;
    wire [ROWS*X_COLS*X_PORT-1:0] x_port;
    genvar c;
    generate
        if (MULT == 2) begin : g_minifloat
            localparam X_SIG = X_BITS - X_EXP + 1, W_SIG = W_BITS - W_EXP;

            function [X_BITS+1:0] x_apart;
                input [X_BITS:0] x;
                reg [X_BITS-1:0] magnitude;
                reg [X_BITS-1:0] pattern;
                reg [X_EXP-1:0]  exponent;
                reg [X_SIG:0]    significand;
                reg              leading;
                begin
                    magnitude = x[X_BITS-1:0] & {!x[X_BITS], {(X_BITS-1){1'b1}}};
                    pattern = X_KIND == 4 && magnitude != {X_BITS{1'b0}} ? magnitude - 1'b1 : magnitude;
                    exponent = x[X_BITS] ? pattern[X_BITS-2 -: X_EXP] : pattern[X_BITS-1 -: X_EXP];
                    leading = X_KIND == 4 ? magnitude != {X_BITS{1'b0}} : exponent != {X_EXP{1'b0}};
                    if (X_KIND != 4 && leading)
                        exponent = exponent - 1'b1;
                    // The mantissa's bits of the pattern; of a signed one there is one less.
                    significand = {2'b00, pattern[X_SIG-2:0]};
                    significand[X_SIG-1] = leading && !x[X_BITS];
                    if (x[X_BITS])
                        significand[X_SIG-2] = leading;
                    if (x[X_BITS] && x[X_BITS-1])
                        significand = -significand;
                    x_apart = {significand, exponent};
                end
            endfunction

            function [W_BITS:0] w_apart;
                input [W_BITS-1:0] w;
                reg [W_BITS-2:0] magnitude;
                reg [W_BITS-2:0] pattern;
                reg [W_EXP-1:0]  exponent;
                reg [W_SIG:0]    significand;
                reg              leading;
                begin
                    magnitude = w[W_BITS-2:0];
                    pattern = W_KIND == 4 && magnitude != {(W_BITS-1){1'b0}} ? magnitude - 1'b1 : magnitude;
                    exponent = pattern[W_BITS-2 -: W_EXP];
                    leading = W_KIND == 4 ? magnitude != {(W_BITS-1){1'b0}} : exponent != {W_EXP{1'b0}};
                    if (W_KIND != 4 && leading)
                        exponent = exponent - 1'b1;
                    // The bit above the mantissa is one of the exponent's.
                    significand = {1'b0, pattern[W_SIG-1:0]};
                    significand[W_SIG-1] = leading;
                    if (w[W_BITS-1])
                        significand = -significand;
                    w_apart = {significand, exponent};
                end
            endfunction

            for (c = 0; c < COLS; c = c + 1) begin : g_w
                assign w_port[c*W_PORT +: W_PORT] = w_apart(w_q[c*W_BITS +: W_BITS]);
            end
            for (c = 0; c < ROWS * X_COLS; c = c + 1) begin : g_x
                assign x_port[c*X_PORT +: X_PORT] = x_apart(x_q[c]);
            end
        end else begin : g_integer
            assign w_port = w_q;
            for (c = 0; c < ROWS * X_COLS; c = c + 1) begin : g_x
                assign x_port[c*X_PORT +: X_PORT] = x_q[c];
            end
        end
    endgenerate

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
                .MULT(MULT), .W_KIND(W_KIND), .PACK(PACK), .X_KIND(X_KIND), .X_EXP(X_EXP), .W_EXP(W_EXP),
                .X_COLS(X_COLS)
            ) u_mac (
                .clk_i(clk_i),
                .mul_i(en && v0_q),
                .add_i(en && v1_q),
                .first_i(first1_q),
                .load_i(load),
                .shift_i(shift),
                .x_i(x_port[r*X_COLS*X_PORT +: X_COLS*X_PORT]),
                .w_i(w_port),
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
