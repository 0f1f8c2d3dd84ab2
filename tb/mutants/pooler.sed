# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The column kept at the end of a row serves in the next row, too.
s/wire keeps = shares && !q_last;/wire keeps = shares;/
