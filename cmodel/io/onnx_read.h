/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* An ONNX model as a network with weights. Host only: no RTL twin. Source: the ONNX specification, operator sets 1
 * to 22. */
#ifndef MCH_IO_ONNX_READ_H
#define MCH_IO_ONNX_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "io/build.h"
#include "net/net.h"
#include "net/quant.h"

struct mch_onnx_options {
	/* The first dimension is no batch: each tensor is one image as a whole, of any number of dimensions. For
	 * single operators on plain tensors, as the ONNX backend tests have them; convolutions then want a first
	 * dimension of 1. */
	bool no_batch;
	/* Gets all that is not supported, when that is why reading failed. Zeros at first, the caller's to free;
	 * may be NULL. */
	struct mch_unsupported *unsupported;
	/* Filled in with the formats of a quantized model, of which net has the dequantized weights; n_edges is 0
	 * for another. NULL: not wanted. */
	struct mch_quant *quant;
};

/* 0, or -1 with err; net is freed on error. The batch may be open or any number. */
int mch_onnx_read(const char *path, struct mch_net *net, struct mch_err *err);
/* options may be NULL. */
int mch_onnx_read_options(const char *path, const struct mch_onnx_options *options, struct mch_net *net,
			  struct mch_err *err);

/* The same from memory; where names it in errors. */
int mch_onnx_parse(const char *where, const void *bytes, size_t n_bytes, struct mch_net *net, struct mch_err *err);
/* options may be NULL. */
int mch_onnx_parse_options(const char *where, const void *bytes, size_t n_bytes,
			   const struct mch_onnx_options *options, struct mch_net *net, struct mch_err *err);

#endif
