/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* macchiato eval: accuracy, or the distance to another network, in float or on exact integers. */
#include <stdlib.h>
#include <time.h>

#include "cli/cmd.h"
#include "cli/eval_options.h"
#include "cli/eval_report.h"
#include "cli/load.h"
#include "cli/progress.h"
#include "io/quant_json.h"
#include "net/lower.h"

struct job {
	const struct mch_eval_options *args;
	struct mch_net net, reference;
	struct mch_dataset data;
	struct mch_quant quant;
	struct mch_qnet q; /* of integers */
	struct mch_eval_report report;
};

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void show_progress(void *ctx, int done, int total)
{
	mch_progress_update(ctx, (uint64_t)done, (uint64_t)total);
}

/* The network, and its formats from the file of its own or from the model. */
static int load_net(struct job *job, struct mch_err *err)
{
	const struct mch_eval_options *args = job->args;
	if (mch_load_net(&args->net, &args->data, &job->net, &job->quant, err) != 0 ||
	    mch_net_require_weights(&job->net, err) != 0)
		return -1;
	if (args->quant) {
		mch_quant_free(&job->quant);
		if (mch_net_lower(&job->net, err) != 0 ||
		    mch_quant_json_read(args->quant, &job->net, &job->quant, NULL, err) != 0)
			return -1;
	}
	if (job->quant.n_edges == 0 && args->acc.bits)
		return mch_err_set(err, "--acc-bits", "the network is evaluated in float, which has no accumulators; give "
						      "formats with --quant=Q.json");
	if (job->quant.n_edges == 0)
		return 0;
	if (args->acc.bits)
		mch_quant_set_acc(&job->quant, args->acc);
	job->report.formats = args->quant ? args->quant : args->net.path;
	if (mch_qnet_build(&job->q, &job->net, &job->quant, err) != 0)
		return -1;
	job->report.n_narrow = mch_qnet_n_narrow(&job->q);
	return 0;
}

/* Without a reference it has to be a classifier; with one, labels that fit are taken along. */
static int load_data(struct job *job, struct mch_err *err)
{
	const struct mch_eval_options *args = job->args;
	struct mch_eval_report *r = &job->report;
	if (args->reference.path &&
	    (mch_load_net(&args->reference, &args->data, &job->reference, NULL, err) != 0 ||
	     mch_net_require_weights(&job->reference, err) != 0))
		return -1;
	if (mch_load_data(&args->data, args->data.path, args->data.split, &job->net, args->data.limit, &job->data,
			  err) != 0)
		return -1;
	r->n_images = mch_load_count("--limit", args->data.limit, job->data.n_images, &job->data, err);
	if (r->n_images < 0)
		return -1;
	r->has_difference = args->reference.path != NULL;
	r->has_answers = mch_load_require_labels(&job->data, &job->net, r->has_difference ? NULL : err) == 0;
	if (!r->has_answers && !r->has_difference)
		return -1;
	if (!args->labels || !r->has_answers)
		return 0;
	r->names = mch_eval_read_names(args->labels, (int)mch_shape_elems(job->net.edges[job->net.output].shape),
				       err);
	return r->names ? 0 : -1;
}

static int find_answers(struct job *job, const struct mch_model *model, struct mch_err *err)
{
	struct mch_eval_report *r = &job->report;
	struct mch_progress bar;
	const struct mch_score_config config = {.data = &job->data, .n = r->n_images, .progress = show_progress, .ctx = &bar};
	const double start_s = now_s();
	mch_progress_begin(&bar, "eval", "images");
	const int status = mch_score_run(model, &config, &r->answers, err);
	mch_progress_end(&bar);
	r->seconds = now_s() - start_s;
	return status == 0 ? mch_eval_count(r, err) : -1;
}

static int find_difference(struct job *job, const struct mch_model *model, struct mch_err *err)
{
	struct mch_progress bar;
	const struct mch_score_config config = {.data = &job->data, .n = job->report.n_images,
						.progress = show_progress, .ctx = &bar};
	const struct mch_model reference = {.net = &job->reference, .is_plain = job->args->plain};
	mch_progress_begin(&bar, "compare", "images");
	const int status = mch_score_compare(model, &reference, &config, &job->report.difference, err);
	mch_progress_end(&bar);
	return status;
}

static int run(struct job *job, struct mch_err *err)
{
	struct mch_eval_report *r = &job->report;
	if (load_net(job, err) != 0 || load_data(job, err) != 0)
		return -1;
	const struct mch_model model = {&job->net, r->formats ? &job->q : NULL, job->args->plain};
	if ((r->has_answers && find_answers(job, &model, err) != 0) ||
	    (r->has_difference && find_difference(job, &model, err) != 0) ||
	    (r->has_answers && job->args->confusion && mch_eval_write_confusion(r, err) != 0))
		return -1;
	return mch_eval_print(r, err);
}

int mch_cmd_eval(int argc, char **argv, struct mch_err *err)
{
	const struct mch_eval_options args = mch_eval_parse(argc, argv);
	struct job job = {.args = &args};
	mch_net_init(&job.net);
	mch_net_init(&job.reference);
	job.report.args = &args, job.report.net = &job.net, job.report.data = &job.data;
	const int status = run(&job, err);
	if (job.report.names)
		mch_eval_free_names(job.report.names, (int)mch_shape_elems(job.net.edges[job.net.output].shape));
	free(job.report.confusion);
	mch_answers_free(&job.report.answers);
	mch_dataset_free(&job.data);
	mch_qnet_free(&job.q);
	mch_quant_free(&job.quant);
	mch_net_free(&job.reference);
	mch_net_free(&job.net);
	return status == 0 ? MCH_EXIT_OK : MCH_EXIT_FAILED;
}
