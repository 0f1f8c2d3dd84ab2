/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What each kind of layer becomes in ONNX; see onnx_emit.h. */
#include <math.h>

#include "io/onnx_emit.h"
#include "io/onnx_mark.h"
#include "net/layer.h"

static struct mch_shape in_shape(const struct mch_emit *e, int i)
{
	return e->net->edges[e->layer->in[i]].shape;
}

/* A node that changes the rank is none of the layer's: it has a mark of its own, by which a reader of ours skips
 * it. */
static void end_alias(struct mch_emit *e, int i, MchOnnx__NodeProto *node)
{
	mch_onnx_mark_alias(e, node);
	e->in[i] = mch_emit_output(node);
	e->first_node = e->graph.n_node;
}

void mch_emit_image(struct mch_emit *e, int i)
{
	const struct mch_shape s = in_shape(e, i);
	const int64_t to[] = {0, s.c, s.h, s.w}; /* 0: the batch as it is */
	char part[24];
	if (e->rank[e->layer->in[i]] == 4)
		return;
	snprintf(part, sizeof(part), i ? "image%d" : "image", i + 1);
	MchOnnx__NodeProto *node = mch_emit_node(e, "Reshape", part);
	mch_emit_input(e, node, e->in[i]);
	mch_emit_longs(e, node, part, 4, to);
	end_alias(e, i, node);
}

void mch_emit_vector(struct mch_emit *e, int i)
{
	if (e->rank[e->layer->in[i]] == 2)
		return;
	MchOnnx__NodeProto *node = mch_emit_node(e, "Flatten", "flatten");
	mch_emit_input(e, node, e->in[i]);
	mch_emit_int(e, node, "axis", 1);
	end_alias(e, i, node);
}

/* The layer's one node, with its first input. */
static MchOnnx__NodeProto *plain_node(struct mch_emit *e)
{
	MchOnnx__NodeProto *node = mch_emit_node(e, mch_layer_table[e->layer->kind].onnx_op, NULL);
	mch_emit_input(e, node, e->in[0]);
	return node;
}

static void emit_plain(struct mch_emit *e)
{
	plain_node(e);
}

static void put_window(struct mch_emit *e, MchOnnx__NodeProto *node, const struct mch_conv *g)
{
	mch_emit_ints(e, node, "dilations", 2, (const int[]){g->dilation_h, g->dilation_w});
	mch_emit_int(e, node, "group", g->groups);
	mch_emit_ints(e, node, "kernel_shape", 2, (const int[]){g->r, g->s});
	mch_emit_ints(e, node, "pads", 4, (const int[]){g->pad_top, g->pad_left, g->pad_bottom, g->pad_right});
	mch_emit_ints(e, node, "strides", 2, (const int[]){g->stride_h, g->stride_w});
}

static void put_weights(struct mch_emit *e, MchOnnx__NodeProto *node, size_t n_dims, const int *dims)
{
	mch_emit_floats(e, node, "weight", e->layer->weights, n_dims, dims);
	if (e->layer->bias)
		mch_emit_floats(e, node, "bias", e->layer->bias, 1, &e->layer->conv.k);
}

static void emit_conv(struct mch_emit *e)
{
	const struct mch_conv *g = &e->layer->conv;
	mch_emit_image(e, 0);
	MchOnnx__NodeProto *node = plain_node(e);
	put_window(e, node, g);
	put_weights(e, node, 4, (const int[]){g->k, g->c / g->groups, g->r, g->s});
}

static void emit_deconv(struct mch_emit *e)
{
	const struct mch_conv *g = &e->layer->conv;
	mch_emit_image(e, 0);
	MchOnnx__NodeProto *node = plain_node(e);
	put_window(e, node, g);
	mch_emit_ints(e, node, "output_padding", 2, (const int[]){e->layer->out_pad_h, e->layer->out_pad_w});
	put_weights(e, node, 4, (const int[]){g->c, g->k / g->groups, g->r, g->s});
}

