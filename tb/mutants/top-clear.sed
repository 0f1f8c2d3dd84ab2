# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# What a run that was cut off left in the datapath stays.
s/rst_ni && !dp_clear_q/rst_ni/
