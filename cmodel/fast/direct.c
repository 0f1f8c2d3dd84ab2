/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Convolutions on vnni.h; see direct.h. */
#include "fast/direct.h"

#include <stdlib.h>
#include <string.h>

#include "fast/digits.h"
#include "fast/pool.h"
#include "fast/vnni.h"

struct mch_direct {
	struct mch_conv g; /* padding made explicit; n is the images of a round */
	struct mch_codes codes, out_codes;
	struct mch_border border;
	struct mch_pool pool;
	bool has_pool, is_copied; /* planes of x are made; else the one plane is the input as it is */
	size_t x_bytes;           /* of an image */
	size_t pixel_bytes;       /* of y */
	size_t y_bytes;           /* of an image of y, behind the pool */
	size_t planes_bytes, codes_bytes; /* of the scratch: planes of x; codes before the pool */
	struct mch_vnni vnni;     /* of the first group */
	size_t group_weights_bytes;
	size_t n_words; /* of a window; steps behind them read one again, for weights of more than two digits */
	struct mch_requant_lanes lanes;
	int32_t *offset; /* owned, as the next two */
	uint32_t *at;
	int8_t *weights;
};

static int no_memory(struct mch_err *err)
{
	return mch_err_set(err, "convolution", "out of memory; use smaller batches or a machine with more memory");
}

static size_t aligned(size_t bytes)
{
	return (bytes + MCH_SCRATCH_ALIGN - 1) / MCH_SCRATCH_ALIGN * MCH_SCRATCH_ALIGN;
}

static size_t words(size_t bytes)
{
	return (bytes + MCH_VNNI_BYTES - 1) / MCH_VNNI_BYTES;
}

/* A window is n runs of neighbouring bytes: rows of the kernel, or its single pixels where they lie apart or are the
 * channels of one group. */
struct runs {
	int n;
	size_t bytes;
	bool are_rows;
};

static struct runs runs_of(const struct mch_conv *g)
{
	if (g->groups == 1 && (g->dilation_w == 1 || g->s == 1))
		return (struct runs){g->r, (size_t)g->s * (size_t)g->c, true};
	return (struct runs){g->r * g->s, (size_t)g->c / (size_t)g->groups, false};
}

/* Bytes from the window's first one to run i. */
static size_t run_begin(const struct mch_conv *g, const struct runs *runs, int i)
{
	const int r = runs->are_rows ? i : i / g->s, s = runs->are_rows ? 0 : i % g->s;
	return ((size_t)(r * g->dilation_h) * (size_t)g->w + (size_t)(s * g->dilation_w)) * (size_t)g->c;
}

static bool is_fast(const struct mch_direct_spec *spec)
{
	const struct mch_conv *g = &spec->conv->conv;
	/* A tile has 16 channels; with few in a group most would be zeros. */
	return mch_vnni_is_there() && (g->groups == 1 || g->k / g->groups >= MCH_CODES_BLOCK / 2);
}

/* Windows of one image are enough to fill tiles, a dense layer's one is not. */
static int images_of_round(const struct mch_conv *g)
{
	enum { WINDOWS = 48 };
	const int pixels = mch_conv_p(g) * mch_conv_q(g), n = (WINDOWS + pixels - 1) / pixels;
	return n < g->n ? n : g->n;
}

