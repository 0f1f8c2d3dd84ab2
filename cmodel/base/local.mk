# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
noinst_LIBRARIES += cmodel/base/libbase.a
cmodel_base_libbase_a_SOURCES = \
	cmodel/base/err.c \
	cmodel/base/err.h \
	cmodel/base/outfile.c \
	cmodel/base/outfile.h \
	cmodel/base/require.h \
	cmodel/base/rng.h \
	cmodel/base/temporary.c \
	cmodel/base/temporary.h
