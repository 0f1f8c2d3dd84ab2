# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
noinst_LIBRARIES += cmodel/net/libnet.a
cmodel_net_libnet_a_SOURCES = \
	cmodel/net/dataset.c \
	cmodel/net/dataset.h \
	cmodel/net/engine.c \
	cmodel/net/engine.h \
	cmodel/net/exact.c \
	cmodel/net/exact.h \
	cmodel/net/float.c \
	cmodel/net/float.h \
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
	cmodel/net/net.c \
	cmodel/net/net.h \
	cmodel/net/qnet.c \
	cmodel/net/qnet.h \
	cmodel/net/qrun.c \
	cmodel/net/quant.c \
	cmodel/net/quant.h \
	cmodel/net/score.c \
	cmodel/net/score.h \
	cmodel/net/transform.h
