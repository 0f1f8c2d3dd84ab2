/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The hash of a network; see hash.h. Files keep these hashes: what a network could not have when the first of them
 * were written takes part only where it is there. */
#include <string.h>

#include "base/require.h"
#include "io/hash.h"
#include "net/layer.h"

static void hash_ints(struct mch_hash *hash, const int *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		mch_hash_int(hash, values[i]);
}

static void hash_shape(struct mch_hash *hash, struct mch_shape s)
{
	hash_ints(hash, (const int[]){s.c, s.h, s.w}, 3);
}

static void hash_conv(struct mch_hash *hash, const struct mch_conv *g)
{
	const int values[] = {g->k,	   g->r,	  g->s,		g->stride_h,   g->stride_w,   g->pad_top,
			      g->pad_left, g->pad_bottom, g->pad_right, g->dilation_h, g->dilation_w, g->groups};
	hash_ints(hash, values, sizeof(values) / sizeof(values[0]));
}

static void hash_pool(struct mch_hash *hash, const struct mch_pool *g, bool is_mean)
{
	const int values[] = {
		g->r,	     g->s,	    g->stride_h,  g->stride_w,	g->pad_top,
		g->pad_left, g->pad_bottom, g->pad_right, g->ceil_mode, g->count_include_pad && is_mean};
	hash_ints(hash, values, sizeof(values) / sizeof(values[0]));
	if (g->dilation_h != 1 || g->dilation_w != 1)
		hash_ints(hash, (const int[]){g->dilation_h, g->dilation_w}, 2);
}

static void hash_lrn(struct mch_hash *hash, const struct mch_lrn *lrn)
{
	hash_ints(hash, (const int[]){lrn->size, lrn->is_within}, 2);
	mch_hash_real(hash, lrn->alpha);
	mch_hash_real(hash, lrn->beta);
	if (!lrn->is_within) /* where k is 1 */
		mch_hash_real(hash, lrn->k);
}

static void hash_gather(struct mch_hash *hash, const struct mch_gather *g)
{
	hash_ints(hash, (const int[]){g->n_c, g->n_h, g->n_w}, 3);
	hash_ints(hash, g->at, (size_t)g->n_c + (size_t)g->n_h + (size_t)g->n_w);
	mch_hash_f32(hash, &g->fill, 1);
}

/* What the kind alone does not tell. */
static void hash_definition(struct mch_hash *hash, const struct mch_layer *layer)
{
	switch (layer->kind) {
	case MCH_CONV:
	case MCH_DENSE:
		hash_conv(hash, &layer->conv);
		break;
	case MCH_DECONV:
		hash_conv(hash, &layer->conv);
		hash_ints(hash, (const int[]){layer->out_pad_h, layer->out_pad_w}, 2);
		break;
	case MCH_POOL_MAX:
	case MCH_POOL_AVG:
		hash_pool(hash, &layer->pool, layer->kind == MCH_POOL_AVG);
		break;
	case MCH_CLIP:
		mch_hash_f32(hash, &layer->clip.low, 1);
		mch_hash_f32(hash, &layer->clip.high, 1);
		break;
	case MCH_LEAKY_RELU:
		mch_hash_real(hash, layer->slope);
		break;
	case MCH_LRN:
		hash_lrn(hash, &layer->lrn);
		break;
	case MCH_BATCH_NORM:
		mch_hash_real(hash, layer->norm.epsilon);
		break;
	case MCH_CONCAT:
		mch_hash_int(hash, layer->axis);
		break;
	case MCH_SLICE:
	case MCH_PAD:
	case MCH_UPSAMPLE:
		hash_gather(hash, &layer->gather);
		break;
	case MCH_RESHAPE:
	case MCH_CONSTANT:
		hash_shape(hash, layer->shape);
		break;
	case MCH_TRANSPOSE:
		hash_ints(hash, layer->order, 3);
		break;
	default:
		break;
	}
}

/* A sum whose coefficients are all 1 is a plain one. */
static bool has_weights(const struct mch_layer *layer)
{
	bool tells = layer->weights && layer->kind != MCH_SUM;
	for (int i = 0; layer->weights && layer->kind == MCH_SUM && i < layer->n_in; i++)
		tells = tells || layer->weights[i] != 1;
	return tells;
}

