# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# Minifloats are extended to elements by their sign.
s/row_signed_i(MULT != 2 \&\& cp_d/row_signed_i(cp_d/
