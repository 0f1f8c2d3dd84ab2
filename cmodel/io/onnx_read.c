/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* An ONNX model as a network; see onnx_read.h. What each operator means is in onnx_node.c. */
#include "io/onnx_read.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/build.h"
#include "io/file.h"
#include "io/onnx_group.h"
#include "io/onnx_load.h"
#include "io/onnx_metadata.h"
#include "io/onnx_op.h"
#include "io/onnx_quant.h"

/* The version of the standard operators. */
static int read_opset(struct mch_onnx_graph *g, const MchOnnx__ModelProto *model)
{
	enum { OPSET_MIN = 1, OPSET_MAX = 1000 };
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
	for (size_t i = 0; i < g->proto->n_node; i++) {
		const MchOnnx__NodeProto *node = g->proto->node[i];
		char type[48];
		if (mch_onnx_in_group(g, i) || mch_onnx_is_known(node))
			continue;
		snprintf(type, sizeof(type), "%.16s%s%.28s", node->domain, node->domain[0] ? "." : "", node->op_type);
		mch_unsupported_add(g->unsupported, type, mch_onnx_name(node));
	}
	return mch_unsupported_report(g->unsupported, g->path, g->err);
}

static int read_initializers(struct mch_onnx_graph *g)
{
	for (size_t i = 0; i < g->proto->n_initializer; i++)
		if (mch_onnx_add_tensor(g, g->proto->initializer[i]->name, g->proto->initializer[i]) != 0)
			return -1;
	return 0;
}

/* Dimensions of an input, the batch first: that may be open, the others must be known. */
static int input_dims(struct mch_onnx_graph *g, const char *name, const MchOnnx__TensorShapeProto *s,
		      struct mch_onnx_value *v)
{
	int64_t n = 1;
	v->rank = (int)s->n_dim;
	for (int i = 0; i < v->rank; i++) {
		const bool is_number =
			s->dim[i]->value_case == MCH_ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
		const int64_t d = is_number ? s->dim[i]->dim_value : 0;
		v->dims[i] = d;
		if (i < g->n_batch) {
			v->dims[i] = d > 0 ? d : MCH_ONNX_OPEN;
			continue;
		}
		if (d < 1 || d > MCH_BUILD_CHANNELS_MAX)
			return mch_err_set(g->err, g->path,
					   "input \"%.64s\": dimension %d is open or out of range, only the batch "
					   "may be; export the model with a fixed size",
					   name, i);
		n *= d;
		if (n > INT_MAX)
			return mch_err_set(g->err, g->path,
					   "input \"%.64s\" has over 2^31 elements; use a smaller one", name);
	}
	return 0;
}

static int add_input(struct mch_onnx_graph *g, const MchOnnx__ValueInfoProto *info)
{
	const MchOnnx__TypeProto *type = info->type;
	const MchOnnx__TypeProto__Tensor *tensor =
		type && type->value_case == MCH_ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE ? type->tensor_type : NULL;
	const MchOnnx__TensorShapeProto *s = tensor ? tensor->shape : NULL;
	struct mch_onnx_value v = {.name = info->name, .type = tensor ? tensor->elem_type : 0};
	if (!s || s->n_dim < (size_t)g->n_batch || s->n_dim > MCH_ONNX_RANK_MAX)
		return mch_err_set(
			g->err, g->path,
			"input \"%.64s\" has no shape, or none of %d to %d dimensions; export the model with one",
			info->name, g->n_batch, MCH_ONNX_RANK_MAX);
	if (!mch_onnx_type_is_number(v.type))
		return mch_err_set(g->err, g->path,
				   "input \"%.64s\" is of type %s, numbers are expected; change the model",
				   info->name, mch_onnx_type_name(v.type));
	if (input_dims(g, info->name, s, &v) != 0)
		return -1;
	if (g->net->input < 0)
		g->batch = v.dims[0];
	else if (g->n_batch && v.dims[0] != g->batch)
		return mch_err_set(g->err, g->path,
				   "inputs \"%.64s\" and \"%.64s\" have batches of different sizes; give "
				   "both one",
				   g->net->edges[g->net->input].name, info->name);
	const struct mch_onnx_op op = {.g = g};
	const struct mch_onnx_dims dims = mch_onnx_inner(&op, &v);
	v.edge = mch_net_add_edge(g->net, info->name, mch_onnx_natural(&dims), g->err);
	if (v.edge < 0)
		return -1;
	g->net->input = g->net->input < 0 ? v.edge : g->net->input;
	return mch_onnx_add_value(g, &v);
}

/* Inputs that are no constants: old models list their weights as inputs too. */
static int read_inputs(struct mch_onnx_graph *g, bool all)
{
	for (size_t i = 0; i < g->proto->n_input; i++) {
		const char *name = g->proto->input[i]->name;
		const struct mch_onnx_value *value = mch_onnx_value(g, name);
		const bool is_wanted = !(value && value->tensor) && (all || mch_onnx_readers(g, name).n > 0);
		if (is_wanted && add_input(g, g->proto->input[i]) != 0)
			return -1;
	}
	/* Those that nobody reads are left out, unless there are no others. */
	if (g->net->input < 0 && !all)
		return read_inputs(g, true);
	if (g->net->input < 0)
		return mch_err_set(g->err, g->path, "has no input; export the model again");
	return 0;
}

