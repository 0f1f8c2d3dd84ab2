/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* How the exact engine computes each step: the fast form where one is proven, else the plain operators. See
 * exact_plan.h. */
#include "net/exact_plan.h"

#include <stdlib.h>
#include <string.h>

#include "net/host.h"
#include "net/host_lrn.h"
#include "net/layer.h"

int mch_exact_no_memory(const struct mch_exact *e, struct mch_err *err)
{
	return mch_err_set(err, e->q->net->name ? e->q->net->name : "network",
			   "out of memory; use smaller batches or a machine with more memory");
}

struct mch_shape mch_exact_shape(const struct mch_exact *e, int edge, int n)
{
	struct mch_shape shape = e->q->net->edges[edge].shape;
	shape.n = n;
	return shape;
}

/* The accumulator holds every partial sum, so neither wrapping nor saturating can happen. */
static bool cannot_overflow(const struct mch_step *step)
{
	const struct mch_certificate worst = mch_step_certificate(step);
	const struct mch_format acc = {step->acc.bits, 0, true};
	return worst.low >= mch_format_min(acc) && worst.high <= mch_format_max(acc);
}

/* The step that alone reads an edge, once, else -1. */
static int only_reader(const struct mch_qnet *q, int edge)
{
	int reader = -1;
	if (edge == q->output)
		return -1;
	for (int j = 0; j < q->n_steps; j++)
		for (int k = 0; k < q->steps[j].n_in; k++)
			if (q->steps[j].ins[k] == edge) {
				if (reader >= 0)
					return -1;
				reader = j;
			}
	return reader;
}

int mch_exact_pool_behind(const struct mch_qnet *q, int i)
{
	const int reader = q->steps[i].requant.round == MCH_ROUND_STOCHASTIC ? -1 : only_reader(q, q->steps[i].out);
	return reader >= 0 && q->steps[reader].form == MCH_FORM_POOL_MAX ? reader : -1;
}

static int writer_of(const struct mch_exact *e, int edge)
{
	for (int i = 0; i < e->q->n_steps; i++)
		if (e->plans[i].how != MCH_HOW_FUSED && e->plans[i].out == edge)
			return i;
	return -1;
}

void mch_exact_join(struct mch_exact *e)
{
	for (int i = 0; i < e->q->n_steps; i++) {
		const struct mch_exact_plan *to = &e->plans[i];
		const struct mch_concat *concat = &to->step->concat;
		if (to->how != MCH_HOW_CONCAT || concat->axis != 1)
			continue;
		const size_t bytes = (size_t)e->codes[to->out].bytes, pixel = (size_t)concat->out.c * bytes;
		size_t at = 0;
		for (int j = 0; j < to->step->n_in; at += (size_t)concat->in[j].c * bytes, j++) {
			const int writer = writer_of(e, to->step->ins[j]);
			if (writer < 0 || e->plans[writer].how != MCH_HOW_CONV || !to->maps[j].is_same ||
			    only_reader(e->q, to->step->ins[j]) != i ||
			    !mch_fast_conv_scatter(e->plans[writer].conv, pixel))
				continue;
			e->plans[writer].whole = to->out;
			e->plans[writer].whole_at = at;
		}
	}
}

/* A dense layer's weights are in the order C, H, W of its input, stored codes in H, W, C. NULL: out of memory. */
static int32_t *reordered_weights(const struct mch_step *step, struct mch_shape in)
{
	const size_t c = (size_t)in.c, pixels = (size_t)in.h * (size_t)in.w, n_k = (size_t)step->conv.k;
	int32_t *out = malloc(n_k * c * pixels * sizeof(*out));
	for (size_t k = 0; out && k < n_k; k++)
		for (size_t channel = 0; channel < c; channel++)
			for (size_t i = 0; i < pixels; i++)
				out[(k * pixels + i) * c + channel] = step->weights[(k * c + channel) * pixels + i];
	return out;
}

static int compile_ordered(struct mch_exact_plan *plan, struct mch_err *err)
{
	const struct mch_step *step = plan->step;
	const struct mch_fast_ordered_spec spec = {step->conv, step->acc, step->in_format, step->weights};
	if (mch_fast_ordered_new(&spec, &plan->ordered, err) != 0)
		return -1;
	if (plan->ordered)
		plan->how = MCH_HOW_ORDERED;
	return 0;
}

