/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Building the messages of an ONNX graph; see onnx_emit.h. */
#include "io/onnx_emit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DATA_FLOAT = 1, DATA_INT64 = 7, TYPE_FLOAT = 1, TYPE_INT = 2, TYPE_STRING = 3, TYPE_INTS = 7 };

struct mch_emit_block {
	struct mch_emit_block *next;
	max_align_t bytes[];
};

void *mch_emit_room(struct mch_emit *e, size_t n_bytes)
{
	struct mch_emit_block *block = calloc(1, sizeof(*block) + n_bytes);
	if (!block) {
		e->failed = true;
		return NULL;
	}
	block->next = e->blocks;
	e->blocks = block;
	return block->bytes;
}

void mch_emit_free(struct mch_emit *e)
{
	for (struct mch_emit_block *block = e->blocks, *next; block; block = next) {
		next = block->next;
		free(block);
	}
	free(e->graph.node);
	free(e->graph.initializer);
	free(e->rank);
}

/* A list of pointers with one more place. */
static void *grow(struct mch_emit *e, void *list, size_t n, size_t *room)
{
	if (n < *room)
		return list;
	*room = 2 * n + 16;
	void *more = realloc(list, *room * sizeof(void *));
	e->failed = e->failed || !more;
	return more;
}

const char *mch_emit_name(struct mch_emit *e, char separator, const char *part)
{
	const size_t room = strlen(e->layer->name) + strlen(part) + 16;
	char *name = mch_emit_room(e, room);
	if (!name)
		return "";
	snprintf(name, room, "%s%c%s", e->layer->name, separator, part);
	for (int i = 2; mch_net_find_edge(e->net, name) >= 0 || mch_net_find_layer(e->net, name) >= 0; i++)
		snprintf(name, room, "%s%c%s_%d", e->layer->name, separator, part, i);
	return name;
}

MchOnnx__NodeProto *mch_emit_node(struct mch_emit *e, const char *op_type, const char *part)
{
	MchOnnx__NodeProto *node = mch_emit_room(e, sizeof(*node));
	char **output = mch_emit_room(e, sizeof(*output));
	MchOnnx__NodeProto **list = grow(e, e->graph.node, e->graph.n_node, &e->n_node_room);
	if (!node || !output || !list)
		return NULL;
	e->graph.node = list;
	mch_onnx__node_proto__init(node);
	node->op_type = (char *)op_type;
	node->name = part ? (char *)mch_emit_name(e, '/', part) : e->layer->name;
	output[0] = part ? node->name : e->net->edges[e->layer->out[0]].name;
	node->output = output;
	node->n_output = 1;
	e->graph.node[e->graph.n_node++] = node;
	return node;
}

const char *mch_emit_output(const MchOnnx__NodeProto *node)
{
	return node ? node->output[0] : "";
}

/* The lists of a node are short: each new entry is a new list, and all are freed together. */
void mch_emit_input(struct mch_emit *e, MchOnnx__NodeProto *node, const char *value)
{
	char **list = node ? mch_emit_room(e, (node->n_input + 1) * sizeof(*list)) : NULL;
	if (!list)
		return;
	if (node->n_input > 0)
		memcpy(list, node->input, node->n_input * sizeof(*list));
	list[node->n_input++] = (char *)value;
	node->input = list;
}

static MchOnnx__AttributeProto *add_attribute(struct mch_emit *e, MchOnnx__NodeProto *node, const char *name,
					      int type)
{
	MchOnnx__AttributeProto *a = mch_emit_room(e, sizeof(*a));
	MchOnnx__AttributeProto **list = node ? mch_emit_room(e, (node->n_attribute + 1) * sizeof(*list)) : NULL;
	if (!a || !list)
		return NULL;
	if (node->n_attribute > 0)
		memcpy(list, node->attribute, node->n_attribute * sizeof(*list));
	mch_onnx__attribute_proto__init(a);
	a->name = (char *)name;
	a->type = type;
	list[node->n_attribute++] = a;
	node->attribute = list;
	return a;
}

void mch_emit_int(struct mch_emit *e, MchOnnx__NodeProto *node, const char *name, int64_t value)
{
	MchOnnx__AttributeProto *a = add_attribute(e, node, name, TYPE_INT);
	if (a)
		a->i = value;
}

