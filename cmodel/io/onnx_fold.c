/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Constants of an ONNX graph, and what is computed from constants alone: the small integer graphs in which exporters
 * wrap a Reshape (Shape, Gather, Unsqueeze, Concat), and weights that are turned before use; see onnx_op.h. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/build.h"
#include "io/onnx_op.h"

/* A constant with its elements; one of the two is NULL. */
struct array {
	int rank;
	int64_t dims[MCH_ONNX_RANK_MAX];
	size_t n;
	int64_t *ints; /* owned */
	float *floats;
};

static void array_free(struct array *a)
{
	free(a->ints);
	free(a->floats);
}

static int load(const struct mch_onnx_op *op, const struct mch_onnx_value *v, struct array *a)
{
	const bool is_float = v->constant ? v->constant->floats != NULL : mch_onnx_type_is_float(v->type);
	*a = (struct array){.rank = v->rank};
	memcpy(a->dims, v->dims, sizeof(a->dims));
	return is_float ? mch_onnx_f32(op, v, &a->floats, &a->n) : mch_onnx_int64(op, v, &a->ints, &a->n);
}

static void copy_elem(struct mch_onnx_constant *to, size_t i, const struct array *from, size_t j)
{
	if (to->floats)
		to->floats[i] = from->floats[j];
	else
		to->ints[i] = from->ints[j];
}

static int fold_transpose(const struct mch_onnx_op *op, const struct array *a)
{
	struct mch_onnx_list perm;
	int64_t dims[MCH_ONNX_RANK_MAX], index[MCH_ONNX_RANK_MAX] = {0};
	size_t stride[MCH_ONNX_RANK_MAX], from[MCH_ONNX_RANK_MAX], at = 0;
	unsigned seen = 0;
	if (mch_onnx_list(op, "perm", NULL, &perm) != 0)
		return -1;
	for (int i = a->rank - 1; i >= 0; i--)
		stride[i] = i == a->rank - 1 ? 1 : stride[i + 1] * (size_t)a->dims[i + 1];
	for (int i = 0; i < a->rank; i++) {
		const int64_t j = !perm.is_given ? a->rank - 1 - i : i < perm.n ? perm.v[i] : -1;
		if (j < 0 || j >= a->rank)
			return mch_onnx_err(&op->node,
					    "perm is no order of its %d dimensions; export the model again", a->rank);
		seen |= 1U << j;
		dims[i] = a->dims[j];
		from[i] = stride[j];
	}
	if (seen != (1U << a->rank) - 1)
		return mch_onnx_err(&op->node, "perm is no order of its %d dimensions; export the model again",
				    a->rank);
	struct mch_onnx_constant *c = mch_onnx_constant_new(op, a->n, a->floats != NULL);
	for (size_t i = 0; c && i < a->n; i++) {
		copy_elem(c, i, a, at);
		for (int d = a->rank - 1; d >= 0; d--) {
			at += from[d];
			if (++index[d] < dims[d])
				break;
			index[d] = 0;
			at -= from[d] * (size_t)dims[d];
		}
	}
	return c ? mch_onnx_emit_constant(op, c, a->rank, dims) : -1;
}

/* The elements at[0..n) along an axis of a, in place of which out_dims has other dimensions. */
static int fold_pick(const struct mch_onnx_op *op, const struct array *a, int axis, const int64_t *at, int64_t n,
		     int out_rank, const int64_t *out_dims)
{
	size_t inner = 1, outer = 1;
	for (int i = 0; i < a->rank; i++)
		*(i < axis ? &outer : &inner) *= i == axis ? 1 : (size_t)a->dims[i];
	if (mch_onnx_count(op, out_rank, out_dims) < 0)
		return -1;
	struct mch_onnx_constant *c = mch_onnx_constant_new(op, outer * (size_t)n * inner, a->floats != NULL);
	for (size_t i = 0, to = 0; c && i < outer; i++)
		for (int64_t j = 0; j < n; j++)
			for (size_t k = 0; k < inner; k++)
				copy_elem(c, to++, a, (i * (size_t)a->dims[axis] + (size_t)at[j]) * inner + k);
	return c ? mch_onnx_emit_constant(op, c, out_rank, out_dims) : -1;
}

