# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# To add a bench: write tb/tb_<stem>.cpp (its comment "verilate: TOP FILES" says what it is made of), plant a fault in
# tb/mutants/<stem>.sed, add tb/check_<stem>, which runs both, to BENCH_TESTS, and lines to sim/matrix.txt.
BENCH_TESTS = \
	tb/check_datapath \
	tb/check_exported \
	tb/check_issue \
	tb/check_lanes \
	tb/check_lfsr \
	tb/check_load_w \
	tb/check_load_x \
	tb/check_mac \
	tb/check_mac_array \
	tb/check_pooler \
	tb/check_read \
	tb/check_regs \
	tb/check_replay \
	tb/check_requant \
	tb/check_round_shift \
	tb/check_sat \
	tb/check_sc_mac_array \
	tb/check_seq \
	tb/check_store \
	tb/check_sim

TESTS += $(BENCH_TESTS)
EXTRA_DIST += \
	$(BENCH_TESTS) \
	tb/array_case.h \
	tb/axi_parts.cpp \
	tb/axi_parts.h \
	tb/icarus-rate \
	tb/issue_layer.h \
	tb/lanes_case.h \
	tb/lanes_registers.h \
	tb/load_bench.h \
	tb/load_x_layer.h \
	tb/lockstep.cpp \
	tb/lockstep.h \
	tb/mult.h \
	tb/mutants/datapath-bias.sed \
	tb/mutants/datapath-idle.sed \
	tb/mutants/datapath-sum.sed \
	tb/mutants/datapath.sed \
	tb/mutants/issue-command.sed \
	tb/mutants/issue-hold.sed \
	tb/mutants/issue-pend.sed \
	tb/mutants/issue-rewind.sed \
	tb/mutants/issue-stall.sed \
	tb/mutants/issue-strip.sed \
	tb/mutants/issue.sed \
	tb/mutants/lanes-bubble.sed \
	tb/mutants/lanes-early.sed \
	tb/mutants/lanes-edge.sed \
	tb/mutants/lfsr.sed \
	tb/mutants/load_w.sed \
	tb/mutants/load_w-last.sed \
	tb/mutants/load_w-room.sed \
	tb/mutants/load_x.sed \
	tb/mutants/load_x-column.sed \
	tb/mutants/load_x-early.sed \
	tb/mutants/load_x-end.sed \
	tb/mutants/load_x-overflow.sed \
	tb/mutants/mac-first.sed \
	tb/mutants/mac-late.sed \
	tb/mutants/mac-product.sed \
	tb/mutants/mac-over.sed \
	tb/mutants/mac-rail.sed \
	tb/mutants/mac-shift.sed \
	tb/mutants/mac-zero.sed \
	tb/mutants/mac_array-ready.sed \
	tb/mutants/mac_array-sign.sed \
	tb/mutants/pooler-bubble.sed \
	tb/mutants/pooler-command.sed \
	tb/mutants/pooler-count.sed \
	tb/mutants/pooler-edge.sed \
	tb/mutants/pooler-filled.sed \
	tb/mutants/pooler-low.sed \
	tb/mutants/pooler.sed \
	tb/mutants/read-ar.sed \
	tb/mutants/read-error.sed \
	tb/mutants/read-hold.sed \
	tb/mutants/read-open.sed \
	tb/mutants/read-part.sed \
	tb/mutants/read-slot.sed \
	tb/mutants/read-stop.sed \
	tb/mutants/read.sed \
	tb/mutants/regs-irq.sed \
	tb/mutants/regs-strobe.sed \
	tb/mutants/regs.sed \
	tb/mutants/requant-bias.sed \
	tb/mutants/requant-load.sed \
	tb/mutants/requant-noise.sed \
	tb/mutants/requant-reset.sed \
	tb/mutants/requant-stall.sed \
	tb/mutants/requant.sed \
	tb/mutants/round_shift-below.sed \
	tb/mutants/round_shift.sed \
	tb/mutants/sat-sign.sed \
	tb/mutants/sat-wrap.sed \
	tb/mutants/sat.sed \
	tb/mutants/seq-barrier.sed \
	tb/mutants/seq-limit.sed \
	tb/mutants/seq-weights.sed \
	tb/mutants/seq.sed \
	tb/mutants/store-drop.sed \
	tb/mutants/store-early.sed \
	tb/mutants/store-hold.sed \
	tb/mutants/store-open.sed \
	tb/mutants/store-part.sed \
	tb/mutants/store-split.sed \
	tb/mutants/store-stop.sed \
	tb/mutants/store-strobe.sed \
	tb/mutants/store.sed \
	tb/rate.v \
	tb/pooler_case.h \
	tb/pooler_registers.h \
	tb/read_askers.h \
	tb/read_statement.h \
	tb/replay \
	tb/replay.v \
	tb/replay_file.vh \
	tb/run-bench \
	tb/stream.cpp \
	tb/stream.h \
	tb/tb_datapath.cpp \
	tb/tb_exported.cpp \
	tb/tb_issue.cpp \
	tb/tb_lanes.cpp \
	tb/tb_lfsr.cpp \
	tb/tb_load_w.cpp \
	tb/tb_load_x.cpp \
	tb/tb_mac.cpp \
	tb/tb_mac_array.cpp \
	tb/tb_pooler.cpp \
	tb/tb_read.cpp \
	tb/tb_regs.cpp \
	tb/tb_requant.cpp \
	tb/tb_round_shift.cpp \
	tb/tb_sat.cpp \
	tb/tb_sc_mac_array.cpp \
	tb/tb_store.cpp \
	tb/tb_seq.cpp

# Made anew when configure is run again: the scripts read it, so nothing else would ask for it.
BUILT_SOURCES += tb/config.sh
LOCAL_CLEAN += tb/obj
