// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors

// macchiato_pkg: the C model of Macchiato inside a SystemVerilog simulator, through DPI-C. The arithmetic is that of
// docs/datapath.md, computed by the same functions as everywhere (libmacchiato-dpi.so); this package computes nothing.
// IEEE 1800-2012; no classes. C side: macchiato_dpi.h.
//
// Nearly every function returns a status: 0, or -1 when an argument is outside the range that is stated here. Then no output is
// written, and mch_error() has one message. mch_ok() makes that a fatal error:
//
//     mch_ok(mch_sat(v, 8, 1, y, saturated));
//
// Numbers are raw integers ("codes"); where the point is, is a matter of the shifts. Tensors are open arrays of one dimension in
// the order of docs/datapath.md (x: n c h w, weights: k c r s, results: n k p q), declared like int x [0:N-1]; longer ones
// than needed are taken, their rest is not looked at. Packed vectors have element 0 in the lowest bits, as the ports of the RTL do,
// and are as wide as the largest array needs: shorter ones are extended by an assignment or a cast.

package macchiato_pkg;

    // Rounding rules: the RTL parameter ROUND.
    localparam int MCH_ROUND_FLOOR = 0, MCH_ROUND_HALF_UP = 1, MCH_ROUND_HALF_AWAY = 2, MCH_ROUND_HALF_EVEN = 3,
                   MCH_ROUND_STOCHASTIC = 4;

    // Kinds of numbers: the RTL parameters *_KIND; docs/datapath.md "number".
    localparam int MCH_FIXED = 0, MCH_MINIFLOAT = 1, MCH_MINIFLOAT_IEEE = 2, MCH_MINIFLOAT_FN = 3, MCH_MINIFLOAT_FLUSH = 4,
                   MCH_POW2 = 5, MCH_POW2_NO_ZERO = 6;

    localparam int MCH_ELTWISE_SUM = 0, MCH_ELTWISE_PROD = 1, MCH_ELTWISE_MAX = 2;

    // The widest vectors: 64 rows or columns of 16-bit operands, 48-bit sums.
    typedef bit [64*16-1:0] mch_operands_s;
    typedef bit [64*48-1:0] mch_sums_s;
    typedef bit [63:0]      mch_flags_s;

    // An accumulator. Members of all structs have 32 bits: C takes them apart.
    typedef struct packed {
        int acc_bits;    // 2..48
        int acc_sat;     // 0 wraps, 1 saturates
    } mch_acc_s;

    // An output: the parameters and layer's pins of mch_requant.
    typedef struct packed {
        int out_bits;    // 1..16
        int out_signed;  // 0, 1
        int relu;        // 0, 1: a ReLU before the shift
        int round;       // MCH_ROUND_...
        int wraps;       // 0 saturates, 1 keeps the low bits
        int out_kind;    // MCH_FIXED, or a minifloat, 1..4
        int out_exp;     // of a minifloat: exponent bits, 1..5; else not looked at
    } mch_out_s;

    // A convolution. All at least 1 but for the pads, which may be 0; groups divides c and k.
    typedef struct packed {
        int n, c, h, w;  // images, channels, rows and columns of x
        int k, r, s;     // output channels, rows and columns of the kernel
        int stride_h, stride_w;
        int pad_top, pad_left, pad_bottom, pad_right;
        int dilation_h, dilation_w;
        int groups;
    } mch_conv_s;

    // A pool. A window has at most 2^15 positions, at least one of them inside the input.
    typedef struct packed {
        int n, c, h, w;
        int r, s;
        int stride_h, stride_w;
        int pad_top, pad_left, pad_bottom, pad_right;
        int dilation_h, dilation_w;
        int ceil_mode;         // 0, 1: the output's size rounds up
        int count_include_pad; // 0, 1: of a mean
    } mch_pool_s;

    // The parameters of mch_mac_array, docs/datapath.md "mac_array".
    typedef struct packed {
        int rows, cols;       // 1..64
        int x_bits, w_bits;   // 1..16
        int acc_bits;         // 2..48
        int acc_sat;          // 0, 1
        int mult;             // 0 multiplies, 1 shifts, 2 multiplies minifloats
        int w_kind;
        int pack;             // 0, 1
        int x_kind, x_exp, w_exp;
    } mch_array_s;

    // The parameters of mch_datapath: the array's, and those of its requantizers.
    typedef struct packed {
        mch_array_s array;
        int out_bits;         // 1..16
        int round;
        int out_wrap;         // 0, 1
        int out_kind, out_exp;
    } mch_datapath_s;

    // The message of the last call that returned -1: "FUNCTION: WHAT IS WRONG; WHAT TO DO".
    import "DPI-C" mch_dpi_error = function string mch_error();

    function automatic void mch_ok(input int status);
        if (status != 0)
            $fatal(1, "macchiato: %s", mch_error());
    endfunction

    // 64 random bits; the same from one state in every simulator.
    import "DPI-C" mch_dpi_random = function longint mch_random(inout longint state);

    // ---- Numbers

    // The nearest value of 1..49 bits. saturated: v was outside.
    import "DPI-C" mch_dpi_sat = function int mch_sat(
        input longint v, input int bits, input bit is_signed, output longint y, output bit saturated);

    // The low bits, 1..49, of v, read as signed or unsigned.
    import "DPI-C" mch_dpi_wrap = function int mch_wrap(
        input longint v, input int bits, input bit is_signed, output longint y);

    // v * 2^-shift, rounded. v: 49 bits signed; shift: -15..48; noise: 0..65535, read by MCH_ROUND_STOCHASTIC alone.
    import "DPI-C" mch_dpi_round_shift = function int mch_round_shift(
        input longint v, input int shift, input int round, input int noise, output longint y);

    // The minifloat (of.out_kind 1..4) nearest to v * 2^-shift, as memory has it; v, shift and noise as above.
    import "DPI-C" mch_dpi_encode = function int mch_encode(
        input mch_out_s of, input longint v, input int shift, input int noise, output int y, output bit saturated);

    // What a code stands for, of any kind (docs/datapath.md "number"): value = integer * 2^-frac. memory: its bits, 1..16, as a word of
    // them from 0 up; exp: of a minifloat. Infinities and NaN are none.
    import "DPI-C" mch_dpi_integer = function int mch_integer(
        input int bits, input bit is_signed, input int kind, input int exp, input int memory, output longint integer_value);

    // The noise of output channel `channel` >= 0 begins with this state, 1..65535, and goes on with the next one.
    import "DPI-C" mch_dpi_lfsr_seed = function int mch_lfsr_seed(input int seed, input int channel, output int state);
    import "DPI-C" mch_dpi_lfsr_next = function int mch_lfsr_next(input int state, output int next);

    // acc + addend in the accumulator's width; acc in that width, |addend| < 2^62: a product of two integers of any kind.
    import "DPI-C" mch_dpi_acc_add = function int mch_acc_add(
        input mch_acc_s of, input longint acc, input longint addend, output longint y, output bit over);

    // acc + x * w in the accumulator's width; acc in that width, x -2^15..2^16-1, w -2^15..2^15. over: it did not fit.
    import "DPI-C" mch_dpi_mac = function int mch_mac(
        input mch_acc_s of, input longint acc, input int x, input int w, output longint y, output bit over);

    // acc + x[0] * w[0] + x[1] * w[1] ... of all elements of x, in this order.
    import "DPI-C" mch_dpi_dot = function int mch_dot(
        input mch_acc_s of, input longint acc, input int x [], input int w [], output longint y, output bit over);

    // ---- Operators

    // One value. acc and bias: 48 bits signed; shift and noise as in mch_round_shift. Of a minifloat, y is as memory has it.
    import "DPI-C" mch_dpi_requant = function int mch_requant(
        input mch_out_s of, input longint acc, input longint bias, input int shift, input int noise,
        output int y, output bit saturated);

    // acc and y are [n][k][pixels], bias and shift [k]: k is the size of bias. Noise of channel k: from mch_lfsr_seed(seed, k), anew for
    // each image. Fixed point alone.
    import "DPI-C" mch_dpi_requant_tensor = function int mch_requant_tensor(
        input mch_out_s of, input int seed, input int n, input int pixels, input longint bias [], input int shift [],
        input longint acc [], output int y [], output longint n_saturated);

    // A rule that, in place of the contract's, gives what was seen: for a report. "" when none does.
    import "DPI-C" mch_dpi_requant_hint = function string mch_requant_hint(
        input mch_out_s of, input longint acc, input longint bias, input int shift, input int noise, input int y,
        input bit saturated);

    // Sums of a whole convolution, of one output of it, and of y = W x, w[k][c]: c is the size of x, k that of acc. Operands as in
    // mch_mac. n_over: steps of accumulation that did not fit.
    import "DPI-C" mch_dpi_conv = function int mch_conv(
        input mch_conv_s of, input mch_acc_s in, input int x [], input int w [], output longint acc [], output longint n_over);
    import "DPI-C" mch_dpi_conv_pixel = function int mch_conv_pixel(
        input mch_conv_s of, input mch_acc_s in, input int x [], input int w [], input int n, input int k, input int p,
        input int q, output longint acc, output bit over);
    import "DPI-C" mch_dpi_dense = function int mch_dense(
        input mch_acc_s in, input int x [], input int w [], output longint acc [], output longint n_over);

    // Codes of x: -2^15..2^16-1. A mean has shift = x.frac - y.frac, -15..16, fixed point, no ReLU, no wrapping, and a rounding other
    // than the stochastic one.
    import "DPI-C" mch_dpi_pool_max = function int mch_pool_max(input mch_pool_s of, input int x [], output int y []);
    import "DPI-C" mch_dpi_pool_avg = function int mch_pool_avg(
        input mch_pool_s of, input mch_out_s in, input int shift, input int x [], output int y []);

    // Element by element a * 2^left_a and +-b * 2^left_b: their sum, product (left 0) or maximum, exact; as many as acc has.
    // left: 0..31; is_b_taken_off: of a sum.
    import "DPI-C" mch_dpi_eltwise = function int mch_eltwise(
        input int kind, input int left_a, input int left_b, input bit is_b_taken_off, input int a [], input int b [],
        output longint acc []);

    // ---- mch_mac_array, cycle by cycle: what the pins of the RTL do, from reset

    import "DPI-C" mch_dpi_array_new = function int mch_array_new(input mch_array_s of, output chandle array);
    import "DPI-C" mch_dpi_array_free = function int mch_array_free(input chandle array);
    import "DPI-C" mch_dpi_array_reset = function int mch_array_reset(input chandle array); // rst_ni was low

    // The outputs of this cycle; they depend on registers alone. acc and over mean something while out_valid.
    import "DPI-C" mch_dpi_array_pins = function int mch_array_pins(
        input chandle array, output bit in_ready, output bit out_valid, output bit idle, output mch_sums_s acc,
        output mch_flags_s over);

    // Compares the outputs of this cycle, acc and over while out_valid; agrees 0: a report has been printed, of the bench that
    // mch_report_about named.
    import "DPI-C" mch_dpi_array_check = function int mch_array_check(
        input chandle array, input bit in_ready, input bit out_valid, input bit idle, input mch_sums_s acc,
        input mch_flags_s over, output bit agrees);

    // A rising edge with these inputs.
    import "DPI-C" mch_dpi_array_step = function int mch_array_step(
        input chandle array, input bit in_valid, input bit in_first, input bit in_last, input bit x_signed, input bit out_ready,
        input mch_operands_s x, input mch_operands_s w);

    // ---- mch_datapath, cycle by cycle, in the same way

    import "DPI-C" mch_dpi_datapath_new = function int mch_datapath_new(input mch_datapath_s of, output chandle datapath);
    import "DPI-C" mch_dpi_datapath_free = function int mch_datapath_free(input chandle datapath);
    import "DPI-C" mch_dpi_datapath_reset = function int mch_datapath_reset(input chandle datapath);

    // The layer's pins, while idle; y_bits: 1..out_bits.
    import "DPI-C" mch_dpi_datapath_layer = function int mch_datapath_layer(
        input chandle datapath, input bit x_signed, input bit relu, input bit y_signed, input int y_bits);

    // load_i, or sum_valid_i, at the next step alone; vectors as on the pins (shift: 6 bits a column, shift + 15).
    import "DPI-C" mch_dpi_datapath_load = function int mch_datapath_load(
        input chandle datapath, input mch_sums_s bias, input bit [64*6-1:0] shift, input bit [64*16-1:0] noise);
    import "DPI-C" mch_dpi_datapath_sum = function int mch_datapath_sum(input chandle datapath, input mch_sums_s sum);

    // As for the array; sum_ready depends on out_ready.
    import "DPI-C" mch_dpi_datapath_pins = function int mch_datapath_pins(
        input chandle datapath, input bit out_ready, output bit in_ready, output bit sum_ready, output bit out_valid,
        output bit idle, output mch_operands_s y, output mch_flags_s sat);
    import "DPI-C" mch_dpi_datapath_check = function int mch_datapath_check(
        input chandle datapath, input bit out_ready, input bit in_ready, input bit sum_ready, input bit out_valid,
        input bit idle, input mch_operands_s y, input mch_flags_s sat, output bit agrees);
    import "DPI-C" mch_dpi_datapath_step = function int mch_datapath_step(
        input chandle datapath, input bit in_valid, input bit in_first, input bit in_last, input bit out_ready,
        input mch_operands_s x, input mch_operands_s w);

    // ---- The mismatch report, in the form of docs/datapath.md "Mismatch"

    // Once for each case: bench, module, instance, the command that repeats the case ("": none).
    import "DPI-C" mch_dpi_report_about = function int mch_report_about(
        input string where, input string module_name, input string scope, input string redo, input longint case_number,
        input longint seed);

    // Then up to eight inputs, up to eight outputs (1..64 bits), and the print, which begins anew; place and hint may be "".
    import "DPI-C" mch_dpi_report_in = function int mch_report_in(
        input string name, input longint value, input int bits, input bit is_signed);
    import "DPI-C" mch_dpi_report_out = function int mch_report_out(
        input string name, input longint want, input longint got, input int bits, input bit is_signed);
    import "DPI-C" mch_dpi_report_print = function int mch_report_print(input string place, input string hint);

endpackage
