/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* From a picture to planes; see picture.h. */
#include "io/picture.h"

#include <stdlib.h>
#include <string.h>

#include "fxp/round_shift.h"

struct mch_picture mch_picture_of_planes(struct mch_shape s, const uint8_t *pixels)
{
	return (struct mch_picture){s.c, s.h, s.w, pixels, (size_t)s.h * (size_t)s.w, (size_t)s.w, 1, false};
}

static int no_memory(const char *where, struct mch_err *err)
{
	return mch_err_set(err, where, "out of memory; use a machine with more");
}

/* One channel of a picture. */
struct plane {
	const uint8_t *pixels;
	size_t stride_h, stride_w;
};

/* Where the values of one output coordinate come from: (WEIGHT - weight) * from[at] + weight * from[next]. */
struct tap {
	int at, next, weight;
};
enum { WEIGHT_BITS = 11, WEIGHT = 1 << WEIGHT_BITS };

/* Pixel centres are at halves: coordinate d of n_out lies at s = (d + 1/2) * n_in / n_out - 1/2 of n_in, and beyond
 * the first and the last centre the edge goes on. n is for d = first .. first + n - 1. */
static void make_taps(struct tap *taps, int n, int64_t first, int64_t n_in, int64_t n_out)
{
	for (int i = 0; i < n; i++) {
		/* s as a fraction over 2 * n_out: 2 * 2^31 * 2^16 at the most */
		const int64_t over = 2 * n_out, s = (2 * (first + i) + 1) * n_in - n_out;
		int64_t at = s <= 0 ? 0 : s / over, weight = s <= 0 ? 0 : (s % over * WEIGHT * 2 + over) / (2 * over);
		if (weight == WEIGHT) /* rounded up to the next pixel */
			at++, weight = 0;
		if (at >= n_in - 1)
			at = n_in - 1, weight = 0;
		taps[i] = (struct tap){(int)at, (int)(at < n_in - 1 ? at + 1 : at), (int)weight};
	}
}

/* A row of the source, resized in x: 8 + 11 = 19 bits. */
static void resize_row(const struct plane *from, int y, const struct tap *taps, int n, int32_t *row)
{
	const uint8_t *line = from->pixels + (size_t)y * from->stride_h;
	for (int i = 0; i < n; i++) {
		const int32_t a = line[(size_t)taps[i].at * from->stride_w],
			      b = line[(size_t)taps[i].next * from->stride_w];
		row[i] = (WEIGHT - taps[i].weight) * a + taps[i].weight * b;
	}
}

/* Rows are made once: the two that an output row lies between are mostly those of the row before. */
static void resize_plane(const struct plane *from, const struct tap *x, int w, const struct tap *y, int h,
			 int32_t *const rows[2], uint8_t *out)
{
	int32_t *row[2] = {rows[0], rows[1]};
	int held[2] = {-1, -1};
	for (int i = 0; i < h; i++) {
		const int want[2] = {y[i].at, y[i].next};
		if (held[0] != want[0] && held[1] == want[0]) {
			int32_t *swap = row[0];
			row[0] = row[1], row[1] = swap;
			held[1] = held[0], held[0] = want[0];
		}
		for (int k = 0; k < 2; k++)
			if (held[k] != want[k]) {
				resize_row(from, want[k], x, w, row[k]);
				held[k] = want[k];
			}
		/* 19 + 11 = 30 bits, exact: one rounding for the whole pixel */
		for (int j = 0; j < w; j++) {
			const int32_t sum = (WEIGHT - y[i].weight) * row[0][j] + y[i].weight * row[1][j];
			*out++ = (uint8_t)mch_round_shift(sum, 2 * WEIGHT_BITS, MCH_ROUND_HALF_UP, 0);
		}
	}
}

/* Sizes on the way: of the picture, after resizing, and the corner of the centre that is cut out. */
struct geometry {
	int64_t h, w;
	int64_t top, left;
	bool is_resized;
};

static void resized_size(const struct mch_picture *p, const struct mch_transform *t, struct geometry *g)
{
	g->h = p->h, g->w = p->w;
	if (t->resize == MCH_RESIZE_WARP) {
		g->h = t->height, g->w = t->width;
	} else if (t->resize == MCH_RESIZE_SHORT) {
		const bool is_tall = p->h > p->w;
		const int64_t less = is_tall ? p->w : p->h, more = is_tall ? p->h : p->w;
		const int64_t length = more * t->height / less; /* rounded down */
		g->h = is_tall ? length : t->height;
		g->w = is_tall ? t->height : length;
	}
	g->is_resized = g->h != p->h || g->w != p->w;
}

static int measure(const char *where, const struct mch_picture *p, const struct mch_transform *t,
		   struct mch_shape input, struct geometry *g, struct mch_err *err)
{
	resized_size(p, t, g);
	if ((g->h != input.h || g->w != input.w) && t->resize == MCH_RESIZE_NONE && !t->is_cropped)
		return mch_err_set(err, where,
				   "is %dx%d pixels, the network takes %dx%d (width x height); give "
				   "--resize=%dx%d, --resize=short:N, or --crop for the centre",
				   p->w, p->h, input.w, input.h, input.w, input.h);
	if (g->h < input.h || g->w < input.w)
		return mch_err_set(err, where,
				   "is %lldx%lld pixels%s, less than the %dx%d (width x height) that the network "
				   "takes; give a larger --resize",
				   (long long)g->w, (long long)g->h,
				   t->resize == MCH_RESIZE_NONE ? "" : " when resized", input.w, input.h);
	g->top = (g->h - input.h) / 2;
	g->left = (g->w - input.w) / 2;
	return 0;
}

