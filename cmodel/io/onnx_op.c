/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Inputs, layers and outputs of an ONNX operator being read; see onnx_op.h. */
#include "io/onnx_op.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/layer.h"

int mch_onnx_inputs(const struct mch_onnx_op *op, size_t n_min, size_t n_max, struct mch_onnx_value *inputs)
{
	const MchOnnx__NodeProto *proto = op->node.proto;
	if (proto->n_input < n_min || proto->n_input > n_max || proto->n_output < 1)
		return mch_onnx_err(&op->node, "%zu inputs and %zu outputs are not supported; export the model again",
				    proto->n_input, proto->n_output);
	for (size_t i = 0; i < n_max; i++) {
		inputs[i] = (struct mch_onnx_value){.name = "", .edge = -1};
		if (i >= proto->n_input || (i >= n_min && proto->input[i][0] == '\0'))
			continue;
		const struct mch_onnx_value *value = mch_onnx_value(op->g, proto->input[i]);
		if (!value)
			return mch_onnx_err(&op->node,
					    "input \"%.64s\" is computed by no earlier node; export the model again",
					    proto->input[i]);
		inputs[i] = *value;
	}
	return 0;
}

int mch_onnx_require_edge(const struct mch_onnx_op *op, const struct mch_onnx_value *x, int rank)
{
	if (x->edge < 0)
		return mch_onnx_err(&op->node, "input \"%.64s\" is a constant; simplify the model", x->name);
	if (rank && x->rank != rank)
		return mch_onnx_err(&op->node, "input \"%.64s\" has %d dimensions, %d are expected; %s", x->name,
				    x->rank, rank, rank == 2 ? "put a Flatten before it" : "change the model");
	return 0;
}

struct mch_onnx_dims mch_onnx_inner(const struct mch_onnx_op *op, const struct mch_onnx_value *x)
{
	struct mch_onnx_dims dims = {.n = 0};
	for (int i = x->edge >= 0 ? op->g->n_batch : 0; i < x->rank; i++)
		dims.size[dims.n++] = x->dims[i];
	return dims;
}

int64_t mch_onnx_product(const struct mch_onnx_dims *dims, int from, int to)
{
	int64_t n = 1;
	for (int i = from; i < to; i++) {
		if (dims->size[i] < 1 || n > INT64_MAX / dims->size[i])
			return dims->size[i] < 1 ? 0 : INT64_MAX;
		n *= dims->size[i];
	}
	return n;
}

int64_t mch_onnx_elems(const struct mch_onnx_dims *dims)
{
	return mch_onnx_product(dims, 0, dims->n);
}

struct mch_shape mch_onnx_natural(const struct mch_onnx_dims *dims)
{
	const int c = dims->n > 0 ? (int)dims->size[0] : 1, h = dims->n > 2 ? (int)dims->size[1] : 1;
	return (struct mch_shape){1, c, h, (int)(mch_onnx_elems(dims) / c / h)};
}

int mch_onnx_natural_axis(const struct mch_onnx_dims *dims, int i)
{
	if (i == 0)
		return 1;
	return dims->n == 2 ? 3 : dims->n == 3 || i == 1 ? i + 1 : 0;
}

int mch_onnx_any_axis(const struct mch_onnx_op *op, int64_t axis, int rank, int *index)
{
	if (axis < -rank || axis >= rank)
		return mch_onnx_err(&op->node,
				    "axis is %lld, but the tensor has %d dimensions; export the model again",
				    (long long)axis, rank);
	*index = (int)(axis < 0 ? axis + rank : axis);
	return 0;
}

int mch_onnx_axis(const struct mch_onnx_op *op, const struct mch_onnx_value *x, int fallback, int *axis)
{
	int v;
	if (mch_onnx_int(&op->node, "axis", -MCH_ONNX_RANK_MAX, MCH_ONNX_RANK_MAX - 1, fallback, &v) != 0 ||
	    mch_onnx_any_axis(op, v, x->rank, axis) != 0)
		return -1;
	if (*axis < op->g->n_batch)
		return mch_onnx_err(&op->node, "axis is %d, the batch: images do not mix; change the model", v);
	*axis -= op->g->n_batch;
	return 0;
}

int mch_onnx_image(const struct mch_onnx_op *op, const struct mch_onnx_value *x, int n_spatial_min, int n_spatial_max,
		   struct mch_onnx_dims *dims, int *first)
{
	const int n_spatial = x->rank - 2;
	if (mch_onnx_require_edge(op, x, 0) != 0)
		return -1;
	if (n_spatial < n_spatial_min || n_spatial > n_spatial_max)
		return mch_onnx_err(&op->node,
				    "input \"%.64s\" has %d dimensions, %d to %d are supported (batch, channels, "
				    "and 1 or 2 of space); change the model",
				    x->name, x->rank, n_spatial_min + 2, n_spatial_max + 2);
	*dims = mch_onnx_inner(op, x);
	*first = 1 - op->g->n_batch;
	if (*first == 1 && dims->size[0] != 1)
		return mch_onnx_err(&op->node,
				    "the first dimension of its input \"%.64s\" is a batch; read the model with one",
				    x->name);
	return 0;
}

