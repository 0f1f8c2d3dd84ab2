/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* ONNX arithmetic between tensors, and with constants; see onnx_op.h. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/onnx_broadcast.h"
#include "io/onnx_op.h"

/* The layer that joins all inputs, each times its coefficient (NULL: 1). */
static int join(const struct mch_onnx_op *op, enum mch_kind kind, int n, const struct mch_onnx_value *in, int axis,
		const float *coefficients)
{
	struct mch_onnx_dims dims;
	int *edges = calloc((size_t)n, sizeof(*edges)), edge = -1;
	float *weights = coefficients ? malloc((size_t)n * sizeof(*weights)) : NULL;
	if (!edges || (coefficients && !weights))
		mch_onnx_err(&op->node, "out of memory; use a machine with more");
	else if (mch_onnx_broadcast(op, n, in, axis, edges, &dims) == 0)
		edge = mch_onnx_append(op, kind, n, edges);
	free(edges);
	if (edge < 0) {
		free(weights);
		return -1;
	}
	if (weights) {
		struct mch_layer *layer = &op->g->net->layers[edge];
		memcpy(weights, coefficients, (size_t)n * sizeof(*weights));
		layer->weights = weights;
		layer->n_weights = (size_t)n;
	}
	edge = mch_onnx_infer(op, edge);
	return edge < 0 ? -1 : mch_onnx_emit(op, 0, edge, &dims, in[0].type);
}

/* The bias of the dense layer or convolution before it, when that has none and nobody else reads it. 1: done, 0: it
 * is not. */
static int add_as_bias(const struct mch_onnx_op *op, const struct mch_onnx_value *x, const struct mch_onnx_value *c,
		       const struct mch_onnx_span *span)
{
	struct mch_onnx_graph *g = op->g;
	const int index = g->net->edges[x->edge].producer;
	struct mch_layer *layer = index < 0 ? NULL : &g->net->layers[index];
	if (!layer || (layer->kind != MCH_DENSE && layer->kind != MCH_CONV && layer->kind != MCH_DECONV) ||
	    layer->bias || !span->is_one_run || span->outer != 1 || span->run != layer->conv.k || c->rank > x->rank ||
	    mch_onnx_readers(g, x->name).n != 1)
		return 0;
	char *name = strdup(op->node.proto->output[0]);
	if (!name)
		return mch_onnx_err(&op->node, "out of memory; use a machine with more");
	free(g->net->edges[x->edge].name);
	g->net->edges[x->edge].name = name;
	if (mch_onnx_f32(op, c, &layer->bias, &layer->n_bias) != 0)
		return -1;
	struct mch_onnx_value sum = *x;
	sum.name = op->node.proto->output[0];
	return mch_onnx_add_value(g, &sum) == 0 ? 1 : -1;
}

/* x + c, x - c, c - x, x c, x / c with one value of c for each of a run of positions. */
static int scale(const struct mch_onnx_op *op, const struct mch_onnx_value *x, const struct mch_onnx_value *c,
		 const struct mch_onnx_span *span, bool constant_first)
{
	const char type = op->node.proto->op_type[0]; /* A, S, M, D */
	float *values, *ones;
	size_t n;
	int edge;
	if (mch_onnx_f32(op, c, &values, &n) != 0)
		return -1;
	if (type == 'M' || type == 'D') {
		for (size_t i = 0; i < n && type == 'D'; i++)
			values[i] = 1 / values[i];
		edge = mch_onnx_per_channel(op, MCH_SCALE, x->edge, span, values, NULL);
		return edge < 0 ? -1 : mch_onnx_emit_like(op, edge, x);
	}
	ones = malloc((n + 1) * sizeof(*ones));
	if (!ones) {
		free(values);
		return mch_onnx_err(&op->node, "out of memory; use a machine with more");
	}
	for (size_t i = 0; i < n; i++) {
		ones[i] = type == 'S' && constant_first ? -1 : 1;
		values[i] = type == 'S' && !constant_first ? -values[i] : values[i];
	}
	edge = mch_onnx_per_channel(op, MCH_SCALE, x->edge, span, ones, values);
	return edge < 0 ? -1 : mch_onnx_emit_like(op, edge, x);
}

/* Divisors of 0 are refused; the reciprocals as a constant of their own. */
static int check_divisor(const struct mch_onnx_op *op, struct mch_onnx_value *c)
{
	float *values;
	size_t n;
	bool has_zero = false;
	if (!mch_onnx_is_constant(c))
		return mch_onnx_err(&op->node, "it divides by \"%.64s\", which is no constant; change the model",
				    c->name);
	if (mch_onnx_f32(op, c, &values, &n) != 0)
		return -1;
	struct mch_onnx_constant *inverse = mch_onnx_constant_new(op, n, true);
	for (size_t i = 0; inverse && i < n; i++) {
		has_zero = has_zero || values[i] == 0 || !isfinite(1 / values[i]);
		inverse->floats[i] = 1 / values[i];
	}
	free(values);
	if (!inverse || has_zero)
		return inverse ? mch_onnx_err(&op->node, "it divides by a constant that holds 0; correct the model")
			       : -1;
	c->tensor = NULL;
	c->constant = inverse;
	return 0;
}

