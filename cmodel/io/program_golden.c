/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Golden memories; see program_golden.h. */
#include "io/program_golden.h"

#include <stdlib.h>
#include <string.h>

#include "arch/program_run.h"
#include "io/program_json.h"

static int no_memory(const struct mch_program *p, struct mch_err *err)
{
	return mch_err_set(err, p->q->net->name ? p->q->net->name : "network",
			   "out of memory; use a machine with more");
}

int mch_program_golden_init(struct mch_program_golden *g, const struct mch_program *p, struct mch_err *err)
{
	const struct mch_net *net = p->q->net;
	*g = (struct mch_program_golden){.p = p};
	g->value = calloc((size_t)net->n_edges, sizeof(*g->value));
	g->output = malloc(mch_shape_elems(net->edges[p->q->output].shape) * sizeof(*g->output));
	bool has_room = g->value && g->output;
	for (int e = 0; has_room && e < net->n_edges; e++) {
		if (!p->tensor[e].is_used)
			continue;
		g->value[e] = malloc(mch_shape_elems(net->edges[e].shape) * sizeof(**g->value));
		has_room = g->value[e] != NULL;
	}
	if (has_room)
		return 0;
	mch_program_golden_free(g);
	return no_memory(p, err);
}

void mch_program_golden_free(struct mch_program_golden *g)
{
	for (int e = 0; g->value && e < g->p->q->net->n_edges; e++)
		free(g->value[e]);
	free(g->value);
	free(g->output);
	*g = (struct mch_program_golden){0};
}

static int run_parts(const struct mch_program *p, uint8_t *mem, struct mch_err *err)
{
	struct mch_accel_memory memory = {mem, p->n_words, calloc(p->n_words, 1)};
	int status = memory.unsettled ? 0 : no_memory(p, err);
	for (int i = 0; status == 0 && i < p->n_parts; i++) {
		const struct mch_program_part *part = &p->part[i];
		if (part->is_host)
			status = mch_program_host_step(p, part->step, mem, err);
		else if (mch_program_run(&p->cfg, part->list, &memory, NULL, err) != 0)
			status = -1;
	}
	free(memory.unsettled);
	return status;
}

static int compare(const struct mch_program *p, int e, const uint8_t *mem, const int32_t *want, uint64_t *n_elems,
		   struct mch_err *err)
{
	const struct mch_shape shape = p->q->net->edges[e].shape;
	const size_t n = mch_shape_elems(shape), map = (size_t)p->tensor[e].h * (size_t)p->tensor[e].w;
	int32_t *got = malloc(n * sizeof(*got));
	int status = got ? 0 : no_memory(p, err);
	if (status == 0) {
		mch_program_get(p, e, mem, got);
		for (size_t i = 0; status == 0 && i < n; i++)
			if (got[i] != want[i])
				status = mch_err_set(err, mch_program_maker(p, e),
						     "channel %zu, pixel %zu: the program makes %d, the integer "
						     "network %d; this is a defect of the program's maker, report it",
						     i / map, i % map, got[i], want[i]);
		*n_elems += n;
	}
	free(got);
	return status;
}

int mch_program_golden_run(struct mch_program_golden *g, const int32_t *codes, uint8_t *mem, uint64_t *n_elems,
			   struct mch_err *err)
{
	const struct mch_program *p = g->p;
	if (mch_qnet_run(p->q, 1, codes, g->output, g->value, NULL, err) != 0 || run_parts(p, mem, err) != 0)
		return -1;
	for (int e = 0; e < p->q->net->n_edges; e++)
		if (p->tensor[e].is_used && e != p->q->input &&
		    compare(p, e, mem, g->value[e], n_elems, err) != 0)
			return -1;
	return 0;
}
