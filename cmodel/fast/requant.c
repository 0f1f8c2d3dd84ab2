/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Requantization with channels innermost; see requant.h. All arithmetic is requant_lane.h's, or mch_requant_value:
 * the clones and constants here only let the compiler turn it into vectors. */
#include "fast/requant.h"

#include <stdlib.h>
#include <string.h>

#include "fast/clones.h"

enum { BLOCK = MCH_CODES_BLOCK };

static int no_memory(struct mch_err *err)
{
	return mch_err_set(err, "requantizer", "out of memory; use smaller batches or a machine with more memory");
}

static int fill_noise(struct mch_fast_requant *r, struct mch_err *err)
{
	const size_t pixels = (size_t)r->pool.h * (size_t)r->pool.w, k_padded = (size_t)r->k_padded;
	r->noise = calloc(pixels * k_padded, sizeof(*r->noise));
	if (!r->noise)
		return no_memory(err);
	for (int k = 0; k < r->k; k++) {
		uint16_t noise = mch_lfsr_seed(r->cfg.seed, k);
		for (size_t i = 0; i < pixels; i++, noise = mch_lfsr_next(noise))
			r->noise[i * k_padded + (size_t)k] = noise;
	}
	return 0;
}

int mch_fast_requant_init(struct mch_fast_requant *r, const struct mch_requant *cfg, const int64_t *bias,
			  struct mch_codes codes, const struct mch_pool *pool, int64_t largest, struct mch_err *err)
{
	memset(r, 0, sizeof(*r));
	r->cfg = *cfg;
	r->codes = codes;
	r->pool = *pool;
	r->k = pool->c;
	r->k_padded = (pool->c + BLOCK - 1) / BLOCK * BLOCK;
	const size_t k_padded = (size_t)r->k_padded;
	r->bias = calloc(k_padded, sizeof(*r->bias));
	r->shift = calloc(k_padded, sizeof(*r->shift));
	r->sums = calloc((size_t)mch_pool_q(pool) * k_padded, sizeof(*r->sums));
	r->cols = calloc((size_t)mch_pool_q(pool), sizeof(*r->cols));
	if (!r->bias || !r->shift || !r->sums || !r->cols)
		return no_memory(err);
	for (int q = 0; q < mch_pool_q(pool); q++)
		r->cols[q] = mch_pool_cols(pool, q);
	memcpy(r->bias, bias, (size_t)r->k * sizeof(*bias));
	memcpy(r->shift, cfg->shift, (size_t)r->k * sizeof(*cfg->shift));
	if (mch_requant_lanes_init(&r->lanes, cfg, r->k, bias, codes, largest, err) != 0)
		return -1;
	return cfg->round == MCH_ROUND_STOCHASTIC ? fill_noise(r, err) : 0;
}

void mch_fast_requant_free(struct mch_fast_requant *r)
{
	free(r->bias);
	free(r->shift);
	free(r->noise);
	free(r->cols);
	free(r->sums);
	mch_requant_lanes_free(&r->lanes);
	memset(r, 0, sizeof(*r));
}

/* One accumulator from its parts, by Horner's rule. 2^16 * 2^16 a term and less than 2^31 terms: 63 bits. n_x and
 * n_w are constants in every copy. */
MCH_INLINE int64_t join(const int32_t *const part[][MCH_W_PLANES_MAX], int n_x, int n_w, size_t at)
{
	int64_t sum = 0;
#pragma GCC unroll 4
	for (int degree = n_x + n_w - 2; degree >= 0; degree--) {
		sum *= 256;
#pragma GCC unroll 2
		for (int i = 0; i < n_x; i++)
			if (degree - i >= 0 && degree - i < n_w)
				sum += part[i][degree - i][at];
	}
	return sum;
}

/* Largest accumulator of each window of one output row: sums[q][k_padded]. */
MCH_INLINE void gather_row(const struct mch_fast_requant *r, const struct mch_part_sums *acc, int n_x, int n_w,
			   size_t image, int p)
{
	const struct mch_window rows = mch_pool_rows(&r->pool, p);
	const int n_q = mch_pool_q(&r->pool);
	for (int q = 0; q < n_q; q++)
		for (int k = 0; k < r->k_padded; k += BLOCK) {
			int64_t best[BLOCK];
			for (int b = 0; b < BLOCK; b++)
				best[b] = INT64_MIN;
			for (int i = rows.begin; i < rows.end; i += rows.step)
				for (int j = r->cols[q].begin; j < r->cols[q].end; j += r->cols[q].step) {
					const size_t pixel = image + (size_t)(i * r->pool.w + j);
					const size_t at = pixel * acc->stride + (size_t)k;
					for (size_t b = 0; b < BLOCK; b++) {
						const int64_t sum = join(acc->part, n_x, n_w, at + b);
						best[b] = sum > best[b] ? sum : best[b];
					}
				}
			memcpy(r->sums + (size_t)q * (size_t)r->k_padded + k, best, sizeof(best));
		}
}

