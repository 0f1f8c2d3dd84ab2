# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# A half that was released is filled anew while words of its last strip are still to land.
s/ && !valid_q\[next_q\] && !old;/ \&\& !valid_q[next_q];/
