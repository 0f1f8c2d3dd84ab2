/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The exact engine's memory: an edge's buffer is another's as soon as its last reader is done. See exact_plan.h. */
#include <stdlib.h>

#include "fast/requant.h"
#include "net/exact_plan.h"
#include "net/host_lrn.h"

enum { FREE = -1 };

/* Sharing in progress. */
struct share {
	size_t *bytes; /* [n_buffers] */
	int *held_by;  /* [n_buffers]: edge, or FREE */
	int *buffer;   /* [n_edges]: its buffer, or -1 */
	int *last;     /* [n_edges]: the last step that reads it; n_steps: behind the end */
};

static size_t edge_bytes(const struct mch_exact *e, int edge)
{
	return mch_shape_elems(mch_exact_shape(e, edge, e->batch)) * (size_t)e->codes[edge].bytes +
	       MCH_CODES_SLACK_BYTES;
}

static void find_last_readers(const struct mch_exact *e, struct share *s)
{
	for (int edge = 0; edge < e->q->net->n_edges; edge++)
		s->last[edge] = s->buffer[edge] = -1;
	for (int i = 0; i < e->q->n_steps; i++) {
		const struct mch_exact_plan *plan = &e->plans[i];
		if (plan->how == MCH_HOW_FUSED)
			continue;
		for (int j = 0; j < plan->step->n_in; j++)
			s->last[plan->step->ins[j]] = i;
		if (s->last[plan->out] < i)
			s->last[plan->out] = i; /* nobody reads it: free at once */
	}
	s->last[e->q->output] = e->q->n_steps;
	for (int i = 0; i < e->q->n_steps; i++)
		if (e->plans[i].how == MCH_HOW_CONSTANT) /* the next run needs it, too */
			s->last[e->plans[i].out] = e->q->n_steps;
}

/* The free buffer that wastes least, else the largest free one, which grows, else a new one. */
static void take_buffer(struct mch_exact *e, struct share *s, int edge)
{
	const size_t want = edge_bytes(e, edge);
	int best = -1;
	for (int i = 0; i < e->n_buffers; i++) {
		if (s->held_by[i] != FREE)
			continue;
		const bool fits = s->bytes[i] >= want, best_fits = best >= 0 && s->bytes[best] >= want;
		if (best < 0 || (fits && (!best_fits || s->bytes[i] < s->bytes[best])) ||
		    (!fits && !best_fits && s->bytes[i] > s->bytes[best]))
			best = i;
	}
	if (best < 0) {
		best = e->n_buffers++;
		s->bytes[best] = 0;
	}
	if (s->bytes[best] < want)
		s->bytes[best] = want;
	s->held_by[best] = edge;
	s->buffer[edge] = best;
}

static void share_out(struct mch_exact *e, struct share *s)
{
	/* Constants are written before the first step: none of their buffers has been another's. */
	for (int i = 0; i < e->q->n_steps; i++)
		if (e->plans[i].how == MCH_HOW_CONSTANT)
			take_buffer(e, s, e->plans[i].out);
	take_buffer(e, s, e->q->input);
	for (int i = 0; i < e->q->n_steps; i++) {
		if (e->plans[i].how == MCH_HOW_FUSED)
			continue;
		const int edge = e->plans[i].whole >= 0 ? e->plans[i].whole : e->plans[i].out;
		if (s->buffer[edge] < 0)
			take_buffer(e, s, edge);
		for (int b = 0; b < e->n_buffers; b++)
			if (s->held_by[b] != FREE && s->last[s->held_by[b]] <= i)
				s->held_by[b] = FREE;
	}
}

