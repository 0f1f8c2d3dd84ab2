/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The search for the smallest widths that keep the accuracy: Ristretto's flow, on any scorer. Host only: no RTL twin.
 * Source: Gysel et al., "Ristretto: A Framework for Empirical Study of Resource-Efficient Inference in Convolutional
 * Neural Networks", IEEE TNNLS 29(11), 2018. */
#ifndef MCH_QUANT_SEARCH_H
#define MCH_QUANT_SEARCH_H

#include <stdbool.h>

#include "base/err.h"
#include "net/quant.h"
#include "quant/candidates.h"

enum { MCH_SEARCH_WIDTHS = MCH_OPERAND_BITS_MAX + 1 }; /* index 0 is not used */

/* What is asked for, and how to measure. `width` has MCH_N_PARTS widths of 1..16 bits. */
struct mch_search_config {
	int n_images;        /* behind every score */
	int n_float_correct; /* right answers of the float net on the same images */
	double error_margin; /* percentage points that may be lost against float; NAN: any */
	const int *fixed;    /* NULL, or the widths to score instead of a search */
	bool is_net;         /* one width for all parts; has_part[0] stands for it */
	bool has_part[MCH_N_PARTS]; /* a part that the net has not is left at 16 bits and costs no score */
	/* The widths that a part can have; 0: 1 and 16. A width beyond is as good as the nearest of these. */
	int narrowest[MCH_N_PARTS], widest[MCH_N_PARTS];
	long weight_of[MCH_N_PARTS]; /* values stored per part: what one bit of width costs; settles ties */
	/* Ristretto's search: step 1 with 16, 8, 4, 2 and 1 bits, each part until it fails; step 2 scores the three together and
	 * goes no further. */
	bool is_ladder;
	bool has_curves; /* scores that miss the margin are made on all images too */
	struct mch_candidates *candidates;
	/* Three widths to the setting of a candidate. */
	void (*spread)(void *ctx, const int *width, int8_t *setting);
	void *ctx;
};

/* Why a combination was tried. */
enum mch_search_why { MCH_SEARCH_COMBINED, MCH_SEARCH_STEP_BACK, MCH_SEARCH_TAKE_AWAY };

/* Candidates are named by their place in the list, whose entry may yet become exact. */
struct mch_search_try {
	enum mch_search_why why;
	int width[MCH_N_PARTS];
	long candidate;
	bool is_taken; /* the search went on from here */
};

enum { MCH_SEARCH_TRIES_MAX = 6 * MCH_OPERAND_BITS_MAX * MCH_N_PARTS + 1 };

struct mch_search {
	/* Candidates with one part at a width and the others at 16; -1 for a part that the net has not. */
	long alone[MCH_N_PARTS][MCH_SEARCH_WIDTHS];
	int alone_width[MCH_N_PARTS]; /* chosen from these */
	long widest;                  /* 16 bits everywhere */
	int width[MCH_N_PARTS];       /* the result */
	long candidate;               /* at the result */
	int n_tries;
	struct mch_search_try tries[MCH_SEARCH_TRIES_MAX]; /* combinations, in order */
	size_t n_expected; /* scores that there will be, as far as is known: for progress */
};

/* Right answers that keep within the margin; 0: any do, or there is none. */
int mch_search_need(const struct mch_search_config *config);

/* 1. Each part alone, 16 bits down to 1, the others at 16. Its width is the smallest such that this and every larger
 *    width pass.
 * 2. The three together. While they fail: one more bit for each part that has less than 16, in turn; the most
 *    accurate of these is taken, the one with fewer bits in all on a tie, the first part on a further tie.
 * 3. Steps back may have given more than was needed: one bit less for each part that is above its width of step 1; of
 *    those that pass, the one that saves most is taken, the more accurate on a tie; until none passes.
 * Fixed widths, when given, are all that is scored beside 16 bits everywhere. The result depends on the scores alone.
 * 0: s->width passes. 1: the margin cannot be met; where 16 bits everywhere fail, no other width is tried. -1 with
 * err. */
int mch_search_run(struct mch_search *s, const struct mch_search_config *config, struct mch_err *err);

#endif
