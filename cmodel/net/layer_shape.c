/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Shapes of all layers, and what their definitions must keep to; see layer.h. Everything here may come from a file:
 * each product and sum is bounded before it is made. */
#include <limits.h>
#include <math.h>

#include "net/layer.h"

enum {
	WINDOW_MAX = 1 << 15, /* positions of a pool: op/pool.h */
	KERNEL_MAX = 1 << 12, /* rows or columns of a convolution's kernel, and its dilation: 2^24 rows at most */
	PAD_MAX = 1 << 24, /* what a deconv of the largest kernel has when it is lowered */
	SIDE_MAX = 1 << 26, /* rows or columns: with any padding and kernel below 2^27 */
	LRN_MAX = 1 << 12
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

int mch_infer_same(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out, struct mch_err *err)
{
	(void)layer, (void)err;
	*out = in[0];
	return 0;
}

int mch_infer_flat(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out, struct mch_err *err)
{
	(void)layer, (void)err;
	*out = (struct mch_shape){1, in->c * in->h * in->w, 1, 1};
	return 0;
}

static bool is_pad(int pad, int max)
{
	return pad >= 0 && pad <= max;
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
		return mch_err_set(
			err, "geometry",
			"channels %d, kernel %dx%d, stride %dx%d, dilation %dx%d, groups %d: all must be at "
			"least 1; correct the definition",
			g->k, g->r, g->s, g->stride_h, g->stride_w, g->dilation_h, g->dilation_w, g->groups);
	if (!is_pad(g->pad_top, PAD_MAX) || !is_pad(g->pad_left, PAD_MAX) || !is_pad(g->pad_bottom, PAD_MAX) ||
	    !is_pad(g->pad_right, PAD_MAX) || g->r > KERNEL_MAX || g->s > KERNEL_MAX || g->dilation_h > KERNEL_MAX ||
	    g->dilation_w > KERNEL_MAX)
		return mch_err_set(
			err, "geometry",
			"kernel %dx%d, dilation %dx%d, pad %d,%d,%d,%d: kernel and dilation go up to %d, pads "
			"from 0 to %d; correct the definition",
			g->r, g->s, g->dilation_h, g->dilation_w, g->pad_top, g->pad_left, g->pad_bottom,
			g->pad_right, KERNEL_MAX, PAD_MAX);
	if (g->c % g->groups || g->k % g->groups)
		return mch_err_set(err, "groups",
				   "%d groups do not divide %d input and %d output channels; correct the definition",
				   g->groups, g->c, g->k);
	if (mch_conv_terms(g) > (size_t)INT_MAX / (size_t)g->k)
		return mch_err_set(err, "size", "the weights have over 2^31 elements; use a smaller layer");
	return 0;
}

int mch_infer_conv(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out, struct mch_err *err)
{
	const struct mch_conv *g = &layer->conv;
	if (check_conv(layer, in, err) != 0)
		return -1;
	*out = (struct mch_shape){1, g->k, mch_conv_p(g), mch_conv_q(g)};
	if (out->h < 1 || out->w < 1)
		return mch_err_set(
			err, "kernel",
			"%dx%d (dilation %dx%d) does not fit the padded input of %dx%d; give a larger input", g->r,
			g->s, g->dilation_h, g->dilation_w, g->h, g->w);
	return check_size(out, err);
}

/* Rows more at the output's end make sense up to where the next input row, or the next kernel row, would reach. */
static bool is_out_pad(int out_pad, int stride, int dilation)
{
	return out_pad >= 0 && (out_pad < stride || out_pad < dilation);
}

int mch_infer_deconv(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out, struct mch_err *err)
{
	const struct mch_conv *g = &layer->conv;
	if (check_conv(layer, in, err) != 0)
		return -1;
	if (!is_out_pad(layer->out_pad_h, g->stride_h, g->dilation_h) ||
	    !is_out_pad(layer->out_pad_w, g->stride_w, g->dilation_w))
		return mch_err_set(err, "output padding",
				   "%d,%d must be at least 0 and below stride or dilation; correct the definition",
				   layer->out_pad_h, layer->out_pad_w);
	if ((long long)g->h * g->stride_h > SIDE_MAX || (long long)g->w * g->stride_w > SIDE_MAX)
		return mch_err_set(err, "size", "the output has over 2^26 rows or columns; use a smaller layer");
	*out = (struct mch_shape){1, g->k, mch_deconv_p(layer), mch_deconv_q(layer)};
	if (out->h < 1 || out->w < 1)
		return mch_err_set(err, "pad", "nothing is left of the output; correct the definition");
	return check_size(out, err);
}

int mch_infer_dense(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out, struct mch_err *err)
{
	const struct mch_shape flat = {1, in->c * in->h * in->w, 1, 1};
	layer->conv = mch_dense_geometry(1, flat.c, layer->conv.k);
	return mch_infer_conv(layer, &flat, out, err);
}

static int check_pool(const struct mch_pool *g, struct mch_err *err)
{
	if (g->r < 1 || g->s < 1 || g->stride_h < 1 || g->stride_w < 1 || g->dilation_h < 1 || g->dilation_w < 1 ||
	    g->r > WINDOW_MAX / g->s || g->stride_h > SIDE_MAX || g->stride_w > SIDE_MAX ||
	    g->dilation_h > SIDE_MAX / g->r || g->dilation_w > SIDE_MAX / g->s)
		return mch_err_set(
			err, "window",
			"%dx%d with stride %dx%d and dilation %dx%d is not usable; 1 to %d positions over at most "
			"2^26 rows and columns, and strides of at least 1 are",
			g->r, g->s, g->stride_h, g->stride_w, g->dilation_h, g->dilation_w, WINDOW_MAX);
	const int max_h = (g->r - 1) * g->dilation_h, max_w = (g->s - 1) * g->dilation_w;
	if (!is_pad(g->pad_top, max_h) || !is_pad(g->pad_bottom, max_h) || !is_pad(g->pad_left, max_w) ||
	    !is_pad(g->pad_right, max_w))
		return mch_err_set(
			err, "pad",
			"%d,%d,%d,%d must be at least 0 and below the window's size; correct the definition",
			g->pad_top, g->pad_left, g->pad_bottom, g->pad_right);
	return 0;
}

/* A window without a position inside the input would have no value; the holes of a dilated one can do that. */
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

int mch_infer_pool(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out, struct mch_err *err)
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
		return mch_err_set(
			err, "window",
			"%dx%d with dilation %dx%d sees nothing but padding somewhere; correct the definition", g->r,
			g->s, g->dilation_h, g->dilation_w);
	return check_size(out, err);
}

