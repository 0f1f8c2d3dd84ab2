# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
RTL = \
	rtl/mch_mac.v \
	rtl/mch_mac_array.v
EXTRA_DIST += $(RTL)
