# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
noinst_LIBRARIES += cmodel/fast/libfast.a
# Vectors of loops whose length is not known beforehand: not part of -O2, which stays the user's to choose.
cmodel_fast_libfast_a_CFLAGS = $(AM_CFLAGS) -ftree-vectorize -fvect-cost-model=dynamic
cmodel_fast_libfast_a_SOURCES = \
	cmodel/fast/clones.h \
	cmodel/fast/codes.c \
	cmodel/fast/codes.h \
	cmodel/fast/conv.c \
	cmodel/fast/conv.h \
	cmodel/fast/dnnl.h \
	cmodel/fast/dnnl_call.c \
	cmodel/fast/dnnl_call.h \
	cmodel/fast/dnnl_dot.c \
	cmodel/fast/dnnl_graph.c \
	cmodel/fast/grad.c \
	cmodel/fast/grad.h \
	cmodel/fast/grad_pool.c \
	cmodel/fast/one_thread.h \
	cmodel/fast/pool.c \
	cmodel/fast/pool.h \
	cmodel/fast/requant.c \
	cmodel/fast/requant.h
