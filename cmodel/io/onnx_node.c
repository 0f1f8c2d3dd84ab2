/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The table of ONNX operators; what each means to the network is in onnx_<topic>.c. An attribute or a form that is
 * not known is refused. */
#include <string.h>

#include "io/onnx_op.h"

/* The attributes are words in one string, a space behind each. */
static const struct row {
	const char *op_type, *attributes;
	int (*read)(const struct mch_onnx_op *op);
	bool takes_integers; /* moves or compares values, which are floats here: exact below 2^24. Else integers are
				refused. */
	bool has_outputs;    /* all outputs are usable, not only the first */
} ops[] = {
	{"Add", "axis broadcast ", mch_onnx_read_binary, false, false},
	{"AveragePool", "auto_pad ceil_mode count_include_pad dilations kernel_shape pads strides ",
	 mch_onnx_read_pool, false, false},
	{"BatchNormalization", "epsilon is_test momentum spatial training_mode ", mch_onnx_read_batch_norm, false,
	 false},
	{"Cast", "to saturate ", mch_onnx_read_cast, true, false},
	{"Ceil", "", mch_onnx_read_integers, false, false},
	{"Clip", "max min ", mch_onnx_read_clip, true, false},
	{"Concat", "axis ", mch_onnx_read_concat, true, false},
	{"Constant", "value value_float value_floats value_int value_ints ", mch_onnx_read_constant, true, false},
	{"ConstantOfShape", "value ", mch_onnx_read_integers, true, false},
	{"Conv", "auto_pad dilations group kernel_shape pads strides ", mch_onnx_read_conv, false, false},
	{"ConvTranspose", "auto_pad dilations group kernel_shape output_padding output_shape pads strides ",
	 mch_onnx_read_deconv, false, false},
	{"DepthToSpace", "blocksize mode ", mch_onnx_read_space, true, false},
	{"Div", "axis broadcast ", mch_onnx_read_binary, false, false},
	{"Dropout", "is_test ratio seed ", mch_onnx_read_dropout, true, false},
	{"Expand", "", mch_onnx_read_repeat, true, false},
	{"Flatten", "axis ", mch_onnx_read_flatten, true, false},
	{"Floor", "", mch_onnx_read_integers, false, false},
	{"Gather", "axis ", mch_onnx_read_gather, true, false},
	{"Gemm", "alpha beta broadcast transA transB ", mch_onnx_read_gemm, false, false},
	{"GlobalAveragePool", "", mch_onnx_read_global_pool, false, false},
	{"GlobalMaxPool", "", mch_onnx_read_global_pool, true, false},
	{"HardSigmoid", "alpha beta ", mch_onnx_read_composed, false, false},
	{"HardSwish", "", mch_onnx_read_composed, false, false},
	{"Identity", "", mch_onnx_read_identity, true, false},
	{"LRN", "alpha beta bias size ", mch_onnx_read_lrn, false, false},
	{"LeakyRelu", "alpha ", mch_onnx_read_map, false, false},
	{"LogSoftmax", "axis ", mch_onnx_read_softmax, false, false},
	{"MatMul", "", mch_onnx_read_matmul, false, false},
	{"Max", "", mch_onnx_read_variadic, true, false},
	{"MaxPool", "auto_pad ceil_mode dilations kernel_shape pads storage_order strides ", mch_onnx_read_pool, true,
	 false},
	{"Mean", "", mch_onnx_read_variadic, false, false},
	{"Min", "", mch_onnx_read_variadic, true, false},
	{"Mul", "axis broadcast ", mch_onnx_read_binary, false, false},
	{"Neg", "", mch_onnx_read_composed, false, false},
	{"PRelu", "", mch_onnx_read_prelu, false, false},
	{"Pad", "mode paddings pads value ", mch_onnx_read_pad, true, false},
	{"ReduceMax", "axes keepdims noop_with_empty_axes ", mch_onnx_read_reduce, true, false},
	{"ReduceMean", "axes keepdims noop_with_empty_axes ", mch_onnx_read_reduce, false, false},
	{"ReduceSum", "axes keepdims noop_with_empty_axes ", mch_onnx_read_reduce, false, false},
	{"Relu", "", mch_onnx_read_map, true, false},
	{"Reshape", "allowzero shape ", mch_onnx_read_reshape, true, false},
	{"Resize",
	 "antialias axes coordinate_transformation_mode cubic_coeff_a exclude_outside extrapolation_value "
	 "keep_aspect_ratio_policy mode nearest_mode ",
	 mch_onnx_read_resize, true, false},
	{"Shape", "end start ", mch_onnx_read_integers, true, false},
	{"Sigmoid", "", mch_onnx_read_map, false, false},
	{"Size", "", mch_onnx_read_integers, true, false},
	{"Slice", "axes ends starts ", mch_onnx_read_slice, true, false},
	{"Softmax", "axis ", mch_onnx_read_softmax, false, false},
	{"SpaceToDepth", "blocksize ", mch_onnx_read_space, true, false},
	{"Split", "axis num_outputs split ", mch_onnx_read_split, true, true},
	{"Squeeze", "axes ", mch_onnx_read_squeeze, true, false},
	{"Sub", "axis broadcast ", mch_onnx_read_binary, false, false},
	{"Sum", "", mch_onnx_read_variadic, false, false},
	{"Tanh", "", mch_onnx_read_map, false, false},
	{"Tile", "", mch_onnx_read_repeat, true, false},
	{"Transpose", "perm ", mch_onnx_read_transpose, true, false},
	{"Unsqueeze", "axes ", mch_onnx_read_unsqueeze, true, false},
	{"Upsample", "mode scales ", mch_onnx_read_resize, true, false},
};

