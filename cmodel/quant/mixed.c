/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Mixed precision; see mixed.h. */
#include "quant/mixed.h"

#include <stdlib.h>
#include <string.h>

#include "base/require.h"

enum {
	WIDEST = MCH_OPERAND_BITS_MAX,
	JUMP_MAX = 3, /* bits that a step of the path may save: some cost falls only after two or three */
	FIRST_BATCH = 4,
};

struct walk {
	struct mch_mixed *m;
	const struct mch_mixed_config *config;
	struct mch_err *err;
	int n; /* knobs */
	size_t n_path;
	int8_t *path;           /* [n_path][n] */
	int8_t *setting, *next; /* [n]: taken last; to be tried */
	bool *is_left;          /* [n]: not to be narrowed, for it failed */
	double *noise;          /* [n][MCH_MIXED_WIDTHS], never rising with the width */
};

/* A knob to another width. */
struct move {
	int knob, bits;
	double saved, added; /* cost, noise */
};

static const char *const names[] = {
	[MCH_MIXED_START] = "start",
	[MCH_MIXED_HALVE] = "halve",
	[MCH_MIXED_NARROW] = "narrow",
	[MCH_MIXED_EXCHANGE] = "exchange",
};

const char *mch_mixed_why_name(enum mch_mixed_why why)
{
	return names[why];
}

static int no_memory(struct mch_err *err)
{
	return mch_err_set(err, "search", "out of memory; use a machine with more");
}

static double cost(const struct walk *w, const int8_t *setting)
{
	return w->config->cost(w->config->ctx, setting);
}

static int narrowest(const struct walk *w, int knob)
{
	return w->config->narrowest ? w->config->narrowest[knob] : 1;
}

static int widest(const struct walk *w, int knob)
{
	return w->config->widest ? w->config->widest[knob] : WIDEST;
}

static void widen_all(const struct walk *w, int8_t *setting)
{
	for (int k = 0; k < w->n; k++)
		setting[k] = (int8_t)widest(w, k);
}

static double noise(const struct walk *w, int knob, int bits)
{
	return w->noise[knob * MCH_MIXED_WIDTHS + bits];
}

/* Measured ratios may rise with the width by chance; what a narrower width was seen to add, no wider one has less of.
 */
static void smooth_noise(struct walk *w)
{
	for (int k = 0; k < w->n; k++) {
		double most = 0;
		for (int bits = WIDEST; bits >= 1; bits--) {
			const double measured = w->config->noise[k * MCH_MIXED_WIDTHS + bits];
			most = measured > most ? measured : most;
			w->noise[k * MCH_MIXED_WIDTHS + bits] = most;
		}
	}
}

static struct move move_of(const struct walk *w, int8_t *setting, double before, int knob, int bits)
{
	const int8_t old = setting[knob];
	setting[knob] = (int8_t)bits;
	const struct move move = {knob, bits, before - cost(w, setting), noise(w, knob, bits) - noise(w, knob, old)};
	setting[knob] = old;
	return move;
}

/* More cost saved for the noise; when neither adds any, more cost saved. */
static bool is_better(const struct move *a, const struct move *b)
{
	const double left = a->saved * b->added, right = b->saved * a->added;
	return left > right || (left == right && a->saved > b->saved);
}

/* The best way to narrow one knob that is not marked, by at most `jump` bits; false when none saves cost. */
static bool best_move(const struct walk *w, int8_t *setting, const bool *is_out, int jump, struct move *best)
{
	const double before = cost(w, setting);
	bool is_found = false;
	for (int k = 0; k < w->n; k++)
		for (int bits = setting[k] - 1;
		     bits >= narrowest(w, k) && bits >= setting[k] - jump && !(is_out && is_out[k]); bits--) {
			const struct move move = move_of(w, setting, before, k, bits);
			if (move.saved > 0 && (!is_found || is_better(&move, best))) {
				*best = move;
				is_found = true;
			}
		}
	return is_found;
}

