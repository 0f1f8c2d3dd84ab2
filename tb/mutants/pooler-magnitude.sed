# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# Negative minifloats are compared as two's complement: the larger magnitude wins.
s/wire \[X_BITS-1:0\] raw = in ^ in_turned;/wire [X_BITS-1:0] raw = in;/
