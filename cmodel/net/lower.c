/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Rewriting a network into what hardware computes; see lower.h. The network is built anew, layer by layer: parameters
 * move over, edges are found again through a table. */
#include "net/lower.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/lower_mac.h"

struct lower {
	struct mch_net *from, to;
	bool is_whole; /* not folding alone */
	bool is_apart; /* batch norms stay layers */
	/* Of each edge of `from`: the first that holds the same values, when layers that do nothing are left out; who
	 * reads the values (told at that first edge), the network's output counted; and where they are in `to`. */
	int *root, *n_readers, *edge;
	bool *is_gone; /* [n_layers]: does nothing */
};

static int no_memory(const struct mch_net *net, struct mch_err *err)
{
	return mch_err_set(err, net->name ? net->name : "network", "out of memory; use a machine with more");
}

static bool is_same_shape(struct mch_shape a, struct mch_shape b)
{
	return a.c == b.c && a.h == b.h && a.w == b.w;
}

/* y[i] = x[i] along all three axes. */
static bool is_plain_gather(const struct mch_gather *g, struct mch_shape in)
{
	const int *at = g->at;
	bool is_plain = g->n_c == in.c && g->n_h == in.h && g->n_w == in.w;
	for (int i = 0; is_plain && i < in.c; i++)
		is_plain = *at++ == i;
	for (int i = 0; is_plain && i < in.h; i++)
		is_plain = *at++ == i;
	for (int i = 0; is_plain && i < in.w; i++)
		is_plain = *at++ == i;
	return is_plain;
}

static bool does_nothing(const struct mch_net *net, const struct mch_layer *layer)
{
	const struct mch_shape out = net->edges[layer->out[0]].shape;
	if (layer->n_in != 1 || !is_same_shape(net->edges[layer->in[0]].shape, out))
		return false;
	switch (layer->kind) {
	case MCH_SUM:
		return !layer->weights || layer->weights[0] == 1;
	case MCH_PROD:
	case MCH_MAX:
	case MCH_CONCAT:
	case MCH_FLATTEN:
	case MCH_RESHAPE:
	case MCH_DROPOUT:
		return true;
	case MCH_CLIP:
		return layer->clip.low == -INFINITY && layer->clip.high == INFINITY;
	case MCH_LEAKY_RELU:
		return layer->slope == 1;
	case MCH_POOL_MAX:
	case MCH_POOL_AVG: /* the same shape: neither stride nor pad is left to it */
		return layer->pool.r == 1 && layer->pool.s == 1;
	case MCH_SLICE:
	case MCH_PAD:
	case MCH_UPSAMPLE:
		return is_plain_gather(&layer->gather, out);
	case MCH_TRANSPOSE:
		return layer->order[0] == 0 && layer->order[1] == 1 && layer->order[2] == 2;
	default:
		return false;
	}
}

static int survey(struct lower *l, struct mch_err *err)
{
	const struct mch_net *net = l->from;
	const size_t n_edges = (size_t)net->n_edges;
	l->root = calloc(n_edges, sizeof(*l->root));
	l->n_readers = calloc(n_edges, sizeof(*l->n_readers));
	l->edge = calloc(n_edges, sizeof(*l->edge));
	l->is_gone = calloc((size_t)net->n_layers, sizeof(*l->is_gone));
	if (!l->root || !l->n_readers || !l->edge || !l->is_gone)
		return no_memory(net, err);
	for (int e = 0; e < net->n_edges; e++)
		l->root[e] = e;
	for (int i = 0; i < net->n_layers; i++) {
		const struct mch_layer *layer = &net->layers[i];
		const int out = layer->out[0], before = layer->n_in ? l->root[layer->in[0]] : -1;
		/* An output that is an input as well is told apart by the layer between them. */
		l->is_gone[i] = l->is_whole && does_nothing(net, layer) &&
				!(out == net->output && net->edges[before].producer < 0);
		if (l->is_gone[i])
			l->root[out] = before;
		for (int j = 0; !l->is_gone[i] && j < layer->n_in; j++)
			l->n_readers[l->root[layer->in[j]]]++;
	}
	l->n_readers[l->root[net->output]]++;
	return 0;
}

