# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# A strip that begins with a row of pixels is taken to begin behind the end of the row before.
s/WRAP: if (!turned\[17\])/WRAP: if (!turned[17] \&\& turned != 0)/
