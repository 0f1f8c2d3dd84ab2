/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* macchiato quantize: the smallest bit-widths that keep the accuracy, each candidate scored on exact integers. */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cli/cmd.h"
#include "cli/load.h"
#include "cli/progress.h"
#include "cli/quantize_options.h"
#include "cli/quantize_report.h"
#include "cli/scores.h"
#include "io/hash.h"
#include "io/quant_json.h"
#include "net/lower.h"
#include "net/score.h"
#include "quant/formats.h"
#include "quant/ranges.h"

enum { USUAL_IMAGES = 1000 };

/* All that a search works on. */
struct job {
	const struct mch_quantize_options *args;
	struct mch_net net;
	struct mch_dataset train, test;
	int n_ranges, n_scored;
	char net_hash[MCH_HASH_HEX], train_hash[MCH_HASH_HEX], test_hash[MCH_HASH_HEX];
	struct mch_ranges ranges;
	struct mch_formats formats;
	struct mch_widths widths; /* that were scored last */
	struct mch_quant quant; /* of the widths that were scored last */
	struct mch_scores scores;
	struct mch_progress bar;
	struct mch_search_config config;
	struct mch_search *search;
};

/* Ranges from the images that are scored would flatter the score: they come from others. */
static int load_data(struct job *job, struct mch_err *err)
{
	const struct mch_data_options *data = &job->args->data;
	const char *train_path = job->args->train_data ? job->args->train_data : data->path;
	const long n_ranges = job->args->images ? job->args->images : USUAL_IMAGES;
	if (mch_load_data(data, data->path, "test", &job->net, data->limit, &job->test, err) != 0)
		return -1;
	if (!job->args->train_data && !job->test.is_split)
		return mch_err_set(err, data->path,
				   "is one set of images, for test; give those for training with --train-data=PATH");
	if (mch_load_data(data, train_path, "train", &job->net, n_ranges, &job->train, err) != 0)
		return -1;
	return mch_load_require_labels(&job->test, &job->net, err);
}

static int load(struct job *job, struct mch_err *err)
{
	const struct mch_quantize_options *args = job->args;
	if (mch_load_net(&args->net, &args->data, &job->net, NULL, err) != 0 ||
	    mch_net_require_weights(&job->net, err) != 0 || mch_net_lower(&job->net, err) != 0 ||
	    load_data(job, err) != 0)
		return -1;
	job->n_ranges = mch_load_count("--images", args->images, USUAL_IMAGES, &job->train, err);
	if (job->n_ranges < 0)
		return -1;
	job->n_scored = mch_load_count("--limit", args->data.limit, job->test.n_images, &job->test, err);
	if (job->n_scored < 0)
		return -1;
	mch_hash_net(&job->net, job->net_hash);
	if (mch_load_hash(&job->train, job->n_ranges, job->train_hash, err) != 0 ||
	    mch_load_hash(&job->test, job->n_scored, job->test_hash, err) != 0)
		return -1;
	job->search = malloc(sizeof(*job->search));
	return job->search ? 0 : mch_err_set(err, args->net.path, "out of memory; use a machine with more");
}

static void unload(struct job *job)
{
	free(job->search);
	mch_scores_free(&job->scores);
	mch_quant_free(&job->quant);
	mch_widths_free(&job->widths);
	mch_formats_free(&job->formats);
	mch_ranges_free(&job->ranges);
	mch_dataset_free(&job->train);
	mch_dataset_free(&job->test);
	mch_net_free(&job->net);
}

/* All that a score depends on, but for the widths. The margin is not in it: another margin may use the same
 * scores. */
static json_t *scores_key(const struct job *job)
{
	return json_pack("{s:s, s:s, s:s, s:i, s:s, s:s, s:s, s:s, s:I}", "format", "macchiato scores 1", "version",
			 PACKAGE_VERSION, "net", job->net_hash, "images", job->n_scored, "test", job->test_hash,
			 "train", job->train_hash, "round", mch_round_name(job->args->round), "fraction",
			 mch_fraction_name(job->args->rule), "seed", (json_int_t)job->args->seed);
}

