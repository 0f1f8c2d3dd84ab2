/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The layer table and the shapes; see layer.h. */
#include "net/layer.h"

#include <limits.h>

enum {
	WINDOW_MAX = 1 << 15, /* positions: op/pool.h */
	SIDE_MAX = 1 << 26,   /* rows or columns: no sum of a few of them leaves an int */
};

/* Of an output whose sides are positive. */
static int check_size(const struct mch_shape *out, struct mch_err *err)
{
	if ((long long)out->c * out->h > INT_MAX / out->w)
		return mch_err_set(err, "size", "the output has over 2^31 elements; use a smaller layer");
	return 0;
}

/* Of an input that a window runs over. */
static int check_sides(const struct mch_shape *in, struct mch_err *err)
{
	if (in->h > SIDE_MAX || in->w > SIDE_MAX)
		return mch_err_set(err, "size", "the input has over 2^26 rows or columns; use a smaller one");
	return 0;
}

static int infer_same(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out, struct mch_err *err)
{
	(void)layer, (void)err;
	*out = in[0];
	return 0;
}

static int infer_flat(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out, struct mch_err *err)
{
	(void)layer, (void)err;
	*out = (struct mch_shape){1, in->c * in->h * in->w, 1, 1};
	return 0;
}

/* Kernel, stride, pad, dilation and groups of a convolution, one way or the other. */
static int check_conv(struct mch_layer *layer, const struct mch_shape *in, struct mch_err *err)
{
	struct mch_conv *g = &layer->conv;
	g->n = 1, g->c = in->c, g->h = in->h, g->w = in->w;
	if (check_sides(in, err) != 0)
		return -1;
	if (g->k < 1 || g->r < 1 || g->s < 1 || g->stride_h < 1 || g->stride_w < 1 || g->dilation_h < 1 ||
	    g->dilation_w < 1 || g->groups < 1)
		return mch_err_set(err, "geometry", "channels %d, kernel %dx%d, stride %dx%d, dilation %dx%d, groups %d: "
				   "all must be at least 1; correct the definition", g->k, g->r, g->s, g->stride_h,
				   g->stride_w, g->dilation_h, g->dilation_w, g->groups);
	if (g->pad_top < 0 || g->pad_left < 0 || g->pad_bottom < 0 || g->pad_right < 0 || g->r > 4096 || g->s > 4096 ||
	    g->dilation_h > 4096 || g->dilation_w > 4096 || g->pad_top > 1 << 20 || g->pad_left > 1 << 20 ||
	    g->pad_bottom > 1 << 20 || g->pad_right > 1 << 20)
		return mch_err_set(err, "geometry", "pad, kernel or dilation out of range; correct the definition");
	if (g->c % g->groups || g->k % g->groups)
		return mch_err_set(err, "groups", "%d groups do not divide %d input and %d output channels; correct the "
				   "definition", g->groups, g->c, g->k);
	if (mch_conv_terms(g) > (size_t)INT_MAX / (size_t)g->k)
		return mch_err_set(err, "size", "the weights have over 2^31 elements; use a smaller layer");
	return 0;
}

static int infer_conv(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out, struct mch_err *err)
{
	const struct mch_conv *g = &layer->conv;
	if (check_conv(layer, in, err) != 0)
		return -1;
	*out = (struct mch_shape){1, g->k, mch_conv_p(g), mch_conv_q(g)};
	if (out->h < 1 || out->w < 1)
		return mch_err_set(err, "kernel", "%dx%d (dilation %dx%d) does not fit the padded input of %dx%d; "
				   "give a larger input", g->r, g->s, g->dilation_h, g->dilation_w, g->h, g->w);
	return check_size(out, err);
}

static int infer_deconv(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out, struct mch_err *err)
{
	const struct mch_conv *g = &layer->conv;
	if (check_conv(layer, in, err) != 0)
		return -1;
	if (layer->out_pad_h < 0 || layer->out_pad_w < 0 ||
	    (layer->out_pad_h >= g->stride_h && layer->out_pad_h >= g->dilation_h) ||
	    (layer->out_pad_w >= g->stride_w && layer->out_pad_w >= g->dilation_w))
		return mch_err_set(err, "output padding", "%d,%d must be at least 0 and below stride or dilation; correct the "
				   "definition", layer->out_pad_h, layer->out_pad_w);
	if ((long long)g->h * g->stride_h > 1 << 26 || (long long)g->w * g->stride_w > 1 << 26)
		return mch_err_set(err, "size", "the output has over 2^26 rows or columns; use a smaller layer");
	*out = (struct mch_shape){1, g->k, mch_deconv_p(layer), mch_deconv_q(layer)};
	if (out->h < 1 || out->w < 1)
		return mch_err_set(err, "pad", "nothing is left of the output; correct the definition");
	return check_size(out, err);
}

