/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What each ONNX operator means to the network; see onnx_op.h. Those with weights are in onnx_weights.c. An attribute
 * or a form that is not known is refused. */
#include <stdio.h>
#include <string.h>

#include "io/build.h"
#include "io/onnx_op.h"

int mch_onnx_inputs(const struct mch_onnx_op *op, size_t n_min, size_t n_max, struct mch_onnx_value *inputs)
{
	const MchOnnx__NodeProto *proto = op->node.proto;
	if (proto->n_input < n_min || proto->n_input > n_max || proto->n_output < 1)
		return mch_onnx_err(&op->node, "%zu inputs and %zu outputs are not supported; export the model again",
				    proto->n_input, proto->n_output);
	for (size_t i = 0; i < n_max; i++) {
		inputs[i] = (struct mch_onnx_value){"", NULL, -1, 0};
		if (i >= proto->n_input || (i >= n_min && proto->input[i][0] == '\0'))
			continue;
		const struct mch_onnx_value *value = mch_onnx_value(op->g, proto->input[i]);
		if (!value)
			return mch_onnx_err(&op->node,
					    "input \"%.64s\" is computed by no earlier node; export the model again",
					    proto->input[i]);
		inputs[i] = *value;
	}
	for (size_t i = 1; i < proto->n_output; i++)
		if (proto->output[i][0] && mch_onnx_count_readers(op->g, proto->output[i]) > 0)
			return mch_onnx_err(&op->node,
					    "its output \"%.64s\" is used, only the first may be; change the model",
					    proto->output[i]);
	return 0;
}

int mch_onnx_require_edge(const struct mch_onnx_op *op, const struct mch_onnx_value *x, int rank)
{
	if (x->tensor)
		return mch_onnx_err(&op->node, "input \"%.64s\" is a constant; simplify the model", x->name);
	if (rank && x->rank != rank)
		return mch_onnx_err(&op->node, "input \"%.64s\" has %d dimensions, %d are expected; %s", x->name,
				    x->rank, rank, rank == 2 ? "put a Flatten before it" : "change the model");
	return 0;
}

int mch_onnx_add_layer(const struct mch_onnx_op *op, enum mch_kind kind, const struct mch_onnx_value *x, int rank)
{
	const MchOnnx__NodeProto *proto = op->node.proto;
	const char *want = mch_onnx_name(proto);
	char name[256];
	int n = snprintf(name, sizeof(name), "%s", want);
	for (int i = 2; n >= 0 && (size_t)n < sizeof(name) && mch_net_find_layer(op->g->net, name) >= 0; i++)
		n = snprintf(name, sizeof(name), "%s_%d", want, i);
	if (n < 1 || (size_t)n >= sizeof(name))
		return mch_onnx_err(&op->node, "its name is empty or has over %zu letters; change it",
				    sizeof(name) - 1);
	const int index = mch_net_add_layer(op->g->net, name, kind, x->edge, proto->output[0], op->g->err);
	if (index < 0 ||
	    mch_onnx_add_value(op->g, proto->output[0], NULL, op->g->net->layers[index].out[0], rank) != 0)
		return -1;
	return index;
}

/* auto_pad SAME: the output has ceil(input / stride) positions; an odd pixel goes to the end, or to the beginning. */
static int pad_same(const struct mch_onnx_op *op, int edge, bool is_lower, struct mch_onnx_window *w)
{
	struct mch_shape in;
	if (mch_build_shape(op->g->net, edge, op->g->path, &in, op->g->err) != 0)
		return -1;
	for (int axis = 0; axis < 2; axis++) {
		const long long size = axis == 0 ? in.h : in.w, stride = w->stride[axis];
		const long long span = (long long)w->dilation[axis] * (w->kernel[axis] - 1) + 1;
		long long total = ((size + stride - 1) / stride - 1) * stride + span - size;
		total = total < 0 ? 0 : total;
		if (total > MCH_BUILD_SIDE_MAX)
			return mch_onnx_err(&op->node, "its padding is over %d; change the layer",
					    MCH_BUILD_SIDE_MAX);
		w->pad[axis] = (int)(is_lower ? (total + 1) / 2 : total / 2);
		w->pad[axis + 2] = (int)total - w->pad[axis];
	}
	return 0;
}

