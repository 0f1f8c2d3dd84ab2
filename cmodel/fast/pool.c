/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Pooling of stored codes, channels innermost; see pool.h. */
#include "fast/pool.h"

#include <string.h>

#include "fast/clones.h"
#include "fxp/sat.h"

/* The positions of window q along a row; most windows reach over no edge. */
static inline struct mch_window window_cols(const struct mch_pool *g, int q)
{
	const int begin = q * g->stride_w - g->pad_left, end = begin + (g->s - 1) * g->dilation_w + 1;
	if (begin >= 0 && end <= g->w)
		return (struct mch_window){begin, end, g->dilation_w, g->s};
	return mch_pool_cols(g, q);
}

/* n <= BLOCK_BYTES bytes of one window. With a constant n the largest stay in a register. */
enum { BLOCK_BYTES = 64 };

#define MAX_OF(TYPE, NAME)										\
	MCH_INLINE void NAME(const struct mch_window *rows, const struct mch_window *cols, size_t row_bytes,\
			     size_t pixel_bytes, size_t n_bytes, const uint8_t *image, uint8_t *y)	\
	{												\
		const size_t n = n_bytes / sizeof(TYPE);						\
		TYPE best[BLOCK_BYTES / sizeof(TYPE)] = {0}; /* the lowest stored code */		\
		for (int i = rows->begin; i < rows->end; i += rows->step)				\
			for (int j = cols->begin; j < cols->end; j += cols->step) {			\
				const size_t at = (size_t)i * row_bytes + (size_t)j * pixel_bytes;	\
				const TYPE *x = (const void *)(image + at);				\
				for (size_t b = 0; b < n; b++)						\
					best[b] = x[b] > best[b] ? x[b] : best[b];			\
			}										\
		memcpy(y, best, n_bytes);								\
	}
MAX_OF(uint8_t, max_u8)
MAX_OF(uint16_t, max_u16)

/* One row of windows. */
MCH_CLONES
static void max_row(const struct mch_pool *g, int bytes, const struct mch_window *rows, const uint8_t *image,
		    uint8_t *y)
{
	const size_t pixel = (size_t)g->c * (size_t)bytes, row = (size_t)g->w * pixel;
	const int n_q = mch_pool_q(g);
	for (int q = 0; q < n_q; q++, y += pixel) {
		const struct mch_window cols = window_cols(g, q);
		size_t k = 0;
		if (bytes == 1)
			for (; k + BLOCK_BYTES <= pixel; k += BLOCK_BYTES)
				max_u8(rows, &cols, row, pixel, BLOCK_BYTES, image + k, y + k);
		else
			for (; k + BLOCK_BYTES <= pixel; k += BLOCK_BYTES)
				max_u16(rows, &cols, row, pixel, BLOCK_BYTES, image + k, y + k);
		if (k < pixel && bytes == 1)
			max_u8(rows, &cols, row, pixel, pixel - k, image + k, y + k);
		else if (k < pixel)
			max_u16(rows, &cols, row, pixel, pixel - k, image + k, y + k);
	}
}

void mch_fast_pool_max(const struct mch_pool *g, struct mch_codes codes, const void *x, void *y)
{
	const int n_p = mch_pool_p(g), n_q = mch_pool_q(g);
	const size_t pixel = (size_t)g->c * (size_t)codes.bytes;
	const uint8_t *image = x;
	uint8_t *out = y;
	for (int n = 0; n < g->n; n++, image += (size_t)g->h * (size_t)g->w * pixel)
		for (int p = 0; p < n_p; p++, out += (size_t)n_q * pixel) {
			const struct mch_window rows = mch_pool_rows(g, p);
			max_row(g, codes.bytes, &rows, image, out);
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