static int fold_gather(const struct mch_onnx_op *op, const struct array *a, const struct array *index)
{
	int64_t dims[2 * MCH_ONNX_RANK_MAX];
	int v, axis, rank = 0;
	if (mch_onnx_int(&op->node, "axis", -MCH_ONNX_RANK_MAX, MCH_ONNX_RANK_MAX, 0, &v) != 0 ||
	    mch_onnx_any_axis(op, v, a->rank, &axis) != 0)
		return -1;
	if (!index->ints || a->rank - 1 + index->rank > MCH_ONNX_RANK_MAX)
		return mch_onnx_err(
			&op->node,
			"its indexes are no integers, or its output has over %d dimensions; change the model",
			MCH_ONNX_RANK_MAX);
	const int64_t size = a->dims[axis];
	for (size_t i = 0; i < index->n; i++) {
		if (index->ints[i] < -size || index->ints[i] >= size)
			return mch_onnx_err(&op->node,
					    "index %lld is outside of %lld elements; export the model again",
					    (long long)index->ints[i], (long long)size);
		index->ints[i] += index->ints[i] < 0 ? size : 0;
	}
	for (int i = 0; i < a->rank; i++) {
		for (int j = 0; i == axis && j < index->rank; j++)
			dims[rank++] = index->dims[j];
		if (i != axis)
			dims[rank++] = a->dims[i];
	}
	return fold_pick(op, a, axis, index->ints, (int64_t)index->n, rank, dims);
}

/* Along one dimension. */
static int fold_slice(const struct mch_onnx_op *op, const struct array *a, const struct mch_onnx_value *in)
{
	struct mch_onnx_list starts, ends, axes, steps;
	int64_t dims[MCH_ONNX_RANK_MAX], first;
	int axis;
	if (mch_onnx_list(op, "starts", &in[1], &starts) != 0 || mch_onnx_list(op, "ends", &in[2], &ends) != 0 ||
	    mch_onnx_list(op, "axes", &in[3], &axes) != 0 || mch_onnx_list(op, "steps", &in[4], &steps) != 0)
		return -1;
	if (starts.n != 1 || ends.n != 1 || (axes.is_given && axes.n != 1) || (steps.is_given && steps.n != 1))
		return mch_onnx_err(&op->node,
				    "it cuts a constant along %d dimensions, 1 is supported; simplify the model",
				    starts.n);
	const int64_t range[3] = {starts.v[0], ends.v[0], steps.is_given ? steps.v[0] : 1};
	if (range[2] == 0 || range[2] == INT64_MIN || range[0] == MCH_ONNX_OPEN || range[1] == MCH_ONNX_OPEN)
		return mch_onnx_err(&op->node,
				    "its step is 0, or its bounds depend on the batch; export the model again");
	if (mch_onnx_any_axis(op, axes.is_given ? axes.v[0] : 0, a->rank, &axis) != 0)
		return -1;
	memcpy(dims, a->dims, sizeof(dims));
	const int64_t n = dims[axis] = mch_onnx_slice(a->dims[axis], range, &first);
	int64_t *at = malloc(((size_t)n + 1) * sizeof(*at));
	if (!at)
		return mch_onnx_err(&op->node, "out of memory; use a machine with more");
	for (int64_t i = 0; i < n; i++)
		at[i] = first + i * range[2];
	const int status = fold_pick(op, a, axis, at, n, a->rank, dims);
	free(at);
	return status;
}

