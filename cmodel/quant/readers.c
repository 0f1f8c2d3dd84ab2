/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Who reads a layer's channels; see readers.h. */
#include "quant/readers.h"

#include <math.h>
#include <stdlib.h>

static void add_reader(struct mch_readers *r, struct mch_reader reader)
{
	if (r->n == r->room) {
		const int room = r->room ? 2 * r->room : 8;
		struct mch_reader *more = realloc(r->list, (size_t)room * sizeof(*more));
		if (!more) {
			r->is_no_memory = true;
			return;
		}
		r->list = more;
		r->room = room;
	}
	r->list[r->n++] = reader;
}

/* Channels of a concatenation before input j. */
static int channels_before(const struct mch_net *net, const struct mch_layer *layer, int j)
{
	int n = 0;
	for (int i = 0; i < j; i++)
		n += net->edges[layer->in[i]].shape.c;
	return n;
}

static void follow(const struct mch_net *net, int edge, int offset, int span, struct mch_readers *r);

static void follow_into(const struct mch_net *net, int l, int j, int offset, int span, struct mch_readers *r)
{
	const struct mch_layer *layer = &net->layers[l];
	const struct mch_shape in = net->edges[layer->in[j]].shape;
	const int pixels = in.h * in.w;
	switch (layer->kind) {
	case MCH_RELU:
	case MCH_POOL_MAX:
	case MCH_POOL_AVG:
		follow(net, layer->out[0], offset, span, r);
		return;
	case MCH_FLATTEN:
		follow(net, layer->out[0], offset * pixels, span * pixels, r);
		return;
	case MCH_CONCAT:
		if (layer->axis == 1)
			follow(net, layer->out[0], offset + channels_before(net, layer, j), span, r);
		else
			r->is_exact = false;
		return;
	case MCH_CONV:
		add_reader(r, (struct mch_reader){l, offset, span});
		return;
	case MCH_DENSE: /* it flattens by itself */
		add_reader(r, (struct mch_reader){l, offset * pixels, span * pixels});
		return;
	default:
		r->is_exact = false;
	}
}

static void follow(const struct mch_net *net, int edge, int offset, int span, struct mch_readers *r)
{
	if (edge == net->output)
		r->is_exact = false;
	for (int l = 0; l < net->n_layers && r->is_exact; l++)
		for (int j = 0; j < net->layers[l].n_in; j++)
			if (net->layers[l].in[j] == edge)
				follow_into(net, l, j, offset, span, r);
}

void mch_readers_find(struct mch_readers *r, const struct mch_net *net, int layer)
{
	r->n = 0;
	r->is_exact = true;
	follow(net, net->layers[layer].out[0], 0, 1, r);
}

void mch_readers_free(struct mch_readers *r)
{
	free(r->list);
	*r = (struct mch_readers){0};
}

/* Of the weights of `layer` that meet its inputs from first on: the largest magnitude, after scaling each by factor. */
static double scale_inputs(const struct mch_layer *layer, int first, int span, float factor)
{
	const struct mch_conv *g = &layer->conv;
	const int per_group = g->c / g->groups, k_per_group = g->k / g->groups;
	const size_t taps = (size_t)g->r * (size_t)g->s;
	double most = 0;
	for (int c = first; c < first + span; c++)
		for (int k = c / per_group * k_per_group; k < (c / per_group + 1) * k_per_group; k++) {
			float *w = layer->weights + ((size_t)k * (size_t)per_group + (size_t)(c % per_group)) * taps;
			for (size_t t = 0; t < taps; t++) {
				w[t] *= factor;
				most = fmax(most, fabs((double)w[t]));
			}
		}
	return most;
}

double mch_scale_outputs(const struct mch_layer *layer, int k, float factor)
{
	const size_t terms = layer->n_weights / (size_t)layer->conv.k;
	double most = 0;
	for (size_t t = (size_t)k * terms; t < (size_t)(k + 1) * terms; t++) {
		layer->weights[t] *= factor;
		most = fmax(most, fabs((double)layer->weights[t]));
	}
	if (layer->bias && factor != 1)
		layer->bias[k] *= factor;
	return most;
}

double mch_scale_readers(const struct mch_net *net, const struct mch_readers *r, int c, float factor)
{
	double most = 0;
	for (int i = 0; i < r->n; i++)
		most = fmax(most, scale_inputs(&net->layers[r->list[i].layer], r->list[i].offset + c * r->list[i].span,
					       r->list[i].span, factor));
	return most;
}