static void hash_parameters(struct mch_hash *hash, const struct mch_layer *layer)
{
	const size_t n_weights = has_weights(layer) ? layer->n_weights : 0, n_bias = layer->bias ? layer->n_bias : 0;
	mch_hash_int(hash, (int64_t)n_weights);
	mch_hash_f32(hash, layer->weights, n_weights);
	mch_hash_int(hash, (int64_t)n_bias);
	mch_hash_f32(hash, layer->bias, n_bias);
	if (layer->kind != MCH_BATCH_NORM)
		return;
	const size_t n = layer->mean && layer->variance ? (size_t)layer->norm.channels : 0;
	mch_hash_int(hash, (int64_t)n);
	mch_hash_f32(hash, layer->mean, n);
	mch_hash_f32(hash, layer->variance, n);
}

/* Of a layer's input: which layer writes it (the edge's number depends on the order of building), or below 0 which
 * input of the network it is. */
static int source(const struct mch_net *net, int edge)
{
	if (net->edges[edge].producer >= 0 || edge == net->input)
		return net->edges[edge].producer;
	int at = -2;
	for (int e = 0; e < edge; e++)
		at -= net->edges[e].producer < 0 && e != net->input;
	return at;
}

/* Several kinds have one ONNX name, by which the first ones are told. */
static bool has_own_name(enum mch_kind kind)
{
	return kind != MCH_CONV && kind != MCH_DENSE && kind != MCH_RELU && kind != MCH_SOFTMAX &&
	       kind != MCH_POOL_MAX && kind != MCH_POOL_AVG && kind != MCH_FLATTEN && kind != MCH_DROPOUT;
}

static void hash_layer(struct mch_hash *hash, const struct mch_net *net, const struct mch_layer *layer)
{
	mch_hash_text(hash, mch_layer_table[layer->kind].onnx_op);
	if (has_own_name(layer->kind))
		mch_hash_text(hash, mch_layer_table[layer->kind].name);
	mch_hash_int(hash, layer->n_in);
	for (int e = 0; e < layer->n_in; e++)
		mch_hash_int(hash, source(net, layer->in[e]));
	hash_definition(hash, layer);
	hash_parameters(hash, layer);
}

/* All that makes values of pixels but the scale, which each network's hash has; how a picture gets its size is not the
 * network's. Grey has no order of colours. */
static void hash_transform(struct mch_hash *hash, const struct mch_transform *t, int n_channels)
{
	const bool is_bgr = t->is_bgr && n_channels > 1;
	if (!is_bgr && !t->n_mean && !t->n_std && !t->mean_image)
		return;
	mch_hash_text(hash, "transform");
	mch_hash_int(hash, is_bgr);
	mch_hash_int(hash, t->n_mean);
	mch_hash_f32(hash, t->mean, (size_t)t->n_mean);
	mch_hash_int(hash, t->n_std);
	mch_hash_f32(hash, t->std, (size_t)t->n_std);
	if (!t->mean_image)
		return;
	hash_ints(hash, (const int[]){t->mean_c, t->mean_h, t->mean_w}, 3);
	mch_hash_f32(hash, t->mean_image, (size_t)t->mean_c * (size_t)t->mean_h * (size_t)t->mean_w);
}

void mch_hash_net(const struct mch_net *net, char hex[MCH_HASH_HEX])
{
	MCH_REQUIRE(net->input >= 0 && net->output >= 0, "a network is hashed after mch_net_infer");
	struct mch_hash hash;
	mch_hash_begin(&hash);
	mch_hash_text(&hash, "macchiato network 1");
	hash_shape(&hash, net->edges[net->input].shape);
	mch_hash_real(&hash, net->transform.scale);
	mch_hash_int(&hash, net->n_layers);
	for (int i = 0; i < net->n_layers; i++)
		hash_layer(&hash, net, &net->layers[i]);
	mch_hash_int(&hash, net->edges[net->output].producer);
	hash_transform(&hash, &net->transform, net->edges[net->input].shape.c);
	for (int e = 0; e < net->n_edges; e++)
		if (net->edges[e].producer < 0 && e != net->input)
			hash_shape(&hash, net->edges[e].shape);
	mch_hash_end(&hash, hex);
}