void mch_emit_ints(struct mch_emit *e, MchOnnx__NodeProto *node, const char *name, size_t n, const int *values)
{
	MchOnnx__AttributeProto *a = add_attribute(e, node, name, TYPE_INTS);
	int64_t *ints = mch_emit_room(e, n * sizeof(*ints));
	if (!a || !ints)
		return;
	for (size_t i = 0; i < n; i++)
		ints[i] = values[i];
	a->ints = ints;
	a->n_ints = n;
}

void mch_emit_real(struct mch_emit *e, MchOnnx__NodeProto *node, const char *name, double value)
{
	MchOnnx__AttributeProto *a = add_attribute(e, node, name, TYPE_FLOAT);
	if (a)
		a->f = (float)value;
}

void mch_emit_text(struct mch_emit *e, MchOnnx__NodeProto *node, const char *name, const char *value)
{
	MchOnnx__AttributeProto *a = add_attribute(e, node, name, TYPE_STRING);
	if (a)
		a->s = (ProtobufCBinaryData){strlen(value), (uint8_t *)value};
}

/* bytes are little endian, not copied. */
static void put_tensor(struct mch_emit *e, MchOnnx__NodeProto *node, const char *name, int type, size_t n_dims,
		       const int64_t *dims, const void *bytes, size_t n_bytes)
{
	MchOnnx__TensorProto *t = mch_emit_room(e, sizeof(*t));
	MchOnnx__TensorProto **list = grow(e, e->graph.initializer, e->graph.n_initializer, &e->n_tensor_room);
	int64_t *own = mch_emit_room(e, n_dims * sizeof(*own));
	if (!t || !list || !own)
		return;
	e->graph.initializer = list;
	mch_onnx__tensor_proto__init(t);
	if (n_dims > 0)
		memcpy(own, dims, n_dims * sizeof(*own));
	t->name = (char *)name;
	t->dims = own;
	t->n_dims = n_dims;
	t->data_type = type;
	t->raw_data = (ProtobufCBinaryData){n_bytes, (uint8_t *)bytes};
	list[e->graph.n_initializer++] = t;
	mch_emit_input(e, node, name);
}

static bool is_little_endian(void)
{
	const uint16_t one = 1;
	uint8_t first;
	memcpy(&first, &one, 1);
	return first == 1;
}

static uint8_t *little_endian(struct mch_emit *e, const void *values, size_t n, size_t elem_bytes)
{
	const uint8_t *from = values;
	uint8_t *to = mch_emit_room(e, n * elem_bytes);
	for (size_t i = 0; to && i < n * elem_bytes; i++)
		to[i] = from[is_little_endian() ? i : i - i % elem_bytes + elem_bytes - 1 - i % elem_bytes];
	return to;
}

void mch_emit_floats(struct mch_emit *e, MchOnnx__NodeProto *node, const char *part, const float *values,
		     size_t n_dims, const int *dims)
{
	int64_t wide[4];
	size_t n = 1;
	for (size_t i = 0; i < n_dims; i++) {
		wide[i] = dims[i];
		n *= (size_t)dims[i];
	}
	/* On the usual machine a file's floats are those in memory: no copy of hundreds of millions of bytes. */
	const void *bytes =
		is_little_endian() ? (const void *)values : little_endian(e, values, n, sizeof(*values));
	put_tensor(e, node, part ? mch_emit_name(e, '.', part) : "", DATA_FLOAT, n_dims, wide, bytes,
		   n * sizeof(*values));
}

void mch_emit_scalar(struct mch_emit *e, MchOnnx__NodeProto *node, const char *part, float value)
{
	put_tensor(e, node, mch_emit_name(e, '.', part), DATA_FLOAT, 0, NULL,
		   little_endian(e, &value, 1, sizeof(value)), sizeof(value));
}

void mch_emit_longs(struct mch_emit *e, MchOnnx__NodeProto *node, const char *part, size_t n, const int64_t *values)
{
	const int64_t dims[] = {(int64_t)n};
	put_tensor(e, node, mch_emit_name(e, '.', part), DATA_INT64, 1, dims,
		   little_endian(e, values, n, sizeof(*values)), n * sizeof(*values));
}
