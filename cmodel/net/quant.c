/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Formats of a whole network; see quant.h. */
#include "net/quant.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int mch_quant_init(struct mch_quant *quant, const struct mch_net *net, struct mch_err *err)
{
	memset(quant, 0, sizeof(*quant));
	quant->round = quant->weight_round = MCH_ROUND_HALF_EVEN;
	quant->accuracy_float = quant->accuracy_exact = quant->error_margin = NAN;
	quant->n_edges = net->n_edges;
	quant->n_layers = net->n_layers;
	quant->edge = calloc((size_t)net->n_edges, sizeof(*quant->edge));
	quant->layer = calloc((size_t)net->n_layers, sizeof(*quant->layer));
	if (!quant->edge || !quant->layer) {
		mch_quant_free(quant);
		return mch_err_set(err, net->name ? net->name : "network", "out of memory; use a machine with more");
	}
	return 0;
}

void mch_quant_free(struct mch_quant *quant)
{
	for (int i = 0; quant->layer && i < quant->n_layers; i++)
		free(quant->layer[i].channel_frac);
	free(quant->edge);
	free(quant->layer);
	free(quant->notes);
	quant->edge = NULL;
	quant->layer = NULL;
	quant->notes = NULL;
}

int mch_layer_quant_split(struct mch_layer_quant *layer, int n, int frac)
{
	mch_layer_quant_join(layer);
	layer->channel_frac = malloc((size_t)n);
	if (!layer->channel_frac)
		return -1;
	layer->n_channels = n;
	memset(layer->channel_frac, frac, (size_t)n);
	return 0;
}

void mch_layer_quant_join(struct mch_layer_quant *layer)
{
	free(layer->channel_frac);
	layer->channel_frac = NULL;
	layer->n_channels = 0;
}

/* Each layer gets fractions of its own; false when memory is short, and then those not copied have none. */
static bool copy_layers(struct mch_layer_quant *to, const struct mch_layer_quant *from, int n)
{
	bool is_done = true;
	for (int i = 0; i < n; i++) {
		to[i] = from[i];
		to[i].channel_frac = NULL;
		to[i].n_channels = 0;
		if (!from[i].channel_frac)
			continue;
		if (mch_layer_quant_split(&to[i], from[i].n_channels, 0) == 0)
			memcpy(to[i].channel_frac, from[i].channel_frac, (size_t)from[i].n_channels);
		else
			is_done = false;
	}
	return is_done;
}

int mch_quant_copy(struct mch_quant *to, const struct mch_quant *from, struct mch_err *err)
{
	*to = *from;
	to->notes = NULL; /* they belong to the import */
	to->n_notes = 0;
	to->edge = malloc((size_t)from->n_edges * sizeof(*to->edge));
	to->layer = calloc((size_t)from->n_layers, sizeof(*to->layer));
	if (!to->edge || !to->layer || !copy_layers(to->layer, from->layer, from->n_layers)) {
		mch_quant_free(to);
		return mch_err_set(err, "formats", "out of memory; use a machine with more");
	}
	memcpy(to->edge, from->edge, (size_t)from->n_edges * sizeof(*to->edge));
	return 0;
}

void mch_quant_set_acc(struct mch_quant *quant, struct mch_acc acc)
{
	for (int i = 0; i < quant->n_layers; i++)
		if (quant->layer[i].weights.bits)
			quant->layer[i].acc = acc;
}
