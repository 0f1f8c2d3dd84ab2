// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors

// replay: plays the golden vectors of an exported layer (docs/vectors.md "dot") through mch_datapath, in plain
// Verilog-2005: no model and no library beside it. Spec: docs/datapath.md "datapath".
//
//   iverilog -g2005 -I ACCEL -I tb -y rtl -o replay tb/replay.v && vvp -n replay +vec=ACCEL/LAYER.dot.vec +relu=1
//
// tb/replay does this for a whole folder. The widths are those of ACCEL/macchiato_config.vh, the shape is any.
//
// COLS cases play as a group: case c brings its weights, bias and shift to column c and stays there, while its
// activations visit every row, one a tile: tile j has on row r those of case (r + j) mod max(ROWS, COLS). So every PE
// meets every case of its column, and tiles follow each other without a gap. Registers start as X here, as do idle
// pins: comparison is with ===, so no X may ever reach an output.
//
// Plusargs: +vec=FILE, +relu=0|1, +stalls=PERCENT, +seed=N. The last line is `replay: cases=N ... result=agreed` or
// MISMATCH or ERROR; $finish has no exit status in Icarus, so the caller must read that line.

`default_nettype none
`include "macchiato_config.vh"

module replay #(
	parameter ROWS = 4,
	parameter COLS = 4,
	parameter TERMS = 4096 // at least those of the layer
);
	localparam X_BITS = `MCH_X_BITS, W_BITS = `MCH_W_BITS, ACC_BITS = `MCH_ACC_BITS, OUT_BITS = `MCH_OUT_BITS;
	localparam ROUND = `MCH_ROUND, STOCHASTIC = 4, SHIFT_ZERO = `MCH_SHIFT_CODE_ZERO;
	localparam SIDE = ROWS > COLS ? ROWS : COLS;
	// A word of the file: all terms of an operand, at most 2^16 bits. 64 more, so that 64 can be taken anywhere.
	localparam ALL_BITS = TERMS * (X_BITS > W_BITS ? X_BITS : W_BITS);
	localparam LONGEST = ALL_BITS < 64 ? 64 : ALL_BITS < 65536 ? ALL_BITS : 65536, WORD_BITS = LONGEST + 64;
	localparam PATIENCE = 64 * SIDE + 1024; // edges without progress, far more than the stalls can make

	// The datapath.
	reg clk, rst_n, x_signed, relu, y_signed, load, in_valid, in_first, in_last, out_ready;
	reg [4:0] y_bits;
	reg [COLS*ACC_BITS-1:0] bias;
	reg [COLS*6-1:0] shift;
	reg [COLS*16-1:0] noise;
	reg [ROWS*X_BITS-1:0] x;
	reg [COLS*W_BITS-1:0] w;
	wire in_ready, out_valid;
	wire [COLS*OUT_BITS-1:0] y;
	wire [COLS-1:0] sat;

	mch_datapath #(
		.ROWS(ROWS), .COLS(COLS), .X_BITS(X_BITS), .W_BITS(W_BITS), .ACC_BITS(ACC_BITS),
		.ACC_SAT(`MCH_ACC_SAT), .OUT_BITS(OUT_BITS), .ROUND(ROUND),
		.OUT_WRAP(`MCH_OUT_WRAP)
	) dut (
		.clk_i(clk),
		.rst_ni(rst_n),
		.x_signed_i(x_signed),
		.relu_i(relu),
		.y_signed_i(y_signed),
		.y_bits_i(y_bits),
		.load_i(load),
		.bias_i(bias),
		.shift_i(shift),
		.noise_i(noise),
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
		.out_ready_i(out_ready),
		.y_o(y),
		.sat_o(sat),
		.idle_o()
	);

