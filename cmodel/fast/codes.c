/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Raw codes in the fast operators' layout; see codes.h. */
#include "fast/codes.h"

#include <math.h>
#include <string.h>

#include "base/require.h"
#include "fast/clones.h"

/* The product is exact: a float has 24 bits, and a double's exponents reach further than 2^(-149 - 64) and
 * 2^(128 + 64). Clamping first does not change what is rounded, since the bounds are integers. Added to 1.5 * 2^52 a
 * number keeps its integer bits, rounded to the nearest, ties to even; half_even in vector code. */
MCH_CLONES
void mch_codes_quantize(struct mch_format format, size_t n_elems, const float *x, int32_t *y)
{
	MCH_REQUIRE(format.bits <= MCH_OPERAND_BITS_MAX, "an operand's codes fit 17 bits");
	if (format.number != MCH_FIXED) {
		for (size_t i = 0; i < n_elems; i++)
			y[i] = (int32_t)mch_format_raw(format, (double)x[i], MCH_ROUND_HALF_EVEN, NULL);
		return;
	}
	const double low = (double)mch_format_min(format), high = (double)mch_format_max(format);
	const double unit = ldexp(1, format.frac), magic = 0x1.8p52;
	for (size_t i = 0; i < n_elems; i++) {
		double v = (double)x[i] * unit;
		v = v >= low ? v : v < low ? low : 0; /* the last is NaN */
		v = v <= high ? v : high;
		y[i] = (int32_t)((v + magic) - magic);
	}
}

/* Pixels of one image, n_c channels of them; n_c and bytes are constants in every copy. */
MCH_INLINE void pack_pixels(int bytes, int32_t zero, size_t n_c, size_t n, const int32_t *x, void *y)
{
	for (size_t i = 0; i < n; i++)
		for (size_t c = 0; c < n_c; c++)
			if (bytes == 1)
				((uint8_t *)y)[i * n_c + c] = (uint8_t)(x[c * n + i] + zero);
			else
				((uint16_t *)y)[i * n_c + c] = (uint16_t)(x[c * n + i] + zero);
}

MCH_CLONES
static void pack_image(struct mch_codes codes, size_t n_c, size_t n, const int32_t *x, void *y)
{
	if (n_c == 3 && codes.bytes == 1)
		pack_pixels(1, codes.zero, 3, n, x, y);
	else if (n_c == 3)
		pack_pixels(2, codes.zero, 3, n, x, y);
	else if (n_c == 1 && codes.bytes == 1)
		pack_pixels(1, codes.zero, 1, n, x, y);
	else if (n_c == 1)
		pack_pixels(2, codes.zero, 1, n, x, y);
	else
		pack_pixels(codes.bytes, codes.zero, n_c, n, x, y);
}

void mch_codes_pack(struct mch_codes codes, struct mch_shape s, const int32_t *x, void *y)
{
	const size_t pixels = (size_t)s.h * (size_t)s.w, c = (size_t)s.c;
	uint8_t *to = y;
	for (int n = 0; n < s.n; n++, x += c * pixels, to += c * pixels * (size_t)codes.bytes)
		pack_image(codes, c, pixels, x, to);
}

void mch_codes_unpack(struct mch_codes codes, struct mch_shape s, const void *x, int32_t *y)
{
	const size_t pixels = (size_t)s.h * (size_t)s.w, c = (size_t)s.c;
	for (size_t n = 0; n < (size_t)s.n; n++)
		for (size_t channel = 0; channel < c; channel++)
			for (size_t i = 0; i < pixels; i++) {
				const size_t at = (n * pixels + i) * c + channel;
				*y++ = (codes.bytes == 1 ? ((const uint8_t *)x)[at] : ((const uint16_t *)x)[at]) -
				       codes.zero;
			}
}

MCH_CLONES
void mch_codes_widen(struct mch_codes codes, size_t n_elems, const void *x, int32_t *y)
{
	const int32_t zero = codes.zero;
	const uint8_t *narrow = x;
	const uint16_t *wide = x;
	if (codes.bytes == 1)
		for (size_t i = 0; i < n_elems; i++)
			y[i] = narrow[i] - zero;
	else
		for (size_t i = 0; i < n_elems; i++)
			y[i] = wide[i] - zero;
}

/* One row of pixels. */
MCH_CLONES
static void plane_row(struct mch_codes codes, size_t n_elems, int shift, const void *x, uint8_t *y)
{
	const uint16_t *wide = x;
	if (codes.bytes == 1)
		memcpy(y, x, n_elems);
	else
		for (size_t i = 0; i < n_elems; i++)
			y[i] = (uint8_t)(wide[i] >> shift);
}

void mch_codes_plane(struct mch_codes codes, struct mch_shape s, struct mch_border border, int plane, const void *x,
		     uint8_t *y)
{
	const size_t c = (size_t)s.c, row = (size_t)s.w * c;
	const size_t left = (size_t)border.left * c, right = (size_t)border.right * c;
	const size_t padded_row = left + row + right;
	const uint8_t *from = x;
	const int zero = (codes.zero >> (8 * plane)) & 0xff;
	if (left + right == 0 && border.top == 0 && border.bottom == 0) {
		plane_row(codes, (size_t)s.n * (size_t)s.h * row, 8 * plane, x, y);
		return;
	}
	for (int n = 0; n < s.n; n++) {
		memset(y, zero, (size_t)border.top * padded_row);
		y += (size_t)border.top * padded_row;
		for (int h = 0; h < s.h; h++, y += padded_row, from += row * (size_t)codes.bytes) {
			memset(y, zero, left);
			plane_row(codes, row, 8 * plane, from, y + left);
			memset(y + left + row, zero, right);
		}
		memset(y, zero, (size_t)border.bottom * padded_row);
		y += (size_t)border.bottom * padded_row;
	}
}

enum { CHUNK = 8 };

/* n runs of `bytes` bytes, `apart` bytes from each other, side by side. Whole chunks are copied: the next run
 * overwrites what is too much. */
MCH_INLINE uint8_t *copy_runs(uint8_t *to, const uint8_t *from, int n, size_t bytes, size_t apart)
{
	for (int i = 0; i < n; i++, to += bytes, from += apart) {
		memcpy(to, from, CHUNK);
		for (size_t b = CHUNK; b < bytes; b += CHUNK)
			memcpy(to + b, from + b, CHUNK);
	}
	return to;
}

void mch_codes_columns(const struct mch_conv *g, const uint8_t *x, size_t stride, uint8_t *y)
{
	const size_t c = (size_t)g->c, row = (size_t)g->w * c, step = (size_t)g->stride_w * c;
	const size_t down = (size_t)g->dilation_h * row, across = (size_t)g->dilation_w * c;
	const int n_p = mch_conv_p(g), n_q = mch_conv_q(g), n_r = g->r, n_s = g->s;
	for (int n = 0; n < g->n; n++)
		for (int p = 0; p < n_p; p++) {
			const uint8_t *top = x + ((size_t)n * (size_t)g->h + (size_t)(p * g->stride_h)) * row;
			for (int q = 0; q < n_q; q++, top += step, y += stride) {
				uint8_t *to = y;
				/* Neighbours in a kernel's row are neighbours in x, unless it is dilated. */
				if (across == c)
					copy_runs(to, top, n_r, (size_t)n_s * c, down);
				else
					for (int r = 0; r < n_r; r++)
						to = copy_runs(to, top + (size_t)r * down, n_s, c, across);
			}
		}
}
