/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What a search starts from; see quantize_job.h. */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/load.h"
#include "cli/quantize_job.h"
#include "net/lower.h"
#include "net/score.h"

enum { USUAL_IMAGES = 1000 };

void mch_quantize_show_progress(void *ctx, int done, int total)
{
	struct mch_quantize_job *job = ctx;
	mch_progress_update(&job->bar, (uint64_t)done, (uint64_t)total);
}

void mch_quantize_begin_progress(struct mch_quantize_job *job, const char *what, const char *unit)
{
	job->bar = (struct mch_progress){0};
	if (!job->args->quiet)
		mch_progress_begin(&job->bar, what, unit);
}

int mch_quantize_lower(const struct mch_quantize_options *args, struct mch_net *net, struct mch_err *err)
{
	return args->keeps_norms ? mch_net_lower_apart(net, err) : mch_net_lower(net, err);
}

/* Ranges from the images that are scored would flatter the score: they come from others. */
static int load_data(struct mch_quantize_job *job, struct mch_err *err)
{
	struct mch_data_options data = job->args->data;
	const char *train_path = job->args->train_data ? job->args->train_data : data.path;
	const long n_ranges = job->args->images ? job->args->images : USUAL_IMAGES;
	/* Images are held out by lot: a set may be sorted by class. */
	data.is_shuffled = data.is_shuffled || job->args->search.holdout > 0;
	if (mch_load_data(&data, data.path, "test", &job->net, data.limit, &job->test, err) != 0)
		return -1;
	if (!job->args->train_data && !job->test.is_split)
		return mch_err_set(err, data.path,
				   "is one set of images, for test; give those for training with --train-data=PATH");
	if (mch_load_data(&job->args->data, train_path, "train", &job->net, n_ranges, &job->train, err) != 0)
		return -1;
	return mch_load_require_labels(&job->test, &job->net, err);
}

/* The images that are held out come last. */
static int split(struct mch_quantize_job *job, int n, struct mch_err *err)
{
	const struct mch_search_options *search = &job->args->search;
	job->choosing.n = job->reporting.n = n;
	if (search->holdout <= 0)
		return 0;
	const int held_out = mch_load_holdout(search->holdout, search->is_percent, n, "report with", "choose with",
					      err);
	if (held_out < 0)
		return -1;
	job->reporting.n = held_out;
	job->choosing.n = job->reporting.first = n - job->reporting.n;
	return 0;
}

static int equalize(struct mch_quantize_job *job, struct mch_err *err)
{
	enum { IMAGES = 64, BITS = 8 };
	const struct mch_quantize_options *args = job->args;
	const struct mch_equalize_config config = {.data = &job->train,
						   .n_images = job->n_ranges < IMAGES ? job->n_ranges : IMAGES,
						   .balance = args->balance,
						   .bits = args->widths[MCH_PART_ACTIVATIONS] ? args->widths[MCH_PART_ACTIVATIONS]
											      : BITS,
						   .activations = &args->policy.activations};
	switch (args->equalization) {
	case MCH_EQUALIZE_WEIGHTS:
		return mch_equalize(&job->net, &job->equalized, err);
	case MCH_EQUALIZE_TENSORS:
		return mch_equalize_tensors(&job->net, &config, &job->equalized, err);
	default:
		return 0;
	}
}

static int load_images(struct mch_quantize_job *job, struct mch_err *err)
{
	const struct mch_quantize_options *args = job->args;
	if (load_data(job, err) != 0)
		return -1;
	job->n_ranges = mch_load_count("--images", args->images, USUAL_IMAGES, &job->train, err);
	const int n = job->n_ranges < 0 || equalize(job, err) != 0
			      ? -1
			      : mch_load_count("--limit", args->data.limit, job->test.n_images, &job->test, err);
	if (n < 0 || split(job, n, err) != 0)
		return -1;
	mch_hash_net(&job->net, job->net_hash);
	return mch_load_hash(&job->train, job->n_ranges, job->train_hash, err) == 0
		       ? mch_load_hash(&job->test, n, job->test_hash, err)
		       : -1;
}

/* All that a search depends on, but for the widths that it tries: two with the same key take the same way. */
static json_t *scores_key(const struct mch_quantize_job *job)
{
	const struct mch_quantize_options *args = job->args;
	char policy[MCH_FORMAT_POLICY_TEXT];
	json_t *key = json_pack("{s:s, s:s, s:s, s:i, s:i, s:s, s:s, s:s, s:s, s:I}", "format", "macchiato scores 2",
				"version", PACKAGE_VERSION, "net", job->net_hash, "images", job->choosing.n,
				"reporting", job->reporting.n, "test", job->test_hash, "train", job->train_hash,
				"round", mch_round_name(args->round), "formats",
				mch_format_policy_text(&args->policy, policy), "seed", (json_int_t)args->seed);
	json_t *search =
		json_pack("{s:s, s:s, s:i, s:i, s:i, s:I, s:i, s:b, s:o, s:[i,i,i]}", "granularity",
			  mch_granularity_name(args->search.granularity), "cost", mch_cost_name(args->search.cost),
			  "rows", args->hardware.rows, "cols", args->hardware.cols, "bus_bits",
			  args->hardware.bus_bits, "max_scores", (json_int_t)args->search.scores_max,
			  "sensitivity_images", job->n_sensitivity, "curves", (int)args->search.has_curves,
			  "error_margin", isnan(args->error_margin) ? json_null() : json_real(args->error_margin),
			  "given", args->widths[0], args->widths[1], args->widths[2]);
	/* Only where they are asked for, so that other searches go on where they were. */
	if (search && args->profile && args->profile->is_ladder)
		json_object_set_new(search, "is_ladder", json_true());
	if (search && args->wraps)
		json_object_set_new(search, "wraps", json_true());
	if (!key || json_object_set_new(key, "search", search) != 0) {
		json_decref(key);
		return NULL;
	}
	return key;
}

