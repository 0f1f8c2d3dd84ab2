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
	quant->round = MCH_ROUND_HALF_EVEN;
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
	free(quant->edge);
	free(quant->layer);
	free(quant->notes);
	quant->edge = NULL;
	quant->layer = NULL;
	quant->notes = NULL;
}

int mch_quant_copy(struct mch_quant *to, const struct mch_quant *from, struct mch_err *err)
{
	*to = *from;
	to->notes = NULL; /* they belong to the import */
	to->n_notes = 0;
	to->edge = malloc((size_t)from->n_edges * sizeof(*to->edge));
	to->layer = malloc((size_t)from->n_layers * sizeof(*to->layer));
	if (!to->edge || !to->layer) {
		mch_quant_free(to);
		return mch_err_set(err, "formats", "out of memory; use a machine with more");
	}
	memcpy(to->edge, from->edge, (size_t)from->n_edges * sizeof(*to->edge));
	memcpy(to->layer, from->layer, (size_t)from->n_layers * sizeof(*to->layer));
	return 0;
}
