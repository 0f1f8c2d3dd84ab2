/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Convolution and dense, forward and backward, as matrix products over im2col columns; see grad.h. Source:
 * Chellapilla, Puri, Simard, "High Performance Convolutional Neural Networks for Document Processing", 2006. */
#include "fast/grad.h"

#include <oneapi/dnnl/dnnl.h>
#include <stdbool.h>
#include <string.h>

#include "base/require.h"
#include "fast/grad_depthwise.h"

/* C = op(A) * op(B) + beta * C, row-major: C is rows x cols. Leading dimensions are the rows' lengths as stored. */
struct product {
	char trans_a, trans_b;
	int rows, cols, terms;
	float beta;
};

static void multiply(struct product m, const float *a, const float *b, float *c)
{
	const dnnl_dim_t lda = m.trans_a == 'N' ? m.terms : m.rows, ldb = m.trans_b == 'N' ? m.cols : m.terms;
	const dnnl_status_t status = dnnl_sgemm(m.trans_a, m.trans_b, m.rows, m.cols, m.terms, 1.0f, a, lda, b, ldb,
						m.beta, c, m.cols);
	MCH_REQUIRE(status == dnnl_success, "dnnl_sgemm refuses only bad arguments");
}

/* The kernel is the whole input: one product serves all images at once. */
static bool is_dense(const struct mch_conv *g)
{
	return g->groups == 1 && g->r == g->h && g->s == g->w && mch_conv_p(g) == 1 && mch_conv_q(g) == 1 &&
	       g->pad_top == 0 && g->pad_left == 0;
}

/* The input is its own column matrix. */
static bool is_pointwise(const struct mch_conv *g)
{
	return g->r == 1 && g->s == 1 && g->stride_h == 1 && g->stride_w == 1 && !g->pad_top && !g->pad_left &&
	       !g->pad_bottom && !g->pad_right;
}

static size_t column_elems(const struct mch_conv *g)
{
	return mch_conv_terms(g) * (size_t)mch_conv_p(g) * (size_t)mch_conv_q(g);
}

size_t mch_grad_conv_scratch_elems(const struct mch_conv *g)
{
	if (mch_grad_is_depthwise(g))
		return mch_grad_depthwise_scratch_elems(g);
	return is_dense(g) || is_pointwise(g) ? 0 : 2 * column_elems(g);
}

/* Outputs q in [begin, end) of one row read inside the input at kernel column s; their first input column. */
struct span {
	int begin, end, x;
};

static struct span inside(const struct mch_conv *g, int n_q, int s)
{
	const int start = s * g->dilation_w - g->pad_left; /* input column of q = 0 */
	const int begin = start >= 0 ? 0 : (-start + g->stride_w - 1) / g->stride_w;
	const int end = start >= g->w ? 0 : (g->w - 1 - start) / g->stride_w + 1;
	struct span span = {begin, end < n_q ? end : n_q, 0};
	if (span.begin > span.end)
		span.begin = span.end;
	span.x = start + span.begin * g->stride_w;
	return span;
}

/* memcpy in blocks of a constant size, which the compiler puts in line: rows are short and a call costs as much as a
 * row. */
static void copy(float *restrict to, const float *restrict from, int n)
{
	enum { BLOCK = 8 };
	for (; n >= BLOCK; n -= BLOCK, to += BLOCK, from += BLOCK)
		memcpy(to, from, BLOCK * sizeof(*to));
	if (n > 0)
		memcpy(to, from, (size_t)n * sizeof(*to));
}

static void clear(float *to, int n)
{
	if (n > 0)
		memset(to, 0, (size_t)n * sizeof(*to));
}

/* The convolution keeps the rows' length: a tap then reads the whole plane at one distance, but for what wraps
 * around. */
static bool is_flat(const struct mch_conv *g)
{
	return g->stride_h == 1 && g->stride_w == 1 && mch_conv_q(g) == g->w && mch_conv_p(g) <= INT32_MAX / g->w;
}

