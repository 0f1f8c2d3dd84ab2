# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# A tile does not start from 0: what the one before left is added to it.
s/first_i ? {ACC_BITS{1'b0}} : acc_q/1'b0 ? {ACC_BITS{1'b0}} : acc_q/
