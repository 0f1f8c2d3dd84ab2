# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# What `make install` gives to C programs and benches of others: the golden functions of floors 0 to 3 and the cycle models
# of arch/ as one library, with all of their headers under one folder and a file for pkg-config. scripts/check-install
# compiles each header alone, and finds those that are missing here.
lib_LIBRARIES = cmodel/libmacchiato-golden.a
cmodel_libmacchiato_golden_a_SOURCES = \
	$(cmodel_base_libbase_a_SOURCES) \
	$(cmodel_fxp_libfxp_a_SOURCES) \
	$(cmodel_tensor_libtensor_a_SOURCES) \
	$(cmodel_op_libop_a_SOURCES) \
	$(ARCH_CYCLE_FILES)
pkgconfigdir = $(libdir)/pkgconfig
pkgconfig_DATA = cmodel/macchiato-golden.pc

golden_basedir = $(includedir)/macchiato/base
golden_base_HEADERS = \
	cmodel/base/err.h \
	cmodel/base/outfile.h \
	cmodel/base/require.h \
	cmodel/base/rng.h \
	cmodel/base/temporary.h
golden_fxpdir = $(includedir)/macchiato/fxp
golden_fxp_HEADERS = \
	cmodel/fxp/encode.h \
	cmodel/fxp/format.h \
	cmodel/fxp/lfsr.h \
	cmodel/fxp/mac.h \
	cmodel/fxp/number.h \
	cmodel/fxp/round_shift.h \
	cmodel/fxp/sat.h \
	cmodel/fxp/wide.h
golden_tensordir = $(includedir)/macchiato/tensor
golden_tensor_HEADERS = \
	cmodel/tensor/crc32.h \
	cmodel/tensor/hexline.h \
	cmodel/tensor/mem.h \
	cmodel/tensor/mem_form.h \
	cmodel/tensor/report.h \
	cmodel/tensor/tensor.h \
	cmodel/tensor/vec.h \
	cmodel/tensor/vec_header.h
golden_opdir = $(includedir)/macchiato/op
golden_op_HEADERS = \
	cmodel/op/concat.h \
	cmodel/op/conv.h \
	cmodel/op/eltwise.h \
	cmodel/op/events.h \
	cmodel/op/gather.h \
	cmodel/op/hint.h \
	cmodel/op/hint_conv.h \
	cmodel/op/hint_rules.h \
	cmodel/op/pool.h \
	cmodel/op/requant.h \
	cmodel/op/wide.h
golden_archdir = $(includedir)/macchiato/arch
golden_arch_HEADERS = \
	cmodel/arch/accel.h \
	cmodel/arch/axi.h \
	cmodel/arch/datapath.h \
	cmodel/arch/descriptor.h \
	cmodel/arch/gemm.h \
	cmodel/arch/ideal_memory.h \
	cmodel/arch/issue.h \
	cmodel/arch/lanes.h \
	cmodel/arch/load_w.h \
	cmodel/arch/load_x.h \
	cmodel/arch/mac_array.h \
	cmodel/arch/map.h \
	cmodel/arch/pooler.h \
	cmodel/arch/program_run.h \
	cmodel/arch/read.h \
	cmodel/arch/regs.h \
	cmodel/arch/seq.h \
	cmodel/arch/store.h \
	cmodel/arch/top.h
