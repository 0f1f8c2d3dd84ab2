/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* ONNX operators that keep the shape: functions of each element, and of each channel; see onnx_op.h. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/onnx_broadcast.h"
#include "io/onnx_op.h"

/* A layer of that kind on the edge as it lies. */
static int append_map(const struct mch_onnx_op *op, enum mch_kind kind, int edge, struct mch_layer **layer)
{
	const int index = mch_onnx_append(op, kind, 1, &edge);
	*layer = index < 0 ? NULL : &op->g->net->layers[index];
	return index;
}

static int emit_layer(const struct mch_onnx_op *op, int index, const struct mch_onnx_value *x)
{
	const int edge = index < 0 ? -1 : mch_onnx_infer(op, index);
	return edge < 0 ? -1 : mch_onnx_emit_like(op, edge, x);
}

/* Functions without parameters, and LeakyRelu. */
int mch_onnx_read_map(const struct mch_onnx_op *op)
{
	const char *type = op->node.proto->op_type;
	struct mch_onnx_value x;
	struct mch_layer *layer;
	double alpha;
	if (mch_onnx_inputs(op, 1, 1, &x) != 0 || mch_onnx_require_edge(op, &x, 0) != 0 ||
	    mch_onnx_real(&op->node, "alpha", 0.01, &alpha) != 0)
		return -1;
	const enum mch_kind kind = strcmp(type, "Relu") == 0      ? MCH_RELU
				   : strcmp(type, "Sigmoid") == 0 ? MCH_SIGMOID
				   : strcmp(type, "Tanh") == 0    ? MCH_TANH
								  : MCH_LEAKY_RELU;
	const int index = append_map(op, kind, x.edge, &layer);
	if (index >= 0 && kind == MCH_LEAKY_RELU)
		layer->slope = alpha;
	return emit_layer(op, index, &x);
}

/* Neg, HardSigmoid = clip(alpha x + beta, 0, 1), HardSwish = x hard_sigmoid(x) with alpha 1/6 and beta 1/2. */
int mch_onnx_read_composed(const struct mch_onnx_op *op)
{
	const char *type = op->node.proto->op_type;
	const bool is_neg = strcmp(type, "Neg") == 0, is_swish = strcmp(type, "HardSwish") == 0;
	struct mch_onnx_value x;
	struct mch_layer *layer;
	double alpha, beta;
	if (mch_onnx_inputs(op, 1, 1, &x) != 0 || mch_onnx_require_edge(op, &x, 0) != 0 ||
	    mch_onnx_real(&op->node, "alpha", 0.2, &alpha) != 0 || mch_onnx_real(&op->node, "beta", 0.5, &beta) != 0)
		return -1;
	int edge = mch_onnx_affine(op, x.edge, is_neg ? -1 : is_swish ? 1.0 / 6 : alpha, is_neg ? 0 : beta);
	if (edge < 0 || is_neg)
		return edge < 0 ? -1 : mch_onnx_emit_like(op, edge, &x);
	int index = append_map(op, MCH_CLIP, edge, &layer);
	if (index < 0)
		return -1;
	layer->clip.low = 0;
	layer->clip.high = 1;
	if (is_swish) {
		edge = mch_onnx_infer(op, index);
		index = edge < 0 ? -1 : mch_onnx_append(op, MCH_PROD, 2, (const int[]){x.edge, edge});
	}
	return emit_layer(op, index, &x);
}

/* A bound: the attribute, the input, or none. */
static int read_bound(const struct mch_onnx_op *op, const char *name, const struct mch_onnx_value *v, double none,
		      float *bound)
{
	double value;
	if (v->name[0])
		return mch_onnx_scalar(op, v, bound);
	if (mch_onnx_real(&op->node, name, none, &value) != 0)
		return -1;
	/* The largest float is how the standard says "none". */
	*bound = fabs(value) >= (double)FLT_MAX ? (float)none : (float)value;
	return 0;
}

int mch_onnx_read_clip(const struct mch_onnx_op *op)
{
	struct mch_onnx_value in[3];
	struct mch_layer *layer;
	float low, high;
	if (mch_onnx_inputs(op, 1, 3, in) != 0 || mch_onnx_require_edge(op, &in[0], 0) != 0 ||
	    read_bound(op, "min", &in[1], -INFINITY, &low) != 0 ||
	    read_bound(op, "max", &in[2], INFINITY, &high) != 0)
		return -1;
	const int index = append_map(op, MCH_CLIP, in[0].edge, &layer);
	if (index >= 0) {
		layer->clip.low = low;
		layer->clip.high = high;
	}
	return emit_layer(op, index, &in[0]);
}

