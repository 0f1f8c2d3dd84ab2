# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# 4: x is signed. 5: the halves of x are swapped. 15: w is that of the beat before.
/^);$/a\
	integer fault; initial if (!$value$plusargs("fault=%d", fault)) fault = 0;
s/x_signed_i & (x_i\[i\*X_BITS + X_BITS - 1\]/(x_signed_i || fault == 4) \& (x_i[i*X_BITS + X_BITS - 1]/
s/^\( *\)x_q\[i\] <= \(.*\);$/\1x_q[i] <= fault == 5 ? {x_signed_i \& x_i[i*X_BITS + X_BITS\/2 - 1], x_i[i*X_BITS +: X_BITS\/2], x_i[i*X_BITS + X_BITS\/2 +: X_BITS\/2]} : \2;/
s/w_q <= w_i;/begin w_q <= fault == 15 \&\& !in_first_i ? w_before : w_i; w_before <= w_i; end/
s/^    reg \[COLS\*W_BITS-1:0\]   w_q;/& reg [COLS*W_BITS-1:0] w_before;/
