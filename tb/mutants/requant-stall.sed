# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The last stage does not wait in a stall.
s/if (en_i && valid2_q) begin/if (valid2_q) begin/
