/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Running one case of the ONNX backend tests through our reader; see conformance_case.h. */
#include "conformance_case.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance_data.h"
#include "io/onnx_attr.h"
#include "io/onnx_graph.h"
#include "io/onnx_read.h"
#include "net/float.h"

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
