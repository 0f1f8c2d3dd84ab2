/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Gradients of the kinds that join, pick and move values, and of LRN; see rows.h. The forms here are the plain ones,
 * but for sums of equal shapes, which residual networks are made of. */
#include <math.h>
#include <string.h>

#include "fast/grad.h"
#include "train/rows.h"

static size_t elems(const struct mch_site *t, struct mch_shape s)
{
	return (size_t)t->run.n * mch_shape_elems(s);
}

static bool is_equal(struct mch_shape a, struct mch_shape b)
{
	return a.c == b.c && a.h == b.h && a.w == b.w;
}

static float coefficient(const struct mch_site *t, int i)
{
	return t->run.layer->weights ? t->run.layer->weights[i] : 1;
}

void mch_row_sum_forward(const struct mch_site *t)
{
	const struct mch_layer_run *run = &t->run;
	for (int i = 0; i < run->layer->n_in; i++)
		if (!is_equal(run->in[i], run->out)) {
			mch_run_eltwise(run);
			return;
		}
	mch_grad_scaled(elems(t, run->out), coefficient(t, 0), run->x[0], run->y);
	for (int i = 1; i < run->layer->n_in; i++)
		mch_grad_add_scaled(elems(t, run->out), coefficient(t, i), run->x[i], run->y);
}

/* Where an input has element (c, h, w) of image i of the output: a side of 1 repeats. */
static size_t repeated_at(struct mch_shape s, int i, int c, int h, int w)
{
	c = s.c == 1 ? 0 : c, h = s.h == 1 ? 0 : h, w = s.w == 1 ? 0 : w;
	return (((size_t)i * (size_t)s.c + (size_t)c) * (size_t)s.h + (size_t)h) * (size_t)s.w + (size_t)w;
}

/* dy/dx of input `which` at an element: the others' product, or whether it is the first of the largest. */
static double partial(const struct mch_site *t, int i, int c, int h, int w)
{
	const struct mch_layer_run *run = &t->run;
	const bool is_product = run->layer->kind == MCH_PROD;
	const float mine = run->x[t->which][repeated_at(run->in[t->which], i, c, h, w)];
	double product = 1;
	bool is_first = true;
	for (int j = 0; j < run->layer->n_in; j++) {
		if (j == t->which)
			continue;
		const float other = run->x[j][repeated_at(run->in[j], i, c, h, w)];
		product *= (double)other;
		is_first = is_first && (j < t->which ? other < mine : other <= mine);
	}
	return is_product ? product : is_first;
}

void mch_row_eltwise_backward(const struct mch_site *t)
{
	const struct mch_layer_run *run = &t->run;
	const struct mch_shape in = run->in[t->which], o = run->out;
	const bool is_sum = run->layer->kind == MCH_SUM;
	const float *dy = t->dy;
	if (is_sum && is_equal(in, o)) {
		mch_grad_scaled(elems(t, o), coefficient(t, t->which), dy, t->dx);
		return;
	}
	memset(t->dx, 0, elems(t, in) * sizeof(*t->dx));
	for (int i = 0; i < run->n; i++)
		for (int c = 0; c < o.c; c++)
			for (int h = 0; h < o.h; h++)
				for (int w = 0; w < o.w; w++) {
					const float by = is_sum ? coefficient(t, t->which)
								: (float)partial(t, i, c, h, w);
					t->dx[repeated_at(in, i, c, h, w)] += by * *dy++;
				}
}

static size_t part_elems(struct mch_shape s, int axis)
{
	return (size_t)s.w * (size_t)(axis <= 2 ? s.h : 1) * (size_t)(axis == 1 ? s.c : 1);
}

void mch_row_concat_backward(const struct mch_site *t)
{
	const int axis = t->run.layer->axis;
	const size_t row = part_elems(t->run.out, axis), part = part_elems(t->run.in[t->which], axis);
	const float *dy = t->dy;
	for (int i = 0; i < t->which; i++)
		dy += part_elems(t->run.in[i], axis);
	for (size_t i = 0; i < elems(t, t->run.in[t->which]) / part; i++)
		memcpy(t->dx + i * part, dy + i * row, part * sizeof(*dy));
}

