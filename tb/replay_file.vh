// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors

// The part of replay.v that reads a vector file, case by case, into the group that is played. Included within its
// module. $fscanf alone: $fgets with $sscanf reads nothing in some simulators. Spec: docs/vectors.md.

	// The group of cases that is played.
	integer n_group;
	reg [X_BITS-1:0] x_mem [0:COLS*TERMS-1];
	reg [W_BITS-1:0] w_mem [0:COLS*TERMS-1];
	reg [ACC_BITS-1:0] bias_mem [0:COLS-1], acc_mem [0:COLS-1];
	reg [5:0] shift_mem [0:COLS-1];
	reg [15:0] noise_mem [0:COLS-1];
	reg [OUT_BITS-1:0] y_mem [0:COLS-1];
	reg sat_mem [0:COLS-1];

	// The file.
	localparam X = 0, W = 1, BIAS = 2, SHIFT = 3, NOISE = 4, ACC = 5, Y = 6, SAT = 7, FIELDS_MAX = 16;
	reg [8*1024-1:0] vec;
	integer fd, got, line, n_cases, n_in, n_fields, n_x, n_w;
	integer f_role [0:FIELDS_MAX-1], f_bits [0:FIELDS_MAX-1], f_count [0:FIELDS_MAX-1], f_base [0:FIELDS_MAX-1];
	reg f_signed [0:FIELDS_MAX-1];
	reg [WORD_BITS-1:0] word;

	// x, x1, x2, ... and w, w1, ... are words of one operand.
	function integer role_of;
		input [8*31-1:0] name;
		case (name)
			"bias": role_of = BIAS;
			"shift": role_of = SHIFT;
			"noise": role_of = NOISE;
			"acc": role_of = ACC;
			"y": role_of = Y;
			"sat": role_of = SAT;
			"x": role_of = X;
			"w": role_of = W;
			default: role_of = name >> 8 == "x" ? X : name >> 8 == "w" ? W : -1;
		endcase
	endfunction

	function integer widest;
		input integer role;
		case (role)
			X: widest = X_BITS;
			W: widest = W_BITS;
			BIAS, ACC: widest = ACC_BITS;
			SHIFT: widest = 7;
			NOISE: widest = 16;
			Y: widest = OUT_BITS;
			default: widest = 1;
		endcase
	endfunction

	task take_field;
		input is_in;
		integer bits, frac, count, role;
		reg [8*31-1:0] name;
		reg [7:0] sign;
		begin
			got = $fscanf(fd, " %s %c%d.%d %d", name, sign, bits, frac, count);
			if (got != 5 || n_fields == FIELDS_MAX)
				fail("is no field line of the format; export the folder again");
			role = role_of(name);
			if (role < 0)
				fail("has a field that is not one of \"dot\"; give a file LAYER.dot.vec");
			if (bits > widest(role) || bits * count > LONGEST)
				fail("has a field wider than the array's; give the macchiato_config.vh beside it");
			f_role[n_fields] = role;
			f_bits[n_fields] = bits;
			f_count[n_fields] = count;
			f_signed[n_fields] = sign == "s";
			f_base[n_fields] = role == X ? n_x : role == W ? n_w : 0;
			n_fields = n_fields + 1;
			if (is_in)
				n_in = n_in + 1;
			if (role == X) begin
				n_x = n_x + count;
				x_signed = sign == "s";
			end else if (role == W) begin
				n_w = n_w + count;
			end else if (role == Y) begin
				y_signed = sign == "s";
				y_bits = bits[4:0];
			end
		end
	endtask

	task read_header;
		integer version;
		reg [8*16-1:0] key;
		reg [8*512-1:0] text; // what a line holds at most
		reg more;
		begin
			n_in = 0;
			n_fields = 0;
			n_x = 0;
			n_w = 0;
			line = 1;
			got = $fscanf(fd, "# macchiato vectors %d", version);
			if (got != 1 || version != 1)
				fail("this is no vector file of this release; export the folder again");
			more = 1;
			while (more) begin
				line = line + 1;
				got = $fscanf(fd, " # %s", key);
				if (got != 1)
					fail("a header line is expected; export the folder again");
				if (key == "in" || key == "out") begin
					take_field(key == "in");
				end else if (key == "cases") begin
					got = $fscanf(fd, "%d", n_cases);
					more = 0;
				end else begin // op, comment, redo
					got = $fgets(text, fd);
				end
			end
			if (got != 1 || n_x < 1 || n_x != n_w || n_x > TERMS)
				fail("x and w differ in terms, or exceed TERMS; export again or raise the parameter");
		end
	endtask

	// A code of `bits` bits, in 64.
	function [63:0] extend;
		input [63:0] code;
		input integer bits;
		input is_signed;
		reg [63:0] mask;
		begin
			mask = ~(~64'd0 << bits);
			extend = (code & mask) | (is_signed && ((code >> (bits - 1)) & 64'd1) != 0 ? ~mask : 64'd0);
		end
	endfunction

	task read_case;
		input integer c;
		integer f, e;
		reg [63:0] code;
		begin
			line = line + 1;
			for (f = 0; f < n_fields; f = f + 1) begin
				if (f == n_in)
					got = $fscanf(fd, " : %h", word);
				else
					got = $fscanf(fd, "%h", word);
				if (got != 1)
					fail("a field is missing; export the folder again");
				for (e = 0; e < f_count[f]; e = e + 1) begin
					code = extend(word[e*f_bits[f] +: 64], f_bits[f], f_signed[f]);
					case (f_role[f])
						X: x_mem[c*TERMS + f_base[f] + e] = code[X_BITS-1:0];
						W: w_mem[c*TERMS + f_base[f] + e] = code[W_BITS-1:0];
						BIAS: bias_mem[c] = code[ACC_BITS-1:0];
						SHIFT: begin
							code = code + SHIFT_ZERO;
							shift_mem[c] = code[5:0];
						end
						NOISE: noise_mem[c] = code[15:0];
						ACC: acc_mem[c] = code[ACC_BITS-1:0];
						Y: y_mem[c] = code[OUT_BITS-1:0];
						default: sat_mem[c] = code[0];
					endcase
				end
			end
		end
	endtask

	// The rest of the file: nothing but the checksum, which tb/replay and every reader in C hold to.
	task read_end;
		reg [31:0] crc;
		begin
			line = line + 1;
			got = $fscanf(fd, " # crc32 %h", crc);
			if (got != 1)
				fail("the closing line is missing; export the folder again");
		end
	endtask
