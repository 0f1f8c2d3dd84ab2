# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The ReLU looks at the accumulator before the bias.
s/relu_i \& sum\[SUM_BITS-1\]/relu_i \& acc_i[ACC_BITS-1]/
