// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors

// mch_mac: a row of COLS dot-product lanes that share one activation: acc[j] <- overflow(acc[j] + x * w[j]); or X_COLS of
// them, of which lane j has number j modulo X_COLS.
// Twin: cmodel/fxp/mac.h. Spec: docs/datapath.md "mac"; the stages are those of "mac_array".
//
// MULT = 0: w is an integer. MULT = 1: w is the code of a power of two, with a zero (W_KIND 5) or without (6), and the
// product is x, or -x, moved left: no multiplier. MULT = 2: x and w are minifloats, which the array has taken apart, {significand in
// two's complement, places that it is moved left}; the significands are multiplied. PACK = 1: two columns share a multiplication, x * (w[j+1] * 2^P_BITS + w[j]).
//
// Latency: a product is in acc_q two edges after its operands were on x_i and w_i (which the array registers), in
// bank_q three edges after. Throughput: one step of every lane per cycle.
//
// For FPGA DSP slices: x_i and w_i come from registers (A, B), product_q is M, acc_q is P. `first` selects 0 instead of P.
// Lanes are arrays under one loop each: Verilator keeps such loops tight, synthesis unrolls them.

`default_nettype none

module mch_mac #(
    parameter COLS     = 16,
    parameter X_BITS   = 8,   // activation, one more bit inside: signed or unsigned
    parameter W_BITS   = 8,
    parameter ACC_BITS = 32,
    parameter ACC_SAT  = 0,   // 0 wraps, 1 saturates
    parameter MULT     = 0,   // 0 multiplies, 1 shifts, 2 multiplies minifloats
    parameter W_KIND   = 0,   // of the weights' numbers: 0, of a shift 5 or 6, of minifloats 1..4
    parameter PACK     = 0,   // 1: columns in pairs, each in one DSP slice; the accumulators are in logic. MULT 0 alone
    parameter X_KIND   = 0,   // of minifloats: 1..4
    parameter X_EXP    = 0,   // of minifloats: exponent bits
    parameter W_EXP    = 0,
    // Minifloats are taken apart into one bit more: an activation of either sign, a weight with its leading one.
    parameter X_PORT   = MULT == 2 ? X_BITS + 2 : X_BITS + 1,
    parameter W_PORT   = MULT == 2 ? W_BITS + 1 : W_BITS,
    parameter X_COLS   = 1
) (
    input  wire                       clk_i,
    input  wire                       mul_i,    // load product_q
    input  wire                       add_i,    // load acc_q
    input  wire                       first_i,  // with add_i: start from 0
    input  wire                       load_i,   // bank_q <- acc_q
    input  wire                       shift_i,  // bank_q <- bank_i, the row below
    input  wire [X_COLS*X_PORT-1:0]   x_i,
    input  wire [COLS*W_PORT-1:0]     w_i,
    input  wire [COLS*ACC_BITS-1:0]   bank_i,
    input  wire [COLS-1:0]            bank_over_i,
    output wire [COLS*ACC_BITS-1:0]   bank_o,
    output wire [COLS-1:0]            bank_over_o
);

    // |x| <= 2^X_BITS - 1 and |w| <= 2^(W_BITS-1): the product fits X_BITS + W_BITS bits, signed. A shift of up to
    // 2^(W_BITS-1) - 1 places makes as many bits more, and the sign. Minifloats: both significands and both largest exponents' places,
    // which are less one where exponent 0 has no leading one, and a sign.
    localparam X_SIG = X_BITS - X_EXP + 1, X_PLACES = (1 << X_EXP) - (X_KIND == 4 ? 1 : 2);
    localparam W_SIG = W_BITS - W_EXP,     W_PLACES = (1 << W_EXP) - (W_KIND == 4 ? 1 : 2);
    localparam P_BITS = MULT == 2 ? X_SIG + X_PLACES + W_SIG + W_PLACES + 1 :
                        MULT == 1 ? X_BITS + (1 << (W_BITS - 1)) : X_BITS + W_BITS;

    reg signed [P_BITS-1:0]   product_q [0:COLS-1];
    reg signed [ACC_BITS-1:0] acc_q     [0:COLS-1];
    reg signed [ACC_BITS-1:0] bank_q    [0:COLS-1];

    generate
        if (MULT == 0 && PACK == 1) begin : g_pack
            // |x| <= 2^X_BITS - 1 and |w| <= 2^(W_BITS-1): 2 * P_BITS bits, signed. The lower product takes a one off the upper
            // when it is negative; the accumulator puts it back. One bit more than both weights: the lowest of both needs it.
            function signed [2*P_BITS-1:0] multiply_pair;
                input signed [X_BITS:0]   x;
                input signed [W_BITS-1:0] w_high;
                input signed [W_BITS-1:0] w_low;
                reg signed [W_BITS+P_BITS:0] w;
                begin
                    w = {w_high[W_BITS-1], w_high, {P_BITS{1'b0}}} + {{(P_BITS+1){w_low[W_BITS-1]}}, w_low};
                    // verilator lint_off WIDTH
                    multiply_pair = x * w;
                    // verilator lint_on WIDTH
                end
            endfunction

            // The last of an odd number is alone.
            wire signed [W_BITS-1:0] w_last = w_i[(COLS-1)*W_BITS +: W_BITS];
            wire signed [X_BITS:0]   x_last = x_i;
            integer j;
            always @(posedge clk_i)
                if (mul_i) begin
                    for (j = 0; j < COLS - 1; j = j + 2)
                        {product_q[j+1], product_q[j]} <=
                            multiply_pair(x_i, w_i[(j+1)*W_BITS +: W_BITS], w_i[j*W_BITS +: W_BITS]);
                    if (COLS % 2 == 1)
                        // verilator lint_off WIDTH
                        product_q[COLS-1] <= x_last * w_last;
                        // verilator lint_on WIDTH
                end
        end else if (MULT == 0) begin : g_multiply
            function signed [P_BITS-1:0] multiply;
                input signed [X_BITS:0]   x;
                input signed [W_BITS-1:0] w;
                // Signed operands take the product's width by themselves: the multiplication is exact. Widened by hand it
                // would hide their sizes from synthesis: Yosys then takes three DSP slices for 16 x 16 bits, not one.
                // verilator lint_off WIDTH
                multiply = x * w;
                // verilator lint_on WIDTH
            endfunction

            integer j;
            always @(posedge clk_i)
                if (mul_i)
                    for (j = 0; j < COLS; j = j + 1)
                        product_q[j] <= multiply(x_i[(j % X_COLS)*X_PORT +: X_PORT], w_i[j*W_BITS +: W_BITS]);
        end else if (MULT == 2) begin : g_minifloat
            function signed [P_BITS-1:0] multiply_minifloat;
                input signed [X_SIG:0] x;
                input [X_EXP-1:0]      x_places;
                input signed [W_SIG:0] w;
                input [W_EXP-1:0]      w_places;
                reg signed [X_SIG+W_SIG:0] significand;
                reg [5:0] places;
                begin
                    places = {{(6-X_EXP){1'b0}}, x_places} + {{(6-W_EXP){1'b0}}, w_places};
                    // verilator lint_off WIDTH
                    significand = x * w;
                    multiply_minifloat = significand;
                    // verilator lint_on WIDTH
                    multiply_minifloat = multiply_minifloat << places;
                end
            endfunction

            integer j;
            always @(posedge clk_i)
                if (mul_i)
                    for (j = 0; j < COLS; j = j + 1)
                        product_q[j] <= multiply_minifloat(x_i[(j % X_COLS)*X_PORT + X_EXP +: X_SIG + 1],
                                                           x_i[(j % X_COLS)*X_PORT +: X_EXP],
                                                           w_i[j*W_PORT + W_EXP +: W_SIG + 1], w_i[j*W_PORT +: W_EXP]);
        end else begin : g_shift
            // Once for the row. |x| < 2^X_BITS: the negative fits too.
            wire [X_COLS*X_PORT-1:0] minus_x;
            genvar n;
            for (n = 0; n < X_COLS; n = n + 1) begin : g_minus
                assign minus_x[n*X_PORT +: X_PORT] = -x_i[n*X_PORT +: X_PORT];
            end

            // Code c >= 0 stands for 2^c without a zero, for 2^(c-1) with one; c < 0 for -2^(-1-c) in both, and -1-c is ~c.
            function signed [P_BITS-1:0] shift;
                input signed [X_BITS:0] x;
                input signed [X_BITS:0] x_negative;
                input [W_BITS-1:0] w;
                reg [W_BITS-2:0] places;
                begin
                    places = w[W_BITS-2:0] ^ {(W_BITS-1){w[W_BITS-1]}};
                    if (W_KIND == 5 && !w[W_BITS-1])
                        places = places - 1'b1;
                    shift = {{(P_BITS-X_BITS-1){x[X_BITS]}}, x};
                    if (w[W_BITS-1])
                        shift = {{(P_BITS-X_BITS-1){x_negative[X_BITS]}}, x_negative};
                    if (W_KIND == 5 && w == {W_BITS{1'b0}})
                        shift = {P_BITS{1'b0}};
                    shift = shift << places;
                end
            endfunction

            integer j;
            always @(posedge clk_i)
                if (mul_i)
                    for (j = 0; j < COLS; j = j + 1)
                        product_q[j] <= shift(x_i[(j % X_COLS)*X_PORT +: X_PORT], minus_x[(j % X_COLS)*X_PORT +: X_PORT],
                                              w_i[j*W_BITS +: W_BITS]);
        end
    endgenerate

    // One bit more than the wider operand: the sum is exact before it is brought into ACC_BITS.
    localparam SUM_BITS = (ACC_BITS > P_BITS ? ACC_BITS : P_BITS) + 1;

    function signed [SUM_BITS-1:0] sum;
        input signed [ACC_BITS-1:0] acc;
        input signed [P_BITS-1:0]   product;
        sum = {{(SUM_BITS-ACC_BITS){acc[ACC_BITS-1]}}, acc} + {{(SUM_BITS-P_BITS){product[P_BITS-1]}}, product};
    endfunction

    // Of a pair: what the lower product has taken off the upper. As the carry into the adder it costs one bit of it.
    // verilator lint_off UNUSEDSIGNAL
    function signed [SUM_BITS-1:0] pair_sum;
        input signed [ACC_BITS-1:0] acc;
        input signed [P_BITS-1:0]   product;
        input                       taken;
        reg [SUM_BITS:0] twice;
        begin
            twice = {{(SUM_BITS-ACC_BITS){acc[ACC_BITS-1]}}, acc, 1'b1} +
                    {{(SUM_BITS-P_BITS){product[P_BITS-1]}}, product, taken};
            pair_sum = twice[SUM_BITS:1];
        end
    endfunction
    // verilator lint_on UNUSEDSIGNAL

    // Here, in a block: Yosys then orders the processes, and so maps the plain lane, as cmodel/arch/mac_cost.inc has it.
    integer k;
    generate
        if (COLS > 0) begin : g_bank
            always @(posedge clk_i)
                if (load_i)
                    for (k = 0; k < COLS; k = k + 1)
                        bank_q[k] <= acc_q[k];
                else if (shift_i)
                    for (k = 0; k < COLS; k = k + 1)
                        bank_q[k] <= bank_i[k*ACC_BITS +: ACC_BITS];
        end
    endgenerate

    generate
        if (ACC_SAT == 0) begin : g_wrap
            function signed [ACC_BITS-1:0] wrap;
                // To wrap is to drop the high bits.
                // verilator lint_off UNUSEDSIGNAL
                input signed [SUM_BITS-1:0] v;
                // verilator lint_on UNUSEDSIGNAL
                wrap = v[ACC_BITS-1:0];
            endfunction

            integer i;
            if (PACK == 1) begin : g_pairs
                always @(posedge clk_i)
                    if (add_i)
                        for (i = 0; i < COLS; i = i + 1)
                            acc_q[i] <= wrap(pair_sum(first_i ? {ACC_BITS{1'b0}} : acc_q[i], product_q[i],
                                                      i % 2 == 1 && product_q[i & ~1][P_BITS-1]));
            end else begin : g_lanes
                always @(posedge clk_i)
                    if (add_i)
                        for (i = 0; i < COLS; i = i + 1)
                            acc_q[i] <= wrap(sum(first_i ? {ACC_BITS{1'b0}} : acc_q[i], product_q[i]));
            end

            // A wrapping adder of a DSP slice does not show its overflow: the flag is constant.
            wire unused_over = &{1'b0, bank_over_i};
            assign bank_over_o = {COLS{1'b0}};
        end else begin : g_saturate
            reg [COLS-1:0] over_q;
            reg [COLS-1:0] bank_over_q;

            // {overflowed, code}: the rails are 100..0 and 011..1.
            function [ACC_BITS:0] saturate;
                input signed [SUM_BITS-1:0] v;
                reg   over;
                begin
                    over = v[SUM_BITS-1:ACC_BITS-1] != {(SUM_BITS-ACC_BITS+1){v[SUM_BITS-1]}};
                    saturate = {over, over ? {v[SUM_BITS-1], {(ACC_BITS-1){!v[SUM_BITS-1]}}} : v[ACC_BITS-1:0]};
                end
            endfunction

            integer i;
            if (PACK == 1) begin : g_pairs
                always @(posedge clk_i)
                    if (add_i)
                        for (i = 0; i < COLS; i = i + 1)
                            {over_q[i], acc_q[i]} <= saturate(pair_sum(first_i ? {ACC_BITS{1'b0}} : acc_q[i], product_q[i],
                                                                       i % 2 == 1 && product_q[i & ~1][P_BITS-1]))
                                                     | {over_q[i] && !first_i, {ACC_BITS{1'b0}}};
            end else begin : g_lanes
                always @(posedge clk_i)
                    if (add_i)
                        for (i = 0; i < COLS; i = i + 1)
                            {over_q[i], acc_q[i]} <= saturate(sum(first_i ? {ACC_BITS{1'b0}} : acc_q[i], product_q[i]))
                                                     | {over_q[i] && !first_i, {ACC_BITS{1'b0}}};
            end

            always @(posedge clk_i)
                if (load_i)
                    bank_over_q <= over_q;
                else if (shift_i)
                    bank_over_q <= bank_over_i;

            assign bank_over_o = bank_over_q;
        end
    endgenerate

    genvar g;
    generate
        for (g = 0; g < COLS; g = g + 1) begin : g_out
            assign bank_o[g*ACC_BITS +: ACC_BITS] = bank_q[g];
        end
    endgenerate

endmodule

`default_nettype wire
