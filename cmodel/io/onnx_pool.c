/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* ONNX pools, and means over dimensions, which are pools too; see onnx_op.h. */
#include <limits.h>
#include <string.h>

#include "io/build.h"
#include "io/onnx_broadcast.h"
#include "io/onnx_op.h"

/* A pool of the image [c][h][w]; the edge that it writes. */
static int add_pool(const struct mch_onnx_op *op, int x, enum mch_kind kind, const struct mch_pool *pool)
{
	const int index = mch_onnx_append(op, kind, 1, &x);
	if (index < 0)
		return -1;
	op->g->net->layers[index].pool = *pool;
	return mch_onnx_infer(op, index);
}

/* One window over all. */
static struct mch_pool whole(int r, int s)
{
	return (struct mch_pool){
		.n = 1, .r = r, .s = s, .stride_h = 1, .stride_w = 1, .dilation_h = 1, .dilation_w = 1};
}

/* The image of [c][w] or [c][h][w], behind `first`. */
static int view_image(const struct mch_onnx_op *op, int edge, const struct mch_onnx_dims *dims, int first,
		      int size[2])
{
	const int n_axes = dims->n - first - 1;
	size[0] = n_axes == 2 ? (int)dims->size[first + 1] : 1;
	size[1] = (int)dims->size[dims->n - 1];
	return mch_onnx_view(op, edge, dims->size[first], size[0], size[1]);
}

static int emit_image(const struct mch_onnx_op *op, int edge, struct mch_onnx_dims *dims, int first, int type)
{
	const struct mch_shape s = op->g->net->edges[edge].shape;
	dims->size[first] = s.c;
	if (dims->n - first == 3)
		dims->size[first + 1] = s.h;
	dims->size[dims->n - 1] = s.w;
	return mch_onnx_emit(op, 0, edge, dims, type);
}

int mch_onnx_read_pool(const struct mch_onnx_op *op)
{
	struct mch_onnx_value x;
	struct mch_onnx_dims dims;
	struct mch_onnx_window w;
	int first, ceil_mode, count_pad, order, size[2];
	const enum mch_kind kind = op->node.proto->op_type[0] == 'M' ? MCH_POOL_MAX : MCH_POOL_AVG;
	if (mch_onnx_inputs(op, 1, 1, &x) != 0 || mch_onnx_image(op, &x, 1, 2, &dims, &first) != 0 ||
	    mch_onnx_int(&op->node, "ceil_mode", 0, 1, 0, &ceil_mode) != 0 ||
	    mch_onnx_int(&op->node, "count_include_pad", 0, 1, 0, &count_pad) != 0 ||
	    mch_onnx_int(&op->node, "storage_order", 0, 1, 0, &order) != 0 ||
	    mch_onnx_kernel(op, dims.n - first - 1, &w) != 0)
		return -1;
	if (w.kernel[0] == 0)
		return mch_onnx_err(&op->node, "kernel_shape is missing; export the model again");
	const int edge = view_image(op, x.edge, &dims, first, size);
	if (edge < 0 || mch_onnx_window(op, dims.n - first - 1, size, &w) != 0)
		return -1;
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
	const int out = add_pool(op, edge, kind, &pool);
	return out < 0 ? -1 : emit_image(op, out, &dims, first, x.type);
}

/* The whole of each channel, which may have any number of dimensions. */
int mch_onnx_read_global_pool(const struct mch_onnx_op *op)
{
	struct mch_onnx_value x;
	struct mch_onnx_dims dims;
	int first, edge;
	const enum mch_kind kind =
		strcmp(op->node.proto->op_type, "GlobalMaxPool") == 0 ? MCH_POOL_MAX : MCH_POOL_AVG;
	if (mch_onnx_inputs(op, 1, 1, &x) != 0 ||
	    mch_onnx_image(op, &x, 1, MCH_ONNX_RANK_MAX - 2, &dims, &first) != 0)
		return -1;
	const int64_t c = dims.size[first], pixels = mch_onnx_elems(&dims) / c;
	const int64_t w = dims.size[dims.n - 1];
	edge = mch_onnx_view(op, x.edge, c, pixels / w, w);
	if (edge < 0)
		return -1;
	const struct mch_pool pool = whole((int)(pixels / w), (int)w);
	edge = add_pool(op, edge, kind, &pool);
	for (int i = first + 1; i < dims.n; i++)
		dims.size[i] = 1;
	return edge < 0 ? -1 : mch_onnx_emit(op, 0, edge, &dims, x.type);
}

