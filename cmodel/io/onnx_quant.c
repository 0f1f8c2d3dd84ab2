/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Taking quantization out of an ONNX graph; see onnx_quant.h. What each operator becomes is in onnx_quant_op.c. */
#include "io/onnx_quant.h"

#include <stdlib.h>
#include <string.h>

static int no_memory(const struct mch_onnx_quant *q)
{
	return mch_err_set(q->place.err, q->place.path, "out of memory; use a machine with more");
}

/* One more place in a list. NULL when memory is short; the list is as it was then. */
static void *grow(void *list, size_t n, size_t *room, size_t elem_bytes)
{
	if (n < *room)
		return list;
	void *more = realloc(list, (2 * n + 16) * elem_bytes);
	if (more)
		*room = 2 * n + 16;
	return more;
}

static int add_constant(struct mch_onnx_quant *q, const char *name, const MchOnnx__TensorProto *tensor)
{
	const MchOnnx__TensorProto **more =
		(void *)grow((void *)q->constants, q->n_constants, &q->n_constants_room, sizeof(*more));
	if (!more)
		return no_memory(q);
	q->constants = more;
	q->constants[q->n_constants] = tensor;
	return mch_names_set(&q->constant_names, name, (int)q->n_constants++) == 0 ? 0 : no_memory(q);
}

const MchOnnx__TensorProto *mch_onnx_quant_constant(const struct mch_onnx_quant *q, const char *name)
{
	const int *at = name ? mch_names_find(&q->constant_names, name) : NULL;
	return at ? q->constants[*at] : NULL;
}

/* Owned by the graph from here on: it is freed with it, so everything in it comes from malloc. */
static MchOnnx__TensorProto *make_tensor(const char *name, const MchOnnx__TensorProto *like, float *values,
					 size_t n)
{
	MchOnnx__TensorProto *t = malloc(sizeof(*t));
	if (!t)
		return NULL;
	mch_onnx__tensor_proto__init(t);
	t->dims = like->n_dims ? malloc(like->n_dims * sizeof(*t->dims)) : NULL;
	t->name = strdup(name);
	if (!t->name || (like->n_dims && !t->dims)) {
		free(t->name);
		free(t->dims);
		free(t);
		return NULL;
	}
	for (size_t i = 0; i < like->n_dims; i++)
		t->dims[i] = like->dims[i];
	t->n_dims = like->n_dims;
	t->data_type = MCH_ONNX_FLOAT;
	t->float_data = values;
	t->n_float_data = n;
	return t;
}

int mch_onnx_quant_add_constant(struct mch_onnx_quant *q, const char *name, const MchOnnx__TensorProto *like,
				float *values, size_t n)
{
	MchOnnx__GraphProto *graph = q->graph;
	MchOnnx__TensorProto **more = realloc(graph->initializer, (graph->n_initializer + 1) * sizeof(*more));
	MchOnnx__TensorProto *t = more ? make_tensor(name, like, values, n) : NULL;
	if (more)
		graph->initializer = more;
	if (!t) {
		free(values);
		return no_memory(q);
	}
	graph->initializer[graph->n_initializer++] = t;
	return add_constant(q, t->name, t);
}

int mch_onnx_quant_note(struct mch_onnx_quant *q, struct mch_names *names, const char *name,
			const struct mch_onnx_format *format)
{
	struct mch_onnx_format *more = grow(q->formats, q->n_formats, &q->n_formats_room, sizeof(*more));
	if (!more)
		return no_memory(q);
	q->formats = more;
	if (mch_names_find(names,
			   name)) /* quantized twice, or a value has the name of another's twin: the first counts */
		return 0;
	more[q->n_formats] = *format;
	more[q->n_formats].name = strdup(name);
	if (!more[q->n_formats].name)
		return no_memory(q);
	return mch_names_set(names, name, (int)q->n_formats++) == 0 ? 0 : no_memory(q);
}

