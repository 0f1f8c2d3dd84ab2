/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* macchiato report: one page about a quantized network, for who reviews it. */
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/load.h"
#include "cli/progress.h"
#include "cli/report_facts.h"
#include "io/csv.h"
#include "io/file.h"
#include "io/html_report.h"
#include "io/quant_json.h"
#include "net/lower.h"

enum { USUAL_IMAGES = 1000 };

/* All that a page is made from. */
struct job {
	const struct mch_report_options *args;
	struct mch_net net;
	struct mch_quant quant;
	struct mch_qnet q;
	struct mch_dataset train, test; /* empty: not given */
	struct mch_ranges ranges;
	struct mch_answers float_answers, exact_answers;
	struct mch_difference difference;
	json_t *search;               /* NULL: none */
	int n_ranges, n_scored;       /* images */
	char test_hash[MCH_HASH_HEX]; /* of those scored */
};

static void show_progress(void *ctx, int done, int total)
{
	mch_progress_update(ctx, (uint64_t)done, (uint64_t)total);
}

static int load_net(struct job *job, struct mch_err *err)
{
	const struct mch_report_options *args = job->args;
	if (mch_load_net(&args->net, &args->data, &job->net, NULL, err) != 0 ||
	    mch_net_require_weights(&job->net, err) != 0 || mch_net_lower(&job->net, err) != 0 ||
	    mch_quant_json_read(args->quant, &job->net, &job->quant, &job->search, err) != 0)
		return -1;
	return mch_qnet_build(&job->q, &job->net, &job->quant, err);
}

static int load_test(struct job *job, struct mch_err *err)
{
	struct mch_data_options options = job->args->data, *data = &options;
	if (!data->path)
		return 0;
	/* A search that held images out drew the order of all by its seed. */
	if (json_is_true(json_object_get(job->search, "held_out")) && !data->is_shuffled) {
		data->is_shuffled = true;
		data->seed = job->quant.seed;
	}
	if (mch_load_data(data, data->path, "test", &job->net, data->limit, &job->test, err) != 0 ||
	    mch_load_require_labels(&job->test, &job->net, err) != 0)
		return -1;
	job->n_scored = mch_load_count("--limit", data->limit, job->test.n_images, &job->test, err);
	return job->n_scored < 0 ? -1 : mch_load_hash(&job->test, job->n_scored, job->test_hash, err);
}

/* Ranges choose nothing here, so the images scored may show them where there are no others. */
static int load_train(struct job *job, struct mch_err *err)
{
	const struct mch_report_options *args = job->args;
	const char *path = args->train_data ? args->train_data : args->data.path;
	if (!path)
		return 0;
	if (mch_load_data(&args->data, path, "train", &job->net, args->images ? args->images : USUAL_IMAGES,
			  &job->train, err) != 0)
		return -1;
	job->n_ranges = mch_load_count("--images", args->images, USUAL_IMAGES, &job->train, err);
	return job->n_ranges < 0 ? -1 : 0;
}

static void begin(const struct job *job, struct mch_progress *bar, const char *what)
{
	*bar = (struct mch_progress){0};
	if (!job->args->quiet)
		mch_progress_begin(bar, what, "images");
}

static int measure_ranges(struct job *job, struct mch_err *err)
{
	struct mch_progress bar;
	if (job->n_ranges == 0)
		return 0;
	begin(job, &bar, "ranges");
	const int status =
		mch_ranges_measure(&job->ranges, &job->net, &job->train, job->n_ranges, show_progress, &bar, err);
	mch_progress_end(&bar);
	return status;
}

/* Float and integers on the same images. */
static int score(struct job *job, struct mch_err *err)
{
	struct mch_progress bar;
	const struct mch_model real = {.net = &job->net}, exact = {.net = &job->net, .q = &job->q};
	const struct mch_score_config config = {.data = &job->test,
						.n = job->n_scored,
						.progress = show_progress,
						.ctx = &bar};
	if (job->n_scored == 0)
		return 0;
	begin(job, &bar, "float");
	int status = mch_score_run(&real, &config, &job->float_answers, err);
	mch_progress_end(&bar);
	if (status != 0)
		return -1;
	begin(job, &bar, "exact");
	status = mch_score_run(&exact, &config, &job->exact_answers, err);
	mch_progress_end(&bar);
	if (status != 0)
		return -1;
	begin(job, &bar, "compare");
	status = mch_score_compare(&exact, &real, &config, &job->difference, err);
	mch_progress_end(&bar);
	return status;
}

