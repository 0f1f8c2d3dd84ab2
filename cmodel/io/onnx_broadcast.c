/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Broadcasting; see onnx_broadcast.h. */
#include "io/onnx_broadcast.h"

#include <stdlib.h>
#include <string.h>

/* The dimensions of v within one image, ones before them up to n: how broadcasting lines tensors up. n: those of the
 * result. With a batch, only a constant may have fewer dimensions than the result. */
static int line_up(const struct mch_onnx_op *op, const struct mch_onnx_value *v, int n, int axis, int64_t *size)
{
	const int n_batch = op->g->n_batch;
	int end = n; /* of v's dimensions */
	if (axis >= 0) {
		end = axis - n_batch + v->rank;
		if (end > n || axis < n_batch)
			return mch_onnx_err(&op->node,
					    "axis is %d, where input \"%.64s\" does not fit; export the model again",
					    axis, v->name);
	} else if (v->rank > n + n_batch || (n_batch && v->edge >= 0 && v->rank != n + n_batch)) {
		return mch_onnx_err(&op->node,
				    "input \"%.64s\" has %d dimensions, another %d: the batch does not line up; "
				    "change the model",
				    v->name, v->rank, n + n_batch);
	}
	for (int i = 0; i < n; i++)
		size[i] = 1;
	for (int i = 0; i < v->rank; i++) {
		const int to = end - v->rank + i;
		if (to >= 0)
			size[to] = v->dims[i];
		else if (v->edge < 0 && v->dims[i] != 1)
			return mch_onnx_err(
				&op->node,
				"its constant input \"%.64s\" has one part for each image of a batch; change "
				"the model",
				v->name);
	}
	return 0;
}

int mch_onnx_span(const struct mch_onnx_op *op, const struct mch_onnx_value *x, const struct mch_onnx_value *c,
		  int axis, struct mch_onnx_span *span)
{
	const struct mch_onnx_dims dims = mch_onnx_inner(op, x);
	int64_t size[MCH_ONNX_RANK_MAX];
	*span = (struct mch_onnx_span){false, 1, 1, 1};
	if (c->rank > x->rank)
		return 0;
	if (line_up(op, c, dims.n, axis, size) != 0)
		return -1;
	int state = 0; /* before, in, behind the run */
	bool is_run = true;
	for (int i = 0; i < dims.n; i++) {
		if (size[i] != 1 && size[i] != dims.size[i]) {
			/* Larger than x, whose side of 1 repeats; or it does not fit, which mch_onnx_broadcast tells.
			 */
			is_run = false;
		} else if (dims.size[i] == 1) {
			continue;
		} else if (size[i] != 1) {
			is_run = is_run && state < 2;
			state = 1;
			span->run *= dims.size[i];
		} else {
			state = state == 1 ? 2 : state;
			*(state == 0 ? &span->outer : &span->inner) *= dims.size[i];
		}
	}
	if (span->run == 1) {
		span->inner *= span->outer;
		span->outer = 1;
	}
	span->is_one_run = is_run;
	return 0;
}

/* One value for each of n channels. Takes *values over; NULL stays. */
static int repeat(const struct mch_onnx_op *op, float **values, int n)
{
	float *one = *values;
	*values = NULL;
	if (!one)
		return 0;
	if (mch_onnx_charge(op, (uint64_t)n * sizeof(*one)) != 0) {
		free(one);
		return -1;
	}
	float *all = malloc((size_t)n * sizeof(*all));
	for (int i = 0; all && i < n; i++)
		all[i] = one[0];
	free(one);
	*values = all;
	return all ? 0 : mch_onnx_err(&op->node, "out of memory; use a machine with more");
}

int mch_onnx_per_channel(const struct mch_onnx_op *op, enum mch_kind kind, int edge, const struct mch_onnx_span *span,
			 float *weights, float *bias)
{
	struct mch_net *net = op->g->net;
	const struct mch_onnx_dims parts = {3, {span->outer, span->run, span->inner}};
	const struct mch_onnx_dims back = {3, {span->run, span->outer, span->inner}};
	const int order[3] = {1, 0, 2};
	const bool is_scalar = span->run == 1;
	if (!is_scalar)
		edge = mch_onnx_permute(op, edge, &parts, order);
	if (edge >= 0 && !is_scalar && net->edges[edge].shape.c != span->run)
		edge = mch_onnx_view(op, edge, span->run, span->outer, span->inner);
	const int c = edge < 0 ? 1 : net->edges[edge].shape.c;
	const bool repeats = is_scalar && kind == MCH_SCALE;
	const int index = edge < 0 || (repeats && (repeat(op, &weights, c) != 0 || repeat(op, &bias, c) != 0))
				  ? -1
				  : mch_onnx_append(op, kind, 1, &edge);
	if (index < 0) {
		free(weights);
		free(bias);
		return -1;
	}
	struct mch_layer *layer = &net->layers[index];
	layer->weights = weights;
	layer->bias = bias;
	layer->n_weights = is_scalar && kind == MCH_PRELU ? 1 : (size_t)c;
	layer->n_bias = bias ? (size_t)c : 0;
	edge = mch_onnx_infer(op, index);
	return edge < 0 || is_scalar ? edge : mch_onnx_permute(op, edge, &back, order);
}