/* Weights that pass through a node which only moves them keep their format; those of a layer are its format. */
static int follow_constant(struct mch_onnx_quant *q, const MchOnnx__NodeProto *node)
{
	static const char *const moves[] = {"Identity", "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Flatten"};
	static const char *const layers[] = {"Conv", "ConvTranspose", "Gemm", "MatMul"};
	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]) && node->n_input > 0 && node->n_output == 1; i++) {
		const int *at = mch_names_find(&q->constant_formats, node->input[0]);
		if (at && strcmp(node->op_type, moves[i]) == 0) {
			const struct mch_onnx_format format = q->formats[*at];
			return mch_onnx_quant_note(q, &q->constant_formats, node->output[0], &format);
		}
	}
	for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]) && node->n_input > 1 && node->n_output == 1;
	     i++) {
		const int *at = mch_names_find(&q->constant_formats, node->input[1]);
		if (at && strcmp(node->op_type, layers[i]) == 0) {
			const struct mch_onnx_format format = q->formats[*at];
			return mch_onnx_quant_note(q, &q->weight_formats, node->output[0], &format);
		}
	}
	return 0;
}

int mch_onnx_quant_keep(struct mch_onnx_quant *q, MchOnnx__NodeProto *node)
{
	MchOnnx__NodeProto **more = grow(q->nodes, q->n_nodes, &q->n_nodes_room, sizeof(*more));
	if (!more) {
		mch_onnx__node_proto__free_unpacked(node, NULL);
		return no_memory(q);
	}
	q->nodes = more;
	q->nodes[q->n_nodes] = node;
	int status = follow_constant(q, node);
	for (size_t i = 0; status == 0 && i < node->n_output; i++)
		status = mch_names_set(&q->producers, node->output[i], (int)q->n_nodes) == 0 ? 0 : no_memory(q);
	q->n_nodes++;
	return status;
}

int mch_onnx_quant_rename(struct mch_onnx_quant *q, char **name, const char *to)
{
	char *copy = strdup(to);
	if (!copy)
		return no_memory(q);
	if (*name != protobuf_c_empty_string)
		free(*name);
	*name = copy;
	return 0;
}

static void free_texts(char **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] != protobuf_c_empty_string)
			free(list[i]);
	free(list);
}

int mch_onnx_quant_change(struct mch_onnx_quant *q, MchOnnx__NodeProto *node, const char *op_type,
			  bool keep_attributes, size_t n_inputs, const char *const *inputs)
{
	char **list = calloc(n_inputs + 1, sizeof(*list));
	bool is_short = !list;
	for (size_t i = 0; list && i < n_inputs; i++) {
		list[i] = strdup(inputs[i]);
		is_short = is_short || !list[i];
	}
	if (is_short) {
		if (list)
			free_texts(list, n_inputs);
		return no_memory(q);
	}
	free_texts(node->input, node->n_input);
	node->input = list;
	node->n_input = n_inputs;
	for (size_t i = 0; !keep_attributes && i < node->n_attribute; i++)
		mch_onnx__attribute_proto__free_unpacked(node->attribute[i], NULL);
	if (!keep_attributes)
		node->n_attribute = 0;
	return mch_onnx_quant_rename(q, &node->op_type, op_type) != 0 ||
			       mch_onnx_quant_rename(q, &node->domain, "") != 0
		       ? -1
		       : 0;
}

int mch_onnx_quant_add_codes(struct mch_onnx_quant *q, const char *name, struct mch_onnx_scale *s)
{
	struct mch_onnx_scale *more = grow(q->scales, q->n_scales, &q->n_scales_room, sizeof(*more));
	if (more)
		q->scales = more;
	if (!more || mch_names_set(&q->codes, name, (int)q->n_scales) != 0) {
		mch_onnx_scale_free(s);
		return no_memory(q);
	}
	q->scales[q->n_scales++] = *s;
	return 0;
}

static int list_values(struct mch_onnx_quant *q)
{
	int status = 0;
	for (size_t i = 0; i < q->graph->n_node; i++) {
		const MchOnnx__NodeProto *node = q->graph->node[i];
		for (size_t j = 0; j < node->n_output; j++)
			status |= mch_names_set(&q->origins, node->output[j], (int)i);
		for (size_t j = 0; j < node->n_input; j++)
			status |= mch_names_set(&q->readers, node->input[j],
						mch_names_find(&q->readers, node->input[j]) ? -1 : (int)i);
	}
	for (size_t i = 0; i < q->graph->n_output; i++)
		status |= mch_names_set(&q->readers, q->graph->output[i]->name, -1);
	return status == 0 ? 0 : no_memory(q);
}

