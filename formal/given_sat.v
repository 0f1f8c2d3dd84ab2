// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors
// y_bits is 1..OUT_BITS: the header of mch_sat; of a descriptor mch_seq refuses all others.
`include "given.vh"
module given_sat #(
	parameter OUT_BITS = 8
) (
	input wire [4:0] y_bits_i
);
	wire ok = y_bits_i >= 1 && y_bits_i <= OUT_BITS;
	`GIVEN(ok, 1'b1)
endmodule
