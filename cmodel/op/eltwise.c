/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Elementwise operators on raw integers, plain: the reference. See eltwise.h. */
#include "op/eltwise.h"

#include <stddef.h>

void mch_eltwise_range(const struct mch_eltwise *cfg, const struct mch_format *x, int64_t *low, int64_t *high)
{
	for (int i = 0; i < cfg->n_in; i++) {
		const int64_t a = mch_eltwise_term(&cfg->in[i], mch_format_min(x[i]));
		const int64_t b = mch_eltwise_term(&cfg->in[i], mch_format_max(x[i]));
		const int64_t least = a < b ? a : b, most = a < b ? b : a;
		if (i == 0) {
			*low = least, *high = most;
			continue;
		}
		if (cfg->kind != MCH_ELTWISE_PROD) {
			*low = mch_eltwise_join(cfg->kind, *low, least);
			*high = mch_eltwise_join(cfg->kind, *high, most);
			continue;
		}
		/* The ends of a product are products of ends. */
		const int64_t end[4] = {*low * least, *low * most, *high * least, *high * most};
		*low = *high = end[0];
		for (int j = 1; j < 4; j++) {
			*low = end[j] < *low ? end[j] : *low;
			*high = end[j] > *high ? end[j] : *high;
		}
	}
}

size_t mch_eltwise_place(struct mch_shape s, int n, const int at[3])
{
	const int c = s.c == 1 ? 0 : at[0], h = s.h == 1 ? 0 : at[1], w = s.w == 1 ? 0 : at[2];
	return (((size_t)n * (size_t)s.c + (size_t)c) * (size_t)s.h + (size_t)h) * (size_t)s.w + (size_t)w;
}

static int64_t value(const struct mch_eltwise *cfg, const int32_t *const *x, int n, const int at[3])
{
	int64_t v = 0;
	for (int i = 0; i < cfg->n_in; i++) {
		const struct mch_eltwise_in *in = &cfg->in[i];
		const int64_t term = mch_eltwise_term(in, x[i][mch_eltwise_place(in->shape, n, at)]);
		v = i == 0 ? term : mch_eltwise_join(cfg->kind, v, term);
	}
	return v;
}

void mch_eltwise(const struct mch_eltwise *cfg, int n, const int32_t *const *x, int64_t *acc)
{
	const struct mch_shape out = cfg->out;
	for (int image = 0; image < n; image++)
		for (int c = 0; c < out.c; c++)
			for (int h = 0; h < out.h; h++)
				for (int w = 0; w < out.w; w++) {
					const int at[3] = {c, h, w};
					*acc++ = value(cfg, x, image, at);
				}
}