/* Elements [begin, end) of the output plane read the input plane, element i at i + shift. */
struct flat {
	ptrdiff_t begin, end, shift;
};

static struct flat flat_of(const struct mch_conv *g, int r, int s)
{
	const ptrdiff_t in = (ptrdiff_t)g->h * g->w, out = (ptrdiff_t)mch_conv_p(g) * g->w;
	const int down = r * g->dilation_h - g->pad_top, right = s * g->dilation_w - g->pad_left;
	struct flat flat = {0, out, (ptrdiff_t)down * g->w + right};
	if (flat.shift < 0)
		flat.begin = -flat.shift < out ? -flat.shift : out;
	if (out + flat.shift > in)
		flat.end = in - flat.shift > flat.begin ? in - flat.shift : flat.begin;
	return flat;
}

/* What tap column s reads left or right of the plane. */
static void clear_margins(const struct mch_conv *g, int s, float *col)
{
	const struct span span = inside(g, g->w, s);
	const int n_p = mch_conv_p(g);
	if (span.begin == 0 && span.end == g->w)
		return;
	for (int p = 0; p < n_p; p++, col += g->w) {
		for (int q = 0; q < span.begin; q++)
			col[q] = 0;
		for (int q = span.end; q < g->w; q++)
			col[q] = 0;
	}
}

static void gather_flat(const struct mch_conv *g, const float *plane, int r, int s, float *col)
{
	const struct flat flat = flat_of(g, r, s);
	memset(col, 0, (size_t)flat.begin * sizeof(*col));
	memcpy(col + flat.begin, plane + flat.begin + flat.shift, (size_t)(flat.end - flat.begin) * sizeof(*col));
	memset(col + flat.end, 0, (size_t)((ptrdiff_t)mch_conv_p(g) * g->w - flat.end) * sizeof(*col));
	clear_margins(g, s, col);
}

/* The transpose of gather_flat; col may be written to. */
static void scatter_flat(const struct mch_conv *g, float *col, int r, int s, float *plane)
{
	const struct flat flat = flat_of(g, r, s);
	clear_margins(g, s, col);
	if (flat.end > flat.begin)
		mch_grad_add_scaled((size_t)(flat.end - flat.begin), 1, col + flat.begin,
				    plane + flat.begin + flat.shift);
}

/* One row of columns, term (c, r, s): col[p][q] = x[p * stride + r * dilation - pad][...], 0 in the padding. */
static void gather(const struct mch_conv *g, const float *plane, int r, int s, float *col)
{
	const int n_p = mch_conv_p(g), n_q = mch_conv_q(g);
	const struct span span = inside(g, n_q, s);
	for (int p = 0; p < n_p; p++, col += n_q) {
		const int y = p * g->stride_h + r * g->dilation_h - g->pad_top;
		if (y < 0 || y >= g->h) {
			clear(col, n_q);
			continue;
		}
		const float *from = plane + (ptrdiff_t)y * g->w + span.x;
		clear(col, span.begin);
		if (g->stride_w == 1)
			copy(col + span.begin, from, span.end - span.begin);
		else
			for (int q = span.begin; q < span.end; q++)
				col[q] = from[(q - span.begin) * g->stride_w];
		clear(col + span.end, n_q - span.end);
	}
}

/* The transpose of gather: adds each column value where it was read. */
static void scatter(const struct mch_conv *g, float *col, int r, int s, float *plane)
{
	const int n_p = mch_conv_p(g), n_q = mch_conv_q(g);
	const struct span span = inside(g, n_q, s);
	for (int p = 0; p < n_p; p++, col += n_q) {
		const int y = p * g->stride_h + r * g->dilation_h - g->pad_top;
		if (y < 0 || y >= g->h)
			continue;
		float *restrict to = plane + (ptrdiff_t)y * g->w + span.x;
		const float *restrict from = col + span.begin;
		if (g->stride_w == 1)
			for (int i = 0; i < span.end - span.begin; i++)
				to[i] += from[i];
		else
			for (int i = 0; i < span.end - span.begin; i++)
				to[i * g->stride_w] += from[i];
	}
}

