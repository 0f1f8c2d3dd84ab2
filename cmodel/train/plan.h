/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Which edges of a network share memory in training. Values are kept from forward to backward, but a layer that can
 * works in place; slopes live from their first reader's backward to their producer's. Host only: no RTL twin. */
#ifndef MCH_TRAIN_PLAN_H
#define MCH_TRAIN_PLAN_H

#include "net/net.h"

struct mch_plan {
	int n_buffers;
	size_t *elems; /* [buffer]: of one image */
	int *value;    /* [edge]: its buffer */
	int *slope;    /* [edge]: its buffer; -1: nothing trainable lies below it, or no path joins it with the loss */
	size_t extra;  /* elements of the largest slope that several layers add to */
};

/* Of layers 0 .. n_runs - 1 and a loss on the edge logits. 0, or -1: memory is short. Free it either way. */
int mch_plan_make(const struct mch_net *net, int n_runs, int logits, struct mch_plan *plan);
void mch_plan_free(struct mch_plan *plan);

#endif