/* Add, Sub, Mul, Div. */
int mch_onnx_read_binary(const struct mch_onnx_op *op)
{
	const char type = op->node.proto->op_type[0];
	struct mch_onnx_value in[2];
	struct mch_onnx_span span;
	int axis, broadcast;
	if (mch_onnx_inputs(op, 2, 2, in) != 0 ||
	    mch_onnx_int(&op->node, "axis", 0, MCH_ONNX_RANK_MAX, -1, &axis) != 0 ||
	    mch_onnx_int(&op->node, "broadcast", 0, 1, 1, &broadcast) != 0)
		return -1;
	struct mch_onnx_value inverse = in[1];
	if (type == 'D' && check_divisor(op, &inverse) != 0)
		return -1;
	const bool constant_first = in[0].edge < 0;
	const struct mch_onnx_value *x = &in[constant_first], *c = &in[!constant_first];
	if (c->edge < 0) {
		if (mch_onnx_require_edge(op, x, 0) != 0 ||
		    mch_onnx_span(op, x, c, constant_first ? -1 : axis, &span) != 0)
			return -1;
		const int done = type == 'A' ? add_as_bias(op, x, c, &span) : 0;
		if (done)
			return done < 0 ? -1 : 0;
		if (span.is_one_run && span.outer == 1)
			return scale(op, x, c, &span, constant_first);
	}
	in[1] = inverse;
	return join(op, type == 'M' || type == 'D' ? MCH_PROD : MCH_SUM, 2, in, axis,
		    type == 'S' ? (const float[]){1, -1} : NULL);
}

/* Max and Min with one number: a bound. 1: done, 0: there is more to it. */
static int read_bound(const struct mch_onnx_op *op, bool is_min, const struct mch_onnx_value *in)
{
	const struct mch_onnx_value *x = in[0].edge >= 0 ? &in[0] : &in[1], *c = in[0].edge >= 0 ? &in[1] : &in[0];
	float bound;
	if (x->edge < 0 || c->edge >= 0 || c->rank > x->rank)
		return 0;
	for (int i = 0; i < c->rank; i++)
		if (c->dims[i] != 1)
			return 0;
	if (mch_onnx_scalar(op, c, &bound) != 0)
		return -1;
	const int index = mch_onnx_append(op, MCH_CLIP, 1, &x->edge);
	if (index < 0)
		return -1;
	op->g->net->layers[index].clip.low = is_min ? -INFINITY : bound;
	op->g->net->layers[index].clip.high = is_min ? bound : INFINITY;
	const int edge = mch_onnx_infer(op, index);
	return edge < 0 || mch_onnx_emit_like(op, edge, x) != 0 ? -1 : 1;
}

/* -max(-a, -b, ...). */
static int read_minimum(const struct mch_onnx_op *op, int n, struct mch_onnx_value *in)
{
	struct mch_onnx_dims dims;
	int *edges = calloc((size_t)n, sizeof(*edges)), edge = -1;
	if (!edges)
		return mch_onnx_err(&op->node, "out of memory; use a machine with more");
	int status = mch_onnx_broadcast(op, n, in, -1, edges, &dims);
	for (int i = 0; status == 0 && i < n; i++) {
		edges[i] = mch_onnx_affine(op, edges[i], -1, 0);
		status = edges[i] < 0 ? -1 : 0;
	}
	if (status == 0)
		edge = mch_onnx_append(op, MCH_MAX, n, edges);
	free(edges);
	edge = edge < 0 ? -1 : mch_onnx_infer(op, edge);
	edge = edge < 0 ? -1 : mch_onnx_affine(op, edge, -1, 0);
	return edge < 0 ? -1 : mch_onnx_emit(op, 0, edge, &dims, in[0].type);
}

/* Sum, Mean, Max, Min of any number of inputs. */
static int read_many(const struct mch_onnx_op *op, int n, struct mch_onnx_value *in)
{
	const char *type = op->node.proto->op_type;
	const bool is_min = strcmp(type, "Min") == 0, is_max = strcmp(type, "Max") == 0;
	const int done = n == 2 && (is_min || is_max) ? read_bound(op, is_min, in) : 0;
	if (done)
		return done < 0 ? -1 : 0;
	if (is_min)
		return read_minimum(op, n, in);
	if (strcmp(type, "Mean") != 0)
		return join(op, is_max ? MCH_MAX : MCH_SUM, n, in, -1, NULL);
	float *share = malloc((size_t)n * sizeof(*share));
	if (!share)
		return mch_onnx_err(&op->node, "out of memory; use a machine with more");
	for (int i = 0; i < n; i++)
		share[i] = 1 / (float)n;
	const int status = join(op, MCH_SUM, n, in, -1, share);
	free(share);
	return status;
}

int mch_onnx_read_variadic(const struct mch_onnx_op *op)
{
	const size_t n = op->node.proto->n_input;
	if (n < 1 || n > 1024)
		return mch_onnx_err(&op->node, "it has %zu inputs, 1 to 1024 are supported; change the model", n);
	struct mch_onnx_value *in = malloc(n * sizeof(*in));
	if (!in)
		return mch_onnx_err(&op->node, "out of memory; use a machine with more");
	const int status = mch_onnx_inputs(op, n, n, in) != 0 ? -1 : read_many(op, (int)n, in);
	free(in);
	return status;
}