/* Gemm takes matrices only. */
static void emit_dense(struct mch_emit *e)
{
	const struct mch_conv *g = &e->layer->conv;
	mch_emit_vector(e, 0);
	MchOnnx__NodeProto *node = plain_node(e);
	mch_emit_int(e, node, "transB", 1);
	put_weights(e, node, 2, (const int[]){g->k, g->c});
	e->rank[e->layer->out[0]] = 2;
}

static void emit_clip(struct mch_emit *e)
{
	const float low = e->layer->clip.low, high = e->layer->clip.high;
	MchOnnx__NodeProto *node = plain_node(e);
	if (isfinite(low))
		mch_emit_scalar(e, node, "low", low);
	else if (isfinite(high))
		mch_emit_input(e, node, "");
	if (isfinite(high))
		mch_emit_scalar(e, node, "high", high);
}

static void emit_leaky_relu(struct mch_emit *e)
{
	mch_emit_real(e, plain_node(e), "alpha", e->layer->slope);
}

/* One value for each channel, in the shape that repeats over all pixels. */
static void put_per_channel(struct mch_emit *e, MchOnnx__NodeProto *node, const char *part, const float *values,
			    size_t n)
{
	const int dims[] = {(int)n, 1, 1};
	mch_emit_floats(e, node, part, values, e->rank[e->layer->in[0]] == 4 ? 3 : 1, dims);
}

static void emit_prelu(struct mch_emit *e)
{
	put_per_channel(e, plain_node(e), "slope", e->layer->weights, e->layer->n_weights);
}

static void emit_softmax(struct mch_emit *e)
{
	mch_emit_int(e, plain_node(e), "axis", 1);
}

static void emit_lrn(struct mch_emit *e)
{
	const struct mch_lrn *lrn = &e->layer->lrn;
	mch_emit_image(e, 0);
	if (lrn->is_within) {
		mch_emit_within_lrn(e);
		return;
	}
	MchOnnx__NodeProto *node = plain_node(e);
	mch_emit_real(e, node, "alpha", lrn->alpha);
	mch_emit_real(e, node, "beta", lrn->beta);
	mch_emit_real(e, node, "bias", lrn->k);
	mch_emit_int(e, node, "size", lrn->size);
}

static void emit_batch_norm(struct mch_emit *e)
{
	const struct mch_layer *layer = e->layer;
	const int n = layer->norm.channels;
	MchOnnx__NodeProto *node = plain_node(e);
	float *zeros = layer->bias ? NULL : mch_emit_room(e, (size_t)n * sizeof(*zeros));
	mch_emit_floats(e, node, "weight", layer->weights, 1, &n);
	if (layer->bias || zeros)
		mch_emit_floats(e, node, "bias", layer->bias ? layer->bias : zeros, 1, &n);
	mch_emit_floats(e, node, "mean", layer->mean, 1, &n);
	mch_emit_floats(e, node, "variance", layer->variance, 1, &n);
	mch_emit_real(e, node, "epsilon", layer->norm.epsilon);
	e->is_marked = !layer->bias; /* ONNX knows none without */
}

static void emit_scale(struct mch_emit *e)
{
	const struct mch_layer *layer = e->layer;
	MchOnnx__NodeProto *mul = mch_emit_node(e, "Mul", layer->bias ? "scale" : NULL);
	mch_emit_input(e, mul, e->in[0]);
	put_per_channel(e, mul, "weight", layer->weights, layer->n_weights);
	if (layer->bias) {
		MchOnnx__NodeProto *add = mch_emit_node(e, "Add", NULL);
		mch_emit_input(e, add, mch_emit_output(mul));
		put_per_channel(e, add, "bias", layer->bias, layer->n_bias);
	}
	e->is_marked = true;
}

static void emit_concat(struct mch_emit *e)
{
	bool are_vectors = e->layer->axis == 1;
	for (int i = 0; i < e->layer->n_in; i++)
		are_vectors = are_vectors && e->rank[e->layer->in[i]] == 2;
	for (int i = 0; !are_vectors && i < e->layer->n_in; i++)
		mch_emit_image(e, i);
	MchOnnx__NodeProto *node = plain_node(e);
	for (int i = 1; i < e->layer->n_in; i++)
		mch_emit_input(e, node, e->in[i]);
	mch_emit_int(e, node, "axis", e->layer->axis);
	e->rank[e->layer->out[0]] = are_vectors ? 2 : 4;
}

