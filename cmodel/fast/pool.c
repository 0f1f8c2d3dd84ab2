/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Pooling of stored codes, channels innermost; see pool.h. */
#include "fast/pool.h"

#include <string.h>

#include "fast/clones.h"
#include "fxp/sat.h"

MCH_CLONES
static void max_u8(size_t n, const uint8_t *x, uint8_t *y)
{
	for (size_t i = 0; i < n; i++)
		y[i] = x[i] > y[i] ? x[i] : y[i];
}

MCH_CLONES
static void max_u16(size_t n, const uint16_t *x, uint16_t *y)
{
	for (size_t i = 0; i < n; i++)
		y[i] = x[i] > y[i] ? x[i] : y[i];
}

void mch_fast_pool_max(const struct mch_pool *g, struct mch_codes codes, const void *x, void *y)
{
	const int n_p = mch_pool_p(g), n_q = mch_pool_q(g);
	const size_t c = (size_t)g->c, pixel = c * (size_t)codes.bytes;
	const uint8_t *image = x;
	uint8_t *out = y;
	for (int n = 0; n < g->n; n++, image += (size_t)g->h * (size_t)g->w * pixel)
		for (int p = 0; p < n_p; p++)
			for (int q = 0; q < n_q; q++, out += pixel) {
				const struct mch_window rows = mch_pool_rows(g, p), cols = mch_pool_cols(g, q);
				memset(out, 0, pixel); /* the lowest stored code */
				for (int i = rows.begin; i < rows.end; i += rows.step)
					for (int j = cols.begin; j < cols.end; j += cols.step) {
						const void *from = image + (size_t)(i * g->w + j) * pixel;
						if (codes.bytes == 1)
							max_u8(c, from, out);
						else
							max_u16(c, from, (void *)out);
					}
			}
}

/* At most 2^15 positions of 16 bits: below 2^31. */
MCH_CLONES
static void add(struct mch_codes codes, size_t n, const void *x, int32_t *sums)
{
	const uint8_t *narrow = x;
	const uint16_t *wide = x;
	const int32_t zero = codes.zero;
	if (codes.bytes == 1)
		for (size_t i = 0; i < n; i++)
			sums[i] += narrow[i] - zero;
	else
		for (size_t i = 0; i < n; i++)
			sums[i] += wide[i] - zero;
}

MCH_CLONES
static void mean(const struct mch_pool_avg *cfg, int64_t recip, size_t n, const int32_t *sums, struct mch_codes codes,
		 void *y)
{
	for (size_t i = 0; i < n; i++) {
		bool saturated;
		const int64_t rounded = mch_round_shift(sums[i] * recip, 16 + cfg->shift, cfg->round, 0);
		const int64_t code = mch_sat(rounded, cfg->out_bits, cfg->out_signed, &saturated) + codes.zero;
		if (codes.bytes == 1)
			((uint8_t *)y)[i] = (uint8_t)code;
		else
			((uint16_t *)y)[i] = (uint16_t)code;
	}
}

void mch_fast_pool_avg(const struct mch_pool *g, const struct mch_pool_avg *cfg, const struct mch_codes *x_codes,
		       const void *x, const struct mch_codes *y_codes, void *y, int32_t *sums)
{
	const int n_p = mch_pool_p(g), n_q = mch_pool_q(g);
	const size_t c = (size_t)g->c, pixel = c * (size_t)x_codes->bytes;
	const uint8_t *image = x;
	uint8_t *out = y;
	for (int n = 0; n < g->n; n++, image += (size_t)g->h * (size_t)g->w * pixel)
		for (int p = 0; p < n_p; p++)
			for (int q = 0; q < n_q; q++, out += c * (size_t)y_codes->bytes) {
				const struct mch_window rows = mch_pool_rows(g, p), cols = mch_pool_cols(g, q);
				memset(sums, 0, c * sizeof(*sums));
				for (int i = rows.begin; i < rows.end; i += rows.step)
					for (int j = cols.begin; j < cols.end; j += cols.step)
						add(*x_codes, c, image + (size_t)(i * g->w + j) * pixel, sums);
				mean(cfg, mch_pool_recip((int64_t)rows.extent * cols.extent), c, sums, *y_codes, out);
			}
}
