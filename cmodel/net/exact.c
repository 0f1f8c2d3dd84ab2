/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Exact integer forward on the fast operators; see exact.h. A step whose accumulator may overflow by design, or
 * that has no proven fast form, runs on the plain operators between two conversions. */
#include "net/exact.h"

#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "fast/concat.h"
#include "fast/eltwise.h"
#include "fast/pool.h"
#include "net/exact_plan.h"
#include "net/host_lrn.h"

static int compile(struct mch_exact *e, struct mch_err *err)
{
	const struct mch_qnet *q = e->q;
	e->plans = calloc((size_t)q->n_steps, sizeof(*e->plans));
	e->codes = calloc((size_t)q->net->n_edges, sizeof(*e->codes));
	if (!e->plans || !e->codes)
		return mch_exact_no_memory(e, err);
	e->codes[q->input] = mch_codes_of(q->input_format);
	for (int i = 0; i < q->n_steps; i++) {
		e->plans[i].step = &q->steps[i];
		e->plans[i].whole = -1;
		e->codes[q->steps[i].out] = mch_codes_of(q->steps[i].out_format);
	}
	for (int i = 0; i < q->n_steps; i++)
		if (mch_exact_compile(e, i, err) != 0)
			return -1;
	mch_exact_join(e);
	return mch_exact_allocate(e, err);
}

struct mch_exact *mch_exact_new(const struct mch_qnet *q, int batch, struct mch_err *err)
{
	MCH_REQUIRE(batch >= 1, "a batch has images");
	struct mch_exact *e = calloc(1, sizeof(*e));
	if (!e) {
		mch_err_set(err, q->net->name ? q->net->name : "network",
			    "out of memory; use a machine with more memory");
		return NULL;
	}
	e->q = q;
	e->batch = batch;
	if (compile(e, err) == 0)
		return e;
	mch_exact_free(e);
	return NULL;
}

void mch_exact_free(struct mch_exact *e)
{
	if (!e)
		return;
	for (int i = 0; e->plans && i < e->q->n_steps; i++)
		mch_exact_plan_free(&e->plans[i]);
	for (int i = 0; e->buffer && i < e->n_buffers; i++)
		free(e->buffer[i]);
	for (int i = 0; e->plain_x && i < e->n_plain_x; i++)
		free(e->plain_x[i]);
	free(e->plans);
	free(e->codes);
	free(e->edge);
	free(e->is_part);
	free(e->buffer);
	free(e->scratch);
	free(e->fast_x);
	free(e->plain_x);
	free(e->plain_y);
	free(e->acc);
	free(e);
}

static void *image_of(const struct mch_exact *e, int edge, int image)
{
	const size_t bytes = mch_shape_elems(mch_exact_shape(e, edge, 1)) * (size_t)e->codes[edge].bytes;
	return (uint8_t *)e->edge[edge] + (size_t)image * bytes;
}

/* The image in plain_x. */
static int compute_plain(struct mch_exact *e, const struct mch_exact_plan *plan, struct mch_err *err)
{
	const struct mch_step *step = plan->step;
	const struct mch_step_data data = {1, (const int32_t *const *)e->plain_x, e->acc, e->plain_y};
	struct mch_events events = {0};
	if (plan->how == MCH_HOW_ORDERED) {
		e->n_overflows += mch_fast_ordered_run(plan->ordered, data.x[0], data.acc);
		mch_requant(&step->requant, 1, step->conv.k, mch_conv_p(&step->conv) * mch_conv_q(&step->conv), data.acc,
			    data.y, NULL);
		return 0;
	}
	const int status = mch_step_compute(step, &data, &events, err);
	e->n_overflows += events.n_acc_over;
	return status;
}

/* Image by image, which changes nothing: noise starts anew with each. */
static int run_plain(struct mch_exact *e, const struct mch_exact_plan *plan, int n, struct mch_err *err)
{
	const struct mch_step *step = plan->step;
	for (int image = 0; image < n; image++) {
		for (int i = 0; i < step->n_in; i++) {
			const int in = step->ins[i];
			mch_codes_unpack(e->codes[in], mch_exact_shape(e, in, 1), image_of(e, in, image),
					 e->plain_x[i]);
		}
		if (compute_plain(e, plan, err) != 0)
			return -1;
		mch_codes_pack(e->codes[plan->out], mch_exact_shape(e, plan->out, 1), e->plain_y,
			       image_of(e, plan->out, image));
	}
	return 0;
}