static int rename_edge(struct lower *l, int edge, const char *name, struct mch_err *err)
{
	char *copy = strdup(name);
	if (!copy)
		return no_memory(l->from, err);
	free(l->to.edges[edge].name);
	l->to.edges[edge].name = copy;
	return 0;
}

/* Layer `index` of `from` behind those of `to`, with its parameters; the first input is `x` unless that is -1. Index
 * in `to`, or -1 with err. */
static int move_layer(struct lower *l, int index, int x, struct mch_err *err)
{
	struct mch_layer *from = &l->from->layers[index];
	int *in = malloc(((size_t)from->n_in + 1) * sizeof(*in));
	if (!in)
		return no_memory(l->from, err);
	for (int j = 0; j < from->n_in; j++)
		in[j] = l->edge[l->root[from->in[j]]];
	if (x >= 0)
		in[0] = x;
	const char *out_name = l->from->edges[from->out[0]].name;
	const int i = mch_net_append(&l->to, from->name, from->kind, from->n_in, in, out_name, err);
	free(in);
	if (i < 0)
		return -1;
	struct mch_layer *to = &l->to.layers[i];
	const struct mch_layer shell = *to;
	*to = *from;
	to->name = shell.name;
	to->in = shell.in;
	to->out = shell.out;
	from->weights = from->bias = from->mean = from->variance = NULL;
	if (from->kind == MCH_SLICE || from->kind == MCH_PAD || from->kind == MCH_UPSAMPLE)
		from->gather.at = NULL;
	l->edge[from->out[0]] = to->out[0];
	return i;
}

/* What a batch norm or scale that stays a layer has become. (Where the network has such a convolution of its own, a norm joins it.) */
static bool is_norm(const struct mch_layer *layer)
{
	const struct mch_conv *g = &layer->conv;
	return layer->kind == MCH_CONV && g->groups == g->c && g->k == g->c && g->r == 1 && g->s == 1;
}

/* The layer that alone feeds a batch norm or scale and can take it in, else NULL. */
static struct mch_layer *layer_before(struct lower *l, const struct mch_layer *norm)
{
	const int root = l->root[norm->in[0]];
	if (l->n_readers[root] != 1 || l->to.edges[l->edge[root]].producer < 0)
		return NULL;
	struct mch_layer *before = &l->to.layers[l->to.edges[l->edge[root]].producer];
	const bool is_mac = l->is_apart ? is_norm(before) : mch_layer_is_mac(before);
	const bool takes = is_mac || before->kind == MCH_BATCH_NORM || before->kind == MCH_SCALE;
	return takes ? before : NULL;
}

static int lower_norm(struct lower *l, int index, struct mch_err *err)
{
	const struct mch_layer *norm = &l->from->layers[index];
	struct mch_layer *before = layer_before(l, norm);
	if (before) {
		const int edge = before->out[0];
		l->edge[norm->out[0]] = edge;
		if (rename_edge(l, edge, l->from->edges[norm->out[0]].name, err) != 0)
			return -1;
		return mch_lower_fold(before, norm, err);
	}
	const int i = move_layer(l, index, -1, err);
	if (i < 0 || !l->is_whole)
		return i < 0 ? -1 : 0;
	return mch_lower_depthwise(&l->to.layers[i], err);
}

/* "NAME/zeros", made different from all other edges. */
static int zeros_name(const struct lower *l, const char *name, char *buf, size_t room, struct mch_err *err)
{
	int n = snprintf(buf, room, "%s/zeros", name);
	for (int i = 2; n > 0 && (size_t)n < room && mch_net_find_edge(l->from, buf) >= 0; i++)
		n = snprintf(buf, room, "%s/zeros%d", name, i);
	if (n < 0 || (size_t)n >= room)
		return mch_err_set(err, name, "the name is too long to derive one from it; shorten it");
	return 0;
}

