# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The next parameters are read before the last ones have been loaded.
s/ \&\& !pend_q \&\& there/ \&\& there/
