/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Operators that pool, join or move tensors; see gen.h. */
#include "cli/gen.h"

#include <stdlib.h>

#include "cli/cmd.h"
#include "op/concat.h"
#include "op/gather.h"

static const char *const names[MCH_GEN_INPUTS_MAX] = {"a", "b", "c", "d"};

/* ---- pools ---- */

static void window_setup(struct mch_gen *g)
{
	const struct mch_gen_params *p = &g->p;
	const struct mch_shape s = p->shape[0];
	const int usual = p->given & MCH_GEN_KERNEL ? 0 : 2;
	const bool is_global = !(g->op->takes & MCH_GEN_KERNEL);
	g->pool = (struct mch_pool){1, s.c, s.h, s.w, is_global ? s.h : usual ? usual : p->kernel[0],
				    is_global ? s.w : usual ? usual : p->kernel[1], p->stride[0], p->stride[1], p->pad[0], p->pad[1],
				    p->pad[2], p->pad[3], p->dilation[0], p->dilation[1], (p->given & MCH_GEN_CEIL) != 0,
				    (p->given & MCH_GEN_COUNT_PAD) != 0};
	mch_gen_need_operand("--in", p->in[0], 46);
	if (mch_pool_p(&g->pool) < 1 || mch_pool_q(&g->pool) < 1)
		mch_cmd_fail("--kernel", "the window does not fit into the input; give a larger --shape or more --pad");
	for (int i = 0; i < mch_pool_p(&g->pool); i++)
		for (int j = 0; j < mch_pool_q(&g->pool); j++) {
			const struct mch_window rows = mch_pool_rows(&g->pool, i), cols = mch_pool_cols(&g->pool, j);
			if (mch_window_positions(&rows) < 1 || mch_window_positions(&cols) < 1)
				mch_cmd_fail("--pad", "a window would lie in the padding alone; give less padding");
		}
	mch_gen_in(g, "x", p->in[0], mch_shape_elems(s));
	g->y = (struct mch_shape){1, s.c, mch_pool_p(&g->pool), mch_pool_q(&g->pool)};
}

static size_t pool_outputs(const struct mch_gen *g)
{
	return mch_shape_elems(g->y);
}

static void need_codes(struct mch_gen *g, size_t n_in, size_t n_out)
{
	g->in = calloc(n_in, sizeof(*g->in));
	g->out = calloc(n_out, sizeof(*g->out));
	if (!g->in || !g->out)
		mch_cmd_fail(g->op->name, "out of memory; make it smaller");
}

/* The operator's own function on codes, from column 0 into column 1. */
static void take_codes(const struct mch_gen *g)
{
	for (int i = 0; i < g->header.field[0].count; i++)
		g->in[i] = (int32_t)g->values[0][i];
}

static void give_codes(const struct mch_gen *g)
{
	for (int i = 0; i < g->header.field[1].count; i++)
		g->values[1][i] = g->out[i];
}

void mch_gen_pool_setup(struct mch_gen *g)
{
	window_setup(g);
	mch_gen_out(g, "y", g->p.in[0], pool_outputs(g));
	need_codes(g, mch_shape_elems(g->p.shape[0]), pool_outputs(g));
}

void mch_gen_max_pool(struct mch_gen *g)
{
	take_codes(g);
	mch_pool_max(&g->pool, g->in, g->out);
	give_codes(g);
}

void mch_gen_mean_setup(struct mch_gen *g)
{
	struct mch_gen_params *p = &g->p;
	const int64_t positions = (int64_t)g->p.shape[0].h * p->shape[0].w;
	if (!(p->given & MCH_GEN_OUT))
		p->out = p->in[0];
	if (p->round == MCH_ROUND_STOCHASTIC)
		mch_cmd_fail("--round", "a mean has no noise; give another mode");
	window_setup(g);
	/* A sum times 2^16 must stay in 62 bits. */
	if (positions > 1 << 15 || mch_gen_largest(p->in[0]) > (INT64_C(1) << 45) / positions)
		mch_cmd_fail("--shape", "a sum over %lld positions of this format is too wide; make it smaller",
			     (long long)positions);
	g->is_wide = mch_gen_largest(p->in[0]) > 1 << MCH_OPERAND_BITS_MAX;
	mch_gen_tail(g, &(struct mch_gen_tail){.frac = p->in[0].frac,
					       .n_elements = pool_outputs(g),
					       .n_channels = 1,
					       .more_shift = 16});
}

