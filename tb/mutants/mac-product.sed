# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The product has one bit too few: the largest lose their sign.
s/: X_BITS + W_BITS;/: X_BITS + W_BITS - 1;/
