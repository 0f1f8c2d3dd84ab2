/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Local response normalization on stored codes; see host_lrn.h. */
#include "net/host_lrn.h"

#include <string.h>

#include "fast/lanes.h"
#include "net/lrn.h"

bool mch_host_lrn_is_exact(const struct mch_step *step)
{
	const struct mch_lrn *lrn = &step->layer->lrn;
	const double terms = lrn->is_within ? (double)lrn->size * lrn->size : lrn->size;
	return step->in_format.number == MCH_FIXED && step->out_format.number == MCH_FIXED &&
	       ldexp(terms, 2 * step->in_format.bits) <= 0x1p53;
}

size_t mch_host_lrn_scratch_elems(const struct mch_step *step)
{
	return 2 * (size_t)step->in_shapes[0].c + (size_t)step->layer->lrn.size;
}

MCH_CLONES
static void square(struct mch_codes codes, size_t n, const void *x, int64_t *y)
{
	for (size_t i = 0; i < n; i++) {
		const int64_t v =
			(codes.bytes == 1 ? ((const uint8_t *)x)[i] : ((const uint16_t *)x)[i]) - codes.zero;
		y[i] = v * v;
	}
}

MCH_CLONES
static void add(size_t n, const int64_t *x, int64_t *y)
{
	for (size_t i = 0; i < n; i++)
		y[i] += x[i];
}

/* Sums of squares around the channels of pixel (h, w). scratch: sums[c], then squares[c + size]. */
static void sum_pixel(const struct mch_step *step, struct mch_codes codes, const uint8_t *image, int h, int w,
		      int64_t *scratch)
{
	const struct mch_shape s = step->in_shapes[0];
	const struct mch_lrn *lrn = &step->layer->lrn;
	const int before = (lrn->size - 1) / 2, behind = lrn->size / 2;
	const size_t c = (size_t)s.c, pixel = c * (size_t)codes.bytes;
	int64_t *sums = scratch, *squares = scratch + c;
	memset(sums, 0, c * sizeof(*sums));
	if (!lrn->is_within) {
		memset(squares, 0, (c + (size_t)lrn->size) * sizeof(*squares));
		square(codes, c, image + (size_t)(h * s.w + w) * pixel, squares + before);
		for (int i = 0; i < lrn->size; i++)
			add(c, squares + i, sums);
		return;
	}
	for (int i = h - before; i <= h + behind; i++)
		for (int j = w - before; j <= w + behind; j++)
			if (i >= 0 && i < s.h && j >= 0 && j < s.w) {
				square(codes, c, image + (size_t)(i * s.w + j) * pixel, squares);
				add(c, squares, sums);
			}
}

/* What is the same for all values of a step. */
struct scaling {
	struct mch_codes from, to;
	double lo, hi;             /* codes of y */
	double k, share, beta;
	double unit, place;        /* powers of two: products with them are exact */
	bool is_estimated;
};

/* An estimate in float is off by less than 24 * 2^-24 of itself: the sum's conversion, the base's product and sum (of
 * nothing negative), three quarters of that through the power, two square roots of which one goes through another,
 * two products, a quotient, the product with the code, and the exact value's own rounding to float. Codes of a byte
 * end at 2^8. */
static const float estimate_error = 0x1p-11f; /* 24 * 2^-24 * 2^8 is 0.75 * 2^-11 */

static bool is_moderate(double v)
{
	return v >= 0x1p-30 && v <= 0x1p20;
}

static struct scaling scaling_of(const struct mch_step *step)
{
	const struct mch_lrn *lrn = &step->layer->lrn;
	struct scaling s = {.from = mch_codes_of(step->in_format),
			    .to = mch_codes_of(step->out_format),
			    .lo = (double)mch_format_min(step->out_format),
			    .hi = (double)mch_format_max(step->out_format),
			    .k = mch_lrn_k(lrn),
			    .share = mch_lrn_share(lrn),
			    .beta = lrn->beta,
			    .unit = mch_format_real(step->in_format, 1),
			    .place = ldexp(1, step->out_format.frac)};
	/* Within these bounds float neither overflows nor loses bits at its other end, and nothing is 0 / 0. */
	s.is_estimated = s.beta == 0.75 && is_moderate(s.k) && (s.share == 0 || is_moderate(s.share)) &&
			 is_moderate(s.unit) && is_moderate(s.place) && s.from.bytes == 1 && s.to.bytes == 1;
	return s;
}

