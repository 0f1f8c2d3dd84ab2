/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The conv and dense layers that read what another makes, through layers that commute with a positive factor for each channel:
 * ReLUs, pools, channel concatenations and flattening. Host only: no RTL twin. */
#ifndef MCH_QUANT_READERS_H
#define MCH_QUANT_READERS_H

#include <stdbool.h>

#include "net/net.h"

/* Channel c of the producer is `span` inputs of the layer (conv: channels, dense: elements), from offset + c * span on. */
struct mch_reader {
	int layer, offset, span;
};

struct mch_readers { /* begin with {0} */
	struct mch_reader *list;
	int n, room;
	bool is_exact;     /* all readers are known, and what lies between commutes */
	bool is_no_memory; /* the list is not whole */
};

/* Those of the output of a layer, in place of what r has. */
void mch_readers_find(struct mch_readers *r, const struct mch_net *net, int layer);
void mch_readers_free(struct mch_readers *r);

/* Multiplies the weights and the bias that make channel k of a layer, or all weights that read channel c of a producer; returns the
 * largest magnitude among these weights afterwards. */
double mch_scale_outputs(const struct mch_layer *layer, int k, float factor);
double mch_scale_readers(const struct mch_net *net, const struct mch_readers *r, int c, float factor);

#endif
