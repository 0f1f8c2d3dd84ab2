/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Forward and backward through the graph; see backprop.h. */
#include "train/backprop.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "base/rng.h"
#include "fast/grad.h"
#include "net/dataset.h"
#include "train/params.h"
#include "train/rows.h"

struct mch_backprop {
	const struct mch_net *net;
	int max_n, n_runs;       /* layers [0, n_runs) run: all but the last softmax */
	int logits;              /* edge */
	float **value;           /* [edge][max_n][c][h][w] */
	float **slope;           /* [edge]: dL/dvalue; NULL where nothing trainable lies below */
	bool *has_slope;         /* [edge]: written in this run */
	struct mch_site *site;   /* [layer] */
	struct mch_shape *shape; /* of all inputs of all layers, one behind the other */
	const float **x;         /* the same */
	float *gradient, *scratch, *extra; /* extra: a slope that is added to one that is there already */
};

/* The final softmax, or n_layers. It must be the last layer for the layers before it to be all that runs. */
static int loss_layer(const struct mch_net *net)
{
	const int last = net->n_layers - 1;
	const bool is_softmax = net->layers[last].kind == MCH_SOFTMAX || net->layers[last].kind == MCH_LOG_SOFTMAX;
	return is_softmax && net->layers[last].out[0] == net->output ? last : net->n_layers;
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
		any_params |= mch_params_of_layer(net, i) > 0;
		if (mch_rows[layer->kind].backward || used >= sizeof(list))
			continue;
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s (%s)", used ? ", " : "", layer->name,
					 mch_layer_table[layer->kind].name);
	}
	if (used)
		return mch_err_set(err, name, "layers without a gradient: %s; take them out to train, a softmax may only be "
				   "the last layer", list);
	if (mch_net_n_inputs(net) != 1)
		return mch_err_set(err, name, "has %d inputs; only networks with one can be trained", mch_net_n_inputs(net));
	if (!any_params)
		return mch_err_set(err, name, "has no weights to train; give a network with conv or dense layers");
	const struct mch_shape s = net->edges[logits_edge(net)].shape;
	if (s.h != 1 || s.w != 1 || s.c < n_classes)
		return mch_err_set(err, name, "its output is %dx%dx%d, the data has %d classes; give the last layer %d outputs",
				   s.c, s.h, s.w, n_classes, n_classes);
	return 0;
}

/* calloc of n * m elements, at least one; NULL also when the product overflows. */
static void *room(size_t n, size_t m, size_t elem_bytes)
{
	if (m && n > SIZE_MAX / m / elem_bytes)
		return NULL;
	return calloc(n && m ? n * m : 1, elem_bytes);
}

static float *edge_room(const struct mch_backprop *b, int edge)
{
	return room((size_t)b->max_n, mch_shape_elems(b->net->edges[edge].shape), sizeof(float));
}

/* Something trainable lies in layer i or below it. */
static bool wants_slope(const struct mch_backprop *b, int i)
{
	const struct mch_layer *layer = &b->net->layers[i];
	bool is_wanted = mch_params_of_layer(b->net, i) > 0;
	for (int j = 0; j < layer->n_in; j++)
		is_wanted = is_wanted || b->slope[layer->in[j]];
	return is_wanted;
}

static bool make_edges(struct mch_backprop *b)
{
	const struct mch_net *net = b->net;
	for (int e = 0; e < net->n_edges; e++) {
		b->value[e] = edge_room(b, e);
		if (!b->value[e])
			return false;
	}
	for (int i = 0; i < b->n_runs; i++) {
		const int out = net->layers[i].out[0];
		if (!wants_slope(b, i))
			continue;
		b->slope[out] = edge_room(b, out);
		if (!b->slope[out])
			return false;
	}
	return true;
}

/* The site of layer i, whose inputs begin at first. */
static void make_site(struct mch_backprop *b, int i, size_t first)
{
	const struct mch_net *net = b->net;
	const struct mch_layer *layer = &net->layers[i];
	for (int j = 0; j < layer->n_in; j++) {
		b->shape[first + (size_t)j] = net->edges[layer->in[j]].shape;
		b->x[first + (size_t)j] = b->value[layer->in[j]];
	}
	b->site[i].run = (struct mch_layer_run){layer, b->max_n, b->shape + first, net->edges[layer->out[0]].shape,
						b->x + first, b->value[layer->out[0]]};
	b->site[i].dy = b->slope[layer->out[0]];
}

