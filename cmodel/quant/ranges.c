/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Range analysis; see ranges.h. */
#include "quant/ranges.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"
#include "net/float.h"

/* The first value that is not finite, or n. */
static size_t find_bad(const float *values, size_t n)
{
	size_t i = 0;
	while (i < n && isfinite(values[i]))
		i++;
	return i;
}

static int no_memory(const struct mch_net *net, struct mch_err *err)
{
	return mch_err_set(err, net->name ? net->name : "network", "out of memory; use fewer images or a machine "
			   "with more");
}

static int not_finite(const struct mch_net *net, struct mch_err *err, const char *what, const char *name, float value)
{
	char where[256];
	snprintf(where, sizeof(where), "%s: %s %s", net->name ? net->name : "network", what, name);
	return mch_err_set(err, where, "holds the value %g, which has no fixed-point form; train the network anew, "
			   "or correct the file", (double)value);
}

static int measure_weights(struct mch_ranges *ranges, const struct mch_net *net, struct mch_err *err)
{
	for (int i = 0; i < net->n_layers; i++) {
		const struct mch_layer *layer = &net->layers[i];
		struct mch_range *range = &ranges->layer[i];
		if (!layer->weights)
			continue;
		const size_t bad = find_bad(layer->weights, layer->n_weights);
		if (bad < layer->n_weights)
			return not_finite(net, err, "weights of layer", layer->name, layer->weights[bad]);
		const size_t bad_bias = layer->bias ? find_bad(layer->bias, layer->n_bias) : layer->n_bias;
		if (bad_bias < layer->n_bias)
			return not_finite(net, err, "bias of layer", layer->name, layer->bias[bad_bias]);
		mch_range_add(range, layer->weights, layer->n_weights);
		mch_range_finish(range);
		range->sample = layer->weights;
		range->n_sample = layer->n_weights;
	}
	return 0;
}

/* One edge over a batch: range, then its share of the sample. All values are taken when they are few. */
static void look(struct mch_ranges *ranges, int e, struct mch_rng *rng, const float *values, int n, size_t elems)
{
	struct mch_range *range = &ranges->edge[e];
	mch_range_add(range, values, (size_t)n * elems);
	const size_t share = (size_t)MCH_RANGE_SAMPLE / (size_t)ranges->n_images, quota = share > 0 ? share : 1;
	for (int i = 0; i < n; i++) {
		const float *image = values + (size_t)i * elems;
		for (size_t j = 0; j < (elems < quota ? elems : quota) && range->n_sample < MCH_RANGE_SAMPLE; j++)
			ranges->edge_sample[e][range->n_sample++] =
				image[elems <= quota ? j : mch_rng_below(rng, (uint32_t)elems)];
	}
}

/* Scratch of a measurement. */
struct scratch {
	int batch;
	struct mch_float *engine;
	float *input, *output, *values; /* batch * elements of the input, of the output, of the largest edge */
	struct mch_rng *rng;            /* [n_edges]: an edge's sample does not depend on the other edges */
};

static int open_scratch(struct scratch *s, const struct mch_net *net, struct mch_err *err)
{
	enum { BATCH_MAX = 50, BATCH_ELEMS = 1 << 26 }; /* all tensors are kept: 256 MB, or one image */
	size_t largest = 0, all = 1;
	for (int e = 0; e < net->n_edges; e++) {
		const size_t elems = mch_shape_elems(net->edges[e].shape);
		largest = elems > largest ? elems : largest;
		all += elems;
	}
	const size_t fit = BATCH_ELEMS / all, batch = fit > BATCH_MAX ? BATCH_MAX : fit > 0 ? fit : 1;
	s->batch = (int)batch;
	s->input = malloc(batch * mch_shape_elems(net->edges[net->input].shape) * sizeof(float));
	s->output = malloc(batch * mch_shape_elems(net->edges[net->output].shape) * sizeof(float));
	s->values = malloc(batch * largest * sizeof(float));
	s->rng = malloc((size_t)net->n_edges * sizeof(*s->rng));
	if (!s->input || !s->output || !s->values || !s->rng)
		return no_memory(net, err);
	for (int e = 0; e < net->n_edges; e++)
		s->rng[e] = mch_rng_seed((uint64_t)e);
	s->engine = mch_float_new_tapped(net, s->batch, MCH_FLOAT_ALL, err);
	return s->engine ? 0 : -1;
}

