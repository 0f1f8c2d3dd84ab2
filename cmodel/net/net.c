/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Building, checking and freeing a network; see net.h. */
#include "net/net.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/layer.h"

void mch_net_init(struct mch_net *net)
{
	memset(net, 0, sizeof(*net));
	net->input = net->output = -1;
	net->input_scale = 1;
}

void mch_net_free(struct mch_net *net)
{
	for (int i = 0; i < net->n_layers; i++) {
		struct mch_layer *layer = &net->layers[i];
		free(layer->name);
		free(layer->in);
		free(layer->out);
		free(layer->weights);
		free(layer->bias);
	}
	for (int i = 0; i < net->n_edges; i++)
		free(net->edges[i].name);
	free(net->layers);
	free(net->edges);
	free(net->name);
	mch_net_init(net);
}

static int no_memory(const struct mch_net *net, struct mch_err *err)
{
	return mch_err_set(err, net->name ? net->name : "network", "out of memory; use a machine with more");
}

int mch_net_add_edge(struct mch_net *net, const char *name, struct mch_shape shape, struct mch_err *err)
{
	struct mch_edge *edges = realloc(net->edges, ((size_t)net->n_edges + 1) * sizeof(*edges));
	if (!edges)
		return no_memory(net, err);
	net->edges = edges;
	char *copy = strdup(name);
	if (!copy)
		return no_memory(net, err);
	edges[net->n_edges] = (struct mch_edge){copy, shape, -1};
	return net->n_edges++;
}

int mch_net_add_layer(struct mch_net *net, const char *name, enum mch_kind kind, int in_edge, const char *out_name,
		      struct mch_err *err)
{
	struct mch_layer *layers = realloc(net->layers, ((size_t)net->n_layers + 1) * sizeof(*layers));
	if (!layers)
		return no_memory(net, err);
	net->layers = layers;
	struct mch_layer *layer = &layers[net->n_layers];
	memset(layer, 0, sizeof(*layer));
	layer->kind = kind;
	layer->name = strdup(name);
	layer->in = malloc(sizeof(int));
	layer->out = malloc(sizeof(int));
	const int out = layer->name && layer->in && layer->out
				? mch_net_add_edge(net, out_name ? out_name : name, (struct mch_shape){0}, err)
				: no_memory(net, err);
	if (out < 0) {
		free(layer->name);
		free(layer->in);
		free(layer->out);
		return -1;
	}
	layer->n_in = layer->n_out = 1;
	layer->in[0] = in_edge;
	layer->out[0] = out;
	net->edges[out].producer = net->n_layers;
	return net->n_layers++;
}

int mch_net_find_edge(const struct mch_net *net, const char *name)
{
	for (int i = net->n_edges - 1; i >= 0; i--)
		if (strcmp(net->edges[i].name, name) == 0)
			return i;
	return -1;
}

int mch_net_find_layer(const struct mch_net *net, const char *name)
{
	for (int i = 0; i < net->n_layers; i++)
		if (strcmp(net->layers[i].name, name) == 0)
			return i;
	return -1;
}

static int infer_layer(struct mch_net *net, struct mch_layer *layer, struct mch_err *err)
{
	const struct mch_shape in = net->edges[layer->in[0]].shape;
	struct mch_shape *out = &net->edges[layer->out[0]].shape;
	struct mch_err why = {""};
	char where[512];
	snprintf(where, sizeof(where), "%s: layer %s", net->name ? net->name : "network", layer->name);
	if (mch_layer_table[layer->kind].infer(layer, in, out, &why) != 0)
		return mch_err_set(err, where, "%s", why.text);
	const size_t want = mch_layer_params(layer), want_bias = layer->n_bias ? (size_t)layer->conv.k : 0;
	if (layer->weights && layer->n_weights != want - want_bias)
		return mch_err_set(err, where, "%zu weights expected, %zu found; the definition and the weights differ, "
				   "take both from one release", want - want_bias, layer->n_weights);
	if (layer->bias && layer->n_bias != (size_t)layer->conv.k)
		return mch_err_set(err, where, "%d biases expected, %zu found; the definition and the weights differ, "
				   "take both from one release", layer->conv.k, layer->n_bias);
	return 0;
}

