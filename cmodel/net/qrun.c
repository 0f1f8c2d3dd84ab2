/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Running the integer steps with the plain operators: the golden model of a whole network. See qnet.h. */
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "net/host.h"
#include "net/qnet.h"

size_t mch_step_in_elems(const struct mch_qnet *q, const struct mch_step *step)
{
	return step->in < 0 ? 0 : mch_shape_elems(q->net->edges[step->in].shape);
}

size_t mch_step_out_elems(const struct mch_qnet *q, const struct mch_step *step)
{
	return mch_shape_elems(q->net->edges[step->out].shape);
}

static void move(const struct mch_step *step, const struct mch_step_data *data)
{
	struct mch_shape in = step->in_shapes[0];
	in.n = data->n;
	if (step->form == MCH_FORM_GATHER)
		mch_gather(&step->layer->gather, in, step->fill, data->x[0], data->y);
	else if (step->layer->kind == MCH_TRANSPOSE)
		mch_transpose(step->layer->order, in, data->x[0], data->y);
	else
		memcpy(data->y, data->x[0], mch_shape_elems(in) * sizeof(*data->y));
}

struct mch_wide_mac mch_step_wide_mac(const struct mch_step *step, int n)
{
	struct mch_wide_mac mac = {step->conv, step->acc, step->integers, mch_format_min(step->in_format),
				   step->wide_weights, step->wide_bias, &step->requant};
	mac.conv.n = n;
	return mac;
}

/* Steps on numbers of any kind. */
static void run_wide(const struct mch_step *step, const struct mch_step_data *data, struct mch_events *events)
{
	const struct mch_shape out = step->out_shape;
	const struct mch_wide_mac mac = mch_step_wide_mac(step, data->n);
	const struct mch_wide_avg avg = {step->in_format, step->out_format, step->avg.round, step->avg.shift};
	struct mch_pool pool = step->pool;
	pool.n = data->n;
	switch (step->form) {
	case MCH_FORM_MAC:
		mch_wide_mac(&mac, data->x[0], data->y, events);
		break;
	case MCH_FORM_ELTWISE:
		mch_wide_eltwise(&step->eltwise, step->in_formats, &step->requant, data->n, data->x, data->y, events);
		break;
	case MCH_FORM_CONCAT:
		mch_wide_concat(&step->concat, step->in_formats, &step->requant, data->n, data->x, data->y, events);
		break;
	case MCH_FORM_POOL_AVG:
		mch_wide_pool_avg(&pool, &avg, data->x[0], data->y, events);
		break;
	default:
		mch_wide_requant(&step->requant, step->in_format, data->n, out.c, out.h * out.w, data->x[0], data->y,
				 events);
		break;
	}
}

int mch_step_compute(const struct mch_step *step, const struct mch_step_data *data, struct mch_events *events,
		     struct mch_err *err)
{
	const struct mch_shape out = step->out_shape;
	if (step->is_wide) {
		run_wide(step, data, events);
		return 0;
	}
	switch (step->form) {
	case MCH_FORM_ELTWISE:
		mch_eltwise(&step->eltwise, data->n, data->x, data->acc);
		mch_requant(&step->requant, data->n, out.c, out.h * out.w, data->acc, data->y, events);
		return 0;
	case MCH_FORM_CONCAT:
		mch_concat(&step->concat, &step->requant, data->n, data->x, data->y, events);
		return 0;
	case MCH_FORM_GATHER:
	case MCH_FORM_MOVE:
		move(step, data);
		return 0;
	case MCH_FORM_CONSTANT:
		for (int i = 0; i < data->n; i++)
			memcpy(data->y + (size_t)i * mch_shape_elems(out), step->codes,
			       mch_shape_elems(out) * sizeof(*data->y));
		return 0;
	case MCH_FORM_HOST:
		return mch_host_run(step, data, events, err);
	default:
		mch_step_run(step, data->n, data->x[0], data->acc, data->y, events);
		return 0;
	}
}

/* A run in progress. */
struct run {
	const struct mch_qnet *q;
	int n;
	int64_t *acc;
	int32_t **value;   /* [n_edges], NULL where no step writes */
	const int32_t **x; /* room for the inputs of a step */
};

static int run_steps(const struct run *run, struct mch_events *events, struct mch_err *err)
{
	for (int i = 0; i < run->q->n_steps; i++) {
		const struct mch_step *step = &run->q->steps[i];
		for (int j = 0; j < step->n_in; j++)
			run->x[j] = run->value[step->ins[j]];
		const struct mch_step_data data = {run->n, run->x, run->acc, run->value[step->out]};
		if (mch_step_compute(step, &data, events, err) != 0)
			return -1;
	}
	return 0;
}

static size_t room(const struct run *run, int edge)
{
	return (size_t)run->n * mch_shape_elems(run->q->net->edges[edge].shape);
}

/* Every edge that a step writes, where it is not tapped; the input. 0, or -1 when memory is short. */
static int allocate(struct run *run, int32_t *const *edge_values)
{
	const struct mch_qnet *q = run->q;
	size_t largest = room(run, q->input);
	int most = 1;
	run->value = calloc((size_t)q->net->n_edges, sizeof(*run->value));
	for (int i = -1; run->value && i < q->n_steps; i++) {
		const int e = i < 0 ? q->input : q->steps[i].out;
		run->value[e] =
			edge_values && edge_values[e] ? edge_values[e] : malloc(room(run, e) * sizeof(int32_t));
		if (!run->value[e])
			return -1;
		largest = room(run, e) > largest ? room(run, e) : largest;
		most = i >= 0 && q->steps[i].n_in > most ? q->steps[i].n_in : most;
	}
	run->acc = malloc(largest * sizeof(*run->acc));
	run->x = malloc((size_t)most * sizeof(*run->x));
	return run->value && run->acc && run->x ? 0 : -1;
}

int mch_qnet_run(const struct mch_qnet *q, int n, const int32_t *input, int32_t *output, int32_t *const *edge_values,
		 struct mch_events *events, struct mch_err *err)
{
	struct run run = {.q = q, .n = n};
	MCH_REQUIRE(q->net->n_edges > 0, "a network has an input");
	int status = allocate(&run, edge_values);
	if (status == 0) {
		memcpy(run.value[q->input], input, room(&run, q->input) * sizeof(int32_t));
		status = run_steps(&run, events, err);
	} else {
		mch_err_set(err, q->net->name ? q->net->name : "network",
			    "out of memory for %d images; use fewer at a time", n);
	}
	if (status == 0)
		memcpy(output, run.value[q->output], room(&run, q->output) * sizeof(int32_t));
	for (int e = 0; run.value && e < q->net->n_edges; e++)
		if (!edge_values || !edge_values[e])
			free(run.value[e]);
	free(run.value);
	free(run.acc);
	free(run.x);
	return status;
}
