/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Networks of every kind of layer by chance; see random_kinds.h. */
#include "random_kinds.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/require.h"
#include "net/layer.h"

static int between(struct mch_rng *rng, int low, int high)
{
	return low + (int)mch_rng_below(rng, (uint32_t)(high - low + 1));
}

static double real(struct mch_rng *rng, double low, double high)
{
	return low + (high - low) * mch_rng_real(rng);
}

void begin_kinds(struct mch_net *net, struct mch_shape shape)
{
	struct mch_err err = {""};
	mch_net_init(net);
	net->input = mch_net_add_edge(net, "data", shape, &err);
	MCH_REQUIRE(net->input >= 0, err.text);
}

static int larger(int a, int b)
{
	return a > b ? a : b;
}

static void random_conv(struct mch_rng *rng, struct mch_shape in, bool is_deconv, struct mch_layer *layer)
{
	struct mch_conv *g = &layer->conv;
	g->groups = between(rng, 0, 2) ? 1 : between(rng, 0, 1) ? in.c : in.c % 2 ? 1 : 2;
	g->k = g->groups * between(rng, 1, between(rng, 0, 1) ? 4 : 40 / g->groups + 1);
	if (g->groups == 1 && between(rng, 0, 2) == 0)
		g->k = 16 * between(rng, 1, 2); /* whole blocks of channels */
	do {
		g->r = between(rng, 1, 3), g->s = between(rng, 1, 3);
		g->dilation_h = between(rng, 0, 3) ? 1 : 2, g->dilation_w = between(rng, 0, 3) ? 1 : 2;
		g->pad_top = between(rng, 0, 2), g->pad_left = between(rng, 0, 2);
		g->pad_bottom = between(rng, 0, 2), g->pad_right = between(rng, 0, 2);
		g->stride_h = between(rng, 1, 2), g->stride_w = between(rng, 1, 2);
		g->n = 1, g->c = in.c, g->h = in.h, g->w = in.w;
		layer->out_pad_h = is_deconv ? between(rng, 0, larger(g->stride_h, g->dilation_h) - 1) : 0;
		layer->out_pad_w = is_deconv ? between(rng, 0, larger(g->stride_w, g->dilation_w) - 1) : 0;
	} while (is_deconv ? mch_deconv_p(layer) < 1 || mch_deconv_q(layer) < 1
			   : mch_conv_p(g) < 1 || mch_conv_q(g) < 1);
}

static bool has_positions(const struct mch_pool *g)
{
	bool has = mch_pool_p(g) > 0 && mch_pool_q(g) > 0;
	for (int p = 0; has && p < mch_pool_p(g); p++) {
		const struct mch_window rows = mch_pool_rows(g, p);
		has = mch_window_positions(&rows) > 0;
	}
	for (int q = 0; has && q < mch_pool_q(g); q++) {
		const struct mch_window cols = mch_pool_cols(g, q);
		has = mch_window_positions(&cols) > 0;
	}
	return has;
}

static void random_pool(struct mch_rng *rng, struct mch_shape in, struct mch_pool *g)
{
	do {
		g->r = between(rng, 1, 3), g->s = between(rng, 1, 3);
		g->dilation_h = between(rng, 0, 4) ? 1 : 2, g->dilation_w = between(rng, 0, 4) ? 1 : 2;
		g->pad_top = between(rng, 0, g->r - 1), g->pad_left = between(rng, 0, g->s - 1);
		g->pad_bottom = between(rng, 0, g->r - 1), g->pad_right = between(rng, 0, g->s - 1);
		g->stride_h = between(rng, 1, 2), g->stride_w = between(rng, 1, 2);
		g->ceil_mode = between(rng, 0, 1), g->count_include_pad = between(rng, 0, 1);
		g->n = 1, g->c = in.c, g->h = in.h, g->w = in.w;
	} while (!has_positions(g));
}

/* One axis: a part of the input, its rows repeated, or a border around it. */
static int random_axis(struct mch_rng *rng, enum mch_kind kind, int size, int *at)
{
	const int begin = between(rng, 0, size - 1), factor = between(rng, 1, 2), border = between(rng, 0, 2);
	int n = 0;
	if (kind == MCH_SLICE)
		for (int i = begin; i < size; i += factor)
			at[n++] = i;
	else if (kind == MCH_UPSAMPLE)
		for (int i = 0; i < size * factor; i++)
			at[n++] = i / factor;
	else
		for (int i = -border; i < size + 1; i++)
			at[n++] = i < 0 || i >= size ? -1 : i;
	return n;
}

