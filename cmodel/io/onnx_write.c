/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A network as an ONNX model; see onnx_write.h. What layers become is in onnx_write_layer.c. */
#include "io/onnx_write.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/outfile.h"
#include "base/require.h"
#include "io/file.h"
#include "io/onnx_emit.h"
#include "io/onnx_metadata.h"

enum { OPSET = 13, DATA_FLOAT = 1, EXTERNAL_BYTES = 1024 };

/* A float tensor with an open batch, as an input or output of the graph. NULL when memory is short. */
static MchOnnx__ValueInfoProto *value_info(struct mch_emit *e, int edge)
{
	const struct mch_shape s = e->net->edges[edge].shape;
	const int size[] = {0, s.c, s.h, s.w}, rank = e->rank[edge];
	MchOnnx__ValueInfoProto *info = mch_emit_room(e, sizeof(*info));
	MchOnnx__TypeProto *type = mch_emit_room(e, sizeof(*type));
	MchOnnx__TypeProto__Tensor *tensor = mch_emit_room(e, sizeof(*tensor));
	MchOnnx__TensorShapeProto *shape = mch_emit_room(e, sizeof(*shape));
	MchOnnx__TensorShapeProto__Dimension *dim = mch_emit_room(e, 4 * sizeof(*dim)), **dims;
	dims = mch_emit_room(e, 4 * sizeof(*dims));
	if (!info || !type || !tensor || !shape || !dim || !dims)
		return NULL;
	mch_onnx__value_info_proto__init(info);
	mch_onnx__type_proto__init(type);
	mch_onnx__type_proto__tensor__init(tensor);
	mch_onnx__tensor_shape_proto__init(shape);
	for (int i = 0; i < rank; i++) {
		mch_onnx__tensor_shape_proto__dimension__init(&dim[i]);
		dim[i].value_case = i == 0 ? MCH_ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM
					   : MCH_ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
		if (i == 0)
			dim[i].dim_param = "N";
		else
			dim[i].dim_value = size[i];
		dims[i] = &dim[i];
	}
	shape->dim = dims;
	shape->n_dim = (size_t)rank;
	tensor->elem_type = DATA_FLOAT;
	tensor->shape = shape;
	type->value_case = MCH_ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
	type->tensor_type = tensor;
	info->name = e->net->edges[edge].name;
	info->type = type;
	return info;
}

