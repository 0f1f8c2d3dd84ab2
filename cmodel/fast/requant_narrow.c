/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Requantization in 32 bits; see requant_narrow.h. */
#include "fast/requant_narrow.h"

enum { BLOCK = MCH_CODES_BLOCK };

/* Largest sums of a window, for a block of channels. */
MCH_INLINE void largest(const struct mch_fast_requant *r, const struct mch_part_sums *acc, size_t image,
			const struct mch_window *rows, const struct mch_window *cols, int k, int32_t best[BLOCK])
{
	for (int b = 0; b < BLOCK; b++)
		best[b] = INT32_MIN;
	for (int i = rows->begin; i < rows->end; i += rows->step)
		for (int j = cols->begin; j < cols->end; j += cols->step) {
			const int32_t *from =
				acc->part[0][0] + (image + (size_t)(i * r->pool.w + j)) * acc->stride + k;
			for (int b = 0; b < BLOCK; b++)
				best[b] = from[b] > best[b] ? from[b] : best[b];
		}
}

/* round, bytes and whether there is a pool are constants in every copy. Whole blocks are written: what spills over
 * the last channel is overwritten by the next pixel, or falls into the slack behind the last. */
MCH_INLINE void row_as(const struct mch_fast_requant *r, const struct mch_part_sums *acc, size_t image, int p,
		       enum mch_round round, int bytes, bool is_pooled, void *y)
{
	const struct mch_window rows = mch_pool_rows(&r->pool, p);
	const int n_q = mch_pool_q(&r->pool), shift = r->uniform_shift;
	const int32_t low = r->low, high = r->high, zero = r->codes.zero;
	if (shift < 1 || shift > MCH_NARROW_SHIFT_MAX)
		__builtin_unreachable(); /* mch_fast_requant_narrow makes it so */
	for (int q = 0; q < n_q; q++)
		for (int k = 0; k < r->k_padded; k += BLOCK) {
			const size_t to = (size_t)q * (size_t)r->k + (size_t)k;
			const int32_t *sums =
				acc->part[0][0] + (image + (size_t)(p * r->pool.w + q)) * acc->stride + k;
			const int32_t *bias = r->narrow_bias + k;
			int32_t best[BLOCK], code[BLOCK];
			if (is_pooled)
				largest(r, acc, image, &rows, &r->cols[q], k, best);
			for (int b = 0; b < BLOCK; b++)
				code[b] = zero + mch_narrow_value(round, (is_pooled ? best[b] : sums[b]) + bias[b],
								  shift, low, high);
			if (bytes == 1)
				for (int b = 0; b < BLOCK; b++)
					((uint8_t *)y)[to + (size_t)b] = (uint8_t)code[b];
			else
				for (int b = 0; b < BLOCK; b++)
					((uint16_t *)y)[to + (size_t)b] = (uint16_t)code[b];
		}
}

MCH_INLINE void row_of_bytes(const struct mch_fast_requant *r, const struct mch_part_sums *acc, size_t image, int p,
			     enum mch_round round, void *y)
{
	const bool is_pooled = r->pool.r * r->pool.s > 1 || r->pool.stride_h * r->pool.stride_w > 1;
	if (is_pooled && r->codes.bytes == 1)
		row_as(r, acc, image, p, round, 1, true, y);
	else if (is_pooled)
		row_as(r, acc, image, p, round, 2, true, y);
	else if (r->codes.bytes == 1)
		row_as(r, acc, image, p, round, 1, false, y);
	else
		row_as(r, acc, image, p, round, 2, false, y);
}

MCH_CLONES
void mch_narrow_row(const struct mch_fast_requant *r, const struct mch_part_sums *acc, size_t image, int p, void *y)
{
	switch (r->cfg.round) {
	case MCH_ROUND_FLOOR:
		row_of_bytes(r, acc, image, p, MCH_ROUND_FLOOR, y);
		break;
	case MCH_ROUND_HALF_UP:
		row_of_bytes(r, acc, image, p, MCH_ROUND_HALF_UP, y);
		break;
	case MCH_ROUND_HALF_AWAY:
		row_of_bytes(r, acc, image, p, MCH_ROUND_HALF_AWAY, y);
		break;
	default:
		row_of_bytes(r, acc, image, p, MCH_ROUND_HALF_EVEN, y);
		break;
	}
}
