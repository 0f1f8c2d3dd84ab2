# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# A finished tile overwrites the bank that still drains.
s/wire en    = .*/wire en    = 1'b1;/
