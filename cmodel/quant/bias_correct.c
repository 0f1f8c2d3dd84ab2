/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Bias correction; see bias_correct.h. */
#include "quant/bias_correct.h"

#include <stdlib.h>

#include "net/engine.h"
#include "net/float.h"
#include "net/qnet.h"

enum { WIDE_BITS = 16 };

struct work {
	struct mch_net *net;
	const struct mch_net *reference;
	const struct mch_bias_correct_config *config;
	int batch;
	float *x, *y;        /* batch inputs; batch images of the largest edge */
	double *want, *got;  /* [n_channels] sums: of the float network; of the layer at hand */
	size_t *first;       /* [n_layers]: channels of a layer begin here in `want` */
	size_t n_channels;   /* of all layers */
};

static bool is_corrected(const struct mch_layer *layer)
{
	return mch_layer_form(layer) == MCH_FORM_MAC;
}

static int no_memory(const struct mch_net *net, struct mch_err *err)
{
	return mch_err_set(err, net->name ? net->name : "network", "out of memory; use a machine with more");
}

static int open_work(struct work *w, struct mch_err *err)
{
	enum { BATCH_MAX = 16, BATCH_ELEMS = 1 << 25 }; /* all tensors of a batch are kept: 128 MB, or one image */
	const struct mch_net *net = w->net;
	size_t largest = 0, all = 1, most_channels = 1;
	w->first = calloc((size_t)net->n_layers, sizeof(*w->first));
	if (!w->first)
		return no_memory(net, err);
	for (int e = 0; e < net->n_edges; e++) {
		const size_t elems = mch_shape_elems(net->edges[e].shape);
		largest = elems > largest ? elems : largest;
		all += elems;
	}
	for (int i = 0; i < net->n_layers; i++) {
		w->first[i] = w->n_channels;
		if (!is_corrected(&net->layers[i]))
			continue;
		const size_t k = (size_t)net->layers[i].conv.k;
		w->n_channels += k;
		most_channels = k > most_channels ? k : most_channels;
	}
	const size_t fit = BATCH_ELEMS / all;
	w->batch = fit > BATCH_MAX ? BATCH_MAX : fit > 0 ? (int)fit : 1;
	w->x = malloc((size_t)w->batch * mch_shape_elems(net->edges[net->input].shape) * sizeof(*w->x));
	w->y = malloc((size_t)w->batch * largest * sizeof(*w->y));
	w->want = calloc(w->n_channels + 1, sizeof(*w->want));
	w->got = calloc(most_channels, sizeof(*w->got));
	return w->x && w->y && w->want && w->got ? 0 : no_memory(net, err);
}

static void close_work(struct work *w)
{
	free(w->first);
	free(w->x);
	free(w->y);
	free(w->want);
	free(w->got);
}

/* Adds n images of an edge to its channels' sums. */
static void add_up(const float *y, struct mch_shape shape, int n, double *sum)
{
	const size_t pixels = (size_t)shape.h * (size_t)shape.w;
	for (int i = 0; i < n; i++)
		for (int k = 0; k < shape.c; k++, y += pixels)
			for (size_t j = 0; j < pixels; j++)
				sum[k] += (double)y[j];
}

static int n_of_batch(const struct work *w, int first)
{
	return w->config->n_images - first < w->batch ? w->config->n_images - first : w->batch;
}

/* Sums of every layer of the float network, in one go. */
static int measure_float(struct work *w, struct mch_err *err)
{
	const struct mch_net *net = w->reference;
	struct mch_float *f = mch_float_new_tapped(net, w->batch, MCH_FLOAT_ALL, err);
	int status = f ? 0 : -1;
	for (int first = 0; status == 0 && first < w->config->n_images; first += w->batch) {
		const int n = n_of_batch(w, first);
		status = mch_dataset_f32(w->config->data, first, n, w->x, err);
		if (status == 0)
			status = mch_float_run(f, n, w->x, w->y, err);
		for (int i = 0; status == 0 && i < net->n_layers; i++) {
			const int edge = net->layers[i].out[0];
			if (!is_corrected(&net->layers[i]))
				continue;
			status = mch_float_tap(f, edge, n, w->y, err);
			if (status == 0)
				add_up(w->y, net->edges[edge].shape, n, w->want + w->first[i]);
		}
	}
	mch_float_free(f);
	return status;
}

