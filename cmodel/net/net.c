/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Building, checking and freeing a network; see net.h. */
#include "net/net.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "net/layer.h"

void mch_net_init(struct mch_net *net)
{
	memset(net, 0, sizeof(*net));
	net->input = net->output = -1;
	net->transform = mch_transform_plain();
}

void mch_layer_free(struct mch_layer *layer)
{
	free(layer->name);
	free(layer->in);
	free(layer->out);
	free(layer->weights);
	free(layer->bias);
	free(layer->mean);
	free(layer->variance);
	if (layer->kind == MCH_SLICE || layer->kind == MCH_PAD || layer->kind == MCH_UPSAMPLE)
		free(layer->gather.at);
}

void mch_net_free(struct mch_net *net)
{
	for (int i = 0; i < net->n_layers; i++)
		mch_layer_free(&net->layers[i]);
	for (int i = 0; i < net->n_edges; i++)
		free(net->edges[i].name);
	free(net->layers);
	free(net->edges);
	free(net->name);
	free(net->transform.mean_image);
	free(net->transform.mean_file);
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

int mch_net_append(struct mch_net *net, const char *name, enum mch_kind kind, int n_in, const int *in,
		   const char *out_name, struct mch_err *err)
{
	struct mch_layer *layers = realloc(net->layers, ((size_t)net->n_layers + 1) * sizeof(*layers));
	if (!layers)
		return no_memory(net, err);
	net->layers = layers;
	struct mch_layer *layer = &layers[net->n_layers];
	memset(layer, 0, sizeof(*layer));
	layer->kind = kind;
	layer->name = strdup(name);
	layer->in = malloc((size_t)(n_in > 0 ? n_in : 1) * sizeof(int));
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
	layer->n_in = n_in;
	layer->n_out = 1;
	for (int i = 0; i < n_in; i++)
		layer->in[i] = in[i];
	layer->out[0] = out;
	net->edges[out].producer = net->n_layers;
	return net->n_layers++;
}

int mch_net_add_layer(struct mch_net *net, const char *name, enum mch_kind kind, int in_edge, const char *out_name,
		      struct mch_err *err)
{
	return mch_net_append(net, name, kind, 1, &in_edge, out_name, err);
}

int mch_gather_alloc(struct mch_gather *gather, int n_c, int n_h, int n_w, struct mch_err *err)
{
	*gather = (struct mch_gather){.n_c = n_c, .n_h = n_h, .n_w = n_w};
	gather->at = malloc(((size_t)n_c + (size_t)n_h + (size_t)n_w + 1) * sizeof(*gather->at));
	return gather->at ? 0 : mch_err_set(err, "indexes", "out of memory; use a machine with more");
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

/* Parameters that are present have the sizes that the geometry wants. */
static int check_params(const struct mch_layer *layer, const char *where, struct mch_err *err)
{
	const size_t want = mch_layer_want_weights(layer), want_bias = mch_layer_is_mac(layer) ? (size_t)layer->conv.k : want;
	if (layer->weights && layer->n_weights != want && !(layer->kind == MCH_PRELU && layer->n_weights == 1))
		return mch_err_set(err, where, "%zu weights expected, %zu found; the definition and the weights differ, "
				   "take both from one release", want, layer->n_weights);
	if (layer->bias && layer->n_bias != want_bias)
		return mch_err_set(err, where, "%zu biases expected, %zu found; the definition and the weights differ, "
				   "take both from one release", want_bias, layer->n_bias);
	return 0;
}

static int infer_layer(struct mch_net *net, struct mch_layer *layer, struct mch_shape *in, struct mch_err *err)
{
	const struct mch_layer_row *row = &mch_layer_table[layer->kind];
	struct mch_err why = {""};
	char where[512];
	snprintf(where, sizeof(where), "%s: layer %s", net->name ? net->name : "network", layer->name);
	if (layer->n_in < row->n_in_min || layer->n_in > row->n_in_max)
		return mch_err_set(err, where, "has %d inputs, a layer %s has %d to %d; correct the definition", layer->n_in,
				   row->name, row->n_in_min, row->n_in_max);
	for (int i = 0; i < layer->n_in; i++)
		in[i] = net->edges[layer->in[i]].shape;
	if (row->infer(layer, in, &net->edges[layer->out[0]].shape, &why) != 0)
		return mch_err_set(err, where, "%s", why.text);
	return check_params(layer, where, err);
}

int mch_net_infer_layer(struct mch_net *net, int layer, struct mch_err *err)
{
	const int n_in = net->layers[layer].n_in;
	struct mch_shape *in = malloc((size_t)(n_in > 0 ? n_in : 1) * sizeof(*in));
	const int status = in ? infer_layer(net, &net->layers[layer], in, err) : no_memory(net, err);
	free(in);
	return status;
}

static int infer_layers(struct mch_net *net, struct mch_err *err)
{
	int most = 1, status = 0;
	for (int i = 0; i < net->n_layers; i++)
		most = net->layers[i].n_in > most ? net->layers[i].n_in : most;
	struct mch_shape *in = malloc((size_t)most * sizeof(*in));
	if (!in)
		return no_memory(net, err);
	for (int i = 0; status == 0 && i < net->n_layers; i++)
		status = infer_layer(net, &net->layers[i], in, err);
	free(in);
	return status;
}

static int check_input(const struct mch_shape *s, const char *name, struct mch_err *err)
{
	if (s->n != 1 || s->c < 1 || s->h < 1 || s->w < 1 || (long long)s->c * s->h > INT_MAX / s->w)
		return mch_err_set(err, name, "input shape %dx%dx%dx%d is not usable; one image of positive size is needed",
				   s->n, s->c, s->h, s->w);
	return 0;
}

int mch_net_infer(struct mch_net *net, struct mch_err *err)
{
	const char *name = net->name ? net->name : "network";
	if (net->n_layers == 0 || net->input < 0)
		return mch_err_set(err, name, "has no %s; give a network with both input and layers",
				   net->input < 0 ? "input" : "layers");
	for (int e = 0; e < net->n_edges; e++)
		if (net->edges[e].producer < 0 && check_input(&net->edges[e].shape, name, err) != 0)
			return -1;
	if (infer_layers(net, err) != 0)
		return -1;
	if (net->output < 0)
		net->output = net->layers[net->n_layers - 1].out[0];
	return 0;
}

bool mch_layer_is_mac(const struct mch_layer *layer)
{
	return mch_layer_table[layer->kind].weights == MCH_WEIGHTS_MAC;
}

bool mch_layer_has_weights(const struct mch_layer *layer)
{
	return mch_layer_table[layer->kind].weights != MCH_WEIGHTS_NONE;
}

int mch_net_n_inputs(const struct mch_net *net)
{
	int n = 0;
	for (int e = 0; e < net->n_edges; e++)
		n += net->edges[e].producer < 0;
	return n;
}

size_t mch_layer_want_weights(const struct mch_layer *layer)
{
	switch (layer->kind) {
	case MCH_CONV:
	case MCH_DENSE:
	case MCH_DECONV: /* c * (k / groups) * r * s is k * (c / groups) * r * s */
		return (size_t)layer->conv.k * mch_conv_terms(&layer->conv);
	case MCH_BATCH_NORM:
	case MCH_SCALE:
	case MCH_PRELU:
		return (size_t)layer->norm.channels;
	case MCH_SUM:
		return (size_t)layer->n_in;
	case MCH_CONSTANT:
		return mch_shape_elems(layer->shape);
	default:
		return 0;
	}
}

static float *zeros(size_t n)
{
	return calloc(n ? n : 1, sizeof(float));
}

int mch_layer_alloc(struct mch_layer *layer, int with_bias, struct mch_err *err)
{
	if (!mch_layer_has_weights(layer))
		return 0;
	layer->n_weights = mch_layer_want_weights(layer);
	layer->n_bias = !with_bias ? 0 : mch_layer_is_mac(layer) ? (size_t)layer->conv.k : layer->n_weights;
	layer->weights = zeros(layer->n_weights);
	layer->bias = with_bias ? zeros(layer->n_bias) : NULL;
	int is_short = !layer->weights || (with_bias && !layer->bias);
	if (layer->kind == MCH_BATCH_NORM) {
		layer->mean = zeros(layer->n_weights);
		layer->variance = zeros(layer->n_weights);
		is_short = is_short || !layer->mean || !layer->variance;
		for (size_t i = 0; layer->variance && i < layer->n_weights; i++)
			layer->variance[i] = 1;
	}
	if (is_short)
		return mch_err_set(err, layer->name, "out of memory for %zu weights; use a machine with more",
				   layer->n_weights);
	return 0;
}

int mch_net_require_weights(const struct mch_net *net, struct mch_err *err)
{
	for (int i = 0; i < net->n_layers; i++) {
		const struct mch_layer *layer = &net->layers[i];
		if (mch_layer_has_weights(layer) &&
		    (!layer->weights || (layer->kind == MCH_BATCH_NORM && (!layer->mean || !layer->variance))))
			return mch_err_set(err, net->name ? net->name : "network",
					   "layer %s has no weights; give a trained network (.onnx), or train this one first",
					   layer->name);
	}
	return 0;
}

int mch_deconv_p(const struct mch_layer *layer)
{
	const struct mch_conv *g = &layer->conv;
	return (g->h - 1) * g->stride_h + (g->r - 1) * g->dilation_h + 1 + layer->out_pad_h - g->pad_top - g->pad_bottom;
}

int mch_deconv_q(const struct mch_layer *layer)
{
	const struct mch_conv *g = &layer->conv;
	return (g->w - 1) * g->stride_w + (g->s - 1) * g->dilation_w + 1 + layer->out_pad_w - g->pad_left - g->pad_right;
}

size_t mch_layer_macs(const struct mch_layer *layer)
{
	if (!mch_layer_is_mac(layer))
		return 0;
	const struct mch_conv *g = &layer->conv;
	if (layer->kind == MCH_DECONV) /* every input meets every weight of its channel, the cut-off border too */
		return (size_t)g->h * (size_t)g->w * mch_layer_want_weights(layer);
	return (size_t)g->k * (size_t)mch_conv_p(g) * (size_t)mch_conv_q(g) * mch_conv_terms(g);
}

size_t mch_layer_params(const struct mch_layer *layer)
{
	if (!mch_layer_has_weights(layer))
		return 0;
	const size_t want = mch_layer_want_weights(layer), n_weights = layer->weights ? layer->n_weights : want;
	return n_weights + layer->n_bias + (layer->kind == MCH_BATCH_NORM ? 2 * want : 0);
}

/* Room for what a layer reads; the pointers are gathered from the edges. */
static int run_layers(const struct mch_net *net, int n, float *const *value, struct mch_err *err)
{
	int most = 1;
	for (int i = 0; i < net->n_layers; i++)
		most = net->layers[i].n_in > most ? net->layers[i].n_in : most;
	struct mch_shape *in = malloc((size_t)most * sizeof(*in));
	const float **x = malloc((size_t)most * sizeof(*x));
	for (int i = 0; in && x && i < net->n_layers; i++) {
		const struct mch_layer *layer = &net->layers[i];
		for (int j = 0; j < layer->n_in; j++) {
			in[j] = net->edges[layer->in[j]].shape;
			x[j] = value[layer->in[j]];
		}
		const struct mch_layer_run run = {layer, n, in, net->edges[layer->out[0]].shape, x, value[layer->out[0]]};
		mch_layer_table[layer->kind].run_f32(&run);
	}
	const int status = in && x ? 0 : no_memory(net, err);
	free(in);
	free(x);
	return status;
}

int mch_net_run_f32(const struct mch_net *net, int n, const float *input, float *const *edge_values,
		    struct mch_err *err)
{
	for (int e = 0; e < net->n_edges; e++)
		MCH_REQUIRE(net->edges[e].producer >= 0 || e == net->input || edge_values[e], "every input has its values");
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
		status = run_layers(net, n, value, err);
	}
	for (int e = 0; value && e < net->n_edges; e++)
		if (!edge_values[e])
			free(value[e]);
	free(value);
	return status;
}
