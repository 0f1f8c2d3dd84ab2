/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What a run of `macchiato quantize` works on, from the command line to the result. */
#ifndef MCH_CLI_QUANTIZE_JOB_H
#define MCH_CLI_QUANTIZE_JOB_H

#include "arch/cost.h"
#include "cli/progress.h"
#include "cli/quantize_options.h"
#include "cli/scores.h"
#include "io/hash.h"
#include "net/dataset.h"
#include "net/prefix.h"
#include "quant/candidates.h"
#include "quant/compensate.h"
#include "quant/equalize.h"
#include "quant/fold_input.h"
#include "quant/formats.h"
#include "quant/knobs.h"
#include "quant/mixed.h"
#include "quant/pareto.h"
#include "quant/ranges.h"
#include "quant/search.h"

/* Images first .. first + n - 1 of the test set, and the float network's right answers among them. */
struct mch_image_part {
	int first, n, n_float_correct;
};

/* What the reporting images say of the result. */
struct mch_result_report {
	int n_correct;  /* on exact integers */
	int n_agree;    /* images that float answers alike, right or wrong */
	double sqnr_db; /* of the logits */
	int n_narrow;   /* layers whose accumulator may overflow */
	uint64_t n_overflows; /* steps of accumulation that did */
};

/* What a change of the network does to the right answers on the choosing images, at the widths of the result. */
struct mch_gain {
	bool is_measured;
	bool is_undone; /* it would have missed the margin, which was kept without it */
	int without, with;
};

struct mch_quantize_job {
	const struct mch_quantize_options *args;
	struct mch_net net;
	struct mch_dataset train, test;
	int n_ranges;
	struct mch_image_part choosing, reporting; /* the same images when none are held out */
	char net_hash[MCH_HASH_HEX], train_hash[MCH_HASH_HEX], test_hash[MCH_HASH_HEX];
	int32_t *float_answers; /* [test images used] */
	struct mch_ranges ranges;
	struct mch_formats formats;
	struct mch_knobs knobs;
	struct mch_cost cost;
	struct mch_widths widths; /* that were scored last */
	struct mch_quant quant;   /* of these */
	struct mch_scores scores;
	struct mch_progress bar;
	struct mch_candidates candidates;
	struct mch_search_config config;
	struct mch_prefix *prefix; /* of the scores of a search that is under way, else NULL */
	int fixed[MCH_N_PARTS]; /* the widths given, or the nearest that there are */
	struct mch_search *search; /* of one width, or three; of layer: one, as a start */
	struct mch_mixed mixed;    /* of layer */
	float *logits;             /* of float, on the first n_sensitivity images */
	double *noise;             /* [n_knobs][MCH_MIXED_WIDTHS], of layer: see struct mch_mixed_config */
	int n_sensitivity;         /* images behind it */
	double *noise_measured;    /* the same as measured, without what 16 bits everywhere have; NAN: not measured */
	int8_t *setting;           /* the result; of a search that fails, 16 bits everywhere */
	long candidate;            /* the same, in the list */
	struct mch_result_report report;
	struct mch_equalized equalized;
	struct mch_compensated compensated;
	struct mch_gain of_equalization, of_compensation, of_bias_correction;
	int n_correct; /* on the choosing images, of what is written */
	struct mch_pareto_point *points; /* [candidates.n] */
	size_t *front;                   /* [n_front] places of points, by rising cost */
	size_t n_front;
};

/* Network, images, ranges, formats, checkpoint, float accuracy. 0, or -1 with err. */
int mch_quantize_load(struct mch_quantize_job *job, struct mch_err *err);

/* As the options want batch norms. */
int mch_quantize_lower(const struct mch_quantize_options *args, struct mch_net *net, struct mch_err *err);

/* Frees all but args. */
void mch_quantize_free(struct mch_quantize_job *job);

/* The search asked for: setting and candidate. 0: the margin is kept. 1: it is not. -1 with err. */
int mch_quantize_search(struct mch_quantize_job *job, struct mch_err *err);

/* Formats and accumulators of the setting into quant, its score on the reporting images, and the front. 0, or -1 with
 * err. */
int mch_quantize_measure(struct mch_quantize_job *job, struct mch_err *err);

/* Behind mch_quantize_measure: corrects biases when that is asked for, measures what each change of the network gains, and writes it.
 * 0, or -1 with err. */
int mch_quantize_refine(struct mch_quantize_job *job, struct mch_err *err);

/* Cost of a setting, in the unit of args->search.cost. */
double mch_quantize_cost(struct mch_quantize_job *job, const int8_t *setting);

/* A bar on stderr, unless quiet. */
void mch_quantize_begin_progress(struct mch_quantize_job *job, const char *what, const char *unit);
void mch_quantize_show_progress(void *job, int done, int total);

#endif
