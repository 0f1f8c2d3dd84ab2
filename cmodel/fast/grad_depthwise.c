/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Depthwise convolution, forward and backward, without columns; see grad_depthwise.h.
 *
 * A padded plane is cut into its stride_h * stride_w phases: phase (a, b) has row i * stride_h + a, column j *
 * stride_w + b at (i, j). All phases have one pitch, and the output is laid out with it too. Every tap of the kernel
 * then reads one phase at one constant distance from the output, so that a plane is one long vector whatever its
 * width, stride and dilation are. The pitch is longer than an output row: what is computed in between is dropped, and
 * is 0 where it is read. */
#include "fast/grad_depthwise.h"

#include <string.h>

#include "fast/lanes.h"

struct plan {
	int n_p, n_q, rows, pitch; /* rows and pitch of a phase */
	int n_taps, n_phases;
	ptrdiff_t phase;                            /* elements of one */
	ptrdiff_t reach;                            /* largest shift */
	ptrdiff_t shift[MCH_GRAD_DEPTHWISE_TAPS];   /* in the phase, of tap (r, s) */
	int phase_of[MCH_GRAD_DEPTHWISE_TAPS];
	ptrdiff_t n_flat;                           /* the output at that pitch, whole vectors */
};

static ptrdiff_t whole_lanes(ptrdiff_t n)
{
	return (n + MCH_LANES - 1) / MCH_LANES * MCH_LANES;
}

static struct plan make_plan(const struct mch_conv *g)
{
	struct plan plan = {.n_p = mch_conv_p(g), .n_q = mch_conv_q(g), .n_taps = g->r * g->s,
			    .n_phases = g->stride_h * g->stride_w};
	plan.rows = plan.n_p + (g->r - 1) * g->dilation_h / g->stride_h;
	plan.pitch = plan.n_q + (g->s - 1) * g->dilation_w / g->stride_w;
	plan.phase = (ptrdiff_t)plan.rows * plan.pitch;
	plan.n_flat = whole_lanes((ptrdiff_t)plan.n_p * plan.pitch);
	for (int t = 0; t < plan.n_taps; t++) {
		const int r = t / g->s * g->dilation_h, s = t % g->s * g->dilation_w;
		plan.phase_of[t] = r % g->stride_h * g->stride_w + s % g->stride_w;
		plan.shift[t] = (ptrdiff_t)(r / g->stride_h) * plan.pitch + s / g->stride_w;
		plan.reach = plan.shift[t] > plan.reach ? plan.shift[t] : plan.reach;
	}
	return plan;
}

bool mch_grad_is_depthwise(const struct mch_conv *g)
{
	return g->groups > 1 && g->c == g->groups && (ptrdiff_t)g->r * g->s <= MCH_GRAD_DEPTHWISE_TAPS;
}

/* Room for the phases: vectors may read, and write, past the end. */
static ptrdiff_t phases_elems(const struct plan *plan)
{
	return plan->n_phases * plan->phase + plan->reach + 2 * MCH_LANES;
}

/* The output with zeros before and behind it: a shift back from phase element 0, and up to its last. */
static ptrdiff_t flat_elems(const struct plan *plan)
{
	return plan->reach + whole_lanes(plan->phase) + MCH_LANES;
}

size_t mch_grad_depthwise_scratch_elems(const struct mch_conv *g)
{
	const struct plan plan = make_plan(g);
	return (size_t)(2 * phases_elems(&plan) + flat_elems(&plan));
}

/* Phase columns [begin, end) lie inside the plane, from its column x on. */
struct span {
	int begin, end, x;
};

static struct span inside(int n, int stride, int start, int size)
{
	const int begin = start >= 0 ? 0 : (stride - 1 - start) / stride;
	const int end = start >= size ? 0 : (size - 1 - start) / stride + 1;
	struct span span = {begin < n ? begin : n, end < n ? end : n, 0};
	if (span.begin > span.end)
		span.begin = span.end;
	span.x = start + span.begin * stride;
	return span;
}