static int64_t window_sum(const struct mch_gen *g, const int64_t *x, const struct mch_window *rows,
			  const struct mch_window *cols)
{
	int64_t sum = 0;
	for (int i = rows->begin; i < rows->end; i += rows->step)
		for (int j = cols->begin; j < cols->end; j += cols->step)
			sum += mch_format_integer(g->p.in[0], x[i * g->pool.w + j]);
	return sum;
}

void mch_gen_mean(struct mch_gen *g)
{
	const int n_p = mch_pool_p(&g->pool), n_q = mch_pool_q(&g->pool);
	struct mch_gen_element *e = g->element;
	const int64_t *x = g->values[0];
	for (int c = 0; c < g->pool.c; c++, x += g->pool.h * g->pool.w)
		for (int p = 0; p < n_p; p++)
			for (int q = 0; q < n_q; q++, e++) {
				const struct mch_window rows = mch_pool_rows(&g->pool, p), cols = mch_pool_cols(&g->pool, q);
				const int64_t count = (int64_t)rows.extent * cols.extent;
				e->acc = window_sum(g, x, &rows, &cols) * mch_pool_recip(count);
			}
}

/* ---- elementwise, concat ---- */

/* At least two inputs of operands' formats; sums of them in 62 bits. */
static void need_inputs(struct mch_gen *g, int n)
{
	for (int i = 0; i < n; i++) {
		mch_gen_need_operand("--in", g->p.in[i], 46);
		g->is_wide = g->is_wide || mch_gen_largest(g->p.in[i]) > 1 << MCH_OPERAND_BITS_MAX;
	}
	if (!(g->p.given & MCH_GEN_OUT))
		g->p.out = g->p.in[0];
}

static void eltwise_setup(struct mch_gen *g, enum mch_eltwise_kind kind)
{
	const struct mch_gen_params *p = &g->p;
	const int n = p->n_in > 2 ? p->n_in : 2;
	const bool is_product = kind == MCH_ELTWISE_PROD;
	int frac = is_product ? p->in[0].frac + p->in[1].frac : p->in[0].frac;
	if (is_product && n > 2)
		mch_cmd_fail("--in", "a product has two factors; give two formats");
	if (p->n_shapes > 1)
		mch_cmd_fail("--shape", "the inputs of %s have one shape; give one", g->op->name);
	need_inputs(g, n);
	for (int i = 1; i < n && !is_product; i++)
		frac = p->in[i].frac > frac ? p->in[i].frac : frac;
	for (int i = 0; i < n; i++) {
		const int left = is_product ? 0 : frac - p->in[i].frac;
		if (left > MCH_ELTWISE_LEFT_MAX || mch_gen_largest(p->in[i]) > INT64_C(1) << (60 - left) / (is_product ? 2 : 1))
			mch_cmd_fail("--in", "input %s would be moved by %d bits, which is too wide; give nearer formats", names[i],
				     left);
		g->eltwise_in[i] = (struct mch_eltwise_in){p->shape[0], left, false};
		g->is_wide = g->is_wide || p->in[i].bits + left > MCH_ACC_BITS_MAX - 2;
		mch_gen_in(g, names[i], p->in[i], mch_shape_elems(p->shape[0]));
	}
	g->eltwise = (struct mch_eltwise){kind, n, g->eltwise_in, p->shape[0]};
	g->y = p->shape[0];
	const size_t n_out = mch_shape_elems(g->y), n_pixels = (size_t)p->shape[0].h * (size_t)p->shape[0].w;
	mch_gen_tail(g, &(struct mch_gen_tail){.frac = frac, .n_elements = n_out, .n_channels = (size_t)p->shape[0].c});
	for (size_t i = 0; i < n_out; i++)
		g->element[i].channel = (int)(i / n_pixels);
}

void mch_gen_add_setup(struct mch_gen *g)
{
	eltwise_setup(g, MCH_ELTWISE_SUM);
}

void mch_gen_mul_setup(struct mch_gen *g)
{
	eltwise_setup(g, MCH_ELTWISE_PROD);
}

void mch_gen_max_setup(struct mch_gen *g)
{
	eltwise_setup(g, MCH_ELTWISE_MAX);
}

void mch_gen_eltwise(struct mch_gen *g)
{
	for (size_t i = 0; i < g->n_elements; i++)
		for (int k = 0; k < g->eltwise.n_in; k++) {
			const int64_t integer = mch_format_integer(g->p.in[k], g->values[k][i]);
			const int64_t term = mch_eltwise_term(&g->eltwise_in[k], integer);
			g->element[i].acc = k == 0 ? term : mch_eltwise_join(g->eltwise.kind, g->element[i].acc, term);
		}
}

