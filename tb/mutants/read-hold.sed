# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# A wide beat is let go with its first word.
s/busy \&\& (last_word || at == LAST_SLOT\[S_BITS-1:0\])/busy/
