/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* ONNX operators that make constants: Constant, and the dimensions of a tensor; see onnx_op.h. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "io/build.h"
#include "io/onnx_op.h"

int64_t mch_onnx_count(const struct mch_onnx_op *op, int rank, const int64_t *dims)
{
	int64_t n = 1;
	for (int i = 0; i < rank; i++) {
		if (dims[i] < 0 || dims[i] > MCH_BUILD_CHANNELS_MAX ||
		    n * dims[i] > 4 * (int64_t)MCH_BUILD_CHANNELS_MAX)
			return mch_onnx_err(&op->node, "its result has over %d elements; simplify the model",
					    4 * MCH_BUILD_CHANNELS_MAX);
		n *= dims[i];
	}
	return n;
}

/* The attribute forms of Constant beside a tensor: one number, or a list. */
int mch_onnx_read_constant(const struct mch_onnx_op *op)
{
	const MchOnnx__NodeProto *proto = op->node.proto;
	const MchOnnx__AttributeProto *a = proto->n_attribute == 1 ? proto->attribute[0] : NULL;
	const char *form = a ? a->name : "";
	if (a && strcmp(form, "value") == 0 && a->t)
		return mch_onnx_add_tensor(op->g, proto->output[0], a->t);
	const bool is_int = strcmp(form, "value_int") == 0, is_ints = strcmp(form, "value_ints") == 0,
		   is_float = strcmp(form, "value_float") == 0, is_floats = strcmp(form, "value_floats") == 0;
	if (!is_int && !is_ints && !is_float && !is_floats)
		return mch_onnx_err(
			&op->node,
			"only a constant with one tensor, or of numbers, is supported; simplify the model");
	const size_t n = is_ints ? a->n_ints : is_floats ? a->n_floats : 1;
	struct mch_onnx_constant *c = mch_onnx_constant_new(op, n, is_float || is_floats);
	for (size_t i = 0; c && i < n; i++) {
		if (c->floats)
			c->floats[i] = is_floats ? a->floats[i] : a->f;
		else
			c->ints[i] = is_ints ? a->ints[i] : a->i;
	}
	return c ? mch_onnx_emit_constant(op, c, is_ints || is_floats, (const int64_t[]){(int64_t)n}) : -1;
}

/* The dimensions of anything; an open batch stays open. */
static int read_shape(const struct mch_onnx_op *op, const struct mch_onnx_value *x)
{
	int start, end;
	if (mch_onnx_int(&op->node, "start", INT_MIN, INT_MAX, 0, &start) != 0 ||
	    mch_onnx_int(&op->node, "end", INT_MIN, INT_MAX, INT_MAX, &end) != 0)
		return -1;
	const int64_t range[3] = {start, end, 1};
	int64_t first;
	const int64_t n = mch_onnx_slice(x->rank, range, &first);
	struct mch_onnx_constant *c = mch_onnx_constant_new(op, (size_t)n, false);
	for (int64_t i = 0; c && i < n; i++)
		c->ints[i] = x->dims[first + i];
	return c ? mch_onnx_emit_constant(op, c, 1, &n) : -1;
}

static int read_constant_of_shape(const struct mch_onnx_op *op, const struct mch_onnx_value *v)
{
	const MchOnnx__AttributeProto *a = mch_onnx_find(&op->node, "value");
	const bool is_float = !a || !a->t || mch_onnx_type_is_float(a->t->data_type);
	struct mch_onnx_list dims;
	struct mch_onnx_value fill = {.name = "value", .edge = -1};
	int64_t *ints = NULL;
	float *floats = NULL;
	size_t n_fill = 0;
	if (mch_onnx_list(op, "", v, &dims) != 0)
		return -1;
	const int64_t n = dims.n > MCH_ONNX_RANK_MAX ? -1 : mch_onnx_count(op, dims.n, dims.v);
	if (n < 0)
		return -1;
	if (a && a->t) {
		fill.tensor = a->t;
		fill.type = a->t->data_type;
		if (is_float ? mch_onnx_f32(op, &fill, &floats, &n_fill) : mch_onnx_int64(op, &fill, &ints, &n_fill))
			return -1;
	}
	struct mch_onnx_constant *c = mch_onnx_constant_new(op, (size_t)n, is_float);
	for (int64_t i = 0; c && i < n && n_fill == 1; i++) {
		if (floats)
			c->floats[i] = floats[0];
		else
			c->ints[i] = ints[0];
	}
	free(ints);
	free(floats);
	return c ? mch_onnx_emit_constant(op, c, dims.n, dims.v) : -1;
}

int mch_onnx_read_integers(const struct mch_onnx_op *op)
{
	const char *type = op->node.proto->op_type;
	struct mch_onnx_value x;
	if (mch_onnx_inputs(op, 1, 1, &x) != 0)
		return -1;
	if (strcmp(type, "Shape") == 0)
		return read_shape(op, &x);
	if (strcmp(type, "ConstantOfShape") == 0)
		return read_constant_of_shape(op, &x);
	if (strcmp(type, "Size") != 0)
		return mch_onnx_err(&op->node, "it is supported among constants only; change the model");
	const struct mch_onnx_dims all = {
		x.rank, {x.dims[0], x.dims[1], x.dims[2], x.dims[3], x.dims[4], x.dims[5], x.dims[6], x.dims[7]}};
	if (x.rank > 0 && x.dims[0] == MCH_ONNX_OPEN)
		return mch_onnx_err(&op->node, "it computes with the open batch; export the model with a fixed one");
	struct mch_onnx_constant *c = mch_onnx_constant_new(op, 1, false);
	if (c)
		c->ints[0] = mch_onnx_elems(&all);
	return c ? mch_onnx_emit_constant(op, c, 0, NULL) : -1;
}