static void place(struct mch_direct *d, const struct mch_fast_conv_spec *spec)
{
	struct mch_conv *g = &d->g;
	*g = spec->conv;
	g->n = images_of_round(g);
	d->x_bytes = (size_t)g->h * (size_t)g->w * (size_t)g->c * (size_t)d->codes.bytes;
	d->border = (struct mch_border){g->pad_top, g->pad_left, g->pad_bottom, g->pad_right};
	d->is_copied = d->codes.bytes > 1 || g->pad_top + g->pad_left + g->pad_bottom + g->pad_right > 0;
	g->h += g->pad_top + g->pad_bottom;
	g->w += g->pad_left + g->pad_right;
	g->pad_top = g->pad_left = g->pad_bottom = g->pad_right = 0;
	d->has_pool = spec->pool != NULL;
	d->pool = spec->pool ? *spec->pool : (struct mch_pool){0};
	d->pool.n = 1;
	d->pixel_bytes = (size_t)g->k * (size_t)d->out_codes.bytes;
	const size_t n_windows = (size_t)mch_conv_p(g) * (size_t)mch_conv_q(g);
	const size_t n_out = d->has_pool ? (size_t)mch_pool_p(&d->pool) * (size_t)mch_pool_q(&d->pool) : n_windows;
	d->y_bytes = n_out * d->pixel_bytes;
	const size_t plane = (size_t)g->n * (size_t)g->h * (size_t)g->w * (size_t)g->c;
	d->vnni.plane_bytes = d->is_copied ? aligned(plane + MCH_CODES_SLACK_BYTES) : 0;
	d->planes_bytes = d->vnni.plane_bytes * (size_t)d->codes.bytes;
	d->codes_bytes = d->has_pool ? aligned((size_t)g->n * n_windows * d->pixel_bytes) : 0;
	d->vnni.n_windows = (size_t)g->n * n_windows;
}

/* Two digits end at 127 * 257: larger weights get the rest, 1 to 128, in a second step. */
enum { TWO_DIGITS = 127 * 257, W_MAX = 32767 };

static int digit_of(int32_t w, int j, bool is_rest)
{
	if (is_rest)
		return w > TWO_DIGITS ? mch_digit(w - TWO_DIGITS, j) : 0;
	return mch_digit(w > TWO_DIGITS ? TWO_DIGITS : w, j);
}

/* Where term t of a channel, in the order c, r, s, is among the bytes of the words: in the order r, s, c. */
static size_t byte_of(const struct mch_conv *g, const struct runs *runs, size_t t)
{
	const size_t area = (size_t)g->r * (size_t)g->s, at = t % area * (size_t)(g->c / g->groups) + t / area;
	return at / runs->bytes * words(runs->bytes) * MCH_VNNI_BYTES + at % runs->bytes;
}

/* The words of a window, then those that a weight of any channel needs twice. */
static int list_steps(struct mch_direct *d, const int32_t *weights, struct mch_err *err)
{
	const struct mch_conv *g = &d->g;
	const struct runs runs = runs_of(g);
	const size_t run_words = words(runs.bytes), n_terms = mch_conv_terms(g);
	d->n_words = (size_t)runs.n * run_words;
	bool *is_twice = calloc(d->n_words, sizeof(*is_twice));
	d->vnni.offset = d->offset = malloc(2 * d->n_words * sizeof(*d->offset));
	if (!is_twice || !d->offset) {
		free(is_twice);
		return no_memory(err);
	}
	for (size_t i = 0; i < (size_t)g->k * n_terms; i++)
		if (weights[i] > TWO_DIGITS)
			is_twice[byte_of(g, &runs, i % n_terms) / MCH_VNNI_BYTES] = true;
	for (size_t i = 0; i < d->n_words; i++)
		d->offset[i] = (int32_t)(run_begin(g, &runs, (int)(i / run_words)) +
					 i % run_words * MCH_VNNI_BYTES);
	d->vnni.n_steps = d->n_words;
	for (size_t i = 0; i < d->n_words; i++)
		if (is_twice[i])
			d->offset[d->vnni.n_steps++] = d->offset[i];
	free(is_twice);
	return 0;
}

static int list_windows(struct mch_direct *d, struct mch_err *err)
{
	const struct mch_conv *g = &d->g;
	const size_t n_p = (size_t)mch_conv_p(g), n_q = (size_t)mch_conv_q(g);
	d->vnni.at = d->at = calloc(d->vnni.n_windows, sizeof(*d->at));
	if (!d->at)
		return no_memory(err);
	uint32_t *at = d->at;
	for (size_t n = 0; n < (size_t)g->n; n++)
		for (size_t p = 0; p < n_p; p++)
			for (size_t q = 0; q < n_q; q++) {
				const size_t row = n * (size_t)g->h + p * (size_t)g->stride_h;
				*at++ = (uint32_t)((row * (size_t)g->w + q * (size_t)g->stride_w) * (size_t)g->c);
			}
	return 0;
}

