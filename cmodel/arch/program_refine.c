/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Tiles by the cycle model; see program_refine.h. */
#include "arch/program_refine.h"

#include <stdlib.h>
#include <string.h>

#include "arch/program_time.h"

/* Candidate c of step i, best estimate first: tiles[i * MCH_REFINE_CANDIDATES + c]; 0: there are no more. */
struct search {
	const struct mch_qnet *q;
	const struct mch_accel_config *cfg;
	struct mch_program_options options;
	int *candidate;
	int *tried, *best;   /* [n_steps]: of this program; of the best so far */
	uint64_t *best_cycles, *cycles; /* [n_steps] */
};

/* Do `tiles` fit all descriptors of the step that begin at first? Their estimated cycles, or UINT64_MAX. */
static uint64_t estimate(const struct mch_program *p, int first, uint32_t tiles)
{
	const bool is_whole = p->cfg.round == MCH_ROUND_STOCHASTIC;
	uint64_t cycles = 0;
	for (int i = first; i < p->n_descriptors && p->descriptor[i].step == p->descriptor[first].step; i++) {
		struct mch_descriptor d = p->descriptor[i].d;
		if (mch_program_tiles(&d, &p->cfg, tiles, is_whole) != 0)
			return UINT64_MAX;
		cycles += mch_program_cycles(&d, &p->cfg);
	}
	return cycles;
}

/* The numbers of strips whose estimates are lowest, in order; of equal ones that with fewer strips comes first. */
static void find_candidates(const struct mch_program *p, int first, int *candidate)
{
	uint64_t cost[MCH_REFINE_CANDIDATES], last = 0;
	const uint64_t all = mch_descriptor_tiles(&p->descriptor[first].d, &p->cfg);
	int n = 0;
	for (uint64_t strips = 1; strips <= all; strips++) {
		const uint64_t tiles = (all + strips - 1) / strips;
		if (tiles == last || tiles > 65535)
			continue;
		last = tiles;
		const uint64_t cycles = estimate(p, first, (uint32_t)tiles);
		if (cycles == UINT64_MAX)
			continue;
		int at = n < MCH_REFINE_CANDIDATES ? n : MCH_REFINE_CANDIDATES;
		for (; at > 0 && cost[at - 1] > cycles; at--)
			if (at < MCH_REFINE_CANDIDATES) {
				cost[at] = cost[at - 1];
				candidate[at] = candidate[at - 1];
			}
		if (at < MCH_REFINE_CANDIDATES) {
			cost[at] = cycles;
			candidate[at] = (int)tiles;
			n += n < MCH_REFINE_CANDIDATES;
		}
	}
}

/* Cycles of each step and of all with the given tiles. */
static int time_steps(struct search *s, const int *tiles, bool is_first, uint64_t *total, struct mch_err *err)
{
	struct mch_program p;
	struct mch_program_options options = s->options;
	options.tiles = tiles;
	if (mch_program_build(&p, s->q, s->cfg, &options, err) != 0)
		return -1;
	struct mch_program_time *time = calloc((size_t)p.n_descriptors + 1, sizeof(*time));
	int status = time ? mch_program_time(&p, time, err)
			  : mch_err_set(err, "program", "out of memory; use a machine with more");
	memset(s->cycles, 0, (size_t)s->q->n_steps * sizeof(*s->cycles));
	*total = 0;
	for (int i = 0; status == 0 && i < p.n_descriptors; i++) {
		const int step = p.descriptor[i].step;
		s->cycles[step] += time[i].cycles;
		*total += time[i].cycles;
		if (is_first && (i == 0 || p.descriptor[i - 1].step != step))
			find_candidates(&p, i, s->candidate + (size_t)step * MCH_REFINE_CANDIDATES);
	}
	free(time);
	mch_program_free(&p);
	return status;
}

/* Steps hardly touch each other, so candidate c of all of them is tried in one program. */
static int search(struct search *s, uint64_t *before, uint64_t *after, struct mch_err *err)
{
	const size_t n = (size_t)s->q->n_steps;
	uint64_t total;
	if (time_steps(s, NULL, true, before, err) != 0)
		return -1;
	memcpy(s->best_cycles, s->cycles, n * sizeof(*s->cycles));
	for (int c = 0; c < MCH_REFINE_CANDIDATES; c++) {
		bool is_new = false;
		for (size_t i = 0; i < n; i++) {
			s->tried[i] = s->candidate[i * MCH_REFINE_CANDIDATES + (size_t)c];
			is_new |= s->tried[i] != 0;
		}
		if (!is_new || c == 0) /* the best estimate: what was built first */
			continue;
		if (time_steps(s, s->tried, false, &total, err) != 0)
			return -1;
		for (size_t i = 0; i < n; i++)
			if (s->tried[i] && s->cycles[i] < s->best_cycles[i]) {
				s->best_cycles[i] = s->cycles[i];
				s->best[i] = s->tried[i];
			}
	}
	if (time_steps(s, s->best, false, after, err) != 0)
		return -1;
	if (*after > *before) { /* what a step gained, its neighbours lost */
		memset(s->best, 0, n * sizeof(*s->best));
		*after = *before;
	}
	return 0;
}

int mch_program_refine(const struct mch_qnet *q, const struct mch_accel_config *cfg,
		       const struct mch_program_options *options, int *tiles, uint64_t *before, uint64_t *after,
		       struct mch_err *err)
{
	const size_t n = (size_t)q->n_steps + 1;
	struct search s = {.q = q, .cfg = cfg, .best = tiles};
	if (options)
		s.options = *options;
	memset(tiles, 0, (size_t)q->n_steps * sizeof(*tiles));
	s.candidate = calloc(n * MCH_REFINE_CANDIDATES, sizeof(*s.candidate));
	s.tried = calloc(n, sizeof(*s.tried));
	s.best_cycles = calloc(n, sizeof(*s.best_cycles));
	s.cycles = calloc(n, sizeof(*s.cycles));
	const int status = s.candidate && s.tried && s.best_cycles && s.cycles
				   ? search(&s, before, after, err)
				   : mch_err_set(err, "program", "out of memory; use a machine with more");
	free(s.candidate);
	free(s.tried);
	free(s.best_cycles);
	free(s.cycles);
	return status;
}