/* A name that neither a layer nor a value of the file has: want, or want_2, want_3, ... */
static int layer_name(const struct mch_onnx_op *op, const char *want, bool is_final, char *buf, size_t room)
{
	struct mch_onnx_graph *g = op->g;
	int n = snprintf(buf, room, "%s", want);
	for (int i = 2;
	     n > 0 && (size_t)n < room &&
	     (mch_names_find(&g->layer_names, buf) || (!is_final && mch_names_find(&g->reader_names, buf)));
	     i++)
		n = snprintf(buf, room, "%s_%d", want, i);
	if (n < 1 || (size_t)n >= room)
		return mch_onnx_err(&op->node, "its name is empty or has over %zu letters; change it", room - 1);
	if (mch_names_set(&g->layer_names, buf, 1) != 0)
		return mch_onnx_err(&op->node, "out of memory; use a machine with more");
	return 0;
}

int mch_onnx_append(const struct mch_onnx_op *op, enum mch_kind kind, int n_in, const int *in)
{
	char want[256], name[288];
	snprintf(want, sizeof(want), "%.220s/%s", mch_onnx_name(op->node.proto), mch_layer_table[kind].name);
	for (char *c = strchr(want, '/'); *c; c++)
		*c = *c == ' ' ? '_' : *c;
	if (layer_name(op, want, false, name, sizeof(name)) != 0)
		return -1;
	return mch_net_append(op->g->net, name, kind, n_in, in, name, op->g->err);
}

int mch_onnx_infer(const struct mch_onnx_op *op, int index)
{
	struct mch_net *net = op->g->net;
	struct mch_layer *layer = &net->layers[index];
	const struct mch_layer_row *row = &mch_layer_table[layer->kind];
	struct mch_err why = {""};
	if (layer->n_in > row->n_in_max)
		return mch_onnx_err(&op->node, "has %d inputs, at most %d are supported; change the model",
				    layer->n_in, row->n_in_max);
	struct mch_shape *in = calloc((size_t)layer->n_in + 1, sizeof(*in));
	if (!in)
		return mch_onnx_err(&op->node, "out of memory; use a machine with more");
	for (int i = 0; i < layer->n_in; i++)
		in[i] = net->edges[layer->in[i]].shape;
	const int status = row->infer(layer, in, &net->edges[layer->out[0]].shape, &why);
	free(in);
	return status == 0 ? layer->out[0] : mch_onnx_err(&op->node, "%s", why.text);
}

static int rename_to(const struct mch_onnx_op *op, char **name, const char *to)
{
	char *copy = strdup(to);
	if (!copy)
		return mch_onnx_err(&op->node, "out of memory; use a machine with more");
	free(*name);
	*name = copy;
	return 0;
}

int mch_onnx_emit(const struct mch_onnx_op *op, size_t i, int edge, const struct mch_onnx_dims *dims, int type)
{
	struct mch_onnx_graph *g = op->g;
	const MchOnnx__NodeProto *proto = op->node.proto;
	struct mch_onnx_value v = {
		.name = proto->output[i], .edge = edge, .type = type, .rank = g->n_batch + dims->n};
	if (v.rank > MCH_ONNX_RANK_MAX)
		return mch_onnx_err(&op->node,
				    "its output has %d dimensions, at most %d are supported; change the model",
				    v.rank, MCH_ONNX_RANK_MAX);
	v.dims[0] = g->batch;
	memcpy(v.dims + g->n_batch, dims->size, (size_t)dims->n * sizeof(dims->size[0]));
	if (g->net->edges[edge].producer >= op->first_layer) {
		const struct mch_shape s = mch_onnx_natural(dims);
		edge = mch_onnx_view(op, edge, s.c, s.h, s.w);
		if (edge < 0)
			return -1;
		v.edge = edge;
	}
	const int layer = g->net->edges[edge].producer;
	if (layer >= op->first_layer) {
		char name[256];
		if (layer_name(op, mch_onnx_name(proto), true, name, sizeof(name)) != 0 ||
		    rename_to(op, &g->net->layers[layer].name, name) != 0 ||
		    rename_to(op, &g->net->edges[edge].name, proto->output[i]) != 0)
			return -1;
	}
	return mch_onnx_add_value(g, &v);
}

int mch_onnx_emit_like(const struct mch_onnx_op *op, int edge, const struct mch_onnx_value *x)
{
	const struct mch_onnx_dims dims = mch_onnx_inner(op, x);
	return mch_onnx_emit(op, 0, edge, &dims, x->type);
}