static void emit_flatten(struct mch_emit *e)
{
	mch_emit_int(e, plain_node(e), "axis", 1);
	e->rank[e->layer->out[0]] = 2;
	e->is_marked = true; /* before a dense layer a reader may take it for part of that */
}

static void emit_reshape(struct mch_emit *e)
{
	const struct mch_shape s = e->layer->shape;
	const int64_t to[] = {0, s.c, s.h, s.w}; /* 0: the batch as it is */
	mch_emit_longs(e, plain_node(e), "shape", 4, to);
	e->rank[e->layer->out[0]] = 4;
	e->is_marked = true; /* a reader may take it, and those before and behind, for one */
}

static void emit_transpose(struct mch_emit *e)
{
	const int *order = e->layer->order, perm[] = {0, order[0] + 1, order[1] + 1, order[2] + 1};
	mch_emit_image(e, 0);
	mch_emit_ints(e, plain_node(e), "perm", 4, perm);
	e->rank[e->layer->out[0]] = 4;
	e->is_marked = true;
}

static void emit_dropout(struct mch_emit *e)
{
	MchOnnx__NodeProto *node = plain_node(e);
	if (e->layer->dropout_ratio > 0)
		mch_emit_scalar(e, node, "ratio", (float)e->layer->dropout_ratio);
}

static void (*const forms[MCH_N_KINDS])(struct mch_emit *e) = {
	[MCH_CONV] = emit_conv,
	[MCH_DENSE] = emit_dense,
	[MCH_DECONV] = emit_deconv,
	[MCH_RELU] = emit_plain,
	[MCH_CLIP] = emit_clip,
	[MCH_LEAKY_RELU] = emit_leaky_relu,
	[MCH_PRELU] = emit_prelu,
	[MCH_SIGMOID] = emit_plain,
	[MCH_TANH] = emit_plain,
	[MCH_SOFTMAX] = emit_softmax,
	[MCH_LOG_SOFTMAX] = emit_softmax,
	[MCH_POOL_MAX] = mch_emit_pool,
	[MCH_POOL_AVG] = mch_emit_pool,
	[MCH_LRN] = emit_lrn,
	[MCH_BATCH_NORM] = emit_batch_norm,
	[MCH_SCALE] = emit_scale,
	[MCH_SUM] = mch_emit_sum,
	[MCH_PROD] = mch_emit_product,
	[MCH_MAX] = mch_emit_product,
	[MCH_CONCAT] = emit_concat,
	[MCH_SLICE] = mch_emit_slice,
	[MCH_PAD] = mch_emit_pad,
	[MCH_UPSAMPLE] = mch_emit_upsample,
	[MCH_FLATTEN] = emit_flatten,
	[MCH_RESHAPE] = emit_reshape,
	[MCH_TRANSPOSE] = emit_transpose,
	[MCH_DROPOUT] = emit_dropout,
	[MCH_CONSTANT] = mch_emit_constant,
};

int mch_emit_layer(struct mch_emit *e, struct mch_err *err)
{
	const struct mch_layer *layer = e->layer;
	if (!forms[layer->kind])
		return mch_err_set(err, layer->name, "a layer %s has no ONNX form; take it out",
				   mch_layer_table[layer->kind].name);
	e->in = mch_emit_room(e, (size_t)(layer->n_in + 1) * sizeof(*e->in));
	for (int i = 0; e->in && i < layer->n_in; i++)
		e->in[i] = e->net->edges[layer->in[i]].name;
	e->is_marked = false;
	e->first_node = e->graph.n_node;
	/* Of most kinds; the others say so. An alias of the input is an image. */
	e->rank[layer->out[0]] = layer->n_in > 0 ? e->rank[layer->in[0]] : 4;
	if (e->in)
		forms[layer->kind](e);
	if (e->in && e->is_marked)
		mch_onnx_mark_layer(e);
	return e->failed ? mch_err_set(err, layer->name, "out of memory; use a machine with more") : 0;
}
