/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* macchiato quantize: the smallest bit-widths that keep the accuracy, each candidate scored on exact integers. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/quantize_job.h"
#include "cli/quantize_report.h"
#include "io/quant_json.h"

static int print_json(const struct mch_quantize_job *job, bool is_found, struct mch_err *err)
{
	json_t *root = mch_quantize_json(job, is_found);
	if (!root)
		return mch_err_set(err, job->args->net.path,
				   "a name is no UTF-8, which JSON needs; rename it, or leave --json out");
	json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
	putchar('\n');
	json_decref(root);
	return 0;
}

/* The margin that would have been met, rounded up so that it can be typed in. */
static int say_missed(const struct mch_quantize_job *job, struct mch_err *err)
{
	const double of_float = mch_quantize_percent(job, job->choosing.n_float_correct);
	const double exact = mch_quantize_percent(job, job->candidates.list[job->candidate].right.n_correct);
	const char *what = job->args->widths[0] ? "the widths given" : "16 bits in every part";
	fprintf(stderr,
		"macchiato: %s: %s reach %.2f %%, float %.2f %%: more than the margin of "
		"%g points is lost; give --error-margin=%.2f or more, or see where values are lost with "
		"`macchiato ranges --bits=16`\n",
		job->args->net.path, what, exact, of_float, job->args->error_margin,
		ceil((of_float - exact) * 100 - 1e-6) / 100);
	if (job->args->json && print_json(job, false, err) != 0)
		return MCH_EXIT_FAILED;
	mch_scores_remove(&job->scores);
	return MCH_EXIT_MISMATCH;
}

/* The three widths that pass alone do not together. */
static int say_combination_missed(const struct mch_quantize_job *job)
{
	fprintf(stderr,
		"macchiato: %s: the parts keep the margin of %g points each alone, together they reach %.2f %%, float %.2f "
		"%%: as %s does, it is written all the same; leave --profile out to search further\n",
		job->args->net.path, job->args->error_margin, mch_quantize_percent(job, job->n_correct),
		mch_quantize_percent(job, job->choosing.n_float_correct), job->args->profile->of);
	return MCH_EXIT_MISMATCH;
}

/* Writes the result, then tells of it: what is told is on the disk. */
static int finish(struct mch_quantize_job *job, struct mch_err *err)
{
	if (mch_quantize_measure(job, err) != 0 || mch_quantize_refine(job, err) != 0)
		return -1;
	job->quant.accuracy_float = mch_quantize_percent(job, job->choosing.n_float_correct);
	job->quant.accuracy_exact = mch_quantize_percent(job, job->n_correct);
	job->quant.n_scored = job->choosing.n;
	job->quant.error_margin = job->args->error_margin;
	memcpy(job->quant.net_hash, job->net_hash, sizeof(job->quant.net_hash));
	if (job->args->search.pareto && mch_quantize_write_pareto(job, job->args->search.pareto, err) != 0)
		return -1;
	json_t *search = mch_quantize_search_json(job);
	const int status = search ? mch_quant_json_write(job->args->output, &job->net, &job->quant, search, err)
				  : mch_err_set(err, job->args->output, "out of memory; use a machine with more");
	json_decref(search);
	if (status != 0)
		return -1;
	mch_scores_remove(&job->scores);
	if (job->args->json)
		return print_json(job, true, err);
	if (!job->args->quiet && strcmp(job->args->output, "-") != 0)
		mch_quantize_print(job);
	return 0;
}

static int run(struct mch_quantize_job *job, struct mch_err *err)
{
	if (mch_quantize_load(job, err) != 0)
		return MCH_EXIT_FAILED;
	const int status = mch_quantize_search(job, err);
	/* Ristretto writes what it found, whatever its score. */
	const bool is_written = job->args->profile && job->args->profile->is_ladder &&
				!job->config.fixed && job->search->n_tries > 0;
	if (status == 1 && !is_written)
		return say_missed(job, err);
	if (status < 0 || finish(job, err) != 0)
		return MCH_EXIT_FAILED;
	return status == 0 ? MCH_EXIT_OK : say_combination_missed(job);
}

int mch_cmd_quantize(int argc, char **argv, struct mch_err *err)
{
	const struct mch_quantize_options args = mch_quantize_parse(argc, argv);
	struct mch_quantize_job job = {.args = &args};
	mch_net_init(&job.net);
	const int status = run(&job, err);
	mch_quantize_free(&job);
	return status;
}
