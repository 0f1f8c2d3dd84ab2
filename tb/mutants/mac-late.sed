# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The bank takes the sums one edge after its valid flag says so.
s/integer k;/integer k; reg late_q; always @(posedge clk_i) late_q <= load_i;/
/integer k;/,$s/if (load_i)/if (late_q)/