/* The edges that no layer writes are the inputs. */
static void put_interface(struct mch_emit *e)
{
	const int n_inputs = mch_net_n_inputs(e->net);
	MchOnnx__ValueInfoProto **list = mch_emit_room(e, (size_t)(n_inputs + 1) * sizeof(*list));
	size_t n = 0;
	for (int edge = 0; list && edge < e->net->n_edges; edge++)
		if (e->net->edges[edge].producer < 0)
			list[n++] = value_info(e, edge);
	if (!list)
		return;
	list[n] = value_info(e, e->net->output);
	e->graph.input = list;
	e->graph.n_input = n;
	e->graph.output = list + n;
	e->graph.n_output = 1;
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

static void put_external(struct mch_emit *e, MchOnnx__TensorProto *t, const char *location, uint64_t at)
{
	static const char *const keys[] = {"location", "offset", "length"};
	const uint64_t numbers[] = {0, at, t->raw_data.len};
	MchOnnx__StringStringEntryProto **list = mch_emit_room(e, 3 * sizeof(*list));
	for (int i = 0; list && i < 3; i++) {
		char *text = mch_emit_room(e, 24);
		list[i] = mch_emit_room(e, sizeof(*list[i]));
		if (!list[i] || !text)
			return;
		snprintf(text, 24, "%" PRIu64, numbers[i]);
		mch_onnx__string_string_entry_proto__init(list[i]);
		list[i]->key = (char *)keys[i];
		list[i]->value = i == 0 ? (char *)location : text;
	}
	t->external_data = list;
	t->n_external_data = list ? 3 : 0;
	t->data_location = 1;
}

/* Large tensors go into PATH.data, one behind the other. That file comes first: a model that is there is whole. */
static int move_data(const char *path, struct mch_emit *e, struct mch_err *err)
{
	const size_t room = strlen(path) + sizeof(".data");
	char *data = mch_emit_room(e, room);
	struct mch_outfile file;
	uint64_t at = 0;
	if (strcmp(path, "-") == 0)
		return mch_err_set(err, "standard output",
				   "the model has over 2 GiB and needs a second file for its weights; "
				   "give a file name");
	if (!data)
		return mch_err_set(err, path, "out of memory; use a machine with more");
	snprintf(data, room, "%s.data", path);
	if (mch_outfile_open(&file, data, err) != 0)
		return -1;
	for (size_t i = 0; i < e->graph.n_initializer; i++) {
		MchOnnx__TensorProto *t = e->graph.initializer[i];
		if (t->raw_data.len <= EXTERNAL_BYTES)
			continue;
		put_external(e, t, mch_file_name(data), at);
		at += fwrite(t->raw_data.data, 1, t->raw_data.len, file.stream);
		t->raw_data.len = 0;
	}
	if (!e->failed)
		return mch_outfile_commit(&file, err);
	mch_outfile_abandon(&file);
	return mch_err_set(err, path, "out of memory; use a machine with more");
}

static int write_model(const char *path, struct mch_emit *e, size_t limit_bytes, struct mch_err *err)
{
	MchOnnx__ModelProto model = MCH_ONNX__MODEL_PROTO__INIT;
	MchOnnx__OperatorSetIdProto opset = MCH_ONNX__OPERATOR_SET_ID_PROTO__INIT, *opsets[] = {&opset};
	put_interface(e);
	mch_onnx_put_metadata(e, &model);
	if (e->failed)
		return mch_err_set(err, path, "out of memory; use a machine with more");
	e->graph.name = e->net->name && e->net->name[0] ? e->net->name : "network";
	opset.version = e->opset;
	model.ir_version = e->opset >= 19 ? 9 : 8; /* the one that came with such operators */
	model.producer_name = "macchiato";
	model.graph = &e->graph;
	model.opset_import = opsets;
	model.n_opset_import = 1;
	if (mch_onnx__model_proto__get_packed_size(&model) > limit_bytes && move_data(path, e, err) != 0)
		return -1;
	if (mch_onnx__model_proto__get_packed_size(&model) > limit_bytes)
		return mch_err_set(err, path,
				   "over %zu bytes without its weights, more than such a file can hold; use a "
				   "smaller network",
				   limit_bytes);
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
	return mch_onnx_write_limited(path, net, INT_MAX, err); /* protobuf's own limit */
}

int mch_onnx_write_limited(const char *path, const struct mch_net *net, size_t limit_bytes, struct mch_err *err)
{
	MCH_REQUIRE(net->input >= 0 && net->output >= 0, "a network is written after mch_net_infer");
	if (mch_net_require_weights(net, err) != 0 || check_names(path, net, err) != 0)
		return -1;
	struct mch_emit e = {.net = net, .graph = MCH_ONNX__GRAPH_PROTO__INIT, .opset = OPSET};
	e.rank = calloc((unsigned)net->n_edges, sizeof(*e.rank));
	int status = e.rank ? 0 : mch_err_set(err, path, "out of memory; use a machine with more");
	for (int edge = 0; status == 0 && edge < net->n_edges; edge++)
		e.rank[edge] = net->edges[edge].producer < 0 ? 4 : 0;
	for (int i = 0; status == 0 && i < net->n_layers; i++) {
		e.layer = &net->layers[i];
		status = mch_emit_layer(&e, err);
	}
	if (status == 0)
		status = write_model(path, &e, limit_bytes, err);
	mch_emit_free(&e);
	return status;
}