/* The digits j of one group's weights in the order of the steps. */
static void fill_plane(const struct mch_direct *d, const int32_t *weights, int j, int8_t *plane)
{
	const struct mch_conv *g = &d->g;
	const struct runs runs = runs_of(g);
	const size_t n_terms = mch_conv_terms(g), row = d->vnni.n_steps * MCH_VNNI_BYTES;
	for (size_t k = 0; k < (size_t)(g->k / g->groups); k++, plane += row)
		for (size_t t = 0; t < n_terms; t++)
			plane[byte_of(g, &runs, t)] = (int8_t)digit_of(weights[k * n_terms + t], j, false);
}

/* The rests: step i reads the word of which it is the second. */
static void fill_rests(const struct mch_direct *d, const int32_t *weights, int j, int8_t *plane)
{
	const struct mch_conv *g = &d->g;
	const struct runs runs = runs_of(g);
	const size_t n_terms = mch_conv_terms(g), row = d->vnni.n_steps * MCH_VNNI_BYTES;
	for (size_t k = 0; k < (size_t)(g->k / g->groups); k++, plane += row)
		for (size_t t = 0; t < n_terms; t++) {
			const size_t byte = byte_of(g, &runs, t);
			size_t i = d->n_words;
			if (weights[k * n_terms + t] <= TWO_DIGITS)
				continue;
			while (d->offset[i] != d->offset[byte / MCH_VNNI_BYTES])
				i++;
			plane[i * MCH_VNNI_BYTES + byte % MCH_VNNI_BYTES] =
				(int8_t)digit_of(weights[k * n_terms + t], j, true);
		}
}

static int pack_weights(struct mch_direct *d, const int32_t *weights, struct mch_err *err)
{
	struct mch_vnni *v = &d->vnni;
	const struct mch_conv *g = &d->g;
	const size_t group_weights = (size_t)v->k * mch_conv_terms(g);
	d->group_weights_bytes = mch_vnni_weights_bytes(v->n_w, v->k, v->n_steps);
	v->weights = d->weights = aligned_alloc(MCH_SCRATCH_ALIGN, (size_t)g->groups * d->group_weights_bytes);
	int8_t *plane = calloc((size_t)v->k, v->n_steps * MCH_VNNI_BYTES);
	if (!d->weights || !plane) {
		free(plane);
		return no_memory(err);
	}
	memset(d->weights, 0, (size_t)g->groups * d->group_weights_bytes);
	for (size_t group = 0; group < (size_t)g->groups; group++)
		for (int j = 0; j < v->n_w; j++) {
			fill_plane(d, weights + group * group_weights, j, plane);
			fill_rests(d, weights + group * group_weights, j, plane);
			mch_vnni_pack(v->n_x, v->n_w, v->k, v->n_steps, j, plane,
				      d->weights + group * d->group_weights_bytes);
			memset(plane, 0, (size_t)v->k * v->n_steps * MCH_VNNI_BYTES);
		}
	free(plane);
	return 0;
}

/* Sums of any degree fit 32 bits, and places in x do. */
static bool is_possible(const struct mch_direct *d, const struct mch_direct_spec *spec)
{
	const struct mch_conv *g = &d->g;
	const size_t n_terms = mch_conv_terms(g);
	int64_t largest = spec->largest;
	if (spec->n_w > MCH_VNNI_PLANES) { /* both steps of a weight: 127 and 128 */
		for (size_t i = 0; i < (size_t)g->k * n_terms; i++)
			if (spec->conv->weights[i] > W_MAX)
				return false;
		largest = (int64_t)n_terms * 255 * 255;
	}
	/* Two pairs of planes at most have one degree. */
	return largest <= (d->vnni.n_x * d->vnni.n_w > 2 ? INT32_MAX / 2 : INT32_MAX) &&
	       (size_t)g->n * (size_t)g->h * (size_t)g->w * (size_t)g->c <= INT32_MAX;
}