int mch_onnx_window(const struct mch_onnx_op *op, int edge, struct mch_onnx_window *w)
{
	char auto_pad[16];
	if (mch_onnx_ints(&op->node, "strides", 2, 1, MCH_BUILD_SIDE_MAX, 1, w->stride) != 0 ||
	    mch_onnx_ints(&op->node, "dilations", 2, 1, MCH_BUILD_SIDE_MAX, 1, w->dilation) != 0 ||
	    mch_onnx_ints(&op->node, "pads", 4, 0, MCH_BUILD_SIDE_MAX, 0, w->pad) != 0 ||
	    mch_onnx_text(&op->node, "auto_pad", "NOTSET", auto_pad, sizeof(auto_pad)) != 0)
		return -1;
	const bool is_upper = strcmp(auto_pad, "SAME_UPPER") == 0, is_lower = strcmp(auto_pad, "SAME_LOWER") == 0;
	if (is_upper || is_lower)
		return pad_same(op, edge, is_lower, w);
	if (strcmp(auto_pad, "VALID") == 0)
		memset(w->pad, 0, sizeof(w->pad));
	else if (strcmp(auto_pad, "NOTSET") != 0)
		return mch_onnx_err(&op->node, "auto_pad \"%s\" is not known; export the model with pads", auto_pad);
	return 0;
}

static int add_pool(const struct mch_onnx_op *op, const struct mch_onnx_value *x, enum mch_kind kind,
		    const struct mch_pool *pool)
{
	const int index = mch_onnx_add_layer(op, kind, x, 4);
	if (index >= 0)
		op->g->net->layers[index].pool = *pool;
	return index < 0 ? -1 : 0;
}

static int read_pool(const struct mch_onnx_op *op)
{
	struct mch_onnx_value x;
	struct mch_onnx_window w;
	int ceil_mode, count_pad, order;
	const enum mch_kind kind = op->node.proto->op_type[0] == 'M' ? MCH_POOL_MAX : MCH_POOL_AVG;
	if (mch_onnx_inputs(op, 1, 1, &x) != 0 || mch_onnx_require_edge(op, &x, 4) != 0 ||
	    mch_onnx_ints(&op->node, "kernel_shape", 2, 1, MCH_BUILD_SIDE_MAX, 0, w.kernel) != 0 ||
	    mch_onnx_int(&op->node, "ceil_mode", 0, 1, 0, &ceil_mode) != 0 ||
	    mch_onnx_int(&op->node, "count_include_pad", 0, 1, 0, &count_pad) != 0 ||
	    mch_onnx_int(&op->node, "storage_order", 0, 1, 0, &order) != 0 || mch_onnx_window(op, x.edge, &w) != 0)
		return -1;
	if (w.kernel[0] == 0)
		return mch_onnx_err(&op->node, "kernel_shape is missing; export the model again");
	const struct mch_pool pool = {.n = 1,
				      .r = w.kernel[0],
				      .s = w.kernel[1],
				      .stride_h = w.stride[0],
				      .stride_w = w.stride[1],
				      .pad_top = w.pad[0],
				      .pad_left = w.pad[1],
				      .pad_bottom = w.pad[2],
				      .pad_right = w.pad[3],
				      .dilation_h = w.dilation[0],
				      .dilation_w = w.dilation[1],
				      .ceil_mode = ceil_mode != 0,
				      .count_include_pad = count_pad != 0};
	return add_pool(op, &x, kind, &pool);
}

