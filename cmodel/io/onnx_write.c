/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A network as an ONNX model; see onnx_write.h. The messages of one layer live in one struct, so that nothing but
 * that array and the weights' bytes is allocated. */
#include "io/onnx_write.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/outfile.h"
#include "base/require.h"
#include "io/onnx.pb-c.h"
#include "io/real_text.h"
#include "net/layer.h"

enum {
	IR_VERSION = 8,
	OPSET = 13,
	DATA_FLOAT = 1,
	TYPE_INT = 2,
	TYPE_INTS = 7,
	ATTRIBUTES_MAX = 6,
	NAME_BYTES = 512
};

struct attribute {
	MchOnnx__AttributeProto proto;
	int64_t ints[4];
};

struct node {
	MchOnnx__NodeProto proto;
	char *input[3], *output[1];
	struct attribute attribute[ATTRIBUTES_MAX];
	MchOnnx__AttributeProto *attributes[ATTRIBUTES_MAX];
};

struct tensor {
	MchOnnx__TensorProto proto;
	char name[NAME_BYTES];
	int64_t dims[4];
	uint8_t *raw; /* owned */
};

/* A layer as it is written: perhaps with a Flatten before it. */
struct entry {
	struct node node, flatten;
	char flatten_name[NAME_BYTES];
	struct tensor weights, bias;
};

struct writer {
	const struct mch_net *net;
	int *rank; /* of each edge: 4 is N C H W, 2 is N C */
	struct entry *entries;
	MchOnnx__GraphProto graph;
	MchOnnx__NodeProto **nodes;
	MchOnnx__TensorProto **tensors;
};

static struct attribute *add_attribute(struct node *node, const char *name, int type)
{
	MCH_REQUIRE(node->proto.n_attribute < ATTRIBUTES_MAX, "a node has room for its attributes");
	struct attribute *a = &node->attribute[node->proto.n_attribute];
	mch_onnx__attribute_proto__init(&a->proto);
	a->proto.name = (char *)name;
	a->proto.type = type;
	node->attributes[node->proto.n_attribute++] = &a->proto;
	node->proto.attribute = node->attributes;
	return a;
}

static void add_int(struct node *node, const char *name, int value)
{
	add_attribute(node, name, TYPE_INT)->proto.i = value;
}

static void add_ints(struct node *node, const char *name, size_t n, const int *values)
{
	struct attribute *a = add_attribute(node, name, TYPE_INTS);
	for (size_t i = 0; i < n; i++)
		a->ints[i] = values[i];
	a->proto.ints = a->ints;
	a->proto.n_ints = n;
}

static void start_node(struct node *node, const char *op_type, const char *name, const char *input,
		       const char *output)
{
	mch_onnx__node_proto__init(&node->proto);
	node->proto.op_type = (char *)op_type;
	node->proto.name = (char *)name;
	node->input[0] = (char *)input;
	node->output[0] = (char *)output;
	node->proto.input = node->input;
	node->proto.output = node->output;
	node->proto.n_input = node->proto.n_output = 1;
}

static void put_node(struct writer *w, struct node *node)
{
	w->nodes[w->graph.n_node++] = &node->proto;
}

/* A parameter of the node: a tensor "LAYER.weight", its floats as little-endian bytes. */
static int put_tensor(struct writer *w, struct node *node, struct tensor *t, const char *suffix, const float *values,
		      size_t n, size_t n_dims, const int *dims, struct mch_err *err)
{
	const int used = snprintf(t->name, sizeof(t->name), "%s.%s", node->proto.name, suffix);
	if (used < 0 || (size_t)used >= sizeof(t->name))
		return mch_err_set(err, node->proto.name, "the name is too long for a file; shorten it");
	t->raw = malloc(4 * n);
	if (!t->raw)
		return mch_err_set(err, t->name, "out of memory for %zu values; use a machine with more", n);
	for (size_t i = 0; i < n; i++) {
		uint32_t bits;
		memcpy(&bits, &values[i], sizeof(bits));
		for (size_t b = 0; b < 4; b++)
			t->raw[4 * i + b] = (uint8_t)(bits >> (8 * b));
	}
	mch_onnx__tensor_proto__init(&t->proto);
	for (size_t i = 0; i < n_dims; i++)
		t->dims[i] = dims[i];
	t->proto.dims = t->dims;
	t->proto.n_dims = n_dims;
	t->proto.data_type = DATA_FLOAT;
	t->proto.name = t->name;
	t->proto.raw_data = (ProtobufCBinaryData){4 * n, t->raw};
	w->tensors[w->graph.n_initializer++] = &t->proto;
	node->input[node->proto.n_input++] = t->name;
	return 0;
}

static int put_parameters(struct writer *w, struct entry *e, const struct mch_layer *layer, size_t n_dims,
			  struct mch_err *err)
{
	const struct mch_conv *g = &layer->conv;
	const int dims[] = {g->k, g->c / g->groups, g->r, g->s};
	if (put_tensor(w, &e->node, &e->weights, "weight", layer->weights, layer->n_weights, n_dims, dims, err) != 0)
		return -1;
	return layer->bias ? put_tensor(w, &e->node, &e->bias, "bias", layer->bias, layer->n_bias, 1, dims, err) : 0;
}