static const struct row *find_row(const MchOnnx__NodeProto *node)
{
	if (node->domain[0] && strcmp(node->domain, "ai.onnx") != 0)
		return NULL;
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (strcmp(node->op_type, ops[i].op_type) == 0)
			return &ops[i];
	return NULL;
}

bool mch_onnx_is_known(const MchOnnx__NodeProto *node)
{
	return find_row(node) != NULL;
}

/* What no reader of a single operator has to think of. */
static int check_node(const struct mch_onnx_op *op, const struct row *row)
{
	const MchOnnx__NodeProto *proto = op->node.proto;
	if (mch_onnx_check_attributes(&op->node, row->attributes) != 0)
		return -1;
	for (size_t i = 1; i < proto->n_output && !row->has_outputs; i++)
		if (proto->output[i][0] && mch_onnx_readers(op->g, proto->output[i]).n > 0)
			return mch_onnx_err(&op->node,
					    "its output \"%.64s\" is used, only the first may be; change the model",
					    proto->output[i]);
	for (size_t i = 0; i < proto->n_input && !row->takes_integers; i++) {
		const struct mch_onnx_value *x = mch_onnx_value(op->g, proto->input[i]);
		if (x && x->edge >= 0 && !mch_onnx_type_is_float(x->type))
			return mch_onnx_err(
				&op->node,
				"input \"%.64s\" is of type %s, the arithmetic of integers is not supported; put "
				"a Cast before it",
				x->name, mch_onnx_type_name(x->type));
	}
	return 0;
}

int mch_onnx_read_node(struct mch_onnx_graph *g, const MchOnnx__NodeProto *node)
{
	const struct mch_onnx_op op = {g, {g->path, node, g->err, g->wire}, g->net->n_layers};
	const struct row *row = find_row(node);
	if (node->n_output == 0)
		return mch_onnx_err(&op.node, "it has no output; export the model again");
	if (check_node(&op, row) != 0)
		return -1;
	const int folded = mch_onnx_fold(&op);
	return folded < 0 ? -1 : folded ? 0 : row->read(&op);
}
