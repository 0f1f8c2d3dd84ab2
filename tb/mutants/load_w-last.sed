# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# A last strip of all its pixels is not seen to be the last.
s/after\[32\] || after == 0/after[32]/
