/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Marked groups of nodes as layers; see onnx_group.h. */
#include "io/onnx_group.h"

#include <stdlib.h>
#include <string.h>

#include "io/onnx_attr.h"
#include "io/onnx_mark.h"
#include "io/onnx_op.h"

int mch_onnx_find_groups(struct mch_onnx_graph *g)
{
	const size_t n = g->proto->n_node;
	g->group_end = calloc(n + 1, sizeof(*g->group_end));
	if (!g->group_end)
		return mch_err_set(g->err, g->path, "out of memory; use a machine with more");
	for (size_t last = 0; last < n; last++) {
		struct mch_onnx_mark mark;
		if (!mch_onnx_mark_find(g->proto, g->wire, last, &mark))
			continue;
		for (size_t i = mark.first; i <= last; i++)
			g->group_end[i] = last + 1;
	}
	return 0;
}

struct group {
	struct mch_onnx_graph *g;
	struct mch_onnx_node node; /* the last one, for messages */
	struct mch_onnx_mark mark;
};

/* The value, which must be an edge, that the group reads. */
static const struct mch_onnx_value *find_edge(const struct group *group, const char *name)
{
	const struct mch_onnx_value *value = mch_onnx_value(group->g, name);
	if (value && value->edge >= 0)
		return value;
	mch_onnx_err(&group->node, "input \"%.64s\" is computed by no earlier node; export the model again", name);
	return NULL;
}

/* Edges of the layer's inputs; their number, or -1. in has room for as many as the mark has letters. */
static int find_inputs(const struct group *group, size_t room, int *in)
{
	size_t n_names = 0;
	for (size_t i = group->mark.first; i <= group->mark.last; i++)
		n_names += group->g->proto->node[i]->n_input;
	const char **names = calloc(n_names + 1, sizeof(*names));
	int n = names ? mch_onnx_mark_inputs(group->g->proto, group->mark.first, group->mark.last, n_names, names)
		      : -1;
	if (n >= 0)
		n = mch_onnx_mark_order(&group->mark, n, room, in);
	if (n < 0)
		mch_onnx_err(&group->node, "its mark is damaged; convert the model again");
	for (int i = 0; i < n; i++) {
		const struct mch_onnx_value *value = find_edge(group, names[in[i]]);
		if (!value) {
			n = -1;
			break;
		}
		in[i] = value->edge;
	}
	free(names);
	return n;
}

static int read_tensor(const struct group *group, size_t node, size_t input, float **values, size_t *n)
{
	const MchOnnx__NodeProto *proto = group->g->proto->node[node];
	const struct mch_onnx_value *value =
		input < proto->n_input ? mch_onnx_value(group->g, proto->input[input]) : NULL;
	const struct mch_onnx_op op = {group->g, group->node, 0};
	if (!value || !value->tensor)
		return mch_onnx_err(&group->node, "its parameters are no constants; convert the model again");
	return mch_onnx_f32(&op, value, values, n);
}

/* Parameters that the writer leaves in tensors: where it puts them. */
static int read_tensors(const struct group *group, struct mch_layer *layer)
{
	const size_t first = group->mark.first, last = group->mark.last;
	size_t n_mean, n_variance;
	switch (layer->kind) {
	case MCH_SCALE:
		if (read_tensor(group, first, 1, &layer->weights, &layer->n_weights) != 0)
			return -1;
		return first == last ? 0 : read_tensor(group, last, 1, &layer->bias, &layer->n_bias);
	case MCH_CONSTANT:
		return read_tensor(group, last, 0, &layer->weights, &layer->n_weights);
	case MCH_BATCH_NORM:
		if (read_tensor(group, last, 1, &layer->weights, &layer->n_weights) != 0 ||
		    read_tensor(group, last, 3, &layer->mean, &n_mean) != 0 ||
		    read_tensor(group, last, 4, &layer->variance, &n_variance) != 0)
			return -1;
		if (n_mean != layer->n_weights || n_variance != layer->n_weights)
			return mch_onnx_err(&group->node, "its parameters differ in size; convert the model again");
		return 0;
	default:
		return 0;
	}
}

/* The edge as a value of that rank, 4 or 2. */
static int add_edge_value(struct mch_onnx_graph *g, const char *name, int edge, int rank)
{
	const struct mch_shape s = g->net->edges[edge].shape;
	struct mch_onnx_value v = {.name = name, .edge = edge, .type = MCH_ONNX_FLOAT, .rank = rank};
	v.dims[0] = g->batch;
	v.dims[1] = rank == 4 ? s.c : (int64_t)s.c * s.h * s.w;
	v.dims[2] = s.h;
	v.dims[3] = s.w;
	return mch_onnx_add_value(g, &v);
}

static int read_alias(const struct group *group)
{
	const MchOnnx__NodeProto *proto = group->node.proto;
	const struct mch_onnx_value *x = proto->n_input > 0 ? find_edge(group, proto->input[0]) : NULL;
	return x ? add_edge_value(group->g, proto->output[0], x->edge, strcmp(proto->op_type, "Flatten") == 0 ? 2 : 4)
		 : -1;
}

static int read_layer(const struct group *group)
{
	struct mch_onnx_graph *g = group->g;
	const MchOnnx__NodeProto *proto = group->node.proto;
	const size_t room = strlen(group->mark.text);
	struct mch_err why = {""};
	int *in = calloc(room + 1, sizeof(*in));
	const int n_in = in ? find_inputs(group, room, in) : -1;
	int index = -1;
	if (n_in >= 0 && mch_names_find(&g->layer_names, proto->name))
		mch_onnx_err(&group->node, "two layers have this name; rename one");
	else if (n_in >= 0)
		index = mch_net_append(g->net, proto->name, group->mark.kind, n_in, in, proto->output[0], g->err);
	free(in);
	if (index < 0)
		return -1;
	struct mch_layer *layer = &g->net->layers[index];
	if (mch_onnx_mark_apply(&group->mark, layer, &why) != 0)
		return mch_onnx_err(&group->node, "%s", why.text);
	if (read_tensors(group, layer) != 0)
		return -1;
	const struct mch_onnx_op op = {g, group->node, index};
	if (mch_onnx_infer(&op, index) < 0 || mch_names_set(&g->layer_names, proto->name, 1) != 0)
		return -1;
	return add_edge_value(g, proto->output[0], layer->out[0], group->mark.rank);
}

int mch_onnx_read_group(struct mch_onnx_graph *g, size_t i)
{
	struct group group = {.g = g, .node = {g->path, g->proto->node[i], g->err, g->wire}};
	if (g->group_end[i] != i + 1)
		return 0;
	/* Found once, it is found again. */
	if (!mch_onnx_mark_find(g->proto, g->wire, i, &group.mark))
		return mch_onnx_err(&group.node, "its mark cannot be read; convert the model again");
	return group.mark.is_alias ? read_alias(&group) : read_layer(&group);
}
