/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Running one case of the ONNX backend tests through our reader; see conformance_case.h. */
#include "conformance_case.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/file.h"
#include "io/onnx_attr.h"
#include "io/onnx_graph.h"
#include "io/onnx_read.h"
#include "net/float.h"

enum { N_TENSORS_MAX = 32, BYTES_MAX = 1 << 28 };

/* The tensors of a data set, in the order of their files. */
struct set {
	int n_in, n_out;
	MchOnnx__TensorProto *in[N_TENSORS_MAX], *out[N_TENSORS_MAX];
};

static void *need(void *p)
{
	if (!p) {
		fprintf(stderr, "conformance: out of memory\n");
		exit(99);
	}
	return p;
}

static char *read_bytes(const char *path, size_t *n)
{
	struct mch_err err = {""};
	char *bytes;
	if (mch_file_read(path, BYTES_MAX, &bytes, n, &err) != 0) {
		fprintf(stderr, "conformance: %s\n", err.text);
		exit(99);
	}
	return bytes;
}

/* Tensors kind_0.pb, kind_1.pb, ... One that is no tensor (a sequence, an optional) gives one of no type. */
static int read_set_part(const char *folder, int i_set, const char *kind, MchOnnx__TensorProto **tensors)
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

static void set_free(struct set *set)
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

/* Inputs that are data, in the graph's order; all others are bound. */
static int bind_parameters(MchOnnx__GraphProto *graph, struct set *set, const char **names,
			   MchOnnx__TensorProto **tensors)
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

static float *decode(const MchOnnx__TensorProto *tensor, size_t *n)
{
	struct mch_err err = {""};
	MchOnnx__NodeProto proto = MCH_ONNX__NODE_PROTO__INIT;
	const struct mch_onnx_node node = {.path = "data", .proto = &proto, .err = &err};
	float *values;
	*n = 0;
	for (size_t i = 0; i < tensor->n_dims; i++)
		if (tensor->dims[i] == 0)
			return need(calloc(1, sizeof(float)));
	return mch_onnx_tensor_any_f32(&node, tensor, &values, n) == 0 ? values : NULL;
}

/* "net.onnx: node y (Op): why" -> "Op: why". */
static void strip(const char *text, char *out, size_t room)
{
	const char *node = strstr(text, ": node "), *open = node ? strstr(node, " (") : NULL;
	const char *close = open ? strstr(open, "): ") : NULL;
	if (close)
		snprintf(out, room, "%.*s: %s", (int)(close - open - 2), open + 2, close + 3);
	else
		snprintf(out, room, "%s", strncmp(text, "model: ", 7) == 0 ? text + 7 : text);
	char *semicolon = strrchr(out, ';');
	if (semicolon)
		*semicolon = '\0';
}

/* Reads the model with its batch, or else, where a plain tensor is no image with a batch, as one image. */
static int read_net(const MchOnnx__ModelProto *model, struct mch_net *net, struct result *result)
{
	struct mch_err with = {""}, without = {""};
	const struct mch_onnx_options options = {.no_batch = true};
	uint8_t *bytes = need(malloc(mch_onnx__model_proto__get_packed_size(model) + 1));
	const size_t n = mch_onnx__model_proto__pack(model, bytes);
	int status = mch_onnx_parse("model", bytes, n, net, &with);
	result->is_one_image = status != 0;
	if (status != 0)
		status = mch_onnx_parse_options("model", bytes, n, &options, net, &without);
	free(bytes);
	if (status != 0) {
		const bool is_batch = strstr(with.text, "batch") && !strstr(without.text, "read the model with one");
		strip(is_batch ? without.text : with.text, result->text, sizeof(result->text));
		result->verdict = NO_FORM;
	}
	return status;
}

static int compare(const char *what, const float *got, size_t n_got, const MchOnnx__TensorProto *want,
		   struct result *result)
{
	size_t n;
	float *values = decode(want, &n);
	result->verdict = FAIL;
	if (!values) {
		snprintf(result->text, sizeof(result->text), "%s: the expected output is no tensor of numbers", what);
		return -1;
	}
	if (n != n_got)
		snprintf(result->text, sizeof(result->text), "%s: %zu elements, %zu expected", what, n_got, n);
	for (size_t i = 0; i < n && n == n_got; i++) {
		const double a = (double)values[i], b = (double)got[i];
		const bool agrees = a == b || (isnan(a) && isnan(b)) || fabs(a - b) <= 1e-7 + 1e-3 * fabs(b);
		if (agrees)
			continue;
		snprintf(result->text, sizeof(result->text), "%s: element %zu of %zu is %.9g, %.9g expected", what, i,
			 n, b, a);
		n = 0;
	}
	const int status = n == n_got ? 0 : -1;
	free(values);
	if (status == 0)
		result->verdict = PASS;
	return status;
}

/* The same by the fast engine, where that takes the net. */
static int run_fast(const struct mch_net *net, int n, const float *input, const MchOnnx__TensorProto *want,
		    struct result *result)
{
	struct mch_err err = {""};
	struct mch_float *fast = mch_net_n_inputs(net) == 1 ? mch_float_new(net, n, &err) : NULL;
	if (!fast)
		return 0;
	const size_t n_out = (size_t)n * mch_shape_elems(net->edges[net->output].shape);
	float *output = need(malloc((n_out + 1) * sizeof(*output)));
	int status = mch_float_run(fast, n, input, output, &err);
	if (status == 0)
		status = compare("fast", output, n_out, want, result);
	else
		snprintf(result->text, sizeof(result->text), "fast: %s", err.text);
	result->verdict = status == 0 ? PASS : FAIL;
	result->n_fast += status == 0;
	free(output);
	mch_float_free(fast);
	return status;
}

