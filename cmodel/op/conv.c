/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Convolution on raw integers, plain: the reference. See conv.h. */
#include "op/conv.h"

int mch_conv_p(const struct mch_conv *g)
{
	const int room = g->h + g->pad_top + g->pad_bottom - (g->dilation_h * (g->r - 1) + 1);
	return room < 0 ? 0 : room / g->stride_h + 1;
}

int mch_conv_q(const struct mch_conv *g)
{
	const int room = g->w + g->pad_left + g->pad_right - (g->dilation_w * (g->s - 1) + 1);
	return room < 0 ? 0 : room / g->stride_w + 1;
}

size_t mch_conv_terms(const struct mch_conv *g)
{
	return (size_t)(g->c / g->groups) * (size_t)g->r * (size_t)g->s;
}

ptrdiff_t mch_conv_x_index(const struct mch_conv *g, int n, int k, int p, int q, size_t t)
{
	const int s = (int)(t % (size_t)g->s);
	const int r = (int)(t / (size_t)g->s % (size_t)g->r);
	const int c = (int)(t / (size_t)g->s / (size_t)g->r) + k / (g->k / g->groups) * (g->c / g->groups);
	return mch_conv_x_at(g, n, c, r, s, p, q);
}

void mch_conv(const struct mch_conv *g, struct mch_acc cfg, const int32_t *x, const int32_t *w, int64_t *acc,
	      struct mch_events *events)
{
	const int n_p = mch_conv_p(g), n_q = mch_conv_q(g);
	const size_t n_terms = mch_conv_terms(g);
	uint64_t n_over = 0;
	for (int n = 0; n < g->n; n++)
		for (int k = 0; k < g->k; k++)
			for (int p = 0; p < n_p; p++)
				for (int q = 0; q < n_q; q++) {
					int64_t sum = 0;
					for (size_t t = 0; t < n_terms; t++) {
						const ptrdiff_t i = mch_conv_x_index(g, n, k, p, q, t);
						bool over;
						sum = mch_mac(cfg, sum, i < 0 ? 0 : x[i], w[(size_t)k * n_terms + t],
							      &over);
						n_over += over;
					}
					*acc++ = sum;
				}
	if (events)
		events->n_acc_over += n_over;
}
