/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* ONNX as other programs write it: operators beside those of our writer, and how the layers must come out. */
#include "check_main.h"

#include <string.h>

#include "io/onnx.pb-c.h"
#include "io/onnx_read.h"

/* A model under construction, all in one struct. */
struct foreign {
	MchOnnx__ModelProto model;
	MchOnnx__GraphProto graph;
	MchOnnx__OperatorSetIdProto opset, *opsets[1];
	MchOnnx__NodeProto node[12], *nodes[12];
	char *names[12][4];
	MchOnnx__AttributeProto attribute[12], *attributes[12];
	MchOnnx__TensorProto tensor[8], *tensors[8];
	MchOnnx__ValueInfoProto value[2], *values[2];
	MchOnnx__TypeProto type;
	MchOnnx__TypeProto__Tensor tensor_type;
	MchOnnx__TensorShapeProto shape;
	MchOnnx__TensorShapeProto__Dimension dim[4], *dims[4];
};

static void foreign_node(struct foreign *f, const char *op, const char *in0, const char *in1, const char *in2,
			 const char *out)
{
	const size_t i = f->graph.n_node++;
	const char *in[] = {in0, in1, in2};
	mch_onnx__node_proto__init(&f->node[i]);
	f->node[i].op_type = (char *)op;
	for (; f->node[i].n_input < 3 && in[f->node[i].n_input]; f->node[i].n_input++)
		f->names[i][f->node[i].n_input] = (char *)in[f->node[i].n_input];
	f->names[i][3] = (char *)out;
	f->node[i].input = f->names[i];
	f->node[i].output = &f->names[i][3];
	f->node[i].n_output = 1;
	f->nodes[i] = &f->node[i];
}

/* An integer or, when text is given, a string for the node added last; one for each node. */
static void foreign_attribute(struct foreign *f, const char *name, int64_t value, char *text)
{
	const size_t i = f->graph.n_node - 1;
	MchOnnx__AttributeProto *a = &f->attribute[i];
	mch_onnx__attribute_proto__init(a);
	a->name = (char *)name;
	a->i = value;
	a->type = text ? 3 : 2;
	a->s = (ProtobufCBinaryData){text ? strlen(text) : 0, (uint8_t *)text};
	f->attributes[i] = a;
	f->node[i].attribute = &f->attributes[i];
	f->node[i].n_attribute = 1;
}

static void foreign_tensor(struct foreign *f, const char *name, size_t n_dims, int64_t *dims, float *values, size_t n)
{
	const size_t i = f->graph.n_initializer++;
	mch_onnx__tensor_proto__init(&f->tensor[i]);
	f->tensor[i].name = (char *)name;
	f->tensor[i].data_type = 1;
	f->tensor[i].dims = dims;
	f->tensor[i].n_dims = n_dims;
	f->tensor[i].float_data = values;
	f->tensor[i].n_float_data = n;
	f->tensors[i] = &f->tensor[i];
}

static void foreign_init(struct foreign *f, const int64_t dims[4])
{
	memset(f, 0, sizeof(*f));
	mch_onnx__model_proto__init(&f->model);
	mch_onnx__graph_proto__init(&f->graph);
	mch_onnx__operator_set_id_proto__init(&f->opset);
	mch_onnx__type_proto__init(&f->type);
	mch_onnx__type_proto__tensor__init(&f->tensor_type);
	mch_onnx__tensor_shape_proto__init(&f->shape);
	for (int i = 0; i < 4; i++) {
		mch_onnx__tensor_shape_proto__dimension__init(&f->dim[i]);
		f->dim[i].value_case = MCH_ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
		f->dim[i].dim_value = dims[i];
		f->dims[i] = &f->dim[i];
	}
	for (int i = 0; i < 2; i++) {
		mch_onnx__value_info_proto__init(&f->value[i]);
		f->values[i] = &f->value[i];
	}
	f->shape.dim = f->dims;
	f->shape.n_dim = 4;
	f->tensor_type.elem_type = 1;
	f->tensor_type.shape = &f->shape;
	f->type.value_case = MCH_ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
	f->type.tensor_type = &f->tensor_type;
	f->value[0].name = "x";
	f->value[0].type = &f->type;
	f->value[1].name = "y";
	f->opset.version = 11;
	f->opsets[0] = &f->opset;
	f->model.opset_import = f->opsets;
	f->model.n_opset_import = 1;
	f->model.graph = &f->graph;
	f->graph.node = f->nodes;
	f->graph.initializer = f->tensors;
	f->graph.input = f->values;
	f->graph.output = f->values + 1;
	f->graph.n_input = f->graph.n_output = 1;
}

