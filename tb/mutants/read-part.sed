# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# A word of narrow beats has the last one lowest.
s/all = {rdata_i, part_data_q}/all = {part_data_q, rdata_i}/