/* A row of the plane to a row of a phase. */
static void spread(struct span cols, int stride, const float *restrict from, float *restrict to)
{
	if (stride == 1)
		for (int j = cols.begin; j < cols.end; j++)
			to[j] = from[j - cols.begin];
	else
		for (int j = cols.begin; j < cols.end; j++)
			to[j] = from[(ptrdiff_t)(j - cols.begin) * stride];
}

/* The way back. */
static void add_back(struct span cols, int stride, const float *restrict from, float *restrict to)
{
	if (stride == 1)
		for (int j = cols.begin; j < cols.end; j++)
			to[j - cols.begin] += from[j];
	else
		for (int j = cols.begin; j < cols.end; j++)
			to[(ptrdiff_t)(j - cols.begin) * stride] += from[j];
}

static void to_phases(const struct mch_conv *g, const struct plan *plan, const float *plane, float *to)
{
	for (int a = 0; a < g->stride_h; a++)
		for (int b = 0; b < g->stride_w; b++) {
			const struct span cols = inside(plan->pitch, g->stride_w, b - g->pad_left, g->w);
			for (int i = 0; i < plan->rows; i++, to += plan->pitch) {
				const int y = i * g->stride_h + a - g->pad_top;
				if (y < 0 || y >= g->h)
					continue; /* all margins were cleared once */
				spread(cols, g->stride_w, plane + (ptrdiff_t)y * g->w + cols.x, to);
			}
		}
}

/* Adds to the plane; rows and columns that the output never reads are left alone. */
static void from_phases(const struct mch_conv *g, const struct plan *plan, const float *from, float *plane)
{
	for (int a = 0; a < g->stride_h; a++)
		for (int b = 0; b < g->stride_w; b++) {
			const struct span cols = inside(plan->pitch, g->stride_w, b - g->pad_left, g->w);
			for (int i = 0; i < plan->rows; i++, from += plan->pitch) {
				const int y = i * g->stride_h + a - g->pad_top;
				if (y < 0 || y >= g->h)
					continue;
				add_back(cols, g->stride_w, from, plane + (ptrdiff_t)y * g->w + cols.x);
			}
		}
}

/* y[i] = sum over taps of w[t] * x[i + at[t]]; n is a multiple of the lanes. */
MCH_CLONES
static void correlate(ptrdiff_t n, int n_taps, const float *w, const ptrdiff_t *at, const float *restrict x,
		      float *restrict y)
{
	for (ptrdiff_t i = 0; i < n; i += MCH_LANES) {
		float sum[MCH_LANES] = {0};
		for (int t = 0; t < n_taps; t++) {
			const float *restrict from = x + i + at[t];
			const float weight = w[t];
			for (int j = 0; j < MCH_LANES; j++)
				sum[j] += weight * from[j];
		}
		for (int j = 0; j < MCH_LANES; j++)
			y[i + j] = sum[j];
	}
}

/* Several sums at a time: they share dy, and one's latency hides behind the others. */
MCH_INLINE void dots(int n_taps, ptrdiff_t n, const float *restrict dy, const float *restrict x, const ptrdiff_t *at,
		     float *dw)
{
	float lane[4][MCH_LANES] = {{0}};
	for (ptrdiff_t i = 0; i < n; i += MCH_LANES)
		for (int t = 0; t < n_taps; t++)
			MCH_LANES_SIMD
			for (int j = 0; j < MCH_LANES; j++)
				lane[t][j] += dy[i + j] * x[i + at[t] + j];
	for (int t = 0; t < n_taps; t++)
		dw[t] += mch_lanes_sum(lane[t]);
}

/* dw[t] += sum of dy[i] * x[i + at[t]]. */
MCH_CLONES
static void all_dots(ptrdiff_t n, int n_taps, const float *dy, const float *x, const ptrdiff_t *at, float *dw)
{
	int t = 0;
	for (; t + 3 <= n_taps; t += 3)
		dots(3, n, dy, x, at + t, dw + t);
	for (; t < n_taps; t++)
		dots(1, n, dy, x, at + t, dw + t);
}

