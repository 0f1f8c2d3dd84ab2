/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The search on a real network; see quantize_job.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/quantize_job.h"
#include "net/score.h"

static int build(struct mch_quantize_job *job, const int8_t *setting, struct mch_qnet *q, struct mch_err *err)
{
	mch_knobs_widths(&job->knobs, setting, &job->widths);
	if (mch_formats_apply(&job->formats, &job->widths, &job->quant, err) != 0)
		return -1;
	return mch_qnet_build(q, &job->net, &job->quant, err);
}

static int score(void *ctx, const int8_t *setting, int need, struct mch_right *right, struct mch_err *err)
{
	struct mch_quantize_job *job = ctx;
	struct mch_qnet q;
	struct mch_answers answers;
	const struct mch_score_config config = {.data = &job->test, .n = job->choosing.n, .need = need};
	if (build(job, setting, &q, err) != 0)
		return -1;
	const struct mch_model model = {.net = &job->net, .q = &q, .prefix = job->prefix, .quant = &job->quant};
	const int status = mch_score_run(&model, &config, &answers, err);
	mch_qnet_free(&q);
	if (status != 0)
		return -1;
	*right = (struct mch_right){answers.n_top1, answers.n_images, answers.n_images < job->choosing.n};
	if (right->is_bound) /* all that follow may be right */
		right->n_correct += job->choosing.n - answers.n_images;
	mch_answers_free(&answers);
	return 0;
}

static bool lookup(void *ctx, const int8_t *setting, struct mch_right *right)
{
	const struct mch_quantize_job *job = ctx;
	return mch_scores_lookup(&job->scores, setting, right);
}

static int store(void *ctx, const int8_t *setting, const struct mch_right *right, struct mch_err *err)
{
	struct mch_quantize_job *job = ctx;
	return mch_scores_store(&job->scores, setting, right, err);
}

static void spread(void *ctx, const int *width, int8_t *setting)
{
	const struct mch_quantize_job *job = ctx;
	mch_knobs_spread(&job->knobs, width, setting);
}

static void show_scores(void *ctx)
{
	struct mch_quantize_job *job = ctx;
	const size_t done = job->candidates.n_scored;
	size_t total = job->mixed.n_expected ? job->mixed.n_expected : job->search->n_expected;
	mch_progress_update(&job->bar, done, done > total ? done : total);
}

double mch_quantize_cost(struct mch_quantize_job *job, const int8_t *setting)
{
	mch_knobs_widths(&job->knobs, setting, &job->widths);
	return mch_cost_total(&job->cost, job->args->search.cost, job->widths.weights, job->widths.edge);
}

/* What mixed precision makes small: bits stored count a little beside any cost, so that widths which it does not see
 * are not left wide. */
struct aim {
	struct mch_quantize_job *job;
	double cost_unit, bits_unit;
};

static double aim_cost(void *ctx, const int8_t *setting)
{
	enum { SHARE = 1000 };
	const struct aim *aim = ctx;
	const double cost = mch_quantize_cost(aim->job, setting);
	const struct mch_widths *w = &aim->job->widths;
	return cost / aim->cost_unit +
	       mch_cost_total(&aim->job->cost, MCH_COST_BITS, w->weights, w->edge) / aim->bits_unit / SHARE;
}

/* 16 bits everywhere, or as many as there are. */
static void widen_all(struct mch_quantize_job *job)
{
	for (int k = 0; k < job->knobs.n; k++)
		job->setting[k] = (int8_t)mch_knobs_width(&job->knobs, k, MCH_OPERAND_BITS_MAX);
}

static struct aim aim_of(struct mch_quantize_job *job)
{
	struct aim aim = {job, 1, 1};
	widen_all(job);
	const double cost = mch_quantize_cost(job, job->setting);
	const double bits = mch_cost_total(&job->cost, MCH_COST_BITS, job->widths.weights, job->widths.edge);
	aim.cost_unit = cost > 0 ? cost : 1;
	aim.bits_unit = bits > 0 ? bits : 1;
	return aim;
}

