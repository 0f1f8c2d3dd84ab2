/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* An ONNX model as a network; see onnx_read.h. What each operator means is in onnx_node.c. */
#include "io/onnx_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/build.h"
#include "io/file.h"
#include "io/onnx_attr.h"
#include "io/onnx_graph.h"
#include "io/onnx_group.h"
#include "io/onnx_load.h"
#include "io/onnx_metadata.h"

const struct mch_onnx_value *mch_onnx_value(const struct mch_onnx_graph *g, const char *name)
{
	for (int i = g->n_values - 1; i >= 0; i--)
		if (strcmp(g->values[i].name, name) == 0)
			return &g->values[i];
	return NULL;
}

int mch_onnx_add_value(struct mch_onnx_graph *g, const char *name, const MchOnnx__TensorProto *tensor, int edge,
		       int rank)
{
	if (name[0] == '\0' || mch_onnx_value(g, name))
		return mch_err_set(g->err, g->path, "two values are named \"%.64s\"; export the model again", name);
	struct mch_onnx_value *more = realloc(g->values, ((size_t)g->n_values + 1) * sizeof(*more));
	if (!more)
		return mch_err_set(g->err, g->path, "out of memory; use a machine with more");
	g->values = more;
	g->values[g->n_values++] = (struct mch_onnx_value){name, tensor, edge, rank};
	return 0;
}

int mch_onnx_count_readers(const struct mch_onnx_graph *g, const char *name)
{
	int n = 0;
	for (size_t i = 0; i < g->proto->n_node; i++)
		for (size_t j = 0; j < g->proto->node[i]->n_input; j++)
			n += strcmp(g->proto->node[i]->input[j], name) == 0;
	for (size_t i = 0; i < g->proto->n_output; i++)
		n += strcmp(g->proto->output[i]->name, name) == 0;
	return n;
}

/* The version of the standard operators. */
static int read_opset(struct mch_onnx_graph *g, const MchOnnx__ModelProto *model)
{
	enum { OPSET_MIN = 7, OPSET_MAX = 1000 };
	for (size_t i = 0; i < model->n_opset_import; i++) {
		const MchOnnx__OperatorSetIdProto *id = model->opset_import[i];
		if (id->domain[0] && strcmp(id->domain, "ai.onnx") != 0)
			continue;
		if (id->version < OPSET_MIN || id->version > OPSET_MAX)
			return mch_err_set(g->err, g->path,
					   "operator set %lld, %d or newer is expected; export the model again",
					   (long long)id->version, OPSET_MIN);
		g->opset = (int)id->version;
		return 0;
	}
	return mch_err_set(g->err, g->path, "does not tell its operator set; export the model again");
}

static int check_supported(const struct mch_onnx_graph *g)
{
	struct mch_unsupported unsupported = {0};
	for (size_t i = 0; i < g->proto->n_node; i++) {
		const MchOnnx__NodeProto *node = g->proto->node[i];
		char type[48];
		if (mch_onnx_in_group(g, i) || mch_onnx_is_known(node))
			continue;
		snprintf(type, sizeof(type), "%.16s%s%.28s", node->domain, node->domain[0] ? "." : "", node->op_type);
		mch_unsupported_add(&unsupported, type, mch_onnx_name(node));
	}
	return mch_unsupported_report(&unsupported, g->path, g->err);
}

static int read_initializers(struct mch_onnx_graph *g)
{
	for (size_t i = 0; i < g->proto->n_initializer; i++)
		if (mch_onnx_add_value(g, g->proto->initializer[i]->name, g->proto->initializer[i], -1, 0) != 0)
			return -1;
	return 0;
}

static int input_shape(struct mch_onnx_graph *g, const MchOnnx__ValueInfoProto *info, struct mch_shape *shape,
		       int *rank)
{
	const MchOnnx__TypeProto *type = info->type;
	const MchOnnx__TensorShapeProto *s =
		type && type->value_case == MCH_ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE ? type->tensor_type->shape : NULL;
	int dim[4] = {1, 1, 1, 1};
	if (!s || (s->n_dim != 4 && s->n_dim != 2))
		return mch_err_set(g->err, g->path,
				   "input \"%.64s\" has no shape of 4 (N C H W) or 2 (N C) dimensions; export "
				   "the model with one",
				   info->name);
	for (size_t i = 0; i < s->n_dim; i++) {
		const bool is_number =
			s->dim[i]->value_case == MCH_ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
		const int64_t v = is_number ? s->dim[i]->dim_value : 0;
		if (i == 0) {
			g->batch = v > 0 ? v : 0;
			continue;
		}
		if (v < 1 || v > MCH_BUILD_CHANNELS_MAX)
			return mch_err_set(g->err, g->path,
					   "input \"%.64s\": dimension %zu is open or out of range, only the batch "
					   "may be; export the model with a fixed size",
					   info->name, i);
		dim[i] = (int)v;
	}
	*shape = (struct mch_shape){1, dim[1], dim[2], dim[3]};
	*rank = (int)s->n_dim;
	return 0;
}

