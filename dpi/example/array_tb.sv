// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors

// array_tb: mch_mac_array against its C model, every cycle, through DPI-C. An example to begin a bench of your own with: put
// your module where u_dut is. IEEE 1800-2012 without classes, for any simulator with DPI (Icarus has none).
//
// Plusargs: +seed=N (1), +case=N (0: the first), +cases=N (300). A case is up to four tiles of random lengths from reset, with
// bubbles, restarts and back-pressure; operands crowd at the ends of their range. Ends with "result=agreed", or with
// a mismatch report and $fatal.

module array_tb #(
    parameter int ROWS = 16,
    parameter int COLS = 16,
    parameter int X_BITS = 8,
    parameter int W_BITS = 8,
    parameter int ACC_BITS = 32,
    parameter int ACC_SAT = 0
);
    import macchiato_pkg::*;

    reg clk = 1'b0;
    reg rst_n = 1'b1;
    reg in_valid = 1'b0, in_first = 1'b0, in_last = 1'b0, x_signed = 1'b0, out_ready = 1'b0;
    reg [ROWS*X_BITS-1:0] x;
    reg [COLS*W_BITS-1:0] w;
    wire in_ready, out_valid, idle;
    wire [COLS*ACC_BITS-1:0] out_acc;
    wire [COLS-1:0] out_over;

    mch_mac_array #(
        .ROWS(ROWS), .COLS(COLS), .X_BITS(X_BITS), .W_BITS(W_BITS), .ACC_BITS(ACC_BITS), .ACC_SAT(ACC_SAT)
    ) u_dut (
        .clk_i(clk), .rst_ni(rst_n),
        .in_valid_i(in_valid), .in_ready_o(in_ready), .in_first_i(in_first), .in_last_i(in_last),
        .x_signed_i(x_signed), .x_i(x), .w_i(w),
        .out_valid_o(out_valid), .out_ready_i(out_ready), .out_acc_o(out_acc), .out_over_o(out_over), .idle_o(idle)
    );

    mch_array_s parameters;
    chandle model;
    longint seed, first_case, n_cases, n_cycles = 0, n_rows = 0;
    longint random_state;
    int stall_in, stall_out;

    // 0..n-1, of a new random number.
    function automatic int below(input int n);
        longint r;
        r = mch_random(random_state);
        below = int'(r[30:0]) % n;
    endfunction

    // A code of up to 16 bits: an end of the range, 0, -1, a power of two, or any.
    function automatic bit [15:0] corner(input int bits);
        longint r;
        r = mch_random(random_state);
        case (r[18:16])
            3'd0: corner = 16'd1 << (bits - 1);
            3'd1: corner = ~(16'd1 << (bits - 1));
            3'd2: corner = 16'd0;
            3'd3: corner = 16'hffff;
            3'd4: corner = 16'd1 << r[23:20];
            default: corner = r[15:0];
        endcase
    endfunction

    // Vectors are made in functions and assigned as a whole: Verilator 5.006 misses that logic depends on parts that a loop assigns.
    function automatic bit [ROWS*X_BITS-1:0] some_x();
        for (int i = 0; i < ROWS; i = i + 1)
            some_x[i*X_BITS +: X_BITS] = X_BITS'(corner(X_BITS));
    endfunction

    function automatic bit [COLS*W_BITS-1:0] some_w();
        for (int j = 0; j < COLS; j = j + 1)
            some_w[j*W_BITS +: W_BITS] = W_BITS'(corner(W_BITS));
    endfunction

    // Half a cycle for everything to settle, the comparison, the edge.
    task cycle;
        bit agrees;
        out_ready = below(100) >= stall_out;
        #5;
        if ($isunknown({in_ready, out_valid, idle}) || (out_valid && $isunknown({out_acc, out_over})))
            $fatal(1, "array_tb: an output is unknown in cycle %0d", n_cycles);
        mch_ok(mch_array_check(model, in_ready, out_valid, idle, mch_sums_s'(out_acc), mch_flags_s'(out_over), agrees));
        if (!agrees)
            $fatal(1, "array_tb: result=MISMATCH");
        if (out_valid && out_ready)
            n_rows = n_rows + 1;
        mch_ok(mch_array_step(model, in_valid, in_first, in_last, x_signed, out_ready, mch_operands_s'(x), mch_operands_s'(w)));
        clk = 1'b1;
        #5;
        clk = 1'b0;
        n_cycles = n_cycles + 1;
    endtask

    task reset;
        rst_n = 1'b0;
        #5;
        rst_n = 1'b1;
        mch_ok(mch_array_reset(model));
    endtask

    // Now and then a tile is left before its end: in_first must start anew whatever came before.
    task feed(input int length);
        bit abandoned;
        int k;
        abandoned = below(8) == 0;
        k = 0;
        while (k < length) begin
            in_valid = below(100) >= stall_in;
            in_first = k == 0;
            in_last = k + 1 == length && !abandoned;
            x = some_x();
            w = some_w();
            // in_ready depends on registers alone: it is that of this cycle already.
            if (in_valid && in_ready)
                k = k + 1;
            cycle;
        end
        in_valid = 1'b0;
    endtask

    task run_case(input longint number);
        int n_tiles;
        random_state = (seed <<< 32) + number;
        mch_ok(mch_report_about("array_tb", "mch_mac_array", "array_tb.u_dut",
                                $sformatf("the same with +seed=%0d +case=%0d", seed, number), number, seed));
        stall_in = below(2) * below(60);
        stall_out = below(2) * below(60);
        x_signed = below(2) != 0;
        reset;
        n_tiles = 1 + below(4);
        while (n_tiles > 0) begin
            feed(1 + below(3 * ROWS));
            n_tiles = n_tiles - 1;
        end
        while (!idle)
            cycle;
    endtask

    initial begin
        if (!$value$plusargs("seed=%d", seed))
            seed = 1;
        if (!$value$plusargs("cases=%d", n_cases))
            n_cases = 300;
        first_case = 0;
        if ($value$plusargs("case=%d", first_case))
            n_cases = 1;
        parameters = '0;
        parameters.rows = ROWS;
        parameters.cols = COLS;
        parameters.x_bits = X_BITS;
        parameters.w_bits = W_BITS;
        parameters.acc_bits = ACC_BITS;
        parameters.acc_sat = ACC_SAT;
        mch_ok(mch_array_new(parameters, model));
        for (longint number = first_case; number < first_case + n_cases; number = number + 1)
            run_case(number);
        if (n_rows == 0)
            $fatal(1, "array_tb: result=NOTHING COMPARED");
        $display("array_tb: seed=%0d cases=%0d cycles=%0d rows=%0d result=agreed", seed, n_cases, n_cycles, n_rows);
        mch_ok(mch_array_free(model));
        $finish;
    end
endmodule