static int infer_dense(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out, struct mch_err *err)
{
	const struct mch_shape flat = {1, in->c * in->h * in->w, 1, 1};
	layer->conv = mch_dense_geometry(1, flat.c, layer->conv.k);
	return infer_conv(layer, &flat, out, err);
}

/* Every window has at least one position inside the input: one without would have no value. */
static bool has_empty_window(const struct mch_pool *g)
{
	for (int p = 0; p < mch_pool_p(g); p++) {
		const struct mch_window rows = mch_pool_rows(g, p);
		if (mch_window_positions(&rows) == 0)
			return true;
	}
	for (int q = 0; q < mch_pool_q(g); q++) {
		const struct mch_window cols = mch_pool_cols(g, q);
		if (mch_window_positions(&cols) == 0)
			return true;
	}
	return false;
}

static int check_pool(const struct mch_pool *g, struct mch_err *err)
{
	if (g->r < 1 || g->s < 1 || g->stride_h < 1 || g->stride_w < 1 || g->dilation_h < 1 || g->dilation_w < 1 ||
	    g->r > WINDOW_MAX / g->s || g->stride_h > SIDE_MAX || g->stride_w > SIDE_MAX)
		return mch_err_set(err, "window", "%dx%d with stride %dx%d and dilation %dx%d is not usable; 1 to 32768 positions "
				   "and strides and dilations of at least 1 are", g->r, g->s, g->stride_h, g->stride_w,
				   g->dilation_h, g->dilation_w);
	if (g->dilation_h > SIDE_MAX / g->r || g->dilation_w > SIDE_MAX / g->s)
		return mch_err_set(err, "window", "%dx%d with dilation %dx%d spans over 2^26 rows or columns; correct the "
				   "definition", g->r, g->s, g->dilation_h, g->dilation_w);
	if (g->pad_top < 0 || g->pad_left < 0 || g->pad_bottom < 0 || g->pad_right < 0 ||
	    g->pad_top > (g->r - 1) * g->dilation_h || g->pad_bottom > (g->r - 1) * g->dilation_h ||
	    g->pad_left > (g->s - 1) * g->dilation_w || g->pad_right > (g->s - 1) * g->dilation_w)
		return mch_err_set(err, "pad", "must be at least 0 and below the window's size; correct the definition");
	return 0;
}

static int infer_pool(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out, struct mch_err *err)
{
	struct mch_pool *g = &layer->pool;
	g->n = 1, g->c = in->c, g->h = in->h, g->w = in->w;
	if (check_sides(in, err) != 0 || check_pool(g, err) != 0)
		return -1;
	*out = (struct mch_shape){1, in->c, mch_pool_p(g), mch_pool_q(g)};
	if (out->h < 1 || out->w < 1)
		return mch_err_set(err, "window", "%dx%d does not fit the padded input of %dx%d; give a larger input",
				   g->r, g->s, g->h, g->w);
	if (has_empty_window(g))
		return mch_err_set(err, "window", "%dx%d with dilation %dx%d lies in the padding alone somewhere; correct the "
				   "definition", g->r, g->s, g->dilation_h, g->dilation_w);
	return check_size(out, err);
}

static int infer_norm(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out, struct mch_err *err)
{
	layer->norm.channels = in->c;
	if (layer->kind == MCH_BATCH_NORM && !(layer->norm.epsilon >= 0))
		return mch_err_set(err, "epsilon", "%g must be at least 0; correct the definition", layer->norm.epsilon);
	*out = in[0];
	return 0;
}

static int infer_lrn(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out, struct mch_err *err)
{
	const struct mch_lrn *lrn = &layer->lrn;
	if (lrn->size < 1 || lrn->size % 2 == 0 || lrn->size > 4095)
		return mch_err_set(err, "size", "%d must be odd, from 1 to 4095; correct the definition", lrn->size);
	*out = in[0];
	return 0;
}

/* A side of 1 repeats. */
static int infer_eltwise(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out, struct mch_err *err)
{
	*out = in[0];
	for (int i = 1; i < layer->n_in; i++) {
		const int c = in[i].c, h = in[i].h, w = in[i].w;
		if ((c != out->c && c != 1 && out->c != 1) || (h != out->h && h != 1 && out->h != 1) ||
		    (w != out->w && w != 1 && out->w != 1))
			return mch_err_set(err, "inputs", "of %dx%dx%d and %dx%dx%d do not fit each other; correct the "
					   "definition", out->c, out->h, out->w, c, h, w);
		*out = (struct mch_shape){1, c > out->c ? c : out->c, h > out->h ? h : out->h, w > out->w ? w : out->w};
	}
	return check_size(out, err);
}

