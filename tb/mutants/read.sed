# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# A burst does not end at its block of memory: it may cross 4 KB.
s/room_less  = ~addr\[7:0\] \& LAST_WORD\[7:0\]/room_less  = LAST_WORD[7:0]/
