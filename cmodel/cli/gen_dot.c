/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Operators that multiply and accumulate; see gen.h. */
#include "cli/gen.h"

#include <stdlib.h>

#include "cli/cmd.h"

/* Formats of the operands: a product must fit an accumulator of 48 bits, as in rtl/mch_mac.v. */
static void need_operands(const struct mch_gen_params *p)
{
	mch_gen_need_operand("--in", p->in[0], 46);
	mch_gen_need_operand("--weights", p->weights, 46);
	if (mch_gen_largest(p->in[0]) > (INT64_C(1) << 47) / mch_gen_largest(p->weights))
		mch_cmd_fail("--weights", "products of these formats have more than 48 bits; give narrower ones");
}

/* The ends of a sum of `terms` products over all codes: those of one product, since each term has its own operands. Products
 * below 2^47 and 2^16 terms. */
static void sum_ends(const struct mch_gen_params *p, int64_t terms, int64_t *low, int64_t *high)
{
	const struct mch_format x = p->in[0], w = p->weights;
	const int64_t xs[] = {mch_format_integer(x, mch_format_min(x)), mch_format_integer(x, mch_format_max(x))};
	const int64_t ws[] = {mch_format_integer(w, mch_format_min(w)), mch_format_integer(w, mch_format_max(w))};
	*low = *high = 0;
	for (int i = 0; i < 4; i++) {
		const int64_t product = xs[i & 1] * ws[i >> 1] * terms;
		*low = product < *low ? product : *low;
		*high = product > *high ? product : *high;
	}
}

void mch_gen_mac_setup(struct mch_gen *g)
{
	struct mch_gen_params *p = &g->p;
	need_operands(p);
	if (!p->acc.bits)
		p->acc = (struct mch_acc){24, MCH_WRAP};
	const int frac = p->in[0].frac + p->weights.frac;
	mch_gen_in(g, "acc_in", (struct mch_format){p->acc.bits, frac, true, MCH_FIXED, 0}, 1);
	mch_gen_in(g, "x", p->in[0], 1);
	mch_gen_in(g, "w", p->weights, 1);
	mch_gen_tail(g, &(struct mch_gen_tail){.frac = frac, .n_elements = 1, .n_channels = 1});
}

void mch_gen_mac(struct mch_gen *g)
{
	struct mch_gen_element *e = &g->element[0];
	e->acc = mch_acc_add(g->acc, g->values[0][0],
			     mch_format_integer(g->p.in[0], g->values[1][0]) * mch_format_integer(g->p.weights, g->values[2][0]),
			     &e->over);
}

/* Columns of g->conv; an output's channel is that of its place in `acc`, or its place in a row of the array. */
static void setup(struct mch_gen *g, bool is_array)
{
	const struct mch_conv *c = &g->conv;
	const struct mch_gen_params *p = &g->p;
	const size_t terms = mch_conv_terms(c), n_x = (size_t)c->n * (size_t)c->c * (size_t)c->h * (size_t)c->w;
	const size_t n_pixels = (size_t)mch_conv_p(c) * (size_t)mch_conv_q(c);
	struct mch_gen_tail tail = {.frac = p->in[0].frac + p->weights.frac,
				    .n_elements = (size_t)c->n * (size_t)c->k * n_pixels,
				    .n_channels = (size_t)c->k,
				    .has_bias = p->out.bits > 0};
	if (!is_array)
		g->y = (struct mch_shape){1, c->k, mch_conv_p(c), mch_conv_q(c)};
	need_operands(p);
	sum_ends(p, (int64_t)terms, &tail.low, &tail.high);
	mch_gen_in(g, "x", p->in[0], n_x);
	mch_gen_in(g, "w", p->weights, (size_t)c->k * terms);
	mch_gen_tail(g, &tail);
	g->x = calloc(n_x, sizeof(*g->x));
	g->w = calloc((size_t)c->k * terms, sizeof(*g->w));
	if (!g->x || !g->w)
		mch_cmd_fail(g->op->name, "out of memory; make it smaller");
	for (size_t i = 0; i < g->n_elements; i++)
		g->element[i].channel = (int)(is_array ? i % (size_t)c->k : i / n_pixels % (size_t)c->k);
}