static int *side(struct mch_shape *s, int axis)
{
	return axis == 1 ? &s->c : axis == 2 ? &s->h : &s->w;
}

static int infer_concat(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out, struct mch_err *err)
{
	const int axis = layer->axis;
	if (axis < 1 || axis > 3)
		return mch_err_set(err, "axis", "%d must be 1 (channels), 2 or 3; correct the definition", axis);
	*out = in[0];
	for (int i = 1; i < layer->n_in; i++) {
		struct mch_shape other = in[i];
		const int more = *side(&other, axis);
		*side(&other, axis) = *side(out, axis);
		if (other.c != out->c || other.h != out->h || other.w != out->w)
			return mch_err_set(err, "inputs", "of %dx%dx%d and %dx%dx%d differ beside the axis; correct the "
					   "definition", in[0].c, in[0].h, in[0].w, in[i].c, in[i].h, in[i].w);
		if (*side(out, axis) > INT_MAX - more)
			return mch_err_set(err, "size", "the output has over 2^31 elements; use a smaller layer");
		*side(out, axis) += more;
		if (check_size(out, err) != 0)
			return -1;
	}
	return 0;
}

static int infer_gather(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out, struct mch_err *err)
{
	const struct mch_gather *g = &layer->gather;
	const int size[3] = {g->n_c, g->n_h, g->n_w}, limit[3] = {in->c, in->h, in->w};
	const int *at = g->at;
	if (g->n_c < 1 || g->n_h < 1 || g->n_w < 1)
		return mch_err_set(err, "output", "%dx%dx%d has no elements; correct the definition", g->n_c, g->n_h, g->n_w);
	for (int axis = 0; axis < 3; axis++)
		for (int i = 0; i < size[axis]; i++, at++)
			if (*at < -1 || *at >= limit[axis])
				return mch_err_set(err, "index", "%d is outside the input of %dx%dx%d; correct the definition",
						   *at, in->c, in->h, in->w);
	*out = (struct mch_shape){1, g->n_c, g->n_h, g->n_w};
	return check_size(out, err);
}

/* RESHAPE and CONSTANT tell their shape. */
static int infer_shape(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out, struct mch_err *err)
{
	*out = layer->shape;
	out->n = 1;
	if (out->c < 1 || out->h < 1 || out->w < 1)
		return mch_err_set(err, "shape", "%dx%dx%d is not usable; correct the definition", out->c, out->h, out->w);
	if (check_size(out, err) != 0)
		return -1;
	if (layer->n_in && mch_shape_elems(*out) != mch_shape_elems(in[0]))
		return mch_err_set(err, "shape", "%dx%dx%d has not as many elements as the input of %dx%dx%d; correct the "
				   "definition", out->c, out->h, out->w, in->c, in->h, in->w);
	return 0;
}

static int infer_transpose(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out,
			   struct mch_err *err)
{
	const int *order = layer->order, size[3] = {in->c, in->h, in->w};
	for (int i = 0; i < 3; i++)
		if (order[i] < 0 || order[i] > 2 || order[i] == order[(i + 1) % 3])
			return mch_err_set(err, "order", "%d,%d,%d is none of three axes; correct the definition", order[0],
					   order[1], order[2]);
	*out = (struct mch_shape){1, size[order[0]], size[order[1]], size[order[2]]};
	return 0;
}

