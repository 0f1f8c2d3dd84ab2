/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Exact convolution from dot products of bytes; see conv.h. */
#include "fast/conv.h"

#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "fast/digits.h"
#include "fast/direct.h"
#include "fast/dnnl.h"
#include "fast/requant.h"

/* 16 bits of x are two planes. Those of w are three when a weight of 0x7f80 or more carries into the top digit. */
enum { X_PLANES_MAX = MCH_X_PLANES_MAX, W_PLANES_MAX = MCH_W_PLANES_MAX };

struct mch_fast_conv {
	struct mch_direct *direct; /* the better form, where there is one: nothing else is used then */
	struct mch_conv g; /* padding perhaps made explicit, groups perhaps expanded */
	struct mch_codes codes;
	struct mch_shape x_shape;
	struct mch_border border; /* explicit padding; all 0 when the library pads */
	int n_x, n_w;             /* planes */
	int64_t largest;          /* sum of magnitudes of a dot product, at most */
	int k_padded; /* channels of each plane of w, joined in one dot product; 0: one dot product each */
	struct mch_dnnl_dot *dot[W_PLANES_MAX];
	bool is_copied;      /* planes of x are made; else the one plane is the input as it is */
	size_t column_bytes; /* of a window as a row of a matrix; 0: the library finds the windows */
	/* Parts of the scratch, each in whole units of its alignment: planes of x, columns, sums of one pair of
	 * planes (joined: of one plane of x). */
	size_t plane_bytes, columns_bytes, acc_bytes;
	struct mch_fast_requant requant;
};

static int no_memory(struct mch_err *err)
{
	return mch_err_set(err, "convolution", "out of memory; use smaller batches or a machine with more memory");
}

/* Largest value of byte `plane` of a stored code. */
static int64_t plane_max(struct mch_format f, int plane)
{
	const int64_t top = (INT64_C(1) << f.bits) - 1;
	return plane == 0 && top > 255 ? 255 : top >> (8 * plane);
}

/* Largest sum |X_i * W_j| over output channels. */
static int64_t largest_sum(const struct mch_fast_conv_spec *spec, int n_x, int n_w)
{
	const size_t n_terms = mch_conv_terms(&spec->conv);
	int64_t x_max = 0, largest = 0;
	for (int i = 0; i < n_x; i++)
		x_max = plane_max(spec->in, i) > x_max ? plane_max(spec->in, i) : x_max;
	for (int j = 0; j < n_w; j++)
		for (int k = 0; k < spec->conv.k; k++) {
			int64_t sum = 0;
			for (size_t t = 0; t < n_terms; t++)
				sum += abs(mch_digit(spec->weights[(size_t)k * n_terms + t], j));
			largest = sum * x_max > largest ? sum * x_max : largest;
		}
	return largest;
}

/* Digits of one weight plane into w. Terms are in the order c, r, s; with columns r, s, c. Groups keep the
 * geometry's own order or are expanded into one, with zeros elsewhere. */
static void fill_plane(const struct mch_fast_conv *f, const struct mch_fast_conv_spec *spec, int plane, int8_t *w)
{
	const struct mch_conv *g = &spec->conv;
	const size_t n_terms = mch_conv_terms(g), area = (size_t)g->r * (size_t)g->s, n_c = (size_t)g->c;
	const size_t row = f->column_bytes ? f->column_bytes : mch_conv_terms(&f->g);
	for (int k = 0; k < g->k; k++) {
		const size_t group = f->g.groups == g->groups ? 0 : (size_t)(k / (g->k / g->groups));
		for (size_t t = 0; t < n_terms; t++) {
			const size_t at = f->column_bytes ? t % area * n_c + t / area : group * n_terms + t;
			w[(size_t)k * row + at] = mch_digit(spec->weights[(size_t)k * n_terms + t], plane);
		}
	}
}

static void free_dots(struct mch_fast_conv *f)
{
	for (int j = 0; j < W_PLANES_MAX; j++) {
		mch_dnnl_dot_free(f->dot[j]);
		f->dot[j] = NULL;
	}
}

/* One group: the planes are side by side as output channels of one dot product, each in whole blocks. */
static int compile_joined(struct mch_fast_conv *f, const struct mch_fast_conv_spec *spec, struct mch_err *err)
{
	struct mch_conv g = f->g;
	f->k_padded = (g.k + MCH_CODES_BLOCK - 1) / MCH_CODES_BLOCK * MCH_CODES_BLOCK;
	if (f->column_bytes)
		g = mch_dense_geometry(g.n * mch_conv_p(&g) * mch_conv_q(&g), (int)f->column_bytes, g.k);
	g.k = f->k_padded * f->n_w;
	const size_t plane_elems = (size_t)f->k_padded * mch_conv_terms(&g);
	int8_t *w = calloc((size_t)f->n_w, plane_elems);
	if (!w)
		return no_memory(err);
	for (int j = 0; j < f->n_w; j++)
		fill_plane(f, spec, j, w + (size_t)j * plane_elems);
	f->dot[0] = mch_dnnl_dot_new(&g, w, err);
	free(w);
	return f->dot[0] ? 0 : -1;
}

