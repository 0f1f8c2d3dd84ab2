/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Networks of every kind of layer by chance; see random_dag.h. */
#include "random_dag.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/require.h"

enum {
	ELEMS_MAX = 1500, /* of a tensor; larger ones are pooled */
	N_IN_MAX = 3,
};

static int between(struct mch_rng *rng, int low, int high)
{
	return low + (int)mch_rng_below(rng, (uint32_t)(high - low + 1));
}

static bool one_in(struct mch_rng *rng, int n)
{
	return between(rng, 1, n) == 1;
}

static double real_between(struct mch_rng *rng, double low, double high)
{
	return low + (high - low) * mch_rng_real(rng);
}

float *random_values(struct mch_rng *rng, size_t n)
{
	static const float corners[] = {0, -1, 1, -0.0f, 0.5f};
	float *values = malloc(n * sizeof(*values));
	MCH_REQUIRE(values, "memory for a test");
	for (size_t i = 0; i < n; i++)
		values[i] = one_in(rng, 6) ? corners[between(rng, 0, 4)] : (float)real_between(rng, -1, 1);
	return values;
}

static void random_window(struct mch_rng *rng, struct mch_conv *g)
{
	g->r = between(rng, 1, 3), g->s = between(rng, 1, 3);
	g->stride_h = between(rng, 1, 3), g->stride_w = between(rng, 1, 3);
	g->dilation_h = one_in(rng, 3) ? between(rng, 2, 3) : 1;
	g->dilation_w = one_in(rng, 3) ? between(rng, 2, 3) : 1;
	g->pad_top = between(rng, 0, 2), g->pad_left = between(rng, 0, 2);
	g->pad_bottom = between(rng, 0, 2), g->pad_right = between(rng, 0, 2);
}

static void random_conv(struct mch_rng *rng, struct mch_shape in, struct mch_layer *layer)
{
	struct mch_conv *g = &layer->conv;
	*g = (struct mch_conv){.n = 1, .c = in.c, .h = in.h, .w = in.w};
	g->groups = one_in(rng, 3) ? in.c : in.c % 2 == 0 && one_in(rng, 2) ? 2 : 1;
	g->k = g->groups * between(rng, 1, 3);
	do {
		random_window(rng, g);
		layer->out_pad_h = layer->out_pad_w = 0;
		if (layer->kind == MCH_DECONV) {
			layer->out_pad_h = one_in(rng, 2) ? between(rng, 0, g->stride_h - 1) : 0;
			layer->out_pad_w = one_in(rng, 2) ? between(rng, 0, g->stride_w - 1) : 0;
		}
	} while (layer->kind == MCH_DECONV ? mch_deconv_p(layer) < 1 || mch_deconv_q(layer) < 1
					   : mch_conv_p(g) < 1 || mch_conv_q(g) < 1);
}

static bool has_empty_window(const struct mch_pool *g)
{
	bool is_empty = mch_pool_p(g) < 1 || mch_pool_q(g) < 1;
	for (int p = 0; p < mch_pool_p(g); p++) {
		const struct mch_window rows = mch_pool_rows(g, p);
		is_empty = is_empty || mch_window_positions(&rows) == 0;
	}
	for (int q = 0; q < mch_pool_q(g); q++) {
		const struct mch_window cols = mch_pool_cols(g, q);
		is_empty = is_empty || mch_window_positions(&cols) == 0;
	}
	return is_empty;
}

static void random_pool(struct mch_rng *rng, struct mch_shape in, struct mch_layer *layer)
{
	struct mch_pool *g = &layer->pool;
	do {
		struct mch_conv window;
		random_window(rng, &window);
		*g = (struct mch_pool){1,
				       in.c,
				       in.h,
				       in.w,
				       window.r,
				       window.s,
				       window.stride_h,
				       window.stride_w,
				       window.pad_top % window.r,
				       window.pad_left % window.s,
				       window.pad_bottom % window.r,
				       window.pad_right % window.s,
				       window.dilation_h,
				       window.dilation_w,
				       one_in(rng, 2),
				       one_in(rng, 2)};
	} while (has_empty_window(g));
}

static void random_lrn(struct mch_rng *rng, struct mch_lrn *lrn)
{
	static const double betas[] = {0.75, 0.5, 1, 0.6};
	lrn->is_within = one_in(rng, 2);
	lrn->size = lrn->is_within ? 2 * between(rng, 0, 2) + 1 : between(rng, 1, 6);
	lrn->alpha = one_in(rng, 3) ? 1e-4 : real_between(rng, 0, 3);
	lrn->beta = betas[between(rng, 0, 3)];
	lrn->k = one_in(rng, 2) ? 1 : real_between(rng, 0.5, 2);
}

static void fill_indexes(struct mch_rng *rng, enum mch_kind kind, int n_in, int n_out, int *at)
{
	const int begin = kind == MCH_SLICE ? between(rng, 0, n_in - n_out) : 0, pad = between(rng, 0, 2);
	for (int i = 0; i < n_out; i++)
		at[i] = kind == MCH_UPSAMPLE	     ? i * n_in / n_out
			: kind == MCH_SLICE	     ? begin + i
			: i >= pad && i - pad < n_in ? i - pad
						     : -1;
}