/* Columns of one group of one image: [terms][p][q]. */
static const float *columns(const struct mch_conv *g, const float *x, float *scratch)
{
	if (is_pointwise(g))
		return x;
	const size_t pixels = (size_t)mch_conv_p(g) * (size_t)mch_conv_q(g);
	const bool flat = is_flat(g);
	float *col = scratch;
	for (int c = 0; c < g->c / g->groups; c++)
		for (int r = 0; r < g->r; r++)
			for (int s = 0; s < g->s; s++, col += pixels)
				(flat ? gather_flat : gather)(g, x + (ptrdiff_t)c * g->h * g->w, r, s, col);
	return scratch;
}

static void add_columns(const struct mch_conv *g, float *col, float *dx)
{
	const bool flat = is_flat(g);
	const size_t pixels = (size_t)mch_conv_p(g) * (size_t)mch_conv_q(g);
	for (int c = 0; c < g->c / g->groups; c++)
		for (int r = 0; r < g->r; r++)
			for (int s = 0; s < g->s; s++, col += pixels)
				(flat ? scatter_flat : scatter)(g, col, r, s, dx + (ptrdiff_t)c * g->h * g->w);
}

/* Sizes that the loops over images and groups step by. */
struct steps {
	int k, pixels, terms;    /* of one group */
	size_t x, y, w, x_image; /* elements of one group; of one image */
};

static struct steps group_steps(const struct mch_conv *g)
{
	struct steps step = {.k = g->k / g->groups, .pixels = mch_conv_p(g) * mch_conv_q(g),
			     .terms = (int)mch_conv_terms(g)};
	step.x_image = (size_t)g->c * (size_t)g->h * (size_t)g->w;
	step.x = step.x_image / (size_t)g->groups;
	step.y = (size_t)step.k * (size_t)step.pixels;
	step.w = (size_t)step.k * (size_t)step.terms;
	return step;
}

static void add_bias(int n, int k, int pixels, const float *bias, float *y)
{
	for (int i = 0; i < n; i++)
		for (int j = 0; j < k; j++)
			for (int at = 0; at < pixels; at++)
				*y++ += bias[j];
}

void mch_grad_conv_forward(const struct mch_conv *g, const float *x, const float *w, const float *bias,
			   float *scratch, float *y)
{
	const struct steps step = group_steps(g);
	if (mch_grad_is_depthwise(g)) {
		mch_grad_depthwise_forward(g, x, w, scratch, y);
	} else if (is_dense(g)) {
		multiply((struct product){'N', 'T', g->n, g->k, step.terms, 0}, x, w, y);
	} else {
		for (int i = 0; i < g->n * g->groups; i++) {
			const float *col = columns(g, x + (size_t)i * step.x, scratch);
			multiply((struct product){'N', 'N', step.k, step.pixels, step.terms, 0},
				 w + (size_t)(i % g->groups) * step.w, col, y + (size_t)i * step.y);
		}
	}
	if (bias)
		add_bias(g->n, g->k, step.pixels, bias, y);
}

/* db[k] = sum over images and pixels of dy; double, so that the order of a long sum does not matter much. */
static void bias_backward(const struct mch_conv *g, int pixels, const float *dy, float *db)
{
	for (int k = 0; k < g->k; k++) {
		double sum = 0;
		for (int n = 0; n < g->n; n++) {
			const float *from = dy + ((ptrdiff_t)n * g->k + k) * pixels;
			float part = 0;
			for (int at = 0; at < pixels; at++)
				part += from[at];
			sum += (double)part;
		}
		db[k] = (float)sum;
	}
}

