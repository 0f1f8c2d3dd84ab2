/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Local response normalization on stored codes; see host_lrn.h. */
#include "net/host_lrn.h"

#include <string.h>

#include "fast/clones.h"
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

/* The values of a pixel, times the factors of their sums. beta is a constant in every copy. */
MCH_INLINE void scale_as(const struct mch_step *step, double beta, const int64_t *sums, const void *x, void *y)
{
	const struct mch_codes from = mch_codes_of(step->in_format), to = mch_codes_of(step->out_format);
	const double lo = (double)mch_format_min(step->out_format), hi = (double)mch_format_max(step->out_format);
	const double k = mch_lrn_k(&step->layer->lrn), share = mch_lrn_share(&step->layer->lrn);
	/* Powers of two: these products are exact. */
	const double unit = mch_format_real(step->in_format, 1), place = ldexp(1, step->out_format.frac);
	const size_t n = (size_t)step->in_shapes[0].c;
	for (size_t i = 0; i < n; i++) {
		const int32_t code =
			(from.bytes == 1 ? ((const uint8_t *)x)[i] : ((const uint16_t *)x)[i]) - from.zero;
		const double factor = mch_lrn_factor(k, share, beta, (double)sums[i] * unit * unit);
		const float value = (float)((double)code * unit * factor);
		const int64_t stored = mch_format_raw_even((double)value * place, lo, hi) + to.zero;
		if (to.bytes == 1)
			((uint8_t *)y)[i] = (uint8_t)stored;
		else
			((uint16_t *)y)[i] = (uint16_t)stored;
	}
}

MCH_CLONES
static void scale(const struct mch_step *step, const int64_t *sums, const void *x, void *y)
{
	if (step->layer->lrn.beta == 0.75)
		scale_as(step, 0.75, sums, x, y);
	else
		scale_as(step, step->layer->lrn.beta, sums, x, y);
}

void mch_host_lrn(const struct mch_step *step, int n, const void *x, void *y, int64_t *scratch)
{
	const struct mch_shape s = step->in_shapes[0];
	const struct mch_codes from = mch_codes_of(step->in_format), to = mch_codes_of(step->out_format);
	const uint8_t *image = x;
	uint8_t *out = y;
	for (int i = 0; i < n; i++, image += mch_shape_elems(s) * (size_t)from.bytes)
		for (int h = 0; h < s.h; h++)
			for (int w = 0; w < s.w; w++, out += (size_t)s.c * (size_t)to.bytes) {
				sum_pixel(step, from, image, h, w, scratch);
				scale(step, scratch, image + (size_t)(h * s.w + w) * (size_t)s.c * (size_t)from.bytes,
				      out);
			}
}
