/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The checkpoint of a search: a file beside the output that holds every score made so far. Lines of JSON behind their
 * CRC-32: first the key, which says what the scores belong to; then one line for each score and each sensitivity,
 * appended and synced when it is made. A search with the same key takes them up; any other starts anew. Spec:
 * docs/quantize.md "Checkpoint". */
#ifndef MCH_CLI_SCORES_H
#define MCH_CLI_SCORES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

#include "base/err.h"
#include "quant/candidates.h"

struct mch_scores {
	char *path; /* NULL: kept in memory alone */
	FILE *stream;
	int n_knobs, n_images;
	size_t n, room;
	struct mch_candidate *list; /* [n], as they were made */
	double *noise;              /* [n_knobs][MCH_MIXED_WIDTHS]; NAN: not measured */
	size_t n_noise;
};

/* What was found at the path. */
enum mch_scores_found { MCH_SCORES_NONE, MCH_SCORES_RESUMED, MCH_SCORES_FOREIGN };

/* Opens OUTPUT.part. An existing file of the same key is read, without a last line that was not written to its end;
 * one that is damaged elsewhere or of another key is foreign, and is replaced. The file is written at once, so a
 * place that cannot be written to is found before the first score. output_path NULL keeps the scores in memory alone.
 * 0, or -1 with err. */
int mch_scores_open(struct mch_scores *scores, const char *output_path, const json_t *key, int n_knobs, int n_images,
		    enum mch_scores_found *found, struct mch_err *err);

/* Of several scores of a setting, the one of all images. */
bool mch_scores_lookup(const struct mch_scores *scores, const int8_t *setting, struct mch_right *right);
int mch_scores_store(struct mch_scores *scores, const int8_t *setting, const struct mch_right *right,
		     struct mch_err *err);

/* Noise-to-signal ratio of a knob at a width. */
bool mch_scores_lookup_noise(const struct mch_scores *scores, int knob, int bits, double *noise);
int mch_scores_store_noise(struct mch_scores *scores, int knob, int bits, double noise, struct mch_err *err);

/* Deletes the file: the search is done. */
void mch_scores_remove(const struct mch_scores *scores);
void mch_scores_free(struct mch_scores *scores);

#endif