void mch_row_gather_backward(const struct mch_site *t)
{
	const struct mch_gather *g = &t->run.layer->gather;
	const int *at_c = g->at, *at_h = at_c + g->n_c, *at_w = at_h + g->n_h;
	const struct mch_shape s = t->run.in[0];
	const float *dy = t->dy;
	memset(t->dx, 0, elems(t, s) * sizeof(*t->dx));
	for (int i = 0; i < t->run.n; i++)
		for (int c = 0; c < g->n_c; c++)
			for (int h = 0; h < g->n_h; h++)
				for (int w = 0; w < g->n_w; w++, dy++)
					if (at_c[c] >= 0 && at_h[h] >= 0 && at_w[w] >= 0)
						t->dx[repeated_at(s, i, at_c[c], at_h[h], at_w[w])] += *dy;
}

void mch_row_transpose_backward(const struct mch_site *t)
{
	const int *order = t->run.layer->order;
	const struct mch_shape o = t->run.out;
	const float *dy = t->dy;
	for (int i = 0; i < t->run.n; i++)
		for (int c = 0; c < o.c; c++)
			for (int h = 0; h < o.h; h++)
				for (int w = 0; w < o.w; w++) {
					int at[3];
					at[order[0]] = c, at[order[1]] = h, at[order[2]] = w;
					t->dx[repeated_at(t->run.in[0], i, at[0], at[1], at[2])] = *dy++;
				}
}

/* LRN: y[i] = x[i] * base[i]^-beta, base[i] = k + share * sum of x[j]^2 over the neighbours j of i. So dx[j] = dy[j]
 * * base[j]^-beta - 2 beta share x[j] * sum of dy[i] * x[i] * base[i]^(-beta - 1) over the i that have j as a
 * neighbour: those that j has, with before and behind exchanged. */
struct lrn {
	const struct mch_lrn *lrn;
	struct mch_shape s;
	double share, k;
	int before, behind;
};

struct reach {
	int begin, end;
};

static struct reach reach(int at, int before, int behind, int size)
{
	return (struct reach){at - before < 0 ? 0 : at - before, at + behind + 1 > size ? size : at + behind + 1};
}

/* Sum over the neighbours of (c, h, w) in one image of x^2, or, where it is given, of term[]: over those that have
 * it. */
static double neighbours(const struct lrn *l, const float *x, const float *term, int c, int h, int w)
{
	const int before = term ? l->behind : l->before, behind = term ? l->before : l->behind;
	const bool is_within = l->lrn->is_within;
	const struct reach cs = is_within ? (struct reach){c, c + 1} : reach(c, before, behind, l->s.c);
	const struct reach hs = is_within ? reach(h, before, behind, l->s.h) : (struct reach){h, h + 1};
	const struct reach ws = is_within ? reach(w, before, behind, l->s.w) : (struct reach){w, w + 1};
	double sum = 0;
	for (int i = cs.begin; i < cs.end; i++)
		for (int p = hs.begin; p < hs.end; p++)
			for (int q = ws.begin; q < ws.end; q++) {
				const size_t at = repeated_at(l->s, 0, i, p, q);
				sum += term ? (double)term[at] : (double)x[at] * (double)x[at];
			}
	return sum;
}

/* Two goes over an image: the terms of the second sum come first. */
static void lrn_image(const struct lrn *l, const float *x, const float *dy, float *terms, float *dx)
{
	const double beta = l->lrn->beta, twice = 2 * beta * l->share;
	size_t at = 0;
	for (int c = 0; c < l->s.c; c++)
		for (int h = 0; h < l->s.h; h++)
			for (int w = 0; w < l->s.w; w++, at++) {
				const double base = l->k + l->share * neighbours(l, x, NULL, c, h, w);
				const double by = pow(base, -beta);
				dx[at] = (float)((double)dy[at] * by);
				terms[at] = (float)((double)dy[at] * (double)x[at] * by / base);
			}
	at = 0;
	for (int c = 0; c < l->s.c; c++)
		for (int h = 0; h < l->s.h; h++)
			for (int w = 0; w < l->s.w; w++, at++)
				dx[at] -= (float)(twice * (double)x[at] * neighbours(l, x, terms, c, h, w));
}

size_t mch_row_lrn_scratch(const struct mch_site *t)
{
	return mch_shape_elems(t->run.out);
}

void mch_row_lrn_backward(const struct mch_site *t)
{
	const struct mch_lrn *lrn = &t->run.layer->lrn;
	const double n = lrn->is_within ? (double)lrn->size * lrn->size : lrn->size;
	const struct lrn l = {lrn, t->run.out, lrn->alpha / n, lrn->is_within ? 1 : lrn->k, (lrn->size - 1) / 2, lrn->size / 2};
	for (int i = 0; i < t->run.n; i++) {
		const size_t at = (size_t)i * mch_shape_elems(l.s);
		lrn_image(&l, t->run.x[0] + at, t->dy + at, t->scratch, t->dx + at);
	}
}
