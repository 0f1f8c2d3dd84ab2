# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
noinst_LIBRARIES += cmodel/fast/libfast.a
cmodel_fast_libfast_a_CFLAGS = $(AM_CFLAGS) $(MCH_VECTOR_CFLAGS)
cmodel_fast_libfast_a_SOURCES = \
	cmodel/fast/clones.h \
	cmodel/fast/codes.c \
	cmodel/fast/codes.h \
	cmodel/fast/concat.c \
	cmodel/fast/concat.h \
	cmodel/fast/conv.c \
	cmodel/fast/conv.h \
	cmodel/fast/digits.h \
	cmodel/fast/direct.c \
	cmodel/fast/direct.h \
	cmodel/fast/dnnl.h \
	cmodel/fast/dnnl_call.c \
	cmodel/fast/dnnl_call.h \
	cmodel/fast/dnnl_dot.c \
	cmodel/fast/dnnl_graph.c \
	cmodel/fast/dnnl_graph.h \
	cmodel/fast/dnnl_job.c \
	cmodel/fast/dnnl_join.c \
	cmodel/fast/dnnl_map.c \
	cmodel/fast/dnnl_pool.c \
	cmodel/fast/dnnl_value.h \
	cmodel/fast/dnnl_weighted.c \
	cmodel/fast/eltwise.c \
	cmodel/fast/eltwise.h \
	cmodel/fast/grad.c \
	cmodel/fast/grad.h \
	cmodel/fast/grad_depthwise.c \
	cmodel/fast/grad_depthwise.h \
	cmodel/fast/grad_map.c \
	cmodel/fast/grad_norm.c \
	cmodel/fast/grad_pool.c \
	cmodel/fast/lanes.h \
	cmodel/fast/map.c \
	cmodel/fast/map.h \
	cmodel/fast/one_thread.h \
	cmodel/fast/ordered.c \
	cmodel/fast/ordered.h \
	cmodel/fast/place.c \
	cmodel/fast/place.h \
	cmodel/fast/pool.c \
	cmodel/fast/pool.h \
	cmodel/fast/requant.c \
	cmodel/fast/requant.h \
	cmodel/fast/requant_lane.c \
	cmodel/fast/requant_lane.h \
	cmodel/fast/snap.c \
	cmodel/fast/snap.h \
	cmodel/fast/vnni.c \
	cmodel/fast/vnni.h \
	cmodel/fast/wide.c \
	cmodel/fast/wide.h
