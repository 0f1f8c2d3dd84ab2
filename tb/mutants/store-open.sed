# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# No limit of open writes: the count wraps.
s/ \&\& open_q != N_OPEN\[4:0\]//