int mch_net_infer(struct mch_net *net, struct mch_err *err)
{
	const char *name = net->name ? net->name : "network";
	if (net->n_layers == 0 || net->input < 0)
		return mch_err_set(err, name, "has no %s; give a network with both input and layers",
				   net->input < 0 ? "input" : "layers");
	const struct mch_shape s = net->edges[net->input].shape;
	if (s.n != 1 || s.c < 1 || s.h < 1 || s.w < 1 || (long long)s.c * s.h > INT_MAX / s.w)
		return mch_err_set(err, name, "input shape %dx%dx%dx%d is not usable; one image of positive size is needed",
				   s.n, s.c, s.h, s.w);
	for (int i = 0; i < net->n_layers; i++)
		if (infer_layer(net, &net->layers[i], err) != 0)
			return -1;
	if (net->output < 0)
		net->output = net->layers[net->n_layers - 1].out[0];
	return 0;
}

static int has_weights(const struct mch_layer *layer)
{
	return layer->kind == MCH_CONV || layer->kind == MCH_DENSE;
}

int mch_layer_alloc(struct mch_layer *layer, int with_bias, struct mch_err *err)
{
	if (!has_weights(layer))
		return 0;
	layer->n_weights = (size_t)layer->conv.k * mch_conv_terms(&layer->conv);
	layer->n_bias = with_bias ? (size_t)layer->conv.k : 0;
	layer->weights = calloc(layer->n_weights, sizeof(float));
	layer->bias = with_bias ? calloc(layer->n_bias, sizeof(float)) : NULL;
	if (!layer->weights || (with_bias && !layer->bias))
		return mch_err_set(err, layer->name, "out of memory for %zu weights; use a machine with more",
				   layer->n_weights);
	return 0;
}

int mch_net_require_weights(const struct mch_net *net, struct mch_err *err)
{
	for (int i = 0; i < net->n_layers; i++)
		if (has_weights(&net->layers[i]) && !net->layers[i].weights)
			return mch_err_set(err, net->name ? net->name : "network",
					   "layer %s has no weights; give a trained network (.onnx), or train this one first",
					   net->layers[i].name);
	return 0;
}

size_t mch_layer_macs(const struct mch_layer *layer)
{
	if (!has_weights(layer))
		return 0;
	const struct mch_conv *g = &layer->conv;
	return (size_t)g->k * (size_t)mch_conv_p(g) * (size_t)mch_conv_q(g) * mch_conv_terms(g);
}

size_t mch_layer_params(const struct mch_layer *layer)
{
	return has_weights(layer) ? (size_t)layer->conv.k * mch_conv_terms(&layer->conv) + layer->n_bias : 0;
}

int mch_net_run_f32(const struct mch_net *net, int n, const float *input, float *const *edge_values,
		    struct mch_err *err)
{
	float **value = calloc((size_t)net->n_edges, sizeof(*value));
	int status = value ? 0 : no_memory(net, err);
	for (int e = 0; status == 0 && e < net->n_edges; e++) {
		value[e] = edge_values[e] ? edge_values[e]
					  : malloc((size_t)n * mch_shape_elems(net->edges[e].shape) * sizeof(float));
		if (!value[e])
			status = no_memory(net, err);
	}
	if (status == 0) {
		memcpy(value[net->input], input,
		       (size_t)n * mch_shape_elems(net->edges[net->input].shape) * sizeof(float));
		for (int i = 0; i < net->n_layers; i++) {
			const struct mch_layer *layer = &net->layers[i];
			const int in = layer->in[0], out = layer->out[0];
			mch_layer_table[layer->kind].run_f32(layer, n, net->edges[in].shape, net->edges[out].shape,
							     value[in], value[out]);
		}
	}
	for (int e = 0; value && e < net->n_edges; e++)
		if (!edge_values[e])
			free(value[e]);
	free(value);
	return status;
}
