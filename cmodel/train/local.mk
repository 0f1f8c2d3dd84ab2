# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
noinst_LIBRARIES += cmodel/train/libtrain.a
cmodel_train_libtrain_a_SOURCES = \
	cmodel/train/backprop.c \
	cmodel/train/backprop.h \
	cmodel/train/checkpoint.c \
	cmodel/train/checkpoint.h \
	cmodel/train/first.c \
	cmodel/train/first.h \
	cmodel/train/moments.c \
	cmodel/train/moments.h \
	cmodel/train/optimizer.c \
	cmodel/train/optimizer.h \
	cmodel/train/params.c \
	cmodel/train/params.h \
	cmodel/train/plan.c \
	cmodel/train/plan.h \
	cmodel/train/quantizer.c \
	cmodel/train/quantizer.h \
	cmodel/train/rounding.c \
	cmodel/train/rounding.h \
	cmodel/train/rows.c \
	cmodel/train/rows.h \
	cmodel/train/rows_graph.c \
	cmodel/train/sgd.c \
	cmodel/train/sgd.h