int mch_infer_norm(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out, struct mch_err *err)
{
	const double epsilon = layer->norm.epsilon;
	layer->norm.channels = in->c;
	*out = in[0];
	if (layer->kind != MCH_BATCH_NORM)
		return 0;
	if (!(epsilon >= 0))
		return mch_err_set(err, "epsilon", "%g must be at least 0; correct the definition", epsilon);
	for (int c = 0; layer->variance && c < in->c; c++)
		if (!((double)layer->variance[c] + epsilon > 0))
			return mch_err_set(err, "variance", "%g of channel %d has no root; train the network again",
					   (double)layer->variance[c], c);
	return 0;
}

int mch_infer_lrn(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out, struct mch_err *err)
{
	const struct mch_lrn *lrn = &layer->lrn;
	*out = in[0];
	if (lrn->size < 1 || lrn->size > LRN_MAX)
		return mch_err_set(err, "size", "%d must be from 1 to %d; correct the definition", lrn->size,
				   LRN_MAX);
	if (lrn->is_within && lrn->size % 2 == 0)
		return mch_err_set(err, "size", "%d must be odd within a channel; correct the definition", lrn->size);
	if (!isfinite(lrn->alpha) || !isfinite(lrn->beta) || !isfinite(lrn->k))
		return mch_err_set(err, "lrn", "alpha %g, beta %g and k %g must be finite; correct the definition",
				   lrn->alpha, lrn->beta, lrn->k);
	return 0;
}

static bool do_fit(int a, int b)
{
	return a == b || a == 1 || b == 1;
}

