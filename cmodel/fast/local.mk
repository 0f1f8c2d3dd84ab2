# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
noinst_LIBRARIES += cmodel/fast/libfast.a
cmodel_fast_libfast_a_SOURCES = \
	cmodel/fast/grad.c \
	cmodel/fast/grad.h \
	cmodel/fast/grad_pool.c
