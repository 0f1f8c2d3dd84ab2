/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* macchiato tune: training that goes on behind quantization; the best epoch, by exact integers, is kept. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/tune_job.h"
#include "io/onnx_write.h"
#include "io/quant_json.h"
#include "train/params.h"

/* A network as integers, in copies of the formats, and what these then say of its accumulators. */
struct integers {
	struct mch_quant quant;
	struct mch_qnet q;
};

static int make_integers(struct integers *to, const struct mch_net *net, const struct mch_quant *quant,
			 struct mch_err *err)
{
	if (mch_quant_copy(&to->quant, quant, err) != 0)
		return -1;
	if (mch_qnet_build(&to->q, net, &to->quant, err) == 0)
		return 0;
	mch_quant_free(&to->quant);
	return -1;
}

static void free_integers(struct integers *of)
{
	mch_qnet_free(&of->q);
	mch_quant_free(&of->quant);
}

/* Right answers on the images held out, or -1 with err. */
static int score_held(const struct mch_tune_job *job, struct mch_err *err)
{
	const struct mch_net *twin = mch_quantizer_net(job->quantizer);
	const struct mch_score_config config = {
		.data = &job->train, .first = job->args->train.config.n_images, .n = job->n_held};
	struct integers integers;
	struct mch_answers answers;
	mch_quantizer_round(job->quantizer);
	if (make_integers(&integers, twin, &job->quant, err) != 0)
		return -1;
	const int status = mch_score_run(&(struct mch_model){.net = twin, .q = &integers.q}, &config, &answers, err);
	free_integers(&integers);
	if (status != 0)
		return -1;
	const int n_right = answers.n_top1;
	mch_answers_free(&answers);
	return n_right;
}

/* Of the twin into the list of the best, or from there into a network. */
static void copy_params(const struct mch_net *net, float *list, bool is_into_list)
{
	for (int i = 0; i < net->n_layers; i++) {
		struct mch_params pieces[MCH_PARAMS_MAX];
		const int n = mch_params_of(net, i, pieces);
		for (int j = 0; j < n; list += pieces[j++].n_elems) {
			const size_t n_bytes = pieces[j].n_elems * sizeof(*list);
			memcpy(is_into_list ? list : pieces[j].values, is_into_list ? pieces[j].values : list, n_bytes);
		}
	}
}

/* Of equals the later is better: it has seen more, at a lower rate. The network as given is not among them: most likely it was
 * trained on the images held out, too, which flatters it. */
static void keep_best(struct mch_tune_job *job, int epoch, int n_right)
{
	double *best = mch_tune_row(job, job->args->train.config.n_epochs + 1);
	if (epoch == 0 || n_right < (int)best[1])
		return;
	best[0] = epoch;
	best[1] = n_right;
	copy_params(mch_quantizer_net(job->quantizer), job->params, true);
}

static int end_epoch(void *ctx, struct mch_err *err)
{
	struct mch_tune_job *job = ctx;
	const struct mch_sgd_config *config = &job->args->train.config;
	const struct mch_sgd_state *state = mch_sgd_state(job->run.sgd);
	const int n_right = score_held(job, err);
	double *row = mch_tune_row(job, state->epoch);
	if (n_right < 0)
		return -1;
	row[MCH_TUNE_EPOCH] = state->epoch;
	row[MCH_TUNE_HELD] = 100.0 * n_right / job->n_held;
	if (state->epoch > 0) {
		row[MCH_TUNE_RATE] = mch_sgd_rate(config, (double)state->epoch / config->n_epochs);
		row[MCH_TUNE_LOSS] = state->loss / config->n_images;
		row[MCH_TUNE_TRAIN] = 100.0 * (double)state->n_right / config->n_images;
	}
	keep_best(job, state->epoch, n_right);
	if (!job->args->train.quiet) {
		if (state->epoch > 0)
			mch_train_run_tell(&job->run);
		fprintf(stderr, "%s %5.2f %%%s\n", state->epoch > 0 ? "  held out" : "as given: integers, held out",
			row[MCH_TUNE_HELD],
			state->epoch > 0 && mch_tune_best(job).epoch == state->epoch ? "  best" : "");
	}
	return mch_tune_write_log(job, state->epoch, err);
}

