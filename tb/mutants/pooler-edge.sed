# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The column behind the map's last one is read: it is the next row's first.
s/|| col_q\[COL_BITS-2:0\] < {2'b00, in_w};/|| col_q[COL_BITS-2:0] <= {2'b00, in_w};/
