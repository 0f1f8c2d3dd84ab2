/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Mixed precision: a width for every knob, the cheapest that is found to keep the accuracy, by measured sensitivity
 * and then by the true score; on any scorer, sensitivity and cost. Host only: no RTL twin. Spec: docs/quantize.md
 * "Mixed precision". */
#ifndef MCH_QUANT_MIXED_H
#define MCH_QUANT_MIXED_H

#include "fxp/format.h"
#include "quant/candidates.h"

enum { MCH_MIXED_WIDTHS = MCH_OPERAND_BITS_MAX + 1 }; /* index 0 is not used */

struct mch_mixed_config {
	struct mch_candidates *candidates;
	int need; /* right answers that keep within the margin; 0: any do */
	/* [n_knobs][MCH_MIXED_WIDTHS]: noise-to-signal ratio of the logits with one knob at a width and the others
	 * at 16. A ranking: it decides what is tried, never what is taken. */
	const double *noise;
	/* What a setting costs, any unit. */
	double (*cost)(void *ctx, const int8_t *setting);
	void *ctx;
	const int8_t *narrowest, *widest; /* [n_knobs] bits; NULL: 1, and 16 */
	const int8_t *known; /* a setting that step 3 starts from when it passes and is cheaper than what step 2
				finds; may be NULL */
	int scores_max;      /* after this many the best so far is the result */
};

enum mch_mixed_why {
	MCH_MIXED_START,    /* all at 16 bits; the setting given */
	MCH_MIXED_HALVE,    /* a place on the path that sensitivity draws, halving what is left of it */
	MCH_MIXED_NARROW,   /* knobs narrowed by a bit */
	MCH_MIXED_EXCHANGE, /* one narrowed, another widened */
};

struct mch_mixed_step {
	enum mch_mixed_why why;
	long candidate;
	int n_moves;   /* knobs that changed from the last setting taken */
	bool is_taken; /* it passes, and the search went on from here; else it was undone */
};

struct mch_mixed {
	long candidate; /* the result */
	size_t n_steps, room;
	struct mch_mixed_step *steps; /* owned, in order */
	size_t n_expected;            /* scores that there may be at most, of candidates->n_scored: for progress */
	bool is_cut_short;            /* scores_max ended it */
};

/* 1. From 16 bits everywhere, the knob and width that save most cost for the noise that they add, until all are at 1
 * bit: a path.
 * 2. Its last place that passes, by halving.
 * 3. From there the best knobs a bit narrower, several at a time; where that fails it is undone and half as many are
 * tried, one that fails alone is left; until none is left.
 * 4. One knob narrower and another wider, where that saves cost; what passes is taken, and step 3 follows.
 * Everything is decided by exact scores, and depends on them, the noise and the cost alone. 0: mixed->candidate
 * passes. 1: 16 bits everywhere miss the margin. -1 with err. mch_mixed_free in each case. */
int mch_mixed_run(struct mch_mixed *mixed, const struct mch_mixed_config *config, struct mch_err *err);
void mch_mixed_free(struct mch_mixed *mixed);

/* "start", "halve", "narrow", "exchange". */
const char *mch_mixed_why_name(enum mch_mixed_why why);

#endif