/* One product serves all images. */
static void dense_backward(const struct mch_conv *g, int terms, const struct mch_grad_conv *t)
{
	if (t->dw)
		multiply((struct product){'T', 'N', g->k, terms, g->n, 0}, t->dy, t->x, t->dw);
	if (t->dx)
		multiply((struct product){'N', 'N', g->n, terms, g->k, 0}, t->dy, t->w, t->dx);
}

static void columns_backward(const struct mch_conv *g, const struct steps *step, const struct mch_grad_conv *t)
{
	const bool in_place = is_pointwise(g);
	float *const dcol = in_place ? NULL : t->scratch + column_elems(g);
	if (t->dx && !in_place)
		memset(t->dx, 0, (size_t)g->n * step->x_image * sizeof(float));
	for (int i = 0; i < g->n * g->groups; i++) {
		const size_t w_at = (size_t)(i % g->groups) * step->w;
		const float *dy = t->dy + (size_t)i * step->y;
		/* The first image writes, the others add. */
		if (t->dw)
			multiply((struct product){'N', 'T', step->k, step->terms, step->pixels, i < g->groups ? 0 : 1},
				 dy, columns(g, t->x + (size_t)i * step->x, t->scratch), t->dw + w_at);
		if (!t->dx)
			continue;
		float *dx = t->dx + (size_t)i * step->x;
		multiply((struct product){'T', 'N', step->terms, step->pixels, step->k, 0}, t->w + w_at, dy,
			 in_place ? dx : dcol);
		if (!in_place)
			add_columns(g, dcol, dx);
	}
}

void mch_grad_conv_backward(const struct mch_conv *g, const struct mch_grad_conv *t)
{
	const struct steps step = group_steps(g);
	if (t->db)
		bias_backward(g, step.pixels, t->dy, t->db);
	if (mch_grad_is_depthwise(g))
		mch_grad_depthwise_backward(g, t);
	else if (is_dense(g))
		dense_backward(g, step.terms, t);
	else
		columns_backward(g, &step, t);
}

/* The convolution that runs the other way: from the output of t to its input. Padding at the end does not matter to
 * the walk, only to its size; it gives way to the rows that out_pad adds. */
static struct mch_conv mirrored(const struct mch_grad_deconv *t)
{
	struct mch_conv g = t->g;
	g.c = t->g.k, g.h = t->p, g.w = t->q, g.k = t->g.c;
	g.pad_bottom -= t->p - ((t->g.h - 1) * g.stride_h + (g.r - 1) * g.dilation_h + 1 - g.pad_top - g.pad_bottom);
	g.pad_right -= t->q - ((t->g.w - 1) * g.stride_w + (g.s - 1) * g.dilation_w + 1 - g.pad_left - g.pad_right);
	return g;
}

size_t mch_grad_deconv_scratch_elems(const struct mch_grad_deconv *t)
{
	const struct mch_conv g = mirrored(t);
	return mch_grad_conv_scratch_elems(&g);
}

void mch_grad_deconv_forward(const struct mch_grad_deconv *t, const float *x, const float *w, const float *bias,
			     float *scratch, float *y)
{
	const struct mch_conv g = mirrored(t);
	mch_grad_conv_backward(&g, &(struct mch_grad_conv){.w = w, .dy = x, .scratch = scratch, .dx = y});
	if (bias)
		add_bias(g.n, g.c, g.h * g.w, bias, y);
}

void mch_grad_deconv_backward(const struct mch_grad_deconv *t, const struct mch_grad_conv *b)
{
	const struct mch_conv g = mirrored(t);
	const struct mch_conv out = {.n = g.n, .k = g.c};
	if (b->db)
		bias_backward(&out, g.h * g.w, b->dy, b->db);
	if (b->dx)
		mch_grad_conv_forward(&g, b->dy, b->w, NULL, b->scratch, b->dx);
	if (b->dw)
		mch_grad_conv_backward(&g, &(struct mch_grad_conv){.x = b->dy, .w = b->w, .dy = b->x,
								   .scratch = b->scratch, .dw = b->dw});
}
