/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Pooling on raw integers, plain: the reference. See pool.h. */
#include "op/pool.h"

#include <stdbool.h>

#include "fxp/sat.h"

/* Number of windows along one axis. With ceil_mode the last window may stand out over the end, even where it is the only one
 * and larger than all there is, but must still start inside input + begin pad. */
static int n_windows(int size, int reach, int stride, int pad_begin, int pad_end, bool ceil_mode)
{
	const int room = size + pad_begin + pad_end - reach + (ceil_mode ? stride - 1 : 0);
	if (room < 0)
		return 0;
	const int n = room / stride + 1;
	return ceil_mode && (n - 1) * stride >= size + pad_begin ? n - 1 : n;
}

/* Rows from a window's first position to its last, both counted. */
static int reach(int kernel, int dilation)
{
	return (kernel - 1) * dilation + 1;
}

int mch_pool_p(const struct mch_pool *g)
{
	return n_windows(g->h, reach(g->r, g->dilation_h), g->stride_h, g->pad_top, g->pad_bottom, g->ceil_mode);
}

int mch_pool_q(const struct mch_pool *g)
{
	return n_windows(g->w, reach(g->s, g->dilation_w), g->stride_w, g->pad_left, g->pad_right, g->ceil_mode);
}

/* Positions start + i * step, 0 <= i < kernel, that lie before `limit`. */
static int n_before(int start, int step, int kernel, int limit)
{
	const int n = limit > start ? (limit - start - 1) / step + 1 : 0;
	return n < kernel ? n : kernel;
}

static struct mch_window window(int start, int kernel, int step, int size, int pad_end, bool include_pad)
{
	const int n_outside = n_before(start, step, kernel, 0), n_inside = n_before(start, step, kernel, size) - n_outside;
	const int begin = start + n_outside * step;
	return (struct mch_window){begin, n_inside > 0 ? begin + (n_inside - 1) * step + 1 : begin, step,
				   include_pad ? n_before(start, step, kernel, size + pad_end) : n_inside};
}

struct mch_window mch_pool_rows(const struct mch_pool *g, int p)
{
	return window(p * g->stride_h - g->pad_top, g->r, g->dilation_h, g->h, g->pad_bottom, g->count_include_pad);
}

struct mch_window mch_pool_cols(const struct mch_pool *g, int q)
{
	return window(q * g->stride_w - g->pad_left, g->s, g->dilation_w, g->w, g->pad_right, g->count_include_pad);
}

void mch_pool_max(const struct mch_pool *g, const int32_t *x, int32_t *y)
{
	const int n_p = mch_pool_p(g), n_q = mch_pool_q(g);
	for (int plane = 0; plane < g->n * g->c; plane++, x += g->h * g->w)
		for (int p = 0; p < n_p; p++)
			for (int q = 0; q < n_q; q++) {
				const struct mch_window rows = mch_pool_rows(g, p), cols = mch_pool_cols(g, q);
				int32_t best = INT32_MIN;
				for (int i = rows.begin; i < rows.end; i += rows.step)
					for (int j = cols.begin; j < cols.end; j += cols.step)
						best = x[i * g->w + j] > best ? x[i * g->w + j] : best;
				*y++ = best;
			}
}

/* One mean, and what it lost. |sum| < 2^31, recip <= 2^16, and recip * count < 2^17: the product stays below 2^34. */
static int32_t mean(const struct mch_pool_avg *cfg, int64_t sum, int64_t count, struct mch_events *events)
{
	const int64_t product = sum * mch_pool_recip(count);
	const int shift = 16 + cfg->shift;
	bool saturated;
	const int64_t y = mch_sat(mch_round_shift(product, shift, cfg->round, 0), cfg->out_bits, cfg->out_signed,
				  &saturated);
	if (events) {
		events->n_out++;
		events->n_inexact += ((uint64_t)product & ((UINT64_C(1) << shift) - 1)) != 0;
		events->n_sat_low += saturated && sum < 0;
		events->n_sat_high += saturated && sum >= 0;
	}
	return (int32_t)y;
}

void mch_pool_avg(const struct mch_pool *g, const struct mch_pool_avg *cfg, const int32_t *x, int32_t *y,
		  struct mch_events *events)
{
	const int n_p = mch_pool_p(g), n_q = mch_pool_q(g);
	for (int plane = 0; plane < g->n * g->c; plane++, x += g->h * g->w)
		for (int p = 0; p < n_p; p++)
			for (int q = 0; q < n_q; q++) {
				const struct mch_window rows = mch_pool_rows(g, p), cols = mch_pool_cols(g, q);
				int64_t sum = 0;
				for (int i = rows.begin; i < rows.end; i += rows.step)
					for (int j = cols.begin; j < cols.end; j += cols.step)
						sum += x[i * g->w + j];
				*y++ = mean(cfg, sum, (int64_t)rows.extent * cols.extent, events);
			}
}