static void close_scratch(struct scratch *s)
{
	mch_float_free(s->engine);
	free(s->input);
	free(s->output);
	free(s->values);
	free(s->rng);
}

static int measure_batch(struct mch_ranges *ranges, struct scratch *s, const struct mch_net *net, int n,
			 struct mch_err *err)
{
	if (mch_float_run(s->engine, n, s->input, s->output, err) != 0)
		return -1;
	for (int e = 0; e < net->n_edges; e++) {
		const size_t elems = mch_shape_elems(net->edges[e].shape);
		if (mch_float_tap(s->engine, e, n, s->values, err) != 0)
			return -1;
		const size_t bad = find_bad(s->values, (size_t)n * elems);
		if (bad < (size_t)n * elems)
			return not_finite(net, err, "tensor", net->edges[e].name, s->values[bad]);
		look(ranges, e, &s->rng[e], s->values, n, elems);
	}
	return 0;
}

static int alloc(struct mch_ranges *ranges, const struct mch_net *net, int n_images, struct mch_err *err)
{
	*ranges = (struct mch_ranges){.n_edges = net->n_edges, .n_layers = net->n_layers, .n_images = n_images};
	ranges->edge = calloc((size_t)net->n_edges, sizeof(*ranges->edge));
	ranges->layer = calloc((size_t)net->n_layers, sizeof(*ranges->layer));
	ranges->edge_sample = calloc((size_t)net->n_edges, sizeof(*ranges->edge_sample));
	if (!ranges->edge || !ranges->layer || !ranges->edge_sample)
		return no_memory(net, err);
	for (int e = 0; e < net->n_edges; e++) {
		ranges->edge_sample[e] = malloc((size_t)MCH_RANGE_SAMPLE * sizeof(float));
		if (!ranges->edge_sample[e])
			return no_memory(net, err);
		ranges->edge[e].sample = ranges->edge_sample[e];
	}
	return 0;
}

int mch_ranges_measure(struct mch_ranges *ranges, const struct mch_net *net, const struct mch_dataset *data,
		       int n_images, void (*progress)(void *ctx, int done, int total), void *ctx, struct mch_err *err)
{
	struct scratch s = {0};
	int status = alloc(ranges, net, n_images, err);
	if (status == 0)
		status = mch_net_require_weights(net, err);
	if (status == 0)
		status = measure_weights(ranges, net, err);
	if (status == 0)
		status = open_scratch(&s, net, err);
	if (status == 0)
		mch_dataset_ahead(data, n_images);
	for (int first = 0; status == 0 && first < n_images; first += s.batch) {
		const int n = n_images - first < s.batch ? n_images - first : s.batch;
		status = mch_dataset_f32(data, first, n, s.input, err);
		if (status == 0)
			status = measure_batch(ranges, &s, net, n, err);
		if (progress)
			progress(ctx, first + n, n_images);
	}
	for (int e = 0; status == 0 && e < net->n_edges; e++)
		mch_range_finish(&ranges->edge[e]);
	close_scratch(&s);
	if (status != 0)
		mch_ranges_free(ranges);
	return status;
}

void mch_ranges_free(struct mch_ranges *ranges)
{
	for (int e = 0; ranges->edge_sample && e < ranges->n_edges; e++)
		free(ranges->edge_sample[e]);
	free(ranges->edge_sample);
	free(ranges->edge);
	free(ranges->layer);
	*ranges = (struct mch_ranges){0};
}
