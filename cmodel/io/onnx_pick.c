/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* ONNX operators that pick elements along dimensions, and that join tensors; see onnx_op.h. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "io/build.h"
#include "io/onnx_op.h"

void mch_onnx_pick_free(struct mch_onnx_pick *pick)
{
	for (int d = 0; d < MCH_ONNX_RANK_MAX; d++)
		free(pick->at[d]);
	memset(pick, 0, sizeof(*pick));
}

int mch_onnx_pick_alloc(const struct mch_onnx_op *op, struct mch_onnx_pick *pick, int d, int64_t n)
{
	if (n < 1 || n > MCH_BUILD_CHANNELS_MAX)
		return mch_onnx_err(&op->node,
				    "dimension %d of its output would have %lld elements, 1 to %d are supported; "
				    "change the model",
				    d + op->g->n_batch, (long long)n, MCH_BUILD_CHANNELS_MAX);
	if (mch_onnx_charge(op, (uint64_t)n * sizeof(*pick->at[d])) != 0)
		return -1;
	free(pick->at[d]);
	pick->n[d] = n;
	pick->at[d] = malloc((size_t)n * sizeof(*pick->at[d]));
	return pick->at[d] ? 0 : mch_onnx_err(&op->node, "out of memory; use a machine with more");
}

/* One layer on the image whose axis k is dimension of[k], or a run of whole dimensions (of[k] -1). */
static int pick_image(const struct mch_onnx_op *op, int edge, const struct mch_onnx_pick *pick, const int of[3])
{
	struct mch_net *net = op->g->net;
	const struct mch_shape s = net->edges[edge].shape;
	const int size[3] = {s.c, s.h, s.w};
	int n[3];
	for (int k = 0; k < 3; k++)
		n[k] = of[k] >= 0 && pick->at[of[k]] ? (int)pick->n[of[k]] : size[k];
	const int index = mch_onnx_append(op, pick->kind, 1, &edge);
	if (index < 0)
		return -1;
	struct mch_gather *gather = &net->layers[index].gather;
	if (mch_onnx_charge(op, ((uint64_t)n[0] + (uint64_t)n[1] + (uint64_t)n[2]) * sizeof(*gather->at)) != 0 ||
	    mch_gather_alloc(gather, n[0], n[1], n[2], op->g->err) != 0)
		return -1;
	gather->fill = pick->fill;
	int *at = gather->at;
	for (int k = 0; k < 3; k++)
		for (int i = 0; i < n[k]; i++)
			*at++ = of[k] >= 0 && pick->at[of[k]] ? pick->at[of[k]][i] : i;
	return mch_onnx_infer(op, index);
}

int mch_onnx_pick(const struct mch_onnx_op *op, int edge, struct mch_onnx_dims *dims,
		  const struct mch_onnx_pick *pick)
{
	bool any = false;
	for (int d = 0; d < dims->n; d++)
		any = any || pick->at[d];
	if (!any)
		return edge;
	if (dims->n <= 3) {
		const struct mch_shape s = mch_onnx_natural(dims);
		const int of[3] = {0, dims->n == 3 ? 1 : -1, dims->n - 1 > 0 ? dims->n - 1 : -1};
		edge = mch_onnx_view(op, edge, s.c, s.h, s.w);
		edge = edge < 0 ? -1 : pick_image(op, edge, pick, of);
	}
	for (int d = 0; d < dims->n; d++) {
		if (!pick->at[d])
			continue;
		if (dims->n > 3 && edge >= 0) {
			const int of[3] = {-1, d, -1};
			edge = mch_onnx_view(op, edge, mch_onnx_product(dims, 0, d), dims->size[d],
					     mch_onnx_product(dims, d + 1, dims->n));
			edge = edge < 0 ? -1 : pick_image(op, edge, pick, of);
		}
		dims->size[d] = pick->n[d];
	}
	return edge;
}

/* Elements first, first + step, ... n of them. */
static int pick_range(const struct mch_onnx_op *op, struct mch_onnx_pick *pick, int d, int64_t first, int64_t step,
		      int64_t n)
{
	if (mch_onnx_pick_alloc(op, pick, d, n) != 0)
		return -1;
	for (int64_t i = 0; i < n; i++)
		pick->at[d][i] = (int)(first + i * step);
	return 0;
}