static void run_move(const struct mch_exact *e, const struct mch_exact_plan *plan, int n)
{
	const int in = plan->step->in, out = plan->out;
	const size_t elems = mch_shape_elems(plan->step->out_shape);
	for (int image = 0; image < n; image++)
		mch_fast_move(elems, plan->from, e->codes[out].bytes, plan->step->fill + e->codes[out].zero,
			      image_of(e, in, image), image_of(e, out, image));
}

static void run_eltwise(const struct mch_exact *e, const struct mch_exact_plan *plan, int n)
{
	const struct mch_step *step = plan->step;
	const struct mch_fast_eltwise op = {.cfg = &step->eltwise,
					    .requant = &step->requant,
					    .shift = step->shift[0],
					    .x_codes = plan->x_codes,
					    .y_codes = e->codes[plan->out]};
	mch_fast_eltwise(&op, n, e->fast_x, e->edge[plan->out]);
}

static int run_step(struct mch_exact *e, const struct mch_exact_plan *plan, int n, struct mch_err *err)
{
	const struct mch_step *step = plan->step;
	const int in = step->in, out = plan->out;
	struct mch_pool pool = step->pool;
	pool.n = n;
	for (int i = 0; i < step->n_in; i++)
		e->fast_x[i] = e->edge[step->ins[i]];
	switch (plan->how) {
	case MCH_HOW_PLAIN:
	case MCH_HOW_ORDERED:
		return run_plain(e, plan, n, err);
	case MCH_HOW_CONV:
		return mch_fast_conv_run(plan->conv, n, e->edge[in], e->scratch, e->edge[out], err);
	case MCH_HOW_WIDE:
		mch_fast_wide_run(plan->wide, n, e->edge[in], e->edge[out]);
		return 0;
	case MCH_HOW_POOL_MAX:
		mch_fast_pool_max(&pool, e->codes[in], e->edge[in], e->edge[out]);
		return 0;
	case MCH_HOW_POOL_AVG:
		mch_fast_pool_avg(&pool, &step->avg, &e->codes[in], e->edge[in], &e->codes[out], e->edge[out],
				  e->scratch);
		return 0;
	case MCH_HOW_ELTWISE:
		run_eltwise(e, plan, n);
		return 0;
	case MCH_HOW_CONCAT:
		for (int i = 0; i < step->n_in; i++) /* what lies there already */
			if (e->is_part[step->ins[i]])
				e->fast_x[i] = NULL;
		mch_fast_concat(&step->concat, plan->maps, n, e->fast_x, e->edge[out]);
		return 0;
	case MCH_HOW_MAP:
		mch_fast_map_run(plan->maps, mch_shape_elems(mch_exact_shape(e, out, n)), e->edge[in], e->edge[out]);
		return 0;
	case MCH_HOW_MOVE:
		run_move(e, plan, n);
		return 0;
	case MCH_HOW_LRN:
		mch_host_lrn(step, n, e->edge[in], e->edge[out], e->scratch);
		return 0;
	case MCH_HOW_CONSTANT:
	case MCH_HOW_FUSED:
		return 0;
	}
	return 0;
}

/* Of what step i writes, n images. */
static size_t step_bytes(const struct mch_exact *e, int i, int n)
{
	const int edge = e->q->steps[i].out;
	MCH_REQUIRE(e->edge[edge] && !e->is_part[edge], "a cut is an edge by itself");
	return mch_shape_elems(mch_exact_shape(e, edge, n)) * (size_t)e->codes[edge].bytes;
}

int mch_exact_run(struct mch_exact *e, int n, const int32_t *input, int32_t *output, struct mch_err *err)
{
	return mch_exact_run_span(e, n, &(struct mch_exact_span){.from = -1, .keep = -1}, input, output, err);
}

int mch_exact_run_span(struct mch_exact *e, int n, const struct mch_exact_span *span, const int32_t *input,
		       int32_t *output, struct mch_err *err)
{
	const struct mch_qnet *q = e->q;
	MCH_REQUIRE(n >= 0 && n <= e->batch, "no more images than the batch");
	if (span->from >= 0)
		memcpy(e->edge[q->steps[span->from].out], span->from_codes, step_bytes(e, span->from, n));
	else
		mch_codes_pack(e->codes[q->input], mch_exact_shape(e, q->input, n), input, e->edge[q->input]);
	for (int i = span->from + 1; i < q->n_steps; i++) {
		if (run_step(e, &e->plans[i], n, err) != 0)
			return -1;
		if (i == span->keep)
			memcpy(span->keep_codes, e->edge[q->steps[i].out], step_bytes(e, i, n));
	}
	mch_codes_unpack(e->codes[q->output], mch_exact_shape(e, q->output, n), e->edge[q->output], output);
	return 0;
}

uint64_t mch_exact_overflows(const struct mch_exact *e)
{
	return e->n_overflows;
}