static bool make_sites(struct mch_backprop *b)
{
	const struct mch_net *net = b->net;
	size_t n_scratch = 0, n_in = 0;
	for (int i = 0; i < b->n_runs; i++)
		n_in += (size_t)net->layers[i].n_in;
	b->shape = room(n_in, 1, sizeof(*b->shape));
	b->x = room(n_in, 1, sizeof(*b->x));
	n_in = 0;
	for (int i = 0; b->shape && b->x && i < b->n_runs; i++) {
		const struct mch_row *row = &mch_rows[net->layers[i].kind];
		struct mch_site *site = &b->site[i];
		make_site(b, i, n_in);
		n_in += (size_t)net->layers[i].n_in;
		const size_t need = row->scratch_elems ? row->scratch_elems(site) : 0;
		n_scratch = need > n_scratch ? need : n_scratch;
		if (row->keep_bytes && !(site->kept = room(row->keep_bytes(site), 1, 1)))
			return false;
	}
	b->scratch = room(n_scratch, 1, sizeof(float));
	return b->shape && b->x && b->scratch;
}

/* Where each layer's gradient lies; room for a second slope of the largest edge that several read. */
static bool make_gradient(struct mch_backprop *b)
{
	const struct mch_net *net = b->net;
	size_t offset = 0, most = 0;
	b->gradient = room(mch_params_of_net(net), 1, sizeof(float));
	for (int i = 0; b->gradient && i < b->n_runs; i++) {
		struct mch_params pieces[MCH_PARAMS_MAX];
		const int n = mch_params_of(net, i, pieces);
		b->site[i].scratch = b->scratch;
		b->site[i].dw = n > 0 ? b->gradient + offset : NULL;
		b->site[i].db = n > 1 ? b->gradient + offset + pieces[0].n_elems : NULL;
		offset += mch_params_of_layer(net, i);
		for (int j = 0; j < net->layers[i].n_in; j++) {
			const int in = net->layers[i].in[j];
			const size_t elems = mch_shape_elems(net->edges[in].shape);
			/* has_slope is free for this until the first run: the edge has a reader. */
			most = b->slope[in] && b->has_slope[in] && elems > most ? elems : most;
			b->has_slope[in] = true;
		}
	}
	b->extra = room((size_t)b->max_n, most, sizeof(float));
	return b->gradient && b->extra;
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
		b->site = calloc(n_layers, sizeof(*b->site));
		if (b->value && b->slope && b->has_slope && b->site && make_edges(b) && make_sites(b) && make_gradient(b))
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
	for (int i = 0; b->site && i < b->net->n_layers; i++)
		free(b->site[i].kept);
	free(b->value);
	free(b->slope);
	free(b->has_slope);
	free(b->site);
	free(b->shape);
	free(b->x);
	free(b->gradient);
	free(b->scratch);
	free(b->extra);
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

const float *mch_backprop_moments(const struct mch_backprop *b, int layer)
{
	MCH_REQUIRE(b->net->layers[layer].kind == MCH_BATCH_NORM, "only batch norm has moments");
	return b->site[layer].kept;
}

static void forward(struct mch_backprop *b, int n, uint64_t noise)
{
	struct mch_rng rng = mch_rng_seed(noise);
	for (int i = 0; i < b->n_runs; i++) {
		struct mch_site *site = &b->site[i];
		site->run.n = n;
		site->noise = mch_rng_next(&rng);
		mch_rows[site->run.layer->kind].forward(site);
	}
}

/* The slopes of layer i's inputs, from that of its output. What an edge's readers ask of it adds up, last reader first. */
static void backward_layer(struct mch_backprop *b, int i)
{
	struct mch_site *site = &b->site[i];
	const struct mch_layer *layer = site->run.layer;
	for (int j = 0; j < layer->n_in; j++) {
		const int in = layer->in[j];
		float *const sum = b->slope[in];
		if (!sum && !site->dw)
			continue;
		site->which = j;
		site->dx = sum && b->has_slope[in] ? b->extra : sum;
		mch_rows[layer->kind].backward(site);
		if (site->dx == b->extra)
			mch_grad_add_scaled((size_t)site->run.n * mch_shape_elems(site->run.in[j]), 1, b->extra, sum);
		b->has_slope[in] = sum;
	}
}

struct mch_backprop_result mch_backprop_run(struct mch_backprop *b, int n, const int32_t *labels, uint64_t noise)
{
	MCH_REQUIRE(n >= 1 && n <= b->max_n, "a shard has from 1 to max_n images");
	const int n_classes = b->net->edges[b->logits].shape.c;
	const float *logits = b->value[b->logits];
	struct mch_backprop_result result = {0, 0};
	forward(b, n, noise);
	memset(b->has_slope, 0, (size_t)b->net->n_edges * sizeof(*b->has_slope));
	result.loss = mch_grad_softmax_loss(n, n_classes, logits, labels, 1, b->slope[b->logits]);
	b->has_slope[b->logits] = true;
	for (int i = 0; i < n; i++)
		result.n_right += mch_argmax_f32(logits + (ptrdiff_t)i * n_classes, n_classes) == labels[i];
	/* A layer that no path joins with the loss keeps the gradient 0 that it was made with. */
	for (int i = b->n_runs - 1; i >= 0; i--)
		if (b->has_slope[b->net->layers[i].out[0]])
			backward_layer(b, i);
	return result;
}
