# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The next strip goes on in memory behind the words of this one.
s/addr_q <= d_i\[`MCH_D_W_ADDR\];/addr_q <= start_i ? d_i[`MCH_D_W_ADDR] : addr_q + {16'd0, take_words_i};/
