# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# A shift knows no zero: it takes the smallest power for it.
s/W_KIND == 5 \&\& w == {W_BITS{1'b0}}/1'b0/
