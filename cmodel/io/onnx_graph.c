/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The values of an ONNX graph; see onnx_graph.h. */
#include "io/onnx_graph.h"

#include <stdlib.h>
#include <string.h>

const char *mch_onnx_type_name(int type)
{
	static const char *const names[] = {"no type", "float",  "uint8",     "int8",       "uint16",  "int16",
					    "int32",   "int64",  "string",    "bool",       "float16", "double",
					    "uint32",  "uint64", "complex64", "complex128", "bfloat16"};
	return type >= 0 && type < (int)(sizeof(names) / sizeof(names[0])) ? names[type] : "an unknown type";
}

static int no_memory(const struct mch_onnx_graph *g)
{
	return mch_err_set(g->err, g->path, "out of memory; use a machine with more");
}

/* Index into readers of that name, which is made; -1 when memory is short. There is room for all names of the graph.
 */
static int name_index(struct mch_onnx_graph *g, const char *name)
{
	const int *known = mch_names_find(&g->reader_names, name);
	if (known)
		return *known;
	const int index = (int)g->reader_names.n;
	return mch_names_set(&g->reader_names, name, index) == 0 ? index : -1;
}

static int count_node(struct mch_onnx_graph *g, const MchOnnx__NodeProto *node)
{
	for (size_t i = 0; i < node->n_output; i++)
		if (name_index(g, node->output[i]) < 0)
			return -1;
	for (size_t i = 0; i < node->n_input; i++) {
		const int at = name_index(g, node->input[i]);
		if (at < 0)
			return -1;
		g->readers[at].n++;
		g->readers[at].node = node;
	}
	return 0;
}

int mch_onnx_count_all(struct mch_onnx_graph *g)
{
	const MchOnnx__GraphProto *proto = g->proto;
	size_t n = proto->n_input + proto->n_output + proto->n_initializer + 1;
	int status = 0;
	for (size_t i = 0; i < proto->n_node; i++)
		n += proto->node[i]->n_input + proto->node[i]->n_output;
	g->readers = calloc(n, sizeof(*g->readers));
	if (!g->readers)
		return no_memory(g);
	for (size_t i = 0; status == 0 && i < proto->n_input; i++)
		status = name_index(g, proto->input[i]->name) < 0;
	for (size_t i = 0; status == 0 && i < proto->n_initializer; i++)
		status = name_index(g, proto->initializer[i]->name) < 0;
	for (size_t i = 0; status == 0 && i < proto->n_node; i++)
		status = count_node(g, proto->node[i]);
	for (size_t i = 0; status == 0 && i < proto->n_output; i++) {
		const int at = name_index(g, proto->output[i]->name);
		status = at < 0;
		if (at >= 0)
			g->readers[at].n++;
	}
	return status == 0 ? 0 : no_memory(g);
}

struct mch_onnx_readers mch_onnx_readers(const struct mch_onnx_graph *g, const char *name)
{
	const int *at = mch_names_find(&g->reader_names, name);
	return at ? g->readers[*at] : (struct mch_onnx_readers){0, NULL};
}

void mch_onnx_graph_free(struct mch_onnx_graph *g)
{
	while (g->constants) {
		struct mch_onnx_constant *next = g->constants->next;
		free(g->constants->ints);
		free(g->constants->floats);
		free(g->constants);
		g->constants = next;
	}
	mch_names_free(&g->value_names);
	mch_names_free(&g->reader_names);
	mch_names_free(&g->layer_names);
	free(g->readers);
	free(g->values);
	free(g->is_decoded);
	free(g->group_end);
}

const struct mch_onnx_value *mch_onnx_value(const struct mch_onnx_graph *g, const char *name)
{
	const int *at = mch_names_find(&g->value_names, name);
	return at ? &g->values[*at] : NULL;
}

int mch_onnx_add_value(struct mch_onnx_graph *g, const struct mch_onnx_value *value)
{
	if (value->name[0] == '\0' || mch_names_find(&g->value_names, value->name))
		return mch_err_set(g->err, g->path, "two values are named \"%.64s\"; export the model again",
				   value->name);
	if (g->n_values == g->n_values_room) {
		const int n_room = g->n_values_room ? 2 * g->n_values_room : 64;
		struct mch_onnx_value *more = realloc(g->values, (size_t)n_room * sizeof(*more));
		g->values = more ? more : g->values;
		bool *is_decoded = more ? realloc(g->is_decoded, (size_t)n_room * sizeof(*is_decoded)) : NULL;
		if (!is_decoded)
			return no_memory(g);
		g->is_decoded = is_decoded;
		g->n_values_room = n_room;
	}
	if (mch_names_set(&g->value_names, value->name, g->n_values) != 0)
		return no_memory(g);
	g->is_decoded[g->n_values] = false;
	g->values[g->n_values++] = *value;
	return 0;
}

int mch_onnx_add_tensor(struct mch_onnx_graph *g, const char *name, const MchOnnx__TensorProto *tensor)
{
	struct mch_onnx_value v = {.name = name, .tensor = tensor, .edge = -1, .type = tensor->data_type};
	if (tensor->n_dims > MCH_ONNX_RANK_MAX)
		return mch_err_set(g->err, g->path,
				   "tensor \"%.64s\" has %zu dimensions, at most %d are supported; change "
				   "the model",
				   name, tensor->n_dims, MCH_ONNX_RANK_MAX);
	v.rank = (int)tensor->n_dims;
	for (int i = 0; i < v.rank; i++)
		v.dims[i] = tensor->dims[i];
	return mch_onnx_add_value(g, &v);
}