/* Sides of the output: a slice has less, an upsampling a multiple, a pad some more. */
static int gather_side(struct mch_rng *rng, enum mch_kind kind, int n_in)
{
	if (kind == MCH_UPSAMPLE)
		return n_in * between(rng, 1, 2);
	return kind == MCH_SLICE ? between(rng, 1, n_in) : n_in + between(rng, 0, 3);
}

static void random_gather(struct mch_rng *rng, struct mch_shape in, struct mch_layer *layer)
{
	struct mch_gather *g = &layer->gather;
	const int c = layer->kind == MCH_UPSAMPLE ? in.c : gather_side(rng, layer->kind, in.c);
	const int h = gather_side(rng, layer->kind, in.h), w = gather_side(rng, layer->kind, in.w);
	MCH_REQUIRE(mch_gather_alloc(g, c, h, w, NULL) == 0, "memory for a test");
	fill_indexes(rng, layer->kind, in.c, c, g->at);
	fill_indexes(rng, layer->kind, in.h, h, g->at + c);
	fill_indexes(rng, layer->kind, in.w, w, g->at + c + h);
	g->fill = layer->kind == MCH_PAD && one_in(rng, 2) ? 0.25f : 0;
}

static void random_order(struct mch_rng *rng, int order[3])
{
	order[0] = between(rng, 0, 2);
	order[1] = (order[0] + between(rng, 1, 2)) % 3;
	order[2] = 3 - order[0] - order[1];
}

/* The same number of elements in another shape: factors change sides. */
static struct mch_shape random_reshape(struct mch_rng *rng, struct mch_shape in)
{
	struct mch_shape out = {1, in.c * in.h * in.w, 1, 1};
	for (int factor = 2; factor <= 5; factor++)
		if (out.c % factor == 0 && one_in(rng, 2)) {
			out.c /= factor;
			*(one_in(rng, 2) ? &out.h : &out.w) *= factor;
		}
	return one_in(rng, 4) ? in : out;
}

/* All of a layer but its parameters, for the input `in`. */
static void random_definition(struct mch_rng *rng, struct mch_shape in, struct mch_layer *layer)
{
	switch (layer->kind) {
	case MCH_CONV:
	case MCH_DECONV:
		random_conv(rng, in, layer);
		break;
	case MCH_DENSE:
		layer->conv.k = between(rng, 1, 8);
		break;
	case MCH_CLIP:
		layer->clip.low = one_in(rng, 4) ? -INFINITY : one_in(rng, 2) ? 0 : (float)real_between(rng, -1, 0.2);
		layer->clip.high = one_in(rng, 3) ? INFINITY : (float)real_between(rng, 0, 1);
		break;
	case MCH_LEAKY_RELU:
		layer->slope = one_in(rng, 4) ? 0 : (double)(float)real_between(rng, 0, 1);
		break;
	case MCH_POOL_MAX:
	case MCH_POOL_AVG:
		random_pool(rng, in, layer);
		break;
	case MCH_LRN:
		random_lrn(rng, &layer->lrn);
		break;
	case MCH_BATCH_NORM:
		layer->norm.epsilon = one_in(rng, 2) ? 1e-5 : 0.1;
		break;
	case MCH_SLICE:
	case MCH_PAD:
	case MCH_UPSAMPLE:
		random_gather(rng, in, layer);
		break;
	case MCH_RESHAPE:
		layer->shape = random_reshape(rng, in);
		break;
	case MCH_TRANSPOSE:
		random_order(rng, layer->order);
		break;
	default:
		break;
	}
}

static void random_parameters(struct mch_rng *rng, struct mch_layer *layer)
{
	if (layer->kind == MCH_SUM ? one_in(rng, 2) : layer->kind == MCH_CONSTANT) {
		layer->n_weights = mch_layer_want_weights(layer);
		layer->weights = random_values(rng, layer->n_weights);
	}
	MCH_REQUIRE(mch_layer_alloc(layer, !one_in(rng, 4), NULL) == 0, "memory for a test");
	if (layer->kind == MCH_PRELU) { /* it has no bias, and perhaps one slope for all channels */
		free(layer->bias);
		layer->bias = NULL;
		layer->n_bias = 0;
		layer->n_weights = one_in(rng, 2) ? 1 : layer->n_weights;
	}
	if (!mch_layer_has_weights(layer))
		return;
	const double size = mch_layer_is_mac(layer) ? 1 / sqrt((double)mch_conv_terms(&layer->conv)) : 1;
	for (size_t i = 0; i < layer->n_weights; i++)
		layer->weights[i] = (float)real_between(rng, -1.5 * size, 1.5 * size);
	for (size_t i = 0; i < layer->n_bias; i++)
		layer->bias[i] = (float)real_between(rng, -1, 1);
	for (size_t i = 0; layer->mean && i < layer->n_weights; i++) {
		layer->mean[i] = (float)real_between(rng, -1, 1);
		layer->variance[i] = (float)real_between(rng, 0.25, 2);
	}
}

