/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Forward and backward through the graph; see backprop.h. */
#include "train/backprop.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "fast/grad.h"
#include "net/dataset.h"
#include "net/layer.h"

struct mch_backprop {
	const struct mch_net *net;
	int max_n, n_runs; /* layers [0, n_runs) run: all but the last softmax */
	int logits;        /* edge */
	float **value;     /* [edge][max_n][c][h][w] */
	float **slope;     /* [edge]: dL/dvalue; NULL where nothing trainable lies below */
	bool *has_slope;   /* [edge]: written in this run */
	int32_t **at;      /* [layer]: places of the maxima */
	size_t *offset;    /* [layer]: of its parameters in gradient */
	float *gradient, *scratch;
};

/* What a row needs of its layer. */
struct site {
	const struct mch_layer *layer;
	int n;
	struct mch_shape shape_in;
	const float *x;
	float *y;
	const float *dy;
	float *dx; /* NULL: not wanted */
	float *dw, *scratch;
	int32_t *at;
};

static void conv_forward(const struct site *t)
{
	struct mch_conv g = t->layer->conv;
	g.n = t->n;
	mch_grad_conv_forward(&g, t->x, t->layer->weights, t->layer->bias, t->scratch, t->y);
}

static void conv_backward(const struct site *t)
{
	struct mch_conv g = t->layer->conv;
	g.n = t->n;
	mch_grad_conv_backward(&g, &(struct mch_grad_conv){t->x, t->layer->weights, t->dy, t->scratch, t->dx, t->dw,
							   t->layer->bias ? t->dw + t->layer->n_weights : NULL});
}

static struct mch_pool pool_of(const struct site *t)
{
	struct mch_pool g = t->layer->pool;
	g.n = t->n;
	return g;
}

static void max_forward(const struct site *t)
{
	const struct mch_pool g = pool_of(t);
	mch_grad_pool_max_forward(&g, t->x, t->y, t->at);
}

static void max_backward(const struct site *t)
{
	const struct mch_pool g = pool_of(t);
	if (t->dx)
		mch_grad_pool_max_backward(&g, t->at, t->dy, t->dx);
}

static void avg_forward(const struct site *t)
{
	const struct mch_pool g = pool_of(t);
	mch_grad_pool_avg_forward(&g, t->x, t->y);
}

static void avg_backward(const struct site *t)
{
	const struct mch_pool g = pool_of(t);
	if (t->dx)
		mch_grad_pool_avg_backward(&g, t->dy, t->dx);
}

static size_t site_elems(const struct site *t)
{
	return (size_t)t->n * mch_shape_elems(t->shape_in);
}

static void relu_forward(const struct site *t)
{
	mch_grad_relu_forward(site_elems(t), t->x, t->y);
}

static void relu_backward(const struct site *t)
{
	if (t->dx)
		mch_grad_relu_backward(site_elems(t), t->x, t->dy, t->dx);
}

static void same_forward(const struct site *t)
{
	memcpy(t->y, t->x, site_elems(t) * sizeof(float));
}

static void same_backward(const struct site *t)
{
	if (t->dx)
		memcpy(t->dx, t->dy, site_elems(t) * sizeof(float));
}

/* A kind without a row has no gradient. Dropout has none because the net does not carry its ratio, softmax because only the
 * one at the end belongs to a loss. */
static const struct row {
	void (*forward)(const struct site *t);
	void (*backward)(const struct site *t);
} rows[MCH_N_KINDS] = {
	[MCH_CONV] = {conv_forward, conv_backward},   [MCH_DENSE] = {conv_forward, conv_backward},
	[MCH_RELU] = {relu_forward, relu_backward},   [MCH_POOL_MAX] = {max_forward, max_backward},
	[MCH_POOL_AVG] = {avg_forward, avg_backward}, [MCH_FLATTEN] = {same_forward, same_backward},
};

