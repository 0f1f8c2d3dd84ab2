/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The worst case of an accumulator, and the input that brings it about; see witness.h. */
#include "net/witness.h"

#include <string.h>

/* One axis of a convolution. */
struct axis {
	int n_in, n_kernel, n_out, stride, pad, dilation;
};

/* Of the kernel's rows, or columns, those that lie on the input at one output: neighbours. */
struct span {
	int first, n;
};

/* ceil(a / b), brought into 0 .. limit. */
static int divide_up(int a, int b, int limit)
{
	const int up = a <= 0 ? 0 : (a - 1) / b + 1;
	return up < limit ? up : limit;
}

static struct span span_at(const struct axis *a, int at)
{
	const int before = a->pad - at * a->stride; /* rows of padding that the kernel begins in */
	const int first = divide_up(before, a->dilation, a->n_kernel);
	return (struct span){first, divide_up(a->n_in + before, a->dilation, a->n_kernel) - first};
}

/* The first of the outputs whose span no other's holds, save its equals. Neither end of a span lies behind that of the
 * output before, so that what holds it stands beside it, or beside its equals. */
static bool is_widest(const struct axis *a, int at)
{
	const struct span span = span_at(a, at);
	if (span.n == 0 || (at > 0 && span_at(a, at - 1).first == span.first))
		return false;
	for (int i = at + 1; i < a->n_out; i++) {
		const struct span behind = span_at(a, i);
		if (behind.first != span.first || behind.n != span.n)
			return behind.first + behind.n < span.first + span.n;
	}
	return true;
}

/* Extremes of a sum of products. */
struct extremes {
	int64_t x_min, x_max; /* <= 0 <= */
	int64_t low, high;    /* 16 + 16 bits a term and less than 2^31 terms: 63 bits */
	mch_int128 wide_low, wide_high; /* of a wide step: 42 + 42 bits a term */
};

static void add_terms(struct extremes *e, const int32_t *w, size_t n)
{
	for (size_t t = 0; t < n; t++) {
		e->low += w[t] < 0 ? w[t] * e->x_max : w[t] * e->x_min;
		e->high += w[t] < 0 ? w[t] * e->x_min : w[t] * e->x_max;
	}
}

static void add_wide_terms(struct extremes *e, const int64_t *w, size_t n)
{
	for (size_t t = 0; t < n; t++) {
		const mch_int128 at_min = (mch_int128)w[t] * e->x_min, at_max = (mch_int128)w[t] * e->x_max;
		e->wide_low += w[t] < 0 ? at_max : at_min;
		e->wide_high += w[t] < 0 ? at_min : at_max;
	}
}

/* Weights first .. first + n - 1, counted over all channels. */
static void add_step_terms(struct extremes *e, const struct mch_step *step, size_t first, size_t n)
{
	if (step->is_wide)
		add_wide_terms(e, step->wide_weights + first, n);
	else
		add_terms(e, step->weights + first, n);
}

/* Of output channel k where these rows and columns of the kernel lie on the input. */
static struct extremes extremes_of(const struct mch_step *step, int k, struct span rows, struct span columns)
{
	const struct mch_conv *g = &step->conv;
	const size_t n_terms = mch_conv_terms(g), n_c = (size_t)(g->c / g->groups);
	const size_t n_r = (size_t)g->r, n_s = (size_t)g->s;
	const size_t w = (size_t)k * n_terms;
	const struct mch_format x = step->in_format;
	struct extremes e = {.x_min = mch_format_integer(x, mch_format_min(x)),
			     .x_max = mch_format_integer(x, mch_format_max(x))};
	if (rows.n == g->r && columns.n == g->s) {
		add_step_terms(&e, step, w, n_terms);
		return e;
	}
	for (size_t c = 0; c < n_c; c++)
		for (size_t r = (size_t)rows.first; r < (size_t)(rows.first + rows.n); r++)
			add_step_terms(&e, step, w + (c * n_r + r) * n_s + (size_t)columns.first, (size_t)columns.n);
	return e;
}

static void look_at(const struct mch_step *step, int p, int q, struct span rows, struct span columns,
		    struct mch_witness *worst)
{
	for (int k = 0; k < step->conv.k; k++) {
		const struct extremes e = extremes_of(step, k, rows, columns);
		const mch_int128 low = step->is_wide ? e.wide_low : e.low, high = step->is_wide ? e.wide_high : e.high;
		if (low < worst->low.value)
			worst->low = (struct mch_bound){low, k, p, q};
		if (high > worst->high.value)
			worst->high = (struct mch_bound){high, k, p, q};
	}
}

struct mch_witness mch_step_witness(const struct mch_step *step)
{
	const struct mch_conv *g = &step->conv;
	const struct axis down = {g->h, g->r, mch_conv_p(g), g->stride_h, g->pad_top, g->dilation_h};
	const struct axis across = {g->w, g->s, mch_conv_q(g), g->stride_w, g->pad_left, g->dilation_w};
	struct mch_witness worst = {0};
	for (int p = 0; p < down.n_out; p++)
		for (int q = 0; q < across.n_out && is_widest(&down, p); q++)
			if (is_widest(&across, q))
				look_at(step, p, q, span_at(&down, p), span_at(&across, q), &worst);
	worst.bits = mch_wide_bits(worst.low.value, worst.high.value);
	return worst;
}

static bool is_negative(const struct mch_step *step, size_t i)
{
	return step->is_wide ? step->wide_weights[i] < 0 : step->weights[i] < 0;
}

void mch_witness_input(const struct mch_step *step, const struct mch_bound *at, bool is_high, int32_t *x)
{
	const struct mch_conv *g = &step->conv;
	const size_t n_terms = mch_conv_terms(g);
	const size_t first = (size_t)at->k * n_terms;
	const int32_t low = (int32_t)mch_format_min(step->in_format), high = (int32_t)mch_format_max(step->in_format);
	memset(x, 0, (size_t)g->c * (size_t)g->h * (size_t)g->w * sizeof(*x));
	for (size_t t = 0; t < n_terms; t++) {
		const ptrdiff_t i = mch_conv_x_index(g, 0, at->k, at->p, at->q, t);
		if (i >= 0)
			x[i] = is_negative(step, first + t) == is_high ? low : high;
	}
}

struct mch_certificate mch_step_certificate(const struct mch_step *step)
{
	const struct mch_witness w = mch_step_witness(step);
	return (struct mch_certificate){w.low.value, w.high.value, w.bits};
}

int mch_qnet_n_narrow(const struct mch_qnet *q)
{
	int n = 0;
	for (int i = 0; i < q->n_steps; i++)
		n += q->steps[i].form == MCH_FORM_MAC && q->steps[i].acc.bits < mch_step_certificate(&q->steps[i]).bits;
	return n;
}
