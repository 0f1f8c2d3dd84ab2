/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* ONNX Concat; see onnx_op.h. */
#include <stdlib.h>

#include "io/onnx_op.h"

/* All inputs have the first one's dimensions, but for the axis. */
static int check_inputs(const struct mch_onnx_op *op, int n, const struct mch_onnx_value *in, int axis)
{
	for (int i = 0; i < n; i++) {
		bool fits = in[i].rank == in[0].rank;
		for (int d = 0; fits && d < in[0].rank; d++)
			fits = d == axis + op->g->n_batch ? in[i].dims[d] > 0
			       : d < op->g->n_batch       ? in[i].edge >= 0 || in[i].dims[d] == 1
							  : in[i].dims[d] == in[0].dims[d];
		if (!fits)
			return mch_onnx_err(
				&op->node, "input \"%.64s\" does not fit \"%.64s\" beside the axis; change the model",
				in[i].name, in[0].name);
	}
	return 0;
}

/* Behind the batch, which constants have here too. */
static struct mch_onnx_dims inner(const struct mch_onnx_op *op, const struct mch_onnx_value *x)
{
	struct mch_onnx_value v = *x;
	v.edge = 0;
	return mch_onnx_inner(op, &v);
}

/* Images whose axis is one of c, h, w stay as they are; else [before][axis][behind]. */
static int add_concat(const struct mch_onnx_op *op, int n, const struct mch_onnx_value *in, int axis, int *edges,
		      struct mch_onnx_dims *out)
{
	int64_t sum = 0;
	int of_image = 0;
	for (int i = 0; i < n; i++) {
		struct mch_onnx_dims dims = inner(op, &in[i]);
		const struct mch_shape s = mch_onnx_natural(&dims);
		of_image = mch_onnx_natural_axis(&dims, axis);
		sum += dims.size[axis];
		if (of_image)
			edges[i] = mch_onnx_to_edge(op, &in[i], s.c, s.h, s.w);
		else
			edges[i] = mch_onnx_to_edge(op, &in[i], mch_onnx_product(&dims, 0, axis), dims.size[axis],
						    mch_onnx_product(&dims, axis + 1, dims.n));
		if (edges[i] < 0)
			return -1;
	}
	*out = inner(op, &in[0]);
	out->size[axis] = sum;
	const int index = mch_onnx_append(op, MCH_CONCAT, n, edges);
	if (index < 0)
		return -1;
	op->g->net->layers[index].axis = of_image ? of_image : 2;
	return mch_onnx_infer(op, index);
}

static int read_concat(const struct mch_onnx_op *op, int n, struct mch_onnx_value *in, int *edges)
{
	struct mch_onnx_dims out;
	int axis;
	if (mch_onnx_inputs(op, (size_t)n, (size_t)n, in) != 0 || mch_onnx_axis(op, &in[0], 1, &axis) != 0 ||
	    check_inputs(op, n, in, axis) != 0)
		return -1;
	const int edge = add_concat(op, n, in, axis, edges, &out);
	return edge < 0 ? -1 : mch_onnx_emit(op, 0, edge, &out, in[0].type);
}

int mch_onnx_read_concat(const struct mch_onnx_op *op)
{
	const size_t n = op->node.proto->n_input;
	if (n < 1 || n > 1024)
		return mch_onnx_err(&op->node, "it has %zu inputs, 1 to 1024 are supported; change the model", n);
	struct mch_onnx_value *in = malloc(n * sizeof(*in));
	int *edges = malloc(n * sizeof(*edges));
	const int status = in && edges ? read_concat(op, (int)n, in, edges)
				       : mch_onnx_err(&op->node, "out of memory; use a machine with more");
	free(in);
	free(edges);
	return status;
}
