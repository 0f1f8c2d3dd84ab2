/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Requantization with channels innermost; see requant.h. All arithmetic is mch_requant_value: the clones and
 * constants here only let the compiler turn it into vectors. */
#include "fast/requant.h"

#include <stdlib.h>
#include <string.h>

#include "fast/clones.h"
#include "fast/requant_narrow.h"

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
			  struct mch_codes codes, const struct mch_pool *pool, struct mch_err *err)
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
	r->uniform_shift = cfg->shift[0] > 0 ? cfg->shift[0] : 0;
	for (int k = 0; k < r->k; k++) {
		r->bias[k] = bias[k];
		r->shift[k] = cfg->shift[k];
		if (cfg->shift[k] != r->uniform_shift)
			r->uniform_shift = 0;
	}
	return cfg->round == MCH_ROUND_STOCHASTIC ? fill_noise(r, err) : 0;
}

void mch_fast_requant_free(struct mch_fast_requant *r)
{
	free(r->bias);
	free(r->shift);
	free(r->noise);
	free(r->cols);
	free(r->sums);
	free(r->narrow_bias);
	memset(r, 0, sizeof(*r));
}

int mch_fast_requant_narrow(struct mch_fast_requant *r, int64_t largest, struct mch_err *err)
{
	const struct mch_format out = {.bits = r->cfg.out_bits, .is_signed = r->cfg.out_signed};
	int64_t largest_bias = 0;
	for (int k = 0; k < r->k; k++) {
		const int64_t size = r->bias[k] < 0 ? -r->bias[k] : r->bias[k];
		largest_bias = size > largest_bias ? size : largest_bias;
	}
	if (r->cfg.round == MCH_ROUND_STOCHASTIC || r->uniform_shift < 1 || r->uniform_shift > MCH_NARROW_SHIFT_MAX ||
	    largest >= INT64_C(1) << MCH_NARROW_BITS || largest_bias >= (INT64_C(1) << MCH_NARROW_BITS) - largest)
		return 0;
	r->narrow_bias = calloc((size_t)r->k_padded, sizeof(*r->narrow_bias));
	if (!r->narrow_bias)
		return no_memory(err);
	for (int k = 0; k < r->k; k++)
		r->narrow_bias[k] = (int32_t)r->bias[k];
	/* No rule rounds a negative sum above 0, so a ReLU is a clamp of codes, too. */
	r->low = (int32_t)mch_requant_clip(&r->cfg, r->cfg.relu ? 0 : mch_format_min(out));
	r->high = (int32_t)mch_requant_clip(&r->cfg, mch_format_max(out));
	return 0;
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

/* One output row; round, bytes and whether the shift is uniform are constants in every copy. Whole blocks are
 * written: what spills over the last channel is overwritten by the next pixel, or falls into the slack behind the
 * last. */
MCH_INLINE void round_row(const struct mch_fast_requant *r, enum mch_round round, int bytes, bool is_uniform,
			  const uint16_t *noise, void *y)
{
	const struct mch_requant cfg = {.out_bits = r->cfg.out_bits,
					.out_signed = r->cfg.out_signed,
					.relu = r->cfg.relu,
					.round = round,
					.is_clipped = r->cfg.is_clipped,
					.clip_low = r->cfg.clip_low,
					.clip_high = r->cfg.clip_high};
	const int n_q = mch_pool_q(&r->pool), shift_of_all = r->uniform_shift;
	const int32_t zero = r->codes.zero;
	if (is_uniform && shift_of_all <= 0)
		__builtin_unreachable(); /* mch_fast_requant_init makes it so */
	for (int q = 0; q < n_q; q++)
		for (int k = 0; k < r->k_padded; k += BLOCK) {
			const size_t from = (size_t)q * (size_t)r->k_padded + (size_t)k;
			const size_t to = (size_t)q * (size_t)r->k + (size_t)k;
			const int64_t *sums = r->sums + from, *bias = r->bias + k, *shift = r->shift + k;
			int32_t code[BLOCK];
			for (int b = 0; b < BLOCK; b++) {
				bool saturated;
				const int s = is_uniform ? shift_of_all : (int)shift[b];
				const uint32_t dither = round == MCH_ROUND_STOCHASTIC ? noise[from + (size_t)b] : 0;
				code[b] = zero + mch_requant_value(&cfg, sums[b], bias[b], s, dither, &saturated);
			}
			if (bytes == 1)
				for (int b = 0; b < BLOCK; b++)
					((uint8_t *)y)[to + (size_t)b] = (uint8_t)code[b];
			else
				for (int b = 0; b < BLOCK; b++)
					((uint16_t *)y)[to + (size_t)b] = (uint16_t)code[b];
		}
}

MCH_INLINE void round_rows(const struct mch_fast_requant *r, int bytes, bool is_uniform, const uint16_t *noise,
			   void *y)
{
	switch (r->cfg.round) {
	case MCH_ROUND_FLOOR:
		round_row(r, MCH_ROUND_FLOOR, bytes, is_uniform, noise, y);
		break;
	case MCH_ROUND_HALF_UP:
		round_row(r, MCH_ROUND_HALF_UP, bytes, is_uniform, noise, y);
		break;
	case MCH_ROUND_HALF_AWAY:
		round_row(r, MCH_ROUND_HALF_AWAY, bytes, is_uniform, noise, y);
		break;
	case MCH_ROUND_HALF_EVEN:
		round_row(r, MCH_ROUND_HALF_EVEN, bytes, is_uniform, noise, y);
		break;
	case MCH_ROUND_STOCHASTIC:
		round_row(r, MCH_ROUND_STOCHASTIC, bytes, is_uniform, noise, y);
		break;
	}
}

MCH_CLONES
static void round_sums(const struct mch_fast_requant *r, const uint16_t *noise, void *y)
{
	if (r->codes.bytes == 1 && r->uniform_shift > 0)
		round_rows(r, 1, true, noise, y);
	else if (r->codes.bytes == 1)
		round_rows(r, 1, false, noise, y);
	else if (r->uniform_shift > 0)
		round_rows(r, 2, true, noise, y);
	else
		round_rows(r, 2, false, noise, y);
}

void mch_fast_requant_run(struct mch_fast_requant *r, int n, const struct mch_part_sums *acc, void *y)
{
	const int n_p = mch_pool_p(&r->pool);
	const size_t n_q = (size_t)mch_pool_q(&r->pool), in_pixels = (size_t)r->pool.h * (size_t)r->pool.w;
	uint8_t *out = y;
	for (int image = 0; image < n; image++)
		for (int p = 0; p < n_p; p++) {
			if (r->narrow_bias) {
				mch_narrow_row(r, acc, (size_t)image * in_pixels, p, out);
				out += n_q * (size_t)r->k * (size_t)r->codes.bytes;
				continue;
			}
			gather(r, acc, (size_t)image * in_pixels, p);
			round_sums(r, r->noise ? r->noise + (size_t)p * n_q * (size_t)r->k_padded : NULL, out);
			out += n_q * (size_t)r->k * (size_t)r->codes.bytes;
		}
}
