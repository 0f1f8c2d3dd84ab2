/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* ONNX operators with weights: convolutions and dense layers; see onnx_op.h. */
#include <stdlib.h>
#include <string.h>

#include "io/build.h"
#include "io/onnx_op.h"

/* The bias of a layer: k elements in dimension `from_end` (1: the last), which broadcasts over all others. */
static int read_bias(const struct mch_onnx_op *op, const struct mch_onnx_value *b, size_t from_end, int index)
{
	struct mch_layer *layer = &op->g->net->layers[index];
	if (!b->tensor)
		return mch_onnx_err(&op->node, "its bias \"%.64s\" is no constant; simplify the model", b->name);
	const size_t n_dims = b->tensor->n_dims;
	if (n_dims < from_end || n_dims > from_end + 1 || b->tensor->dims[n_dims - from_end] != layer->conv.k ||
	    mch_onnx_tensor_elems(b->tensor) != (size_t)layer->conv.k)
		return mch_onnx_err(&op->node,
				    "its bias \"%.64s\" has not one value for each of %d channels; change the model",
				    b->name, layer->conv.k);
	return mch_onnx_tensor_f32(&op->node, b->tensor, &layer->bias, &layer->n_bias);
}

static int check_weights(const struct mch_onnx_op *op, const struct mch_onnx_value *w, size_t n_dims)
{
	if (!w->tensor)
		return mch_onnx_err(&op->node, "its weights \"%.64s\" are no constant; simplify the model", w->name);
	if (w->tensor->n_dims != n_dims)
		return mch_onnx_err(&op->node,
				    "its weights \"%.64s\" have %zu dimensions, %zu are expected; change the layer",
				    w->name, w->tensor->n_dims, n_dims);
	for (size_t i = 0; i < n_dims; i++)
		if (w->tensor->dims[i] < 1 || w->tensor->dims[i] > MCH_BUILD_CHANNELS_MAX)
			return mch_onnx_err(&op->node,
					    "its weights \"%.64s\" have a dimension of %lld; change the layer",
					    w->name, (long long)w->tensor->dims[i]);
	return 0;
}

int mch_onnx_read_conv(const struct mch_onnx_op *op)
{
	struct mch_onnx_value in[3];
	struct mch_onnx_window w;
	int groups;
	if (mch_onnx_inputs(op, 2, 3, in) != 0 || mch_onnx_require_edge(op, &in[0], 4) != 0 ||
	    check_weights(op, &in[1], 4) != 0 ||
	    mch_onnx_int(&op->node, "group", 1, MCH_BUILD_CHANNELS_MAX, 1, &groups) != 0)
		return -1;
	const int64_t *dims = in[1].tensor->dims;
	if (dims[2] > MCH_BUILD_SIDE_MAX || dims[3] > MCH_BUILD_SIDE_MAX)
		return mch_onnx_err(&op->node, "its kernel is over %d wide; change the layer", MCH_BUILD_SIDE_MAX);
	if (mch_onnx_ints(&op->node, "kernel_shape", 2, 1, MCH_BUILD_SIDE_MAX, 0, w.kernel) != 0)
		return -1;
	if (w.kernel[0] != 0 && (w.kernel[0] != dims[2] || w.kernel[1] != dims[3]))
		return mch_onnx_err(&op->node,
				    "kernel_shape and weights differ; the file is damaged, export it again");
	w.kernel[0] = (int)dims[2];
	w.kernel[1] = (int)dims[3];
	if (mch_onnx_window(op, in[0].edge, &w) != 0)
		return -1;
	const int index = mch_onnx_add_layer(op, MCH_CONV, &in[0], 4);
	if (index < 0)
		return -1;
	struct mch_layer *layer = &op->g->net->layers[index];
	layer->conv = (struct mch_conv){.n = 1,
					.k = (int)dims[0],
					.r = w.kernel[0],
					.s = w.kernel[1],
					.stride_h = w.stride[0],
					.stride_w = w.stride[1],
					.pad_top = w.pad[0],
					.pad_left = w.pad[1],
					.pad_bottom = w.pad[2],
					.pad_right = w.pad[3],
					.dilation_h = w.dilation[0],
					.dilation_w = w.dilation[1],
					.groups = groups};
	if (mch_onnx_tensor_f32(&op->node, in[1].tensor, &layer->weights, &layer->n_weights) != 0)
		return -1;
	return in[2].tensor || in[2].edge >= 0 ? read_bias(op, &in[2], 1, index) : 0;
}

