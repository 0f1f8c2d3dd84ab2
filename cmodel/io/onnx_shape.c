/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* ONNX operators that give the same values another shape or order; see onnx_op.h. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/onnx_op.h"

/* The Flatten that our writer puts before a dense layer is part of that layer, not one of its own. */
static bool is_part_of_dense(const struct mch_onnx_op *op)
{
	const MchOnnx__NodeProto *flatten = op->node.proto;
	const struct mch_onnx_readers readers = mch_onnx_readers(op->g, flatten->output[0]);
	if (readers.n != 1 || !readers.node || strcmp(readers.node->op_type, "Gemm") != 0)
		return false;
	const size_t n = strlen(readers.node->name);
	return n > 0 && strncmp(flatten->name, readers.node->name, n) == 0 &&
	       strcmp(flatten->name + n, "/flatten") == 0;
}

/* To [batch][all the rest]. */
static int add_flatten(const struct mch_onnx_op *op, const struct mch_onnx_value *x)
{
	const struct mch_onnx_dims dims = mch_onnx_inner(op, x), flat = {1, {mch_onnx_elems(&dims)}};
	if (is_part_of_dense(op))
		return mch_onnx_emit(op, 0, x->edge, &flat, x->type);
	const int index = mch_onnx_append(op, MCH_FLATTEN, 1, &x->edge);
	const int edge = index < 0 ? -1 : mch_onnx_infer(op, index);
	return edge < 0 ? -1 : mch_onnx_emit(op, 0, edge, &flat, x->type);
}

static int emit_view(const struct mch_onnx_op *op, int edge, const struct mch_onnx_dims *dims, int type)
{
	const struct mch_shape s = mch_onnx_natural(dims);
	edge = mch_onnx_view(op, edge, s.c, s.h, s.w);
	return edge < 0 ? -1 : mch_onnx_emit(op, 0, edge, dims, type);
}

/* The values of x with other dimensions: an edge in their usual image, or the same constant. */
static int emit_shape(const struct mch_onnx_op *op, const struct mch_onnx_value *x, const struct mch_onnx_dims *dims)
{
	struct mch_onnx_value v = *x;
	if (x->edge >= 0)
		return emit_view(op, x->edge, dims, x->type);
	v.name = op->node.proto->output[0];
	v.rank = dims->n;
	memcpy(v.dims, dims->size, sizeof(v.dims));
	return mch_onnx_add_value(op->g, &v);
}

/* Constants have no batch; their elements fit memory. */
static int batch_of(const struct mch_onnx_op *op, const struct mch_onnx_value *x)
{
	return x->edge >= 0 ? op->g->n_batch : 0;
}

int mch_onnx_read_flatten(const struct mch_onnx_op *op)
{
	struct mch_onnx_value x;
	int axis;
	if (mch_onnx_inputs(op, 1, 1, &x) != 0 || mch_onnx_int(&op->node, "axis", -x.rank, x.rank, 1, &axis) != 0)
		return -1;
	axis += axis < 0 ? x.rank : 0;
	if (batch_of(op, &x) == 1 && axis == 1)
		return add_flatten(op, &x);
	if (batch_of(op, &x) == 1)
		return mch_onnx_err(&op->node, "axis is %d, only 1 is supported: images do not mix; change the layer",
				    axis);
	const struct mch_onnx_dims dims = mch_onnx_inner(op, &x);
	const struct mch_onnx_dims to = {2,
					 {mch_onnx_product(&dims, 0, axis), mch_onnx_product(&dims, axis, dims.n)}};
	return emit_shape(op, &x, &to);
}

static int bad_shape(const struct mch_onnx_op *op, const struct mch_onnx_list *to, const char *what)
{
	char text[256] = "";
	size_t used = 0;
	for (int i = 0; i < to->n && used + 24 < sizeof(text); i++) {
		const bool is_open = to->v[i] == MCH_ONNX_OPEN;
		used += (size_t)snprintf(text + used, sizeof(text) - used, is_open ? "%sN" : "%s%lld", i ? ", " : "",
					 (long long)to->v[i]);
	}
	return mch_onnx_err(&op->node, "the shape [%s] does not keep %s; change the model", text, what);
}