static int64_t clamp(int64_t v, int64_t low, int64_t high)
{
	return v < low ? low : v > high ? high : v;
}

int64_t mch_onnx_slice(int64_t size, const int64_t range[3], int64_t *first)
{
	int64_t start = range[0], end = range[1];
	const int64_t step = range[2];
	start += start < 0 ? size : 0;
	end += end < 0 ? size : 0;
	start = step > 0 ? clamp(start, 0, size) : clamp(start, -1, size - 1);
	end = step > 0 ? clamp(end, 0, size) : clamp(end, -1, size - 1);
	const int64_t gap = step > 0 ? end - start : start - end, pace = step > 0 ? step : -step;
	*first = start;
	return gap > 0 ? (gap - 1) / pace + 1 : 0;
}

static int slice_axis(const struct mch_onnx_op *op, const struct mch_onnx_value *x, struct mch_onnx_pick *pick,
		      int64_t axis, const int64_t range[3])
{
	int at;
	int64_t first;
	const int64_t start = range[0], end = range[1], step = range[2];
	if (mch_onnx_any_axis(op, axis, x->rank, &at) != 0)
		return -1;
	if (at < op->g->n_batch) {
		if (start == 0 && step == 1 && end >= (x->dims[0] == MCH_ONNX_OPEN ? INT_MAX : x->dims[0]))
			return 0;
		return mch_onnx_err(&op->node, "it cuts the batch; change the model");
	}
	if (step == 0 || step == INT64_MIN || start == MCH_ONNX_OPEN || end == MCH_ONNX_OPEN)
		return mch_onnx_err(&op->node, "its %s; export the model again",
				    step == 0 || step == INT64_MIN ? "step is 0" : "bounds depend on the batch");
	const int64_t n = mch_onnx_slice(x->dims[at], range, &first);
	if (first == 0 && n == x->dims[at] && step == 1)
		return 0;
	return pick_range(op, pick, at - op->g->n_batch, first, step, n);
}

static int emit_pick(const struct mch_onnx_op *op, size_t output, const struct mch_onnx_value *x,
		     struct mch_onnx_pick *pick)
{
	struct mch_onnx_dims dims = mch_onnx_inner(op, x);
	const int edge = mch_onnx_pick(op, x->edge, &dims, pick);
	mch_onnx_pick_free(pick);
	return edge < 0 ? -1 : mch_onnx_emit(op, output, edge, &dims, x->type);
}

int mch_onnx_read_slice(const struct mch_onnx_op *op)
{
	struct mch_onnx_value in[5];
	struct mch_onnx_list starts, ends, axes, steps;
	struct mch_onnx_pick pick = {.kind = MCH_SLICE};
	if (mch_onnx_inputs(op, 1, 5, in) != 0 || mch_onnx_require_edge(op, &in[0], 0) != 0 ||
	    mch_onnx_list(op, "starts", &in[1], &starts) != 0 || mch_onnx_list(op, "ends", &in[2], &ends) != 0 ||
	    mch_onnx_list(op, "axes", &in[3], &axes) != 0 || mch_onnx_list(op, "steps", &in[4], &steps) != 0)
		return -1;
	if (starts.n != ends.n || (axes.is_given && axes.n != starts.n) || (steps.is_given && steps.n != starts.n))
		return mch_onnx_err(&op->node,
				    "starts, ends, axes and steps are of different lengths; export the model again");
	for (int i = 0; i < starts.n; i++) {
		const int64_t range[3] = {starts.v[i], ends.v[i], steps.is_given ? steps.v[i] : 1};
		if (slice_axis(op, &in[0], &pick, axes.is_given ? axes.v[i] : i, range) != 0) {
			mch_onnx_pick_free(&pick);
			return -1;
		}
	}
	return emit_pick(op, 0, &in[0], &pick);
}

