# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# Sums win over the array's row, which is lost.
s/wire \[COLS\*ACC_BITS-1:0\] row = acc_valid ? acc : sum_i;/wire [COLS*ACC_BITS-1:0] row = sum_valid_i ? sum_i : acc;/
