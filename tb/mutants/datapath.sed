# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The requantizers move although their last row was not taken: a row is lost under back-pressure.
s/wire en = !y_valid\[0\] || out_ready_i;/wire en = 1'b1;/
