# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# A strip that ends with a row of pixels ends where the next one would.
s/BACK: if (column_q == 0)/BACK: if (1'b0)/
