// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors
// Every legal width of mch_round_shift and mch_sat of up to BITS bits, side by side on the same inputs: one build in which all values
// of all of them are tried (tb/tb_widths.cpp). Each reads as many low bits of v_i as it has.
//
// Combinational. Results are in 32 bits each: that of the rounding of b bits under rule r at (b - 2) * 5 + r, extended by its sign;
// that of mch_sat from b into o bits with WRAP w at ((b - 2) * (BITS - 1) + o - 1) * 2 + w, the flag at its bit 16. Places of
// parameters that mch_sat refuses, o >= b, are 0.
`default_nettype none

module mch_widths #(
	parameter BITS = 12 // 2..16
) (
	input  wire [BITS-1:0]                    v_i,
	input  wire [5:0]                         shift_i,
	input  wire [15:0]                        noise_i,
	input  wire [4:0]                         y_bits_i,
	input  wire                               y_signed_i,
	output wire [(BITS-1)*5*32-1:0]           round_o,
	output wire [(BITS-1)*(BITS-1)*2*32-1:0]  sat_o
);
	genvar b, r, o, w;
	generate
		for (b = 2; b <= BITS; b = b + 1) begin : g_in
			for (r = 0; r < 5; r = r + 1) begin : g_round
				wire signed [b+14:0] y;
				mch_round_shift #(.IN_BITS(b), .ROUND(r)) u_round_shift (
					.v_i(v_i[b-1:0]), .shift_i(shift_i), .noise_i(noise_i), .y_o(y));
				assign round_o[((b-2)*5+r)*32 +: 32] = {{(17-b){y[b+14]}}, y};
			end
			for (o = 1; o < BITS; o = o + 1) begin : g_out
				for (w = 0; w < 2; w = w + 1) begin : g_wrap
					if (o < b) begin : g_legal
						wire [o-1:0] y;
						wire sat;
						mch_sat #(.IN_BITS(b), .OUT_BITS(o), .WRAP(w)) u_sat (
							.v_i(v_i[b-1:0]), .y_bits_i(y_bits_i), .y_signed_i(y_signed_i), .y_o(y), .sat_o(sat));
						assign sat_o[((b-2)*(BITS-1)+o-1)*64+w*32 +: 32] = {15'd0, sat, {(16-o){1'b0}}, y};
					end else begin : g_illegal
						assign sat_o[((b-2)*(BITS-1)+o-1)*64+w*32 +: 32] = 32'd0;
					end
				end
			end
		end
	endgenerate
endmodule

`default_nettype wire
