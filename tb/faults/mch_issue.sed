# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# 10: the last beat has zeros. 11: a column has the weights of the next.
/^);$/a\
	integer fault; initial if (!$value$plusargs("fault=%d", fault)) fault = 0;
s/\bx_q       <= x_i;/x_q       <= fault == 10 \&\& beat_last_i ? 0 : x_i;/
s/assign w_o\[j\*W_BITS +: W_BITS\] .*;/assign w_o[j*W_BITS +: W_BITS] = fault == 11 ? w_word_i[(j + 1) % COLS * ELEM_BITS +: W_BITS] : w_word_i[j*ELEM_BITS +: W_BITS];/