/* Noise-to-signal ratio of the logits with one knob at a width and the others at 16 bits. */
static int measure_noise(struct mch_quantize_job *job, int knob, int bits, double *noise, struct mch_err *err)
{
	const struct mch_score_config config = {.data = &job->test, .n = job->n_sensitivity};
	struct mch_difference d;
	struct mch_qnet q;
	if (mch_scores_lookup_noise(&job->scores, knob, bits, noise))
		return 0;
	widen_all(job);
	job->setting[knob] = (int8_t)mch_knobs_width(&job->knobs, knob, bits);
	if (build(job, job->setting, &q, err) != 0)
		return -1;
	const struct mch_model model = {.net = &job->net, .q = &q, .prefix = job->prefix, .quant = &job->quant};
	const int status = mch_score_compare_logits(&model, job->logits, &config, &d, err);
	mch_qnet_free(&q);
	if (status != 0)
		return -1;
	*noise = isinf(d.sqnr_db) ? d.sqnr_db > 0 ? 0 : HUGE_VAL : pow(10, -d.sqnr_db / 10);
	/* Silent logits have no signal: then any noise is as bad. */
	*noise = *noise <= 1e30 ? *noise : 1e30;
	return mch_scores_store_noise(&job->scores, knob, bits, *noise, err);
}

/* From 8 bits down until the noise drowns the signal; beyond both ends a bit is worth a factor of four, as it is for
 * rounding noise. */
static int measure_knob(struct mch_quantize_job *job, int knob, double base, struct mch_err *err)
{
	enum { MEASURED = 8, BIT = 4 };
	const double drowned = 4;
	double *row = &job->noise[knob * MCH_MIXED_WIDTHS], measured = 0;
	for (int bits = MEASURED; bits >= 1; bits--) {
		if (measured < drowned) {
			if (measure_noise(job, knob, bits, &measured, err) != 0)
				return -1;
			job->noise_measured[knob * MCH_MIXED_WIDTHS + bits] = measured;
			row[bits] = measured > base ? measured - base : 0;
		} else {
			row[bits] = row[bits + 1] * BIT;
		}
	}
	for (int bits = MEASURED + 1; bits <= MCH_OPERAND_BITS_MAX; bits++)
		row[bits] = row[bits - 1] / BIT;
	return 0;
}

static int measure_sensitivity(struct mch_quantize_job *job, struct mch_err *err)
{
	double base;
	job->logits = mch_score_logits(&job->net,
				       &(struct mch_score_config){.data = &job->test, .n = job->n_sensitivity}, err);
	if (!job->logits)
		return -1;
	mch_quantize_begin_progress(job, "3/5 sensitivity", "knobs");
	int status = measure_noise(job, 0, MCH_OPERAND_BITS_MAX, &base, err);
	for (int k = 0; k < job->knobs.n && status == 0; k++) {
		status = measure_knob(job, k, base, err);
		mch_progress_update(&job->bar, (uint64_t)k + 1, (uint64_t)job->knobs.n);
	}
	mch_progress_end(&job->bar);
	return status;
}

static int search_layers(struct mch_quantize_job *job, struct mch_err *err)
{
	if (measure_sensitivity(job, err) != 0)
		return -1;
	struct aim aim = aim_of(job);
	int8_t *bounds = malloc(2 * (size_t)job->knobs.n + 1);
	if (!bounds)
		return mch_err_set(err, "search", "out of memory; use a machine with more");
	for (int k = 0; k < job->knobs.n; k++) {
		bounds[k] = (int8_t)mch_knobs_width(&job->knobs, k, 1);
		bounds[job->knobs.n + k] = job->setting[k];
	}
	const struct mch_mixed_config config = {.candidates = &job->candidates,
						.need = mch_search_need(&job->config),
						.noise = job->noise,
						.narrowest = bounds,
						.widest = bounds + job->knobs.n,
						.known = job->candidates.list[job->candidate].setting,
						.cost = aim_cost,
						.ctx = &aim,
						.scores_max = (int)job->args->search.scores_max};
	mch_quantize_begin_progress(job, "4/5 mixed precision", "scores");
	const int status = mch_mixed_run(&job->mixed, &config, err);
	free(bounds);
	mch_progress_end(&job->bar);
	if (status == 0)
		job->candidate = job->mixed.candidate;
	return status;
}