static int read_global_pool(const struct mch_onnx_op *op)
{
	struct mch_onnx_value x;
	struct mch_shape in;
	const enum mch_kind kind =
		strcmp(op->node.proto->op_type, "GlobalMaxPool") == 0 ? MCH_POOL_MAX : MCH_POOL_AVG;
	if (mch_onnx_inputs(op, 1, 1, &x) != 0 || mch_onnx_require_edge(op, &x, 4) != 0 ||
	    mch_build_shape(op->g->net, x.edge, op->g->path, &in, op->g->err) != 0)
		return -1;
	const struct mch_pool pool = {.n = 1, .r = in.h, .s = in.w, .stride_h = 1, .stride_w = 1,
				      .dilation_h = 1, .dilation_w = 1};
	return add_pool(op, &x, kind, &pool);
}

static int read_relu(const struct mch_onnx_op *op)
{
	struct mch_onnx_value x;
	if (mch_onnx_inputs(op, 1, 1, &x) != 0 || mch_onnx_require_edge(op, &x, 0) != 0)
		return -1;
	return mch_onnx_add_layer(op, MCH_RELU, &x, x.rank) < 0 ? -1 : 0;
}

/* ratio and seed matter in training only; the second input is the ratio, the third says "training". */
static int read_dropout(const struct mch_onnx_op *op)
{
	struct mch_onnx_value in[3];
	if (mch_onnx_inputs(op, 1, 3, in) != 0 || mch_onnx_require_edge(op, &in[0], 0) != 0)
		return -1;
	if (in[2].name[0])
		return mch_onnx_err(&op->node, "its training_mode is given; export the model for inference");
	return mch_onnx_add_layer(op, MCH_DROPOUT, &in[0], in[0].rank) < 0 ? -1 : 0;
}

static int read_identity(const struct mch_onnx_op *op)
{
	struct mch_onnx_value x;
	if (mch_onnx_inputs(op, 1, 1, &x) != 0)
		return -1;
	return mch_onnx_add_value(op->g, op->node.proto->output[0], x.tensor, x.edge, x.rank);
}

static int read_constant(const struct mch_onnx_op *op)
{
	const MchOnnx__AttributeProto *value = mch_onnx_find(&op->node, "value");
	if (op->node.proto->n_output != 1 || !value || !value->t)
		return mch_onnx_err(&op->node, "only a constant with one tensor is supported; simplify the model");
	return mch_onnx_add_value(op->g, op->node.proto->output[0], value->t, -1, 0);
}

/* The Flatten that our writer puts before a dense layer is part of that layer, not one of its own. */
static bool is_part_of_dense(const struct mch_onnx_op *op)
{
	const MchOnnx__NodeProto *flatten = op->node.proto;
	if (mch_onnx_count_readers(op->g, flatten->output[0]) != 1)
		return false;
	for (size_t i = 0; i < op->g->proto->n_node; i++) {
		const MchOnnx__NodeProto *gemm = op->g->proto->node[i];
		const size_t n = strlen(gemm->name);
		if (strcmp(gemm->op_type, "Gemm") == 0 && gemm->n_input > 0 && n > 0 &&
		    strcmp(gemm->input[0], flatten->output[0]) == 0)
			return strncmp(flatten->name, gemm->name, n) == 0 &&
			       strcmp(flatten->name + n, "/flatten") == 0;
	}
	return false;
}

static int add_flatten(const struct mch_onnx_op *op, const struct mch_onnx_value *x)
{
	if (is_part_of_dense(op))
		return mch_onnx_add_value(op->g, op->node.proto->output[0], NULL, x->edge, 2);
	return mch_onnx_add_layer(op, MCH_FLATTEN, x, 2) < 0 ? -1 : 0;
}

static int read_flatten(const struct mch_onnx_op *op)
{
	struct mch_onnx_value x;
	int axis;
	if (mch_onnx_inputs(op, 1, 1, &x) != 0 || mch_onnx_require_edge(op, &x, 0) != 0 ||
	    mch_onnx_int(&op->node, "axis", -4, 4, 1, &axis) != 0)
		return -1;
	if (axis != 1 && axis != 1 - x.rank)
		return mch_onnx_err(&op->node, "axis is %d, only 1 is supported; change the layer", axis);
	return add_flatten(op, &x);
}