static int allocate_buffers(struct mch_exact *e, struct mch_err *err)
{
	const size_t n_edges = (size_t)e->q->net->n_edges;
	struct share s = {calloc(n_edges, sizeof(*s.bytes)), calloc(n_edges, sizeof(int)),
			  calloc(n_edges, sizeof(int)), calloc(n_edges, sizeof(int))};
	e->buffer = calloc(n_edges, sizeof(*e->buffer));
	e->edge = calloc(n_edges, sizeof(*e->edge));
	e->is_part = calloc(n_edges, sizeof(*e->is_part));
	const bool has_all =
		s.bytes && s.held_by && s.buffer && s.last && e->buffer && e->edge && e->is_part;
	int status = has_all ? 0 : mch_exact_no_memory(e, err);
	if (status == 0) {
		find_last_readers(e, &s);
		share_out(e, &s);
	}
	for (int i = 0; status == 0 && i < e->n_buffers; i++) {
		e->buffer[i] = calloc(s.bytes[i], 1);
		status = e->buffer[i] ? 0 : mch_exact_no_memory(e, err);
	}
	for (size_t edge = 0; status == 0 && edge < n_edges; edge++)
		e->edge[edge] = s.buffer[edge] >= 0 ? e->buffer[s.buffer[edge]] : NULL;
	for (int i = 0; status == 0 && i < e->q->n_steps; i++) {
		const struct mch_exact_plan *plan = &e->plans[i];
		if (plan->whole >= 0) {
			e->edge[plan->out] = (uint8_t *)e->edge[plan->whole] + plan->whole_at;
			e->is_part[plan->out] = true;
		}
	}
	free(s.bytes);
	free(s.held_by);
	free(s.buffer);
	free(s.last);
	return status;
}

/* One image each of the inputs and of the output of the steps that run plain. */
static int allocate_plain(struct mch_exact *e, struct mch_err *err)
{
	size_t largest = 0;
	for (int i = 0; i < e->q->n_steps; i++) {
		const struct mch_step *step = e->plans[i].step;
		if (e->plans[i].how != MCH_HOW_PLAIN && e->plans[i].how != MCH_HOW_ORDERED)
			continue;
		e->n_plain_x = step->n_in > e->n_plain_x ? step->n_in : e->n_plain_x;
		for (int j = -1; j < step->n_in; j++) {
			const size_t elems = mch_shape_elems(j < 0 ? step->out_shape : step->in_shapes[j]);
			largest = elems > largest ? elems : largest;
		}
	}
	if (largest == 0)
		return 0;
	e->plain_x = calloc((size_t)e->n_plain_x + 1, sizeof(*e->plain_x));
	e->plain_y = malloc(largest * sizeof(*e->plain_y));
	e->acc = malloc(largest * sizeof(*e->acc));
	bool has_all = e->plain_x && e->plain_y && e->acc;
	for (int i = 0; e->plain_x && i < e->n_plain_x; i++) {
		e->plain_x[i] = malloc(largest * sizeof(**e->plain_x));
		has_all = has_all && e->plain_x[i];
	}
	return has_all ? 0 : mch_exact_no_memory(e, err);
}

static int allocate_scratch(struct mch_exact *e, struct mch_err *err)
{
	size_t most = 1;
	int n_in = 1;
	for (int i = 0; i < e->q->n_steps; i++) {
		const struct mch_exact_plan *plan = &e->plans[i];
		size_t bytes = 0;
		if (plan->how == MCH_HOW_CONV)
			bytes = mch_fast_conv_scratch_bytes(plan->conv);
		else if (plan->how == MCH_HOW_LRN)
			bytes = mch_host_lrn_scratch_elems(plan->step) * sizeof(int64_t);
		else if (plan->how == MCH_HOW_POOL_AVG)
			bytes = (size_t)plan->step->pool.c * sizeof(int32_t);
		most = bytes > most ? bytes : most;
		n_in = plan->step->n_in > n_in ? plan->step->n_in : n_in;
	}
	e->scratch = aligned_alloc(MCH_SCRATCH_ALIGN,
				   (most + MCH_SCRATCH_ALIGN - 1) / MCH_SCRATCH_ALIGN * MCH_SCRATCH_ALIGN);
	e->fast_x = malloc((size_t)n_in * sizeof(*e->fast_x));
	return e->scratch && e->fast_x ? 0 : mch_exact_no_memory(e, err);
}

static void write_constants(struct mch_exact *e)
{
	for (int i = 0; i < e->q->n_steps; i++) {
		const struct mch_exact_plan *plan = &e->plans[i];
		if (plan->how != MCH_HOW_CONSTANT)
			continue;
		const size_t bytes = mch_shape_elems(plan->step->out_shape) * (size_t)e->codes[plan->out].bytes;
		uint8_t *to = e->edge[plan->out];
		for (int n = 0; n < e->batch; n++, to += bytes)
			mch_codes_pack(e->codes[plan->out], mch_exact_shape(e, plan->out, 1), plan->step->codes, to);
	}
}

int mch_exact_allocate(struct mch_exact *e, struct mch_err *err)
{
	if (allocate_buffers(e, err) != 0 || allocate_plain(e, err) != 0 || allocate_scratch(e, err) != 0)
		return -1;
	write_constants(e);
	return 0;
}
