# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The shift does not travel with its value: one in flight sees the next channel's.
s/\.shift_i(shift1_q)/.shift_i(shift_q)/