/* The same of single parts: the maximum in 32 bits. */
MCH_INLINE void gather_row_of_one(const struct mch_fast_requant *r, const struct mch_part_sums *acc, size_t image,
				  int p)
{
	const struct mch_window rows = mch_pool_rows(&r->pool, p);
	const int n_q = mch_pool_q(&r->pool);
	for (int q = 0; q < n_q; q++)
		for (int k = 0; k < r->k_padded; k += BLOCK) {
			int32_t best[BLOCK];
			for (int b = 0; b < BLOCK; b++)
				best[b] = INT32_MIN;
			for (int i = rows.begin; i < rows.end; i += rows.step)
				for (int j = r->cols[q].begin; j < r->cols[q].end; j += r->cols[q].step) {
					const size_t pixel = image + (size_t)(i * r->pool.w + j);
					const int32_t *from = acc->part[0][0] + pixel * acc->stride + k;
					for (int b = 0; b < BLOCK; b++)
						best[b] = from[b] > best[b] ? from[b] : best[b];
				}
			int64_t *sums = r->sums + (size_t)q * (size_t)r->k_padded + k;
			for (int b = 0; b < BLOCK; b++)
				sums[b] = best[b];
		}
}

MCH_CLONES
static void gather(const struct mch_fast_requant *r, const struct mch_part_sums *acc, size_t image, int p)
{
	switch (acc->n_x * 4 + acc->n_w) {
	case 4 + 1:
		gather_row_of_one(r, acc, image, p);
		break;
	case 4 + 2:
		gather_row(r, acc, 1, 2, image, p);
		break;
	case 4 + 3:
		gather_row(r, acc, 1, 3, image, p);
		break;
	case 8 + 1:
		gather_row(r, acc, 2, 1, image, p);
		break;
	case 8 + 2:
		gather_row(r, acc, 2, 2, image, p);
		break;
	case 8 + 3:
		gather_row(r, acc, 2, 3, image, p);
		break;
	}
}

/* A block of codes to where channel `to` of the row y begins. Whole blocks are written: what spills over the last
 * channel is overwritten by the next pixel, or falls into the slack behind the last. */
MCH_INLINE void store(int bytes, const int32_t code[BLOCK], size_t to, void *y)
{
	if (bytes == 1)
		for (size_t b = 0; b < BLOCK; b++)
			((uint8_t *)y)[to + b] = (uint8_t)code[b];
	else
		for (size_t b = 0; b < BLOCK; b++)
			((uint16_t *)y)[to + b] = (uint16_t)code[b];
}

/* Largest sums of a window, for a block of channels of single parts. */
MCH_INLINE void largest_of_one(const struct mch_fast_requant *r, const struct mch_part_sums *acc, size_t image,
			       const struct mch_window *rows, const struct mch_window *cols, int k,
			       int32_t best[BLOCK])
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

/* One output row in 32 bits. is_away, bytes and whether there is a pool are constants in every copy. */
MCH_INLINE void narrow_row_as(const struct mch_fast_requant *r, const struct mch_part_sums *acc, size_t image, int p,
			      bool is_away, int bytes, bool is_pooled, void *y)
{
	const struct mch_window rows = mch_pool_rows(&r->pool, p);
	const struct mch_requant_lanes lanes = r->lanes;
	const int n_q = mch_pool_q(&r->pool), n_k = r->k_padded;
	for (int q = 0; q < n_q; q++)
		for (int k = 0; k < n_k; k += BLOCK) {
			const int32_t *sums =
				acc->part[0][0] + (image + (size_t)(p * r->pool.w + q)) * acc->stride + k;
			int32_t best[BLOCK], code[BLOCK];
			if (is_pooled)
				largest_of_one(r, acc, image, &rows, &r->cols[q], k, best);
			for (int b = 0; b < BLOCK; b++)
				code[b] = mch_lane_narrow(&lanes, is_away, (size_t)(k + b),
							  is_pooled ? best[b] : sums[b]);
			store(bytes, code, (size_t)q * (size_t)r->k + (size_t)k, y);
		}
}