static int draw_path(struct walk *w)
{
	const size_t n = (size_t)w->n;
	struct move move;
	w->path = malloc((n * (WIDEST - 1) + 1) * (n + 1));
	if (!w->path)
		return no_memory(w->err);
	widen_all(w, w->path);
	memcpy(w->next, w->path, n);
	for (w->n_path = 1; best_move(w, w->next, NULL, JUMP_MAX, &move); w->n_path++) {
		w->next[move.knob] = (int8_t)move.bits;
		memcpy(w->path + w->n_path * n, w->next, n);
	}
	return 0;
}

/* Scores w->next, and goes there when it passes: 1. 0: it does not. -1 with err. */
static int attempt(struct walk *w, enum mch_mixed_why why, int need)
{
	struct mch_mixed *m = w->m;
	if (m->n_steps == m->room) {
		const size_t room = m->room ? 2 * m->room : 64;
		struct mch_mixed_step *more = realloc(m->steps, room * sizeof(*more));
		if (!more)
			return no_memory(w->err);
		m->steps = more;
		m->room = room;
	}
	const long candidate = mch_candidates_score(w->config->candidates, w->next, need, w->err);
	if (candidate < 0)
		return -1;
	struct mch_mixed_step step = {.why = why, .candidate = candidate};
	for (int k = 0; k < w->n; k++)
		step.n_moves += w->next[k] != w->setting[k];
	step.is_taken = w->config->candidates->list[candidate].right.n_correct >= w->config->need;
	m->steps[m->n_steps++] = step;
	if (step.is_taken) {
		m->candidate = candidate;
		memcpy(w->setting, w->next, (size_t)w->n);
	}
	return step.is_taken;
}

static bool is_over(struct walk *w)
{
	w->m->is_cut_short = w->m->n_steps >= (size_t)w->config->scores_max;
	return w->m->is_cut_short;
}

/* Step 2: the path's place 0 passes. */
static int halve_path(struct walk *w)
{
	size_t low = 0, high = w->n_path;
	while (high - low > 1 && !is_over(w)) {
		const size_t middle = low + (high - low) / 2;
		memcpy(w->next, w->path + middle * (size_t)w->n, (size_t)w->n);
		const int status = attempt(w, MCH_MIXED_HALVE, w->config->need);
		if (status < 0)
			return -1;
		*(status ? &low : &high) = middle;
	}
	return 0;
}

static int start_from_known(struct walk *w)
{
	if (!w->config->known || cost(w, w->config->known) >= cost(w, w->setting) || is_over(w))
		return 0;
	memcpy(w->next, w->config->known, (size_t)w->n);
	return attempt(w, MCH_MIXED_START, w->config->need);
}

/* Into w->next: the `batch` best knobs a bit narrower. How many there were, and the last. */
static int narrow(struct walk *w, int batch, int *last, bool *is_out)
{
	struct move move;
	int n = 0;
	memcpy(w->next, w->setting, (size_t)w->n);
	memcpy(is_out, w->is_left, (size_t)w->n * sizeof(*is_out));
	for (; n < batch && best_move(w, w->next, is_out, 1, &move); n++) {
		w->next[move.knob] = (int8_t)move.bits;
		is_out[move.knob] = true;
		*last = move.knob;
	}
	return n;
}

/* Step 3. */
static int descend(struct walk *w, int batch)
{
	bool *is_out = malloc((size_t)w->n * sizeof(*is_out) + 1);
	int status = is_out ? 0 : no_memory(w->err), last = 0;
	while (status >= 0 && !is_over(w)) {
		const int n = narrow(w, batch, &last, is_out);
		if (n == 0)
			break;
		status = attempt(w, MCH_MIXED_NARROW, w->config->need);
		if (status == 0 && n == 1)
			w->is_left[last] = true;
		batch = status > 0 ? 2 * n : n > 1 ? n / 2 : 1;
	}
	free(is_out);
	return status < 0 ? -1 : 0;
}

/* A pair of knobs: one a bit narrower, the other a bit wider. */
struct exchange {
	int narrow, wide;
	double added; /* noise, negative when it falls */
};

