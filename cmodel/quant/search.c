/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The bit-width search; see search.h. */
#include "quant/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/require.h"

enum { WIDEST = MCH_OPERAND_BITS_MAX };

/* The search in progress. */
struct walk {
	struct mch_search *s;
	const struct mch_search_config *config;
	struct mch_err *err;
	int8_t *setting; /* scratch */
};

int mch_search_need(const struct mch_search_config *config)
{
	if (isnan(config->error_margin))
		return 0;
	/* In whole answers. The slack is for margins that are no binary fraction: 0.07 % of 10000 is 7. */
	const double lost = floor(config->error_margin * (double)config->n_images / 100 + 1e-6);
	return lost >= config->n_float_correct ? 0 : config->n_float_correct - (int)lost;
}

static int right_of(const struct walk *w, long candidate)
{
	return w->config->candidates->list[candidate].right.n_correct;
}

static bool passes(const struct walk *w, long candidate)
{
	return right_of(w, candidate) >= mch_search_need(w->config);
}

/* With need 0, on all images. */
static int score(struct walk *w, const int *width, int need, long *candidate)
{
	w->config->spread(w->config->ctx, width, w->setting);
	*candidate = mch_candidates_score(w->config->candidates, w->setting, need, w->err);
	if (w->config->candidates->n_scored > w->s->n_expected)
		w->s->n_expected = w->config->candidates->n_scored;
	return *candidate < 0 ? -1 : 0;
}

/* The width of a part that is nearest. */
static int available(const struct mch_search_config *config, int part, int bits)
{
	const int low = config->narrowest[part] ? config->narrowest[part] : 1;
	const int high = config->widest[part] ? config->widest[part] : WIDEST;
	return bits < low ? low : bits > high ? high : bits;
}

static void widen(const struct mch_search_config *config, int width[MCH_N_PARTS])
{
	for (int p = 0; p < MCH_N_PARTS; p++)
		width[p] = available(config, p, WIDEST);
}

/* Step 1 for one part. */
static int search_part(struct walk *w, int part)
{
	int width[MCH_N_PARTS];
	widen(w->config, width);
	const int need = w->config->has_curves ? 0 : mch_search_need(w->config);
	bool still_passes = true;
	for (int bits = WIDEST; bits >= 1; bits = w->config->is_ladder ? bits / 2 : bits - 1) {
		long *candidate = &w->s->alone[part][bits];
		bool is_there = false; /* some part has this width, or it stands for wider ones */
		for (int p = 0; p < MCH_N_PARTS; p++)
			if (p == part || w->config->is_net) {
				width[p] = available(w->config, p, bits);
				is_there = is_there || width[p] == bits || bits == WIDEST;
			}
		if (!is_there)
			continue;
		if (score(w, width, need, candidate) != 0)
			return -1;
		still_passes = still_passes && passes(w, *candidate);
		if (w->config->is_ladder && !still_passes)
			break;
		for (int p = 0; p < MCH_N_PARTS && still_passes; p++)
			if (p == part || w->config->is_net)
				w->s->alone_width[p] = available(w->config, p, bits);
	}
	return 0;
}

static int try_widths(struct walk *w, enum mch_search_why why, const int *width, int need,
		      struct mch_search_try **result)
{
	MCH_REQUIRE(w->s->n_tries < MCH_SEARCH_TRIES_MAX, "90 steps of 3 tries each are the longest path");
	struct mch_search_try *t = &w->s->tries[w->s->n_tries];
	*t = (struct mch_search_try){.why = why};
	memcpy(t->width, width, sizeof(t->width));
	if (score(w, width, need, &t->candidate) != 0)
		return -1;
	w->s->n_tries++;
	*result = t;
	return 0;
}

static void take(struct walk *w, struct mch_search_try *t)
{
	t->is_taken = true;
	memcpy(w->s->width, t->width, sizeof(w->s->width));
	w->s->candidate = t->candidate;
}

/* Bits saved in all by a, against b; negative when a is larger. */
static long long saved(const struct walk *w, const struct mch_search_try *a, const struct mch_search_try *b)
{
	long long sum = 0;
	for (int p = 0; p < MCH_N_PARTS; p++)
		sum += (long long)(b->width[p] - a->width[p]) * w->config->weight_of[p];
	return sum;
}

/* The step just taken, backwards, is known to fail: why it was taken. */
static bool is_known_to_fail(struct walk *w, const int *width)
{
	w->config->spread(w->config->ctx, width, w->setting);
	const long known = mch_candidates_find(w->config->candidates, w->setting);
	return known >= 0 && !passes(w, known);
}

