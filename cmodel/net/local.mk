# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
noinst_LIBRARIES += cmodel/net/libnet.a
# What the host computes in float is to be the same everywhere: no fused multiply-adds where C has two operations.
cmodel_net_libnet_a_CFLAGS = $(AM_CFLAGS) $(MCH_VECTOR_CFLAGS) $(MCH_FLOAT_CFLAGS)
cmodel_net_libnet_a_SOURCES = \
	cmodel/net/dataset.c \
	cmodel/net/dataset.h \
	cmodel/net/engine.c \
	cmodel/net/engine.h \
	cmodel/net/exact.c \
	cmodel/net/exact.h \
	cmodel/net/exact_plan.c \
	cmodel/net/exact_plan.h \
	cmodel/net/exact_room.c \
	cmodel/net/float.c \
	cmodel/net/float.h \
	cmodel/net/float_layer.c \
	cmodel/net/float_layer.h \
	cmodel/net/float_plan.c \
	cmodel/net/float_plan.h \
	cmodel/net/host.c \
	cmodel/net/host.h \
	cmodel/net/host_lrn.c \
	cmodel/net/host_lrn.h \
	cmodel/net/interval.c \
	cmodel/net/interval.h \
	cmodel/net/layer.c \
	cmodel/net/layer.h \
	cmodel/net/layer_f32.c \
	cmodel/net/layer_shape.c \
	cmodel/net/loader.c \
	cmodel/net/loader.h \
	cmodel/net/lower.c \
	cmodel/net/lower.h \
	cmodel/net/lower_mac.c \
	cmodel/net/lower_mac.h \
	cmodel/net/lrn.h \
	cmodel/net/net.c \
	cmodel/net/net.h \
	cmodel/net/prefix.c \
	cmodel/net/prefix.h \
	cmodel/net/qform.c \
	cmodel/net/qmac.c \
	cmodel/net/qnet.c \
	cmodel/net/qnet.h \
	cmodel/net/qrun.c \
	cmodel/net/qstep.c \
	cmodel/net/qstep.h \
	cmodel/net/quant.c \
	cmodel/net/quant.h \
	cmodel/net/score.c \
	cmodel/net/score.h \
	cmodel/net/step.c \
	cmodel/net/transform.h \
	cmodel/net/witness.c \
	cmodel/net/witness.h