/* The search of another file of formats of the same network. */
static json_t *load_compare(struct job *job, struct mch_err *err)
{
	struct mch_quant quant;
	json_t *search;
	const char *path = job->args->compare;
	if (mch_quant_json_read(path, &job->net, &quant, &search, err) != 0)
		return NULL;
	json_t *compare = NULL;
	if (json_array_size(json_object_get(search, "alone")) == 0)
		mch_err_set(err, path,
			    "tells of no search; give the result of `macchiato quantize` without --widths");
	else if (!(compare = json_pack("{s:s, s:O}", "file", mch_file_name(path), "search", search)))
		mch_err_set(err, path, "the name is no UTF-8, which the page needs; rename it");
	json_decref(search);
	mch_quant_free(&quant);
	return compare;
}

static json_t *load_tune_log(const struct job *job, struct mch_err *err)
{
	const char *path = job->args->tune_log;
	json_t *tune = mch_csv_read(path, err);
	if (tune && json_object_set_new(tune, "file", json_string(mch_file_name(path))) != 0) {
		mch_err_set(err, path, "the name is no UTF-8, which the page needs; rename it");
		json_decref(tune);
		return NULL;
	}
	return tune;
}

/* What is read, not found out. 0, or -1 with err. */
static int add_files(struct job *job, json_t *root, struct mch_err *err)
{
	json_t *compare = job->args->compare ? load_compare(job, err) : json_null();
	json_t *tune = compare && job->args->tune_log ? load_tune_log(job, err) : json_null();
	if (compare)
		json_object_set_new(root, "compare", compare);
	if (tune)
		json_object_set_new(root, "tune", tune);
	return compare && tune ? 0 : -1;
}

static int write(struct job *job, struct mch_err *err)
{
	const struct mch_report_options *args = job->args;
	const struct mch_report_facts facts = {.args = args,
					       .net = &job->net,
					       .quant = &job->quant,
					       .q = &job->q,
					       .ranges = job->n_ranges ? &job->ranges : NULL,
					       .measured = &job->train,
					       .scored = job->n_scored ? &job->test : NULL,
					       .float_answers = &job->float_answers,
					       .exact_answers = &job->exact_answers,
					       .difference = &job->difference,
					       .search = job->search,
					       .scored_hash = job->test_hash};
	json_t *root = mch_report_facts(&facts, err);
	int status = root ? add_files(job, root, err) : -1;
	if (status == 0 && args->output)
		status = mch_html_report_write(args->output, root, err);
	if (status == 0 && args->json) {
		json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
		putchar('\n');
	}
	json_decref(root);
	return status;
}

static int run(struct job *job, struct mch_err *err)
{
	const bool is_file = job->args->output && strcmp(job->args->output, "-") != 0;
	if (load_net(job, err) != 0 || (is_file && mch_cmd_require_writable(job->args->output, err) != 0) ||
	    load_test(job, err) != 0 || load_train(job, err) != 0 || measure_ranges(job, err) != 0 ||
	    score(job, err) != 0)
		return -1;
	return write(job, err);
}

int mch_cmd_report(int argc, char **argv, struct mch_err *err)
{
	const struct mch_report_options args = mch_report_parse(argc, argv);
	struct job job = {.args = &args};
	mch_net_init(&job.net);
	const int status = run(&job, err);
	json_decref(job.search);
	mch_answers_free(&job.float_answers);
	mch_answers_free(&job.exact_answers);
	mch_ranges_free(&job.ranges);
	mch_dataset_free(&job.train);
	mch_dataset_free(&job.test);
	mch_qnet_free(&job.q);
	mch_quant_free(&job.quant);
	mch_net_free(&job.net);
	return status == 0 ? MCH_EXIT_OK : MCH_EXIT_FAILED;
}
