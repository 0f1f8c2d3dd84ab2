/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* ONNX broadcasting in images of three dimensions. Host only: no RTL twin. */
#ifndef MCH_IO_ONNX_BROADCAST_H
#define MCH_IO_ONNX_BROADCAST_H

#include "io/onnx_op.h"

/* A constant beside x: it has one value for each of `run` neighbouring positions of x as [outer][run][inner], run 1:
 * a scalar. is_one_run false: its values differ over other dimensions too, or it makes the result larger than x. */
struct mch_onnx_span {
	bool is_one_run;
	int64_t outer, run, inner;
};

/* axis: where the dimensions of c begin among those of x (before operator set 7), -1: it ends where x ends. */
int mch_onnx_span(const struct mch_onnx_op *op, const struct mch_onnx_value *x, const struct mch_onnx_value *c,
		  int axis, struct mch_onnx_span *span);

/* A layer of one weight (and bias) for each channel, SCALE or PRELU, on the run. Takes weights and bias (NULL: none),
 * of `run` elements, over. The edge, which holds the dimensions of x. */
int mch_onnx_per_channel(const struct mch_onnx_op *op, enum mch_kind kind, int edge, const struct mch_onnx_span *span,
			 float *weights, float *bias);

/* scale * x + offset; the edge. */
int mch_onnx_affine(const struct mch_onnx_op *op, int edge, double scale, double offset);

/* Edges of the inputs such that one layer of MCH_SUM, PROD or MAX joins them, and the result's dimensions; axis as
 * above, for the second of two. */
int mch_onnx_broadcast(const struct mch_onnx_op *op, int n, const struct mch_onnx_value *in, int axis, int *edges,
		       struct mch_onnx_dims *result);

#endif