static bool fits(enum mch_kind kind, int axis, struct mch_shape a, struct mch_shape b)
{
	if (kind == MCH_CONCAT)
		return (axis == 1 || a.c == b.c) && (axis == 2 || a.h == b.h) && (axis == 3 || a.w == b.w);
	return (a.c == b.c || a.c == 1) && (a.h == b.h || a.h == 1) && (a.w == b.w || a.w == 1);
}

static int add_constant(struct mch_rng *rng, struct mch_shape shape, struct mch_net *net)
{
	char name[32];
	snprintf(name, sizeof(name), "constant%d", net->n_layers);
	const int i = mch_net_append(net, name, MCH_CONSTANT, 0, NULL, NULL, NULL);
	MCH_REQUIRE(i >= 0, "memory for a test");
	net->layers[i].shape = shape;
	random_parameters(rng, &net->layers[i]);
	net->edges[net->layers[i].out[0]].shape = shape;
	return net->layers[i].out[0];
}

/* Further inputs of a layer that takes several: tensors that fit the first, or a constant of which sides repeat. */
static int more_inputs(struct mch_rng *rng, enum mch_kind kind, int axis, struct mch_net *net, int in[N_IN_MAX])
{
	const int n = between(rng, 1, N_IN_MAX);
	const struct mch_shape first = net->edges[in[0]].shape;
	for (int j = 1; j < n; j++) {
		const int other = between(rng, 0, net->n_edges - 1);
		in[j] = in[0];
		if (fits(kind, axis, net->edges[other].shape, first))
			in[j] = other;
		else if (kind != MCH_CONCAT && one_in(rng, 2))
			in[j] = add_constant(rng,
					     (struct mch_shape){1, one_in(rng, 2) ? 1 : first.c,
								one_in(rng, 2) ? 1 : first.h,
								one_in(rng, 2) ? 1 : first.w},
					     net);
	}
	if (n == 2 && one_in(rng, 2)) { /* the first may be the one that repeats */
		const int swap = in[0];
		in[0] = in[1], in[1] = swap;
	}
	return n;
}

void random_dag_append(struct mch_rng *rng, enum mch_kind kind, struct mch_net *net)
{
	struct mch_err err = {""};
	const int axis = between(rng, 1, 3), last = net->n_edges - 1;
	int in[N_IN_MAX] = {one_in(rng, 3) ? between(rng, 0, last) : last}, n_in = kind == MCH_CONSTANT ? 0 : 1;
	const struct mch_shape first = net->edges[in[0]].shape;
	if (first.c * first.h * first.w > ELEMS_MAX)
		kind = MCH_POOL_AVG, n_in = 1;
	if (kind == MCH_SUM || kind == MCH_PROD || kind == MCH_MAX || kind == MCH_CONCAT)
		n_in = more_inputs(rng, kind, axis, net, in);
	char name[32];
	snprintf(name, sizeof(name), "layer%d", net->n_layers);
	const int i = mch_net_append(net, name, kind, n_in, in, NULL, &err);
	MCH_REQUIRE(i >= 0, err.text);
	struct mch_layer *layer = &net->layers[i];
	if (kind == MCH_CONSTANT)
		layer->shape = (struct mch_shape){1, between(rng, 1, 4), between(rng, 1, 4), between(rng, 1, 4)};
	else if (kind == MCH_CONCAT)
		layer->axis = axis;
	else
		random_definition(rng, net->edges[in[0]].shape, layer);
	net->output = -1;
	MCH_REQUIRE(mch_net_infer(net, &err) == 0, err.text);
	random_parameters(rng, layer);
}

void random_dag(struct mch_rng *rng, int n_layers_max, struct mch_net *net)
{
	struct mch_err err = {""};
	const int n_layers = between(rng, 1, n_layers_max);
	int n_products = 0;
	mch_net_init(net);
	net->input = mch_net_add_edge(
		net, "data", (struct mch_shape){1, between(rng, 1, 6), between(rng, 1, 9), between(rng, 1, 9)}, &err);
	MCH_REQUIRE(net->input >= 0, err.text);
	for (int i = 0; i < n_layers; i++) {
		enum mch_kind kind = (enum mch_kind)between(rng, 0, MCH_N_KINDS - 1);
		const struct mch_layer *before = net->n_layers ? &net->layers[net->n_layers - 1] : NULL;
		if (before && (mch_layer_is_mac(before) || before->kind == MCH_BATCH_NORM) && one_in(rng, 2))
			kind = one_in(rng, 2) ? MCH_BATCH_NORM : MCH_SCALE;
		/* Products of products of products leave all bounds. */
		if (kind == MCH_PROD && n_products++ >= 2)
			kind = MCH_MAX;
		random_dag_append(rng, kind, net);
	}
}