static int fold_concat(const struct mch_onnx_op *op, int n, const struct array *a)
{
	int64_t dims[MCH_ONNX_RANK_MAX];
	size_t outer = 1, to = 0;
	int v, axis;
	if (mch_onnx_int(&op->node, "axis", -MCH_ONNX_RANK_MAX, MCH_ONNX_RANK_MAX, 1, &v) != 0 ||
	    mch_onnx_any_axis(op, v, a[0].rank, &axis) != 0)
		return -1;
	memcpy(dims, a[0].dims, sizeof(dims));
	dims[axis] = 0;
	for (int i = 0; i < n; i++) {
		bool fits = a[i].rank == a[0].rank && !a[i].ints == !a[0].ints;
		for (int d = 0; fits && d < a[0].rank; d++)
			fits = d == axis || a[i].dims[d] == a[0].dims[d];
		if (!fits)
			return mch_onnx_err(&op->node, "its constants do not fit each other; export the model again");
		dims[axis] += a[i].dims[axis];
	}
	const int64_t n_out = mch_onnx_count(op, a[0].rank, dims);
	struct mch_onnx_constant *c =
		n_out < 0 ? NULL : mch_onnx_constant_new(op, (size_t)n_out, a[0].floats != NULL);
	for (int d = 0; d < axis; d++)
		outer *= (size_t)dims[d];
	for (size_t i = 0; c && i < outer; i++)
		for (int j = 0; j < n; j++)
			for (size_t k = 0; k < a[j].n / outer; k++)
				copy_elem(c, to++, &a[j], i * (a[j].n / outer) + k);
	return c ? mch_onnx_emit_constant(op, c, a[0].rank, dims) : -1;
}

/* Index into a of element i of the result, a side of 1 repeating. */
static size_t repeated_at(const struct array *a, int rank, const int64_t *dims, size_t i)
{
	size_t at = 0, stride = 1;
	for (int d = rank - 1; d >= 0; d--) {
		const size_t index = i % (size_t)dims[d];
		const int mine = d - (rank - a->rank);
		i /= (size_t)dims[d];
		if (mine < 0)
			continue;
		at += a->dims[mine] == 1 ? 0 : index * stride;
		stride *= (size_t)a->dims[mine];
	}
	return at;
}

/* 0, or -1 when there is no such integer. Integer division cuts off, as the standard has it. */
static int compute_int(char type, int64_t a, int64_t b, int64_t *y)
{
	if (a == MCH_ONNX_OPEN || b == MCH_ONNX_OPEN)
		return -1;
	switch (type) {
	case 'A':
		return __builtin_add_overflow(a, b, y) ? -1 : 0;
	case 'S':
		return __builtin_sub_overflow(a, b, y) ? -1 : 0;
	case 'M':
		return __builtin_mul_overflow(a, b, y) ? -1 : 0;
	default:
		if (b == 0 || (a == INT64_MIN && b == -1))
			return -1;
		*y = a / b;
		return 0;
	}
}

static float compute_float(char type, float a, float b)
{
	return type == 'A' ? a + b : type == 'S' ? a - b : type == 'M' ? a * b : a / b;
}

/* Add, Sub, Mul, Div. */
static int fold_arithmetic(const struct mch_onnx_op *op, const struct array *a, const struct array *b)
{
	const char type = op->node.proto->op_type[0];
	const int rank = a->rank > b->rank ? a->rank : b->rank;
	int64_t dims[MCH_ONNX_RANK_MAX];
	bool fits = !a->ints == !b->ints;
	for (int i = 0; i < rank; i++) {
		const int at_a = i - (rank - a->rank), at_b = i - (rank - b->rank);
		const int64_t side_a = at_a < 0 ? 1 : a->dims[at_a], side_b = at_b < 0 ? 1 : b->dims[at_b];
		fits = fits && (side_a == side_b || side_a == 1 || side_b == 1);
		dims[i] = side_a == 1 ? side_b : side_a;
	}
	if (!fits)
		return mch_onnx_err(&op->node, "its constants do not fit each other; export the model again");
	const int64_t n = mch_onnx_count(op, rank, dims);
	struct mch_onnx_constant *c = n < 0 ? NULL : mch_onnx_constant_new(op, (size_t)n, a->floats != NULL);
	for (size_t i = 0; c && i < c->n; i++) {
		const size_t at_a = repeated_at(a, rank, dims, i), at_b = repeated_at(b, rank, dims, i);
		if (c->floats)
			c->floats[i] = compute_float(type, a->floats[at_a], b->floats[at_b]);
		else if (compute_int(type, a->ints[at_a], b->ints[at_b], &c->ints[i]) != 0)
			return mch_onnx_err(
				&op->node,
				"it computes with the open batch, or beyond 64 bits; export the model with a "
				"fixed batch");
	}
	return c ? mch_onnx_emit_constant(op, c, rank, dims) : -1;
}