/* A network on the test images; float when q is NULL. predictions of float are kept in *of_float, or looked at. */
static int score_test(struct mch_tune_job *job, const struct mch_net *net, const struct mch_qnet *q,
		      struct mch_answers *of_float, struct mch_tune_score *score, struct mch_err *err)
{
	const struct mch_score_config config = {.data = &job->test, .n = job->n_test};
	const struct mch_model model = {.net = net, .q = q};
	struct mch_answers answers;
	struct mch_difference difference = {.sqnr_db = INFINITY};
	if (mch_score_run(&model, &config, &answers, err) != 0)
		return -1;
	*score = (struct mch_tune_score){answers.n_top1, job->n_test, INFINITY};
	if (!q) {
		*of_float = answers;
		return 0;
	}
	score->n_agree = 0;
	for (int i = 0; i < job->n_test; i++)
		score->n_agree += answers.prediction[i] == of_float->prediction[i];
	mch_answers_free(&answers);
	const int status = mch_score_compare(&model, &(struct mch_model){.net = &job->reference}, &config, &difference, err);
	score->sqnr_db = difference.sqnr_db;
	return status;
}

static int score_integers(struct mch_tune_job *job, const struct mch_net *net, struct mch_answers *of_float,
			  struct mch_tune_score *score, struct mch_quant *quant, struct mch_err *err)
{
	struct integers integers;
	if (make_integers(&integers, net, &job->quant, err) != 0)
		return -1;
	const int status = score_test(job, net, &integers.q, of_float, score, err);
	if (quant && status == 0) {
		mch_quant_free(quant);
		*quant = integers.quant;
		memset(&integers.quant, 0, sizeof(integers.quant));
	}
	free_integers(&integers);
	return status;
}

/* Before and after, on the test images; the formats get the accumulators and certificates of the result. */
static int measure(struct mch_tune_job *job, struct mch_err *err)
{
	struct mch_answers of_float;
	copy_params(&job->net, job->params, false);
	if (score_test(job, &job->reference, NULL, &of_float, &job->of_float, err) != 0)
		return -1;
	const int status = score_integers(job, &job->reference, &of_float, &job->before, NULL, err) == 0
				   ? score_integers(job, &job->net, &of_float, &job->after, &job->quant, err)
				   : -1;
	mch_answers_free(&of_float);
	job->quant.accuracy_float = 100.0 * job->of_float.n_right / job->n_test;
	job->quant.accuracy_exact = 100.0 * job->after.n_right / job->n_test;
	job->quant.n_scored = job->n_test;
	return status;
}

static void warn(const struct mch_tune_job *job)
{
	const double best = 100.0 * mch_tune_best(job).n_right / job->n_held, given = mch_tune_row(job, 0)[MCH_TUNE_HELD];
	if (best < given && !job->args->train.quiet)
		fprintf(stderr, "macchiato: %s: no epoch reaches the network as given on the images held out, %.2f to %.2f %%; "
				"unless they trained it, give a smaller --lr\n",
			job->args->output, best, given);
}

/* Both or none: the checkpoint has what is left of a run that fails here. A device stays. */
static int write_result(const struct mch_tune_job *job, const json_t *root, struct mch_err *err)
{
	const char *path = job->args->output;
	struct stat found;
	if (mch_onnx_write(path, &job->net, err) != 0)
		return -1;
	const int status = mch_quant_json_write(job->args->quant_output, &job->net, &job->quant, root, err);
	if (status != 0 && lstat(path, &found) == 0 && S_ISREG(found.st_mode))
		unlink(path);
	return status;
}

/* Writes the result, then tells of it: what is told is on the disk. */
static int finish(struct mch_tune_job *job, struct mch_err *err)
{
	const struct mch_tune_options *args = job->args;
	if (measure(job, err) != 0)
		return -1;
	json_t *root = mch_tune_json(job);
	if (!root)
		return mch_err_set(err, args->net.path, "a name is no UTF-8, which JSON needs; rename it");
	const int status = write_result(job, root, err);
	if (status == 0 && args->train.json) {
		json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
		putchar('\n');
	} else if (status == 0) {
		mch_tune_print(job);
	}
	json_decref(root);
	if (status == 0) {
		mch_train_run_end(&job->run);
		warn(job);
	}
	return status;
}

static int run(struct mch_tune_job *job, struct mch_err *err)
{
	if (mch_tune_load(job, err) != 0)
		return -1;
	const struct mch_sgd_state *state = mch_sgd_state(job->run.sgd);
	if (state->epoch == 0 && state->n_done == 0 && end_epoch(job, err) != 0)
		return -1;
	return mch_train_run_steps(&job->run, err) == 0 ? finish(job, err) : -1;
}

int mch_cmd_tune(int argc, char **argv, struct mch_err *err)
{
	struct mch_tune_options args = mch_tune_parse(argc, argv);
	struct mch_tune_job job = {.args = &args};
	mch_net_init(&job.net);
	mch_net_init(&job.reference);
	job.run.options = &args.train, job.run.output = args.output, job.run.net = &job.net;
	job.run.end_epoch = end_epoch, job.run.ctx = &job;
	const int status = run(&job, err);
	mch_tune_free(&job);
	return status == 0 ? MCH_EXIT_OK : MCH_EXIT_FAILED;
}
