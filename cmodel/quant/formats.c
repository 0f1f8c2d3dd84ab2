/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Formats of a whole net from three widths; see formats.h. */
#include "quant/formats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "net/layer.h"

enum {
	UNKNOWN = INT8_MIN,
	N_WIDTHS = MCH_OPERAND_BITS_MAX + 1, /* width 0 is not used */
};

int mch_formats_part(const struct mch_layer *layer)
{
	return layer->kind == MCH_CONV ? MCH_PART_CONV_WEIGHTS : layer->kind == MCH_DENSE ? MCH_PART_FC_WEIGHTS : -1;
}

/* Codes go through such a layer unchanged, or are dropped, or become 0. */
static bool passes_codes(enum mch_kind kind)
{
	return mch_layer_table[kind].is_identity || kind == MCH_POOL_MAX || kind == MCH_RELU || kind == MCH_SOFTMAX;
}

static void find_groups(struct mch_formats *f)
{
	const struct mch_net *net = f->net;
	for (int e = 0; e < net->n_edges; e++)
		f->group[e] = e;
	for (int i = 0; i < net->n_layers; i++) {
		const struct mch_layer *layer = &net->layers[i];
		if (passes_codes(layer->kind))
			f->group[layer->out[0]] = f->group[layer->in[0]];
		/* A softmax ranks its input; its own output, 0..1, is never a code. */
		if (!passes_codes(layer->kind) || layer->kind == MCH_SOFTMAX)
			f->is_read[layer->in[0]] = true;
	}
	const int last = net->edges[net->output].producer;
	if (last < 0 || net->layers[last].kind != MCH_SOFTMAX)
		f->is_read[net->output] = true;
}

static void find_signs(struct mch_formats *f)
{
	for (int e = 0; e < f->net->n_edges; e++)
		if (f->is_read[e] && f->ranges->edge[e].min < 0)
			f->is_signed[f->group[e]] = true;
}

int mch_formats_init(struct mch_formats *f, const struct mch_net *net, const struct mch_ranges *ranges,
		     enum mch_fraction rule, struct mch_err *err)
{
	const size_t n_edges = (size_t)net->n_edges, n_layers = (size_t)net->n_layers;
	*f = (struct mch_formats){.net = net, .ranges = ranges, .rule = rule};
	f->group = malloc(n_edges * sizeof(*f->group));
	f->is_read = calloc(n_edges, sizeof(*f->is_read));
	f->is_signed = calloc(n_edges, sizeof(*f->is_signed));
	f->read = calloc(n_edges, sizeof(*f->read));
	f->edge_frac = malloc(n_edges * N_WIDTHS);
	f->weight_frac = malloc(n_layers * N_WIDTHS);
	if (!f->group || !f->is_read || !f->is_signed || !f->read || !f->edge_frac || !f->weight_frac) {
		mch_formats_free(f);
		return mch_err_set(err, net->name ? net->name : "network", "out of memory; use a machine with more");
	}
	memset(f->edge_frac, UNKNOWN, n_edges * N_WIDTHS);
	memset(f->weight_frac, UNKNOWN, n_layers * N_WIDTHS);
	find_groups(f);
	find_signs(f);
	return 0;
}

void mch_formats_free(struct mch_formats *f)
{
	free(f->group);
	free(f->is_read);
	free(f->is_signed);
	free(f->read);
	free(f->edge_frac);
	free(f->weight_frac);
	*f = (struct mch_formats){0};
}

/* Free choice for a group, from the ranges of all its edges that are read. */
static int group_frac(struct mch_formats *f, int group, int bits)
{
	int8_t *known = &f->edge_frac[group * N_WIDTHS + bits];
	if (*known != UNKNOWN)
		return *known;
	int n = 0;
	for (int e = 0; e < f->net->n_edges; e++)
		if (f->is_read[e] && f->group[e] == group)
			f->read[n++] = &f->ranges->edge[e];
	if (n == 0) /* a dead end of the graph: any format will do */
		f->read[n++] = &f->ranges->edge[group];
	*known = (int8_t)mch_fraction_choose(f->rule, bits, f->is_signed[group], f->read, n);
	return *known;
}