/* A slope for each channel, for each element of any run of dimensions, or one for all. */
int mch_onnx_read_prelu(const struct mch_onnx_op *op)
{
	struct mch_onnx_value in[2];
	struct mch_onnx_span span;
	float *slope;
	size_t n;
	if (mch_onnx_inputs(op, 2, 2, in) != 0 || mch_onnx_require_edge(op, &in[0], 0) != 0 ||
	    mch_onnx_f32(op, &in[1], &slope, &n) != 0)
		return -1;
	/* Before operator set 7 it belonged to the channels. */
	const int axis = op->g->opset < 7 && in[1].rank == 1 && n > 1 ? 1 : -1;
	if (mch_onnx_span(op, &in[0], &in[1], axis, &span) != 0) {
		free(slope);
		return -1;
	}
	if (!span.is_one_run) {
		free(slope);
		return mch_onnx_err(&op->node,
				    "its slope \"%.64s\" differs over dimensions that are not neighbours; change the "
				    "model",
				    in[1].name);
	}
	const int edge = mch_onnx_per_channel(op, MCH_PRELU, in[0].edge, &span, slope, NULL);
	return edge < 0 ? -1 : mch_onnx_emit_like(op, edge, &in[0]);
}

/* Over the channels of [c][pixels]: dimension `axis`, or, before operator set 13, all from there on. */
int mch_onnx_read_softmax(const struct mch_onnx_op *op)
{
	struct mch_onnx_value x;
	int axis;
	const bool is_flat = op->g->opset < 13;
	const enum mch_kind kind = op->node.proto->op_type[0] == 'L' ? MCH_LOG_SOFTMAX : MCH_SOFTMAX;
	if (mch_onnx_inputs(op, 1, 1, &x) != 0 || mch_onnx_require_edge(op, &x, 0) != 0 ||
	    mch_onnx_axis(op, &x, is_flat ? 1 : -1, &axis) != 0)
		return -1;
	const struct mch_onnx_dims dims = mch_onnx_inner(op, &x);
	const int end = is_flat ? dims.n : axis + 1;
	struct mch_onnx_dims parts = {3,
				      {mch_onnx_product(&dims, 0, axis), mch_onnx_product(&dims, axis, end),
				       mch_onnx_product(&dims, end, dims.n)}};
	const int order[3] = {1, 0, 2};
	int edge = mch_onnx_permute(op, x.edge, &parts, order);
	if (edge >= 0 && op->g->net->edges[edge].shape.c != parts.size[1])
		edge = mch_onnx_view(op, edge, parts.size[1], parts.size[0], parts.size[2]);
	const int index = edge < 0 ? -1 : mch_onnx_append(op, kind, 1, &edge);
	edge = index < 0 ? -1 : mch_onnx_infer(op, index);
	if (edge < 0)
		return -1;
	const struct mch_onnx_dims back = {3, {parts.size[1], parts.size[0], parts.size[2]}};
	edge = mch_onnx_permute(op, edge, &back, order);
	return edge < 0 ? -1 : mch_onnx_emit_like(op, edge, &x);
}

/* The image [c][..][w] of x, for what works on channels. */
static int view_channels(const struct mch_onnx_op *op, const struct mch_onnx_value *x, int n_spatial_min)
{
	struct mch_onnx_dims dims;
	int first;
	if (mch_onnx_image(op, x, n_spatial_min, MCH_ONNX_RANK_MAX - 2, &dims, &first) != 0)
		return -1;
	const int64_t c = dims.size[first], w = dims.n - first > 1 ? dims.size[dims.n - 1] : 1;
	return mch_onnx_view(op, x->edge, c, mch_onnx_elems(&dims) / c / w, w);
}

int mch_onnx_read_lrn(const struct mch_onnx_op *op)
{
	struct mch_onnx_value x;
	struct mch_layer *layer;
	struct mch_lrn lrn = {.is_within = false};
	if (mch_onnx_inputs(op, 1, 1, &x) != 0 || mch_onnx_int(&op->node, "size", 1, 4095, 0, &lrn.size) != 0 ||
	    mch_onnx_real(&op->node, "alpha", 0.0001, &lrn.alpha) != 0 ||
	    mch_onnx_real(&op->node, "beta", 0.75, &lrn.beta) != 0 ||
	    mch_onnx_real(&op->node, "bias", 1, &lrn.k) != 0)
		return -1;
	const int edge = view_channels(op, &x, 1);
	const int index = edge < 0 ? -1 : append_map(op, MCH_LRN, edge, &layer);
	if (index >= 0)
		layer->lrn = lrn;
	return emit_layer(op, index, &x);
}

