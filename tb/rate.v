// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors

// rate: mch_datapath under load, to measure a simulator: a beat in every cycle, tiles of 100 terms, as a layer without
// stalls gives them; half of the activations 0, as behind a ReLU. The pins come from a table, so the time is the RTL's.
// Checks no value, only that every tile came out whole and known. Plusarg: +cycles=N. Spec: docs/datapath.md "datapath".

`default_nettype none

module rate;
	localparam ROWS = 16, COLS = 16, X_BITS = 8, W_BITS = 8, ACC_BITS = 32, OUT_BITS = 8, HALF_EVEN = 3;
	localparam TERMS = 100, BEATS = 512, LATENCY = 6;

	reg [ROWS*X_BITS-1:0] x_table [0:BEATS-1];
	reg [COLS*W_BITS-1:0] w_table [0:BEATS-1];
	reg clk, rst_n, load, in_valid, in_first, in_last;
	reg [ROWS*X_BITS-1:0] x;
	reg [COLS*W_BITS-1:0] w;
	wire in_ready, out_valid;
	wire [COLS*OUT_BITS-1:0] y;
	wire [COLS-1:0] sat;

	mch_datapath #(
		.ROWS(ROWS), .COLS(COLS), .X_BITS(X_BITS), .W_BITS(W_BITS), .ACC_BITS(ACC_BITS), .ACC_SAT(0),
		.OUT_BITS(OUT_BITS), .ROUND(HALF_EVEN)
	) dut (
		.clk_i(clk),
		.rst_ni(rst_n),
		.x_signed_i(1'b0),
		.relu_i(1'b1),
		.y_signed_i(1'b0),
		.y_bits_i(5'd8),
		.load_i(load),
		.bias_i({COLS{32'd1000}}),
		.shift_i({COLS{6'd25}}),
		.noise_i({COLS{16'd1}}),
		.in_valid_i(in_valid),
		.in_ready_o(in_ready),
		.in_first_i(in_first),
		.in_last_i(in_last),
		.x_i(x),
		.w_i(w),
		.sum_valid_i(1'b0),
		.sum_ready_o(),
		.sum_i({COLS*ACC_BITS{1'b0}}),
		.out_valid_o(out_valid),
		.out_ready_i(1'b1),
		.y_o(y),
		.sat_o(sat),
		.idle_o()
	);

	integer cycles, cycle, term, beat, i, seed, n_rows, n_unknown;

	initial begin
		if (!$value$plusargs("cycles=%d", cycles))
			cycles = 1000;
		seed = 1;
		for (beat = 0; beat < BEATS; beat = beat + 1) begin
			for (i = 0; i < ROWS; i = i + 1)
				x_table[beat][i*X_BITS +: X_BITS] = $random(seed) & {X_BITS{$random(seed) > 0}};
			for (i = 0; i < COLS; i = i + 1)
				w_table[beat][i*W_BITS +: W_BITS] = $random(seed);
		end
		clk = 0;
		load = 1;
		in_valid = 0;
		term = 0;
		beat = 0;
		n_rows = 0;
		n_unknown = 0;
		rst_n = 1;
		#1 rst_n = 0;
		#1 rst_n = 1;
		for (cycle = 0; cycle < cycles; cycle = cycle + 1) begin
			#1 clk = 1;
			#1 clk = 0;
			if (in_valid && !in_ready)
				n_unknown = n_unknown + 1;
			if (out_valid) begin
				n_rows = n_rows + 1;
				if (^{y, sat} === 1'bx)
					n_unknown = n_unknown + 1;
			end
			load = 0;
			in_valid = 1;
			in_first = term == 0;
			in_last = term == TERMS - 1;
			x = x_table[beat];
			w = w_table[beat];
			term = term == TERMS - 1 ? 0 : term + 1;
			beat = beat == BEATS - 1 ? 0 : beat + 1;
		end
		// The rows of a tile follow LATENCY edges after its last beat, which two edges after reset begin; the last
		// tile may still be on its way.
		i = (cycles - 2 - LATENCY) / TERMS * ROWS;
		$display("rate: cycles=%0d rows=%0d result=%0s", cycles, n_rows,
			 n_unknown == 0 && n_rows > 0 && n_rows >= i - ROWS && n_rows <= i + ROWS ? "agreed" : "MISMATCH");
		$finish;
	end
endmodule

`default_nettype wire