static int open_scores(struct job *job, struct mch_err *err)
{
	const bool is_stream = strcmp(job->args->output, "-") == 0;
	enum mch_scores_found found;
	json_t *key = scores_key(job);
	if (!key)
		return mch_err_set(err, job->args->output, "out of memory; use a machine with more");
	const int status = mch_scores_open(&job->scores, is_stream ? NULL : job->args->output, key, job->n_scored,
					   &found, err);
	json_decref(key);
	if (status != 0 || job->args->quiet)
		return status;
	if (found == MCH_SCORES_RESUMED && job->scores.n > 0)
		fprintf(stderr, "macchiato: %s: %zu scores of an interrupted search are used\n", job->scores.path,
			job->scores.n);
	if (found == MCH_SCORES_FOREIGN)
		fprintf(stderr, "macchiato: %s: is of another network, data or options, or damaged; the search "
			"starts anew\n",
			job->scores.path);
	return 0;
}

static void show_progress(void *ctx, int done, int total)
{
	struct job *job = ctx;
	mch_progress_update(&job->bar, (uint64_t)done, (uint64_t)total);
}

static void begin_progress(struct job *job, const char *what, const char *unit)
{
	job->bar = (struct mch_progress){0};
	if (!job->args->quiet)
		mch_progress_begin(&job->bar, what, unit);
}

/* Formats for the widths, the integer net (it fills in the accumulators), right answers when asked for. */
static int score(void *ctx, const int *width, int *n_correct, struct mch_err *err)
{
	struct job *job = ctx;
	struct mch_qnet q;
	mch_formats_widths(&job->formats, width, &job->widths);
	mch_formats_apply(&job->formats, &job->widths, &job->quant);
	if (mch_qnet_build(&q, &job->net, &job->quant, err) != 0)
		return -1;
	int found = 0;
	if (n_correct)
		*n_correct = found = mch_exact_score(&q, &job->test, job->n_scored, NULL, err);
	mch_qnet_free(&q);
	return found < 0 ? -1 : 0;
}

static bool lookup(void *ctx, const int *width, int *n_correct)
{
	const struct job *job = ctx;
	return mch_scores_lookup(&job->scores, width, n_correct);
}

static int store(void *ctx, const int *width, int n_correct, struct mch_err *err)
{
	struct job *job = ctx;
	return mch_scores_store(&job->scores, width, n_correct, err);
}

/* Ranges, formats and the float accuracy: all that the search starts from. */
static int prepare(struct job *job, struct mch_err *err)
{
	begin_progress(job, "ranges", "images");
	const int status = mch_ranges_measure(&job->ranges, &job->net, &job->train, job->n_ranges, show_progress, job,
					      err);
	mch_progress_end(&job->bar);
	if (status != 0 || mch_formats_init(&job->formats, &job->net, &job->ranges, job->args->rule, err) != 0 ||
	    mch_widths_init(&job->widths, &job->net, err) != 0 || mch_quant_init(&job->quant, &job->net, err) != 0)
		return -1;
	job->quant.round = job->args->round;
	job->quant.seed = job->args->seed;
	const int n_float_correct = mch_float_score(&job->net, &job->test, job->n_scored, NULL, err);
	if (n_float_correct < 0)
		return -1;
	job->config = (struct mch_search_config){.n_images = job->n_scored,
						 .n_float_correct = n_float_correct,
						 .error_margin = job->args->error_margin,
						 .fixed = job->args->widths[0] ? job->args->widths : NULL,
						 .has_part[MCH_PART_ACTIVATIONS] = true,
						 .score = score,
						 .lookup = lookup,
						 .store = store,
						 .progress = show_progress,
						 .ctx = job};
	long *stored = job->config.weight_of;
	for (int i = 0; i < job->net.n_layers; i++) {
		const int part = mch_formats_part(&job->net.layers[i]);
		if (part >= 0) {
			job->config.has_part[part] = true;
			stored[part] += (long)job->net.layers[i].n_weights;
			stored[MCH_PART_ACTIVATIONS] +=
				(long)mch_shape_elems(job->net.edges[job->net.layers[i].in[0]].shape);
		}
	}
	return 0;
}

