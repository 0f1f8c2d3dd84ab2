/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Running mean and variance; see moments.h. */
#include "train/moments.h"

struct moments {
	double mean, variance;
};

size_t mch_moments_of_net(const struct mch_net *net)
{
	size_t n = 0;
	for (int i = 0; i < net->n_layers; i++)
		if (net->layers[i].kind == MCH_BATCH_NORM)
			n += 2 * (size_t)net->layers[i].norm.channels;
	return n;
}

/* Of the channel whose mean and variance lie at those places of all shards: the variance is the mean of the shards'
 * variances and the variance of their means. */
static struct moments combine(const struct mch_moments *m, size_t mean_at, size_t variance_at)
{
	struct moments all = {0, 0};
	double n = 0;
	for (int i = 0; i < m->n_shards; i++) {
		all.mean += m->n_images[i] * (double)m->moments[i][mean_at];
		n += m->n_images[i];
	}
	all.mean /= n;
	for (int i = 0; i < m->n_shards; i++) {
		const double off = (double)m->moments[i][mean_at] - all.mean;
		all.variance += m->n_images[i] * ((double)m->moments[i][variance_at] + off * off);
	}
	all.variance /= n;
	return all;
}

void mch_moments_update(struct mch_net *net, const struct mch_moments *m, double share)
{
	double n_images = 0;
	size_t at = 0;
	for (int i = 0; i < m->n_shards; i++)
		n_images += m->n_images[i];
	for (int i = 0; i < net->n_layers; i++) {
		struct mch_layer *layer = &net->layers[i];
		if (layer->kind != MCH_BATCH_NORM)
			continue;
		const struct mch_shape s = net->edges[layer->out[0]].shape;
		const double n = n_images * s.h * s.w;
		for (int c = 0; c < s.c; c++, at++) {
			const struct moments batch = combine(m, at, at + (size_t)s.c);
			const double variance = n > 1 ? batch.variance * n / (n - 1) : batch.variance;
			layer->mean[c] += (float)(share * (batch.mean - (double)layer->mean[c]));
			layer->variance[c] += (float)(share * (variance - (double)layer->variance[c]));
		}
		at += (size_t)s.c;
	}
}
