/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* ONNX matrix products with a constant; see onnx_op.h. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "io/build.h"
#include "io/onnx_broadcast.h"
#include "io/onnx_op.h"

/* x times a constant: [k][c] (or [c][k], not transposed) for each of n_groups parts, scaled by alpha, as weights
 * [group][k][c]. */
static float *read_matrix(const struct mch_onnx_op *op, const struct mch_onnx_value *w, bool is_transposed,
			  double alpha)
{
	const size_t rows = (size_t)w->dims[w->rank - 2], cols = (size_t)w->dims[w->rank - 1];
	float *values;
	size_t n;
	if (mch_onnx_f32(op, w, &values, &n) != 0)
		return NULL;
	for (size_t i = 0; i < n && alpha != 1; i++)
		values[i] = (float)(alpha * (double)values[i]);
	if (is_transposed)
		return values;
	float *weights = malloc((n + 1) * sizeof(*weights));
	for (size_t part = 0; weights && part < n; part += rows * cols)
		for (size_t k = 0; k < cols; k++)
			for (size_t c = 0; c < rows; c++)
				weights[part + k * rows + c] = values[part + c * cols + k];
	free(values);
	if (!weights)
		mch_onnx_err(&op->node, "out of memory for %zu weights; use a machine with more", n);
	return weights;
}

static int check_matrix(const struct mch_onnx_op *op, const struct mch_onnx_value *w)
{
	if (!mch_onnx_is_constant(w))
		return mch_onnx_err(&op->node, "its weights \"%.64s\" are no constant; simplify the model", w->name);
	if (w->rank < 2)
		return mch_onnx_err(&op->node,
				    "its weights \"%.64s\" have %d dimensions, 2 are expected; change the layer",
				    w->name, w->rank);
	for (int i = 0; i < w->rank; i++)
		if (w->dims[i] < 1 || w->dims[i] > MCH_BUILD_CHANNELS_MAX)
			return mch_onnx_err(&op->node,
					    "its weights \"%.64s\" have a dimension of %lld; change the layer",
					    w->name, (long long)w->dims[i]);
	return 0;
}

/* [batch][c] times [c][k]: a dense layer. Its index. */
static int add_dense(const struct mch_onnx_op *op, const struct mch_onnx_value *x, const struct mch_onnx_value *w,
		     bool is_transposed, double alpha)
{
	if (mch_onnx_require_edge(op, x, 2) != 0 || check_matrix(op, w) != 0)
		return -1;
	if (w->rank != 2)
		return mch_onnx_err(&op->node,
				    "its weights \"%.64s\" have %d dimensions, %d are expected; change the layer",
				    w->name, w->rank, 2);
	const int64_t c = w->dims[is_transposed], k = w->dims[!is_transposed];
	float *weights = read_matrix(op, w, is_transposed, alpha);
	const int index = weights ? mch_onnx_append(op, MCH_DENSE, 1, &x->edge) : -1;
	if (index < 0) {
		free(weights);
		return -1;
	}
	struct mch_layer *layer = &op->g->net->layers[index];
	layer->conv = mch_dense_geometry(1, (int)c, (int)k);
	layer->weights = weights;
	layer->n_weights = (size_t)c * (size_t)k;
	return index;
}

/* beta times a bias of k elements in the last dimension, or of one for all. */
static int read_bias(const struct mch_onnx_op *op, const struct mch_onnx_value *b, double beta,
		     struct mch_layer *layer)
{
	const size_t k = (size_t)layer->conv.k;
	size_t n = 1;
	if (!mch_onnx_is_constant(b))
		return mch_onnx_err(&op->node, "its bias \"%.64s\" is no constant; simplify the model", b->name);
	for (int i = 0; i < b->rank; i++)
		n *= b->dims[i] == 1 ? 1 : (size_t)b->dims[i] == k && i == b->rank - 1 ? k : 0;
	if (n == 0 || b->rank > 2)
		return mch_onnx_err(&op->node,
				    "its bias \"%.64s\" has not one value for each of %zu channels; change the model",
				    b->name, k);
	float *values;
	if (mch_onnx_f32(op, b, &values, &n) != 0)
		return -1;
	layer->bias = malloc(k * sizeof(*layer->bias));
	for (size_t i = 0; layer->bias && i < k; i++)
		layer->bias[i] = (float)(beta * (double)values[n == 1 ? 0 : i]);
	layer->n_bias = k;
	free(values);
	return layer->bias ? 0 : mch_onnx_err(&op->node, "out of memory; use a machine with more");
}

