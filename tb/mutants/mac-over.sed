# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The flag of a saturation is forgotten with the next step.
s/over_q\[i\] && !first_i, /1'b0, /
