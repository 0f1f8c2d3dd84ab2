# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The second tile goes on behind the weights of the first.
s/beat_last_i ? rd_q - off_q : rd_q + 1'b1/rd_q + 1'b1/
