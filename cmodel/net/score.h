/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A network over a data set, on all cores: what it answers, or how far it is from another network. The results are
 * the same for any number of threads. Host only: no RTL twin. */
#ifndef MCH_NET_SCORE_H
#define MCH_NET_SCORE_H

#include <stdint.h>

#include "net/dataset.h"
#include "net/engine.h"

/* Images first .. first + n - 1. progress, which may be NULL, is called now and then, by one thread at a time. */
struct mch_score_config {
	const struct mch_dataset *data;
	int n;
	void (*progress)(void *ctx, int done, int total);
	void *ctx;
	int first;
	int need; /* right answers that are worth counting on for: see mch_score_run; 0: all images are looked at */
};

struct mch_answers {
	int n_images, n_outputs; /* n_images: looked at */
	int32_t *prediction; /* [n_images], owned: the largest output, of equals the first */
	int32_t *rank; /* [n_images], owned: how many outputs come before the label's; of equals the first comes first
			*/
	int n_top1, n_top5;  /* images whose rank is below 1, below 5 */
	uint64_t n_overflows; /* steps of accumulation that left their width; when all images were looked at, else 0 */
};

/* With config->need, ends at the first image whose wrong answer leaves fewer than `need` right ones possible: then
 * n_images is less than config->n, and the verdict that of the full run. Threads may have looked further; what they saw
 * is dropped.
 * 0, or -1 with err and *answers empty: memory is short, or an image cannot be read; of several, the first. */
int mch_score_run(const struct mch_model *model, const struct mch_score_config *config, struct mch_answers *answers,
		  struct mch_err *err);
void mch_answers_free(struct mch_answers *answers);

/* Right answers among images 0 .. n - 1, or -1 with err. predictions may be NULL. */
int mch_float_score(const struct mch_net *net, const struct mch_dataset *data, int n, int32_t *predictions,
		    struct mch_err *err);
int mch_exact_score(const struct mch_qnet *q, const struct mch_dataset *data, int n, int32_t *predictions,
		    struct mch_err *err);

/* How far the outputs are from those of a reference, over all images and values. */
struct mch_difference {
	uint64_t n_values;
	double max_error; /* |output - reference|; NAN when an output is no number */
	double max_reference;
	double rms_error;
	double sqnr_db; /* 10 log10(sum reference^2 / sum error^2); INFINITY: no error */
};

/* The output of an integer model is left without the softmax at its end, so the reference, which is a float network,
 * is looked at before its own. 0, or -1 with err: as mch_score_run, or the outputs differ in size. */
int mch_score_compare(const struct mch_model *model, const struct mch_model *reference,
		      const struct mch_score_config *config, struct mch_difference *difference, struct mch_err *err);

/* For many comparisons on the same images: what a float network has before its softmax, [n][outputs], for the caller
 * to free, or NULL with err; and the distance of a model from that, as above: of integers, or a float network without a
 * softmax at its end. */
float *mch_score_logits(const struct mch_net *net, const struct mch_score_config *config, struct mch_err *err);
int mch_score_compare_logits(const struct mch_model *model, float *logits, const struct mch_score_config *config,
			     struct mch_difference *difference, struct mch_err *err);

#endif
