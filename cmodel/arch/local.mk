# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
noinst_LIBRARIES += cmodel/arch/libarch.a
cmodel_arch_libarch_a_SOURCES = $(ARCH_CYCLE_FILES) $(ARCH_NETWORK_FILES)
# The units cycle by cycle, and what descriptors say: on floors 0 to 3 alone, so part of what is installed (cmodel/install.mk).
ARCH_CYCLE_FILES = \
	cmodel/arch/accel.c \
	cmodel/arch/accel.h \
	cmodel/arch/axi.h \
	cmodel/arch/datapath.c \
	cmodel/arch/datapath.h \
	cmodel/arch/descriptor.c \
	cmodel/arch/descriptor.h \
	cmodel/arch/gemm.c \
	cmodel/arch/gemm.h \
	cmodel/arch/ideal_memory.c \
	cmodel/arch/ideal_memory.h \
	cmodel/arch/issue.c \
	cmodel/arch/issue.h \
	cmodel/arch/lanes.c \
	cmodel/arch/lanes.h \
	cmodel/arch/load_w.c \
	cmodel/arch/load_w.h \
	cmodel/arch/load_x.c \
	cmodel/arch/load_x.h \
	cmodel/arch/mac_array.c \
	cmodel/arch/mac_array.h \
	cmodel/arch/map.h \
	cmodel/arch/pooler.c \
	cmodel/arch/pooler.h \
	cmodel/arch/program_run.c \
	cmodel/arch/program_run.h \
	cmodel/arch/read.c \
	cmodel/arch/read.h \
	cmodel/arch/regs.c \
	cmodel/arch/regs.h \
	cmodel/arch/seq.c \
	cmodel/arch/seq.h \
	cmodel/arch/store.c \
	cmodel/arch/store.h \
	cmodel/arch/top.c \
	cmodel/arch/top.h
# Of whole networks.
ARCH_NETWORK_FILES = \
	cmodel/arch/accelerator_cost.inc \
	cmodel/arch/cost.c \
	cmodel/arch/cost.h \
	cmodel/arch/mac_cost.inc \
	cmodel/arch/program.c \
	cmodel/arch/program.h \
	cmodel/arch/program_build.h \
	cmodel/arch/program_check.c \
	cmodel/arch/program_depthwise.c \
	cmodel/arch/program_emit.c \
	cmodel/arch/program_io.c \
	cmodel/arch/program_place.c \
	cmodel/arch/program_refine.c \
	cmodel/arch/program_refine.h \
	cmodel/arch/program_step.c \
	cmodel/arch/program_tiles.c \
	cmodel/arch/program_time.c \
	cmodel/arch/program_time.h
# The runs that accelerator_cost.inc is fitted to.
EXTRA_DIST += cmodel/arch/accelerator_runs.txt