static int check_batch_norm(const struct mch_onnx_op *op)
{
	int spatial, is_test, training;
	/* is_test has been the only mode since operator set 7; consumed_inputs was a hint of the first. */
	if (mch_onnx_int(&op->node, "spatial", 0, 1, 1, &spatial) != 0 ||
	    mch_onnx_int(&op->node, "is_test", 0, 1, op->g->opset >= 7, &is_test) != 0 ||
	    mch_onnx_int(&op->node, "training_mode", 0, 1, 0, &training) != 0)
		return -1;
	if (!is_test || training)
		return mch_onnx_err(&op->node, "it is in training mode; export the model for inference");
	if (!spatial)
		return mch_onnx_err(&op->node, "spatial is 0, a mean for each pixel; export the model again");
	return 0;
}

int mch_onnx_read_batch_norm(const struct mch_onnx_op *op)
{
	struct mch_onnx_value in[5];
	struct mch_layer *layer;
	double epsilon;
	if (mch_onnx_inputs(op, 5, 5, in) != 0 || check_batch_norm(op) != 0 ||
	    mch_onnx_real(&op->node, "epsilon", 1e-5, &epsilon) != 0)
		return -1;
	const int edge = view_channels(op, &in[0], 0);
	const int index = edge < 0 ? -1 : append_map(op, MCH_BATCH_NORM, edge, &layer);
	if (index < 0)
		return -1;
	layer->norm.epsilon = epsilon;
	float **to[] = {&layer->weights, &layer->bias, &layer->mean, &layer->variance};
	for (int i = 0; i < 4; i++) {
		size_t n;
		if (mch_onnx_f32(op, &in[i + 1], to[i], &n) != 0)
			return -1;
		if (n != (size_t)op->g->net->edges[edge].shape.c)
			return mch_onnx_err(
				&op->node,
				"its input \"%.64s\" has %zu values for %d channels; export the model again",
				in[i + 1].name, n, op->g->net->edges[edge].shape.c);
		layer->n_weights = layer->n_bias = n;
	}
	return emit_layer(op, index, &in[0]);
}

/* The second input is the ratio, the third says "training"; before operator set 7 is_test said the contrary. */
static int check_dropout(const struct mch_onnx_op *op, const struct mch_onnx_value *training, double ratio)
{
	int64_t *is_on;
	size_t n;
	int is_test;
	if (mch_onnx_int(&op->node, "is_test", 0, 1, 1, &is_test) != 0)
		return -1;
	if (training->name[0]) {
		if (mch_onnx_int64(op, training, &is_on, &n) != 0)
			return -1;
		is_test = n != 1 || is_on[0] == 0;
		free(is_on);
	}
	return is_test || ratio == 0
		       ? 0
		       : mch_onnx_err(&op->node, "it is in training mode; export the model for inference");
}

int mch_onnx_read_dropout(const struct mch_onnx_op *op)
{
	struct mch_onnx_value in[3];
	struct mch_layer *layer;
	double ratio;
	float given;
	if (mch_onnx_inputs(op, 1, 3, in) != 0 || mch_onnx_require_edge(op, &in[0], 0) != 0 ||
	    mch_onnx_real(&op->node, "ratio", 0.5, &ratio) != 0 ||
	    (in[1].name[0] && mch_onnx_scalar(op, &in[1], &given) != 0))
		return -1;
	ratio = in[1].name[0] ? (double)given : ratio;
	if (check_dropout(op, &in[2], ratio) != 0)
		return -1;
	const int index = append_map(op, MCH_DROPOUT, in[0].edge, &layer);
	if (index >= 0)
		layer->dropout_ratio = ratio;
	return emit_layer(op, index, &in[0]);
}

int mch_onnx_read_identity(const struct mch_onnx_op *op)
{
	struct mch_onnx_value x;
	if (mch_onnx_inputs(op, 1, 1, &x) != 0)
		return -1;
	x.name = op->node.proto->output[0];
	return mch_onnx_add_value(op->g, &x);
}

/* All numbers are floats here, in which 8 and 11 bits of fraction lose nothing that the suite's tolerance would see.
 */
int mch_onnx_read_cast(const struct mch_onnx_op *op)
{
	struct mch_onnx_value x;
	int to;
	if (mch_onnx_inputs(op, 1, 1, &x) != 0 || mch_onnx_int(&op->node, "to", 0, 64, 0, &to) != 0)
		return -1;
	if (!mch_onnx_type_is_float(to) || to == MCH_ONNX_BFLOAT16)
		return mch_onnx_err(
			&op->node, "it casts to %s, only float, float16 and double are supported; simplify the model",
			mch_onnx_type_name(to));
	x.name = op->node.proto->output[0];
	x.type = to;
	return mch_onnx_add_value(op->g, &x);
}