/* The output is an input under another name: a network needs a layer. */
static int add_identity(struct mch_onnx_graph *g, const char *name, int edge)
{
	const int index = mch_net_add_layer(g->net, name, MCH_RESHAPE, edge, name, g->err);
	if (index < 0)
		return -1;
	g->net->layers[index].shape = g->net->edges[edge].shape;
	return g->net->layers[index].out[0];
}

static int read_output(struct mch_onnx_graph *g)
{
	if (g->proto->n_output != 1)
		return mch_err_set(g->err, g->path, "has %zu outputs, one is expected; cut the others off",
				   g->proto->n_output);
	const char *name = g->proto->output[0]->name;
	const struct mch_onnx_value *value = mch_onnx_value(g, name);
	if (value && mch_onnx_is_constant(value))
		return mch_err_set(g->err, g->path,
				   "output \"%.64s\" is a constant, which no input changes; take it from another "
				   "node",
				   name);
	if (!value || strcmp(g->net->edges[g->net->input].name, name) == 0)
		return mch_err_set(g->err, g->path, "output \"%.64s\" is computed by no node; export the model again",
				   name);
	g->net->output = g->net->edges[value->edge].producer < 0 ? add_identity(g, name, value->edge) : value->edge;
	return g->net->output < 0 ? -1 : 0;
}

/* Nodes that do not lead to the output are no part of the network. */
static int finish(struct mch_onnx_graph *g)
{
	int *now = calloc((size_t)g->net->n_layers + 1, sizeof(*now)), *edges_now = NULL;
	const int status = now ? mch_build_prune(g->net, now, &edges_now, g->path, g->err)
			       : mch_err_set(g->err, g->path, "out of memory; use a machine with more");
	for (int i = 0; status == 0 && i < g->n_values; i++)
		if (g->values[i].edge >= 0)
			g->values[i].edge = edges_now[g->values[i].edge];
	free(edges_now);
	free(now);
	return status != 0 ? -1 : mch_build_finish(g->net, g->path, g->err);
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
	    check_supported(g) != 0 || mch_onnx_count_all(g) != 0 || read_initializers(g) != 0 ||
	    read_inputs(g, false) != 0)
		return -1;
	for (size_t i = 0; i < g->proto->n_node; i++) {
		const MchOnnx__NodeProto *node = g->proto->node[i];
		if ((mch_onnx_in_group(g, i) ? mch_onnx_read_group(g, i) : mch_onnx_read_node(g, node)) != 0)
			return -1;
	}
	return read_output(g) != 0 ? -1 : finish(g);
}

/* load->wire is open; it is closed here. */
static int read_model(const char *path, struct mch_onnx_load *load, const struct mch_onnx_options *options,
		      struct mch_net *net, struct mch_err *err)
{
	struct mch_unsupported list = {0};
	struct mch_onnx_graph g = {.path = path, .net = net, .err = err, .wire = &load->wire};
	g.unsupported = options && options->unsupported ? options->unsupported : &list;
	g.n_batch = !(options && options->no_batch);
	struct mch_onnx_quant q = {0};
	int status = mch_onnx_load(load, err);
	if (status == 0)
		status = mch_onnx_quant_strip(&q, path, load->model->graph, &load->wire, err);
	if (status == 0)
		status = read_graph(&g, load->model);
	if (status == 0 && options && options->quant)
		status = mch_onnx_quant_fill(&q, &g, options->quant, err);
	if (status != 0)
		mch_net_free(net);
	mch_onnx_quant_free(&q);
	mch_unsupported_free(&list);
	mch_onnx_graph_free(&g);
	mch_onnx_unload(load);
	return status;
}

int mch_onnx_parse_options(const char *where, const void *bytes, size_t n_bytes,
			   const struct mch_onnx_options *options, struct mch_net *net, struct mch_err *err)
{
	struct mch_onnx_load load;
	mch_net_init(net);
	mch_wire_open_bytes(&load.wire, where, bytes, n_bytes, err);
	return read_model(where, &load, options, net, err);
}

int mch_onnx_parse(const char *where, const void *bytes, size_t n_bytes, struct mch_net *net, struct mch_err *err)
{
	return mch_onnx_parse_options(where, bytes, n_bytes, NULL, net, err);
}

int mch_onnx_read_options(const char *path, const struct mch_onnx_options *options, struct mch_net *net,
			  struct mch_err *err)
{
	struct mch_onnx_load load;
	mch_net_init(net);
	return mch_wire_open(&load.wire, path, err) != 0 ? -1 : read_model(path, &load, options, net, err);
}

int mch_onnx_read(const char *path, struct mch_net *net, struct mch_err *err)
{
	return mch_onnx_read_options(path, NULL, net, err);
}
