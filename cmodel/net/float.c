/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Float forward of a network on the fast operators; see float.h. */
#include "net/float.h"

#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "fast/dnnl.h"
#include "net/layer.h"

struct mch_float {
	const struct mch_net *net;
	int batch;
	struct mch_dnnl_graph *graph;
	int *value;   /* [n_edges], of the graph */
	float *whole; /* room for a batch of the largest edge */
};

static int no_memory(const struct mch_net *net, struct mch_err *err)
{
	return mch_err_set(err, net->name ? net->name : "network",
			   "out of memory; use smaller batches or a machine with more memory");
}

static int append_layer(struct mch_float *f, const struct mch_layer *layer, struct mch_err *err)
{
	const int x = layer->n_in > 0 ? f->value[layer->in[0]] : -1;
	switch (layer->kind) {
	case MCH_CONV:
		return mch_dnnl_graph_conv(f->graph, x, &layer->conv, layer->weights, layer->bias, err);
	case MCH_DENSE:
		return mch_dnnl_graph_dense(f->graph, x, layer->conv.k, layer->weights, layer->bias, err);
	case MCH_RELU:
		return mch_dnnl_graph_relu(f->graph, x, err);
	case MCH_POOL_MAX:
		return mch_dnnl_graph_pool_max(f->graph, x, &layer->pool, err);
	case MCH_POOL_AVG:
		return mch_dnnl_graph_pool_avg(f->graph, x, &layer->pool, err);
	case MCH_FLATTEN:
		return mch_dnnl_graph_flatten(f->graph, x, err);
	case MCH_DROPOUT:
		return x;
	case MCH_SOFTMAX:
		return mch_dnnl_graph_softmax(f->graph, x, err);
	default:
		return mch_err_set(err, f->net->name ? f->net->name : "network",
				   "layer %s (%s) has no fast float form yet; use the plain operators", layer->name,
				   mch_layer_table[layer->kind].name);
	}
}

static int compile(struct mch_float *f, struct mch_err *err)
{
	const struct mch_net *net = f->net;
	size_t largest = 0;
	f->graph = mch_dnnl_graph_new(f->batch, err);
	if (!f->graph)
		return -1;
	for (int e = 0; e < net->n_edges; e++)
		if (mch_shape_elems(net->edges[e].shape) > largest)
			largest = mch_shape_elems(net->edges[e].shape);
	f->value = calloc((size_t)net->n_edges, sizeof(*f->value));
	f->whole = calloc((size_t)f->batch * largest, sizeof(*f->whole));
	if (!f->value || !f->whole)
		return no_memory(net, err);
	f->value[net->input] = mch_dnnl_graph_input(f->graph, net->edges[net->input].shape, err);
	if (f->value[net->input] < 0)
		return -1;
	for (int i = 0; i < net->n_layers; i++) {
		const int out = append_layer(f, &net->layers[i], err);
		if (out < 0)
			return -1;
		f->value[net->layers[i].out[0]] = out;
	}
	return 0;
}

struct mch_float *mch_float_new(const struct mch_net *net, int batch, struct mch_err *err)
{
	MCH_REQUIRE(batch >= 1, "a batch has images");
	if (mch_net_require_weights(net, err) != 0)
		return NULL;
	struct mch_float *f = calloc(1, sizeof(*f));
	if (!f) {
		no_memory(net, err);
		return NULL;
	}
	f->net = net;
	f->batch = batch;
	if (compile(f, err) != 0) {
		mch_float_free(f);
		return NULL;
	}
	return f;
}

void mch_float_free(struct mch_float *f)
{
	if (!f)
		return;
	mch_dnnl_graph_free(f->graph);
	free(f->value);
	free(f->whole);
	free(f);
}

int mch_float_tap(struct mch_float *f, int edge, int n, float *out, struct mch_err *err)
{
	MCH_REQUIRE(n >= 0 && n <= f->batch, "no more images than the batch");
	if (mch_dnnl_graph_read(f->graph, f->value[edge], n == f->batch ? out : f->whole, err) != 0)
		return -1;
	if (n != f->batch)
		memcpy(out, f->whole, (size_t)n * mch_shape_elems(f->net->edges[edge].shape) * sizeof(*out));
	return 0;
}

int mch_float_run(struct mch_float *f, int n, const float *input, float *output, struct mch_err *err)
{
	MCH_REQUIRE(n >= 0 && n <= f->batch, "no more images than the batch");
	const size_t elems = mch_shape_elems(f->net->edges[f->net->input].shape);
	if (n < f->batch) { /* the rest of the batch runs on zeros */
		memcpy(f->whole, input, (size_t)n * elems * sizeof(*input));
		memset(f->whole + (size_t)n * elems, 0, (size_t)(f->batch - n) * elems * sizeof(*input));
		input = f->whole;
	}
	if (mch_dnnl_graph_run(f->graph, input, err) != 0)
		return -1;
	return mch_float_tap(f, f->net->output, n, output, err);
}
