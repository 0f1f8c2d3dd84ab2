# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# 4: x is signed. 5: the halves of x are swapped. 15: w is that of the beat before.
/^);$/a\
	integer fault; initial if (!$value$plusargs("fault=%d", fault)) fault = 0;
s/{is_signed & (x\[X_BITS-1\]/{(is_signed || fault == 4) \& (x[X_BITS-1]/
s/resolved = \(.*\);$/resolved = fault == 5 ? {is_signed \& x[X_BITS\/2-1], x[0 +: X_BITS\/2], x[X_BITS\/2 +: X_BITS\/2]} : \1;/
s/w_q <= w_i;/begin w_q <= fault == 15 \&\& !in_first_i ? w_before : w_i; w_before <= w_i; end/
s/^    reg \[COLS\*W_BITS-1:0\]   w_q;/& reg [COLS*W_BITS-1:0] w_before;/