static int compile_each(struct mch_fast_conv *f, const struct mch_fast_conv_spec *spec, struct mch_err *err)
{
	f->k_padded = 0;
	int8_t *w = calloc((size_t)f->g.k, mch_conv_terms(&f->g));
	if (!w)
		return no_memory(err);
	int status = 0;
	for (int j = 0; status == 0 && j < f->n_w; j++) {
		fill_plane(f, spec, j, w);
		f->dot[j] = mch_dnnl_dot_new(&f->g, w, err);
		status = f->dot[j] ? 0 : -1;
	}
	free(w);
	return status;
}

/* 0: exact; 1: no exact form; -1: err. */
static int compile_dots(struct mch_fast_conv *f, const struct mch_fast_conv_spec *spec, struct mch_err *err)
{
	const int64_t largest = f->largest;
	if (f->g.groups > 1) {
		if (compile_each(f, spec, err) != 0)
			return -1;
		if (largest <= mch_dnnl_dot_limit(f->dot[0]))
			return 0;
		/* Kernels for few channels a group keep fewer bits: spend operations on zeros instead. */
		free_dots(f);
		f->g.groups = 1;
	}
	if (compile_joined(f, spec, err) != 0)
		return -1;
	return largest <= mch_dnnl_dot_limit(f->dot[0]) ? 0 : 1;
}

/* With one or two channels the library fills a half or a quarter of its steps of four products. A matrix product
 * over columns fills them all (measured: 1x28x28, 20@5x5 takes half the time, columns included). */
static void choose_columns(struct mch_fast_conv *f)
{
	const struct mch_conv *g = &f->g;
	if (g->groups == 1 && g->c <= 2 && g->r * g->s > 1)
		f->column_bytes = (mch_conv_terms(g) + MCH_CODES_BLOCK - 1) / MCH_CODES_BLOCK * MCH_CODES_BLOCK;
}

/* Padding must read as `zero`, while the library pads with 0; columns are of padded images. */
static void place_padding(struct mch_fast_conv *f)
{
	struct mch_conv *g = &f->g;
	if (f->codes.zero == 0 && !f->column_bytes)
		return;
	f->border = (struct mch_border){g->pad_top, g->pad_left, g->pad_bottom, g->pad_right};
	g->h += g->pad_top + g->pad_bottom;
	g->w += g->pad_left + g->pad_right;
	g->pad_top = g->pad_left = g->pad_bottom = g->pad_right = 0;
}

static size_t aligned(size_t bytes)
{
	return (bytes + MCH_SCRATCH_ALIGN - 1) / MCH_SCRATCH_ALIGN * MCH_SCRATCH_ALIGN;
}

static void plan_scratch(struct mch_fast_conv *f)
{
	const struct mch_conv *g = &f->g;
	const size_t pixels = (size_t)g->n * (size_t)mch_conv_p(g) * (size_t)mch_conv_q(g);
	const size_t x_bytes = (size_t)g->n * (size_t)g->h * (size_t)g->w * (size_t)g->c;
	const size_t width = f->k_padded ? (size_t)f->k_padded * (size_t)f->n_w : (size_t)g->k;
	f->is_copied = f->n_x > 1 || g->h != f->x_shape.h || g->w != f->x_shape.w;
	f->plane_bytes = f->is_copied ? aligned(x_bytes + MCH_CODES_SLACK_BYTES) : 0;
	f->columns_bytes = f->column_bytes ? aligned(pixels * f->column_bytes + MCH_CODES_SLACK_BYTES) : 0;
	f->acc_bytes = aligned((pixels * width + MCH_CODES_BLOCK) * sizeof(int32_t));
}

size_t mch_fast_conv_scratch_bytes(const struct mch_fast_conv *f)
{
	if (f->direct)
		return mch_direct_scratch_bytes(f->direct);
	const size_t n_sums = (size_t)f->n_x * (size_t)(f->k_padded ? 1 : f->n_w);
	return f->plane_bytes + f->columns_bytes + n_sums * f->acc_bytes;
}

/* Less what the zero of x adds. NULL: out of memory. */
static int64_t *own_bias(const struct mch_fast_conv *f, const struct mch_fast_conv_spec *spec)
{
	const struct mch_conv *g = &spec->conv;
	const size_t n_terms = mch_conv_terms(g);
	int64_t *bias = malloc((size_t)g->k * sizeof(*bias));
	for (int k = 0; bias && k < g->k; k++) {
		int64_t sum = 0; /* 16 bits a weight and less than 2^31 of them, times 2^15: 62 bits */
		for (size_t t = 0; t < n_terms; t++)
			sum += spec->weights[(size_t)k * n_terms + t];
		bias[k] = spec->requant->bias[k] - f->codes.zero * sum;
	}
	return bias;
}