/* Sizes of the parts: the attribute or input, or equal ones, of which the last may be smaller (operator set 18). */
static int split_sizes(const struct mch_onnx_op *op, const struct mch_onnx_value *v, int64_t size, int64_t *part)
{
	const size_t n = op->node.proto->n_output;
	const MchOnnx__AttributeProto *a = mch_onnx_find(&op->node, "split");
	int64_t sum = 0, *values = NULL;
	size_t n_found = a ? a->n_ints : n;
	if (!a && v->name[0] && mch_onnx_int64(op, v, &values, &n_found) != 0)
		return -1;
	const int64_t share = (size + (int64_t)n - 1) / (int64_t)n;
	for (size_t i = 0; i < n && n_found == n; i++) {
		const int64_t rest = size - sum;
		part[i] = a ? a->ints[i] : values ? values[i] : share < rest ? share : rest;
		if (part[i] < 1 || part[i] > rest)
			break;
		sum += part[i];
	}
	free(values);
	return sum == size ? 0
			   : mch_onnx_err(&op->node,
					  "its %zu parts do not make up the %lld elements of the axis; export the "
					  "model again",
					  n, (long long)size);
}

int mch_onnx_read_split(const struct mch_onnx_op *op)
{
	const MchOnnx__NodeProto *proto = op->node.proto;
	struct mch_onnx_value in[2];
	int axis, n_outputs;
	if (mch_onnx_inputs(op, 1, 2, in) != 0 || mch_onnx_require_edge(op, &in[0], 0) != 0 ||
	    mch_onnx_axis(op, &in[0], 0, &axis) != 0 ||
	    mch_onnx_int(&op->node, "num_outputs", 1, INT_MAX, (int)proto->n_output, &n_outputs) != 0)
		return -1;
	int64_t *part = calloc(proto->n_output, sizeof(*part)), from = 0;
	if (!part)
		return mch_onnx_err(&op->node, "out of memory; use a machine with more");
	int status = split_sizes(op, &in[1], mch_onnx_inner(op, &in[0]).size[axis], part);
	for (size_t i = 0; status == 0 && i < proto->n_output; i++) {
		struct mch_onnx_pick pick = {.kind = MCH_SLICE};
		/* A part that nobody reads would be one more output of the network. */
		if (mch_onnx_readers(op->g, proto->output[i]).n > 0)
			status = pick_range(op, &pick, axis, from, 1, part[i]) != 0 ? -1
										    : emit_pick(op, i, &in[0], &pick);
		mch_onnx_pick_free(&pick);
		from += part[i];
	}
	free(part);
	return status;
}

/* The elements that a constant names; the dimensions of the constant take the place of the axis. */
int mch_onnx_read_gather(const struct mch_onnx_op *op)
{
	struct mch_onnx_value in[2];
	struct mch_onnx_pick pick = {.kind = MCH_SLICE};
	int64_t *index;
	size_t n;
	int axis;
	if (mch_onnx_inputs(op, 2, 2, in) != 0 || mch_onnx_require_edge(op, &in[0], 0) != 0 ||
	    mch_onnx_axis(op, &in[0], 0, &axis) != 0 || mch_onnx_int64(op, &in[1], &index, &n) != 0)
		return -1;
	struct mch_onnx_dims dims = mch_onnx_inner(op, &in[0]), out = {.n = 0};
	const int64_t size = dims.size[axis];
	int status = mch_onnx_pick_alloc(op, &pick, axis, (int64_t)n);
	for (size_t i = 0; status == 0 && i < n; i++) {
		if (index[i] < -size || index[i] >= size)
			status = mch_onnx_err(&op->node,
					      "index %lld is outside of %lld elements; export the model again",
					      (long long)index[i], (long long)size);
		else
			pick.at[axis][i] = (int)(index[i] < 0 ? index[i] + size : index[i]);
	}
	free(index);
	if (status == 0 && dims.n - 1 + in[1].rank > MCH_ONNX_RANK_MAX)
		status = mch_onnx_err(&op->node, "its output has over %d dimensions; change the model",
				      MCH_ONNX_RANK_MAX);
	const int edge = status == 0 ? mch_onnx_pick(op, in[0].edge, &dims, &pick) : -1;
	mch_onnx_pick_free(&pick);
	for (int i = 0; edge >= 0 && i < dims.n; i++) {
		for (int j = 0; i == axis && j < in[1].rank; j++)
			out.size[out.n++] = in[1].dims[j];
		if (i != axis)
			out.size[out.n++] = dims.size[i];
	}
	return edge < 0 ? -1 : mch_onnx_emit(op, 0, edge, &out, in[0].type);
}