static int clamp(int v, int low, int high)
{
	return v < low ? low : v > high ? high : v;
}

/* Weights of a layer. The bias is stored at x.frac + w.frac in at most 48 bits: where a large bias meets tiny
 * weights, the weights give up fraction bits so that it still fits. */
static struct mch_format weight_format(struct mch_formats *f, int i, int bits, struct mch_format x)
{
	const struct mch_layer *layer = &f->net->layers[i];
	int8_t *known = &f->weight_frac[i * N_WIDTHS + bits];
	if (*known == UNKNOWN) {
		const struct mch_range *range = &f->ranges->layer[i];
		*known = (int8_t)mch_fraction_choose(f->rule, bits, true, &range, 1);
	}
	struct mch_format w = {bits, *known, true};
	double largest = 0;
	for (size_t k = 0; k < layer->n_bias; k++)
		largest = fmax(largest, fabs((double)layer->bias[k]));
	const int limit = mch_fraction_max(MCH_ACC_BITS_MAX, true, -largest, largest) - x.frac;
	w.frac = clamp(w.frac, -MCH_FRAC_LIMIT, limit > -MCH_FRAC_LIMIT ? limit : -MCH_FRAC_LIMIT);
	return w;
}

/* The fraction of what a layer makes, from its group's free choice and what the layer can give. */
static int output_frac(const struct mch_formats *f, int i, int wanted, const struct mch_quant *quant)
{
	const struct mch_layer *layer = &f->net->layers[i];
	const int x_frac = quant->edge[layer->in[0]].frac;
	if (layer->kind == MCH_POOL_AVG) /* the mean's shift is x.frac - y.frac, -15..16 */
		return clamp(wanted, x_frac - 16, x_frac - MCH_SHIFT_MIN);
	/* An accumulator has no bits below its own fraction: a finer output would spend range on zeros. */
	const int acc_frac = x_frac + quant->layer[i].weights.frac;
	return clamp(wanted, acc_frac - MCH_SHIFT_MAX, acc_frac);
}

void mch_formats_apply(struct mch_formats *f, const int width[MCH_N_PARTS], struct mch_quant *quant)
{
	const struct mch_net *net = f->net;
	const int bits = width[MCH_PART_ACTIVATIONS];
	MCH_REQUIRE(quant->n_edges == net->n_edges && quant->n_layers == net->n_layers, "quant is of another net");
	for (int p = 0; p < MCH_N_PARTS; p++) {
		MCH_REQUIRE(width[p] >= 1 && width[p] <= MCH_OPERAND_BITS_MAX, "widths are 1 to 16");
		quant->width[p] = p == MCH_PART_ACTIVATIONS ? bits : 0; /* of the others: when a layer has them */
	}
	for (int e = 0; e < net->n_edges; e++)
		quant->edge[e] = (struct mch_format){bits, 0, f->is_signed[f->group[e]]};
	quant->edge[net->input].frac = group_frac(f, net->input, bits);
	/* In order of execution: each layer's input is settled before its output. */
	for (int i = 0; i < net->n_layers; i++) {
		const struct mch_layer *layer = &net->layers[i];
		const int part = mch_formats_part(layer), in = layer->in[0], out = layer->out[0];
		quant->layer[i] = (struct mch_layer_quant){0};
		if (passes_codes(layer->kind)) {
			quant->edge[out] = layer->kind == MCH_SOFTMAX ? (struct mch_format){0} : quant->edge[in];
			continue;
		}
		if (part >= 0) {
			quant->width[part] = width[part];
			quant->layer[i].weights = weight_format(f, i, width[part], quant->edge[in]);
		}
		quant->edge[out].frac = output_frac(f, i, group_frac(f, out, bits), quant);
	}
}