/* Makes the net end at a step that shows what it adds up, without ReLU or clip, in 16 bits: a range 16 times that of the step's
 * codes, and a step that is as much finer as there are bits left. (In the step of the codes themselves the mean of a channel whose
 * values hardly differ would be off by up to half of it.) */
static void end_at(struct mch_qnet *q, int index)
{
	enum { HEADROOM = 4 };
	struct mch_step *step = &q->steps[index];
	int finer = WIDE_BITS - HEADROOM - step->out_format.bits;
	for (int k = 0; k < step->conv.k; k++) {
		finer = step->shift[k] - finer > MCH_SHIFT_MAX ? step->shift[k] - MCH_SHIFT_MAX : finer;
		finer = step->shift[k] - finer < MCH_SHIFT_MIN ? step->shift[k] - MCH_SHIFT_MIN : finer;
	}
	for (int k = 0; k < step->conv.k; k++)
		step->shift[k] = (int8_t)(step->shift[k] - finer);
	step->out_format = (struct mch_format){.bits = WIDE_BITS, .frac = step->out_format.frac + finer, .is_signed = true};
	step->requant.out_bits = WIDE_BITS;
	step->requant.out_signed = true;
	step->requant.number = MCH_FIXED;
	step->requant.relu = step->requant.is_clipped = false;
	q->output = step->out;
}

/* Sums of one layer on exact integers. n_steps is that of the part to run. */
static int measure_exact(struct work *w, struct mch_qnet *q, struct mch_err *err)
{
	const struct mch_model model = {.net = w->net, .q = q};
	const struct mch_shape shape = w->net->edges[q->output].shape;
	struct mch_engine *engine = mch_engine_new(&model, q->output, w->batch, err);
	int status = engine ? 0 : -1;
	for (int k = 0; k < shape.c; k++)
		w->got[k] = 0;
	for (int first = 0; status == 0 && first < w->config->n_images; first += w->batch) {
		const int n = n_of_batch(w, first);
		status = mch_engine_run(engine, w->config->data, first, n, w->y, err);
		if (status == 0)
			add_up(w->y, shape, n, w->got);
	}
	mch_engine_free(engine);
	return status;
}

static int correct_layer(struct work *w, int i, struct mch_quant *quant, struct mch_err *err)
{
	struct mch_layer *layer = &w->net->layers[i];
	struct mch_qnet q;
	int index = 0;
	for (int l = 0; l < quant->n_layers; l++)
		quant->layer[l].acc.bits = 0;
	if (mch_qnet_build(&q, w->net, quant, err) != 0)
		return -1;
	while (index < q.n_steps && q.steps[index].layer_index != i)
		index++;
	if (index == q.n_steps) { /* behind the end of the integers */
		mch_qnet_free(&q);
		return 0;
	}
	const int n_steps = q.n_steps;
	end_at(&q, index);
	q.n_steps = index + 1; /* the steps behind are only there to be freed */
	const struct mch_shape shape = w->net->edges[q.output].shape;
	const double n = (double)w->config->n_images * (double)shape.h * (double)shape.w;
	const int status = measure_exact(w, &q, err);
	q.n_steps = n_steps;
	mch_qnet_free(&q);
	if (status != 0)
		return -1;
	if (!layer->bias) {
		layer->bias = calloc((size_t)layer->conv.k, sizeof(*layer->bias));
		if (!layer->bias)
			return no_memory(w->net, err);
		layer->n_bias = (size_t)layer->conv.k;
	}
	for (int k = 0; k < layer->conv.k; k++)
		layer->bias[k] = (float)((double)layer->bias[k] + (w->want[w->first[i] + (size_t)k] - w->got[k]) / n);
	return 0;
}

int mch_bias_correct(struct mch_net *net, const struct mch_net *reference, struct mch_quant *quant,
		     const struct mch_bias_correct_config *config, struct mch_err *err)
{
	struct work w = {.net = net, .reference = reference, .config = config};
	int status = open_work(&w, err);
	if (status == 0)
		status = measure_float(&w, err);
	for (int i = 0; status == 0 && i < net->n_layers; i++) {
		if (is_corrected(&net->layers[i]))
			status = correct_layer(&w, i, quant, err);
		if (config->progress)
			config->progress(config->ctx, i + 1, net->n_layers);
	}
	for (int l = 0; l < quant->n_layers; l++)
		quant->layer[l].acc.bits = 0;
	close_work(&w);
	return status;
}
