/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What a tuning starts from; see tune_job.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cmd.h"
#include "cli/load.h"
#include "cli/tune_job.h"
#include "io/quant_json.h"
#include "io/real_text.h"
#include "net/lower.h"
#include "net/qnet.h"
#include "train/params.h"

double *mch_tune_row(const struct mch_tune_job *job, int epoch)
{
	return job->rows + (size_t)epoch * MCH_TUNE_N_COLUMNS;
}

struct mch_tune_best mch_tune_best(const struct mch_tune_job *job)
{
	const double *best = mch_tune_row(job, job->args->train.config.n_epochs + 1);
	return (struct mch_tune_best){(int)best[0], (int)best[1]};
}

static int load_net(const struct mch_tune_options *args, struct mch_net *net, struct mch_err *err)
{
	return mch_load_net(&args->net, &args->data, net, NULL, err) == 0 && mch_net_require_weights(net, err) == 0
		       ? mch_net_lower(net, err)
		       : -1;
}

/* Accumulators that the program chose, which are those it would choose again, follow the weights; others were
 * asked for. */
static int release_accumulators(struct mch_tune_job *job, struct mch_err *err)
{
	struct mch_quant chosen;
	struct mch_qnet q;
	if (mch_quant_copy(&chosen, &job->quant, err) != 0)
		return -1;
	mch_quant_set_acc(&chosen, (struct mch_acc){0, MCH_WRAP});
	const int status = mch_qnet_build(&q, &job->net, &chosen, err);
	for (int i = 0; status == 0 && i < chosen.n_layers; i++)
		if (job->quant.layer[i].acc.bits == chosen.layer[i].acc.bits)
			job->quant.layer[i].acc = (struct mch_acc){0, MCH_WRAP};
	if (status == 0)
		mch_qnet_free(&q);
	mch_quant_free(&chosen);
	return status;
}

static int load_formats(struct mch_tune_job *job, struct mch_err *err)
{
	if (mch_quant_json_read(job->args->quant, &job->net, &job->quant, NULL, err) != 0)
		return -1;
	if (job->quant.wraps)
		return mch_err_set(err, job->args->quant, "has outputs that wrap: no slope leads over the end; tune for "
				   "outputs that saturate");
	return release_accumulators(job, err);
}

/* Training images are drawn by lot, and the last of them are held out: a set may be sorted by class. */
static int load_images(struct mch_tune_job *job, struct mch_err *err)
{
	const struct mch_tune_options *args = job->args;
	struct mch_data_options of_train = args->data;
	const char *train_path = args->train_data ? args->train_data : args->data.path;
	of_train.is_shuffled = true;
	if (mch_load_data(&args->data, args->data.path, "test", &job->net, args->data.limit, &job->test, err) != 0)
		return -1;
	if (!args->train_data && !job->test.is_split)
		return mch_err_set(err, args->data.path,
				   "is one set of images, for test; give those for training with --train-data=PATH");
	if (mch_load_data(&of_train, train_path, "train", &job->net, args->images, &job->train, err) != 0 ||
	    mch_load_require_labels(&job->test, &job->net, err) != 0 ||
	    mch_load_require_labels(&job->train, &job->net, err) != 0)
		return -1;
	job->n_test = mch_load_count("--limit", args->data.limit, job->test.n_images, &job->test, err);
	const int n = job->n_test < 0 ? -1
				      : mch_load_count("--images", args->images, job->train.n_images, &job->train, err);
	job->n_held = n < 0 ? -1 : mch_load_holdout(args->holdout, args->is_percent, n, "choose with", "train on", err);
	job->args->train.config.n_images = n - job->n_held;
	return job->n_held < 0 ? -1 : 0;
}

static int require_writable(const struct mch_tune_job *job, struct mch_err *err)
{
	const struct mch_tune_options *args = job->args;
	const char *const paths[] = {args->output, args->quant_output, job->run.checkpoint, args->log};
	for (int i = 0; i < 4; i++)
		if (paths[i] && mch_cmd_require_writable(paths[i], err) != 0)
			return -1;
	return 0;
}

