/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Pixels straight into the network; see fold_input.h. */
#include "quant/fold_input.h"

#include <stdlib.h>

static bool reads_input(const struct mch_net *net, const struct mch_layer *layer)
{
	for (int j = 0; j < layer->n_in; j++)
		if (layer->in[j] == net->input)
			return true;
	return false;
}

static bool has_mean(const struct mch_net *net)
{
	for (int c = 0; c < net->edges[net->input].shape.c; c++)
		if (mch_transform_mean(&net->transform, c) != 0)
			return true;
	return false;
}

static int refuse(const struct mch_layer *layer, struct mch_err *err, const char *why)
{
	return mch_err_set(err, layer->name, "%s; leave --fold-input out", why);
}

static int check(const struct mch_net *net, struct mch_err *err)
{
	if (net->transform.mean_image)
		return mch_err_set(err, net->name ? net->name : "network",
				   "a mean picture is subtracted from its input, and weights see all places alike; leave --fold-input "
				   "out");
	for (int i = 0; i < net->n_layers; i++) {
		const struct mch_layer *layer = &net->layers[i];
		const struct mch_conv *g = &layer->conv;
		if (!reads_input(net, layer))
			continue;
		if (layer->kind != MCH_CONV && layer->kind != MCH_DENSE)
			return refuse(layer, err, "it reads the network's input, and has no weights to take up mean and scale");
		if (layer->kind == MCH_CONV && (g->pad_top || g->pad_left || g->pad_bottom || g->pad_right) && has_mean(net))
			return refuse(layer, err, "it pads the network's input with the mean, which pixels have in no place of their own");
	}
	return 0;
}

static void fold_layer(const struct mch_net *net, struct mch_layer *layer)
{
	const struct mch_shape in = net->edges[net->input].shape;
	const struct mch_conv *g = &layer->conv;
	const int per_group = g->c / g->groups, k_per_group = g->k / g->groups;
	/* Inputs of a dense layer are elements: so many belong to a channel of the picture. */
	const int unit = layer->kind == MCH_DENSE ? in.h * in.w : 1, taps = g->r * g->s;
	float *w = layer->weights;
	for (int k = 0; k < g->k; k++) {
		double moved = 0;
		for (int c = 0; c < per_group; c++) {
			const int channel = (k / k_per_group * per_group + c) / unit;
			const double mean = mch_transform_mean(&net->transform, channel);
			const double factor = mch_transform_factor(&net->transform, channel);
			for (int t = 0; t < taps; t++, w++) {
				moved -= (double)*w * factor * mean;
				*w = (float)((double)*w * factor);
			}
		}
		layer->bias[k] = (float)((double)layer->bias[k] + moved);
	}
}

int mch_fold_input(struct mch_net *net, struct mch_err *err)
{
	if (check(net, err) != 0)
		return -1;
	for (int i = 0; i < net->n_layers; i++) {
		struct mch_layer *layer = &net->layers[i];
		if (!reads_input(net, layer) || layer->bias)
			continue;
		layer->bias = calloc((size_t)layer->conv.k, sizeof(*layer->bias));
		if (!layer->bias)
			return mch_err_set(err, layer->name, "out of memory; use a machine with more");
		layer->n_bias = (size_t)layer->conv.k;
	}
	for (int i = 0; i < net->n_layers; i++)
		if (reads_input(net, &net->layers[i]))
			fold_layer(net, &net->layers[i]);
	net->transform.scale = 1;
	net->transform.n_mean = net->transform.n_std = 0;
	return 0;
}