int mch_onnx_affine(const struct mch_onnx_op *op, int edge, double scale, double offset)
{
	const struct mch_onnx_span all = {true, 1, 1, 1};
	float *weights = malloc(sizeof(*weights)), *bias = offset != 0 ? malloc(sizeof(*bias)) : NULL;
	if (!weights || (offset != 0 && !bias)) {
		free(weights);
		free(bias);
		return mch_onnx_err(&op->node, "out of memory; use a machine with more");
	}
	weights[0] = (float)scale;
	if (bias)
		bias[0] = (float)offset;
	return mch_onnx_per_channel(op, MCH_SCALE, edge, &all, weights, bias);
}

/* Neighbouring dimensions over which no input repeats that does not repeat over both become one. to[i]: where
 * dimension i goes; the number of those. */
static int merge(int n_in, int64_t (*size)[MCH_ONNX_RANK_MAX], const struct mch_onnx_dims *result, int *to)
{
	int n = 0, last = -1;
	for (int i = 0; i < result->n; i++) {
		bool joins = last >= 0;
		for (int j = 0; joins && j < n_in; j++)
			joins = (size[j][i] == 1) == (size[j][last] == 1);
		if (result->size[i] == 1) {
			to[i] = n > 0 ? n - 1 : 0;
			continue;
		}
		to[i] = joins ? n - 1 : n++;
		last = i;
	}
	return n;
}

/* The result's sides: the largest, all others being as large or 1. */
static int find_result(const struct mch_onnx_op *op, int n, int64_t (*size)[MCH_ONNX_RANK_MAX],
		       struct mch_onnx_dims *result)
{
	for (int i = 0; i < result->n; i++) {
		result->size[i] = 1;
		for (int j = 0; j < n; j++) {
			if (size[j][i] < 1 ||
			    (size[j][i] != 1 && result->size[i] != 1 && size[j][i] != result->size[i]))
				return mch_onnx_err(
					&op->node,
					"inputs of %lld and %lld elements along one dimension do not fit each "
					"other; export the model again",
					(long long)result->size[i], (long long)size[j][i]);
			result->size[i] = size[j][i] > 1 ? size[j][i] : result->size[i];
		}
	}
	return 0;
}

int mch_onnx_broadcast(const struct mch_onnx_op *op, int n, const struct mch_onnx_value *in, int axis, int *edges,
		       struct mch_onnx_dims *result)
{
	int64_t(*size)[MCH_ONNX_RANK_MAX] = calloc((size_t)n, sizeof(*size));
	int to[MCH_ONNX_RANK_MAX] = {0}, status = 0, n_groups;
	if (!size)
		return mch_onnx_err(&op->node, "out of memory; use a machine with more");
	result->n = 0;
	for (int j = 0; j < n; j++) {
		const int rank = in[j].rank - op->g->n_batch;
		result->n = rank > result->n ? rank : result->n;
	}
	for (int j = 0; status == 0 && j < n; j++)
		status = line_up(op, &in[j], result->n, j == 1 ? axis : -1, size[j]);
	status = status == 0 ? find_result(op, n, size, result) : status;
	/* Up to three stay as they are, so that images keep their shape. */
	static const int natural[4][3] = {{0, 0, 0}, {0, 0, 0}, {0, 2, 0}, {0, 1, 2}};
	if (result->n <= 3)
		memcpy(to, natural[result->n], sizeof(natural[0]));
	n_groups = result->n <= 3 ? 3 : merge(n, size, result, to);
	if (status == 0 && n_groups > 3)
		status = mch_onnx_err(
			&op->node,
			"its inputs repeat over %d separate runs of dimensions, at most 3 are supported; "
			"change the model",
			n_groups);
	for (int j = 0; status == 0 && j < n; j++) {
		int64_t side[3] = {1, 1, 1};
		for (int i = 0; i < result->n; i++)
			side[to[i]] *= size[j][i];
		edges[j] = mch_onnx_to_edge(op, &in[j], side[0], side[1], side[2]);
		status = edges[j] < 0 ? -1 : 0;
	}
	free(size);
	return status;
}
