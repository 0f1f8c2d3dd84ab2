/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The bit-width search; see search.h. */
#include "quant/search.h"

#include <math.h>
#include <string.h>

#include "base/require.h"

enum { WIDEST = MCH_OPERAND_BITS_MAX };

/* The search in progress. */
struct walk {
	struct mch_search *s;
	const struct mch_search_config *config;
	struct mch_err *err;
	int n_expected; /* scores, for the progress bar */
};

bool mch_search_passes(const struct mch_search_config *config, int n_correct)
{
	if (isnan(config->error_margin))
		return true;
	/* In whole answers. The slack is for margins that are no binary fraction: 0.07 % of 10000 is 7. */
	const double lost = (double)config->n_float_correct - (double)n_correct;
	return lost <= config->error_margin * (double)config->n_images / 100 + 1e-6;
}

static int score(struct walk *w, const int *width, int *n_correct)
{
	int *known = &w->s->known[width[0]][width[1]][width[2]];
	if (*known < 0) {
		int found = -1;
		if (w->config->lookup && w->config->lookup(w->config->ctx, width, &found)) {
			w->s->n_reused++;
		} else {
			if (w->config->score(w->config->ctx, width, &found, w->err) != 0)
				return -1;
			if (w->config->store && w->config->store(w->config->ctx, width, found, w->err) != 0)
				return -1;
		}
		MCH_REQUIRE(found >= 0 && found <= w->config->n_images, "a score is a number of images");
		*known = found;
		w->s->n_scores++;
		if (w->s->n_scores > w->n_expected)
			w->n_expected = w->s->n_scores;
		if (w->config->progress)
			w->config->progress(w->config->ctx, w->s->n_scores, w->n_expected);
	}
	*n_correct = *known;
	return 0;
}

/* Step 1 for one part. */
static int search_part(struct walk *w, int part)
{
	int width[MCH_N_PARTS] = {WIDEST, WIDEST, WIDEST};
	bool still_passes = true;
	for (int bits = WIDEST; bits >= 1; bits--) {
		width[part] = bits;
		int *n_correct = &w->s->alone[part][bits];
		if (score(w, width, n_correct) != 0)
			return -1;
		still_passes = still_passes && mch_search_passes(w->config, *n_correct);
		if (still_passes)
			w->s->alone_width[part] = bits;
	}
	return 0;
}

static int try_widths(struct walk *w, enum mch_search_why why, const int *width, struct mch_search_try **result)
{
	MCH_REQUIRE(w->s->n_tries < MCH_SEARCH_TRIES_MAX, "90 steps of 3 tries each are the longest path");
	struct mch_search_try *t = &w->s->tries[w->s->n_tries];
	*t = (struct mch_search_try){.why = why};
	memcpy(t->width, width, sizeof(t->width));
	if (score(w, width, &t->n_correct) != 0)
		return -1;
	w->s->n_tries++;
	*result = t;
	return 0;
}

static void take(struct walk *w, struct mch_search_try *t)
{
	t->is_taken = true;
	memcpy(w->s->width, t->width, sizeof(w->s->width));
	w->s->n_correct = t->n_correct;
}

/* Bits saved in all by a, against b; negative when a is larger. */
static long long saved(const struct walk *w, const struct mch_search_try *a, const struct mch_search_try *b)
{
	long long sum = 0;
	for (int p = 0; p < MCH_N_PARTS; p++)
		sum += (long long)(b->width[p] - a->width[p]) * w->config->weight_of[p];
	return sum;
}

/* One bit more (delta 1) or less (-1) for each part in turn, within [low, high]; the better of those that count is
 * left in *best, NULL when there is none. */
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
		const int known = w->s->known[width[0]][width[1]][width[2]];
		if (delta < 0 && known >= 0 && !mch_search_passes(w->config, known))
			continue; /* the step just taken, backwards: why it was taken */
		if (try_widths(w, delta > 0 ? MCH_SEARCH_STEP_BACK : MCH_SEARCH_TAKE_AWAY, width, &t) != 0)
			return -1;
		if (delta < 0 && !mch_search_passes(w->config, t->n_correct))
			continue;
		const long long bits = *best ? saved(w, t, *best) : 1;
		const int answers = *best ? t->n_correct - (*best)->n_correct : 1;
		const bool is_better = delta > 0 ? answers > 0 || (answers == 0 && bits > 0)
						 : bits > 0 || (bits == 0 && answers > 0);
		if (is_better)
			*best = t;
	}
	return 0;
}

/* Steps 2 and 3, from the widths of step 1. */
static int combine(struct walk *w)
{
	struct mch_search *s = w->s;
	const int widest[MCH_N_PARTS] = {WIDEST, WIDEST, WIDEST}, narrowest[MCH_N_PARTS] = {1, 1, 1};
	struct mch_search_try *t;
	if (try_widths(w, MCH_SEARCH_COMBINED, s->alone_width, &t) != 0)
		return -1;
	take(w, t);
	while (!mch_search_passes(w->config, s->n_correct)) {
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

int mch_search_run(struct mch_search *s, const struct mch_search_config *config, struct mch_err *err)
{
	memset(s, 0, sizeof(*s));
	memset(s->known, -1, sizeof(s->known));
	memset(s->alone, -1, sizeof(s->alone));
	struct walk w = {s, config, err, 2};
	const int widest[MCH_N_PARTS] = {WIDEST, WIDEST, WIDEST};
	memcpy(s->alone_width, widest, sizeof(widest));
	memcpy(s->width, widest, sizeof(widest));
	for (int p = 0; p < MCH_N_PARTS; p++)
		w.n_expected += config->has_part[p] && !config->fixed ? WIDEST - 1 : 0;
	if (score(&w, widest, &s->n_correct) != 0)
		return -1;
	if (config->fixed) {
		struct mch_search_try *only;
		if (try_widths(&w, MCH_SEARCH_COMBINED, config->fixed, &only) != 0)
			return -1;
		take(&w, only);
		return mch_search_passes(config, only->n_correct) ? 0 : 1;
	}
	if (!mch_search_passes(config, s->n_correct))
		return 1;
	for (int p = 0; p < MCH_N_PARTS; p++)
		if (config->has_part[p] && search_part(&w, p) != 0)
			return -1;
	return combine(&w) == 0 ? 0 : -1;
}