/* [..][m][c] times [c][k], or [g][m][c] times [g][c][k]: a convolution of 1 x 1 over [g c][1][m], in groups. The
 * edge, which holds [g k][m]. */
static int add_product(const struct mch_onnx_op *op, int x, int groups, int64_t c, int64_t k, int64_t m,
		       float *weights)
{
	x = mch_onnx_view(op, x, groups * c, 1, m);
	const int index = x < 0 ? -1 : mch_onnx_append(op, MCH_CONV, 1, &x);
	if (index < 0) {
		free(weights);
		return -1;
	}
	struct mch_layer *layer = &op->g->net->layers[index];
	layer->conv = mch_dense_geometry(1, (int)(groups * c), (int)(groups * k));
	layer->conv.groups = groups;
	layer->weights = weights;
	layer->n_weights = (size_t)(groups * c * k);
	return mch_onnx_infer(op, index);
}

/* Parts of the weights beside their matrices: 1, or as many as x has. 0 when they do not fit. */
static int64_t count_groups(const struct mch_onnx_value *w, const struct mch_onnx_dims *dims)
{
	int64_t groups = 1;
	bool fits = true;
	for (int i = 0; i < w->rank - 2 && fits; i++) {
		const int at = dims->n - w->rank + i;
		fits = w->dims[i] == 1 || (at >= 0 && dims->size[at] == w->dims[i]);
		groups *= fits ? w->dims[i] : 1; /* no more than x has elements */
	}
	return fits && (groups == 1 || groups == mch_onnx_product(dims, 0, dims->n - 2)) ? groups : 0;
}

/* The product with the last dimension of dims, which become the result's; the edge. */
static int add_parts(const struct mch_onnx_op *op, int x, const struct mch_onnx_value *w, bool is_transposed,
		     double alpha, struct mch_onnx_dims *dims)
{
	if (check_matrix(op, w) != 0)
		return -1;
	const int64_t groups = dims->n > 0 ? count_groups(w, dims) : 0;
	if (groups == 0)
		return mch_onnx_err(&op->node,
				    "its weights \"%.64s\" are other matrices for parts that its input has not; "
				    "change the model",
				    w->name);
	const int64_t rows = w->dims[w->rank - 2], cols = w->dims[w->rank - 1], c = is_transposed ? cols : rows,
		      k = is_transposed ? rows : cols, last = dims->size[dims->n - 1];
	const int64_t m = mch_onnx_elems(dims) / groups / last;
	if (c != last || groups * c > MCH_BUILD_CHANNELS_MAX || groups * k > MCH_BUILD_CHANNELS_MAX)
		return mch_onnx_err(&op->node,
				    "its weights \"%.64s\" have %lld rows for %lld elements; change the model",
				    w->name, (long long)c, (long long)last);
	const int order[3] = {0, 2, 1};
	const struct mch_onnx_dims parts = {3, {groups, m, c}}, back = {3, {groups, k, m}};
	float *weights = read_matrix(op, w, is_transposed, alpha);
	x = weights ? mch_onnx_permute(op, x, &parts, order) : -1;
	if (x < 0) {
		free(weights);
		return -1;
	}
	dims->size[dims->n - 1] = k;
	x = add_product(op, x, (int)groups, c, k, m, weights);
	return x < 0 ? -1 : mch_onnx_permute(op, x, &back, order);
}

/* A bias that is no constant, or one of another shape: added behind the product. */
static int add_bias(const struct mch_onnx_op *op, int product, const struct mch_onnx_dims *dims,
		    const struct mch_onnx_value *b, double beta)
{
	struct mch_onnx_value in[2] = {{.name = "product", .edge = product, .rank = dims->n + op->g->n_batch}, *b};
	struct mch_onnx_dims sum;
	int edges[2];
	in[0].dims[0] = op->g->batch;
	memcpy(in[0].dims + op->g->n_batch, dims->size, (size_t)dims->n * sizeof(dims->size[0]));
	const int index =
		mch_onnx_broadcast(op, 2, in, -1, edges, &sum) == 0 ? mch_onnx_append(op, MCH_SUM, 2, edges) : -1;
	if (index < 0)
		return -1;
	struct mch_layer *layer = &op->g->net->layers[index];
	layer->weights = malloc(2 * sizeof(*layer->weights));
	if (!layer->weights)
		return mch_onnx_err(&op->node, "out of memory; use a machine with more");
	layer->n_weights = 2;
	layer->weights[0] = 1;
	layer->weights[1] = (float)beta;
	return mch_onnx_infer(op, index);
}

