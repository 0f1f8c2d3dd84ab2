/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Layers of several inputs, or of none, as ONNX; see onnx_emit.h. */
#include <stdio.h>

#include "io/onnx_emit.h"
#include "net/layer.h"

/* Vectors are left as they are among themselves; with an image all become images, so that sides of 1 repeat where
 * they should. */
static void same_rank(struct mch_emit *e)
{
	bool are_vectors = true;
	for (int i = 0; i < e->layer->n_in; i++)
		are_vectors = are_vectors && e->rank[e->layer->in[i]] == 2;
	for (int i = 0; !are_vectors && i < e->layer->n_in; i++)
		mch_emit_image(e, i);
	e->rank[e->layer->out[0]] = are_vectors ? 2 : 4;
}

static void put_all(struct mch_emit *e, const char *op_type, const char *const *values)
{
	MchOnnx__NodeProto *node = mch_emit_node(e, op_type, NULL);
	for (int i = 0; i < e->layer->n_in; i++)
		mch_emit_input(e, node, values[i]);
}

void mch_emit_sum(struct mch_emit *e)
{
	const float *times = e->layer->weights;
	const int n = e->layer->n_in;
	const char **terms = mch_emit_room(e, (size_t)n * sizeof(*terms));
	same_rank(e);
	if (!terms)
		return;
	e->is_marked = times != NULL || n != 2;
	if (times && n == 2 && times[0] == 1 && times[1] == -1) {
		put_all(e, "Sub", e->in);
		return;
	}
	for (int i = 0; i < n; i++) {
		char part[24];
		terms[i] = e->in[i];
		if (!times || times[i] == 1)
			continue;
		snprintf(part, sizeof(part), "times%d", i + 1);
		MchOnnx__NodeProto *node = mch_emit_node(e, "Mul", part);
		mch_emit_input(e, node, e->in[i]);
		mch_emit_scalar(e, node, part, times[i]);
		terms[i] = mch_emit_output(node);
	}
	put_all(e, n == 2 ? "Add" : "Sum", terms);
}

/* A maximum takes any number, a product two. */
void mch_emit_product(struct mch_emit *e)
{
	const int n = e->layer->n_in;
	same_rank(e);
	e->is_marked = n != 2;
	if (e->layer->kind == MCH_MAX || n < 2) {
		put_all(e, e->layer->kind == MCH_MAX ? "Max" : "Identity", e->in);
		return;
	}
	const char *product = e->in[0];
	for (int i = 1; i < n; i++) {
		char part[24];
		snprintf(part, sizeof(part), "product%d", i);
		MchOnnx__NodeProto *node = mch_emit_node(e, "Mul", i < n - 1 ? part : NULL);
		mch_emit_input(e, node, product);
		mch_emit_input(e, node, e->in[i]);
		product = mch_emit_output(node);
	}
}

/* Element-wise layers repeat a batch of 1 by themselves. */
static bool needs_batch(const struct mch_emit *e)
{
	const int edge = e->layer->out[0];
	bool needs = edge == e->net->output;
	for (int i = 0; i < e->net->n_layers; i++)
		for (int j = 0; j < e->net->layers[i].n_in; j++) {
			const enum mch_kind kind = e->net->layers[i].kind;
			needs = needs || (e->net->layers[i].in[j] == edge && kind != MCH_SUM && kind != MCH_PROD &&
					  kind != MCH_MAX);
		}
	return needs;
}

void mch_emit_constant(struct mch_emit *e)
{
	const struct mch_shape s = e->layer->shape;
	const int dims[] = {1, s.c, s.h, s.w};
	const int64_t first = 0, size[] = {s.c, s.h, s.w};
	e->rank[e->layer->out[0]] = 4;
	e->is_marked = true;
	if (!needs_batch(e)) {
		mch_emit_floats(e, mch_emit_node(e, "Identity", NULL), "value", e->layer->weights, 4, dims);
		return;
	}
	MchOnnx__NodeProto *shape = mch_emit_node(e, "Shape", "shape");
	mch_emit_input(e, shape, e->net->edges[e->net->input].name);
	MchOnnx__NodeProto *batch = mch_emit_node(e, "Gather", "batch");
	mch_emit_input(e, batch, mch_emit_output(shape));
	mch_emit_longs(e, batch, "first", 1, &first);
	mch_emit_int(e, batch, "axis", 0);
	MchOnnx__NodeProto *to = mch_emit_node(e, "Concat", "size");
	mch_emit_input(e, to, mch_emit_output(batch));
	mch_emit_longs(e, to, "image", 3, size);
	mch_emit_int(e, to, "axis", 0);
	MchOnnx__NodeProto *expand = mch_emit_node(e, "Expand", NULL);
	mch_emit_floats(e, expand, "value", e->layer->weights, 4, dims);
	mch_emit_input(e, expand, mch_emit_output(to));
}