/* All edges that no layer writes get their tensor; the number of images, or -1. */
static int fill_inputs(const struct mch_net *net, bool is_one_image, int n_data, const char **names,
		       MchOnnx__TensorProto **tensors, float **values, struct result *result)
{
	int n_images = 1;
	for (int e = 0; e < net->n_edges; e++) {
		size_t n = 0;
		if (net->edges[e].producer >= 0)
			continue;
		for (int i = 0; i < n_data; i++)
			if (strcmp(names[i], net->edges[e].name) == 0) {
				values[e] = decode(tensors[i], &n);
				n_images = is_one_image ? 1 : (int)tensors[i]->dims[0];
			}
		if (!values[e] || n != (size_t)n_images * mch_shape_elems(net->edges[e].shape)) {
			snprintf(result->text, sizeof(result->text), "input %.64s: %zu elements", net->edges[e].name,
				 n);
			result->verdict = FAIL;
			return -1;
		}
	}
	return n_images;
}

static int run_net(const struct mch_net *net, int n_data, const char **names, MchOnnx__TensorProto **tensors,
		   const MchOnnx__TensorProto *want, struct result *result)
{
	struct mch_err err = {""};
	float **values = need(calloc((size_t)net->n_edges, sizeof(*values)));
	const int n = fill_inputs(net, result->is_one_image, n_data, names, tensors, values, result);
	int status = n < 0 ? -1 : 0;
	if (status == 0) {
		const size_t n_out = (size_t)n * mch_shape_elems(net->edges[net->output].shape);
		values[net->output] = need(malloc((n_out + 1) * sizeof(float)));
		if (mch_net_run_f32(net, n, values[net->input], values, &err) != 0) {
			snprintf(result->text, sizeof(result->text), "%s", err.text);
			result->verdict = FAIL;
			status = -1;
		} else {
			status = compare("plain", values[net->output], n_out, want, result);
		}
	}
	if (status == 0)
		status = run_fast(net, n, values[net->input], want, result);
	result->n_runs += status == 0;
	for (int e = 0; e < net->n_edges; e++)
		free(values[e]);
	free(values);
	return status;
}

/* Each output in turn is the network's one output. */
static int run_outputs(MchOnnx__ModelProto *model, struct set *set, int n_data, const char **names,
		       MchOnnx__TensorProto **tensors, struct result *result)
{
	MchOnnx__GraphProto *graph = model->graph;
	MchOnnx__ValueInfoProto **outputs = graph->output;
	const size_t n_outputs = graph->n_output;
	int status = 0;
	for (size_t i = 0; status == 0 && i < n_outputs && i < (size_t)set->n_out; i++) {
		struct mch_net net;
		graph->output = outputs + i;
		graph->n_output = 1;
		status = read_net(model, &net, result);
		if (status != 0)
			continue;
		status = run_net(&net, n_data, names, tensors, set->out[i], result);
		mch_net_free(&net);
	}
	graph->output = outputs;
	graph->n_output = n_outputs;
	return status;
}

/* Operators that the reader does not know at all. */
static bool find_unknown(const MchOnnx__GraphProto *graph, char *text, size_t room)
{
	size_t used = 0;
	text[0] = '\0';
	for (size_t i = 0; i < graph->n_node; i++) {
		const char *type = graph->node[i]->op_type;
		char word[64];
		snprintf(word, sizeof(word), "%.60s ", type);
		if (mch_onnx_is_known(graph->node[i]) || strstr(text, word) || used + strlen(word) + 1 > room)
			continue;
		used += (size_t)snprintf(text + used, room - used, "%s", word);
	}
	return used > 0;
}

/* -1 when there is no such data set, or it does not pass. */
static int run_set(const char *folder, int i_set, struct result *result)
{
	char path[1024];
	size_t n_bytes;
	struct set set = {.n_in = 0};
	const char *names[N_TENSORS_MAX];
	MchOnnx__TensorProto *tensors[N_TENSORS_MAX];
	set.n_out = read_set_part(folder, i_set, "output", set.out);
	if (set.n_out == 0)
		return -1;
	set.n_in = read_set_part(folder, i_set, "input", set.in);
	snprintf(path, sizeof(path), "%s/model.onnx", folder);
	char *bytes = read_bytes(path, &n_bytes);
	MchOnnx__ModelProto *model = mch_onnx__model_proto__unpack(NULL, n_bytes, (const uint8_t *)bytes);
	free(bytes);
	int status = -1;
	if (!model || !model->graph) {
		result->verdict = FAIL;
		snprintf(result->text, sizeof(result->text), "model.onnx is no ONNX model");
	} else if (find_unknown(model->graph, result->text, sizeof(result->text))) {
		result->verdict = NO_OPERATOR;
	} else {
		const int n_data = bind_parameters(model->graph, &set, names, tensors);
		status = run_outputs(model, &set, n_data, names, tensors, result);
		for (int i = 0; i < n_data; i++)
			mch_onnx__tensor_proto__free_unpacked(tensors[i], NULL);
	}
	if (model)
		mch_onnx__model_proto__free_unpacked(model, NULL);
	set_free(&set);
	return status;
}

void run_case(const char *folder, struct result *result)
{
	*result = (struct result){.verdict = FAIL};
	snprintf(result->text, sizeof(result->text), "no test data");
	for (int i = 0; run_set(folder, i, result) == 0;)
		i++;
}