static int open_scores(struct mch_quantize_job *job, struct mch_err *err)
{
	const bool is_stream = strcmp(job->args->output, "-") == 0;
	enum mch_scores_found found;
	json_t *key = scores_key(job);
	if (!key)
		return mch_err_set(err, job->args->output, "out of memory; use a machine with more");
	const int status = mch_scores_open(&job->scores, is_stream ? NULL : job->args->output, key, job->knobs.n,
					   job->choosing.n, &found, err);
	json_decref(key);
	if (status != 0 || job->args->quiet)
		return status;
	if (found == MCH_SCORES_RESUMED && job->scores.n > 0)
		fprintf(stderr, "macchiato: %s: %zu scores of an interrupted search are used\n", job->scores.path,
			job->scores.n);
	if (found == MCH_SCORES_FOREIGN)
		fprintf(stderr,
			"macchiato: %s: is of another network, data or options, or damaged; the search "
			"starts anew\n",
			job->scores.path);
	return 0;
}

static int find_formats(struct mch_quantize_job *job, struct mch_err *err)
{
	mch_quantize_begin_progress(job, "1/5 ranges", "images");
	const int status = mch_ranges_measure(&job->ranges, &job->net, &job->train, job->n_ranges,
					      mch_quantize_show_progress, job, err);
	mch_progress_end(&job->bar);
	if (status != 0 || mch_formats_init(&job->formats, &job->net, &job->ranges, &job->args->policy, err) != 0 ||
	    mch_knobs_init(&job->knobs, &job->formats, err) != 0 ||
	    mch_cost_init(&job->cost, &job->net, &job->args->hardware, err) != 0 ||
	    mch_widths_init(&job->widths, &job->net, err) != 0 || mch_quant_init(&job->quant, &job->net, err) != 0)
		return -1;
	job->quant.round = job->args->round;
	job->quant.seed = job->args->seed;
	job->quant.wraps = job->args->wraps;
	const size_t n_noise = (size_t)job->knobs.n * MCH_MIXED_WIDTHS;
	job->search = calloc(1, sizeof(*job->search));
	job->setting = malloc((size_t)job->knobs.n + 1);
	job->noise = malloc((n_noise + 1) * sizeof(*job->noise));
	job->noise_measured = malloc((n_noise + 1) * sizeof(*job->noise_measured));
	if (!job->search || !job->setting || !job->noise || !job->noise_measured)
		return mch_err_set(err, job->args->net.path, "out of memory; use a machine with more");
	for (size_t i = 0; i < n_noise; i++)
		job->noise_measured[i] = NAN;
	return 0;
}

static void count_float(struct mch_image_part *part, const struct mch_answers *answers)
{
	for (int i = part->first; i < part->first + part->n; i++)
		part->n_float_correct += answers->rank[i] == 0;
}

static int run_float(struct mch_quantize_job *job, struct mch_err *err)
{
	const struct mch_score_config config = {.data = &job->test,
						.n = job->reporting.first + job->reporting.n,
						.progress = mch_quantize_show_progress,
						.ctx = job};
	struct mch_answers answers;
	mch_quantize_begin_progress(job, "2/5 float", "images");
	const int status = mch_score_run(&(struct mch_model){.net = &job->net}, &config, &answers, err);
	mch_progress_end(&job->bar);
	if (status != 0)
		return -1;
	count_float(&job->choosing, &answers);
	count_float(&job->reporting, &answers);
	job->float_answers = answers.prediction;
	answers.prediction = NULL;
	mch_answers_free(&answers);
	return 0;
}

int mch_quantize_load(struct mch_quantize_job *job, struct mch_err *err)
{
	const struct mch_quantize_options *args = job->args;
	if (mch_load_net(&args->net, &args->data, &job->net, NULL, err) != 0 ||
	    mch_net_require_weights(&job->net, err) != 0 || mch_quantize_lower(args, &job->net, err) != 0 ||
	    (args->is_input_folded && mch_fold_input(&job->net, err) != 0) ||
	    load_images(job, err) != 0 || mch_cmd_require_writable(args->output, err) != 0 ||
	    (args->net_output && mch_cmd_require_writable(args->net_output, err) != 0) ||
	    (args->search.pareto && mch_cmd_require_writable(args->search.pareto, err) != 0))
		return -1;
	if (args->search.granularity == MCH_GRANULARITY_LAYER)
		job->n_sensitivity = job->choosing.n < args->search.sensitivity_images
					     ? job->choosing.n
					     : (int)args->search.sensitivity_images;
	if (find_formats(job, err) != 0 || open_scores(job, err) != 0)
		return -1;
	if (run_float(job, err) == 0)
		return 0;
	if (job->scores.n == 0) /* nothing is lost, so nothing is left behind */
		mch_scores_remove(&job->scores);
	return -1;
}

void mch_quantize_free(struct mch_quantize_job *job)
{
	free(job->points);
	free(job->front);
	free(job->float_answers);
	free(job->setting);
	free(job->logits);
	free(job->noise);
	free(job->noise_measured);
	free(job->search);
	mch_mixed_free(&job->mixed);
	mch_candidates_free(&job->candidates);
	mch_scores_free(&job->scores);
	mch_quant_free(&job->quant);
	mch_widths_free(&job->widths);
	mch_cost_free(&job->cost);
	mch_knobs_free(&job->knobs);
	mch_formats_free(&job->formats);
	mch_ranges_free(&job->ranges);
	mch_dataset_free(&job->train);
	mch_dataset_free(&job->test);
	mch_net_free(&job->net);
}
