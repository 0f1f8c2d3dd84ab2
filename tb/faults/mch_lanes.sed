# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# 9: the map is one column further left. 13: the channels of a word come last first.
/^);$/a\
	integer fault; initial if (!$value$plusargs("fault=%d", fault)) fault = 0;
s/wire \[COL_BITS-1:0\] coff_0 = .*;/wire [COL_BITS-1:0] coff_0 = (fault == 9 ? 1 : 0) - {{COL_BITS-8{1'b0}}, d_i[`MCH_D_PAD_LEFT]};\
	wire [C_LOG2-1:0] c_at = fault == 13 ? cur_info_q[0 +: C_LOG2] - c_q : c_q;/
s/(c_q & ~(X_STEP/(c_at \& ~(X_STEP/
s/run\[c_q\[/run[c_at[/
