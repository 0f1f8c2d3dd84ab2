/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Memory of training; see plan.h. */
#include "train/plan.h"

#include <stdlib.h>
#include <string.h>

#include "train/params.h"
#include "train/rows.h"

struct planner {
	const struct mch_net *net;
	int n_runs, logits;
	struct mch_plan *plan;
	int *n_readers;  /* [edge] */
	bool *is_wanted; /* [edge]: something trainable lies below */
	bool *is_free;   /* [buffer]: of slopes, while they are planned */
};

static size_t elems_of(const struct planner *p, int edge)
{
	return mch_shape_elems(p->net->edges[edge].shape);
}

static int new_buffer(struct planner *p, int edge)
{
	p->plan->elems[p->plan->n_buffers] = elems_of(p, edge);
	return p->plan->n_buffers++;
}

/* Layer i may write its output over its input: nobody else reads that, and who made it does not look back at it. */
static bool is_in_place(const struct planner *p, int i)
{
	const struct mch_layer *layer = &p->net->layers[i];
	if (!mch_rows[layer->kind].is_in_place)
		return false;
	const int in = layer->in[0], producer = p->net->edges[in].producer;
	return producer >= 0 && in != p->logits && p->n_readers[in] == 1 &&
	       !mch_rows[p->net->layers[producer].kind].needs_y;
}

static void plan_values(struct planner *p)
{
	const struct mch_net *net = p->net;
	for (int e = 0; e < net->n_edges; e++)
		p->plan->value[e] = -1;
	for (int i = 0; i < p->n_runs; i++) {
		const struct mch_layer *layer = &net->layers[i];
		p->plan->value[layer->out[0]] = is_in_place(p, i) ? p->plan->value[layer->in[0]]
								  : new_buffer(p, layer->out[0]);
	}
	for (int e = 0; e < net->n_edges; e++)
		if (net->edges[e].producer < 0)
			p->plan->value[e] = new_buffer(p, e);
}

/* A free buffer: the smallest that is large enough, else the largest, which grows; or a new one. */
static int take_buffer(struct planner *p, int edge)
{
	const size_t need = elems_of(p, edge);
	size_t *elems = p->plan->elems;
	int best = -1;
	for (int i = 0; i < p->plan->n_buffers; i++) {
		if (!p->is_free[i])
			continue;
		if (best < 0 ||
		    (elems[best] < need ? elems[i] > elems[best] : elems[i] >= need && elems[i] < elems[best]))
			best = i;
	}
	if (best < 0)
		return new_buffer(p, edge);
	elems[best] = elems[best] > need ? elems[best] : need;
	p->is_free[best] = false;
	return best;
}

/* In the order of backward. */
static void plan_slopes(struct planner *p)
{
	const struct mch_net *net = p->net;
	struct mch_plan *plan = p->plan;
	for (int e = 0; e < net->n_edges; e++)
		plan->slope[e] = -1;
	plan->slope[p->logits] = take_buffer(p, p->logits);
	for (int i = p->n_runs - 1; i >= 0; i--) {
		const struct mch_layer *layer = &net->layers[i];
		if (plan->slope[layer->out[0]] < 0)
			continue;
		for (int j = 0; j < layer->n_in; j++) {
			const int in = layer->in[j];
			if (!p->is_wanted[in])
				continue;
			if (plan->slope[in] < 0)
				plan->slope[in] = take_buffer(p, in);
			else if (elems_of(p, in) > plan->extra)
				plan->extra = elems_of(p, in);
		}
		p->is_free[plan->slope[layer->out[0]]] = true;
	}
}

static void look(struct planner *p)
{
	const struct mch_net *net = p->net;
	for (int i = 0; i < p->n_runs; i++) {
		const struct mch_layer *layer = &net->layers[i];
		bool is_wanted = mch_params_of_layer(net, i) > 0;
		for (int j = 0; j < layer->n_in; j++) {
			is_wanted = is_wanted || p->is_wanted[layer->in[j]];
			p->n_readers[layer->in[j]]++;
		}
		p->is_wanted[layer->out[0]] = is_wanted;
	}
}

int mch_plan_make(const struct mch_net *net, int n_runs, int logits, struct mch_plan *plan)
{
	const size_t n = (size_t)net->n_edges;
	struct planner p = {net, n_runs, logits, plan, calloc(n, sizeof(int)), calloc(n, sizeof(bool)),
			    calloc(2 * n, sizeof(bool))};
	*plan = (struct mch_plan){.elems = calloc(2 * n, sizeof(*plan->elems)),
				  .value = calloc(n, sizeof(*plan->value)),
				  .slope = calloc(n, sizeof(*plan->slope))};
	const bool is_made = p.n_readers && p.is_wanted && p.is_free && plan->elems && plan->value && plan->slope;
	if (is_made) {
		look(&p);
		plan_values(&p);
		plan_slopes(&p);
	}
	free(p.n_readers);
	free(p.is_wanted);
	free(p.is_free);
	return is_made ? 0 : -1;
}

void mch_plan_free(struct mch_plan *plan)
{
	free(plan->elems);
	free(plan->value);
	free(plan->slope);
	memset(plan, 0, sizeof(*plan));
}