/* To [batch][all the rest] only: that is a Flatten. */
static int read_reshape(const struct mch_onnx_op *op)
{
	struct mch_onnx_value in[2];
	struct mch_shape s;
	int64_t to[2];
	int zero;
	if (mch_onnx_inputs(op, 2, 2, in) != 0 || mch_onnx_require_edge(op, &in[0], 0) != 0 ||
	    mch_onnx_int(&op->node, "allowzero", 0, 1, 0, &zero) != 0)
		return -1;
	if (!in[1].tensor)
		return mch_onnx_err(&op->node, "its shape \"%.64s\" is no constant; simplify the model", in[1].name);
	if (mch_onnx_tensor_ints(&op->node, in[1].tensor, 2, to) != 0 ||
	    mch_build_shape(op->g->net, in[0].edge, op->g->path, &s, op->g->err) != 0)
		return -1;
	const bool keeps_batch = (to[0] == 0 && !zero) || to[0] == -1 || (to[0] > 0 && to[0] == op->g->batch);
	const bool takes_rest = to[1] == (int64_t)mch_shape_elems(s) || (to[1] == -1 && to[0] != -1);
	if (!keeps_batch || !takes_rest)
		return mch_onnx_err(
			&op->node,
			"a shape of %lld x %lld is not supported, only [batch, all the rest] is; change the "
			"model",
			(long long)to[0], (long long)to[1]);
	return add_flatten(op, &in[0]);
}

static int read_softmax(const struct mch_onnx_op *op)
{
	struct mch_onnx_value x;
	struct mch_shape s;
	int axis;
	if (mch_onnx_inputs(op, 1, 1, &x) != 0 || mch_onnx_require_edge(op, &x, 0) != 0 ||
	    mch_onnx_int(&op->node, "axis", -4, 4, op->g->opset < 13 ? 1 : -1, &axis) != 0 ||
	    mch_build_shape(op->g->net, x.edge, op->g->path, &s, op->g->err) != 0)
		return -1;
	/* Before operator set 13 it ran over all dimensions from axis on, which is the same for one pixel. */
	if ((axis < 0 ? axis + x.rank : axis) != 1 || (op->g->opset < 13 && (s.h > 1 || s.w > 1)))
		return mch_onnx_err(&op->node, "axis is %d, only that of the channels is supported; change the layer",
				    axis);
	return mch_onnx_add_layer(op, MCH_SOFTMAX, &x, x.rank) < 0 ? -1 : 0;
}

/* The attributes are words in one string, a space behind each. */
static const struct row {
	const char *op_type, *attributes;
	int (*read)(const struct mch_onnx_op *op);
} ops[] = {
	{"Add", "", mch_onnx_read_add},
	{"AveragePool", "auto_pad ceil_mode count_include_pad dilations kernel_shape pads strides ", read_pool},
	{"Constant", "value ", read_constant},
	{"Conv", "auto_pad dilations group kernel_shape pads strides ", mch_onnx_read_conv},
	{"Dropout", "ratio seed ", read_dropout},
	{"Flatten", "axis ", read_flatten},
	{"Gemm", "alpha beta transA transB ", mch_onnx_read_gemm},
	{"GlobalAveragePool", "", read_global_pool},
	{"GlobalMaxPool", "", read_global_pool},
	{"Identity", "", read_identity},
	{"MatMul", "", mch_onnx_read_matmul},
	{"MaxPool", "auto_pad ceil_mode dilations kernel_shape pads storage_order strides ", read_pool},
	{"Relu", "", read_relu},
	{"Reshape", "allowzero ", read_reshape},
	{"Softmax", "axis ", read_softmax},
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

int mch_onnx_read_node(struct mch_onnx_graph *g, const MchOnnx__NodeProto *node)
{
	const struct mch_onnx_op op = {g, {g->path, node, g->err, g->wire}};
	const struct row *row = find_row(node);
	return mch_onnx_check_attributes(&op.node, row->attributes) != 0 ? -1 : row->read(&op);
}