/* Packs and reads; 0, or -1 with err. */
static int foreign_read(const struct foreign *f, struct mch_net *net, struct mch_err *err)
{
	uint8_t *packed = malloc(mch_onnx__model_proto__get_packed_size(&f->model));
	ck_assert_ptr_nonnull(packed);
	const size_t n = mch_onnx__model_proto__pack(&f->model, packed);
	const int status = mch_onnx_parse("f.onnx", packed, n, net, err);
	free(packed);
	return status;
}

START_TEST(reads_foreign_forms)
{
	float conv[4 * 3 * 3 * 3], conv_bias[4] = {1, 2, 3, 4}, fc[36 * 2], fc_bias[2] = {5, 6};
	int64_t conv_dims[] = {4, 3, 3, 3}, conv_bias_dims[] = {1, 4, 1, 1}, fc_dims[] = {36, 2},
		fc_bias_dims[] = {2};
	int64_t to[] = {0, -1}, to_dims[] = {2};
	struct foreign f;
	struct mch_net net;
	struct mch_err err = {""};
	for (int i = 0; i < 4 * 27; i++)
		conv[i] = (float)i;
	for (int i = 0; i < 72; i++)
		fc[i] = (float)i;
	foreign_init(&f, (const int64_t[]){2, 3, 9, 10});
	foreign_tensor(&f, "w", 4, conv_dims, conv, 108);
	foreign_tensor(&f, "b", 4, conv_bias_dims, conv_bias, 4);
	foreign_tensor(&f, "w2", 2, fc_dims, fc, 72);
	foreign_tensor(&f, "b2", 1, fc_bias_dims, fc_bias, 2);
	foreign_tensor(&f, "to", 1, to_dims, NULL, 0);
	f.tensor[4].data_type = 7;
	f.tensor[4].int64_data = to;
	f.tensor[4].n_int64_data = 2;
	foreign_node(&f, "Conv", "x", "w", NULL, "c");
	foreign_attribute(&f, "auto_pad", 0, "SAME_UPPER"); /* 9x10 stays 9x10 */
	foreign_node(&f, "Add", "c", "b", NULL, "c2");
	foreign_node(&f, "GlobalMaxPool", "c2", NULL, NULL, "g");
	foreign_node(&f, "Identity", "g", NULL, NULL, "i");
	foreign_node(&f, "Reshape", "i", "to", NULL, "y");
	ck_assert_msg(foreign_read(&f, &net, &err) == 0, "%s", err.text);
	ck_assert_int_eq(net.n_layers, 3);
	ck_assert(net.layers[0].conv.pad_top == 1 && net.layers[0].conv.pad_right == 1);
	ck_assert_mem_eq(net.layers[0].bias, conv_bias, sizeof(conv_bias));
	ck_assert_str_eq(net.edges[net.layers[0].out[0]].name, "c2");
	ck_assert(net.layers[1].kind == MCH_POOL_MAX && net.layers[1].pool.r == 9 && net.layers[1].pool.s == 10);
	ck_assert_int_eq(net.layers[2].kind, MCH_FLATTEN);
	mch_net_free(&net);

	/* x flattened, times w2 (not transposed), plus b2. */
	foreign_init(&f, (const int64_t[]){1, 4, 3, 3});
	foreign_tensor(&f, "w2", 2, fc_dims, fc, 72);
	foreign_tensor(&f, "b2", 1, fc_bias_dims, fc_bias, 2);
	foreign_node(&f, "Flatten", "x", NULL, NULL, "f");
	foreign_node(&f, "MatMul", "f", "w2", NULL, "m");
	foreign_node(&f, "Add", "b2", "m", NULL, "a");
	foreign_node(&f, "Softmax", "a", NULL, NULL, "y");
	ck_assert_msg(foreign_read(&f, &net, &err) == 0, "%s", err.text);
	ck_assert_int_eq(net.n_layers, 3);
	ck_assert(net.layers[1].conv.k == 2 && net.layers[1].conv.c == 36);
	for (int k = 0; k < 2; k++)
		for (int c = 0; c < 36; c++)
			ck_assert(net.layers[1].weights[k * 36 + c] == fc[c * 2 + k]);
	ck_assert_mem_eq(net.layers[1].bias, fc_bias, sizeof(fc_bias));
	mch_net_free(&net);
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {reads_foreign_forms};
	return CHECK_SUITE("onnx_foreign", tests);
}

int main(void)
{
	return check_main(suite);
}
