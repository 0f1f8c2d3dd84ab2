# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# Nothing is clamped at the high rail: the code wraps there.
s/negative ? lowest : ~above/negative ? lowest : v_i[OUT_BITS-1:0]/
