# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The sum of accumulator and bias loses its top bit.
s/{acc_i\[ACC_BITS-1\], acc_i} + /{acc_i[ACC_BITS-2], acc_i} + /
