/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What the readers of ONNX operators share. Host only: no RTL twin. */
#ifndef MCH_IO_ONNX_OP_H
#define MCH_IO_ONNX_OP_H

#include "io/onnx_attr.h"
#include "io/onnx_graph.h"

/* One operator being read. */
struct mch_onnx_op {
	struct mch_onnx_graph *g;
	struct mch_onnx_node node;
};

/* Window, stride, dilation and padding that convolutions and pools have in common; pad: top, left, bottom, right. */
struct mch_onnx_window {
	int kernel[2], stride[2], dilation[2], pad[4];
};

/* All below: 0 (or an index), or -1 with err. */

/* Copies of what the inputs are: pointers would not outlive an added value. An optional input that is missing has no
 * name. Only the first output may be used. */
int mch_onnx_inputs(const struct mch_onnx_op *op, size_t n_min, size_t n_max, struct mch_onnx_value *inputs);

/* x is an edge, of that rank unless rank is 0. */
int mch_onnx_require_edge(const struct mch_onnx_op *op, const struct mch_onnx_value *x, int rank);

/* Appends a layer that reads x, and the value it writes, of that rank. Its index. */
int mch_onnx_add_layer(const struct mch_onnx_op *op, enum mch_kind kind, const struct mch_onnx_value *x, int rank);

/* All but the kernel, which must be set before: padding may depend on it, and on the size of the edge. */
int mch_onnx_window(const struct mch_onnx_op *op, int edge, struct mch_onnx_window *w);

/* Operators with weights (onnx_weights.c). */
int mch_onnx_read_add(const struct mch_onnx_op *op);
int mch_onnx_read_conv(const struct mch_onnx_op *op);
int mch_onnx_read_gemm(const struct mch_onnx_op *op);
int mch_onnx_read_matmul(const struct mch_onnx_op *op);

#endif
