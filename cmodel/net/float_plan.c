/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Which layers the float engine runs as one operator; see float_plan.h. */
#include "net/float_plan.h"

#include <stdlib.h>

struct reader {
	int n;          /* layers that read the edge */
	int layer;      /* the last of them */
	bool is_wanted; /* it is read from outside */
};

bool mch_float_is_plain(const struct mch_layer *layer)
{
	switch (layer->kind) {
	case MCH_DECONV: /* rows of output padding beyond a stride are dilation's */
		return layer->out_pad_h >= layer->conv.stride_h || layer->out_pad_w >= layer->conv.stride_w;
	case MCH_LRN: /* an even size has no middle; the library's sum within a channel has other borders */
		return layer->lrn.is_within || layer->lrn.size % 2 == 0;
	case MCH_POOL_MAX:
	case MCH_POOL_AVG: /* holes over the whole input */
		return (layer->pool.r > 1 && layer->pool.dilation_h > layer->pool.h) ||
		       (layer->pool.s > 1 && layer->pool.dilation_w > layer->pool.w);
	case MCH_SLICE:
	case MCH_PAD:
	case MCH_UPSAMPLE:
		return true;
	default:
		return false;
	}
}

bool mch_float_is_affine(const struct mch_layer *layer)
{
	return layer->kind == MCH_BATCH_NORM || layer->kind == MCH_SCALE;
}

bool mch_float_is_map(const struct mch_layer *layer)
{
	return layer->kind == MCH_RELU || layer->kind == MCH_CLIP || layer->kind == MCH_LEAKY_RELU ||
	       layer->kind == MCH_SIGMOID || layer->kind == MCH_TANH;
}

/* The layer that reads what `step` writes so far, when no other does; else NULL. */
static const struct mch_layer *next(const struct mch_net *net, const struct reader *readers,
				    const struct mch_float_step *step)
{
	const struct reader *reader = &readers[step->writes];
	return !reader->is_wanted && reader->n == 1 ? &net->layers[reader->layer] : NULL;
}

static void take(const struct mch_net *net, struct mch_float_step *steps, int into, const struct mch_layer *layer)
{
	steps[layer - net->layers].into = into;
	steps[into].writes = layer->out[0];
}

/* The other term of a plain sum of two of one shape, if it is known before layer `index` runs; else -1. */
static int other_term(const struct mch_net *net, const struct mch_layer *sum, int edge, int index)
{
	if (sum->kind != MCH_SUM || sum->n_in != 2 || sum->weights || sum->in[0] == sum->in[1])
		return -1;
	const int other = sum->in[0] == edge ? sum->in[1] : sum->in[0];
	const struct mch_shape a = net->edges[edge].shape, b = net->edges[other].shape;
	return net->edges[other].producer < index && a.c == b.c && a.h == b.h && a.w == b.w ? other : -1;
}

/* What runs in the operator of layer `index`. */
static void fuse(const struct mch_net *net, const struct reader *readers, struct mch_float_step *steps, int index)
{
	const struct mch_layer *layer = &net->layers[index], *then;
	struct mch_float_step *step = &steps[index];
	if ((!mch_layer_is_mac(layer) && !mch_float_is_affine(layer)) || mch_float_is_plain(layer))
		return;
	while ((then = next(net, readers, step)) && (mch_float_is_affine(then) || then->kind == MCH_DROPOUT))
		take(net, steps, index, then);
	if (!mch_layer_is_mac(layer))
		return;
	if (then && layer->kind == MCH_CONV) {
		step->added = other_term(net, then, step->writes, index);
		if (step->added >= 0) {
			take(net, steps, index, then);
			then = next(net, readers, step);
		}
	}
	if (then && mch_float_is_map(then)) {
		step->map = (int)(then - net->layers);
		take(net, steps, index, then);
	}
}

/* Readers of every edge among the layers that lead to a wanted one. */
static void find_readers(const struct mch_net *net, struct mch_float_step *steps, struct reader *readers)
{
	for (int i = net->n_layers - 1; i >= 0; i--) {
		const struct mch_layer *layer = &net->layers[i];
		const struct reader *out = &readers[layer->out[0]];
		const bool runs = out->is_wanted || out->n > 0;
		steps[i] = (struct mch_float_step){runs ? i : -1, layer->out[0], -1, -1};
		for (int j = 0; runs && j < layer->n_in; j++) {
			struct reader *reader = &readers[layer->in[j]];
			reader->layer = reader->n++ == 0 ? i : reader->layer;
		}
	}
}

int mch_float_plan(const struct mch_net *net, int tapped, struct mch_float_step *steps, struct mch_err *err)
{
	struct reader *readers = calloc((size_t)net->n_edges, sizeof(*readers));
	if (!readers)
		return mch_err_set(err, net->name ? net->name : "network", "out of memory; use a machine with more");
	for (int e = 0; e < net->n_edges; e++)
		readers[e].is_wanted = tapped < 0 || e == tapped || e == net->output;
	find_readers(net, steps, readers);
	for (int i = 0; i < net->n_layers; i++)
		if (steps[i].into == i)
			fuse(net, readers, steps, i);
	free(readers);
	return 0;
}
