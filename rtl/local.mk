# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# One module a file; found by name in this folder, so that no list of a simulator needs to be kept.
EXTRA_DIST += \
	rtl/mch_lfsr.v \
	rtl/mch_requant.v \
	rtl/mch_round_shift.v \
	rtl/mch_sat.v