static int list_constants(struct mch_onnx_quant *q)
{
	for (size_t i = 0; i < q->graph->n_initializer; i++)
		if (add_constant(q, q->graph->initializer[i]->name, q->graph->initializer[i]) != 0)
			return -1;
	for (size_t i = 0; i < q->graph->n_node; i++) {
		const MchOnnx__NodeProto *node = q->graph->node[i];
		const struct mch_onnx_node place = {q->place.path, node, q->place.err, q->place.wire};
		const MchOnnx__AttributeProto *value = strcmp(node->op_type, "Constant") == 0 && node->n_output == 1
							       ? mch_onnx_find(&place, "value")
							       : NULL;
		if (value && value->t && add_constant(q, node->output[0], value->t) != 0)
			return -1;
	}
	return 0;
}

/* Codes as input or output of the graph are left to who reads it: it says that they are not supported. */
static bool is_wanted(const struct mch_onnx_quant *q)
{
	bool is_found = false;
	for (size_t i = 0; i < q->graph->n_input; i++) {
		const MchOnnx__TypeProto *type = q->graph->input[i]->type;
		const bool is_tensor = type && type->value_case == MCH_ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
		if (is_tensor && !mch_onnx_type_is_float(type->tensor_type->elem_type) &&
		    !mch_onnx_quant_constant(q, q->graph->input[i]->name))
			return false;
	}
	for (size_t i = 0; i < q->graph->n_node; i++) {
		const MchOnnx__NodeProto *node = q->graph->node[i];
		if (!mch_onnx_quant_is_op(node))
			continue;
		is_found = true;
		const bool gives_reals =
			strcmp(node->op_type, "DequantizeLinear") == 0 || strcmp(node->op_type, "Quant") == 0;
		for (size_t j = 0; !gives_reals && j < node->n_output; j++)
			for (size_t k = 0; k < q->graph->n_output; k++)
				if (strcmp(q->graph->output[k]->name, node->output[j]) == 0)
					return false;
	}
	return is_found;
}

static int strip(struct mch_onnx_quant *q)
{
	int status = list_values(q);
	for (size_t i = 0; i < q->graph->n_node; i++) {
		MchOnnx__NodeProto *node = q->graph->node[i];
		bool is_gone = false;
		if (!node) /* taken away by one before it */
			continue;
		q->graph->node[i] = NULL;
		q->place.proto = node;
		if (status == 0)
			status = mch_onnx_quant_node(q, &node, &is_gone);
		if (is_gone) {
			mch_onnx__node_proto__free_unpacked(node, NULL);
			continue;
		}
		if (mch_onnx_quant_keep(q, node) != 0)
			status = -1;
	}
	free(q->graph->node);
	q->graph->node = q->nodes;
	q->graph->n_node = q->n_nodes;
	q->nodes = NULL;
	return status;
}

int mch_onnx_quant_strip(struct mch_onnx_quant *q, const char *path, MchOnnx__GraphProto *graph,
			 struct mch_wire *wire, struct mch_err *err)
{
	memset(q, 0, sizeof(*q));
	q->place = (struct mch_onnx_node){path, NULL, err, wire};
	q->graph = graph;
	q->round = MCH_ROUND_HALF_EVEN;
	if (!graph)
		return 0;
	if (list_constants(q) != 0)
		return -1;
	q->is_found = is_wanted(q);
	return q->is_found ? strip(q) : 0;
}

void mch_onnx_quant_free(struct mch_onnx_quant *q)
{
	struct mch_names *const names[] = {
		&q->constant_names,   &q->producers,      &q->origins, &q->readers,    &q->value_formats,
		&q->constant_formats, &q->weight_formats, &q->codes,   &q->run_scales, &q->run_products};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		mch_names_free(names[i]);
	for (size_t i = 0; i < q->n_formats; i++)
		free(q->formats[i].name);
	for (size_t i = 0; i < q->n_scales; i++)
		mch_onnx_scale_free(&q->scales[i]);
	free(q->formats);
	free(q->scales);
	free((void *)q->constants);
	free(q->nodes);
}