/* A side of 1 repeats. */
int mch_infer_eltwise(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out, struct mch_err *err)
{
	*out = in[0];
	for (int i = 1; i < layer->n_in; i++) {
		const int c = in[i].c, h = in[i].h, w = in[i].w;
		if (!do_fit(c, out->c) || !do_fit(h, out->h) || !do_fit(w, out->w))
			return mch_err_set(err, "inputs",
					   "of %dx%dx%d and %dx%dx%d do not fit each other; correct the definition",
					   out->c, out->h, out->w, c, h, w);
		out->c = c > out->c ? c : out->c;
		out->h = h > out->h ? h : out->h;
		out->w = w > out->w ? w : out->w;
	}
	return check_size(out, err);
}

static int *side(struct mch_shape *s, int axis)
{
	return axis == 1 ? &s->c : axis == 2 ? &s->h : &s->w;
}

int mch_infer_concat(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out, struct mch_err *err)
{
	const int axis = layer->axis;
	if (axis < 1 || axis > 3)
		return mch_err_set(err, "axis", "%d must be 1 (channels), 2 or 3; correct the definition", axis);
	*out = in[0];
	for (int i = 1; i < layer->n_in; i++) {
		struct mch_shape other = in[i];
		const int more = *side(&other, axis), have = *side(out, axis);
		*side(&other, axis) = have;
		if (other.c != out->c || other.h != out->h || other.w != out->w)
			return mch_err_set(err, "inputs",
					   "of %dx%dx%d and %dx%dx%d differ beside the axis; correct the definition",
					   in[0].c, in[0].h, in[0].w, in[i].c, in[i].h, in[i].w);
		if (have > INT_MAX - more)
			return mch_err_set(err, "size", "the output has over 2^31 elements; use a smaller layer");
		*side(out, axis) = have + more;
		if (check_size(out, err) != 0)
			return -1;
	}
	return 0;
}

int mch_infer_gather(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out, struct mch_err *err)
{
	const struct mch_gather *g = &layer->gather;
	const int size[3] = {g->n_c, g->n_h, g->n_w}, limit[3] = {in->c, in->h, in->w};
	const int *at = g->at;
	if (g->n_c < 1 || g->n_h < 1 || g->n_w < 1)
		return mch_err_set(err, "shape", "%dx%dx%d is not usable; correct the definition", g->n_c, g->n_h,
				   g->n_w);
	for (int axis = 0; axis < 3; axis++)
		for (int i = 0; i < size[axis]; i++, at++)
			if (*at < -1 || *at >= limit[axis])
				return mch_err_set(err, "index",
						   "%d is outside the input of %dx%dx%d; correct the definition", *at,
						   in->c, in->h, in->w);
	*out = (struct mch_shape){1, g->n_c, g->n_h, g->n_w};
	return check_size(out, err);
}

/* RESHAPE and CONSTANT tell their shape. */
int mch_infer_shape(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out, struct mch_err *err)
{
	*out = layer->shape;
	out->n = 1;
	if (out->c < 1 || out->h < 1 || out->w < 1)
		return mch_err_set(err, "shape", "%dx%dx%d is not usable; correct the definition", out->c, out->h,
				   out->w);
	if (check_size(out, err) != 0)
		return -1;
	if (layer->n_in && mch_shape_elems(*out) != mch_shape_elems(in[0]))
		return mch_err_set(
			err, "shape",
			"%dx%dx%d has not as many elements as the input of %dx%dx%d; correct the definition", out->c,
			out->h, out->w, in->c, in->h, in->w);
	return 0;
}

int mch_infer_transpose(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out,
			struct mch_err *err)
{
	const int *order = layer->order, size[3] = {in->c, in->h, in->w};
	for (int i = 0; i < 3; i++)
		if (order[i] < 0 || order[i] > 2 || order[i] == order[(i + 1) % 3])
			return mch_err_set(err, "order", "%d,%d,%d is no order of three axes; correct the definition",
					   order[0], order[1], order[2]);
	*out = (struct mch_shape){1, size[order[0]], size[order[1]], size[order[2]]};
	return 0;
}
