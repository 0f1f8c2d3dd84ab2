# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# 6: the shift is one more. 8: there is no bias. 12: the flag is never raised.
/^);$/a\
	integer fault; initial if (!$value$plusargs("fault=%d", fault)) fault = 0;
s/shift1_q <= shift_q;/shift1_q <= fault == 6 ? shift_q + 1 : shift_q;/
s/+ {bias_q\[ACC_BITS-1\], bias_q};/+ (fault == 8 ? {SUM_BITS{1'b0}} : {bias_q[ACC_BITS-1], bias_q});/
s/sat_q <= sat;/sat_q <= sat \&\& fault != 12;/