static void configure(struct mch_quantize_job *job)
{
	const struct mch_quantize_options *args = job->args;
	job->candidates = (struct mch_candidates){.n_knobs = job->knobs.n,
						  .n_images = job->choosing.n,
						  .score = score,
						  .lookup = lookup,
						  .store = store,
						  .progress = show_scores,
						  .ctx = job};
	job->config = (struct mch_search_config){.n_images = job->choosing.n,
						 .n_float_correct = job->choosing.n_float_correct,
						 .error_margin = args->error_margin,
						 .fixed = args->widths[0] ? job->fixed : NULL,
						 .is_net = args->search.granularity != MCH_GRANULARITY_PART,
						 .has_part[MCH_PART_ACTIVATIONS] = true,
						 .has_curves = args->search.has_curves,
						 .is_ladder = args->profile && args->profile->is_ladder,
						 .candidates = &job->candidates,
						 .spread = spread,
						 .ctx = job};
	for (int p = 0; p < MCH_N_PARTS; p++) {
		const struct mch_format_policy_part *part =
			p == MCH_PART_ACTIVATIONS ? &args->policy.activations : &args->policy.weights;
		job->fixed[p] = mch_format_policy_width(part, args->widths[p]);
		job->config.narrowest[p] = mch_format_policy_width(part, 1);
		job->config.widest[p] = mch_format_policy_width(part, MCH_OPERAND_BITS_MAX);
	}
	long *stored = job->config.weight_of;
	for (int i = 0; i < job->net.n_layers; i++) {
		const int part = mch_formats_part(&job->net.layers[i]);
		if (part < 0)
			continue;
		job->config.has_part[part] = true;
		stored[part] += (long)job->net.layers[i].n_weights;
		stored[MCH_PART_ACTIVATIONS] += (long)mch_shape_elems(job->net.edges[job->net.layers[i].in[0]].shape);
	}
	job->config.has_part[0] = job->config.has_part[0] || job->config.is_net;
}

int mch_quantize_search(struct mch_quantize_job *job, struct mch_err *err)
{
	enum { PREFIX_BYTES = 1 << 30 };
	configure(job);
	job->prefix = mch_prefix_new(&job->net, job->choosing.n, PREFIX_BYTES);
	mch_quantize_begin_progress(job, "3/5 search", "scores");
	int status = mch_search_run(job->search, &job->config, err);
	mch_progress_end(&job->bar);
	if (status >= 0)
		job->candidate = job->search->candidate;
	if (status == 0 && job->args->search.granularity == MCH_GRANULARITY_LAYER)
		status = search_layers(job, err);
	mch_prefix_free(job->prefix); /* the network may change from here on */
	job->prefix = NULL;
	if (status >= 0)
		memcpy(job->setting, job->candidates.list[job->candidate].setting, (size_t)job->knobs.n);
	return status;
}

/* Every candidate, in order, with its cost. */
static int find_front(struct mch_quantize_job *job, struct mch_err *err)
{
	const size_t n = job->candidates.n;
	job->points = calloc(n + 1, sizeof(*job->points));
	job->front = malloc((n + 1) * sizeof(*job->front));
	if (!job->points || !job->front)
		return mch_err_set(err, "search", "out of memory; use a machine with more");
	for (size_t i = 0; i < n; i++) {
		const struct mch_candidate *c = &job->candidates.list[i];
		job->points[i] = (struct mch_pareto_point){.cost = mch_quantize_cost(job, c->setting),
							   .n_correct = c->right.n_correct,
							   .is_bound = c->right.is_bound};
	}
	job->n_front = mch_pareto_mark(job->points, n, job->front);
	return 0;
}

int mch_quantize_measure(struct mch_quantize_job *job, struct mch_err *err)
{
	const struct mch_score_config config = {.data = &job->test,
						.first = job->reporting.first,
						.n = job->reporting.n};
	struct mch_difference difference;
	struct mch_answers answers;
	struct mch_qnet q;
	if (find_front(job, err) != 0 || build(job, job->setting, &q, err) != 0)
		return -1;
	const struct mch_model model = {.net = &job->net, .q = &q};
	int status = mch_score_run(&model, &config, &answers, err);
	if (status == 0) {
		status = mch_score_compare(&model, &(struct mch_model){.net = &job->net}, &config, &difference, err);
		job->report = (struct mch_result_report){.n_correct = answers.n_top1,
							    .sqnr_db = difference.sqnr_db,
							    .n_narrow = mch_qnet_n_narrow(&q),
							    .n_overflows = answers.n_overflows};
		for (int i = 0; i < config.n; i++)
			job->report.n_agree += answers.prediction[i] == job->float_answers[config.first + i];
		mch_answers_free(&answers);
	}
	mch_qnet_free(&q);
	return status;
}
