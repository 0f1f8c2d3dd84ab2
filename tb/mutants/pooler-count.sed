# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The reciprocal of the first count is kept for all.
s/wire reckoned = known_q && count_q == hcount_q;/wire reckoned = known_q;/
