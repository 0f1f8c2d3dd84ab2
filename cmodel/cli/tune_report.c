/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What a tuning tells: its log, JSON, text; see tune_job.h. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/outfile.h"
#include "cli/host_layers.h"
#include "cli/tune_job.h"
#include "io/real_text.h"
#include "net/interval.h"

static const char *const columns[MCH_TUNE_N_COLUMNS] = {
	[MCH_TUNE_EPOCH] = "epoch",
	[MCH_TUNE_RATE] = "rate",
	[MCH_TUNE_LOSS] = "train_loss",
	[MCH_TUNE_TRAIN] = "train_accuracy",
	[MCH_TUNE_HELD] = "held_out_accuracy",
};

static void put_row(FILE *to, const double *row)
{
	for (int c = 0; c < MCH_TUNE_N_COLUMNS; c++) {
		char text[32];
		fprintf(to, "%s%s", c ? "," : "", isnan(row[c]) ? "" : mch_real_text(row[c], text));
	}
	fputc('\n', to);
}

int mch_tune_write_log(const struct mch_tune_job *job, int n_epochs, struct mch_err *err)
{
	struct mch_outfile out;
	if (!job->args->log)
		return 0;
	if (mch_outfile_open(&out, job->args->log, err) != 0)
		return -1;
	for (int c = 0; c < MCH_TUNE_N_COLUMNS; c++)
		fprintf(out.stream, "%s%s", c ? "," : "", columns[c]);
	fputc('\n', out.stream);
	for (int epoch = 0; epoch <= n_epochs; epoch++)
		put_row(out.stream, mch_tune_row(job, epoch));
	return mch_outfile_commit(&out, err);
}

static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *score_json(const struct mch_tune_job *job, const struct mch_tune_score *score)
{
	const struct mch_interval i = mch_interval_95(score->n_right, job->n_test);
	return json_pack("{s:i, s:f, s:[f,f], s:f, s:o}", "right", score->n_right, "accuracy",
			 100.0 * score->n_right / job->n_test, "interval_95", i.low, i.high, "agreement",
			 100.0 * score->n_agree / job->n_test, "sqnr_db", number(score->sqnr_db));
}

static json_t *options_json(const struct mch_tune_job *job)
{
	const struct mch_sgd_config *c = &job->args->train.config;
	return json_pack("{s:i, s:i, s:s, s:f, s:s, s:f, s:f, s:s, s:f, s:f, s:i, s:b, s:I}", "epochs", c->n_epochs,
			 "batch", c->batch, "optimizer", c->optimizer == MCH_OPTIMIZER_ADAM ? "adam" : "momentum",
			 "rate", c->rate, "policy", mch_policy_name(c->policy), "momentum", c->momentum, "decay",
			 c->decay, "weight_rounding", c->is_by_lot ? "stochastic" : "nearest", "distill", c->share,
			 "temperature", c->temperature, "shift", c->max_shift, "flip", (int)c->flip, "seed",
			 (json_int_t)c->seed);
}

static json_t *epochs_json(const struct mch_tune_job *job)
{
	json_t *list = json_array();
	for (int epoch = 0; epoch <= job->args->train.config.n_epochs; epoch++) {
		const double *row = mch_tune_row(job, epoch);
		json_t *entry = json_object();
		for (int c = 0; c < MCH_TUNE_N_COLUMNS; c++)
			json_object_set_new(entry, columns[c], c == MCH_TUNE_EPOCH ? json_integer(epoch) : number(row[c]));
		json_array_append_new(list, entry);
	}
	return list;
}

static json_t *inexact_json(const struct mch_tune_job *job)
{
	json_t *list = json_array();
	for (int i = 0; i < job->n_inexact; i++)
		if (json_array_append_new(list, json_string(job->inexact[i])) != 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

json_t *mch_tune_json(const struct mch_tune_job *job)
{
	const struct mch_tune_best best = mch_tune_best(job);
	return json_pack("{s:{s:s, s:i, s:i, s:i, s:i, s:i, s:o}, s:o, s:o, s:o, s:o, s:o}", "tuning", "given_net_hash",
			 job->given_hash, "train_images", job->args->train.config.n_images, "held_out_images",
			 job->n_held, "best_epoch", best.epoch, "held_out_right", best.n_right, "images", job->n_test,
			 "inexact_forward", inexact_json(job), "tuning_options", options_json(job), "tuning_float", score_json(job, &job->of_float),
			 "tuning_before", score_json(job, &job->before), "tuning_after", score_json(job, &job->after),
			 "tuning_epochs", epochs_json(job));
}

static void print_forward(const struct mch_tune_job *job)
{
	printf("forward    %s", job->n_inexact ? "as the hardware, but for sums too wide for float in "
						  : "as the hardware, bit for bit\n");
	for (int i = 0; i < job->n_inexact; i++)
		printf("%s%s%s", i ? ", " : "", job->inexact[i], i + 1 < job->n_inexact ? "" : "\n");
}

static void print_score(const struct mch_tune_job *job, const char *what, const struct mch_tune_score *score)
{
	const struct mch_interval i = mch_interval_95(score->n_right, job->n_test);
	printf("%-10s %6.2f %% (%d of %d images), 95 %% interval %.2f to %.2f %%", what,
	       100.0 * score->n_right / job->n_test, score->n_right, job->n_test, i.low, i.high);
	if (isfinite(score->sqnr_db))
		printf("; %.2f %% as float, logits %.2f dB", 100.0 * score->n_agree / job->n_test, score->sqnr_db);
	putchar('\n');
}

void mch_tune_print(const struct mch_tune_job *job)
{
	const struct mch_sgd_config *c = &job->args->train.config;
	const struct mch_tune_best best = mch_tune_best(job);
	printf("network    %s\n", job->net.name ? job->net.name : "");
	printf("images     %d train, %d held out choose, %d others report; drawn with seed %" PRIu64 "\n", c->n_images,
	       job->n_held, job->n_test, c->seed);
	print_forward(job);
	printf("best       epoch %d of %d: %.2f %% of those held out, as given %.2f %%\n", best.epoch, c->n_epochs,
	       100.0 * best.n_right / job->n_held, mch_tune_row(job, 0)[MCH_TUNE_HELD]);
	print_score(job, "float", &job->of_float);
	print_score(job, "integers", &job->before);
	print_score(job, "tuned", &job->after);
	mch_host_layers_print(&job->net);
	printf("result     %s, %s\n", job->args->output, job->args->quant_output);
}
