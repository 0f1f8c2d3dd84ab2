# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# A weight that is subnormal has a leading one.
s/leading = W_KIND == 4 ? .*/leading = magnitude != {(W_BITS-1){1'b0}};/