static int compile_wide(struct mch_exact *e, struct mch_exact_plan *plan, struct mch_err *err)
{
	const struct mch_step *step = plan->step;
	const struct mch_wide_mac mac = mch_step_wide_mac(step, e->batch);
	const int64_t low = mch_format_integer(step->in_format, mch_format_min(step->in_format));
	const int64_t high = mch_format_integer(step->in_format, mch_format_max(step->in_format));
	const struct mch_shape as_conv = {1, step->conv.c, step->conv.h, step->conv.w};
	const bool is_dense = step->layer->kind == MCH_DENSE;
	const struct mch_fast_wide_spec spec = {.mac = &mac, .in = is_dense ? mch_exact_shape(e, step->in, 1) : as_conv, .x = step->in_format,
						.y = step->out_format, .x_largest = high > -low ? high : -low};
	if (step->acc.bits < mch_step_certificate(step).bits)
		return 0;
	if (mch_fast_wide_new(&spec, &plan->wide, err) != 0)
		return -1;
	if (plan->wide)
		plan->how = MCH_HOW_WIDE;
	return 0;
}

static int compile_conv(struct mch_exact *e, int i, struct mch_err *err)
{
	struct mch_exact_plan *plan = &e->plans[i];
	const struct mch_step *step = plan->step;
	const struct mch_shape in = mch_exact_shape(e, step->in, 1);
	const bool is_reordered = step->layer->kind == MCH_DENSE && in.h * in.w > 1;
	const int pool = mch_exact_pool_behind(e->q, i);
	if (!cannot_overflow(step) || step->requant.wraps)
		return compile_ordered(plan, err);
	int32_t *weights = is_reordered ? reordered_weights(step, in) : NULL;
	if (is_reordered && !weights)
		return mch_exact_no_memory(e, err);
	struct mch_fast_conv_spec spec = {.conv = step->conv,
					  .in = step->in_format,
					  .out = step->out_format,
					  .weights = is_reordered ? weights : step->weights,
					  .requant = &step->requant,
					  .pool = pool >= 0 ? &e->q->steps[pool].pool : NULL};
	spec.conv.n = e->batch;
	const int status = mch_fast_conv_new(&spec, &plan->conv, err);
	free(weights);
	if (status != 0 || !plan->conv)
		return status;
	plan->how = MCH_HOW_CONV;
	if (pool >= 0) {
		plan->out = e->q->steps[pool].out;
		e->plans[pool].how = MCH_HOW_FUSED;
	}
	return 0;
}

static int compile_eltwise(struct mch_exact *e, struct mch_exact_plan *plan, struct mch_err *err)
{
	plan->x_codes = malloc((size_t)plan->step->n_in * sizeof(*plan->x_codes));
	if (!plan->x_codes)
		return mch_exact_no_memory(e, err);
	for (int i = 0; i < plan->step->n_in; i++)
		plan->x_codes[i] = mch_codes_of(plan->step->in_formats[i]);
	plan->how = MCH_HOW_ELTWISE;
	return 0;
}

/* A lone requantizer, or one for each input of a concatenation. */
static int compile_requant(struct mch_exact *e, struct mch_exact_plan *plan, enum mch_exact_how how,
			   struct mch_err *err)
{
	const struct mch_step *step = plan->step;
	plan->maps = calloc((size_t)step->n_in, sizeof(*plan->maps));
	if (!plan->maps)
		return mch_exact_no_memory(e, err);
	for (int i = 0; i < step->n_in; i++)
		if (mch_fast_map_requant(&plan->maps[i], step->in_formats[i], step->out_format, &step->requant,
					 step->shift[i], err) != 0)
			return -1;
	plan->how = how;
	return 0;
}

/* A move, done once by the plain operator on the places themselves. */
static int compile_move(struct mch_exact *e, struct mch_exact_plan *plan, struct mch_err *err)
{
	const struct mch_shape in = plan->step->in_shapes[0], out = plan->step->out_shape;
	const size_t n_in = mch_shape_elems(in), n_out = mch_shape_elems(out);
	int32_t *x = malloc(n_in * sizeof(*x)), *y = malloc(n_out * sizeof(*y));
	plan->from = malloc(n_out * sizeof(*plan->from));
	int status = x && y && plan->from ? 0 : mch_exact_no_memory(e, err);
	if (status == 0) {
		const size_t in_pixels = (size_t)in.h * (size_t)in.w, out_pixels = (size_t)out.h * (size_t)out.w;
		for (size_t i = 0; i < n_in; i++) /* where NHWC has element i of NCHW */
			x[i] = (int32_t)(i % in_pixels * (size_t)in.c + i / in_pixels);
		struct mch_step step = *plan->step;
		step.fill = -1;
		const struct mch_step_data data = {1, (const int32_t *const[]){x}, NULL, y};
		status = mch_step_compute(&step, &data, NULL, err);
		for (size_t i = 0; i < n_out; i++)
			plan->from[i % out_pixels * (size_t)out.c + i / out_pixels] = y[i];
		plan->how = MCH_HOW_MOVE;
	}
	free(x);
	free(y);
	return status;
}

