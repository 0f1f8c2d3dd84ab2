// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors

// dpi_test: every function of macchiato_pkg once with what docs/datapath.md says it gives, and with illegal arguments. The functions
// behind it have tests of their own; this one is of what lies between: order and width of arguments, arrays, structs, messages.

module dpi_test;
    import macchiato_pkg::*;

    int n_checked = 0, n_failed = 0;

    task want(input string what, input longint wanted, input longint got);
        n_checked = n_checked + 1;
        if (wanted != got) begin
            $display("FAIL: %s: want %0d, got %0d", what, wanted, got);
            n_failed = n_failed + 1;
        end
    endtask

    task refuses(input string message, input int status);
        n_checked = n_checked + 1;
        if (status == 0 || mch_error() != message) begin
            $display("FAIL: status %0d: %s", status, mch_error());
            n_failed = n_failed + 1;
        end
    endtask

    mch_acc_s acc24 = '{acc_bits: 24, acc_sat: 0}, acc12 = '{acc_bits: 12, acc_sat: 1}, acc1 = '{acc_bits: 1, acc_sat: 0};
    mch_out_s s8 = '{out_bits: 8, out_signed: 1, round: MCH_ROUND_HALF_EVEN, default: 0};
    mch_out_s e4m3 = '{out_bits: 8, out_signed: 1, round: MCH_ROUND_HALF_EVEN, out_kind: MCH_MINIFLOAT_FN, out_exp: 4, default: 0};
    longint y;
    int code;
    bit flag;

    task numbers;
        mch_ok(mch_sat(200, 8, 1, y, flag));
        want("sat", 127, y);
        want("sat, flag", 1, 64'(flag));
        mch_ok(mch_sat(-5, 8, 0, y, flag));
        want("sat, unsigned", 0, y);
        refuses("mch_sat: bits is 50; give 1 to 49", mch_sat(0, 50, 1, y, flag));
        mch_ok(mch_wrap(200, 8, 1, y));
        want("wrap", -56, y);
        refuses("mch_wrap: bits is 0; give 1 to 49", mch_wrap(0, 0, 1, y));
        mch_ok(mch_round_shift(5, 1, MCH_ROUND_HALF_EVEN, 0, y));
        want("half even", 2, y);
        mch_ok(mch_round_shift(5, 1, MCH_ROUND_HALF_UP, 0, y));
        want("half up", 3, y);
        mch_ok(mch_round_shift(-3, -2, MCH_ROUND_FLOOR, 0, y));
        want("to the left", -12, y);
        mch_ok(mch_round_shift(1, 1, MCH_ROUND_STOCHASTIC, 32768, y));
        want("noise", 1, y);
        refuses("mch_round_shift: round is 5; give 0 to 4", mch_round_shift(1, 1, 5, 0, y));
        refuses("mch_round_shift: v is 281474976710656; give -281474976710656 to 281474976710655",
                mch_round_shift(64'h1000000000000, 1, 0, 0, y));
        mch_ok(mch_encode(e4m3, 3, 0, 0, code, flag));
        want("encode", 3, 64'(code)); // subnormal
        mch_ok(mch_encode(e4m3, -3, 0, 0, code, flag));
        want("encode, sign", 64'h83, 64'(code));
        refuses("mch_encode: out_kind is 0; give 1 to 4", mch_encode(s8, 3, 0, 0, code, flag));
        mch_ok(mch_integer(8, 1, MCH_MINIFLOAT_FN, 4, 'h83, y));
        want("integer, minifloat", -3, y);
        mch_ok(mch_integer(4, 1, MCH_POW2, 0, 'hd, y));
        want("integer, power of two", -4, y);
        mch_ok(mch_integer(8, 0, MCH_FIXED, 0, 200, y));
        want("integer, unsigned", 200, y);
        refuses("mch_integer: 127 stands for no number of this kind; give a code below infinities and NaN",
                mch_integer(8, 1, MCH_MINIFLOAT_FN, 4, 127, y));
        refuses("mch_integer: no operand of kind 1 has 4 bits and 5 of exponent; see docs/datapath.md \"number\"",
                mch_integer(4, 1, MCH_MINIFLOAT, 5, 0, y));
        mch_ok(mch_lfsr_next(1, code));
        want("lfsr", 64'hb400, 64'(code));
        mch_ok(mch_lfsr_seed(0, 0, code));
        want("lfsr seed", 64'h9e37, 64'(code));
        refuses("mch_lfsr_next: state is 0; give 1 to 65535", mch_lfsr_next(0, code));
        mch_ok(mch_mac(acc24, 100, -7, 9, y, flag));
        want("mac", 37, y);
        mch_ok(mch_mac(acc12, 2000, 10, 10, y, flag));
        want("mac, rail", 2047, y);
        want("mac, over", 1, 64'(flag));
        mch_ok(mch_acc_add(acc12, -2000, -64'h100000000, y, flag));
        want("addition, rail", -2048, y);
        refuses("mch_acc_add: addend is 4611686018427387904; give -4611686018427387903 to 4611686018427387903",
                mch_acc_add(acc12, 0, 64'h4000000000000000, y, flag));
        refuses("mch_mac: acc_bits is 1; give 2 to 48", mch_mac(acc1, 0, 0, 0, y, flag));
        refuses("mch_mac: acc is 2048; give -2048 to 2047", mch_mac(acc12, 2048, 0, 0, y, flag));
        refuses("mch_mac: x is 65536; give -32768 to 65535", mch_mac(acc24, 0, 65536, 0, y, flag));
    endtask

    int x [0:2*3*4*4-1], w [0:2*3*3*3-1], short_w [0:4];
    int pooled [0:2*3*2*2-1], vector [0:5], matrix [0:11], other [0:5];
    longint sums [0:2*2*2*2-1], products [0:1], joined [0:5];
    mch_conv_s conv = '{n: 2, c: 3, h: 4, w: 4, k: 2, r: 3, s: 3, stride_h: 2, stride_w: 2, pad_top: 1, pad_left: 1, pad_bottom: 0,
                        pad_right: 0, dilation_h: 1, dilation_w: 1, groups: 1};
    mch_conv_s bad_conv;
    mch_pool_s pool = '{n: 2, c: 3, h: 4, w: 4, r: 2, s: 2, stride_h: 2, stride_w: 2, dilation_h: 1, dilation_w: 1, default: 0};

    // The sum by its definition, with row 0 and column 0 of the kernel in the padding of p, q = 0.
    function automatic longint plain_sum(input int n, input int k, input int p, input int q);
        int yy, xx;
        plain_sum = 0;
        for (int c = 0; c < 3; c++)
            for (int r = 0; r < 3; r++)
                for (int s = 0; s < 3; s++) begin
                    yy = 2 * p + r - 1;
                    xx = 2 * q + s - 1;
                    if (yy >= 0 && xx >= 0)
                        plain_sum = plain_sum + 64'(x[((n * 3 + c) * 4 + yy) * 4 + xx] * w[((k * 3 + c) * 3 + r) * 3 + s]);
                end
    endfunction

    task convolutions;
        longint n_over;
        for (int i = 0; i < 96; i++)
            x[i] = i * 37 % 256 - 128;
        for (int i = 0; i < 54; i++)
            w[i] = i * 29 % 255 - 127;
        mch_ok(mch_conv(conv, acc24, x, w, sums, n_over));
        want("conv, over", 0, n_over);
        for (int n = 0; n < 2; n++)
            for (int k = 0; k < 2; k++)
                for (int p = 0; p < 2; p++)
                    for (int q = 0; q < 2; q++) begin
                        want("conv", plain_sum(n, k, p, q), sums[((n * 2 + k) * 2 + p) * 2 + q]);
                        mch_ok(mch_conv_pixel(conv, acc24, x, w, n, k, p, q, y, flag));
                        want("conv pixel", plain_sum(n, k, p, q), y);
                    end
        mch_ok(mch_conv(conv, acc12, x, w, sums, n_over));
        want("conv, some over", 1, 64'(n_over > 0));
        refuses("mch_conv: w has 5 elements; give an array of 54", mch_conv(conv, acc24, x, short_w, sums, n_over));
        refuses("mch_conv_pixel: p is 2; give 0 to 1", mch_conv_pixel(conv, acc24, x, w, 0, 0, 2, 0, y, flag));
        bad_conv = conv;
        bad_conv.groups = 2;
        refuses("mch_conv: 2 groups do not divide 3 and 2 channels; give a divisor of both",
                mch_conv(bad_conv, acc24, x, w, sums, n_over));
        bad_conv.groups = 1;
        bad_conv.h = 1;
        refuses("mch_conv: a kernel of 3x3 does not fit the padded input of 1x4; give a smaller one",
                mch_conv(bad_conv, acc24, x, w, sums, n_over));
        bad_conv.h = 16777217;
        refuses("mch_conv: h is 16777217; give 1 to 16777216", mch_conv(bad_conv, acc24, x, w, sums, n_over));
        bad_conv.h = 16777216;
        bad_conv.n = 16777216;
        if (mch_conv(bad_conv, acc24, x, w, sums, n_over) == 0)
            want("a tensor beyond all arrays is refused", 1, 0);
    endtask

    task layers;
        longint n_over;
        for (int i = 0; i < 6; i++) begin
            vector[i] = 10 * i - 20;
            other[i] = 7 - 3 * i;
        end
        for (int i = 0; i < 12; i++)
            matrix[i] = i - 6;
        mch_ok(mch_dense(acc24, vector, matrix, products, n_over));
        want("dense, row 0", 70, products[0]);
        want("dense, row 1", 250, products[1]);
        mch_ok(mch_dot(acc24, 5, vector, other, y, flag));
        want("dot", -535, y);
        vector[0] = -32769;
        refuses("mch_dot: x[0] is -32769; give -32768 to 65535", mch_dot(acc24, 5, vector, other, y, flag));
        vector[0] = -20;
        mch_ok(mch_eltwise(MCH_ELTWISE_SUM, 1, 0, 1, vector, other, joined));
        want("sum", -47, joined[0]);
        mch_ok(mch_eltwise(MCH_ELTWISE_MAX, 0, 2, 0, vector, other, joined));
        want("maximum", 28, joined[0]);
        mch_ok(mch_eltwise(MCH_ELTWISE_PROD, 0, 0, 0, vector, other, joined));
        want("product", -240, joined[5]);
        refuses("mch_eltwise: left_a is 1; give 0 to 0", mch_eltwise(MCH_ELTWISE_PROD, 1, 0, 0, vector, other, joined));
        for (int i = 0; i < 96; i++)
            x[i] = i;
        mch_ok(mch_pool_max(pool, x, pooled));
        want("max, first", 5, 64'(pooled[0]));
        want("max, last", 95, 64'(pooled[23]));
        mch_ok(mch_pool_avg(pool, s8, -1, x, pooled));
        want("mean, first", 5, 64'(pooled[0])); // 10 * 2 / 4
        want("mean, last", 127, 64'(pooled[23])); // 185, clamped
        pool.pad_top = 2;
        refuses("mch_pool_max: a window of 2x2 sees nothing of the input of 4x4; correct the geometry",
                mch_pool_max(pool, x, pooled));
        pool.ceil_mode = 2;
        refuses("mch_pool_max: ceil_mode is 2; give 0 to 1", mch_pool_max(pool, x, pooled));
    endtask

    longint bias [0:1] = '{1, -1};
    int shift [0:1] = '{0, 1};
    longint acc [0:3] = '{10, 300, 10, -4};
    int codes [0:3];

    task requantizers;
        mch_ok(mch_requant(s8, -4, -1, 1, 0, code, flag));
        want("requant", -2, 64'(code)); // -2.5, to even
        s8.relu = 1;
        mch_ok(mch_requant(s8, -4, -1, 1, 0, code, flag));
        want("requant, relu", 0, 64'(code));
        s8.relu = 0;
        mch_ok(mch_requant(e4m3, 16, 1, 1, 0, code, flag));
        want("requant to a minifloat", 8, 64'(code)); // 8.5, to even
        refuses("mch_requant: shift is 49; give -15 to 48", mch_requant(s8, 0, 0, 49, 0, code, flag));
        mch_ok(mch_requant_tensor(s8, 0, 1, 2, bias, shift, acc, codes, y));
        want("requant, tensor", 11, 64'(codes[0]));
        want("requant, saturated", 127, 64'(codes[1]));
        want("requant, channel 1", 4, 64'(codes[2])); // 4.5
        want("requant, negative", -2, 64'(codes[3]));
        want("requant, how many saturated", 1, y);
        n_checked = n_checked + 1;
        if (mch_requant_hint(s8, -4, -1, 1, 0, -3, 0) == "") begin
            $display("FAIL: no hint");
            n_failed = n_failed + 1;
        end
        shift[1] = -16;
        refuses("mch_requant_tensor: shift[1] is -16; give -15 to 48",
                mch_requant_tensor(s8, 0, 1, 2, bias, shift, acc, codes, y));
        e4m3.out_exp = 0;
        refuses({"mch_requant: a minifloat of 8 bits with 0 of exponent is none that is made; ",
                 "give out_exp 1 to 5, a mantissa, and wraps 0"}, mch_requant(e4m3, 16, 1, 1, 0, code, flag));
    endtask

    mch_array_s shape = '{rows: 2, cols: 2, x_bits: 8, w_bits: 8, acc_bits: 40, default: 0};
    chandle array, none;
    bit in_ready, out_valid, idle;
    mch_sums_s row;
    mch_flags_s over;

    // One beat: x = (-1, 2), w = (3, -128).
    task cycles;
        mch_ok(mch_array_new(shape, array));
        mch_ok(mch_array_step(array, 1, 1, 1, 1, 1, 1024'h02ff, 1024'h8003));
        repeat (3)
            mch_ok(mch_array_step(array, 0, 0, 0, 1, 1, '0, '0));
        mch_ok(mch_array_pins(array, in_ready, out_valid, idle, row, over));
        want("in_ready", 1, 64'(in_ready));
        want("out_valid", 1, 64'(out_valid));
        want("idle", 0, 64'(idle));
        want("sum 0", -3, 64'($signed(row[39:0])));
        want("sum 1", 128, 64'($signed(row[79:40])));
        want("above", 0, 64'(row[3071:80] != 0));
        mch_ok(mch_array_check(array, 1, 1, 0, row, over, flag));
        want("agrees", 1, 64'(flag));
        mch_ok(mch_report_about("dpi_test", "mch_mac_array", "dpi_test.none", "dpi_test", 3, 7));
        row[0] = ~row[0];
        mch_ok(mch_array_check(array, 1, 1, 0, row, over, flag));
        want("disagrees", 0, 64'(flag));
        mch_ok(mch_array_reset(array));
        mch_ok(mch_array_pins(array, in_ready, out_valid, idle, row, over));
        want("reset", 1, 64'(idle));
        refuses("mch_array_reset: the chandle is no array; give one that mch_array_new made and mch_array_free has not ended",
                mch_array_reset(none));
        mch_ok(mch_array_free(array));
        refuses("mch_array_free: the chandle is no array; give one that mch_array_new made and mch_array_free has not ended",
                mch_array_free(array));
        shape.rows = 65;
        refuses("array: 65x2 is out of range; ROWS and COLS are 1 to 64", mch_array_new(shape, array));
        shape.mult = 3;
        refuses("mch_array_new: mult is 3; give 0 to 2", mch_array_new(shape, array));
    endtask

    mch_datapath_s path = '{array: '{rows: 1, cols: 2, x_bits: 4, w_bits: 4, acc_bits: 20, default: 0}, out_bits: 6,
                            round: MCH_ROUND_HALF_UP, default: 0};
    chandle datapath;
    bit sum_ready;
    mch_operands_s row_of_codes;

    // A row of sums, (7, -100), through the requantizers: shift 1 and -1, bias 0 and 3. dpi_datapath.sv has the rest.
    task datapaths;
        mch_ok(mch_datapath_new(path, datapath));
        mch_ok(mch_datapath_layer(datapath, 1, 0, 1, 6));
        mch_ok(mch_datapath_load(datapath, 3072'h0000300000, 384'({6'd14, 6'd16}), '0));
        mch_ok(mch_datapath_step(datapath, 0, 0, 0, 1, '0, '0));
        mch_ok(mch_datapath_sum(datapath, 3072'hfff9c00007));
        repeat (3)
            mch_ok(mch_datapath_step(datapath, 0, 0, 0, 1, '0, '0));
        refuses("mch_datapath_layer: the datapath is not idle; change the layer's pins while idle_o",
                mch_datapath_layer(datapath, 1, 0, 1, 6));
        mch_ok(mch_datapath_pins(datapath, 1, in_ready, sum_ready, out_valid, idle, row_of_codes, over));
        want("datapath, sum_ready", 1, 64'(sum_ready));
        want("datapath, out_valid", 1, 64'(out_valid));
        want("datapath, code 0", 4, 64'($signed(row_of_codes[5:0])));
        want("datapath, code 1", -32, 64'($signed(row_of_codes[11:6])));
        want("datapath, saturated", 2, 64'(over));
        mch_ok(mch_datapath_check(datapath, 1, 1, 1, 1, 0, row_of_codes, over, flag));
        want("datapath agrees", 1, 64'(flag));
        mch_ok(mch_datapath_check(datapath, 1, 1, 1, 1, 0, row_of_codes, '0, flag));
        want("datapath disagrees", 0, 64'(flag));
        row_of_codes[2:0] = 3'd3; // 3.5, its half dropped
        mch_ok(mch_datapath_check(datapath, 1, 1, 1, 1, 0, row_of_codes, over, flag));
        want("datapath disagrees in a code", 0, 64'(flag));
        mch_ok(mch_datapath_reset(datapath));
        refuses("mch_datapath_layer: y_bits is 7; give 1 to 6", mch_datapath_layer(datapath, 1, 0, 1, 7));
        refuses("mch_array_reset: the chandle is no array; give one that mch_array_new made and mch_array_free has not ended",
                mch_array_reset(datapath));
        mch_ok(mch_datapath_free(datapath));
        path.out_bits = 17;
        refuses("datapath: outputs of 17 bits are out of range; OUT_BITS is 1 to 16", mch_datapath_new(path, datapath));
        path.round = 5;
        refuses("mch_datapath_new: round is 5; give 0 to 4", mch_datapath_new(path, datapath));
    endtask

    task reports;
        mch_ok(mch_report_about("dpi_test", "mch_requant", "dpi_test.u_requant", "dpi_test +case=3", 3, 7));
        mch_ok(mch_report_in("acc", -5, 32, 1));
        mch_ok(mch_report_in("shift", 1, 6, 0));
        mch_ok(mch_report_out("y", -2, -3, 8, 1));
        mch_ok(mch_report_print("column 4", mch_requant_hint(s8, -5, 0, 1, 0, -3, 0)));
        refuses("mch_report_print: number of outputs is 0; give 1 to 8", mch_report_print("", ""));
        refuses("mch_report_in: bits is 65; give 1 to 64", mch_report_in("acc", 0, 65, 1));
    endtask

    initial begin
        longint state;
        state = 0;
        want("random", 64'he220a8397b1dcdaf, mch_random(state));
        want("random, the next state", 64'h9e3779b97f4a7c15, state);
        numbers;
        convolutions;
        layers;
        requantizers;
        cycles;
        datapaths;
        reports;
        if (n_failed != 0)
            $fatal(1, "dpi_test: %0d of %0d failed", n_failed, n_checked);
        $display("dpi_test: %0d checked, result=agreed", n_checked);
        if ($test$plusargs("illegal"))
            mch_ok(mch_sat(0, 50, 1, y, flag));
        $finish;
    end
endmodule