/* The shape that is asked for, within one image: zeros keep what was there, one -1 takes the rest. */
static int resolve_shape(const struct mch_onnx_op *op, const struct mch_onnx_value *x, struct mch_onnx_list *to,
			 bool zero_is_zero, struct mch_onnx_dims *out)
{
	const struct mch_onnx_dims dims = mch_onnx_inner(op, x);
	const int n_batch = batch_of(op, x);
	const int64_t all = mch_onnx_elems(&dims);
	int64_t known = 1;
	int open = -1;
	const char *const elems = "the number of elements", *const batch = "the batch as its first dimension";
	if (to->n < n_batch || to->n > MCH_ONNX_RANK_MAX)
		return bad_shape(op, to, n_batch ? batch : elems);
	*out = (struct mch_onnx_dims){.n = to->n - n_batch};
	for (int i = n_batch; i < to->n; i++) {
		int64_t v = to->v[i];
		if (v == 0 && !zero_is_zero && i < x->rank)
			v = x->dims[i];
		if (v == -1 && open < 0)
			open = i - n_batch;
		else if (v < 1 || v > all / known)
			return bad_shape(op, to, elems);
		else
			known *= v;
		out->size[i - n_batch] = v;
	}
	const int64_t first = n_batch ? to->v[0] : 1;
	if (n_batch && !(first == 0 && !zero_is_zero) && first != op->g->batch &&
	    !(first == -1 && open < 0 && known == all))
		return bad_shape(op, to, batch);
	if (open >= 0)
		out->size[open] = all / known;
	return all % known || (open < 0 && known != all) ? bad_shape(op, to, elems) : 0;
}

int mch_onnx_read_reshape(const struct mch_onnx_op *op)
{
	struct mch_onnx_value in[2];
	struct mch_onnx_list to;
	struct mch_onnx_dims dims;
	int zero;
	if (mch_onnx_inputs(op, 1, 2, in) != 0 || mch_onnx_int(&op->node, "allowzero", 0, 1, 0, &zero) != 0)
		return -1;
	if (in[1].edge >= 0)
		return mch_onnx_err(&op->node, "its shape \"%.64s\" is no constant; simplify the model", in[1].name);
	if (mch_onnx_list(op, "shape", &in[1], &to) != 0 || resolve_shape(op, &in[0], &to, zero != 0, &dims) != 0)
		return -1;
	if (batch_of(op, &in[0]) == 1 && dims.n == 1)
		return add_flatten(op, &in[0]);
	return emit_shape(op, &in[0], &dims);
}

int mch_onnx_read_squeeze(const struct mch_onnx_op *op)
{
	struct mch_onnx_value in[2];
	struct mch_onnx_list axes;
	struct mch_onnx_dims out = {.n = 0};
	bool goes[MCH_ONNX_RANK_MAX] = {false};
	int at;
	if (mch_onnx_inputs(op, 1, 2, in) != 0 || mch_onnx_list(op, "axes", &in[1], &axes) != 0)
		return -1;
	const int n_batch = batch_of(op, &in[0]);
	for (int i = 0; i < axes.n; i++) {
		if (mch_onnx_any_axis(op, axes.v[i], in[0].rank, &at) != 0)
			return -1;
		if (at < n_batch)
			return mch_onnx_err(&op->node, "it takes the batch away; export the model with one");
		if (in[0].dims[at] != 1)
			return mch_onnx_err(&op->node,
					    "dimension %d has %lld elements, 1 is expected; export the model again",
					    at, (long long)in[0].dims[at]);
		goes[at] = true;
	}
	for (int i = n_batch; i < in[0].rank; i++)
		if (axes.is_given ? !goes[i] : in[0].dims[i] != 1)
			out.size[out.n++] = in[0].dims[i];
	return emit_shape(op, &in[0], &out);
}

