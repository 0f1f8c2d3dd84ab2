/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Every combination of widths that a search has scored, in the order in which it first asked for them. Nothing is
 * scored twice, and what an earlier, interrupted run has scored is taken over. Host only: no RTL twin. */
#ifndef MCH_QUANT_CANDIDATES_H
#define MCH_QUANT_CANDIDATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* What scoring says. is_bound: the score was ended when `need` right answers were out of reach, after n_seen of the
 * images; n_correct is then need - 1, and the number of right answers that or less. */
struct mch_right {
	int n_correct, n_seen;
	bool is_bound;
};

struct mch_candidate {
	int8_t *setting; /* [n_knobs], owned: a width for each knob */
	struct mch_right right;
};

struct mch_candidates {
	int n_knobs, n_images;
	/* Right answers of 0..n_images into *right; may end when fewer than `need` are left possible (0: never). 0,
	 * or -1 with err: that ends the search. */
	int (*score)(void *ctx, const int8_t *setting, int need, struct mch_right *right, struct mch_err *err);
	/* A score known from an earlier run: true with *right. Of several, the one of all images. May be NULL. */
	bool (*lookup)(void *ctx, const int8_t *setting, struct mch_right *right);
	/* Called after each fresh score. 0, or -1 with err: that ends the search. May be NULL. */
	int (*store)(void *ctx, const int8_t *setting, const struct mch_right *right, struct mch_err *err);
	/* After each score that the search waited for. May be NULL. */
	void (*progress)(void *ctx);
	void *ctx;

	size_t n, room;
	struct mch_candidate *list; /* [n], owned */
	size_t *slot;               /* [n_slots], owned: places in the list + 1, by hash; 0: empty */
	size_t n_slots;
	size_t n_scored, n_reused; /* scores waited for; of these, from lookup */
};

/* The place of a setting in the list, scored well enough to tell whether it has `need` right answers; with need 0, on
 * all images. -1 with err. */
long mch_candidates_score(struct mch_candidates *c, const int8_t *setting, int need, struct mch_err *err);

/* The place of a setting that is in the list already, or -1. */
long mch_candidates_find(const struct mch_candidates *c, const int8_t *setting);

/* Frees the list; the callbacks stay. */
void mch_candidates_free(struct mch_candidates *c);

#endif
