/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Caffe's layers that multiply and accumulate, and its pools; see caffe_layer.h. */
#include <limits.h>
#include <string.h>

#include "io/build.h"
#include "io/caffe_layer.h"

/* num_output and bias_term. */
static int read_outputs(const struct mch_caffe_layer *l, int *k, bool *has_bias)
{
	if (mch_caffe_int(l, "num_output", 1, MCH_BUILD_CHANNELS_MAX, 0, k) != 0 ||
	    mch_caffe_bool(l, "bias_term", true, has_bias) != 0)
		return -1;
	return *k > 0 ? 0 : mch_caffe_complain(l, l->param, "num_output is missing; add it");
}

/* Depthwise types say nothing of groups: one for each channel. */
static int default_groups(const struct mch_caffe_layer *l)
{
	return strstr(l->type->type, "epthwise") ? mch_caffe_in_shape(l, 0).c : 1;
}

static int read_geometry(const struct mch_caffe_layer *l, struct mch_conv *g, bool *has_bias)
{
	*g = (struct mch_conv){.n = 1};
	if (read_outputs(l, &g->k, has_bias) != 0 || mch_caffe_only_int(l, "axis", 1) != 0 ||
	    mch_caffe_pair(l, "kernel_size", "kernel_h", "kernel_w", 1, 0, &g->r, &g->s) != 0 ||
	    mch_caffe_pair(l, "stride", "stride_h", "stride_w", 1, 1, &g->stride_h, &g->stride_w) != 0 ||
	    mch_caffe_pair(l, "pad", "pad_h", "pad_w", 0, 0, &g->pad_top, &g->pad_left) != 0 ||
	    mch_caffe_pair(l, "dilation", NULL, NULL, 1, 1, &g->dilation_h, &g->dilation_w) != 0 ||
	    mch_caffe_int(l, "group", 1, MCH_BUILD_CHANNELS_MAX, default_groups(l), &g->groups) != 0)
		return -1;
	g->pad_bottom = g->pad_top;
	g->pad_right = g->pad_left;
	return 0;
}

static int read_window(struct mch_caffe_layer *l, enum mch_kind kind)
{
	struct mch_conv g;
	bool has_bias;
	if (read_geometry(l, &g, &has_bias) != 0)
		return -1;
	const int index = mch_caffe_add(l, kind, 1, l->in, 0);
	if (index < 0)
		return -1;
	l->caffe->net->layers[index].conv = g;
	l->caffe->net->layers[index].n_bias = has_bias ? (size_t)g.k : 0;
	return mch_caffe_plan(l, index, MCH_CAFFE_WEIGHTS);
}

int mch_caffe_read_conv(struct mch_caffe_layer *l)
{
	return read_window(l, MCH_CONV);
}

int mch_caffe_read_deconv(struct mch_caffe_layer *l)
{
	return read_window(l, MCH_DECONV);
}

int mch_caffe_read_dense(struct mch_caffe_layer *l)
{
	int k, axis;
	bool has_bias, is_transposed;
	if (read_outputs(l, &k, &has_bias) != 0 || mch_caffe_axis(l, "axis", 1, &axis) != 0 ||
	    mch_caffe_bool(l, "transpose", false, &is_transposed) != 0)
		return -1;
	if (axis != 1)
		return mch_caffe_complain(l, mch_prototxt_find(l->param, "axis"),
					  "axis is %d, only 1 is supported; rewrite the layer", axis);
	const int index = mch_caffe_add(l, MCH_DENSE, 1, l->in, 0);
	if (index < 0)
		return -1;
	l->caffe->net->layers[index].conv = mch_dense_geometry(1, 0, k);
	l->caffe->net->layers[index].n_bias = has_bias ? (size_t)k : 0;
	l->n_axes = 2;
	return mch_caffe_plan(l, index, is_transposed ? MCH_CAFFE_TRANSPOSED : MCH_CAFFE_WEIGHTS);
}

const char *mch_caffe_look_pool(const struct mch_prototxt *param)
{
	const struct mch_prototxt *pool = mch_prototxt_find(param, "pool");
	return mch_caffe_is_word(pool, "STOCHASTIC", "2") ? "pool: STOCHASTIC" : NULL;
}

static int read_pool_window(const struct mch_caffe_layer *l, struct mch_pool *g)
{
	bool is_global;
	if (mch_caffe_bool(l, "global_pooling", false, &is_global) != 0)
		return -1;
	if (!is_global)
		return mch_caffe_pair(l, "kernel_size", "kernel_h", "kernel_w", 1, 0, &g->r, &g->s);
	g->r = mch_caffe_in_shape(l, 0).h;
	g->s = mch_caffe_in_shape(l, 0).w;
	return 0;
}

/* round_mode: FLOOR, of newer Caffes, or ceil_mode: false, of some others. */
static int read_rounding(const struct mch_caffe_layer *l, bool *is_ceil)
{
	const struct mch_prototxt *round = mch_prototxt_find(l->param, "round_mode");
	if (mch_caffe_bool(l, "ceil_mode", true, is_ceil) != 0)
		return -1;
	if (round && !mch_caffe_is_word(round, "CEIL", "0") && !mch_caffe_is_word(round, "FLOOR", "1"))
		return mch_caffe_complain(l, round, "round_mode is CEIL or FLOOR; correct the definition");
	*is_ceil = *is_ceil && !mch_caffe_is_word(round, "FLOOR", "1");
	return 0;
}

int mch_caffe_read_pool(struct mch_caffe_layer *l)
{
	const struct mch_prototxt *pool = mch_prototxt_find(l->param, "pool");
	struct mch_pool g = {.n = 1, .dilation_h = 1, .dilation_w = 1};
	const bool is_max = !pool || mch_caffe_is_word(pool, "MAX", "0");
	if (!is_max && !mch_caffe_is_word(pool, "AVE", "1"))
		return mch_caffe_complain(l, pool, "pool is MAX or AVE; correct the definition");
	if (read_pool_window(l, &g) != 0 || read_rounding(l, &g.ceil_mode) != 0 ||
	    mch_caffe_pair(l, "stride", "stride_h", "stride_w", 1, 1, &g.stride_h, &g.stride_w) != 0 ||
	    mch_caffe_pair(l, "pad", "pad_h", "pad_w", 0, 0, &g.pad_top, &g.pad_left) != 0)
		return -1;
	g.pad_bottom = g.pad_top;
	g.pad_right = g.pad_left;
	/* Caffe's mean counts padding. Without any the divisor is the clipped window either way, and "not counted" is
	 * what all readers of the ONNX file take for that. */
	g.count_include_pad = !is_max && (g.pad_top > 0 || g.pad_left > 0);
	const int index = mch_caffe_add(l, is_max ? MCH_POOL_MAX : MCH_POOL_AVG, 1, l->in, 0);
	if (index < 0)
		return -1;
	l->caffe->net->layers[index].pool = g;
	return 0;
}