/* On the library. 0: done; 1: no exact form; -1: err. */
static int compile_library(struct mch_fast_conv *f, const struct mch_fast_conv_spec *spec, const int64_t *bias,
			   struct mch_err *err)
{
	const struct mch_conv *g = &spec->conv;
	const struct mch_pool none = {.n = 1, .c = g->k, .h = mch_conv_p(g), .w = mch_conv_q(g), .r = 1, .s = 1,
				      .stride_h = 1, .stride_w = 1, .dilation_h = 1, .dilation_w = 1};
	choose_columns(f);
	place_padding(f);
	const int status = compile_dots(f, spec, err);
	if (status != 0)
		return status;
	plan_scratch(f);
	return mch_fast_requant_init(&f->requant, spec->requant, bias, mch_codes_of(spec->out),
				     spec->pool ? spec->pool : &none,
				     f->n_x == 1 && f->n_w == 1 ? f->largest : INT64_MAX, err);
}

int mch_fast_conv_new(const struct mch_fast_conv_spec *spec, struct mch_fast_conv **out, struct mch_err *err)
{
	MCH_REQUIRE(!spec->pool || spec->requant->round != MCH_ROUND_STOCHASTIC,
		    "a maximum commutes with monotone rounding");
	struct mch_fast_conv *f = calloc(1, sizeof(*f));
	*out = NULL;
	if (!f)
		return no_memory(err);
	f->g = spec->conv;
	f->codes = mch_codes_of(spec->in);
	f->x_shape = (struct mch_shape){f->g.n, f->g.c, f->g.h, f->g.w};
	f->n_x = f->codes.bytes;
	f->n_w = mch_count_digits(spec->weights, (size_t)f->g.k * mch_conv_terms(&f->g));
	f->largest = largest_sum(spec, f->n_x, f->n_w);
	int64_t *bias = own_bias(f, spec);
	const struct mch_direct_spec direct = {spec, bias, f->n_w, f->largest};
	int status = bias ? mch_direct_new(&direct, &f->direct, err) : no_memory(err);
	if (status == 0 && !f->direct)
		status = compile_library(f, spec, bias, err);
	free(bias);
	if (status != 0)
		mch_fast_conv_free(f);
	else
		*out = f;
	return status < 0 ? -1 : 0;
}

void mch_fast_conv_free(struct mch_fast_conv *f)
{
	if (!f)
		return;
	mch_direct_free(f->direct);
	free_dots(f);
	mch_fast_requant_free(&f->requant);
	free(f);
}

bool mch_fast_conv_scatter(struct mch_fast_conv *f, size_t pixel_bytes)
{
	return f->direct && mch_direct_scatter(f->direct, pixel_bytes);
}

/* One plane of x through the dot products of all planes of w. */
static int run_plane(struct mch_fast_conv *f, int n, int plane, const void *x, uint8_t *scratch,
		     struct mch_part_sums *sums, struct mch_err *err)
{
	struct mch_shape shape = f->x_shape;
	struct mch_conv windows = f->g;
	const uint8_t *bytes = x;
	const int n_dots = f->k_padded ? 1 : f->n_w;
	uint8_t *columns = scratch + f->plane_bytes;
	uint8_t *acc = columns + f->columns_bytes + (size_t)(plane * n_dots) * f->acc_bytes;
	shape.n = windows.n = n;
	if (f->is_copied) {
		mch_codes_plane(f->codes, shape, f->border, plane, x, scratch);
		bytes = scratch;
	}
	if (f->column_bytes) {
		mch_codes_columns(&windows, bytes, f->column_bytes, columns);
		bytes = columns;
	}
	for (int j = 0; j < n_dots; j++)
		if (mch_dnnl_dot_run(f->dot[j], bytes, (int32_t *)(void *)(acc + (size_t)j * f->acc_bytes), err) != 0)
			return -1;
	for (int j = 0; j < f->n_w; j++)
		sums->part[plane][j] = f->k_padded ? (const int32_t *)(const void *)acc + j * f->k_padded
						   : (const int32_t *)(const void *)(acc + (size_t)j * f->acc_bytes);
	return 0;
}

int mch_fast_conv_run(struct mch_fast_conv *f, int n, const void *x, void *scratch, void *y, struct mch_err *err)
{
	if (f->direct) {
		mch_direct_run(f->direct, n, x, scratch, y);
		return 0;
	}
	struct mch_part_sums sums = {.n_x = f->n_x,
				     .n_w = f->n_w,
				     .stride = f->k_padded ? (size_t)f->k_padded * (size_t)f->n_w : (size_t)f->g.k};
	for (int i = 0; i < f->n_x; i++)
		if (run_plane(f, n, i, x, scratch, &sums, err) != 0)
			return -1;
	mch_fast_requant_run(&f->requant, n, &sums, y);
	return 0;
}
