// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors

// dpi_datapath: mch_datapath against its C model through macchiato_pkg, every pin, every cycle: layers of random formats, channel
// parameters, tiles, rows of sums from elsewhere, stalls. Stochastic rounding, so that each column's noise must be right, too.

module dpi_datapath #(
    parameter int ROWS = 2,
    parameter int COLS = 3,
    parameter int X_BITS = 7,
    parameter int W_BITS = 5,
    parameter int ACC_BITS = 37,
    parameter int OUT_BITS = 9
);
    import macchiato_pkg::*;

    reg clk = 1'b0, rst_n = 1'b1;
    reg x_signed = 1'b0, relu = 1'b0, y_signed = 1'b0;
    reg [4:0] y_bits = 5'd1;
    reg load = 1'b0, in_valid = 1'b0, in_first = 1'b0, in_last = 1'b0, sum_valid = 1'b0, out_ready = 1'b0;
    reg [COLS*ACC_BITS-1:0] bias, sum;
    reg [COLS*6-1:0] shift;
    reg [COLS*16-1:0] noise;
    reg [ROWS*X_BITS-1:0] x;
    reg [COLS*W_BITS-1:0] w;
    wire in_ready, sum_ready, out_valid, idle;
    wire [COLS*OUT_BITS-1:0] y;
    wire [COLS-1:0] sat;

    mch_datapath #(
        .ROWS(ROWS), .COLS(COLS), .X_BITS(X_BITS), .W_BITS(W_BITS), .ACC_BITS(ACC_BITS), .OUT_BITS(OUT_BITS),
        .ROUND(MCH_ROUND_STOCHASTIC)
    ) u_dut (
        .clk_i(clk), .rst_ni(rst_n), .x_signed_i(x_signed), .relu_i(relu), .y_signed_i(y_signed), .y_bits_i(y_bits),
        .load_i(load), .bias_i(bias), .shift_i(shift), .noise_i(noise),
        .in_valid_i(in_valid), .in_ready_o(in_ready), .in_first_i(in_first), .in_last_i(in_last), .x_i(x), .w_i(w),
        .sum_valid_i(sum_valid), .sum_ready_o(sum_ready), .sum_i(sum),
        .out_valid_o(out_valid), .out_ready_i(out_ready), .y_o(y), .sat_o(sat), .idle_o(idle)
    );

    mch_datapath_s parameters;
    chandle model;
    longint random_state = 1, n_rows = 0, n_sums = 0, n_sums_wanted = 0, n_saturated = 0;

    function automatic int below(input int n);
        longint r;
        r = mch_random(random_state);
        below = int'(r[30:0]) % n;
    endfunction

    // 64 random bits: numbers of any magnitude and either sign.
    function automatic bit [63:0] any();
        longint r;
        r = mch_random(random_state);
        any = r >>> (mch_random(random_state) & 64'd63);
    endfunction

    // Vectors are made here and assigned as a whole: Verilator 5.006 misses that logic depends on parts that a loop assigns.
    function automatic bit [COLS*ACC_BITS-1:0] any_sums();
        for (int j = 0; j < COLS; j++)
            any_sums[j*ACC_BITS +: ACC_BITS] = ACC_BITS'(any());
    endfunction

    function automatic bit [ROWS*X_BITS-1:0] any_x();
        for (int i = 0; i < ROWS; i++)
            any_x[i*X_BITS +: X_BITS] = X_BITS'(any());
    endfunction

    function automatic bit [COLS*W_BITS-1:0] any_w();
        for (int j = 0; j < COLS; j++)
            any_w[j*W_BITS +: W_BITS] = W_BITS'(any());
    endfunction

    function automatic bit [COLS*6-1:0] any_shift();
        for (int j = 0; j < COLS; j++)
            any_shift[j*6 +: 6] = 6'(below(64));
    endfunction

    // Never 0, as a seed.
    function automatic bit [COLS*16-1:0] any_noise();
        for (int j = 0; j < COLS; j++)
            any_noise[j*16 +: 16] = 16'(1 + below(65535));
    endfunction

    // The array wins where it has a row, so the sum stays offered until it is taken.
    task cycle;
        bit agrees;
        out_ready = below(4) != 0;
        #5;
        mch_ok(mch_datapath_check(model, out_ready, in_ready, sum_ready, out_valid, idle, mch_operands_s'(y), mch_flags_s'(sat),
                                  agrees));
        if (!agrees)
            $fatal(1, "dpi_datapath: result=MISMATCH");
        n_rows = n_rows + 64'(out_valid && out_ready);
        n_sums = n_sums + 64'(sum_valid && sum_ready);
        n_saturated = n_saturated + 64'(out_valid && out_ready && sat != '0);
        if (load)
            mch_ok(mch_datapath_load(model, mch_sums_s'(bias), 384'(shift), 1024'(noise)));
        if (sum_valid)
            mch_ok(mch_datapath_sum(model, mch_sums_s'(sum)));
        mch_ok(mch_datapath_step(model, in_valid, in_first, in_last, out_ready, mch_operands_s'(x), mch_operands_s'(w)));
        clk = 1'b1;
        #5;
        clk = 1'b0;
        if (sum_valid && n_sums == n_sums_wanted)
            sum_valid = 1'b0;
    endtask

    task offer_sum;
        if (!sum_valid && below(4) == 0) begin
            sum_valid = 1'b1;
            n_sums_wanted = n_sums + 1;
            sum = any_sums();
        end
    endtask

    task layer;
        x_signed = below(2) != 0;
        relu = below(2) != 0;
        y_signed = below(2) != 0;
        y_bits = 5'(1 + below(OUT_BITS));
        mch_ok(mch_datapath_layer(model, x_signed, relu, y_signed, int'(y_bits)));
        bias = any_sums();
        shift = any_shift();
        noise = any_noise();
        load = 1'b1;
        cycle;
        load = 1'b0;
    endtask

    task tile(input int length);
        int k;
        k = 0;
        while (k < length) begin
            in_valid = below(4) != 0;
            in_first = k == 0;
            in_last = k + 1 == length;
            x = any_x();
            w = any_w();
            offer_sum;
            if (in_valid && in_ready)
                k = k + 1;
            cycle;
        end
        in_valid = 1'b0;
    endtask

    initial begin
        parameters = '0;
        parameters.array.rows = ROWS;
        parameters.array.cols = COLS;
        parameters.array.x_bits = X_BITS;
        parameters.array.w_bits = W_BITS;
        parameters.array.acc_bits = ACC_BITS;
        parameters.out_bits = OUT_BITS;
        parameters.round = MCH_ROUND_STOCHASTIC;
        mch_ok(mch_datapath_new(parameters, model));
        mch_ok(mch_report_about("dpi_datapath", "mch_datapath", "dpi_datapath.u_dut", "", 0, 1));
        rst_n = 1'b0;
        #5;
        rst_n = 1'b1;
        mch_ok(mch_datapath_reset(model));
        repeat (100) begin
            layer;
            repeat (3)
                tile(1 + below(6));
            while (!idle || sum_valid)
                cycle;
        end
        mch_ok(mch_datapath_free(model));
        if (n_rows < 600 || n_sums < 100 || n_saturated < 100)
            $fatal(1, "dpi_datapath: %0d rows, %0d of sums, %0d saturated: too few", n_rows, n_sums, n_saturated);
        $display("dpi_datapath: %0d rows, result=agreed", n_rows);
        $finish;
    end
endmodule
