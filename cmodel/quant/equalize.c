/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Cross-layer equalization; see equalize.h. */
#include "quant/equalize.h"

#include <math.h>
#include <stdlib.h>

/* Exponents of factors: far from the ends of float, so that a weight neither overflows nor becomes subnormal. */
enum { EXPONENT_MAX = 20, ROUNDS_MAX = 20 };

/* A layer that reads the channels at hand: channel c of the producer is `span` inputs of it, from offset + c * span on. */
struct reader {
	int layer, offset, span;
};

struct readers {
	struct reader *list;
	int n, room;
	bool is_exact;     /* all readers are known, and commute */
	bool is_no_memory;
};

static void add_reader(struct readers *r, struct reader reader)
{
	if (r->n == r->room) {
		const int room = r->room ? 2 * r->room : 8;
		struct reader *more = realloc(r->list, (size_t)room * sizeof(*more));
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

static void follow(const struct mch_net *net, int edge, int offset, int span, struct readers *r);

static void follow_into(const struct mch_net *net, int l, int j, int offset, int span, struct readers *r)
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
		add_reader(r, (struct reader){l, offset, span});
		return;
	case MCH_DENSE: /* it flattens by itself */
		add_reader(r, (struct reader){l, offset * pixels, span * pixels});
		return;
	default:
		r->is_exact = false;
	}
}

static void follow(const struct mch_net *net, int edge, int offset, int span, struct readers *r)
{
	if (edge == net->output)
		r->is_exact = false;
	for (int l = 0; l < net->n_layers && r->is_exact; l++)
		for (int j = 0; j < net->layers[l].n_in; j++)
			if (net->layers[l].in[j] == edge)
				follow_into(net, l, j, offset, span, r);
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

static double scale_outputs(const struct mch_layer *layer, int k, float factor)
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

static double scale_readers(const struct mch_net *net, const struct readers *r, int c, float factor)
{
	double most = 0;
	for (int i = 0; i < r->n; i++)
		most = fmax(most, scale_inputs(&net->layers[r->list[i].layer], r->list[i].offset + c * r->list[i].span,
					       r->list[i].span, factor));
	return most;
}

/* The factor that gives both sides the geometric mean of their ranges, as a power of two; its exponent is returned. */
static int equalize_channel(const struct mch_net *net, const struct mch_layer *layer, const struct readers *r, int k)
{
	const double made = scale_outputs(layer, k, 1), read = scale_readers(net, r, k, 1);
	if (made <= 0 || read <= 0) /* a dead channel */
		return 0;
	const double exponent = rint(log2(read / made) / 2);
	const int e = (int)fmax(-EXPONENT_MAX, fmin(EXPONENT_MAX, exponent));
	if (e != 0) {
		scale_outputs(layer, k, ldexpf(1, e));
		scale_readers(net, r, k, ldexpf(1, -e));
	}
	return e;
}

int mch_equalize(struct mch_net *net, struct mch_equalized *result, struct mch_err *err)
{
	struct readers r = {0};
	bool is_changed = true;
	*result = (struct mch_equalized){0};
	/* A layer's weights change with its neighbours on both sides: once more, until nothing does. */
	for (int round = 0; is_changed && round < ROUNDS_MAX && !r.is_no_memory; round++) {
		is_changed = false;
		for (int i = 0; i < net->n_layers; i++) {
			const struct mch_layer *layer = &net->layers[i];
			if (layer->kind != MCH_CONV && layer->kind != MCH_DENSE)
				continue;
			r.n = 0;
			r.is_exact = true;
			follow(net, layer->out[0], 0, 1, &r);
			if (!r.is_exact || r.n == 0 || r.is_no_memory)
				continue;
			long n_scaled = 0;
			for (int k = 0; k < layer->conv.k; k++)
				n_scaled += equalize_channel(net, layer, &r, k) != 0;
			result->n_layers += round == 0;
			result->n_scaled += round == 0 ? n_scaled : 0;
			is_changed = is_changed || n_scaled > 0;
		}
	}
	free(r.list);
	if (r.is_no_memory)
		return mch_err_set(err, net->name ? net->name : "network", "out of memory; use a machine with more");
	return 0;
}