void mch_gen_dot_setup(struct mch_gen *g)
{
	g->conv = mch_dense_geometry(1, g->p.terms, 1);
	setup(g, false);
}

/* A row of the array is an image of a dense layer, a column one of its outputs. */
void mch_gen_array_setup(struct mch_gen *g)
{
	g->conv = mch_dense_geometry(g->p.rows, g->p.terms, g->p.cols);
	setup(g, true);
}

void mch_gen_dense_setup(struct mch_gen *g)
{
	const struct mch_shape s = g->p.shape[0];
	g->conv = mch_dense_geometry(1, s.c * s.h * s.w, g->p.outputs);
	setup(g, false);
}

void mch_gen_conv_setup(struct mch_gen *g)
{
	const struct mch_gen_params *p = &g->p;
	const struct mch_shape s = p->shape[0];
	g->conv = (struct mch_conv){1, s.c, s.h, s.w, p->outputs, p->kernel[0], p->kernel[1], p->stride[0], p->stride[1],
				    p->pad[0], p->pad[1], p->pad[2], p->pad[3], p->dilation[0], p->dilation[1], p->groups};
	if (s.c % p->groups || p->outputs % p->groups)
		mch_cmd_fail("--groups", "%d does not divide %d input and %d output channels; give one that does", p->groups, s.c,
			     p->outputs);
	if (mch_conv_p(&g->conv) < 1 || mch_conv_q(&g->conv) < 1)
		mch_cmd_fail("--kernel", "the kernel does not fit into the input; give a larger --shape or more --pad");
	setup(g, false);
}

/* One accumulator of output (n, k, p, q): the steps of mch_conv, and whether one of them saturated. */
static void accumulate(struct mch_gen *g, const int at[4], struct mch_gen_element *e)
{
	const struct mch_conv *c = &g->conv;
	const int n_c = c->c / c->groups, first_c = at[1] / (c->k / c->groups) * n_c;
	const int64_t *w = g->w + (size_t)at[1] * mch_conv_terms(c);
	e->acc = 0;
	e->over = false;
	for (int i = 0; i < n_c; i++)
		for (int r = 0; r < c->r; r++)
			for (int s = 0; s < c->s; s++) {
				const ptrdiff_t from = mch_conv_x_at(c, at[0], first_c + i, r, s, at[2], at[3]);
				bool over;
				e->acc = mch_acc_add(g->acc, e->acc, (from < 0 ? 0 : g->x[from]) * *w++, &over);
				e->over = e->over || over;
			}
}

static void accumulate_all(struct mch_gen *g)
{
	const struct mch_conv *c = &g->conv;
	const int n_p = mch_conv_p(c), n_q = mch_conv_q(c);
	struct mch_gen_element *e = g->element;
	for (int n = 0; n < c->n; n++)
		for (int k = 0; k < c->k; k++)
			for (int p = 0; p < n_p; p++)
				for (int q = 0; q < n_q; q++)
					accumulate(g, (const int[]){n, k, p, q}, e++);
}

void mch_gen_conv(struct mch_gen *g)
{
	for (int i = 0; i < g->header.field[0].count; i++)
		g->x[i] = mch_format_integer(g->p.in[0], g->values[0][i]);
	for (int i = 0; i < g->header.field[1].count; i++)
		g->w[i] = mch_format_integer(g->p.weights, g->values[1][i]);
	accumulate_all(g);
}

/* Columns x and w hold one beat behind the other, as they enter the array: row i of beat t is element t * ROWS + i. */
void mch_gen_array(struct mch_gen *g)
{
	const int rows = g->p.rows, cols = g->p.cols, terms = g->p.terms;
	for (int t = 0; t < terms; t++) {
		for (int i = 0; i < rows; i++)
			g->x[i * terms + t] = mch_format_integer(g->p.in[0], g->values[0][t * rows + i]);
		for (int j = 0; j < cols; j++)
			g->w[j * terms + t] = mch_format_integer(g->p.weights, g->values[1][t * cols + j]);
	}
	accumulate_all(g);
}