/* Only the part that is cut out is computed. */
static int fit_resized(const char *where, const struct mch_picture *p, const struct geometry *g,
		       struct mch_shape input, const struct plane *planes, uint8_t *out, struct mch_err *err)
{
	struct tap *taps = malloc(((size_t)input.w + (size_t)input.h) * sizeof(*taps));
	int32_t *row = malloc(2 * (size_t)input.w * sizeof(*row));
	if (taps && row) {
		make_taps(taps, input.w, g->left, p->w, g->w);
		make_taps(taps + input.w, input.h, g->top, p->h, g->h);
		for (int c = 0; c < input.c; c++, out += (size_t)input.h * (size_t)input.w)
			resize_plane(&planes[c], taps, input.w, taps + input.w, input.h,
				     (int32_t *const[]){row, row + input.w}, out);
	}
	const int status = taps && row ? 0 : no_memory(where, err);
	free(taps);
	free(row);
	return status;
}

static void fit_cut(const struct geometry *g, struct mch_shape input, const struct plane *planes, uint8_t *out)
{
	for (int c = 0; c < input.c; c++)
		for (int y = 0; y < input.h; y++, out += input.w) {
			const uint8_t *from = planes[c].pixels + (size_t)(g->top + y) * planes[c].stride_h +
					      (size_t)g->left * planes[c].stride_w;
			if (planes[c].stride_w == 1)
				memcpy(out, from, (size_t)input.w);
			else
				for (size_t x = 0; x < (size_t)input.w; x++)
					out[x] = from[x * planes[c].stride_w];
		}
}

/* Luma of ITU-R BT.601, weights of 16 bits that sum up to 1: 8 + 16 = 24 bits, exact. NULL: out of memory. */
static uint8_t *make_grey(const struct mch_picture *p)
{
	uint8_t *grey = malloc((size_t)p->h * (size_t)p->w), *to = grey;
	for (int y = 0; grey && y < p->h; y++)
		for (int x = 0; x < p->w; x++) {
			const uint8_t *rgb = p->pixels + (size_t)y * p->stride_h + (size_t)x * p->stride_w;
			const int32_t sum = 19595 * rgb[0] + 38470 * rgb[p->stride_c] + 7471 * rgb[2 * p->stride_c];
			*to++ = (uint8_t)mch_round_shift(sum, 16, MCH_ROUND_HALF_UP, 0);
		}
	return grey;
}

int mch_picture_fit(const char *where, const struct mch_picture *p, const struct mch_transform *t,
		    struct mch_shape input, uint8_t *out, struct mch_err *err)
{
	struct geometry g = {0};
	uint8_t *grey = NULL;
	if (p->c != input.c && !(p->c == 1 && input.c == 3) && !(p->c == 3 && input.c == 1))
		return mch_err_set(err, where,
				   "has %d channel%s, the network takes %d; give the data that it was trained on",
				   p->c, p->c == 1 ? "" : "s", input.c);
	if (measure(where, p, t, input, &g, err) != 0)
		return -1;
	struct plane *planes = malloc((size_t)input.c * sizeof(*planes));
	if (planes && p->c == 3 && input.c == 1)
		grey = make_grey(p);
	if (!planes || (p->c == 3 && input.c == 1 && !grey)) {
		free(planes);
		return no_memory(where, err);
	}
	for (int c = 0; c < input.c; c++) {
		const bool is_swapped = p->is_decoded && t->is_bgr && input.c == 3;
		const int from = p->c == 1 ? 0 : is_swapped ? 2 - c : c;
		planes[c] = grey ? (struct plane){grey, (size_t)p->w, 1}
				 : (struct plane){p->pixels + (size_t)from * p->stride_c, p->stride_h, p->stride_w};
	}
	const int status = g.is_resized ? fit_resized(where, p, &g, input, planes, out, err) : 0;
	if (!g.is_resized)
		fit_cut(&g, input, planes, out);
	free(planes);
	free(grey);
	return status;
}

int mch_picture_fit_f32(const char *where, const struct mch_float_picture *p, const struct mch_transform *t,
			struct mch_shape input, float *out, struct mch_err *err)
{
	const int top = (p->h - input.h) / 2, left = (p->w - input.w) / 2;
	const bool is_equal = p->h == input.h && p->w == input.w;
	if (p->c != input.c || p->h < input.h || p->w < input.w || (!is_equal && !t->is_cropped))
		return mch_err_set(err, where,
				   "is %dx%dx%d in float, the network takes %dx%dx%d; give values of its size%s",
				   p->c, p->h, p->w, input.c, input.h, input.w,
				   p->c == input.c && p->h >= input.h && p->w >= input.w
					   ? ", or --crop for the centre"
					   : "");
	for (size_t c = 0; c < (size_t)input.c; c++)
		for (size_t y = 0; y < (size_t)input.h; y++, out += input.w) {
			const float *from = p->values + c * p->stride_c + ((size_t)top + y) * p->stride_h +
					    (size_t)left * p->stride_w;
			for (size_t x = 0; x < (size_t)input.w; x++)
				out[x] = from[x * p->stride_w];
		}
	return 0;
}
