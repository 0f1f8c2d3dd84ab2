# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
noinst_LIBRARIES += cmodel/quant/libquant.a
cmodel_quant_libquant_a_SOURCES = \
	cmodel/quant/bias_correct.c \
	cmodel/quant/bias_correct.h \
	cmodel/quant/candidates.c \
	cmodel/quant/candidates.h \
	cmodel/quant/channel.c \
	cmodel/quant/channel.h \
	cmodel/quant/compensate.c \
	cmodel/quant/compensate.h \
	cmodel/quant/compensate_rows.c \
	cmodel/quant/covariance.c \
	cmodel/quant/covariance.h \
	cmodel/quant/divergence.c \
	cmodel/quant/divergence.h \
	cmodel/quant/equalize.c \
	cmodel/quant/equalize.h \
	cmodel/quant/equalize_tensors.c \
	cmodel/quant/exponent.c \
	cmodel/quant/exponent.h \
	cmodel/quant/fold_input.c \
	cmodel/quant/fold_input.h \
	cmodel/quant/formats.c \
	cmodel/quant/formats.h \
	cmodel/quant/formats_shape.c \
	cmodel/quant/fraction.c \
	cmodel/quant/fraction.h \
	cmodel/quant/knobs.c \
	cmodel/quant/knobs.h \
	cmodel/quant/mixed.c \
	cmodel/quant/mixed.h \
	cmodel/quant/pareto.c \
	cmodel/quant/pareto.h \
	cmodel/quant/policy.c \
	cmodel/quant/policy.h \
	cmodel/quant/profile.c \
	cmodel/quant/profile.h \
	cmodel/quant/range.c \
	cmodel/quant/range.h \
	cmodel/quant/ranges.c \
	cmodel/quant/ranges.h \
	cmodel/quant/readers.c \
	cmodel/quant/readers.h \
	cmodel/quant/search.c \
	cmodel/quant/search.h \
	cmodel/quant/static.c \
	cmodel/quant/static.h \
	cmodel/quant/widths.c \
	cmodel/quant/widths.h
