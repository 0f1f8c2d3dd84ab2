# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
noinst_LIBRARIES += cmodel/fxp/libfxp.a
cmodel_fxp_libfxp_a_SOURCES = \
	cmodel/fxp/encode.h \
	cmodel/fxp/format.c \
	cmodel/fxp/format.h \
	cmodel/fxp/lfsr.h \
	cmodel/fxp/mac.h \
	cmodel/fxp/number.c \
	cmodel/fxp/number.h \
	cmodel/fxp/round_shift.c \
	cmodel/fxp/round_shift.h \
	cmodel/fxp/sat.h \
	cmodel/fxp/wide.c \
	cmodel/fxp/wide.h
