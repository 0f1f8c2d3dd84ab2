/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The running mean and variance of batch norm layers, which inference normalizes with. Host only: no RTL twin. */
#ifndef MCH_TRAIN_MOMENTS_H
#define MCH_TRAIN_MOMENTS_H

#include "train/backprop.h"

/* The shards that a step ran, those with images only, in their order. */
struct mch_moments {
	int n_shards;
	const struct mch_backprop *const *shards;
	const int *n_images; /* [n_shards] */
};

/* Moves every batch norm's mean and variance by `share` (0 .. 1) of the way to those of the whole batch, which are combined
 * from those of the shards; the variance is the unbiased one. */
void mch_moments_update(struct mch_net *net, const struct mch_moments *m, double share);

#endif