/* at[t]: where tap t reads the phases, from the output's place. */
static void read_offsets(const struct plan *plan, ptrdiff_t *at)
{
	for (int t = 0; t < plan->n_taps; t++)
		at[t] = plan->phase_of[t] * plan->phase + plan->shift[t];
}

void mch_grad_depthwise_forward(const struct mch_conv *g, const float *x, const float *w, float *scratch, float *y)
{
	const struct plan plan = make_plan(g);
	const int per_channel = g->k / g->c;
	float *flat = scratch + phases_elems(&plan);
	ptrdiff_t at[MCH_GRAD_DEPTHWISE_TAPS];
	read_offsets(&plan, at);
	memset(scratch, 0, (size_t)phases_elems(&plan) * sizeof(*scratch));
	for (int i = 0; i < g->n * g->k; i++) {
		if (i % per_channel == 0)
			to_phases(g, &plan, x + (ptrdiff_t)(i / per_channel) * g->h * g->w, scratch);
		correlate(plan.n_flat, plan.n_taps, w + (ptrdiff_t)(i % g->k) * plan.n_taps, at, scratch, flat);
		for (int p = 0; p < plan.n_p; p++, y += plan.n_q)
			for (int q = 0; q < plan.n_q; q++)
				y[q] = flat[p * plan.pitch + q];
	}
}

/* dy at the phases' pitch; what lies between its rows stays 0. */
static void to_flat(const struct plan *plan, const float *dy, float *flat)
{
	for (int p = 0; p < plan->n_p; p++, dy += plan->n_q, flat += plan->pitch)
		for (int q = 0; q < plan->n_q; q++)
			flat[q] = dy[q];
}

/* Slope of the phases: each phase sums over the taps that read it, looking back from where it stands. */
static void slope_of_phases(const struct plan *plan, const float *w, const float *flat, float *phases)
{
	for (int phase = 0; phase < plan->n_phases; phase++) {
		float weight[MCH_GRAD_DEPTHWISE_TAPS];
		ptrdiff_t at[MCH_GRAD_DEPTHWISE_TAPS];
		int n = 0;
		for (int t = 0; t < plan->n_taps; t++)
			if (plan->phase_of[t] == phase)
				weight[n] = w[t], at[n++] = -plan->shift[t];
		/* In the order of phases: the lanes past the end of one are the beginning of the next, written after
		 * it. */
		correlate(whole_lanes(plan->phase), n, weight, at, flat, phases + phase * plan->phase);
	}
}

void mch_grad_depthwise_backward(const struct mch_conv *g, const struct mch_grad_conv *t)
{
	const struct plan plan = make_plan(g);
	const int per_channel = g->k / g->c;
	const ptrdiff_t in = (ptrdiff_t)g->h * g->w, out = (ptrdiff_t)plan.n_p * plan.n_q;
	float *phases = t->scratch, *slope = phases + phases_elems(&plan);
	float *flat = slope + phases_elems(&plan) + plan.reach;
	ptrdiff_t at[MCH_GRAD_DEPTHWISE_TAPS];
	read_offsets(&plan, at);
	memset(phases, 0, mch_grad_depthwise_scratch_elems(g) * sizeof(*phases));
	if (t->dw)
		memset(t->dw, 0, (size_t)g->k * (size_t)plan.n_taps * sizeof(*t->dw));
	if (t->dx)
		memset(t->dx, 0, (size_t)(g->n * in) * (size_t)g->c * sizeof(*t->dx));
	for (int i = 0; i < g->n * g->k; i++) {
		const ptrdiff_t w_at = (ptrdiff_t)(i % g->k) * plan.n_taps, plane = i / per_channel;
		to_flat(&plan, t->dy + i * out, flat);
		if (t->dw) {
			if (i % per_channel == 0)
				to_phases(g, &plan, t->x + plane * in, phases);
			all_dots(plan.n_flat, plan.n_taps, flat, phases, at, t->dw + w_at);
		}
		if (t->dx) {
			slope_of_phases(&plan, t->w + w_at, flat, slope);
			from_phases(g, &plan, slope, t->dx + plane * in);
		}
	}
}
