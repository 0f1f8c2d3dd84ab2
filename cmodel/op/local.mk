# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
noinst_LIBRARIES += cmodel/op/libop.a
cmodel_op_libop_a_SOURCES = \
	cmodel/op/concat.c \
	cmodel/op/concat.h \
	cmodel/op/conv.c \
	cmodel/op/conv.h \
	cmodel/op/eltwise.c \
	cmodel/op/eltwise.h \
	cmodel/op/events.h \
	cmodel/op/gather.c \
	cmodel/op/gather.h \
	cmodel/op/hint.c \
	cmodel/op/hint.h \
	cmodel/op/hint_conv.c \
	cmodel/op/hint_conv.h \
	cmodel/op/hint_rules.c \
	cmodel/op/hint_rules.h \
	cmodel/op/pool.c \
	cmodel/op/pool.h \
	cmodel/op/requant.c \
	cmodel/op/requant.h \
	cmodel/op/wide.c \
	cmodel/op/wide.h
