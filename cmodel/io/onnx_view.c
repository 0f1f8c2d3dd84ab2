/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Logical tensors of any rank in images of three dimensions: views, orders, and constants as edges; see onnx_op.h. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "io/onnx_op.h"

int mch_onnx_view(const struct mch_onnx_op *op, int edge, int64_t c, int64_t h, int64_t w)
{
	struct mch_net *net = op->g->net;
	struct mch_shape s = net->edges[edge].shape;
	const int producer = net->edges[edge].producer;
	if (s.c == c && s.h == h && s.w == w)
		return edge;
	if (producer >= 0 && net->layers[producer].kind == MCH_RESHAPE) {
		const int source = net->layers[producer].in[0];
		s = net->edges[source].shape;
		if (s.c == c && s.h == h && s.w == w)
			return source;
	}
	const int index = mch_onnx_append(op, MCH_RESHAPE, 1, &edge);
	if (index < 0)
		return -1;
	/* As many elements as the edge has: each fits an int. */
	net->layers[index].shape = (struct mch_shape){1, (int)c, (int)h, (int)w};
	return mch_onnx_infer(op, index);
}

/* [a][b][c] -> [b][a][c], one of which may be 1. */
static int swap_blocks(const struct mch_onnx_op *op, int edge, int64_t a, int64_t b, int64_t c)
{
	const int x = mch_onnx_view(op, edge, a, b, c);
	const int index = x < 0 ? -1 : mch_onnx_append(op, MCH_TRANSPOSE, 1, &x);
	if (index < 0)
		return -1;
	memcpy(op->g->net->layers[index].order, (const int[]){1, 0, 2}, sizeof(int[3]));
	return mch_onnx_infer(op, index);
}

/* At most three dimensions beside those of 1: one layer. */
static int permute_three(const struct mch_onnx_op *op, int edge, const struct mch_onnx_dims *d, const int *order)
{
	int x, index, full[3] = {0, 1, 2};
	int64_t size[3] = {1, 1, 1};
	/* Two go to the channels and the width, which is where they are after other layers: [c][1][w]. */
	static const int place[4][3] = {{0, 1, 2}, {0, 1, 2}, {0, 2, 1}, {0, 1, 2}};
	const int *at = place[d->n];
	for (int i = 0; i < d->n; i++)
		size[at[i]] = d->size[i];
	for (int i = 0; i < d->n; i++)
		full[at[i]] = at[order[i]];
	x = mch_onnx_view(op, edge, size[0], size[1], size[2]);
	index = x < 0 ? -1 : mch_onnx_append(op, MCH_TRANSPOSE, 1, &x);
	if (index < 0)
		return -1;
	memcpy(op->g->net->layers[index].order, full, sizeof(full));
	return mch_onnx_infer(op, index);
}

/* Joins dimensions that stay neighbours and drops those of 1. order becomes one of the dimensions that are left. */
static struct mch_onnx_dims simplify(const struct mch_onnx_dims *dims, int *order)
{
	struct mch_onnx_dims out = {.n = 0};
	int kept[MCH_ONNX_RANK_MAX], n = 0, group[MCH_ONNX_RANK_MAX] = {0}, n_groups = 0;
	for (int i = 0; i < dims->n; i++)
		if (dims->size[order[i]] != 1)
			kept[n++] = order[i];
	/* In the order of the result: a group begins where the next source dimension (but for ones) does not follow.
	 */
	int64_t size[MCH_ONNX_RANK_MAX];
	int first[MCH_ONNX_RANK_MAX];
	for (int i = 0; i < n; i++) {
		int next = i > 0 ? kept[i - 1] + 1 : 0;
		while (next < dims->n && dims->size[next] == 1)
			next++;
		if (i == 0 || next != kept[i]) {
			first[n_groups] = kept[i];
			size[n_groups++] = 1;
		}
		group[i] = n_groups - 1;
		size[group[i]] *= dims->size[kept[i]];
	}
	/* Number the groups in the order of the source. */
	for (int i = 0; i < n_groups; i++) {
		int rank = 0;
		for (int j = 0; j < n_groups; j++)
			rank += first[j] < first[i];
		order[i] = rank;
		out.size[rank] = size[i];
	}
	out.n = n_groups;
	return out;
}

int mch_onnx_permute(const struct mch_onnx_op *op, int edge, const struct mch_onnx_dims *dims, const int *want)
{
	int order[MCH_ONNX_RANK_MAX], n_move;
	memcpy(order, want, (size_t)dims->n * sizeof(order[0]));
	struct mch_onnx_dims d = simplify(dims, order);
	if (d.n <= 1)
		return edge;
	/* An image stays one, sides of 1 and all. */
	const struct mch_shape s = op->g->net->edges[edge].shape;
	if (dims->n == 3 && s.c == dims->size[0] && s.h == dims->size[1] && s.w == dims->size[2])
		return permute_three(op, edge, dims, want);
	if (d.n <= 3)
		return permute_three(op, edge, &d, order);
	/* More: the end of the result is what already is in order; all before it are moved to the front, last one
	 * first. */
	for (n_move = d.n - 1; n_move > 0 && order[n_move - 1] < order[n_move];)
		n_move--;
	int now[MCH_ONNX_RANK_MAX]; /* which dimension is where */
	for (int i = 0; i < d.n; i++)
		now[i] = i;
	for (int i = n_move - 1; i >= 0 && edge >= 0; i--) {
		int64_t before = 1, after = 1;
		int at = 0;
		while (now[at] != order[i])
			before *= d.size[now[at++]];
		for (int j = at + 1; j < d.n; j++)
			after *= d.size[now[j]];
		if (at > 0)
			edge = swap_blocks(op, edge, before, d.size[order[i]], after);
		memmove(now + 1, now, (size_t)at * sizeof(now[0]));
		now[0] = order[i];
	}
	return edge;
}

int mch_onnx_to_edge(const struct mch_onnx_op *op, const struct mch_onnx_value *x, int64_t c, int64_t h, int64_t w)
{
	float *values;
	size_t n;
	if (x->edge >= 0)
		return mch_onnx_view(op, x->edge, c, h, w);
	if (mch_onnx_f32(op, x, &values, &n) != 0)
		return -1;
	const int index =
		n == 0 ? mch_onnx_err(&op->node, "its constant input \"%.64s\" is empty; simplify the model", x->name)
		       : mch_onnx_append(op, MCH_CONSTANT, 0, NULL);
	if (index < 0) {
		free(values);
		return -1;
	}
	struct mch_layer *layer = &op->g->net->layers[index];
	layer->shape = (struct mch_shape){1, (int)c, (int)h, (int)w};
	layer->weights = values;
	layer->n_weights = n;
	return mch_onnx_infer(op, index);
}
