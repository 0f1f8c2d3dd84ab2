/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* ONNX operators that make tensors larger: Concat, Tile, Expand; see onnx_op.h. */
#include <limits.h>
#include <stdlib.h>

#include "io/onnx_op.h"

/* All inputs have the first one's dimensions, but for the axis. */
static int check_inputs(const struct mch_onnx_op *op, int n, const struct mch_onnx_value *in, int axis)
{
	for (int i = 0; i < n; i++) {
		bool fits = in[i].rank == in[0].rank;
		for (int d = 0; fits && d < in[0].rank; d++)
			fits = d == axis + op->g->n_batch ? in[i].dims[d] > 0
			       : d < op->g->n_batch       ? in[i].edge >= 0 || in[i].dims[d] == 1
							  : in[i].dims[d] == in[0].dims[d];
		if (!fits)
			return mch_onnx_err(
				&op->node, "input \"%.64s\" does not fit \"%.64s\" beside the axis; change the model",
				in[i].name, in[0].name);
	}
	return 0;
}

/* Behind the batch, which constants have here too. */
static struct mch_onnx_dims inner(const struct mch_onnx_op *op, const struct mch_onnx_value *x)
{
	struct mch_onnx_value v = *x;
	v.edge = 0;
	return mch_onnx_inner(op, &v);
}

/* Images whose axis is one of c, h, w stay as they are; else [before][axis][behind]. */
static int add_concat(const struct mch_onnx_op *op, int n, const struct mch_onnx_value *in, int axis, int *edges,
		      struct mch_onnx_dims *out)
{
	int64_t sum = 0;
	int of_image = 0;
	for (int i = 0; i < n; i++) {
		struct mch_onnx_dims dims = inner(op, &in[i]);
		const struct mch_shape s = mch_onnx_natural(&dims);
		of_image = mch_onnx_natural_axis(&dims, axis);
		sum += dims.size[axis];
		if (of_image)
			edges[i] = mch_onnx_to_edge(op, &in[i], s.c, s.h, s.w);
		else
			edges[i] = mch_onnx_to_edge(op, &in[i], mch_onnx_product(&dims, 0, axis), dims.size[axis],
						    mch_onnx_product(&dims, axis + 1, dims.n));
		if (edges[i] < 0)
			return -1;
	}
	*out = inner(op, &in[0]);
	out->size[axis] = sum;
	const int index = mch_onnx_append(op, MCH_CONCAT, n, edges);
	if (index < 0)
		return -1;
	op->g->net->layers[index].axis = of_image ? of_image : 2;
	return mch_onnx_infer(op, index);
}

static int read_concat(const struct mch_onnx_op *op, int n, struct mch_onnx_value *in, int *edges)
{
	struct mch_onnx_dims out;
	int axis;
	if (mch_onnx_inputs(op, (size_t)n, (size_t)n, in) != 0 || mch_onnx_axis(op, &in[0], 1, &axis) != 0 ||
	    check_inputs(op, n, in, axis) != 0)
		return -1;
	const int edge = add_concat(op, n, in, axis, edges, &out);
	return edge < 0 ? -1 : mch_onnx_emit(op, 0, edge, &out, in[0].type);
}

int mch_onnx_read_concat(const struct mch_onnx_op *op)
{
	const size_t n = op->node.proto->n_input;
	if (n < 1 || n > 1024)
		return mch_onnx_err(&op->node, "it has %zu inputs, 1 to 1024 are supported; change the model", n);
	struct mch_onnx_value *in = malloc(n * sizeof(*in));
	int *edges = malloc(n * sizeof(*edges));
	const int status = in && edges ? read_concat(op, (int)n, in, edges)
				       : mch_onnx_err(&op->node, "out of memory; use a machine with more");
	free(in);
	free(edges);
	return status;
}

/* Elements along a dimension of `size`, each of them in turn. */
static int repeat_axis(const struct mch_onnx_op *op, struct mch_onnx_pick *pick, int d, int64_t size, int64_t n)
{
	if (mch_onnx_pick_alloc(op, pick, d, n) != 0)
		return -1;
	for (int64_t i = 0; i < n; i++)
		pick->at[d][i] = (int)(i % size);
	return 0;
}

/* How large the dimension becomes that Tile repeats so often, or that Expand makes so large; -1 with err. */
static int64_t repeated_size(const struct mch_onnx_op *op, int64_t size, int64_t want)
{
	const bool is_tile = op->node.proto->op_type[0] == 'T';
	if (is_tile ? want >= 1 && want <= INT_MAX : want == size || want == 1)
		return is_tile ? size * want : size;
	if (!is_tile && size == 1 && want >= 1)
		return want;
	return mch_onnx_err(&op->node, "%lld elements do not become %lld%s; export the model again", (long long)size,
			    (long long)want, is_tile ? " times as many" : "");
}

/* Tile: a number for each dimension. Expand: a shape, lined up at its end, whose sides of 1 keep what is there. */
int mch_onnx_read_repeat(const struct mch_onnx_op *op)
{
	struct mch_onnx_value in[2];
	struct mch_onnx_list list;
	struct mch_onnx_pick pick = {.kind = MCH_SLICE};
	if (mch_onnx_inputs(op, 2, 2, in) != 0 || mch_onnx_require_edge(op, &in[0], 0) != 0 ||
	    mch_onnx_list(op, "", &in[1], &list) != 0)
		return -1;
	const struct mch_onnx_value *x = &in[0];
	const int n_batch = op->g->n_batch, n_new = list.n > x->rank ? list.n - x->rank : 0, rank = x->rank + n_new;
	if (list.n > MCH_ONNX_RANK_MAX || (n_new && n_batch))
		return mch_onnx_err(&op->node, "it adds dimensions before the batch, or over %d; change the model",
				    MCH_ONNX_RANK_MAX);
	struct mch_onnx_dims dims = {.n = rank - n_batch};
	int status = 0;
	for (int i = 0; status == 0 && i < rank; i++) {
		const int64_t size = i < n_new ? 1 : x->dims[i - n_new],
			      want = i < rank - list.n ? 1 : list.v[i - (rank - list.n)];
		if (i < n_batch) {
			if (want != 1 && (want != size || op->node.proto->op_type[0] == 'T'))
				status = mch_onnx_err(&op->node, "it repeats the batch; change the model");
			continue;
		}
		dims.size[i - n_batch] = size;
		const int64_t n = repeated_size(op, size, want);
		status = n < 0 ? -1 : n == size ? 0 : repeat_axis(op, &pick, i - n_batch, size, n);
	}
	const int edge = status == 0 ? mch_onnx_pick(op, x->edge, &dims, &pick) : -1;
	mch_onnx_pick_free(&pick);
	return edge < 0 ? -1 : mch_onnx_emit(op, 0, edge, &dims, x->type);
}
