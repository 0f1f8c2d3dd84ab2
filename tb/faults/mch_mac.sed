# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# 3: 12 bits of the accumulator. 7: a sum goes on from the one before. 14: a bit of column 1's products is lost.
/^);$/a\
	integer fault; initial if (!$value$plusargs("fault=%d", fault)) fault = 0;
s/wrap = v\[ACC_BITS-1:0\];/wrap = fault == 3 ? {{(ACC_BITS-12){v[11]}}, v[11:0]} : v[ACC_BITS-1:0];/
s/first_i ? {ACC_BITS{1/first_i \&\& fault != 7 ? {ACC_BITS{1/
s/product_q\[j\] <= multiply(\(.*\));/product_q[j] <= multiply(\1) \& ~(fault == 14 \&\& j == 1 ? 8 : 0);/