static int put_conv(struct writer *w, struct entry *e, const struct mch_layer *layer, struct mch_err *err)
{
	const struct mch_conv *g = &layer->conv;
	add_ints(&e->node, "dilations", 2, (const int[]){g->dilation_h, g->dilation_w});
	add_int(&e->node, "group", g->groups);
	add_ints(&e->node, "kernel_shape", 2, (const int[]){g->r, g->s});
	add_ints(&e->node, "pads", 4, (const int[]){g->pad_top, g->pad_left, g->pad_bottom, g->pad_right});
	add_ints(&e->node, "strides", 2, (const int[]){g->stride_h, g->stride_w});
	put_node(w, &e->node);
	return put_parameters(w, e, layer, 4, err);
}

/* Gemm takes matrices only. The Flatten before it has the layer's name with "/flatten": a reader of ours takes both
 * for the one layer that they are. */
static int put_dense(struct writer *w, struct entry *e, const struct mch_layer *layer, struct mch_err *err)
{
	if (w->rank[layer->in[0]] == 4) {
		const int n = snprintf(e->flatten_name, sizeof(e->flatten_name), "%s/flatten", layer->name);
		if (n < 0 || (size_t)n >= sizeof(e->flatten_name))
			return mch_err_set(err, layer->name, "the name is too long for a file; shorten it");
		start_node(&e->flatten, "Flatten", e->flatten_name, e->node.input[0], e->flatten_name);
		add_int(&e->flatten, "axis", 1);
		put_node(w, &e->flatten);
		e->node.input[0] = e->flatten_name;
	}
	add_int(&e->node, "transB", 1);
	put_node(w, &e->node);
	return put_parameters(w, e, layer, 2, err);
}

static void put_pool(struct writer *w, struct entry *e, const struct mch_layer *layer)
{
	const struct mch_pool *g = &layer->pool;
	add_int(&e->node, "ceil_mode", g->ceil_mode);
	if (layer->kind == MCH_POOL_AVG)
		add_int(&e->node, "count_include_pad", g->count_include_pad);
	if (g->dilation_h != 1 || g->dilation_w != 1)
		add_ints(&e->node, "dilations", 2, (const int[]){g->dilation_h, g->dilation_w});
	add_ints(&e->node, "kernel_shape", 2, (const int[]){g->r, g->s});
	add_ints(&e->node, "pads", 4, (const int[]){g->pad_top, g->pad_left, g->pad_bottom, g->pad_right});
	add_ints(&e->node, "strides", 2, (const int[]){g->stride_h, g->stride_w});
	put_node(w, &e->node);
}

static int put_layer(struct writer *w, int index, struct mch_err *err)
{
	const struct mch_layer *layer = &w->net->layers[index];
	const int in = layer->in[0], out = layer->out[0];
	struct entry *e = &w->entries[index];
	start_node(&e->node, mch_layer_table[layer->kind].onnx_op, layer->name, w->net->edges[in].name,
		   w->net->edges[out].name);
	w->rank[out] = layer->kind == MCH_DENSE || layer->kind == MCH_FLATTEN ? 2 : w->rank[in];
	switch (layer->kind) {
	case MCH_CONV:
	case MCH_POOL_MAX:
	case MCH_POOL_AVG:
		if (w->rank[in] != 4)
			return mch_err_set(err, layer->name,
					   "reads a vector, in ONNX it needs an image; remove the flatten or dense "
					   "layer before it");
		if (layer->kind == MCH_CONV)
			return put_conv(w, e, layer, err);
		put_pool(w, e, layer);
		return 0;
	case MCH_DENSE:
		return put_dense(w, e, layer, err);
	case MCH_FLATTEN:
	case MCH_SOFTMAX:
		add_int(&e->node, "axis", 1);
		break;
	case MCH_RELU:
	case MCH_DROPOUT:
		break;
	default:
		return mch_err_set(err, layer->name, "a layer %s has no ONNX form yet; take it out",
				   mch_layer_table[layer->kind].name);
	}
	put_node(w, &e->node);
	return 0;
}

/* A float tensor with an open batch, as the graph's input or output. */
struct value_info {
	MchOnnx__ValueInfoProto info, *infos[1];
	MchOnnx__TypeProto type;
	MchOnnx__TypeProto__Tensor tensor;
	MchOnnx__TensorShapeProto shape;
	MchOnnx__TensorShapeProto__Dimension dim[4], *dims[4];
};