int mch_onnx_read_unsqueeze(const struct mch_onnx_op *op)
{
	struct mch_onnx_value in[2];
	struct mch_onnx_list axes;
	struct mch_onnx_dims out = {.n = 0};
	bool is_new[2 * MCH_ONNX_RANK_MAX] = {false};
	int at;
	if (mch_onnx_inputs(op, 1, 2, in) != 0 || mch_onnx_list(op, "axes", &in[1], &axes) != 0)
		return -1;
	const int n_batch = batch_of(op, &in[0]);
	int from = n_batch;
	const int rank = in[0].rank + axes.n;
	if (rank > MCH_ONNX_RANK_MAX)
		return mch_onnx_err(&op->node,
				    "its output has %d dimensions, at most %d are supported; change the model", rank,
				    MCH_ONNX_RANK_MAX);
	for (int i = 0; i < axes.n; i++) {
		if (mch_onnx_any_axis(op, axes.v[i], rank, &at) != 0)
			return -1;
		if (at < n_batch || is_new[at])
			return mch_onnx_err(&op->node, "axis %d is %s; change the model", at,
					    is_new[at] ? "there twice" : "before the batch");
		is_new[at] = true;
	}
	for (int i = n_batch; i < rank; i++)
		out.size[out.n++] = is_new[i] ? 1 : in[0].dims[from++];
	return emit_shape(op, &in[0], &out);
}

int mch_onnx_read_transpose(const struct mch_onnx_op *op)
{
	struct mch_onnx_value x;
	struct mch_onnx_list perm;
	struct mch_onnx_dims out;
	int order[MCH_ONNX_RANK_MAX], n_batch = op->g->n_batch;
	unsigned seen = 0;
	if (mch_onnx_inputs(op, 1, 1, &x) != 0 || mch_onnx_require_edge(op, &x, 0) != 0 ||
	    mch_onnx_list(op, "perm", NULL, &perm) != 0)
		return -1;
	for (int i = 0; i < x.rank && (!perm.is_given || perm.n == x.rank); i++) {
		const int64_t at = perm.is_given ? perm.v[i] : x.rank - 1 - i;
		if (at < 0 || at >= x.rank)
			break;
		seen |= 1U << at;
		if (i < n_batch && at != i)
			return mch_onnx_err(&op->node, "it moves the batch; change the model");
		if (i >= n_batch)
			order[i - n_batch] = (int)at - n_batch;
	}
	if (seen != (1U << x.rank) - 1)
		return mch_onnx_err(&op->node, "perm is no order of its %d dimensions; export the model again",
				    x.rank);
	const struct mch_onnx_dims dims = mch_onnx_inner(op, &x);
	const int edge = mch_onnx_permute(op, x.edge, &dims, order);
	out.n = dims.n;
	for (int i = 0; i < dims.n; i++)
		out.size[i] = dims.size[order[i]];
	return edge < 0 ? -1 : emit_view(op, edge, &out, x.type);
}

/* DepthToSpace: [block][block][c] (DCR) or [c][block][block] (CRD) channels become pixels; SpaceToDepth the other
 * way. */
int mch_onnx_read_space(const struct mch_onnx_op *op)
{
	const bool to_space = op->node.proto->op_type[0] == 'D';
	struct mch_onnx_value x;
	struct mch_onnx_dims dims;
	int first, block;
	char mode[8];
	if (mch_onnx_inputs(op, 1, 1, &x) != 0 || mch_onnx_image(op, &x, 2, 2, &dims, &first) != 0 ||
	    mch_onnx_int(&op->node, "blocksize", 1, 4096, 0, &block) != 0 ||
	    mch_onnx_text(&op->node, "mode", "DCR", mode, sizeof(mode)) != 0)
		return -1;
	int64_t *c = &dims.size[first], *h = c + 1, *w = c + 2;
	const int64_t square = (int64_t)block * block;
	if (block == 0 || (to_space ? *c % square : *h % block || *w % block))
		return mch_onnx_err(&op->node, "blocksize %d does not divide its input; export the model again",
				    block);
	static const int dcr[] = {2, 3, 0, 4, 1}, crd[] = {0, 3, 1, 4, 2}, depth[] = {2, 4, 0, 1, 3};
	const bool is_crd = strcmp(mode, "CRD") == 0;
	const int64_t side[] = {block, block, *c / square};
	struct mch_onnx_dims parts = {5, {side[is_crd ? 2 : 0], side[1], side[is_crd ? 0 : 2], *h, *w}};
	if (!to_space)
		parts = (struct mch_onnx_dims){5, {*c, *h / block, block, *w / block, block}};
	*c = to_space ? *c / square : *c * square;
	*h = to_space ? *h * block : *h / block;
	*w = to_space ? *w * block : *w / block;
	const int edge = mch_onnx_permute(op, x.edge, &parts, !to_space ? depth : is_crd ? crd : dcr);
	return edge < 0 ? -1 : emit_view(op, edge, &dims, x.type);
}