/* Along the channels: the input of an element is that of its channel. */
static size_t concat_from(const struct mch_gen *g, size_t i, int *input)
{
	for (*input = 0; i >= (size_t)g->header.field[*input].count; ++*input)
		i -= (size_t)g->header.field[*input].count;
	return i;
}

void mch_gen_concat_setup(struct mch_gen *g)
{
	const struct mch_gen_params *p = &g->p;
	int n = p->n_in > p->n_shapes ? p->n_in : p->n_shapes, n_channels = 0;
	n = n < 2 ? 2 : n;
	need_inputs(g, n);
	for (int i = 0; i < n; i++) {
		const struct mch_shape s = p->shape[i];
		if (s.h != p->shape[0].h || s.w != p->shape[0].w)
			mch_cmd_fail("--shape", "inputs are joined along the channels; give all the same rows and columns");
		const int shift = p->in[i].frac - p->out.frac;
		if (shift < MCH_SHIFT_MIN || shift > MCH_SHIFT_MAX)
			mch_cmd_fail("--out", "input %s would be shifted by %d, outside %d to %d; give a nearer format", names[i],
				     shift, MCH_SHIFT_MIN, MCH_SHIFT_MAX);
		n_channels += s.c;
		mch_gen_in(g, names[i], p->in[i], mch_shape_elems(s));
	}
	const size_t n_pixels = (size_t)p->shape[0].h * (size_t)p->shape[0].w;
	g->y = (struct mch_shape){1, n_channels, p->shape[0].h, p->shape[0].w};
	mch_gen_tail(g, &(struct mch_gen_tail){.frac = p->in[0].frac,
					       .n_elements = mch_shape_elems(g->y),
					       .n_channels = (size_t)n_channels});
	for (size_t i = 0; i < g->n_elements; i++) {
		int input;
		concat_from(g, i, &input);
		g->element[i].channel = (int)(i / n_pixels);
		g->element[i].shift = p->in[input].frac - p->out.frac;
	}
}

void mch_gen_concat(struct mch_gen *g)
{
	for (size_t i = 0; i < g->n_elements; i++) {
		int input;
		const size_t from = concat_from(g, i, &input);
		g->element[i].acc = mch_format_integer(g->p.in[input], g->values[input][from]);
	}
}

/* ---- moves ---- */

static void move_setup(struct mch_gen *g, struct mch_shape y)
{
	const size_t n_out = mch_shape_elems(y);
	g->y = y;
	mch_gen_need_operand("--in", g->p.in[0], 46);
	mch_gen_in(g, "x", g->p.in[0], mch_shape_elems(g->p.shape[0]));
	mch_gen_out(g, "y", g->p.in[0], n_out);
	need_codes(g, mch_shape_elems(g->p.shape[0]), n_out);
}

void mch_gen_transpose_setup(struct mch_gen *g)
{
	const struct mch_shape s = g->p.shape[0];
	const int size[] = {s.c, s.h, s.w}, *order = g->p.order;
	move_setup(g, (struct mch_shape){1, size[order[0]], size[order[1]], size[order[2]]});
}

void mch_gen_transpose(struct mch_gen *g)
{
	take_codes(g);
	mch_transpose(g->p.order, g->p.shape[0], g->in, g->out);
	give_codes(g);
}

void mch_gen_upsample_setup(struct mch_gen *g)
{
	const struct mch_shape s = g->p.shape[0];
	move_setup(g, (struct mch_shape){1, s.c, s.h * g->p.scale, s.w * g->p.scale});
}

void mch_gen_upsample(struct mch_gen *g)
{
	const struct mch_shape s = g->p.shape[0];
	const int scale = g->p.scale, size[] = {s.c, s.h * scale, s.w * scale};
	int at[MCH_VEC_WORD_BITS_MAX + 2], *next = at; /* the product of the sizes fits a word */
	for (int axis = 0; axis < 3; axis++)
		for (int i = 0; i < size[axis]; i++)
			*next++ = axis == 0 ? i : i / scale;
	const struct mch_gather gather = {size[0], size[1], size[2], at, 0};
	take_codes(g);
	mch_gather(&gather, s, 0, g->in, g->out);
	give_codes(g);
}
