/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Widths of a whole net; see widths.h. */
#include "quant/widths.h"

#include <stdlib.h>

int mch_widths_init(struct mch_widths *widths, const struct mch_net *net, struct mch_err *err)
{
	*widths = (struct mch_widths){.n_layers = net->n_layers, .n_edges = net->n_edges};
	widths->weights = calloc((size_t)net->n_layers + 1, sizeof(*widths->weights));
	widths->edge = calloc((size_t)net->n_edges + 1, sizeof(*widths->edge));
	if (widths->weights && widths->edge)
		return 0;
	mch_widths_free(widths);
	return mch_err_set(err, net->name ? net->name : "network", "out of memory; use a machine with more");
}

void mch_widths_free(struct mch_widths *widths)
{
	free(widths->weights);
	free(widths->edge);
	*widths = (struct mch_widths){0};
}
