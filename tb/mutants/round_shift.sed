# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# Ties always go up, as half_up does.
s/ROUND == HALF_AWAY ? !v_i\[IN_BITS-1\] : shifted\[1\]/1'b1/
