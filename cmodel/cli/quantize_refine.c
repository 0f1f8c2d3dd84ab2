/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Changes of the network that make its integers better, and what they gain; see quantize_job.h. */
#include <stdlib.h>
#include <string.h>

#include "cli/load.h"
#include "cli/quantize_job.h"
#include "io/onnx_write.h"
#include "net/lower.h"
#include "net/score.h"
#include "quant/bias_correct.h"

/* More of them take longer and change a mean by less than its own quantization. */
enum { CORRECTION_IMAGES = 64 };

/* A covariance has many more entries than there are means. */
enum { COMPENSATION_IMAGES = 256 };

/* A network before its parameters are changed, for comparison: all but these is shared. */
struct reference {
	struct mch_net net;
	float **kept; /* [2 * n_layers] weights and biases, owned */
};

static void free_reference(struct reference *r)
{
	for (int i = 0; r->kept && i < 2 * r->net.n_layers; i++)
		free(r->kept[i]);
	free(r->kept);
	free(r->net.layers);
}

static bool keep(float **values, float **kept, size_t n)
{
	if (!*values)
		return true;
	*kept = malloc(n * sizeof(**kept));
	if (*kept)
		memcpy(*kept, *values, n * sizeof(**kept));
	*values = *kept;
	return *kept != NULL;
}

static int keep_reference(struct reference *r, const struct mch_net *net, struct mch_err *err)
{
	const size_t n = (size_t)net->n_layers;
	r->net = *net;
	r->net.layers = malloc(n * sizeof(*r->net.layers));
	r->kept = calloc(2 * n, sizeof(*r->kept));
	bool has_room = r->net.layers && r->kept;
	if (has_room)
		memcpy(r->net.layers, net->layers, n * sizeof(*net->layers));
	for (size_t i = 0; has_room && i < n; i++) {
		struct mch_layer *layer = &r->net.layers[i];
		has_room = keep(&layer->weights, &r->kept[2 * i], layer->n_weights) &&
			   keep(&layer->bias, &r->kept[2 * i + 1], layer->n_bias);
	}
	if (has_room)
		return 0;
	free_reference(r);
	return mch_err_set(err, net->name ? net->name : "network", "out of memory; use a machine with more");
}

static int score_part(struct mch_quantize_job *job, const struct mch_image_part *part, const struct mch_qnet *q,
		      struct mch_answers *answers, struct mch_err *err)
{
	const struct mch_score_config config = {.data = &job->test, .first = part->first, .n = part->n};
	return mch_score_run(&(struct mch_model){.net = q->net, .q = q}, &config, answers, err);
}

/* The corrected network against the one before, which is what the float accuracy is of. */
static int report_again(struct mch_quantize_job *job, const struct mch_qnet *q, const struct mch_net *before,
			struct mch_err *err)
{
	const struct mch_score_config config = {.data = &job->test, .first = job->reporting.first, .n = job->reporting.n};
	struct mch_difference difference;
	struct mch_answers answers;
	if (score_part(job, &job->choosing, q, &answers, err) != 0)
		return -1;
	job->n_correct = answers.n_top1;
	mch_answers_free(&answers);
	if (mch_score_compare(&(struct mch_model){.net = &job->net, .q = q}, &(struct mch_model){.net = before}, &config,
			      &difference, err) != 0 ||
	    score_part(job, &job->reporting, q, &answers, err) != 0)
		return -1;
	job->report = (struct mch_result_report){.n_correct = answers.n_top1,
							    .sqnr_db = difference.sqnr_db,
							    .n_narrow = mch_qnet_n_narrow(q),
							    .n_overflows = answers.n_overflows};
	for (int i = 0; i < job->reporting.n; i++)
		job->report.n_agree += answers.prediction[i] == job->float_answers[job->reporting.first + i];
	mch_answers_free(&answers);
	return 0;
}

/* Parameters as they were. A layer that had no bias has none again. */
static void restore(struct mch_net *net, const struct reference *r)
{
	for (int i = 0; i < net->n_layers; i++) {
		struct mch_layer *layer = &net->layers[i];
		const struct mch_layer *was = &r->net.layers[i];
		if (was->weights)
			memcpy(layer->weights, was->weights, was->n_weights * sizeof(*was->weights));
		if (was->bias) {
			memcpy(layer->bias, was->bias, was->n_bias * sizeof(*was->bias));
		} else {
			free(layer->bias);
			layer->bias = NULL;
			layer->n_bias = was->n_bias;
		}
	}
}

static int score_again(struct mch_quantize_job *job, const struct mch_net *before, struct mch_err *err)
{
	struct mch_qnet q;
	for (int l = 0; l < job->net.n_layers; l++) /* chosen anew, or what was asked for */
		if (mch_formats_part(&job->net.layers[l]) >= 0)
			job->quant.layer[l].acc = job->args->policy.acc;
	if (mch_qnet_build(&q, &job->net, &job->quant, err) != 0)
		return -1;
	const int status = report_again(job, &q, before, err);
	mch_qnet_free(&q);
	return status;
}

/* Whatever changes the parameters, scored against the network that `before` keeps. A change with which the margin is missed that
 * was kept without it is undone. */
