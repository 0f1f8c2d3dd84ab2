# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# Every column gets the bias of column 0.
s/bias_i\[c\*ACC_BITS +: ACC_BITS\]/bias_i[0 +: ACC_BITS]/
