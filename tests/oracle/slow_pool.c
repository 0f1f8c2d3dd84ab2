/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Oracle of pool; see slow_pool.h. */
#include "oracle/slow_pool.h"

#include "oracle/slow_fxp.h"

int slow_pool_size(int size, int pad_begin, int pad_end, int kernel, int stride, int dilation, bool ceil_mode)
{
	const int room = pad_begin + size + pad_end - (kernel - 1) * dilation - 1;
	int n = 0;
	if (!ceil_mode) /* window n fits */
		while (n * stride <= room)
			n++;
	else /* window n - 1 would leave something over, and window n starts inside */
		while ((n - 1) * stride < room && n * stride < size + pad_begin)
			n++;
	return n;
}

/* What one window sees. */
struct seen {
	slow_int sum, largest;
	int n_input, n_padded; /* positions of the input; and those with the padding that is really there */
};

static struct seen look(const struct mch_pool *g, const int32_t *plane, int p, int q)
{
	struct seen seen = {0, -((slow_int)1 << 40), 0, 0};
	for (int r = 0; r < g->r; r++)
		for (int s = 0; s < g->s; s++) {
			const int row = p * g->stride_h - g->pad_top + r * g->dilation_h;
			const int col = q * g->stride_w - g->pad_left + s * g->dilation_w;
			seen.n_padded += row < g->h + g->pad_bottom && col < g->w + g->pad_right;
			if (row < 0 || row >= g->h || col < 0 || col >= g->w)
				continue;
			const int32_t v = plane[row * g->w + col];
			seen.n_input++;
			seen.sum += v;
			if (v > seen.largest)
				seen.largest = v;
		}
	return seen;
}

static int size_p(const struct mch_pool *g)
{
	return slow_pool_size(g->h, g->pad_top, g->pad_bottom, g->r, g->stride_h, g->dilation_h,
			      g->ceil_mode);
}

static int size_q(const struct mch_pool *g)
{
	return slow_pool_size(g->w, g->pad_left, g->pad_right, g->s, g->stride_w, g->dilation_w,
			      g->ceil_mode);
}

void slow_pool_max(const struct mch_pool *g, const int32_t *x, int32_t *y)
{
	for (int plane = 0; plane < g->n * g->c; plane++)
		for (int p = 0; p < size_p(g); p++)
			for (int q = 0; q < size_q(g); q++)
				*y++ = (int32_t)look(g, x + plane * g->h * g->w, p, q).largest;
}

void slow_pool_avg(const struct mch_pool *g, const struct mch_pool_avg *cfg, const int32_t *x, int32_t *y,
		   uint64_t n_sat[2], uint64_t *n_inexact)
{
	for (int plane = 0; plane < g->n * g->c; plane++)
		for (int p = 0; p < size_p(g); p++)
			for (int q = 0; q < size_q(g); q++) {
				const struct seen seen = look(g, x + plane * g->h * g->w, p, q);
				const slow_int count = g->count_include_pad ? seen.n_padded : seen.n_input;
				const slow_int recip = (131072 + count) / (2 * count);
				const slow_int mean =
					slow_round_shift(seen.sum * recip, 16 + cfg->shift, (int)cfg->round, 0);
				bool saturated;
				*y++ = (int32_t)slow_sat(mean, cfg->out_bits, cfg->out_signed, &saturated);
				if (saturated)
					n_sat[mean > 0]++;
				*n_inexact += slow_round_shift(mean, -16 - cfg->shift, 0, 0) != seen.sum * recip;
			}
}
