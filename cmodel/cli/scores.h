/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The checkpoint of a search: a file beside the output that holds every score made so far. JSON, one value a line:
 * first the key, which says what the scores belong to; then {"widths": [8,8,8], "correct": 9050} each. A search with
 * the same key takes them up; any other starts anew. */
#ifndef MCH_CLI_SCORES_H
#define MCH_CLI_SCORES_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/err.h"
#include "net/quant.h"

struct mch_score {
	int width[MCH_N_PARTS];
	int n_correct;
};

struct mch_scores {
	char *path;
	char *key; /* one line of JSON */
	struct mch_score *score;
	size_t n, room;
};

/* What was found at the path. */
enum mch_scores_found { MCH_SCORES_NONE, MCH_SCORES_RESUMED, MCH_SCORES_FOREIGN };

/* Opens OUTPUT.part. An existing file of the same key is read; one that is damaged or of another key is foreign, and
 * is replaced. The file is written at once, so a place that cannot be written to is found before the first score, not
 * after the last. output_path NULL keeps the scores in memory alone. n_correct is checked to be 0..n_images. 0, or -1
 * with err. */
int mch_scores_open(struct mch_scores *scores, const char *output_path, const json_t *key, int n_images,
		    enum mch_scores_found *found, struct mch_err *err);

bool mch_scores_lookup(const struct mch_scores *scores, const int *width, int *n_correct);
int mch_scores_store(struct mch_scores *scores, const int *width, int n_correct, struct mch_err *err);

/* Deletes the file: the search is done. */
void mch_scores_remove(const struct mch_scores *scores);
void mch_scores_free(struct mch_scores *scores);

#endif