static void random_gather(struct mch_rng *rng, enum mch_kind kind, struct mch_shape in, struct mch_gather *g)
{
	struct mch_err err = {""};
	const int size[3] = {in.c, in.h, in.w}, most = 2 * (in.c + in.h + in.w) + 12;
	int *at = malloc((size_t)most * sizeof(*at)), n[3], total = 0;
	MCH_REQUIRE(at, "memory for a fixture");
	for (int axis = 0; axis < 3; axis++) {
		n[axis] = random_axis(rng, kind, size[axis], at + total);
		total += n[axis];
	}
	MCH_REQUIRE(mch_gather_alloc(g, n[0], n[1], n[2], &err) == 0, err.text);
	for (int i = 0; i < total; i++)
		g->at[i] = at[i];
	g->fill = (float)real(rng, -1, 1);
	free(at);
}

static struct mch_shape reshaped(struct mch_rng *rng, struct mch_shape s)
{
	return between(rng, 0, 1) ? (struct mch_shape){1, s.h, s.c, s.w} : (struct mch_shape){1, s.w * s.c, s.h, 1};
}

static void random_order(struct mch_rng *rng, int *order)
{
	static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	const int which = between(rng, 0, 5);
	for (int i = 0; i < 3; i++)
		order[i] = orders[which][i];
}

static void random_geometry(struct mch_rng *rng, struct mch_shape in, struct mch_layer *layer)
{
	switch (layer->kind) {
	case MCH_CONV:
	case MCH_DECONV:
		random_conv(rng, in, layer->kind == MCH_DECONV, layer);
		break;
	case MCH_DENSE:
		layer->conv.k = between(rng, 1, 33);
		break;
	case MCH_POOL_MAX:
	case MCH_POOL_AVG:
		random_pool(rng, in, &layer->pool);
		break;
	case MCH_CLIP:
		layer->clip.low = between(rng, 0, 2) ? (float)real(rng, -1, 0) : -INFINITY;
		layer->clip.high = between(rng, 0, 2) ? (float)real(rng, 0, 1) : INFINITY;
		break;
	case MCH_LEAKY_RELU:
		layer->slope = real(rng, 0, 1);
		break;
	case MCH_LRN:
		layer->lrn = (struct mch_lrn){2 * between(rng, 0, 3) + 1, real(rng, 0, 2), real(rng, 0.5, 1),
					      real(rng, 1, 2), between(rng, 0, 1)};
		layer->lrn.size += !layer->lrn.is_within && between(rng, 0, 3) == 0;
		layer->lrn.beta = between(rng, 0, 1) ? 0.75 : layer->lrn.beta;
		break;
	case MCH_BATCH_NORM:
		layer->norm.epsilon = 1e-3;
		break;
	case MCH_SLICE:
	case MCH_PAD:
	case MCH_UPSAMPLE:
		random_gather(rng, layer->kind, in, &layer->gather);
		break;
	case MCH_RESHAPE:
		layer->shape = reshaped(rng, in);
		break;
	case MCH_TRANSPOSE:
		random_order(rng, layer->order);
		break;
	default:
		break;
	}
}

/* Sums of products come out about as large as what went in. */
static void random_params(struct mch_rng *rng, struct mch_layer *layer)
{
	struct mch_err err = {""};
	const double most = mch_layer_is_mac(layer) ? sqrt(3.0 / (double)mch_conv_terms(&layer->conv)) : 2;
	MCH_REQUIRE(mch_layer_alloc(layer, between(rng, 0, 3) != 0, &err) == 0, err.text);
	for (size_t i = 0; i < layer->n_weights; i++)
		layer->weights[i] = (float)real(rng, -most, most);
	for (size_t i = 0; i < layer->n_bias; i++)
		layer->bias[i] = (float)real(rng, -0.5, 0.5);
	for (size_t i = 0; layer->mean && i < layer->n_weights; i++) {
		layer->mean[i] = (float)real(rng, -0.5, 0.5);
		layer->variance[i] = (float)real(rng, 0.25, 2);
	}
}

