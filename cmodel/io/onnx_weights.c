/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* ONNX convolutions, one way and the other; see onnx_op.h. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "io/build.h"
#include "io/onnx_op.h"

/* A convolution being read: weights [dims 0][dims 1][r][s]. */
struct conv {
	struct mch_onnx_value in[3];
	struct mch_onnx_dims dims; /* of the input, behind the batch */
	int first;                 /* index of its channels */
	int n_axes, groups;
	int size[2]; /* of the input */
	struct mch_onnx_window w;
};

static int check_weights(const struct mch_onnx_op *op, const struct mch_onnx_value *w, int rank)
{
	if (!mch_onnx_is_constant(w))
		return mch_onnx_err(&op->node, "its weights \"%.64s\" are no constant; simplify the model", w->name);
	if (w->rank != rank)
		return mch_onnx_err(&op->node,
				    "its weights \"%.64s\" have %d dimensions, %d are expected; change the layer",
				    w->name, w->rank, rank);
	for (int i = 0; i < rank; i++)
		if (w->dims[i] < 1 || w->dims[i] > (i < 2 ? MCH_BUILD_CHANNELS_MAX : MCH_BUILD_SIDE_MAX))
			return mch_onnx_err(&op->node,
					    "its weights \"%.64s\" have a dimension of %lld; change the layer",
					    w->name, (long long)w->dims[i]);
	return 0;
}

/* All but the padding. */
static int read_common(const struct mch_onnx_op *op, struct conv *c)
{
	if (mch_onnx_inputs(op, 2, 3, c->in) != 0 || mch_onnx_image(op, &c->in[0], 1, 2, &c->dims, &c->first) != 0)
		return -1;
	const struct mch_onnx_value *w = &c->in[1];
	c->n_axes = c->dims.n - c->first - 1;
	if (check_weights(op, w, c->n_axes + 2) != 0 ||
	    mch_onnx_int(&op->node, "group", 1, MCH_BUILD_CHANNELS_MAX, 1, &c->groups) != 0 ||
	    mch_onnx_kernel(op, c->n_axes, &c->w) != 0)
		return -1;
	const int r = c->n_axes == 2 ? (int)w->dims[2] : 1, s = (int)w->dims[w->rank - 1];
	if (c->w.kernel[0] != 0 && (c->w.kernel[0] != r || c->w.kernel[1] != s))
		return mch_onnx_err(&op->node,
				    "kernel_shape and weights differ; the file is damaged, export it again");
	c->w.kernel[0] = r;
	c->w.kernel[1] = s;
	c->size[0] = c->n_axes == 2 ? (int)c->dims.size[c->first + 1] : 1;
	c->size[1] = (int)c->dims.size[c->dims.n - 1];
	return mch_onnx_window(op, c->n_axes, c->size, &c->w);
}

/* k is known: the layer, its weights and its bias. Its index. */
static int add_conv(const struct mch_onnx_op *op, const struct conv *c, enum mch_kind kind, int k)
{
	const struct mch_onnx_value *b = &c->in[2];
	const int x = mch_onnx_view(op, c->in[0].edge, c->dims.size[c->first], c->size[0], c->size[1]);
	const int index = x < 0 ? -1 : mch_onnx_append(op, kind, 1, &x);
	if (index < 0)
		return -1;
	struct mch_layer *layer = &op->g->net->layers[index];
	layer->conv = (struct mch_conv){.n = 1,
					.k = k,
					.r = c->w.kernel[0],
					.s = c->w.kernel[1],
					.stride_h = c->w.stride[0],
					.stride_w = c->w.stride[1],
					.pad_top = c->w.pad[0],
					.pad_left = c->w.pad[1],
					.pad_bottom = c->w.pad[2],
					.pad_right = c->w.pad[3],
					.dilation_h = c->w.dilation[0],
					.dilation_w = c->w.dilation[1],
					.groups = c->groups};
	if (mch_onnx_f32(op, &c->in[1], &layer->weights, &layer->n_weights) != 0)
		return -1;
	if (!b->name[0])
		return index;
	if (!mch_onnx_is_constant(b))
		return mch_onnx_err(&op->node, "its bias \"%.64s\" is no constant; simplify the model", b->name);
	if (b->rank != 1 || b->dims[0] != k)
		return mch_onnx_err(&op->node,
				    "its bias \"%.64s\" has not one value for each of %d channels; change the model",
				    b->name, k);
	return mch_onnx_f32(op, b, &layer->bias, &layer->n_bias) != 0 ? -1 : index;
}