/* Cast, Floor, Ceil, Neg. Integers that become floats are sizes, small enough. */
static int fold_map(const struct mch_onnx_op *op, const struct array *a)
{
	const char type = op->node.proto->op_type[0];
	int to = a->floats ? MCH_ONNX_FLOAT : MCH_ONNX_INT64;
	if (op->node.proto->op_type[1] == 'a' && mch_onnx_int(&op->node, "to", 0, 64, 0, &to) != 0)
		return -1;
	struct mch_onnx_constant *c = mch_onnx_constant_new(op, a->n, mch_onnx_type_is_float(to));
	for (size_t i = 0; c && i < a->n; i++) {
		const double x = a->floats ? (double)a->floats[i] : (double)a->ints[i];
		const double y = type == 'F'                         ? floor(x)
				 : type == 'N'                       ? -x
				 : op->node.proto->op_type[1] == 'e' ? ceil(x)
								     : x;
		const bool is_open = a->ints && a->ints[i] == MCH_ONNX_OPEN;
		if (c->floats && !is_open)
			c->floats[i] = (float)y;
		else if (c->ints && a->ints && type != 'N')
			c->ints[i] = a->ints[i];
		else if (c->ints && !is_open && fabs(y) < 9e18)
			c->ints[i] = (int64_t)y;
		else
			return mch_onnx_err(
				&op->node,
				"it computes with the open batch, or beyond 64 bits; export the model with a "
				"fixed batch");
	}
	return c ? mch_onnx_emit_constant(op, c, a->rank, a->dims) : -1;
}

static int fold_loaded(const struct mch_onnx_op *op, int n, const struct array *a, const struct mch_onnx_value *in)
{
	const char *type = op->node.proto->op_type;
	if (strcmp(type, "Transpose") == 0)
		return fold_transpose(op, &a[0]);
	if (strcmp(type, "Gather") == 0 && n == 2)
		return fold_gather(op, &a[0], &a[1]);
	if (strcmp(type, "Slice") == 0)
		return fold_slice(op, &a[0], in);
	if (strcmp(type, "Concat") == 0)
		return fold_concat(op, n, a);
	if (strlen(type) == 3 && strchr("ASMD", type[0]) && n == 2)
		return fold_arithmetic(op, &a[0], &a[1]);
	return fold_map(op, &a[0]);
}

int mch_onnx_fold(const struct mch_onnx_op *op)
{
	static const char *const types[] = {"Add",    "Cast", "Ceil", "Concat", "Div", "Floor",
					    "Gather", "Mul",  "Neg",  "Slice",  "Sub", "Transpose"};
	enum { MANY = 64 };
	struct mch_onnx_value in[MANY];
	struct array a[MANY];
	const size_t n = op->node.proto->n_input;
	bool is_mine = false;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		is_mine = is_mine || strcmp(op->node.proto->op_type, types[i]) == 0;
	if (!is_mine || n < 1 || n > MANY)
		return 0;
	for (size_t i = n; i < MANY; i++) /* left out, as far as anybody looks */
		in[i] = (struct mch_onnx_value){.name = "", .edge = -1};
	if (mch_onnx_inputs(op, n, n, in) != 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (!mch_onnx_is_constant(&in[i]))
			return 0;
	memset(a, 0, sizeof(a));
	int status = 0;
	for (size_t i = 0; status == 0 && i < n; i++)
		status = load(op, &in[i], &a[i]);
	if (status == 0)
		status = fold_loaded(op, (int)n, a, in);
	for (size_t i = 0; i < n; i++)
		array_free(&a[i]);
	return status == 0 ? 1 : -1;
}
