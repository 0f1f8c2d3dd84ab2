# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
noinst_LIBRARIES += cmodel/tensor/libtensor.a
cmodel_tensor_libtensor_a_SOURCES = \
	cmodel/tensor/crc32.c \
	cmodel/tensor/crc32.h \
	cmodel/tensor/hexline.c \
	cmodel/tensor/hexline.h \
	cmodel/tensor/mem.c \
	cmodel/tensor/mem.h \
	cmodel/tensor/mem_form.c \
	cmodel/tensor/mem_form.h \
	cmodel/tensor/report.c \
	cmodel/tensor/report.h \
	cmodel/tensor/tensor.c \
	cmodel/tensor/tensor.h \
	cmodel/tensor/vec.c \
	cmodel/tensor/vec.h \
	cmodel/tensor/vec_header.c \
	cmodel/tensor/vec_header.h