`include "replay_file.vh"

	// What has been played: first_line is that of the group's first case. Values compared are counted one by one.
	integer n_played, first_line, cycle, idle, stalls, seed;
	integer n_values;

	task finish; // never returns
		input [8*8-1:0] result;
		begin
			$display("replay: cases=%0d values=%0d cycles=%0d result=%0s", n_played, n_values, cycle,
				 result);
			$finish;
			#1;
		end
	endtask

	task fail;
		input [8*80-1:0] what;
		begin
			$display("macchiato: %0s:%0d: %0s", vec, line, what);
			finish("ERROR");
		end
	endtask

	// What a code of y is worth.
	function signed [63:0] y_value;
		input [OUT_BITS-1:0] code;
		y_value = {{(64-OUT_BITS){y_signed & code[OUT_BITS-1]}}, code};
	endfunction

	task mismatch; // of case c on (row, column c); never returns
		input integer row, c;
		input is_acc;
		reg signed [ACC_BITS-1:0] acc;
		reg [OUT_BITS-1:0] code;
		begin
			$display("%0s:%0d: MISMATCH mch_datapath, case %0d", vec, first_line + c, n_played + c);
			acc = acc_mem[c];
			if (is_acc) begin
				$display("  in    x w, %0d terms", n_x);
				$display("  want  acc=%h (%0d)", acc, acc);
				acc = dut.acc[c*ACC_BITS +: ACC_BITS];
				$display("  got   acc=%h (%0d)", acc, acc);
			end else begin
				$write("  in    acc=%h (%0d)", acc, acc);
				acc = bias_mem[c];
				$display("  bias=%h (%0d)  shift=%0d", acc, acc, shift_mem[c] - SHIFT_ZERO);
				code = y[c*OUT_BITS +: OUT_BITS];
				$display("  want  y=%h (%0d)  sat=%b", y_mem[c], y_value(y_mem[c]), sat_mem[c]);
				$display("  got   y=%h (%0d)  sat=%b        %0d lsb", code, y_value(code), sat[c],
					 y_value(code) - y_value(y_mem[c]));
			end
			$display("  at    row %0d, column %0d  cycle %0d  parameters ROWS=%0d COLS=%0d", row, c,
				 cycle, ROWS, COLS);
			finish("MISMATCH");
		end
	endtask

	task broken; // the control went wrong, so no case can be named
		input [8*80-1:0] what;
		begin
			$display("%0s:%0d: MISMATCH mch_datapath, case %0d", vec, first_line, n_played);
			$display("  got   %0s", what);
			$display("  at    cycle %0d  parameters ROWS=%0d COLS=%0d", cycle, ROWS, COLS);
			finish("MISMATCH");
		end
	endtask

	// The next row that leaves the bank, and the requantizers; tiles are counted within the group.
	integer acc_tile, acc_row, y_tile, y_row;

	task check_row;
		input is_acc;
		integer tile, row, c;
		begin
			tile = is_acc ? acc_tile : y_tile;
			row = is_acc ? acc_row : y_row;
			if (tile == SIDE)
				broken("a row that nothing asked for");
			c = (row + tile) % SIDE;
			if (c < n_group) begin
				if (is_acc ? dut.acc[c*ACC_BITS +: ACC_BITS] !== acc_mem[c] :
					     {y[c*OUT_BITS +: OUT_BITS], sat[c]} !== {y_mem[c], sat_mem[c]})
					mismatch(row, c, is_acc);
				n_values = n_values + (is_acc ? 1 : 2);
			end
			if ((is_acc ? ^dut.acc : ^{y, sat}) === 1'bx)
				broken("an X in another column of the row");
			row = (row + 1) % ROWS;
			if (row == 0)
				tile = tile + 1;
			if (is_acc) begin
				acc_tile = tile;
				acc_row = row;
			end else begin
				y_tile = tile;
				y_row = row;
			end
		end
	endtask

	function chance; // true in `stalls` of 100 calls
		input unused;
		chance = {$random(seed)} % 100 < stalls;
	endfunction

	task tick; // one rising edge, with the pins as they stand
		output taken;
		begin
			out_ready = !chance(1'b0);
			#1;
			if (^{in_ready, out_valid} === 1'bx)
				broken("an X on in_ready_o or out_valid_o");
			taken = in_valid && in_ready;
			idle = taken || load || (out_valid && out_ready) ? 0 : idle + 1;
			if (idle > PATIENCE)
				broken("neither takes a beat nor gives a row any more");
			if (dut.acc_valid && dut.en)
				check_row(1'b1);
			if (out_valid && out_ready)
				check_row(1'b0);
			clk = 1;
			#1 clk = 0;
			cycle = cycle + 1;
		end
	endtask

	task drain; // until all rows of the tiles before `tile` have left
		input integer tile;
		reg taken;
		begin
			idle_pins;
			while (y_tile < tile)
				tick(taken);
		end
	endtask

	task idle_pins; // what is not valid is not read
		begin
			load = 0;
			bias = {COLS*ACC_BITS{1'bx}};
			shift = {COLS*6{1'bx}};
			noise = {COLS*16{1'bx}};
			in_valid = 0;
			in_first = 1'bx;
			in_last = 1'bx;
			x = {ROWS*X_BITS{1'bx}};
			w = {COLS*W_BITS{1'bx}};
		end
	endtask

	// The state that becomes `state` by n steps of mch_lfsr.
	function [15:0] earlier;
		input [15:0] state;
		input integer n;
		integer i;
		begin
			earlier = state;
			for (i = 0; i < n; i = i + 1)
				earlier = earlier[15] ? {earlier[14:0] ^ 15'h3400, 1'b1} : {earlier[14:0], 1'b0};
		end
	endfunction

	// The noise moves by a step with each row of a tile: it is set so that it is the case's on the case's row.
	task load_columns;
		input integer tile;
		integer c, row;
		reg taken;
		begin
			for (c = 0; c < COLS; c = c + 1) begin
				row = (c - tile + SIDE) % SIDE;
				bias[c*ACC_BITS +: ACC_BITS] = c < n_group ? bias_mem[c] : {ACC_BITS{1'b0}};
				shift[c*6 +: 6] = c < n_group ? shift_mem[c] : 6'd0;
				noise[c*16 +: 16] =
					c < n_group && ROUND == STOCHASTIC ? earlier(noise_mem[c], row) : 16'd1;
			end
			load = 1;
			tick(taken);
			idle_pins;
		end
	endtask

	task play_beat;
		input integer tile, term;
		integer r, c;
		begin
			in_valid = 1;
			in_first = term == 0;
			in_last = term == n_x - 1;
			for (r = 0; r < ROWS; r = r + 1) begin
				c = (r + tile) % SIDE;
				x[r*X_BITS +: X_BITS] = c < n_group ? x_mem[c*TERMS + term] : {X_BITS{1'b0}};
			end
			for (c = 0; c < COLS; c = c + 1)
				w[c*W_BITS +: W_BITS] = c < n_group ? w_mem[c*TERMS + term] : {W_BITS{1'b0}};
		end
	endtask

	task play_group;
		integer tile, term;
		reg taken;
		begin
			acc_tile = 0;
			acc_row = 0;
			y_tile = 0;
			y_row = 0;
			for (tile = 0; tile < SIDE; tile = tile + 1) begin
				if (tile == 0 || ROUND == STOCHASTIC) begin
					drain(tile);
					load_columns(tile);
				end
				term = 0;
				while (term < n_x) begin
					if (chance(1'b0))
						idle_pins;
					else
						play_beat(tile, term);
					tick(taken);
					if (taken)
						term = term + 1;
				end
			end
			drain(SIDE);
		end
	endtask

	initial begin
		n_played = 0;
		n_values = 0;
		cycle = 0;
		idle = 0;
		line = 0;
		if (!$value$plusargs("vec=%s", vec) || !$value$plusargs("relu=%b", relu)) begin
			vec = "replay";
			fail("+vec=FILE and +relu=0 or 1 are needed; see the head of tb/replay.v");
		end
		if (!$value$plusargs("stalls=%d", stalls))
			stalls = 0;
		if (!$value$plusargs("seed=%d", seed))
			seed = 1;
		fd = $fopen(vec, "r");
		if (fd == 0)
			fail("cannot be opened; check the name");
		read_header;
		clk = 0;
		idle_pins;
		out_ready = 0;
		rst_n = 1;
		#1 rst_n = 0;
		#1 rst_n = 1;
		first_line = line + 1;
		while (n_played < n_cases) begin
			n_group = 0;
			while (n_group < COLS && n_played + n_group < n_cases) begin
				read_case(n_group);
				n_group = n_group + 1;
			end
			play_group;
			n_played = n_played + n_group;
			first_line = first_line + n_group;
		end
		read_end;
		finish(n_values > 0 ? "agreed" : "NOTHING");
	end
endmodule

`default_nettype wire
