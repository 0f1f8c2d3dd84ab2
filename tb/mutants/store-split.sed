# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# A burst does not end at the block of memory.
s/ || (at \& LAST_WORD) == LAST_WORD;/;/
