# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# 1: ties go up.
/^);$/a\
	integer fault; initial if (!$value$plusargs("fault=%d", fault)) fault = 0;
s/wire tie_up = /&fault == 1 ? 1'b1 : /