static int emit_conv(const struct mch_onnx_op *op, struct conv *c, int index)
{
	const int edge = index < 0 ? -1 : mch_onnx_infer(op, index);
	if (edge < 0)
		return -1;
	const struct mch_shape s = op->g->net->edges[edge].shape;
	c->dims.size[c->first] = s.c;
	if (c->n_axes == 2)
		c->dims.size[c->first + 1] = s.h;
	c->dims.size[c->dims.n - 1] = s.w;
	return mch_onnx_emit(op, 0, edge, &c->dims, c->in[0].type);
}

int mch_onnx_read_conv(const struct mch_onnx_op *op)
{
	struct conv c;
	if (read_common(op, &c) != 0)
		return -1;
	return emit_conv(op, &c, add_conv(op, &c, MCH_CONV, (int)c.in[1].dims[0]));
}

/* The padding that gives the output the size that is asked for: output_shape, or stride times input (auto_pad SAME).
 * An odd pixel goes to the end with SAME_UPPER, else to the beginning, as the standard has it. A padding below 0
 * makes the output larger, which output_padding does too. */
static int pad_to_size(const struct mch_onnx_op *op, struct conv *c, const int want[2], bool is_upper, int out_pad[2])
{
	for (int axis = 0; axis < 2; axis++) {
		const long long whole = (long long)(c->size[axis] - 1) * c->w.stride[axis] +
					(long long)(c->w.kernel[axis] - 1) * c->w.dilation[axis] + 1 + out_pad[axis];
		long long total = whole - want[axis];
		if (total < 0) {
			out_pad[axis] -= (int)total;
			total = 0;
		}
		if (total > MCH_BUILD_SIDE_MAX)
			return mch_onnx_err(&op->node, "its padding is over %d; change the layer",
					    MCH_BUILD_SIDE_MAX);
		c->w.pad[axis] = (int)(is_upper ? total / 2 : total - total / 2);
		c->w.pad[axis + 2] = (int)total - c->w.pad[axis];
	}
	return 0;
}

static int read_output_size(const struct mch_onnx_op *op, struct conv *c, int out_pad[2])
{
	int pads[2] = {0, 0}, want[2] = {1, 1};
	char auto_pad[16];
	if (mch_onnx_ints(&op->node, "output_padding", c->n_axes, 0, MCH_BUILD_SIDE_MAX, 0, pads) != 0 ||
	    mch_onnx_text(&op->node, "auto_pad", "NOTSET", auto_pad, sizeof(auto_pad)) != 0)
		return -1;
	out_pad[0] = c->n_axes == 2 ? pads[0] : 0;
	out_pad[1] = pads[c->n_axes - 1];
	const bool is_upper = strcmp(auto_pad, "SAME_UPPER") == 0;
	const bool is_same = is_upper || strcmp(auto_pad, "SAME_LOWER") == 0;
	if (mch_onnx_find(&op->node, "output_shape")) {
		if (mch_onnx_ints(&op->node, "output_shape", c->n_axes, 1, MCH_BUILD_CHANNELS_MAX, 1,
				  want + 2 - c->n_axes) != 0)
			return -1;
		return pad_to_size(op, c, want, is_upper, out_pad);
	}
	for (int axis = 0; axis < 2 && is_same; axis++) {
		if (c->size[axis] > MCH_BUILD_CHANNELS_MAX / c->w.stride[axis])
			return mch_onnx_err(&op->node, "its output is too large; change the layer");
		want[axis] = c->size[axis] * c->w.stride[axis];
	}
	return is_same ? pad_to_size(op, c, want, is_upper, out_pad) : 0;
}

/* Weights [c][k / groups][r][s], as ours. */
int mch_onnx_read_deconv(const struct mch_onnx_op *op)
{
	struct conv c;
	int out_pad[2];
	if (read_common(op, &c) != 0 || read_output_size(op, &c, out_pad) != 0)
		return -1;
	if (c.in[1].dims[0] != c.dims.size[c.first] || c.in[1].dims[1] > MCH_BUILD_CHANNELS_MAX / c.groups)
		return mch_onnx_err(&op->node,
				    "its weights \"%.64s\" are for %lld channels, its input has %lld; export the "
				    "model again",
				    c.in[1].name, (long long)c.in[1].dims[0], (long long)c.dims.size[c.first]);
	const int index = add_conv(op, &c, MCH_DECONV, (int)c.in[1].dims[1] * c.groups);
	if (index < 0)
		return -1;
	op->g->net->layers[index].out_pad_h = out_pad[0];
	op->g->net->layers[index].out_pad_w = out_pad[1];
	return emit_conv(op, &c, index);
}