/* A function of one value as a table, when all tables together are small beside what they save. */
static int compile_host(struct mch_exact *e, struct mch_exact_plan *plan, struct mch_err *err)
{
	enum { TABLE_LIMIT = 1 << 20 };
	const struct mch_step *step = plan->step;
	const struct mch_layer *layer = step->layer;
	if (layer->kind == MCH_LRN && mch_host_lrn_is_exact(step))
		plan->how = MCH_HOW_LRN;
	if (!mch_host_is_map(layer))
		return 0;
	const bool has_channels =
		mch_layer_table[layer->kind].weights == MCH_WEIGHTS_CHANNEL && layer->n_weights != 1;
	const int n_tables = has_channels ? step->in_shapes[0].c : 1;
	if (((size_t)n_tables << step->in_format.bits) > TABLE_LIMIT)
		return 0;
	plan->maps = calloc((size_t)step->n_in, sizeof(*plan->maps));
	if (!plan->maps)
		return mch_exact_no_memory(e, err);
	struct mch_fast_map *map = &plan->maps[0];
	if (mch_fast_map_init(map, step->in_format, step->out_format, n_tables, err) != 0)
		return -1;
	const int32_t zero = mch_codes_of(step->out_format).zero;
	for (size_t i = 0; i < map->n_tables * map->size; i++) {
		const int32_t code = mch_fast_map_code(step->in_format, i % map->size);
		const float x = (float)mch_format_real(step->in_format, code);
		const float y = mch_layer_map(layer, (int)(i / map->size), x);
		map->table[i] = (uint16_t)(zero + mch_host_code(step->out_format, y, NULL));
	}
	plan->how = MCH_HOW_MAP;
	return 0;
}

int mch_exact_compile(struct mch_exact *e, int i, struct mch_err *err)
{
	struct mch_exact_plan *plan = &e->plans[i];
	const bool is_noisy = plan->step->requant.round == MCH_ROUND_STOCHASTIC;
	if (plan->how == MCH_HOW_FUSED)
		return 0;
	plan->out = plan->step->out;
	if (plan->step->is_wide && plan->step->form == MCH_FORM_MAC)
		return compile_wide(e, plan, err);
	if (plan->step->is_wide && plan->step->form != MCH_FORM_REQUANT && plan->step->form != MCH_FORM_CONCAT)
		return 0;
	switch (plan->step->form) {
	case MCH_FORM_MAC:
		return compile_conv(e, i, err);
	case MCH_FORM_POOL_MAX:
		plan->how = MCH_HOW_POOL_MAX;
		return 0;
	case MCH_FORM_POOL_AVG:
		plan->how = MCH_HOW_POOL_AVG;
		return 0;
	case MCH_FORM_REQUANT:
		return is_noisy ? 0 : compile_requant(e, plan, MCH_HOW_MAP, err);
	case MCH_FORM_CONCAT:
		return is_noisy ? 0 : compile_requant(e, plan, MCH_HOW_CONCAT, err);
	case MCH_FORM_ELTWISE:
		return is_noisy || plan->step->requant.wraps ? 0 : compile_eltwise(e, plan, err);
	case MCH_FORM_GATHER:
	case MCH_FORM_MOVE:
		return compile_move(e, plan, err);
	case MCH_FORM_CONSTANT:
		plan->how = MCH_HOW_CONSTANT;
		return 0;
	case MCH_FORM_HOST:
		return compile_host(e, plan, err);
	case MCH_FORM_NONE:
		return 0;
	}
	return 0;
}

void mch_exact_plan_free(struct mch_exact_plan *plan)
{
	mch_fast_conv_free(plan->conv);
	mch_fast_wide_free(plan->wide);
	mch_fast_ordered_free(plan->ordered);
	for (int i = 0; plan->maps && i < plan->step->n_in; i++)
		mch_fast_map_free(&plan->maps[i]);
	free(plan->maps);
	free(plan->from);
	free(plan->x_codes);
}
