/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Range analysis of a float network: every tensor, and every layer's weights. Host only: no RTL twin.
 * Source: Gysel et al., "Ristretto", IEEE TNNLS 29(11), 2018, range analysis. */
#ifndef MCH_QUANT_RANGES_H
#define MCH_QUANT_RANGES_H

#include "base/err.h"
#include "net/dataset.h"
#include "net/net.h"
#include "quant/range.h"

struct mch_ranges {
	int n_edges, n_layers, n_images;
	struct mch_range *edge;  /* [n_edges] */
	struct mch_range *layer; /* [n_layers]; empty for layers without weights */
	float **edge_sample;     /* [n_edges], owned */
};

/* Runs images [0, n_images) of data through the float network and looks at every edge. The sample of an edge has at
 * most MCH_RANGE_SAMPLE values, at places drawn by a generator seeded with the edge: the same in every run. progress,
 * which may be NULL, is called with the images done. 0, or -1 with err: memory is short, or a value is no finite
 * number. */
int mch_ranges_measure(struct mch_ranges *ranges, const struct mch_net *net, const struct mch_dataset *data,
		       int n_images, void (*progress)(void *ctx, int done, int total), void *ctx,
		       struct mch_err *err);
void mch_ranges_free(struct mch_ranges *ranges);

#endif