/* Of two steps in the same direction: the more accurate when bits are added, the smaller when they are taken away. */
static bool is_better(const struct walk *w, const struct mch_search_try *t, const struct mch_search_try *best,
		      int delta)
{
	if (!best)
		return true;
	const long long bits = saved(w, t, best);
	const int answers = right_of(w, t->candidate) - right_of(w, best->candidate);
	return delta > 0 ? answers > 0 || (answers == 0 && bits > 0) : bits > 0 || (bits == 0 && answers > 0);
}

/* One bit more (delta 1) or less (-1) for each part in turn, within [low, high]; the better of those that count is
 * left in *best, NULL when there is none. What fails matters only while nothing passes and bits are added. */
static int try_neighbours(struct walk *w, int delta, const int *low, const int *high, struct mch_search_try **best)
{
	*best = NULL;
	for (int p = 0; p < MCH_N_PARTS; p++) {
		int width[MCH_N_PARTS];
		struct mch_search_try *t;
		memcpy(width, w->s->width, sizeof(width));
		width[p] += delta;
		if (width[p] < low[p] || width[p] > high[p] || !w->config->has_part[p])
			continue;
		if (delta < 0 && is_known_to_fail(w, width))
			continue;
		const bool is_verdict = delta < 0 || (*best && passes(w, (*best)->candidate));
		if (try_widths(w, delta > 0 ? MCH_SEARCH_STEP_BACK : MCH_SEARCH_TAKE_AWAY, width,
			       is_verdict ? mch_search_need(w->config) : 0, &t) != 0)
			return -1;
		if ((delta > 0 || passes(w, t->candidate)) && is_better(w, t, *best, delta))
			*best = t;
	}
	return 0;
}

/* Steps 2 and 3, from the widths of step 1. */
static int combine(struct walk *w)
{
	struct mch_search *s = w->s;
	int widest[MCH_N_PARTS], narrowest[MCH_N_PARTS];
	struct mch_search_try *t;
	widen(w->config, widest);
	for (int p = 0; p < MCH_N_PARTS; p++)
		narrowest[p] = available(w->config, p, 1);
	if (try_widths(w, MCH_SEARCH_COMBINED, s->alone_width, 0, &t) != 0)
		return -1;
	take(w, t);
	if (w->config->is_ladder)
		return passes(w, s->candidate) ? 0 : 1;
	while (!passes(w, s->candidate)) {
		if (try_neighbours(w, 1, narrowest, widest, &t) != 0)
			return -1;
		/* 16 bits everywhere passed in step 1, and every path of single bits ends there. */
		MCH_REQUIRE(t, "the widest combination is known to pass");
		take(w, t);
	}
	do {
		if (try_neighbours(w, -1, s->alone_width, widest, &t) != 0)
			return -1;
		if (t)
			take(w, t);
	} while (t);
	return 0;
}

static int run(struct walk *w)
{
	struct mch_search *s = w->s;
	const struct mch_search_config *config = w->config;
	int widest[MCH_N_PARTS];
	widen(config, widest);
	if (score(w, widest, 0, &s->widest) != 0)
		return -1;
	s->candidate = s->widest;
	if (config->fixed) {
		struct mch_search_try *only;
		if (try_widths(w, MCH_SEARCH_COMBINED, config->fixed, 0, &only) != 0)
			return -1;
		take(w, only);
		return passes(w, only->candidate) ? 0 : 1;
	}
	if (!passes(w, s->widest))
		return 1;
	for (int p = 0; p < (config->is_net ? 1 : MCH_N_PARTS); p++)
		if (config->has_part[p] && search_part(w, p) != 0)
			return -1;
	return combine(w);
}

int mch_search_run(struct mch_search *s, const struct mch_search_config *config, struct mch_err *err)
{
	memset(s, 0, sizeof(*s));
	struct walk w = {s, config, err, malloc((size_t)config->candidates->n_knobs + 1)};
	if (!w.setting)
		return mch_err_set(err, "search", "out of memory; use a machine with more");
	s->n_expected = 2;
	for (int p = 0; p < MCH_N_PARTS; p++) {
		s->alone_width[p] = s->width[p] = WIDEST;
		if (config->has_part[p] && !config->fixed && (p == 0 || !config->is_net))
			s->n_expected += config->is_ladder ? 4 : WIDEST - 1;
		for (int bits = 0; bits < MCH_SEARCH_WIDTHS; bits++)
			s->alone[p][bits] = -1;
	}
	const int status = run(&w);
	free(w.setting);
	return status;
}