/* Turned first, without a batch only. The edge, which holds dims. */
static int gemm_product(const struct mch_onnx_op *op, const struct mch_onnx_value *in, bool trans_a, bool trans_b,
			double alpha, struct mch_onnx_dims *dims)
{
	struct mch_onnx_value x = in[0];
	if (mch_onnx_require_edge(op, &x, 2) != 0)
		return -1;
	if (trans_a) {
		const struct mch_onnx_dims turned = mch_onnx_inner(op, &x);
		x.edge = mch_onnx_permute(op, x.edge, &turned, (const int[]){1, 0});
		x.dims[0] = in[0].dims[1];
		x.dims[1] = in[0].dims[0];
	}
	*dims = mch_onnx_inner(op, &x);
	return x.edge < 0 ? -1 : add_parts(op, x.edge, &in[1], trans_b, alpha, dims);
}

/* alpha x W + beta b; W is [c][k], or [k][c] when transposed, which is our order. */
int mch_onnx_read_gemm(const struct mch_onnx_op *op)
{
	struct mch_onnx_value in[3];
	struct mch_onnx_dims dims;
	int trans_a, trans_b, broadcast, edge, index = -1;
	double alpha, beta;
	if (mch_onnx_inputs(op, 2, 3, in) != 0 || mch_onnx_int(&op->node, "transA", 0, 1, 0, &trans_a) != 0 ||
	    mch_onnx_int(&op->node, "transB", 0, 1, 0, &trans_b) != 0 ||
	    mch_onnx_int(&op->node, "broadcast", 0, 1, 1, &broadcast) != 0 ||
	    mch_onnx_real(&op->node, "alpha", 1, &alpha) != 0 || mch_onnx_real(&op->node, "beta", 1, &beta) != 0)
		return -1;
	if (op->g->n_batch && trans_a)
		return mch_onnx_err(&op->node, "transA turns the batch; change the model");
	const bool has_bias = in[2].name[0] && beta != 0;
	bool is_added = has_bias;
	if (op->g->n_batch) {
		index = add_dense(op, &in[0], &in[1], trans_b != 0, alpha);
		if (index < 0)
			return -1;
		struct mch_layer *layer = &op->g->net->layers[index];
		dims = (struct mch_onnx_dims){1, {layer->conv.k}};
		is_added = has_bias && !mch_onnx_is_constant(&in[2]);
		if (has_bias && !is_added && read_bias(op, &in[2], beta, layer) != 0)
			return -1;
		edge = mch_onnx_infer(op, index);
	} else {
		edge = gemm_product(op, in, trans_a != 0, trans_b != 0, alpha, &dims);
	}
	if (edge >= 0 && is_added)
		edge = add_bias(op, edge, &dims, &in[2], beta);
	return edge < 0 ? -1 : mch_onnx_emit(op, 0, edge, &dims, in[0].type);
}

int mch_onnx_read_matmul(const struct mch_onnx_op *op)
{
	struct mch_onnx_value in[2];
	if (mch_onnx_inputs(op, 2, 2, in) != 0 || mch_onnx_require_edge(op, &in[0], 0) != 0)
		return -1;
	struct mch_onnx_dims dims = mch_onnx_inner(op, &in[0]);
	int edge;
	if (op->g->n_batch && in[0].rank == 2) {
		const int index = add_dense(op, &in[0], &in[1], false, 1);
		edge = index < 0 ? -1 : mch_onnx_infer(op, index);
		dims.size[0] = edge < 0 ? 1 : op->g->net->edges[edge].shape.c;
	} else {
		edge = add_parts(op, in[0].edge, &in[1], false, 1, &dims);
	}
	return edge < 0 ? -1 : mch_onnx_emit(op, 0, edge, &dims, in[0].type);
}