static bool has_params(const struct mch_layer *layer)
{
	return layer->kind == MCH_CONV || layer->kind == MCH_DENSE;
}

/* The final softmax, or n_layers. It must be the last layer for the layers before it to be all that runs. */
static int loss_layer(const struct mch_net *net)
{
	const int last = net->n_layers - 1;
	return net->layers[last].kind == MCH_SOFTMAX && net->layers[last].out[0] == net->output ? last : net->n_layers;
}

static int logits_edge(const struct mch_net *net)
{
	const int last = loss_layer(net);
	return last < net->n_layers ? net->layers[last].in[0] : net->output;
}

int mch_backprop_check(const struct mch_net *net, int n_classes, struct mch_err *err)
{
	const char *name = net->name ? net->name : "network";
	char list[400] = "";
	size_t used = 0;
	bool any_params = false;
	for (int i = 0; i < loss_layer(net); i++) {
		const struct mch_layer *layer = &net->layers[i];
		any_params |= has_params(layer);
		if ((rows[layer->kind].backward && layer->n_in == 1 && layer->n_out == 1) || used >= sizeof(list))
			continue;
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s (%s)", used ? ", " : "", layer->name,
					 mch_layer_table[layer->kind].name);
	}
	if (used)
		return mch_err_set(err, name, "layers without a gradient: %s; take them out to train, a softmax may only be "
				   "the last layer", list);
	if (!any_params)
		return mch_err_set(err, name, "has no weights to train; give a network with conv or dense layers");
	const struct mch_shape s = net->edges[logits_edge(net)].shape;
	if (s.h != 1 || s.w != 1 || s.c < n_classes)
		return mch_err_set(err, name, "its output is %dx%dx%d, the data has %d classes; give the last layer %d outputs",
				   s.c, s.h, s.w, n_classes, n_classes);
	return 0;
}

size_t mch_backprop_n_params(const struct mch_net *net)
{
	size_t n = 0;
	for (int i = 0; i < net->n_layers; i++)
		n += mch_layer_params(&net->layers[i]);
	return n;
}

/* calloc of n * m elements, at least one; NULL also when the product overflows. */
static void *room(size_t n, size_t m, size_t elem_bytes)
{
	if (m && n > SIZE_MAX / m / elem_bytes)
		return NULL;
	return calloc(n && m ? n * m : 1, elem_bytes);
}

static bool make_edges(struct mch_backprop *b)
{
	const struct mch_net *net = b->net;
	for (int e = 0; e < net->n_edges; e++) {
		const size_t elems = mch_shape_elems(net->edges[e].shape);
		const int producer = net->edges[e].producer;
		b->value[e] = room((size_t)b->max_n, elems, sizeof(float));
		if (!b->value[e])
			return false;
		/* Edges are made in topological order: the producer's input has been here before. */
		if (producer < 0 || (!has_params(&net->layers[producer]) && !b->slope[net->layers[producer].in[0]]))
			continue;
		b->slope[e] = room((size_t)b->max_n, elems, sizeof(float));
		if (!b->slope[e])
			return false;
	}
	return true;
}

static bool make_layers(struct mch_backprop *b)
{
	size_t n_params = 0, n_scratch = 0;
	for (int i = 0; i < b->n_runs; i++) {
		const struct mch_layer *layer = &b->net->layers[i];
		b->offset[i] = n_params;
		n_params += mch_layer_params(layer);
		if (has_params(layer)) {
			const size_t need = mch_grad_conv_scratch_elems(&layer->conv);
			n_scratch = need > n_scratch ? need : n_scratch;
		}
		if (layer->kind != MCH_POOL_MAX)
			continue;
		b->at[i] = room((size_t)b->max_n, mch_shape_elems(b->net->edges[layer->out[0]].shape), sizeof(int32_t));
		if (!b->at[i])
			return false;
	}
	b->gradient = room(n_params, 1, sizeof(float));
	b->scratch = room(n_scratch, 1, sizeof(float));
	return b->gradient && b->scratch;
}

