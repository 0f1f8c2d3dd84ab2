/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Compensated rounding; see compensate.h. */
#include "quant/compensate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "net/engine.h"
#include "net/qnet.h"
#include "quant/covariance.h"

enum { SAMPLES = 8192 }; /* places looked at, of all images: several for each of a usual layer's terms */

struct work {
	struct mch_net *net;
	struct mch_quant *quant;
	const struct mch_compensate_config *config;
	int batch;
	float *x; /* batch images of the largest edge */
};

static int no_memory(const struct mch_net *net, struct mch_err *err)
{
	return mch_err_set(err, net->name ? net->name : "network", "out of memory; use a machine with more");
}

static int open_work(struct work *w, struct mch_err *err)
{
	enum { BATCH_MAX = 16 };
	size_t largest = 1;
	for (int e = 0; e < w->net->n_edges; e++) {
		const size_t elems = mch_shape_elems(w->net->edges[e].shape);
		largest = elems > largest ? elems : largest;
	}
	w->batch = BATCH_MAX;
	w->x = malloc((size_t)w->batch * largest * sizeof(*w->x));
	return w->x ? 0 : no_memory(w->net, err);
}

/* The network's input as its codes stand for it. */
static int read_input(const struct work *w, const struct mch_qnet *q, int first, int n, struct mch_err *err)
{
	const size_t elems = (size_t)n * mch_shape_elems(w->net->edges[w->net->input].shape);
	int32_t *raw = malloc(elems * sizeof(*raw));
	if (!raw)
		return no_memory(w->net, err);
	const int status = mch_dataset_raw(w->config->data, first, n, q->input_format, raw, err);
	for (size_t i = 0; status == 0 && i < elems; i++)
		w->x[i] = (float)mch_format_real(q->input_format, raw[i]);
	free(raw);
	return status;
}

/* Covariance of what group `group` of the step reads, from the step's input on all images. q is cut before the step. */
static int look(struct work *w, const struct mch_qnet *q, const struct mch_step *step, struct mch_covariance *cov,
		struct mch_err *err)
{
	const struct mch_model model = {.net = w->net, .q = q};
	const int n_places = mch_conv_p(&step->conv) * mch_conv_q(&step->conv), n_images = w->config->n_images;
	const int wanted = (SAMPLES + n_images - 1) / n_images;
	struct mch_rng rng = mch_rng_seed((uint64_t)step->layer_index);
	struct mch_engine *engine = q->n_steps ? mch_engine_new(&model, q->output, w->batch, err) : NULL;
	int status = q->n_steps && !engine ? -1 : 0;
	for (int first = 0; status == 0 && first < n_images; first += w->batch) {
		const int n = n_images - first < w->batch ? n_images - first : w->batch;
		status = engine ? mch_engine_run(engine, w->config->data, first, n, w->x, err)
				: read_input(w, q, first, n, err);
		for (int i = 0; status == 0 && i < n; i++)
			for (int j = 0; j < wanted && j < n_places; j++) {
				const int at = n_places <= wanted ? j : (int)mch_rng_below(&rng, (uint32_t)n_places);
				mch_covariance_add(cov, &step->conv, w->x, i, at);
			}
	}
	mch_engine_free(engine);
	return status;
}

/* Rounds the rows of one group, and moves the bias by what that does to the mean. */
static int round_group(struct mch_layer *layer, const struct mch_layer_quant *lq, int group, struct mch_covariance *cov)
{
	const int k = layer->conv.k / layer->conv.groups, terms = cov->terms, first = group * k;
	float *weights = layer->weights + (size_t)first * (size_t)terms;
	const size_t n = (size_t)k * (size_t)terms;
	float *before = malloc(n * sizeof(*before));
	struct mch_format *format = malloc((size_t)k * sizeof(*format));
	int status = before && format ? 0 : -1;
	for (int i = 0; i < k && status == 0; i++) {
		format[i] = lq->weights;
		format[i].frac = mch_layer_quant_frac(lq, first + i);
	}
	if (status == 0) {
		memcpy(before, weights, n * sizeof(*before));
		mch_covariance_finish(cov, group);
		status = mch_compensate_rows(weights, k, terms, format, mch_covariance_of(cov, group));
	}
	for (int i = 0; i < k && status == 0; i++) {
		double moved = 0;
		for (int t = 0; t < terms; t++)
			moved += ((double)before[(size_t)i * (size_t)terms + (size_t)t] -
				  (double)weights[(size_t)i * (size_t)terms + (size_t)t]) *
				 mch_covariance_mean(cov, group, t);
		layer->bias[first + i] = (float)((double)layer->bias[first + i] + moved);
	}
	free(before);
	free(format);
	return status;
}

static int require_bias(struct mch_layer *layer)
{
	if (layer->bias)
		return 0;
	layer->bias = calloc((size_t)layer->conv.k, sizeof(*layer->bias));
	layer->n_bias = layer->bias ? (size_t)layer->conv.k : 0;
	return layer->bias ? 0 : -1;
}

/* step is of q, which runs up to it. */
static int round_step(struct work *w, const struct mch_qnet *q, const struct mch_step *step, struct mch_err *err)
{
	struct mch_layer *layer = &w->net->layers[step->layer_index];
	struct mch_covariance cov;
	if (mch_covariance_init(&cov, &step->conv) != 0)
		return no_memory(w->net, err);
	int status = look(w, q, step, &cov, err);
	if (status == 0 && require_bias(layer) != 0)
		status = no_memory(w->net, err);
	for (int g = 0; g < step->conv.groups && status == 0; g++)
		if (round_group(layer, &w->quant->layer[step->layer_index], g, &cov) != 0)
			status = no_memory(w->net, err);
	mch_covariance_free(&cov);
	return status;
}

static int round_layer(struct work *w, int i, struct mch_compensated *result, struct mch_err *err)
{
	struct mch_qnet q;
	int index = 0, status = 0;
	for (int l = 0; l < w->quant->n_layers; l++)
		w->quant->layer[l].acc.bits = 0;
	if (mch_qnet_build(&q, w->net, w->quant, err) != 0)
		return -1;
	while (index < q.n_steps && q.steps[index].layer_index != i)
		index++;
	const int n_steps = q.n_steps;
	if (index < n_steps && mch_conv_terms(&q.steps[index].conv) > MCH_COMPENSATE_TERMS_MAX) {
		result->n_left++;
	} else if (index < n_steps) { /* else it is the host's, behind the end of the integers */
		const struct mch_step *step = &q.steps[index];
		q.n_steps = step->in == q.input ? 0 : index; /* the steps behind are only there to be freed */
		q.output = step->in;
		status = round_step(w, &q, step, err);
		result->n_layers++;
	}
	q.n_steps = n_steps;
	mch_qnet_free(&q);
	return status;
}

int mch_compensate(struct mch_net *net, struct mch_quant *quant, const struct mch_compensate_config *config,
		   struct mch_compensated *result, struct mch_err *err)
{
	struct work w = {.net = net, .quant = quant, .config = config};
	*result = (struct mch_compensated){0};
	int status = open_work(&w, err);
	for (int i = 0; status == 0 && i < net->n_layers; i++) {
		if (mch_layer_form(&net->layers[i]) == MCH_FORM_MAC)
			status = round_layer(&w, i, result, err);
		if (config->progress)
			config->progress(config->ctx, i + 1, net->n_layers);
	}
	for (int l = 0; l < quant->n_layers; l++)
		quant->layer[l].acc.bits = 0;
	free(w.x);
	return status;
}