static struct mch_quantize_report report_of(const struct job *job)
{
	return (struct mch_quantize_report){.net = &job->net,
					    .quant = &job->quant,
					    .search = job->search,
					    .config = &job->config,
					    .rule = job->args->rule,
					    .n_ranges = job->n_ranges,
					    .train_hash = job->train_hash,
					    .test_hash = job->test_hash,
					    .output = job->args->output};
}

static int print_json(const struct job *job, bool is_found, struct mch_err *err)
{
	const struct mch_quantize_report report = report_of(job);
	json_t *root = mch_quantize_json(&report, is_found);
	if (!root)
		return mch_err_set(err, job->args->net.path,
				   "a name is no UTF-8, which JSON needs; rename it, or leave "
				   "--json out");
	json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
	putchar('\n');
	json_decref(root);
	return 0;
}

/* The margin that would have been met, rounded up so that it can be typed in. */
static int say_missed(const struct job *job, struct mch_err *err)
{
	const double n = job->n_scored, of_float = 100 * job->config.n_float_correct / n;
	const double exact = 100 * job->search->n_correct / n;
	const char *what = job->args->widths[0] ? "the widths given" : "16 bits in every part";
	fprintf(stderr, "macchiato: %s: %s reach %.2f %%, float %.2f %%: more than the margin of "
		"%g points is lost; give --error-margin=%.2f or more, or see where values are lost with "
		"`macchiato ranges --bits=16`\n",
		job->args->net.path, what, exact, of_float, job->args->error_margin,
		ceil((of_float - exact) * 100 - 1e-6) / 100);
	if (job->args->json && print_json(job, false, err) != 0)
		return MCH_EXIT_FAILED;
	mch_scores_remove(&job->scores);
	return MCH_EXIT_MISMATCH;
}

/* Writes the result, then tells of it: what is told is on the disk. */
static int finish(struct job *job, struct mch_err *err)
{
	const struct mch_quantize_report report = report_of(job);
	if (score(job, job->search->width, NULL, err) != 0)
		return -1;
	job->quant.accuracy_float = 100.0 * job->config.n_float_correct / job->n_scored;
	job->quant.accuracy_exact = 100.0 * job->search->n_correct / job->n_scored;
	job->quant.n_scored = job->n_scored;
	job->quant.error_margin = job->args->error_margin;
	memcpy(job->quant.net_hash, job->net_hash, sizeof(job->quant.net_hash));
	json_t *search = mch_quantize_search_json(&report);
	const int status = search ? mch_quant_json_write(job->args->output, &job->net, &job->quant, search, err)
				  : mch_err_set(err, job->args->output, "out of memory; use a machine with more");
	json_decref(search);
	if (status != 0)
		return -1;
	mch_scores_remove(&job->scores);
	if (job->args->json)
		return print_json(job, true, err);
	if (!job->args->quiet && strcmp(job->args->output, "-") != 0)
		mch_quantize_print(&report);
	return 0;
}

static int run(struct job *job, struct mch_err *err)
{
	if (load(job, err) != 0 || mch_cmd_require_writable(job->args->output, err) != 0 ||
	    open_scores(job, err) != 0)
		return MCH_EXIT_FAILED;
	if (prepare(job, err) != 0) {
		if (job->scores.n == 0) /* nothing is lost, so nothing is left behind */
			mch_scores_remove(&job->scores);
		return MCH_EXIT_FAILED;
	}
	begin_progress(job, "search", "scores");
	const int status = mch_search_run(job->search, &job->config, err);
	mch_progress_end(&job->bar);
	if (status == 1)
		return say_missed(job, err);
	return status == 0 && finish(job, err) == 0 ? MCH_EXIT_OK : MCH_EXIT_FAILED;
}

int mch_cmd_quantize(int argc, char **argv, struct mch_err *err)
{
	const struct mch_quantize_options args = mch_quantize_parse(argc, argv);
	struct job job = {.args = &args};
	mch_net_init(&job.net);
	const int status = run(&job, err);
	unload(&job);
	return status;
}
