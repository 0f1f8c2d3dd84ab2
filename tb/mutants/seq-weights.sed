# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# Weights that were left are forgotten at the end of the list.
s/(may_move || (state_q == FINISH && cp_free)) && owed_q != 0/may_move \&\& owed_q != 0/