int random_layer(struct mch_rng *rng, struct mch_net *net, enum mch_kind kind, int n_in, const int *in)
{
	struct mch_err err = {""};
	char name[32];
	snprintf(name, sizeof(name), "%s%d", mch_layer_table[kind].name, net->n_layers);
	const int i = mch_net_append(net, name, kind, n_in, in, NULL, &err);
	MCH_REQUIRE(i >= 0, err.text);
	struct mch_layer *layer = &net->layers[i];
	const struct mch_shape shape = n_in ? net->edges[in[0]].shape
					    : (struct mch_shape){1, between(rng, 1, 3), 1, 1};
	random_geometry(rng, shape, layer);
	if (kind == MCH_CONCAT)
		layer->axis = 1;
	if (kind == MCH_CONSTANT || (kind == MCH_SUM && between(rng, 0, 3) == 0)) {
		layer->shape = shape;
		layer->n_weights = kind == MCH_CONSTANT ? mch_shape_elems(shape) : (size_t)n_in;
		layer->weights = malloc(layer->n_weights * sizeof(float));
		for (size_t w = 0; layer->weights && w < layer->n_weights; w++)
			layer->weights[w] = (float)real(rng, -1, 1);
	}
	net->output = -1;
	MCH_REQUIRE(mch_net_infer(net, &err) == 0, err.text);
	if (mch_layer_has_weights(layer))
		random_params(rng, layer);
	return layer->out[0];
}

/* Edges that fit to `first` elementwise, or beside it on `axis`; their number. */
static int partners(struct mch_rng *rng, const struct mch_net *net, int first, int axis, int most, int *found)
{
	const struct mch_shape a = net->edges[first].shape;
	int n = 0;
	for (int tries = 0; n < most && tries < 20; tries++) {
		const int e = between(rng, 0, net->n_edges - 1);
		const struct mch_shape b = net->edges[e].shape;
		const bool same_c = a.c == b.c, same_h = a.h == b.h, same_w = a.w == b.w;
		if (axis ? (axis == 1 || same_c) && (axis == 2 || same_h) && (axis == 3 || same_w)
			 : (same_c || b.c == 1) && (same_h || b.h == 1) && (same_w || b.w == 1))
			found[n++] = e;
	}
	return n;
}

static void append_joined(struct mch_rng *rng, struct mch_net *net, int first, enum mch_kind kind)
{
	int in[4] = {first};
	const int axis = kind == MCH_CONCAT ? between(rng, 0, 2) ? 1 : between(rng, 2, 3) : 0;
	struct mch_err err = {""};
	const int n = 1 + partners(rng, net, first, axis, between(rng, 1, 3), in + 1);
	if (between(rng, 0, 1)) { /* the order matters to some */
		const int swap = in[0];
		in[0] = in[n - 1], in[n - 1] = swap;
	}
	if (!axis) {
		random_layer(rng, net, kind, n, in);
		return;
	}
	const int i = mch_net_append(net, "concat", kind, n, in, NULL, &err);
	MCH_REQUIRE(i >= 0, err.text);
	net->layers[i].axis = axis;
	net->output = -1;
	MCH_REQUIRE(mch_net_infer(net, &err) == 0, err.text);
}

void random_kinds(struct mch_rng *rng, struct mch_net *net)
{
	static const int channels[] = {1, 2, 3, 8, 16, 17, 32};
	const struct mch_shape in = {1, channels[between(rng, 0, 6)], between(rng, 1, 9), between(rng, 1, 9)};
	const int n_layers = between(rng, 3, 14);
	begin_kinds(net, in);
	for (int i = 0; i < n_layers; i++) {
		/* Mostly on with what came last, and mostly convolutions and what follows them. */
		const int first = between(rng, 0, 3) ? net->n_edges - 1 : between(rng, 0, net->n_edges - 1);
		enum mch_kind kind = (enum mch_kind)between(rng, 0, MCH_N_KINDS - 1);
		if (between(rng, 0, 3) == 0)
			kind = between(rng, 0, 1) ? MCH_CONV : between(rng, 0, 1) ? MCH_SUM : MCH_CONCAT;
		const struct mch_shape s = net->edges[first].shape;
		const bool grows =
			kind == MCH_UPSAMPLE || kind == MCH_PAD || kind == MCH_CONCAT || kind == MCH_DECONV;
		if (s.c * s.h * s.w > 4000 && grows)
			kind = MCH_POOL_AVG;
		if (kind == MCH_CONSTANT)
			random_layer(rng, net, kind, 0, NULL);
		else if (mch_layer_table[kind].n_in_max > 1)
			append_joined(rng, net, first, kind);
		else
			random_layer(rng, net, kind, 1, &first);
	}
}