MCH_INLINE void narrow_row_of_bytes(const struct mch_fast_requant *r, const struct mch_part_sums *acc, size_t image,
				    int p, bool is_away, void *y)
{
	const bool is_pooled = r->pool.r * r->pool.s > 1 || r->pool.stride_h * r->pool.stride_w > 1;
	if (is_pooled && r->codes.bytes == 1)
		narrow_row_as(r, acc, image, p, is_away, 1, true, y);
	else if (is_pooled)
		narrow_row_as(r, acc, image, p, is_away, 2, true, y);
	else if (r->codes.bytes == 1)
		narrow_row_as(r, acc, image, p, is_away, 1, false, y);
	else
		narrow_row_as(r, acc, image, p, is_away, 2, false, y);
}

MCH_CLONES
static void narrow_row(const struct mch_fast_requant *r, const struct mch_part_sums *acc, size_t image, int p,
		       void *y)
{
	if (r->lanes.is_away)
		narrow_row_of_bytes(r, acc, image, p, true, y);
	else
		narrow_row_of_bytes(r, acc, image, p, false, y);
}

/* One output row of r->sums in 64 bits. */
MCH_INLINE void wide_row_as(const struct mch_fast_requant *r, bool is_away, int bytes, void *y)
{
	const struct mch_requant_lanes lanes = r->lanes;
	const int n_q = mch_pool_q(&r->pool), n_k = r->k_padded;
	for (int q = 0; q < n_q; q++)
		for (int k = 0; k < n_k; k += BLOCK) {
			const int64_t *sums = r->sums + (size_t)q * (size_t)n_k + (size_t)k;
			int32_t code[BLOCK];
			for (int b = 0; b < BLOCK; b++)
				code[b] = (int32_t)mch_lane_wide(&lanes, is_away, (size_t)(k + b), sums[b]);
			store(bytes, code, (size_t)q * (size_t)r->k + (size_t)k, y);
		}
}

MCH_CLONES
static void wide_row(const struct mch_fast_requant *r, void *y)
{
	if (r->lanes.is_away && r->codes.bytes == 1)
		wide_row_as(r, true, 1, y);
	else if (r->lanes.is_away)
		wide_row_as(r, true, 2, y);
	else if (r->codes.bytes == 1)
		wide_row_as(r, false, 1, y);
	else
		wide_row_as(r, false, 2, y);
}

/* The same of noise and left shifts, one by one. */
static void plain_row(const struct mch_fast_requant *r, const uint16_t *noise, void *y)
{
	const int n_q = mch_pool_q(&r->pool);
	for (int q = 0; q < n_q; q++)
		for (int k = 0; k < r->k_padded; k += BLOCK) {
			const size_t from = (size_t)q * (size_t)r->k_padded + (size_t)k;
			int32_t code[BLOCK];
			for (int b = 0; b < BLOCK; b++) {
				bool saturated;
				code[b] = r->codes.zero +
					  mch_requant_value(&r->cfg, r->sums[from + (size_t)b], r->bias[k + b],
							    r->shift[k + b], noise ? noise[from + (size_t)b] : 0,
							    &saturated);
			}
			store(r->codes.bytes, code, (size_t)q * (size_t)r->k + (size_t)k, y);
		}
}

static void run_row(struct mch_fast_requant *r, const struct mch_part_sums *acc, size_t image, int p, void *y)
{
	const size_t row = (size_t)mch_pool_q(&r->pool) * (size_t)r->k_padded;
	if (r->lanes.narrow) {
		narrow_row(r, acc, image, p, y);
		return;
	}
	gather(r, acc, image, p);
	if (r->lanes.wide)
		wide_row(r, y);
	else
		plain_row(r, r->noise ? r->noise + (size_t)p * row : NULL, y);
}

void mch_fast_requant_run(struct mch_fast_requant *r, int n, const struct mch_part_sums *acc, void *y)
{
	const int n_p = mch_pool_p(&r->pool);
	const size_t in_pixels = (size_t)r->pool.h * (size_t)r->pool.w;
	const size_t row_bytes = (size_t)mch_pool_q(&r->pool) * (size_t)r->k * (size_t)r->codes.bytes;
	uint8_t *out = y;
	for (int image = 0; image < n; image++)
		for (int p = 0; p < n_p; p++, out += row_bytes)
			run_row(r, acc, (size_t)image * in_pixels, p, out);
}
