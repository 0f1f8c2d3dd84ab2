# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
RTL = \
	rtl/mch_datapath.v \
	rtl/mch_encode.v \
	rtl/mch_issue.v \
	rtl/mch_lanes.v \
	rtl/mch_lfsr.v \
	rtl/mch_load_w.v \
	rtl/mch_load_x.v \
	rtl/mch_mac.v \
	rtl/mch_mac_array.v \
	rtl/mch_pooler.v \
	rtl/mch_read.v \
	rtl/mch_regs.v \
	rtl/mch_requant.v \
	rtl/mch_round_shift.v \
	rtl/mch_sat.v \
	rtl/mch_seq.v \
	rtl/mch_store.v \
	rtl/mch_top.v
rtldir = $(pkgdatadir)/rtl
dist_rtl_DATA = $(RTL) rtl/mch_map.vh
# For FuseSoC; installed so that it finds rtl/ beside it, as here.
dist_pkgdata_DATA = macchiato.core
EXTRA_DIST += rtl/mch_map.txt
