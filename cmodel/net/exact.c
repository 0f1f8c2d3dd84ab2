/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Exact integer forward on the fast operators; see exact.h. A step whose accumulator may overflow by design, or
 * that has no proven fast form, runs on the plain operators between two conversions. */
#include "net/exact.h"

#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "fast/conv.h"
#include "fast/one_thread.h"
#include "fast/pool.h"
#include "fast/requant.h"

enum how { PLAIN, CONV, POOL_MAX, POOL_AVG, RELU, FUSED /* into the step before it */ };

struct plan {
	const struct mch_step *step;
	enum how how;
	int out;                         /* edge; behind the fused pool, if any */
	struct mch_fast_conv *conv;      /* CONV */
	struct mch_fast_requant requant; /* RELU */
};

struct mch_exact {
	const struct mch_qnet *q;
	int batch;
	struct plan *plans;      /* [n_steps] */
	struct mch_codes *codes; /* [n_edges] */
	void **edge;             /* [n_edges] stored codes, NULL where no step writes */
	int32_t *x, *y;          /* scratch: raw codes of a batch of the largest edge */
	int64_t *acc;            /* scratch of PLAIN, NULL when no step is */
};

static int no_memory(const struct mch_qnet *q, struct mch_err *err)
{
	return mch_err_set(err, q->net->name ? q->net->name : "network",
			   "out of memory; use smaller batches or a machine with more memory");
}

/* The accumulator holds every partial sum, so neither wrapping nor saturating can happen. */
static bool cannot_overflow(const struct mch_step *step)
{
	const struct mch_certificate worst = mch_step_certificate(step);
	const struct mch_format acc = {step->acc.bits, 0, true};
	return worst.low >= mch_format_min(acc) && worst.high <= mch_format_max(acc);
}