/* Columns: name, Caffe's, Caffe V1's and ONNX's names, inputs, weights, identity, shapes, plain float. */
const struct mch_layer_row mch_layer_table[MCH_N_KINDS] = {
	[MCH_CONV] = {"conv", "Convolution", "CONVOLUTION", "Conv", 1, 1, MCH_WEIGHTS_MAC, false, infer_conv, mch_run_conv},
	[MCH_DENSE] = {"dense", "InnerProduct", "INNER_PRODUCT", "Gemm", 1, 1, MCH_WEIGHTS_MAC, false, infer_dense,
		       mch_run_conv},
	[MCH_DECONV] = {"deconv", "Deconvolution", "DECONVOLUTION", "ConvTranspose", 1, 1, MCH_WEIGHTS_MAC, false,
			infer_deconv, mch_run_deconv},
	[MCH_RELU] = {"relu", "ReLU", "RELU", "Relu", 1, 1, MCH_WEIGHTS_NONE, false, infer_same, mch_run_map},
	[MCH_CLIP] = {"clip", "ReLU6", NULL, "Clip", 1, 1, MCH_WEIGHTS_NONE, false, infer_same, mch_run_map},
	[MCH_LEAKY_RELU] = {"leaky relu", NULL, NULL, "LeakyRelu", 1, 1, MCH_WEIGHTS_NONE, false, infer_same, mch_run_map},
	[MCH_PRELU] = {"prelu", "PReLU", NULL, "PRelu", 1, 1, MCH_WEIGHTS_CHANNEL, false, infer_norm, mch_run_map},
	[MCH_SIGMOID] = {"sigmoid", "Sigmoid", "SIGMOID", "Sigmoid", 1, 1, MCH_WEIGHTS_NONE, false, infer_same, mch_run_map},
	[MCH_TANH] = {"tanh", "TanH", "TANH", "Tanh", 1, 1, MCH_WEIGHTS_NONE, false, infer_same, mch_run_map},
	[MCH_SOFTMAX] = {"softmax", "Softmax", "SOFTMAX", "Softmax", 1, 1, MCH_WEIGHTS_NONE, false, infer_same,
			 mch_run_softmax},
	[MCH_LOG_SOFTMAX] = {"log softmax", NULL, NULL, "LogSoftmax", 1, 1, MCH_WEIGHTS_NONE, false, infer_same,
			     mch_run_softmax},
	[MCH_POOL_MAX] = {"max pool", "Pooling", "POOLING", "MaxPool", 1, 1, MCH_WEIGHTS_NONE, false, infer_pool,
			  mch_run_pool},
	[MCH_POOL_AVG] = {"average pool", "Pooling", "POOLING", "AveragePool", 1, 1, MCH_WEIGHTS_NONE, false, infer_pool,
			  mch_run_pool},
	[MCH_LRN] = {"lrn", "LRN", "LRN", "LRN", 1, 1, MCH_WEIGHTS_NONE, false, infer_lrn, mch_run_lrn},
	[MCH_BATCH_NORM] = {"batch norm", "BatchNorm", NULL, "BatchNormalization", 1, 1, MCH_WEIGHTS_CHANNEL, false,
			    infer_norm, mch_run_map},
	[MCH_SCALE] = {"scale", "Scale", NULL, "Mul", 1, 1, MCH_WEIGHTS_CHANNEL, false, infer_norm, mch_run_map},
	[MCH_SUM] = {"sum", "Eltwise", "ELTWISE", "Add", 1, 1024, MCH_WEIGHTS_NONE, false, infer_eltwise, mch_run_eltwise},
	[MCH_PROD] = {"product", "Eltwise", "ELTWISE", "Mul", 1, 1024, MCH_WEIGHTS_NONE, false, infer_eltwise,
		      mch_run_eltwise},
	[MCH_MAX] = {"maximum", "Eltwise", "ELTWISE", "Max", 1, 1024, MCH_WEIGHTS_NONE, false, infer_eltwise,
		     mch_run_eltwise},
	[MCH_CONCAT] = {"concat", "Concat", "CONCAT", "Concat", 1, 1024, MCH_WEIGHTS_NONE, false, infer_concat,
			mch_run_concat},
	[MCH_SLICE] = {"slice", "Slice", "SLICE", "Slice", 1, 1, MCH_WEIGHTS_NONE, false, infer_gather, mch_run_gather},
	[MCH_PAD] = {"pad", NULL, NULL, "Pad", 1, 1, MCH_WEIGHTS_NONE, false, infer_gather, mch_run_gather},
	[MCH_UPSAMPLE] = {"upsample", NULL, NULL, "Resize", 1, 1, MCH_WEIGHTS_NONE, false, infer_gather, mch_run_gather},
	[MCH_FLATTEN] = {"flatten", "Flatten", "FLATTEN", "Flatten", 1, 1, MCH_WEIGHTS_NONE, true, infer_flat,
			 mch_run_same},
	[MCH_RESHAPE] = {"reshape", "Reshape", NULL, "Reshape", 1, 1, MCH_WEIGHTS_NONE, true, infer_shape, mch_run_same},
	[MCH_TRANSPOSE] = {"transpose", NULL, NULL, "Transpose", 1, 1, MCH_WEIGHTS_NONE, false, infer_transpose,
			   mch_run_transpose},
	[MCH_DROPOUT] = {"dropout", "Dropout", "DROPOUT", "Dropout", 1, 1, MCH_WEIGHTS_NONE, true, infer_same,
			 mch_run_same},
	[MCH_CONSTANT] = {"constant", NULL, NULL, "Constant", 0, 0, MCH_WEIGHTS_NONE, false, infer_shape,
			  mch_run_constant},
};
