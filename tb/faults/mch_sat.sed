# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# 2: the code wraps.
/^);$/a\
	integer fault; initial if (!$value$plusargs("fault=%d", fault)) fault = 0;
s/assign y_o = (WRAP != 0)/assign y_o = (WRAP != 0 || fault == 2)/
