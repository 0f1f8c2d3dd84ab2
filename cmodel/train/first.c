/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* First parameters; see first.h. */
#include "train/first.h"

#include <math.h>
#include <stdlib.h>

static int no_memory(const struct mch_layer *layer, struct mch_err *err)
{
	return mch_err_set(err, layer->name, "out of memory for its weights; use a machine with more");
}

static bool is_rectifier(enum mch_kind kind)
{
	return kind == MCH_RELU || kind == MCH_CLIP || kind == MCH_LEAKY_RELU || kind == MCH_PRELU;
}

/* feeds[e]: a rectifier sees edge e before any other weights do. */
static void find_rectified(const struct mch_net *net, bool *feeds)
{
	for (int i = net->n_layers - 1; i >= 0; i--) {
		const struct mch_layer *layer = &net->layers[i];
		for (int j = 0; j < layer->n_in; j++)
			feeds[layer->in[j]] |= is_rectifier(layer->kind) ||
					       (!mch_layer_is_mac(layer) && feeds[layer->out[0]]);
	}
}

static void fill(float *values, size_t n, float value)
{
	for (size_t i = 0; i < n; i++)
		values[i] = value;
}

static int first_mac(struct mch_layer *layer, bool is_rectified, struct mch_rng rng, struct mch_err *err)
{
	if (mch_layer_alloc(layer, layer->n_bias > 0, err) != 0)
		return -1;
	const double limit = sqrt((is_rectified ? 6 : 3) / (double)mch_conv_terms(&layer->conv));
	for (size_t w = 0; w < layer->n_weights; w++)
		layer->weights[w] = (float)(limit * (2 * mch_rng_real(&rng) - 1));
	return 0;
}

/* A batch norm may have weights and no statistics yet. */
static int first_moments(struct mch_layer *layer, struct mch_err *err)
{
	const size_t n = (size_t)layer->norm.channels;
	if (!layer->mean)
		layer->mean = calloc(n, sizeof(float));
	if (!layer->mean)
		return no_memory(layer, err);
	if (layer->variance)
		return 0;
	layer->variance = malloc(n * sizeof(float));
	if (!layer->variance)
		return no_memory(layer, err);
	fill(layer->variance, n, 1);
	return 0;
}

static int first_channels(struct mch_layer *layer, struct mch_err *err)
{
	if (!layer->weights) {
		if (mch_layer_alloc(layer, layer->n_bias > 0, err) != 0)
			return -1;
		fill(layer->weights, layer->n_weights, layer->kind == MCH_PRELU ? 0.25f : 1);
	}
	return layer->kind == MCH_BATCH_NORM ? first_moments(layer, err) : 0;
}

int mch_first_weights(struct mch_net *net, struct mch_rng base, struct mch_err *err)
{
	int status = 0;
	bool *feeds = calloc((size_t)net->n_edges, sizeof(*feeds));
	if (!feeds)
		return mch_err_set(err, net->name ? net->name : "network", "out of memory; use a machine with more");
	find_rectified(net, feeds);
	for (int i = 0; status == 0 && i < net->n_layers; i++) {
		struct mch_layer *layer = &net->layers[i];
		if (mch_layer_is_mac(layer) && !layer->weights)
			status = first_mac(layer, feeds[layer->out[0]], mch_rng_seed(base.state + (uint64_t)i), err);
		else if (mch_layer_has_weights(layer) && !mch_layer_is_mac(layer))
			status = first_channels(layer, err);
	}
	free(feeds);
	return status;
}
