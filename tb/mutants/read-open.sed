# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# One burst too many is open: it overwrites the oldest in the list.
s/ \&\& open_q != FULL\[OPEN_LOG:0\]//