MCH_INLINE int32_t code_at(struct mch_codes codes, const void *x, size_t i)
{
	return (codes.bytes == 1 ? ((const uint8_t *)x)[i] : ((const uint16_t *)x)[i]) - codes.zero;
}

MCH_INLINE void store_at(struct mch_codes codes, void *y, size_t i, int64_t code)
{
	if (codes.bytes == 1)
		((uint8_t *)y)[i] = (uint8_t)(code + codes.zero);
	else
		((uint16_t *)y)[i] = (uint16_t)(code + codes.zero);
}

/* Values first .. end - 1 of a pixel, times the factors of their sums. beta is a constant in every copy. */
MCH_INLINE void scale_as(const struct scaling *s, double beta, size_t first, size_t end, const int64_t *sums,
			 const void *x, void *y)
{
	for (size_t i = first; i < end; i++) {
		const double factor = mch_lrn_factor(s->k, s->share, beta, (double)sums[i] * s->unit * s->unit);
		const float value = (float)((double)code_at(s->from, x, i) * s->unit * factor);
		store_at(s->to, y, i, mch_format_raw_even((double)value * s->place, s->lo, s->hi));
	}
}

/* BLOCK values from i on by estimates; false when one lies so near the middle between two codes that it does not tell
 * which. */
enum { BLOCK = 16 };
MCH_INLINE bool estimate(const struct scaling *s, const int64_t *sums, const uint8_t *x, uint8_t *y)
{
	const float k = (float)s->k, share = (float)(s->share * s->unit * s->unit);
	const float unit = (float)(s->unit * s->place), lo = (float)s->lo, hi = (float)s->hi;
	const int32_t zero = s->from.zero, to_zero = s->to.zero;
	float sum[BLOCK], code[BLOCK], away[BLOCK], most = 0;
	int32_t stored[BLOCK];
	for (int b = 0; b < BLOCK; b++)
		sum[b] = (float)sums[b];
	for (int b = 0; b < BLOCK; b++)
		code[b] = (float)(x[b] - zero);
	MCH_LANES_SIMD
	for (int b = 0; b < BLOCK; b++) {
		const float root = sqrtf(k + share * sum[b]);
		const float v = code[b] * unit / (root * sqrtf(root));
		const float inside = v < lo - 1 ? lo - 1 : v > hi + 1 ? hi + 1 : v, rounded = rintf(inside);
		away[b] = fabsf(inside - rounded);
		stored[b] = (int32_t)(rounded < lo ? lo : rounded > hi ? hi : rounded) + to_zero;
	}
	for (int b = 0; b < BLOCK; b++)
		y[b] = (uint8_t)stored[b];
	for (int b = 0; b < BLOCK; b++)
		most = away[b] > most ? away[b] : most;
	return most < 0.5f - estimate_error;
}

MCH_INLINE void scale_estimated(const struct scaling *s, size_t n, const int64_t *sums, const void *x, void *y)
{
	size_t i = 0;
	for (; i + BLOCK <= n; i += BLOCK)
		if (!estimate(s, sums + i, (const uint8_t *)x + i, (uint8_t *)y + i))
			scale_as(s, 0.75, i, i + BLOCK, sums, x, y);
	scale_as(s, 0.75, i, n, sums, x, y);
}

MCH_CLONES
static void scale(const struct scaling *s, size_t n, const int64_t *sums, const void *x, void *y)
{
	if (s->is_estimated)
		scale_estimated(s, n, sums, x, y);
	else if (s->beta == 0.75)
		scale_as(s, 0.75, 0, n, sums, x, y);
	else
		scale_as(s, s->beta, 0, n, sums, x, y);
}

void mch_host_lrn(const struct mch_step *step, int n, const void *x, void *y, int64_t *scratch)
{
	const struct mch_shape s = step->in_shapes[0];
	const struct scaling scaling = scaling_of(step);
	const struct mch_codes from = scaling.from, to = scaling.to;
	const uint8_t *image = x;
	uint8_t *out = y;
	for (int i = 0; i < n; i++, image += mch_shape_elems(s) * (size_t)from.bytes)
		for (int h = 0; h < s.h; h++)
			for (int w = 0; w < s.w; w++, out += (size_t)s.c * (size_t)to.bytes) {
				sum_pixel(step, from, image, h, w, scratch);
				scale(&scaling, (size_t)s.c, scratch,
				      image + (size_t)(h * s.w + w) * (size_t)s.c * (size_t)from.bytes, out);
			}
}
