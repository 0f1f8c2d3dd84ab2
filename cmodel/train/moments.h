/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The running mean and variance of batch norm layers, which inference normalizes with. Host only: no RTL twin. */
#ifndef MCH_TRAIN_MOMENTS_H
#define MCH_TRAIN_MOMENTS_H

#include "net/net.h"

/* Mean and biased variance of each channel that each batch norm saw: layers in order, [2][c]. How many floats that
 * is. */
size_t mch_moments_of_net(const struct mch_net *net);

/* The shards that a step ran, those with images only, in their order. */
struct mch_moments {
	int n_shards;
	const float *const *moments; /* [n_shards] */
	const int *n_images;         /* [n_shards] */
};

/* Moves every batch norm's mean and variance by `share` (0 .. 1) of the way to those of the whole batch, which are
 * combined from those of the shards; the variance is the unbiased one. */
void mch_moments_update(struct mch_net *net, const struct mch_moments *m, double share);

#endif