static int by_noise(const void *a, const void *b)
{
	const struct exchange *x = a, *y = b;
	if (x->added != y->added)
		return x->added < y->added ? -1 : 1;
	return x->narrow != y->narrow ? x->narrow - y->narrow : x->wide - y->wide;
}

/* For each knob that can be narrower, the other whose wider codes take most noise away and still leave cost saved. */
static int list_exchanges(struct walk *w, struct exchange *list)
{
	const double before = cost(w, w->setting);
	int n = 0;
	for (int k = 0; k < w->n; k++) {
		if (w->setting[k] <= narrowest(w, k))
			continue;
		const struct move less = move_of(w, w->setting, before, k, w->setting[k] - 1);
		memcpy(w->next, w->setting, (size_t)w->n);
		w->next[k]--;
		struct exchange best = {-1, -1, 0};
		for (int j = 0; j < w->n; j++) {
			if (j == k || w->setting[j] >= widest(w, j))
				continue;
			const double added = less.added + noise(w, j, w->setting[j] + 1) - noise(w, j, w->setting[j]);
			if (best.wide >= 0 && added >= best.added)
				continue;
			w->next[j]++;
			if (cost(w, w->next) < before)
				best = (struct exchange){k, j, added};
			w->next[j]--;
		}
		if (best.wide >= 0)
			list[n++] = best;
	}
	qsort(list, (size_t)n, sizeof(*list), by_noise);
	return n;
}

/* Step 4: 1 when one was taken, 0 when none passes. */
static int exchange(struct walk *w)
{
	struct exchange *list = malloc((size_t)w->n * sizeof(*list) + 1);
	if (!list)
		return no_memory(w->err);
	const int n = list_exchanges(w, list);
	int status = 0;
	for (int i = 0; i < n && status == 0 && !is_over(w); i++) {
		memcpy(w->next, w->setting, (size_t)w->n);
		w->next[list[i].narrow]--;
		w->next[list[i].wide]++;
		status = attempt(w, MCH_MIXED_EXCHANGE, w->config->need);
	}
	free(list);
	return status;
}

static int run(struct walk *w)
{
	smooth_noise(w);
	if (draw_path(w) != 0)
		return -1;
	widen_all(w, w->setting);
	memcpy(w->next, w->setting, (size_t)w->n);
	int status = attempt(w, MCH_MIXED_START, 0);
	if (status <= 0)
		return status == 0 ? 1 : -1;
	if (halve_path(w) != 0 || start_from_known(w) < 0 || descend(w, FIRST_BATCH) != 0)
		return -1;
	while (!is_over(w) && (status = exchange(w)) > 0) {
		memset(w->is_left, 0, (size_t)w->n * sizeof(*w->is_left));
		if (descend(w, 1) != 0)
			return -1;
	}
	return status < 0 ? -1 : 0;
}

int mch_mixed_run(struct mch_mixed *mixed, const struct mch_mixed_config *config, struct mch_err *err)
{
	const size_t n = (size_t)config->candidates->n_knobs;
	MCH_REQUIRE(n >= 1 && config->scores_max >= 1, "there is something to narrow");
	*mixed = (struct mch_mixed){.candidate = -1,
				    .n_expected = config->candidates->n_scored + (size_t)config->scores_max};
	struct walk w = {.m = mixed, .config = config, .err = err, .n = (int)n};
	w.setting = malloc(n);
	w.next = malloc(n);
	w.is_left = calloc(n, sizeof(*w.is_left));
	w.noise = malloc(n * MCH_MIXED_WIDTHS * sizeof(*w.noise));
	const int status = w.setting && w.next && w.is_left && w.noise ? run(&w) : no_memory(err);
	free(w.path);
	free(w.setting);
	free(w.next);
	free(w.is_left);
	free(w.noise);
	return status;
}

void mch_mixed_free(struct mch_mixed *mixed)
{
	free(mixed->steps);
	mixed->steps = NULL;
	mixed->n_steps = mixed->room = 0;
}