/* 0: done; 1: not possible; -1: err. */
static int compile(struct mch_direct *d, const struct mch_direct_spec *spec, struct mch_err *err)
{
	const struct mch_fast_conv_spec *conv = spec->conv;
	struct mch_vnni *v = &d->vnni;
	d->codes = mch_codes_of(conv->in);
	d->out_codes = mch_codes_of(conv->out);
	v->n_x = d->codes.bytes;
	v->n_w = spec->n_w < MCH_VNNI_PLANES ? spec->n_w : MCH_VNNI_PLANES;
	const bool is_one = v->n_x == 1 && v->n_w == 1;
	place(d, conv);
	if (!is_possible(d, spec))
		return 1;
	if (mch_requant_lanes_init(&d->lanes, conv->requant, d->g.k, spec->bias, d->out_codes,
				   is_one ? spec->largest : INT64_MAX, err) != 0)
		return -1;
	if (!d->lanes.narrow && !d->lanes.wide)
		return 1;
	v->lanes = &d->lanes;
	v->k = d->g.k / d->g.groups;
	v->out_bytes = d->out_codes.bytes;
	v->y_stride = d->pixel_bytes;
	if (list_windows(d, err) != 0 || list_steps(d, conv->weights, err) != 0)
		return -1;
	return pack_weights(d, conv->weights, err);
}

int mch_direct_new(const struct mch_direct_spec *spec, struct mch_direct **out, struct mch_err *err)
{
	*out = NULL;
	if (!is_fast(spec))
		return 0;
	struct mch_direct *d = calloc(1, sizeof(*d));
	if (!d)
		return no_memory(err);
	const int status = compile(d, spec, err);
	if (status != 0)
		mch_direct_free(d);
	else
		*out = d;
	return status < 0 ? -1 : 0;
}

void mch_direct_free(struct mch_direct *d)
{
	if (!d)
		return;
	mch_requant_lanes_free(&d->lanes);
	free(d->offset);
	free(d->at);
	free(d->weights);
	free(d);
}

bool mch_direct_scatter(struct mch_direct *d, size_t pixel_bytes)
{
	if (d->has_pool)
		return false;
	d->y_bytes = d->y_bytes / d->pixel_bytes * pixel_bytes;
	d->vnni.y_stride = d->pixel_bytes = pixel_bytes;
	return true;
}

size_t mch_direct_scratch_bytes(const struct mch_direct *d)
{
	return d->planes_bytes + d->codes_bytes;
}

/* One round of n images. */
static void run_round(const struct mch_direct *d, int n, const uint8_t *x, uint8_t *scratch, uint8_t *y)
{
	const struct mch_conv *g = &d->g;
	const struct mch_shape shape = {n, g->c, g->h - d->border.top - d->border.bottom,
					g->w - d->border.left - d->border.right};
	struct mch_vnni v = d->vnni;
	uint8_t *codes = d->has_pool ? scratch + d->planes_bytes : y;
	v.n_windows = v.n_windows / (size_t)g->n * (size_t)n;
	for (int i = 0; d->is_copied && i < d->codes.bytes; i++)
		mch_codes_plane(d->codes, shape, d->border, i, x, scratch + (size_t)i * v.plane_bytes);
	for (size_t group = 0; group < (size_t)g->groups; group++) {
		v.k_first = (int)group * v.k;
		v.weights = d->weights + group * d->group_weights_bytes;
		mch_vnni_run(&v, (d->is_copied ? scratch : x) + group * (size_t)(g->c / g->groups),
			     codes + (size_t)v.k_first * (size_t)v.out_bytes);
	}
	const size_t image_bytes = d->codes_bytes ? v.n_windows / (size_t)n * d->pixel_bytes : 0;
	for (size_t i = 0; d->has_pool && i < (size_t)n; i++)
		mch_fast_pool_max(&d->pool, d->out_codes, codes + i * image_bytes, y + i * d->y_bytes);
}

void mch_direct_run(const struct mch_direct *d, int n, const void *x, void *scratch, void *y)
{
	const uint8_t *from = x;
	uint8_t *to = y;
	for (int done = 0, some; done < n; done += some) {
		some = n - done < d->g.n ? n - done : d->g.n;
		run_round(d, some, from + (size_t)done * d->x_bytes, scratch, to + (size_t)done * d->y_bytes);
	}
}
