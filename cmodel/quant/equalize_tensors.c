/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Equalization of tensors' channels; see equalize.h. */
#include <math.h>
#include <stdlib.h>

#include "base/rng.h"
#include "net/float.h"
#include "quant/equalize.h"
#include "quant/readers.h"

enum {
	SAMPLE = 2048, /* values kept of a channel, at most */
	EXPONENT_MAX = 16,
	BATCH_MAX = 16,
};

/* The channels of one tensor; none of a tensor that nobody asks for. */
struct tensor {
	int n_channels;
	struct mch_range *range;              /* [n_channels], owned */
	const struct mch_range **list;        /* [n_channels], owned: them, for mch_fraction_choose */
	float *sample;                        /* [n_channels][SAMPLE], owned */
};

struct work {
	struct mch_net *net;
	const struct mch_equalize_config *config;
	struct tensor *tensor; /* [n_edges] */
	int batch;
	float *x, *y; /* batch inputs; batch images of the largest edge */
};

static bool is_equalized(const struct mch_layer *layer)
{
	return layer->kind == MCH_CONV || layer->kind == MCH_DENSE;
}

static bool open_tensor(struct tensor *t, int n_channels)
{
	t->n_channels = n_channels;
	t->range = calloc((size_t)n_channels, sizeof(*t->range));
	t->list = calloc((size_t)n_channels, sizeof(*t->list));
	t->sample = malloc((size_t)n_channels * SAMPLE * sizeof(*t->sample));
	if (!t->range || !t->list || !t->sample)
		return false;
	for (int c = 0; c < n_channels; c++) {
		t->range[c].sample = t->sample + (size_t)c * SAMPLE;
		t->list[c] = &t->range[c];
	}
	return true;
}

static void close_work(struct work *w)
{
	for (int e = 0; w->tensor && e < w->net->n_edges; e++) {
		free(w->tensor[e].range);
		free(w->tensor[e].list);
		free(w->tensor[e].sample);
	}
	free(w->tensor);
	free(w->x);
	free(w->y);
}

/* Tensors whose channels will be asked for: what the first reader of a layer's output reads. */
static bool open_work(struct work *w, struct mch_readers *r)
{
	const struct mch_net *net = w->net;
	size_t largest = 1;
	w->tensor = calloc((size_t)net->n_edges, sizeof(*w->tensor));
	for (int e = 0; e < net->n_edges; e++) {
		const size_t elems = mch_shape_elems(net->edges[e].shape);
		largest = elems > largest ? elems : largest;
	}
	w->batch = w->config->n_images < BATCH_MAX ? w->config->n_images : BATCH_MAX;
	w->x = malloc((size_t)w->batch * mch_shape_elems(net->edges[net->input].shape) * sizeof(*w->x));
	w->y = malloc((size_t)w->batch * largest * sizeof(*w->y));
	bool has_room = w->tensor && w->x && w->y;
	for (int i = 0; i < net->n_layers && has_room; i++) {
		if (!is_equalized(&net->layers[i]))
			continue;
		mch_readers_find(r, net, i);
		if (!r->is_exact || r->n == 0 || r->is_no_memory)
			continue;
		const int edge = net->layers[r->list[0].layer].in[0];
		if (w->tensor[edge].n_channels == 0)
			has_room = open_tensor(&w->tensor[edge], net->edges[edge].shape.c);
	}
	return has_room && !r->is_no_memory;
}

/* n images of an edge: the ranges, and each channel's share of values drawn by a generator seeded with the edge and the image. */
static void look(struct work *w, int edge, int first, int n)
{
	struct tensor *t = &w->tensor[edge];
	const struct mch_shape shape = w->net->edges[edge].shape;
	const size_t pixels = (size_t)shape.h * (size_t)shape.w;
	const size_t share = SAMPLE / (size_t)w->config->n_images > 0 ? SAMPLE / (size_t)w->config->n_images : 1;
	for (int i = 0; i < n; i++) {
		struct mch_rng rng = mch_rng_seed(((uint64_t)edge << 32) + (uint64_t)(first + i));
		for (int c = 0; c < shape.c; c++) {
			const float *values = w->y + ((size_t)i * (size_t)shape.c + (size_t)c) * pixels;
			struct mch_range *range = &t->range[c];
			mch_range_add(range, values, pixels);
			for (size_t j = 0; j < share && j < pixels && range->n_sample < SAMPLE; j++)
				t->sample[(size_t)c * SAMPLE + range->n_sample++] =
					values[pixels <= share ? j : mch_rng_below(&rng, (uint32_t)pixels)];
		}
	}
}