/* The one input that is no constant: old models list their weights as inputs too. */
static int read_input(struct mch_onnx_graph *g)
{
	for (size_t i = 0; i < g->proto->n_input; i++) {
		const MchOnnx__ValueInfoProto *info = g->proto->input[i];
		const struct mch_onnx_value *value = mch_onnx_value(g, info->name);
		struct mch_shape shape;
		int rank = 0;
		if (value && value->tensor)
			continue;
		if (g->net->input >= 0)
			return mch_err_set(g->err, g->path, "two inputs (%.64s, %.64s), one is expected; cut one off",
					   g->net->edges[g->net->input].name, info->name);
		if (input_shape(g, info, &shape, &rank) != 0)
			return -1;
		g->net->input = mch_net_add_edge(g->net, info->name, shape, g->err);
		if (g->net->input < 0 || mch_onnx_add_value(g, info->name, NULL, g->net->input, rank) != 0)
			return -1;
	}
	if (g->net->input < 0)
		return mch_err_set(g->err, g->path, "has no input; export the model again");
	return 0;
}

static int read_output(struct mch_onnx_graph *g)
{
	if (g->proto->n_output != 1)
		return mch_err_set(g->err, g->path, "has %zu outputs, one is expected; cut the others off",
				   g->proto->n_output);
	const char *name = g->proto->output[0]->name;
	const struct mch_onnx_value *value = mch_onnx_value(g, name);
	if (!value || value->tensor || value->edge == g->net->input)
		return mch_err_set(g->err, g->path, "output \"%.64s\" is computed by no node; export the model again",
				   name);
	g->net->output = value->edge;
	return 0;
}

static int read_graph(struct mch_onnx_graph *g, const MchOnnx__ModelProto *model)
{
	if (!model->graph)
		return mch_err_set(g->err, g->path, "holds no graph; is it an ONNX model?");
	g->proto = model->graph;
	g->net->name = strdup(g->proto->name[0] ? g->proto->name : mch_file_name(g->path));
	if (!g->net->name)
		return mch_err_set(g->err, g->path, "out of memory; use a machine with more");
	if (mch_onnx_find_groups(g) != 0 || read_opset(g, model) != 0 ||
	    mch_onnx_get_metadata(g->path, model, g->wire, &g->net->transform, g->err) != 0 ||
	    check_supported(g) != 0 || read_initializers(g) != 0 || read_input(g) != 0)
		return -1;
	for (size_t i = 0; i < g->proto->n_node; i++) {
		const MchOnnx__NodeProto *node = g->proto->node[i];
		if ((mch_onnx_in_group(g, i) ? mch_onnx_read_group(g, i) : mch_onnx_read_node(g, node)) != 0)
			return -1;
	}
	if (read_output(g) != 0)
		return -1;
	return mch_build_finish(g->net, g->path, g->err);
}

/* load->wire is open; it is closed here. */
static int read_model(const char *path, struct mch_onnx_load *load, struct mch_net *net, struct mch_err *err)
{
	struct mch_onnx_graph g = {.path = path, .net = net, .err = err, .wire = &load->wire};
	int status = mch_onnx_load(load, err);
	if (status == 0)
		status = read_graph(&g, load->model);
	if (status != 0)
		mch_net_free(net);
	free(g.values);
	free(g.group_end);
	mch_onnx_unload(load);
	return status;
}

int mch_onnx_parse(const char *where, const void *bytes, size_t n_bytes, struct mch_net *net, struct mch_err *err)
{
	struct mch_onnx_load load;
	mch_net_init(net);
	mch_wire_open_bytes(&load.wire, where, bytes, n_bytes, err);
	return read_model(where, &load, net, err);
}

int mch_onnx_read(const char *path, struct mch_net *net, struct mch_err *err)
{
	struct mch_onnx_load load;
	mch_net_init(net);
	return mch_wire_open(&load.wire, path, err) != 0 ? -1 : read_model(path, &load, net, err);
}