static int change(struct mch_quantize_job *job, const struct mch_net *before, struct mch_gain *gain,
		  int (*run)(struct mch_quantize_job *job, const struct mch_net *before, struct mch_err *err), struct mch_err *err)
{
	const int without = job->n_correct, need = mch_search_need(&job->config);
	struct reference last;
	if (keep_reference(&last, &job->net, err) != 0)
		return -1;
	int status = run(job, before, err);
	if (status == 0)
		status = score_again(job, before, err);
	*gain = (struct mch_gain){.is_measured = true,
				  .is_undone = job->n_correct < need && without >= need,
				  .without = without,
				  .with = job->n_correct};
	if (status == 0 && gain->is_undone) {
		restore(&job->net, &last);
		status = score_again(job, before, err);
	}
	free_reference(&last);
	return status;
}

static int compensate(struct mch_quantize_job *job, const struct mch_net *before, struct mch_err *err)
{
	const struct mch_compensate_config config = {
		.data = &job->train,
		.n_images = job->n_ranges < COMPENSATION_IMAGES ? job->n_ranges : COMPENSATION_IMAGES,
		.progress = mch_quantize_show_progress,
		.ctx = job};
	(void)before;
	mch_quantize_begin_progress(job, "weights", "layers");
	const int status = mch_compensate(&job->net, &job->quant, &config, &job->compensated, err);
	mch_progress_end(&job->bar);
	return status;
}

static int correct_biases(struct mch_quantize_job *job, const struct mch_net *before, struct mch_err *err)
{
	const struct mch_bias_correct_config config = {.data = &job->train,
						       .n_images = job->n_ranges < CORRECTION_IMAGES ? job->n_ranges
												     : CORRECTION_IMAGES,
						       .progress = mch_quantize_show_progress,
						       .ctx = job};
	mch_quantize_begin_progress(job, "biases", "layers");
	const int status = mch_bias_correct(&job->net, before, &job->quant, &config, err);
	mch_progress_end(&job->bar);
	return status;
}

static int change_parameters(struct mch_quantize_job *job, struct mch_err *err)
{
	const struct mch_quantize_options *args = job->args;
	struct reference before;
	if (keep_reference(&before, &job->net, err) != 0)
		return -1;
	int status = args->is_compensated ? change(job, &before.net, &job->of_compensation, compensate, err) : 0;
	if (status == 0 && args->is_bias_corrected)
		status = change(job, &before.net, &job->of_bias_correction, correct_biases, err);
	mch_hash_net(&job->net, job->net_hash);
	free_reference(&before);
	return status;
}

/* The network as it was read, quantized to the same widths. */
static int score_as_read(struct mch_quantize_job *job, struct mch_net *net, struct mch_ranges *ranges, int *n_correct,
			 struct mch_err *err)
{
	struct mch_formats formats;
	struct mch_quant quant;
	struct mch_answers answers;
	struct mch_qnet q;
	if (mch_formats_init(&formats, net, ranges, &job->args->policy, err) != 0)
		return -1;
	int status = mch_quant_init(&quant, net, err);
	if (status == 0) {
		quant.round = job->quant.round;
		quant.seed = job->quant.seed;
		quant.wraps = job->quant.wraps;
		status = mch_formats_apply(&formats, &job->widths, &quant, err);
		if (status == 0)
			status = mch_qnet_build(&q, net, &quant, err);
		if (status == 0) {
			status = score_part(job, &job->choosing, &q, &answers, err);
			mch_qnet_free(&q);
		}
		if (status == 0) {
			*n_correct = answers.n_top1;
			mch_answers_free(&answers);
		}
		mch_quant_free(&quant);
	}
	mch_formats_free(&formats);
	return status;
}

static int measure_equalization(struct mch_quantize_job *job, struct mch_err *err)
{
	struct mch_net net;
	struct mch_ranges ranges;
	int without;
	mch_net_init(&net);
	if (mch_load_net(&job->args->net, &job->args->data, &net, NULL, err) != 0)
		return -1;
	int status = mch_quantize_lower(job->args, &net, err);
	if (status == 0 && job->args->is_input_folded)
		status = mch_fold_input(&net, err);
	if (status == 0)
		status = mch_ranges_measure(&ranges, &net, &job->train, job->n_ranges, NULL, NULL, err);
	if (status == 0) {
		status = score_as_read(job, &net, &ranges, &without, err);
		mch_ranges_free(&ranges);
	}
	if (status == 0)
		job->of_equalization = (struct mch_gain){.is_measured = true, .without = without, .with = job->n_correct};
	mch_net_free(&net);
	return status;
}

int mch_quantize_refine(struct mch_quantize_job *job, struct mch_err *err)
{
	job->n_correct = job->candidates.list[job->candidate].right.n_correct;
	if (job->args->equalization && measure_equalization(job, err) != 0)
		return -1;
	if ((job->args->is_compensated || job->args->is_bias_corrected) && change_parameters(job, err) != 0)
		return -1;
	return job->args->net_output ? mch_onnx_write(job->args->net_output, &job->net, err) : 0;
}