/* y = x W (+ bias); W is [c][k], or [k][c] when transposed, which is our order. Index of the layer, or -1. */
static int add_dense(const struct mch_onnx_op *op, const struct mch_onnx_value *x, const struct mch_onnx_value *w,
		     bool transposed)
{
	if (mch_onnx_require_edge(op, x, 2) != 0 || check_weights(op, w, 2) != 0)
		return -1;
	const size_t n_k = (size_t)w->tensor->dims[transposed ? 0 : 1],
		     n_c = (size_t)w->tensor->dims[transposed ? 1 : 0];
	float *values;
	size_t n;
	if (mch_onnx_tensor_f32(&op->node, w->tensor, &values, &n) != 0)
		return -1;
	float *weights = transposed ? values : malloc(n * sizeof(*weights));
	for (size_t k = 0; weights && !transposed && k < n_k; k++)
		for (size_t c = 0; c < n_c; c++)
			weights[k * n_c + c] = values[c * n_k + k];
	if (!transposed)
		free(values);
	if (!weights)
		return mch_onnx_err(&op->node, "out of memory for %zu weights; use a machine with more", n);
	const int index = mch_onnx_add_layer(op, MCH_DENSE, x, 2);
	if (index < 0) {
		free(weights);
		return -1;
	}
	struct mch_layer *layer = &op->g->net->layers[index];
	layer->conv = mch_dense_geometry(1, (int)n_c, (int)n_k);
	layer->weights = weights;
	layer->n_weights = n;
	return index;
}

int mch_onnx_read_gemm(const struct mch_onnx_op *op)
{
	struct mch_onnx_value in[3];
	int trans_a, trans_b;
	double alpha, beta;
	if (mch_onnx_inputs(op, 2, 3, in) != 0 || mch_onnx_int(&op->node, "transA", 0, 0, 0, &trans_a) != 0 ||
	    mch_onnx_int(&op->node, "transB", 0, 1, 0, &trans_b) != 0 ||
	    mch_onnx_real(&op->node, "alpha", 1, &alpha) != 0 || mch_onnx_real(&op->node, "beta", 1, &beta) != 0)
		return -1;
	if (alpha != 1 || beta != 1)
		return mch_onnx_err(&op->node,
				    "alpha %g and beta %g, 1 and 1 are supported; fold them into the weights", alpha,
				    beta);
	const int index = add_dense(op, &in[0], &in[1], trans_b != 0);
	if (index < 0)
		return -1;
	return in[2].tensor || in[2].edge >= 0 ? read_bias(op, &in[2], 1, index) : 0;
}

int mch_onnx_read_matmul(const struct mch_onnx_op *op)
{
	struct mch_onnx_value in[2];
	return mch_onnx_inputs(op, 2, 2, in) != 0 || add_dense(op, &in[0], &in[1], false) < 0 ? -1 : 0;
}

/* An addition is supported as the bias of the dense layer or convolution before it, when nobody else reads that. */
int mch_onnx_read_add(const struct mch_onnx_op *op)
{
	struct mch_onnx_value in[2];
	if (mch_onnx_inputs(op, 2, 2, in) != 0)
		return -1;
	const struct mch_onnx_value *x = in[0].tensor ? &in[1] : &in[0], *b = in[0].tensor ? &in[0] : &in[1];
	const int index = x->tensor ? -1 : op->g->net->edges[x->edge].producer;
	struct mch_layer *layer = index < 0 ? NULL : &op->g->net->layers[index];
	if (!layer || !b->tensor || (layer->kind != MCH_DENSE && layer->kind != MCH_CONV) || layer->bias ||
	    mch_onnx_count_readers(op->g, x->name) != 1)
		return mch_onnx_err(&op->node,
				    "an addition is supported only as the bias of a layer; change the model");
	if (read_bias(op, b, layer->kind == MCH_CONV ? 3 : 1, index) != 0)
		return -1;
	char *name = strdup(op->node.proto->output[0]);
	if (!name)
		return mch_onnx_err(&op->node, "out of memory; use a machine with more");
	free(op->g->net->edges[x->edge].name);
	op->g->net->edges[x->edge].name = name;
	return mch_onnx_add_value(op->g, op->node.proto->output[0], NULL, x->edge, x->rank);
}