static void set_value_info(struct value_info *v, const struct mch_edge *edge, int rank)
{
	const int size[] = {0, edge->shape.c, edge->shape.h, edge->shape.w};
	mch_onnx__value_info_proto__init(&v->info);
	mch_onnx__type_proto__init(&v->type);
	mch_onnx__type_proto__tensor__init(&v->tensor);
	mch_onnx__tensor_shape_proto__init(&v->shape);
	for (int i = 0; i < rank; i++) {
		mch_onnx__tensor_shape_proto__dimension__init(&v->dim[i]);
		v->dim[i].value_case = i == 0 ? MCH_ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM
					      : MCH_ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
		if (i == 0)
			v->dim[i].dim_param = "N";
		else
			v->dim[i].dim_value = size[i];
		v->dims[i] = &v->dim[i];
	}
	v->shape.dim = v->dims;
	v->shape.n_dim = (size_t)rank;
	v->tensor.elem_type = DATA_FLOAT;
	v->tensor.shape = &v->shape;
	v->type.value_case = MCH_ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
	v->type.tensor_type = &v->tensor;
	v->info.name = edge->name;
	v->info.type = &v->type;
	v->infos[0] = &v->info;
}

struct sink {
	ProtobufCBuffer base;
	FILE *stream;
};

/* A failed write is remembered by the stream; mch_outfile_commit finds it. */
static void append(ProtobufCBuffer *buffer, size_t n, const uint8_t *bytes)
{
	fwrite(bytes, 1, n, ((struct sink *)buffer)->stream);
}

static int write_model(const char *path, struct writer *w, struct mch_err *err)
{
	struct value_info input, output;
	MchOnnx__ModelProto model = MCH_ONNX__MODEL_PROTO__INIT;
	MchOnnx__OperatorSetIdProto opset = MCH_ONNX__OPERATOR_SET_ID_PROTO__INIT, *opsets[] = {&opset};
	MchOnnx__StringStringEntryProto scale = MCH_ONNX__STRING_STRING_ENTRY_PROTO__INIT, *metadata[] = {&scale};
	char text[32];
	set_value_info(&input, &w->net->edges[w->net->input], 4);
	set_value_info(&output, &w->net->edges[w->net->output], w->rank[w->net->output]);
	w->graph.name = w->net->name && w->net->name[0] ? w->net->name : "network";
	w->graph.node = w->nodes;
	w->graph.initializer = w->tensors;
	w->graph.input = input.infos;
	w->graph.output = output.infos;
	w->graph.n_input = w->graph.n_output = 1;
	opset.version = OPSET;
	scale.key = "macchiato.input_scale";
	scale.value = (char *)mch_real_text(w->net->transform.scale, text);
	model.ir_version = IR_VERSION;
	model.producer_name = "macchiato";
	model.graph = &w->graph;
	model.opset_import = opsets;
	model.metadata_props = metadata;
	model.n_opset_import = model.n_metadata_props = 1;
	if (mch_onnx__model_proto__get_packed_size(&model) > INT_MAX)
		return mch_err_set(err, path,
				   "the model has over 2 GiB, more than such a file can hold; use a smaller network");
	struct mch_outfile file;
	if (mch_outfile_open(&file, path, err) != 0)
		return -1;
	struct sink sink = {{append}, file.stream};
	mch_onnx__model_proto__pack_to_buffer(&model, &sink.base);
	return mch_outfile_commit(&file, err);
}

/* Values are told by their names in ONNX. */
static int check_names(const char *path, const struct mch_net *net, struct mch_err *err)
{
	for (int i = 0; i < net->n_edges; i++)
		for (int j = 0; j < i; j++)
			if (strcmp(net->edges[i].name, net->edges[j].name) == 0)
				return mch_err_set(err, path, "two tensors are named \"%s\"; rename one",
						   net->edges[i].name);
	return 0;
}

int mch_onnx_write(const char *path, const struct mch_net *net, struct mch_err *err)
{
	MCH_REQUIRE(net->input >= 0 && net->output >= 0, "a network is written after mch_net_infer");
	if (mch_net_require_weights(net, err) != 0 || check_names(path, net, err) != 0)
		return -1;
	const size_t n = (size_t)net->n_layers;
	struct writer w = {.net = net, .graph = MCH_ONNX__GRAPH_PROTO__INIT};
	w.rank = calloc((size_t)net->n_edges, sizeof(*w.rank));
	w.entries = calloc(n, sizeof(*w.entries));
	w.nodes = calloc(2 * n, sizeof(*w.nodes));
	w.tensors = calloc(2 * n, sizeof(*w.tensors));
	int status = w.rank && w.entries && w.nodes && w.tensors
			     ? 0
			     : mch_err_set(err, path, "out of memory; use a machine with more");
	if (status == 0)
		w.rank[net->input] = 4;
	for (int i = 0; status == 0 && i < net->n_layers; i++)
		status = put_layer(&w, i, err);
	if (status == 0)
		status = write_model(path, &w, err);
	for (size_t i = 0; w.entries && i < n; i++) {
		free(w.entries[i].weights.raw);
		free(w.entries[i].bias.raw);
	}
	free(w.rank);
	free(w.entries);
	free(w.nodes);
	free(w.tensors);
	return status;
}