struct mch_backprop *mch_backprop_new(const struct mch_net *net, int max_n, struct mch_err *err)
{
	struct mch_backprop *b = calloc(1, sizeof(*b));
	if (b) {
		const size_t n_edges = (size_t)net->n_edges, n_layers = (size_t)net->n_layers;
		*b = (struct mch_backprop){.net = net, .max_n = max_n, .n_runs = loss_layer(net),
					   .logits = logits_edge(net)};
		b->value = calloc(n_edges, sizeof(*b->value));
		b->slope = calloc(n_edges, sizeof(*b->slope));
		b->has_slope = calloc(n_edges, sizeof(*b->has_slope));
		b->at = calloc(n_layers, sizeof(*b->at));
		b->offset = calloc(n_layers, sizeof(*b->offset));
		if (b->value && b->slope && b->has_slope && b->at && b->offset && make_edges(b) && make_layers(b))
			return b;
	}
	mch_backprop_free(b);
	mch_err_set(err, net->name ? net->name : "network", "out of memory for %d images at a time; take a smaller batch",
		    max_n);
	return NULL;
}

void mch_backprop_free(struct mch_backprop *b)
{
	if (!b)
		return;
	for (int e = 0; e < b->net->n_edges; e++) {
		if (b->value)
			free(b->value[e]);
		if (b->slope)
			free(b->slope[e]);
	}
	for (int i = 0; b->at && i < b->net->n_layers; i++)
		free(b->at[i]);
	free(b->value);
	free(b->slope);
	free(b->has_slope);
	free(b->at);
	free(b->offset);
	free(b->gradient);
	free(b->scratch);
	free(b);
}

float *mch_backprop_input(struct mch_backprop *b)
{
	return b->value[b->net->input];
}

const float *mch_backprop_gradient(const struct mch_backprop *b)
{
	return b->gradient;
}

static struct site site_of(struct mch_backprop *b, int i, int n)
{
	const struct mch_layer *layer = &b->net->layers[i];
	const int in = layer->in[0], out = layer->out[0];
	return (struct site){.layer = layer, .n = n, .shape_in = b->net->edges[in].shape, .x = b->value[in],
			     .y = b->value[out], .dy = b->slope[out], .dw = b->gradient + b->offset[i],
			     .scratch = b->scratch, .at = b->at[i]};
}

struct mch_backprop_result mch_backprop_run(struct mch_backprop *b, int n, const int32_t *labels)
{
	MCH_REQUIRE(n >= 1 && n <= b->max_n, "a shard has from 1 to max_n images");
	const int n_classes = b->net->edges[b->logits].shape.c;
	const float *logits = b->value[b->logits];
	struct mch_backprop_result result = {0, 0};
	for (int i = 0; i < b->n_runs; i++) {
		const struct site t = site_of(b, i, n);
		rows[t.layer->kind].forward(&t);
	}
	memset(b->has_slope, 0, (size_t)b->net->n_edges * sizeof(*b->has_slope));
	result.loss = mch_grad_softmax_loss(n, n_classes, logits, labels, 1, b->slope[b->logits]);
	b->has_slope[b->logits] = true;
	for (int i = 0; i < n; i++)
		result.n_right += mch_argmax_f32(logits + (ptrdiff_t)i * n_classes, n_classes) == labels[i];
	/* Layers have one input, so one path leads down from the loss and no slope is written twice; a layer beside that path
	 * keeps the gradient 0 that it was made with. */
	for (int i = b->n_runs - 1; i >= 0; i--) {
		const int in = b->net->layers[i].in[0], out = b->net->layers[i].out[0];
		if (!b->has_slope[out])
			continue;
		struct site t = site_of(b, i, n);
		t.dx = b->slope[in];
		rows[t.layer->kind].backward(&t);
		b->has_slope[in] = t.dx;
	}
	return result;
}
