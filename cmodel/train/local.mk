# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
noinst_LIBRARIES += cmodel/train/libtrain.a
cmodel_train_libtrain_a_SOURCES = \
	cmodel/train/backprop.c \
	cmodel/train/backprop.h \
	cmodel/train/checkpoint.c \
	cmodel/train/checkpoint.h \
	cmodel/train/sgd.c \
	cmodel/train/sgd.h