/* The max pool that alone reads what step i writes, else -1. */
static int pool_behind(const struct mch_qnet *q, int i)
{
	int reader = -1;
	if (q->steps[i].out == q->output || q->steps[i].requant.round == MCH_ROUND_STOCHASTIC)
		return -1;
	for (int j = 0; j < q->n_steps; j++)
		if (q->steps[j].in == q->steps[i].out) {
			if (reader >= 0)
				return -1;
			reader = j;
		}
	return reader >= 0 && q->steps[reader].layer->kind == MCH_POOL_MAX ? reader : -1;
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

static int compile_conv(struct mch_exact *e, int i, struct mch_err *err)
{
	struct plan *plan = &e->plans[i];
	const struct mch_step *step = plan->step;
	const struct mch_shape in = e->q->net->edges[step->in].shape;
	const bool is_reordered = step->layer->kind == MCH_DENSE && in.h * in.w > 1;
	const int pool = pool_behind(e->q, i);
	if (!cannot_overflow(step))
		return 0;
	int32_t *weights = is_reordered ? reordered_weights(step, in) : NULL;
	if (is_reordered && !weights)
		return no_memory(e->q, err);
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
	plan->how = CONV;
	if (pool >= 0) {
		plan->out = e->q->steps[pool].out;
		e->plans[pool].how = FUSED;
	}
	return 0;
}

static int compile_relu(struct plan *plan, struct mch_err *err)
{
	const struct mch_pool *g = &plan->step->pool;
	const struct mch_pool none = {1, g->c, g->h, g->w, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, false, false};
	plan->how = RELU;
	return mch_fast_requant_init(&plan->requant, &plan->step->requant, plan->step->bias,
				     mch_codes_of(plan->step->out_format), &none, err);
}

static int compile_step(struct mch_exact *e, int i, struct mch_err *err)
{
	struct plan *plan = &e->plans[i];
	if (plan->how == FUSED)
		return 0;
	plan->out = plan->step->out;
	switch (plan->step->layer->kind) {
	case MCH_CONV:
	case MCH_DENSE:
		return compile_conv(e, i, err);
	case MCH_POOL_MAX:
		plan->how = POOL_MAX;
		return 0;
	case MCH_POOL_AVG:
		plan->how = POOL_AVG;
		return 0;
	case MCH_RELU:
		return compile_relu(plan, err);
	default:
		return 0;
	}
}

static int allocate_edge(struct mch_exact *e, int edge, struct mch_err *err)
{
	const size_t elems = (size_t)e->batch * mch_shape_elems(e->q->net->edges[edge].shape);
	if (!e->edge[edge])
		e->edge[edge] = calloc(elems * (size_t)e->codes[edge].bytes + MCH_CODES_SLACK_BYTES, 1);
	return e->edge[edge] ? 0 : no_memory(e->q, err);
}

static int allocate(struct mch_exact *e, struct mch_err *err)
{
	const struct mch_net *net = e->q->net;
	size_t largest = 0;
	bool is_plain = false;
	for (int i = 0; i < net->n_edges; i++)
		if (mch_shape_elems(net->edges[i].shape) > largest)
			largest = mch_shape_elems(net->edges[i].shape);
	largest = largest * (size_t)e->batch + MCH_CODES_BLOCK; /* parts of a requantizer are read in blocks */
	for (int i = 0; i < e->q->n_steps; i++)
		is_plain = is_plain || e->plans[i].how == PLAIN;
	e->x = calloc(largest, sizeof(*e->x));
	e->y = calloc(largest, sizeof(*e->y));
	if (is_plain)
		e->acc = calloc(largest, sizeof(*e->acc));
	if (!e->x || !e->y || (is_plain && !e->acc))
		return no_memory(e->q, err);
	int status = allocate_edge(e, e->q->input, err);
	for (int i = 0; status == 0 && i < e->q->n_steps; i++)
		if (e->plans[i].how != FUSED)
			status = allocate_edge(e, e->plans[i].out, err);
	return status;
}

struct mch_exact *mch_exact_new(const struct mch_qnet *q, int batch, struct mch_err *err)
{
	MCH_REQUIRE(batch >= 1, "a batch has images");
	struct mch_exact *e = calloc(1, sizeof(*e));
	if (!e) {
		no_memory(q, err);
		return NULL;
	}
	e->q = q;
	e->batch = batch;
	e->plans = calloc((size_t)q->n_steps, sizeof(*e->plans));
	e->codes = calloc((size_t)q->net->n_edges, sizeof(*e->codes));
	e->edge = calloc((size_t)q->net->n_edges, sizeof(*e->edge));
	int status = e->plans && e->codes && e->edge ? 0 : no_memory(q, err);
	if (status == 0)
		e->codes[q->input] = mch_codes_of(q->input_format);
	for (int i = 0; status == 0 && i < q->n_steps; i++) {
		e->plans[i].step = &q->steps[i];
		e->codes[q->steps[i].out] = mch_codes_of(q->steps[i].out_format);
	}
	for (int i = 0; status == 0 && i < q->n_steps; i++)
		status = compile_step(e, i, err);
	if (status == 0)
		status = allocate(e, err);
	if (status == 0)
		return e;
	mch_exact_free(e);
	return NULL;
}

void mch_exact_free(struct mch_exact *e)
{
	if (!e)
		return;
	for (int i = 0; e->plans && i < e->q->n_steps; i++) {
		mch_fast_conv_free(e->plans[i].conv);
		mch_fast_requant_free(&e->plans[i].requant);
	}
	for (int i = 0; e->edge && i < e->q->net->n_edges; i++)
		free(e->edge[i]);
	free(e->plans);
	free(e->codes);
	free(e->edge);
	free(e->x);
	free(e->y);
	free(e->acc);
	free(e);
}

static struct mch_shape edge_shape(const struct mch_exact *e, int edge, int n)
{
	struct mch_shape shape = e->q->net->edges[edge].shape;
	shape.n = n;
	return shape;
}

static void run_plain(struct mch_exact *e, const struct plan *plan, int n)
{
	const int in = plan->step->in, out = plan->out;
	mch_codes_unpack(e->codes[in], edge_shape(e, in, n), e->edge[in], e->x);
	mch_step_run(plan->step, n, e->x, e->acc, e->y, NULL);
	mch_codes_pack(e->codes[out], edge_shape(e, out, n), e->y, e->edge[out]);
}

static void run_relu(struct mch_exact *e, struct plan *plan, int n)
{
	const struct mch_shape shape = edge_shape(e, plan->step->in, n);
	const struct mch_part_sums sums = {1, 1, (size_t)shape.c, {{e->x}}};
	mch_codes_widen(e->codes[plan->step->in], mch_shape_elems(shape), e->edge[plan->step->in], e->x);
	mch_fast_requant_run(&plan->requant, n, &sums, e->edge[plan->out]);
}

static int run_step(struct mch_exact *e, struct plan *plan, int n, struct mch_err *err)
{
	const int in = plan->step->in, out = plan->out;
	struct mch_pool pool = plan->step->pool;
	pool.n = n;
	switch (plan->how) {
	case PLAIN:
		run_plain(e, plan, n);
		return 0;
	case CONV:
		return mch_fast_conv_run(plan->conv, n, e->edge[in], e->edge[out], err);
	case POOL_MAX:
		mch_fast_pool_max(&pool, e->codes[in], e->edge[in], e->edge[out]);
		return 0;
	case POOL_AVG:
		mch_fast_pool_avg(&pool, &plan->step->avg, &e->codes[in], e->edge[in], &e->codes[out], e->edge[out],
				  e->x);
		return 0;
	case RELU:
		run_relu(e, plan, n);
		return 0;
	case FUSED:
		return 0;
	}
	return 0;
}

int mch_exact_run(struct mch_exact *e, int n, const int32_t *input, int32_t *output, struct mch_err *err)
{
	const struct mch_qnet *q = e->q;
	MCH_REQUIRE(n >= 0 && n <= e->batch, "no more images than the batch");
	mch_codes_pack(e->codes[q->input], edge_shape(e, q->input, n), input, e->edge[q->input]);
	for (int i = 0; i < q->n_steps; i++)
		if (run_step(e, &e->plans[i], n, err) != 0)
			return -1;
	mch_codes_unpack(e->codes[q->output], edge_shape(e, q->output, n), e->edge[q->output], output);
	return 0;
}