/* Everything the result depends on. */
static int identify(struct mch_tune_job *job, struct mch_err *err)
{
	const struct mch_sgd_config *c = &job->args->train.config;
	char quant[MCH_HASH_HEX], data[MCH_HASH_HEX], share[32], temperature[32];
	mch_hash_net(&job->net, job->given_hash);
	if (mch_hash_file(job->args->quant, quant, err) != 0 ||
	    mch_load_hash(&job->train, c->n_images + job->n_held, data, err) != 0)
		return -1;
	snprintf(job->run.identity, sizeof(job->run.identity),
		 "network=%.16s\nformats=%.16s\nimages=%.16s\n--images=%d\n--holdout=%d\n--optimizer=%s\n"
		 "--weight-rounding=%s\n--distill=%s\n--temperature=%s\n",
		 job->given_hash, quant, data, c->n_images + job->n_held, job->n_held,
		 c->optimizer == MCH_OPTIMIZER_ADAM ? "adam" : "momentum", c->is_by_lot ? "stochastic" : "nearest",
		 mch_real_text(c->share, share), mch_real_text(c->temperature, temperature));
	mch_train_run_identify(&job->run);
	return 0;
}

/* Outputs whose codes are 4 apart tie where they differ by less, however sure a softmax of temperature 1 is by
 * then. */
static double usual_temperature(const struct mch_tune_job *job)
{
	const struct mch_format f = job->quant.edge[mch_net_integer_end(&job->net, NULL)];
	const double step = mch_format_real(f, 1) - mch_format_real(f, 0);
	return step > 1 ? step : 1;
}

/* What the checkpoint keeps. */
static int make_rows(struct mch_tune_job *job, struct mch_err *err)
{
	struct mch_checkpoint_more *more = &job->run.more;
	more->n_reals = ((size_t)job->args->train.config.n_epochs + 1) * MCH_TUNE_N_COLUMNS + 2;
	more->n_floats = mch_params_of_net(&job->net);
	more->reals = job->rows = malloc(more->n_reals * sizeof(*job->rows));
	more->floats = job->params = malloc((more->n_floats + 1) * sizeof(*job->params));
	if (!job->rows || !job->params)
		return mch_err_set(err, job->args->net.path, "out of memory; use a machine with more");
	for (size_t i = 0; i < more->n_reals; i++)
		job->rows[i] = NAN;
	for (size_t i = 0; i < more->n_floats; i++)
		job->params[i] = 0;
	job->rows[more->n_reals - 2] = job->rows[more->n_reals - 1] = 0; /* the best: none yet */
	return 0;
}

int mch_tune_load(struct mch_tune_job *job, struct mch_err *err)
{
	struct mch_sgd_config *config = &job->args->train.config;
	if (mch_train_run_begin(&job->run, err) != 0 || load_net(job->args, &job->net, err) != 0 ||
	    load_net(job->args, &job->reference, err) != 0 || load_formats(job, err) != 0)
		return -1;
	if (config->temperature <= 0)
		config->temperature = usual_temperature(job);
	if (load_images(job, err) != 0 || require_writable(job, err) != 0 || identify(job, err) != 0 ||
	    make_rows(job, err) != 0)
		return -1;
	job->quantizer = mch_quantizer_new(&job->net, &job->quant, err);
	job->inexact = calloc((size_t)job->net.n_layers, sizeof(*job->inexact));
	if (!job->quantizer)
		return -1;
	if (!job->inexact)
		return mch_err_set(err, job->args->net.path, "out of memory; use a machine with more");
	job->n_inexact = mch_quantizer_inexact(job->quantizer, job->inexact, err);
	if (job->n_inexact < 0)
		return -1;
	config->quantizer = job->quantizer;
	config->teacher = config->share > 0 ? &job->reference : NULL;
	job->run.sgd = mch_sgd_new(&job->net, &job->train, config, err);
	return job->run.sgd ? mch_train_run_resume(&job->run, err) : -1;
}

void mch_tune_free(struct mch_tune_job *job)
{
	mch_train_run_free(&job->run);
	mch_quantizer_free(job->quantizer);
	mch_dataset_free(&job->train);
	mch_dataset_free(&job->test);
	mch_quant_free(&job->quant);
	mch_net_free(&job->reference);
	mch_net_free(&job->net);
	free(job->inexact);
	free(job->rows);
	free(job->params);
}
