/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Data sets of the ONNX backend tests; see conformance_data.h. */
#include "conformance_data.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/file.h"
#include "io/onnx_graph.h"

enum { BYTES_MAX = 1 << 28 };

void *need(void *p)
{
	if (!p) {
		fprintf(stderr, "conformance: out of memory\n");
		exit(99);
	}
	return p;
}

char *read_bytes(const char *path, size_t *n)
{
	struct mch_err err = {""};
	char *bytes;
	if (mch_file_read(path, BYTES_MAX, &bytes, n, &err) != 0) {
		fprintf(stderr, "conformance: %s\n", err.text);
		exit(99);
	}
	return bytes;
}

int read_set_part(const char *folder, int i_set, const char *kind, MchOnnx__TensorProto **tensors)
{
	int n = 0;
	for (; n < N_TENSORS_MAX; n++) {
		char path[1024];
		size_t n_bytes;
		snprintf(path, sizeof(path), "%s/test_data_set_%d/%s_%d.pb", folder, i_set, kind, n);
		if (access(path, R_OK) != 0)
			break;
		char *bytes = read_bytes(path, &n_bytes);
		tensors[n] = mch_onnx__tensor_proto__unpack(NULL, n_bytes, (const uint8_t *)bytes);
		free(bytes);
		if (!tensors[n]) {
			tensors[n] = need(malloc(sizeof(*tensors[n])));
			mch_onnx__tensor_proto__init(tensors[n]);
		}
	}
	return n;
}

void set_free(struct set *set)
{
	for (int i = 0; i < set->n_in; i++)
		mch_onnx__tensor_proto__free_unpacked(set->in[i], NULL);
	for (int i = 0; i < set->n_out; i++)
		mch_onnx__tensor_proto__free_unpacked(set->out[i], NULL);
}

/* The first input of an operator that is a parameter: it is part of a trained network, while the test hands it over
 * as data. */
static const struct {
	const char *op_type;
	size_t first;
} parameters[] = {
	{"BatchNormalization", 1},
	{"Clip", 1},
	{"ConstantOfShape", 0},
	{"Conv", 1},
	{"ConvTranspose", 1},
	{"Div", 1},
	{"Dropout", 1},
	{"Expand", 1},
	{"Tile", 1},
	{"Gather", 1},
	{"Gemm", 1},
	{"MatMul", 1},
	{"PRelu", 1},
	{"Pad", 1},
	{"ReduceMax", 1},
	{"ReduceMean", 1},
	{"ReduceSum", 1},
	{"Reshape", 1},
	{"Resize", 1},
	{"Slice", 1},
	{"Split", 1},
	{"Squeeze", 1},
	{"Unsqueeze", 1},
	{"Upsample", 1},
};

static bool is_parameter(const MchOnnx__NodeProto *node, size_t input)
{
	for (size_t i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++)
		if (strcmp(node->op_type, parameters[i].op_type) == 0)
			return input >= parameters[i].first;
	return false;
}

/* Every node that reads the input takes it as a parameter. */
static bool is_bound(const MchOnnx__GraphProto *graph, const char *name)
{
	bool is_read = false;
	for (size_t i = 0; i < graph->n_node; i++)
		for (size_t j = 0; j < graph->node[i]->n_input; j++) {
			if (strcmp(graph->node[i]->input[j], name) != 0)
				continue;
			if (!is_parameter(graph->node[i], j))
				return false;
			is_read = true;
		}
	return is_read;
}

static bool is_initializer(const MchOnnx__GraphProto *graph, const char *name)
{
	for (size_t i = 0; i < graph->n_initializer; i++)
		if (strcmp(graph->initializer[i]->name, name) == 0)
			return true;
	return false;
}

/* The tensor becomes an initializer of the graph, which owns it. */
static void bind(MchOnnx__GraphProto *graph, const char *name, MchOnnx__TensorProto *tensor)
{
	graph->initializer =
		need(realloc(graph->initializer, (graph->n_initializer + 1) * sizeof(*graph->initializer)));
	if (tensor->name != protobuf_c_empty_string)
		free(tensor->name);
	tensor->name = need(strdup(name));
	graph->initializer[graph->n_initializer++] = tensor;
}

int bind_parameters(MchOnnx__GraphProto *graph, struct set *set, const char **names, MchOnnx__TensorProto **tensors)
{
	int n = 0, at = 0;
	for (size_t i = 0; i < graph->n_input && at < set->n_in; i++) {
		const char *name = graph->input[i]->name;
		if (is_initializer(graph, name))
			continue;
		MchOnnx__TensorProto *tensor = set->in[at];
		const MchOnnx__TypeProto *type = graph->input[i]->type;
		set->in[at++] = NULL;
		/* The suite keeps bfloat16 as the integers that have its bits. */
		if (type && type->value_case == MCH_ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE &&
		    type->tensor_type->elem_type == MCH_ONNX_BFLOAT16)
			tensor->data_type = MCH_ONNX_BFLOAT16;
		if (is_bound(graph, name)) {
			bind(graph, name, tensor);
		} else {
			names[n] = name;
			tensors[n++] = tensor;
		}
	}
	return n;
}
