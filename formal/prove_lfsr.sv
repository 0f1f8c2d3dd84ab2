// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors
// mch_lfsr is "lfsr" of docs/datapath.md, and never stands at 0 when it has begun elsewhere: so noise is of period 2^16 - 1.
// Assumed: seeds are not 0, and one comes first.
`default_nettype none
module prove_lfsr (
	input wire clk,
	input wire load,
	input wire en,
	input wire [15:0] seed
);
	wire [15:0] noise;
	mch_lfsr u_dut (.clk_i(clk), .load_i(load), .seed_i(seed), .en_i(en), .noise_o(noise));

	// Bit i of the next state, tap by tap: x^16 + x^14 + x^13 + x^11 + 1.
	reg [15:0] state;
	reg loaded = 0;
	integer i;
	always @(posedge clk) begin
		loaded <= loaded || load;
		if (load)
			state <= seed;
		else if (en)
			for (i = 0; i < 16; i = i + 1)
				state[i] <= (i == 15 ? 1'b0 : state[(i + 1) % 16]) ^
					    ((i == 15 || i == 13 || i == 12 || i == 10) & state[0]);
	end

	always @* begin
		assume (seed != 0);
		if (loaded) begin
			assert (noise == state);
			assert (noise != 0);
		end
		cover (loaded && noise == 16'hace1 && state[0]);
	end
endmodule
`default_nettype wire