static int measure(struct work *w, struct mch_err *err)
{
	struct mch_float *f = mch_float_new_tapped(w->net, w->batch, MCH_FLOAT_ALL, err);
	int status = f ? 0 : -1;
	for (int first = 0; status == 0 && first < w->config->n_images; first += w->batch) {
		const int left = w->config->n_images - first, n = left < w->batch ? left : w->batch;
		status = mch_dataset_f32(w->config->data, first, n, w->x, err);
		if (status == 0)
			status = mch_float_run(f, n, w->x, w->y, err);
		for (int e = 0; status == 0 && e < w->net->n_edges; e++) {
			if (w->tensor[e].n_channels == 0)
				continue;
			status = mch_float_tap(f, e, n, w->y, err);
			if (status == 0)
				look(w, e, first, n);
		}
	}
	mch_float_free(f);
	for (int e = 0; e < w->net->n_edges; e++)
		for (int c = 0; c < w->tensor[e].n_channels; c++)
			mch_range_finish(&w->tensor[e].range[c]);
	return status;
}

/* The format that the rule gives them together. */
static struct mch_format format_of(const struct work *w, const struct mch_range *const *list, int n)
{
	const struct mch_format_policy_part *part = w->config->activations;
	bool is_signed = false;
	for (int i = 0; i < n; i++)
		is_signed = is_signed || list[i]->min < 0;
	struct mch_format f = mch_format_policy_shape(part, w->config->bits, is_signed);
	f.frac = mch_fraction_choose(part->rule, part->percentile, f, list, n);
	return f;
}

/* How many bits finer than `whole` channels [first, first + n) of t are best: the rule's fraction, and of the rule of least squares
 * quarters of a bit around it. */
static double finer_by(const struct work *w, const struct tensor *t, int first, int n, struct mch_format whole)
{
	enum { PARTS = 4 };
	const int frac = format_of(w, t->list + first, n).frac;
	double best = frac - whole.frac, least = INFINITY;
	if (w->config->activations->rule != MCH_FRACTION_MSE || whole.number != MCH_FIXED || mch_format_max(whole) < 1)
		return best;
	for (int i = 1 - PARTS; i < PARTS; i++) {
		const double by = frac - whole.frac + (double)i / PARTS;
		double error = 0;
		for (int c = first; c < first + n; c++)
			error += mch_fraction_range_error(whole, &t->range[c], by, INFINITY);
		error *= exp2(-2 * by);
		if (error < least) {
			least = error;
			best = by;
		}
	}
	return best;
}

/* The exponent of channel c of a layer, whose values are channels [first, first + n) of t; n > 1 where these were flattened. */
static double exponent(const struct work *w, const struct tensor *t, int first, int n, struct mch_format whole, double weight,
		       double largest)
{
	const double balance = w->config->balance;
	double most = 0;
	for (int i = first; i < first + n; i++)
		most = fmax(most, fmax(t->range[i].max, -t->range[i].min));
	if (most <= 0 || weight <= 0) /* a dead channel */
		return 0;
	const double e = balance * finer_by(w, t, first, n, whole) + (1 - balance) * log2(weight / largest);
	return fmax(-EXPONENT_MAX, fmin(EXPONENT_MAX, e));
}

static int equalize_layer(const struct work *w, const struct mch_readers *r, int layer, long *n_scaled)
{
	struct mch_net *net = w->net;
	const struct mch_layer *producer = &net->layers[layer], *reader = &net->layers[r->list[0].layer];
	const struct tensor *t = &w->tensor[reader->in[0]];
	const struct mch_shape shape = net->edges[reader->in[0]].shape;
	const int unit = reader->kind == MCH_DENSE ? shape.h * shape.w : 1; /* inputs of the reader in a channel of the tensor */
	const int n = r->list[0].span / unit;
	const struct mch_format whole = format_of(w, t->list, t->n_channels);
	double largest = 0;
	for (int k = 0; k < producer->conv.k; k++)
		largest = fmax(largest, mch_scale_readers(net, r, k, 1));
	for (int k = 0; k < producer->conv.k; k++) {
		const int first = r->list[0].offset / unit + k * n;
		const double e = exponent(w, t, first, n, whole, mch_scale_readers(net, r, k, 1), largest);
		if (fabs(e) < 1e-9)
			continue;
		mch_scale_outputs(producer, k, (float)exp2(e));
		mch_scale_readers(net, r, k, (float)exp2(-e));
		++*n_scaled;
	}
	return 1;
}

int mch_equalize_tensors(struct mch_net *net, const struct mch_equalize_config *config, struct mch_equalized *result,
			 struct mch_err *err)
{
	struct work w = {.net = net, .config = config};
	struct mch_readers r = {0};
	*result = (struct mch_equalized){0};
	int status = open_work(&w, &r) ? 0 : mch_err_set(err, net->name ? net->name : "network",
							 "out of memory; use a machine with more");
	if (status == 0)
		status = measure(&w, err);
	for (int i = 0; i < net->n_layers && status == 0; i++) {
		if (!is_equalized(&net->layers[i]))
			continue;
		mch_readers_find(&r, net, i);
		if (r.is_exact && r.n > 0)
			result->n_layers += equalize_layer(&w, &r, i, &result->n_scaled);
	}
	mch_readers_free(&r);
	close_work(&w);
	return status;
}