/* Dimensions [from, to) become 1: the pool of [outer][these][inner], or of both axes of an image. */
static int reduce_run(const struct mch_onnx_op *op, int edge, enum mch_kind kind, struct mch_onnx_dims *dims,
		      int from, int to)
{
	int64_t c = mch_onnx_product(dims, 0, from), h = mch_onnx_product(dims, from, to),
		w = mch_onnx_product(dims, to, dims->n);
	const bool has_both = to == dims->n;
	if (has_both) {
		w = dims->size[dims->n - 1];
		h /= w;
	}
	const struct mch_pool pool = whole((int)h, has_both ? (int)w : 1);
	edge = mch_onnx_view(op, edge, c, h, w);
	for (int i = from; i < to; i++)
		dims->size[i] = 1;
	return edge < 0 ? -1 : add_pool(op, edge, kind, &pool);
}

static int read_reduced_axes(const struct mch_onnx_op *op, const struct mch_onnx_value *x,
			     const struct mch_onnx_value *axes, bool *is_reduced)
{
	struct mch_onnx_list list;
	int index, noop;
	if (mch_onnx_list(op, "axes", axes, &list) != 0 ||
	    mch_onnx_int(&op->node, "noop_with_empty_axes", 0, 1, 0, &noop) != 0)
		return -1;
	memset(is_reduced, list.n == 0 && !noop, MCH_ONNX_RANK_MAX * sizeof(*is_reduced));
	for (int i = 0; i < list.n; i++) {
		if (mch_onnx_any_axis(op, list.v[i], x->rank, &index) != 0)
			return -1;
		is_reduced[index] = true;
	}
	if (op->g->n_batch && is_reduced[0])
		return mch_onnx_err(&op->node,
				    "it reduces the batch: images do not mix; give it the axes of one image");
	return 0;
}

/* ReduceMean, ReduceMax, ReduceSum. Means of means are the mean: all parts are of one size; a sum is so many means.
 */
int mch_onnx_read_reduce(const struct mch_onnx_op *op)
{
	struct mch_onnx_value in[2];
	bool is_reduced[MCH_ONNX_RANK_MAX];
	int keep;
	const enum mch_kind kind = strcmp(op->node.proto->op_type, "ReduceMax") == 0 ? MCH_POOL_MAX : MCH_POOL_AVG;
	if (mch_onnx_inputs(op, 1, 2, in) != 0 || mch_onnx_require_edge(op, &in[0], 0) != 0 ||
	    read_reduced_axes(op, &in[0], &in[1], is_reduced) != 0 ||
	    mch_onnx_int(&op->node, "keepdims", 0, 1, 1, &keep) != 0)
		return -1;
	const bool *reduced = is_reduced + op->g->n_batch;
	struct mch_onnx_dims dims = mch_onnx_inner(op, &in[0]), out = {.n = 0};
	const int64_t n_before = mch_onnx_elems(&dims);
	int edge = in[0].edge;
	for (int from = 0, to = 0; from < dims.n && edge >= 0; from = to + 1) {
		for (to = from; to < dims.n && reduced[to];)
			to++;
		if (to > from)
			edge = reduce_run(op, edge, kind, &dims, from, to);
	}
	if (edge >= 0 && strcmp(op->node.proto->op_type, "ReduceSum") == 0)
		edge = mch_onnx_affine(op, edge, (double)(n_before / mch_onnx_elems(&dims)), 0);
	for (int i = 0; i < dims.n; i++)
		if (keep || !reduced[i])
			out.size[out.n++] = dims.size[i];
	return edge < 0 ? -1 : mch_onnx_emit(op, 0, edge, &out, in[0].type);
}