static int lower_deconv(struct lower *l, int index, struct mch_err *err)
{
	const struct mch_layer *from = &l->from->layers[index];
	const struct mch_spread h = mch_spread_h(from), w = mch_spread_w(from);
	int x = l->edge[l->root[from->in[0]]];
	if (!mch_spread_is_plain(&h) || !mch_spread_is_plain(&w)) {
		char name[512];
		if (zeros_name(l, from->name, name, sizeof(name), err) != 0)
			return -1;
		const int pad = mch_net_add_layer(&l->to, name, MCH_PAD, x, NULL, err);
		if (pad < 0 || mch_lower_spread(&l->to.layers[pad].gather, from->conv.c, &h, &w, err) != 0)
			return -1;
		x = l->to.layers[pad].out[0];
	}
	const int i = move_layer(l, index, x, err);
	return i < 0 ? -1 : mch_lower_deconv(&l->to.layers[i], &h, &w, err);
}

static int lower_layer(struct lower *l, int index, struct mch_err *err)
{
	const struct mch_layer *layer = &l->from->layers[index];
	if (l->is_gone[index])
		return 0;
	if (layer->kind == MCH_BATCH_NORM || layer->kind == MCH_SCALE)
		return lower_norm(l, index, err);
	if (layer->kind == MCH_DECONV && l->is_whole)
		return lower_deconv(l, index, err);
	const int i = move_layer(l, index, -1, err);
	if (i < 0)
		return -1;
	struct mch_layer *to = &l->to.layers[i];
	const bool is_relu = (to->kind == MCH_CLIP && to->clip.low == 0 && to->clip.high == INFINITY) ||
			     (to->kind == MCH_LEAKY_RELU && to->slope == 0);
	if (is_relu && l->is_whole)
		to->kind = MCH_RELU;
	return 0;
}

static int rebuild(struct lower *l, struct mch_err *err)
{
	struct mch_net *from = l->from;
	for (int e = 0; e < from->n_edges; e++)
		if (from->edges[e].producer < 0) {
			l->edge[e] = mch_net_add_edge(&l->to, from->edges[e].name, from->edges[e].shape, err);
			if (l->edge[e] < 0)
				return -1;
		}
	for (int i = 0; i < from->n_layers; i++)
		if (lower_layer(l, i, err) != 0)
			return -1;
	const int output = l->edge[l->root[from->output]];
	if (l->root[from->output] != from->output && rename_edge(l, output, from->edges[from->output].name, err) != 0)
		return -1;
	l->to.input = l->edge[from->input];
	l->to.output = output;
	l->to.name = from->name;
	l->to.transform = from->transform;
	from->name = NULL;
	from->transform = mch_transform_plain();
	return mch_net_infer(&l->to, err);
}

static int rewrite(struct mch_net *net, bool is_whole, bool is_apart, struct mch_err *err)
{
	struct lower l = {.from = net, .is_whole = is_whole, .is_apart = is_apart};
	mch_net_init(&l.to);
	int status = survey(&l, err);
	if (status == 0)
		status = rebuild(&l, err);
	free(l.root);
	free(l.n_readers);
	free(l.edge);
	free(l.is_gone);
	if (status != 0) {
		mch_net_free(&l.to);
		return -1;
	}
	mch_net_free(net);
	*net = l.to;
	return 0;
}

int mch_net_fold(struct mch_net *net, struct mch_err *err)
{
	return rewrite(net, false, false, err);
}

int mch_net_lower(struct mch_net *net, struct mch_err *err)
{
	return rewrite(net, true, false, err);
}

int mch_net_lower_apart(struct mch_net *net, struct mch_err *err)
{
	return rewrite(net, true, true, err);
}
