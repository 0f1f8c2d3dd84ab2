// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors
// docs/datapath.md "round_shift", "sat" and "mac" as plain statements: integers of more bits than any value has, quotients,
// remainders and comparisons. Included in a module; shares nothing with rtl/.

// |v| < 2^49, shift -15..48: all of it is exact in 67 bits.
function signed [66:0] spec_round_shift;
	input signed [66:0] v;
	input [5:0] shift_15;
	input [15:0] noise;
	input integer mode;
	reg signed [7:0] shift;
	reg signed [66:0] q, lost, half, dither;
	reg up;
	begin
		shift = $signed({2'b00, shift_15}) - 8'sd15;
		q = v >>> shift;
		lost = v - (q <<< shift);
		half = 67'sd1 <<< (shift - 8'sd1);
		dither = $signed({51'd0, noise});
		dither = shift >= 16 ? dither <<< (shift - 8'sd16) : dither >>> (8'sd16 - shift);
		up = mode == 0 ? 1'b0 :
		     mode == 1 ? lost >= half :
		     mode == 2 ? lost > half || (lost == half && v >= 0) :
		     mode == 3 ? lost > half || (lost == half && q[0]) : lost + dither >= (half <<< 1);
		spec_round_shift = shift <= 0 ? v <<< -shift : up ? q + 67'sd1 : q;
	end
endfunction

function signed [66:0] spec_high;
	input [4:0] bits;
	input is_signed;
	spec_high = (67'sd1 <<< (is_signed ? bits - 5'd1 : bits)) - 67'sd1;
endfunction

function signed [66:0] spec_low;
	input [4:0] bits;
	input is_signed;
	spec_low = is_signed ? -(67'sd1 <<< (bits - 5'd1)) : 67'sd0;
endfunction

function spec_outside;
	input signed [66:0] v;
	input [4:0] bits;
	input is_signed;
	spec_outside = v < spec_low(bits, is_signed) || v > spec_high(bits, is_signed);
endfunction

// sat, or wrap_code.
function signed [66:0] spec_sat;
	input signed [66:0] v;
	input [4:0] bits;
	input is_signed;
	input integer wraps;
	reg signed [66:0] two, low, high;
	begin
		two = 67'sd1 <<< bits;
		low = spec_low(bits, is_signed);
		high = spec_high(bits, is_signed);
		if (wraps == 0)
			spec_sat = v < low ? low : v > high ? high : v;
		else begin
			spec_sat = v & (two - 67'sd1);
			if (spec_sat > high)
				spec_sat = spec_sat - two;
		end
	end
endfunction

// a times integer(code) of a power of two, number 5 or 6; the code that 5 does not have stands for what the rule of the others says.
function signed [66:0] spec_power;
	input signed [66:0] a;
	input signed [4:0] code;
	input integer kind;
	integer p;
	begin
		spec_power = 67'sd0;
		for (p = 0; p < 16; p = p + 1) begin
			if (code == (kind == 5 ? p + 1 : p))
				spec_power = a <<< p;
			if (code == -1 - p)
				spec_power = -(a <<< p);
		end
	end
endfunction
