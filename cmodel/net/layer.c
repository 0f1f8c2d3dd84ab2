/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The layer table; see layer.h. The float forms are plain: the arbiter of the fast engine. */
#include "net/layer.h"

#include <limits.h>
#include <math.h>
#include <string.h>

static int too_large(struct mch_shape s)
{
	return (long long)s.c * s.h > INT_MAX / (s.w > 0 ? s.w : 1);
}

static int infer_same(struct mch_layer *layer, struct mch_shape in, struct mch_shape *out, struct mch_err *err)
{
	(void)layer, (void)err;
	*out = in;
	return 0;
}

static int infer_flat(struct mch_layer *layer, struct mch_shape in, struct mch_shape *out, struct mch_err *err)
{
	(void)layer, (void)err;
	*out = (struct mch_shape){1, in.c * in.h * in.w, 1, 1};
	return 0;
}

static int infer_conv(struct mch_layer *layer, struct mch_shape in, struct mch_shape *out, struct mch_err *err)
{
	struct mch_conv *g = &layer->conv;
	g->n = 1, g->c = in.c, g->h = in.h, g->w = in.w;
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
	*out = (struct mch_shape){1, g->k, mch_conv_p(g), mch_conv_q(g)};
	if (out->h < 1 || out->w < 1)
		return mch_err_set(err, "kernel", "%dx%d (dilation %dx%d) does not fit the padded input of %dx%d; "
				   "give a larger input", g->r, g->s, g->dilation_h, g->dilation_w, g->h, g->w);
	if (too_large(*out) || mch_conv_terms(g) > (size_t)INT_MAX / (size_t)g->k)
		return mch_err_set(err, "size", "the output or the weights have over 2^31 elements; use a smaller layer");
	return 0;
}

static int infer_dense(struct mch_layer *layer, struct mch_shape in, struct mch_shape *out, struct mch_err *err)
{
	layer->conv = mch_dense_geometry(1, in.c * in.h * in.w, layer->conv.k);
	return infer_conv(layer, (struct mch_shape){1, in.c * in.h * in.w, 1, 1}, out, err);
}

static int infer_pool(struct mch_layer *layer, struct mch_shape in, struct mch_shape *out, struct mch_err *err)
{
	struct mch_pool *g = &layer->pool;
	g->n = 1, g->c = in.c, g->h = in.h, g->w = in.w;
	if (g->r < 1 || g->s < 1 || g->stride_h < 1 || g->stride_w < 1 || g->r > 32768 / (g->s > 0 ? g->s : 1))
		return mch_err_set(err, "window", "%dx%d with stride %dx%d is not usable; 1 to 32768 positions and strides "
				   "of at least 1 are", g->r, g->s, g->stride_h, g->stride_w);
	/* A window that lay in the padding alone would have no value. */
	if (g->pad_top < 0 || g->pad_left < 0 || g->pad_bottom < 0 || g->pad_right < 0 || g->pad_top >= g->r ||
	    g->pad_bottom >= g->r || g->pad_left >= g->s || g->pad_right >= g->s)
		return mch_err_set(err, "pad", "must be at least 0 and below the window's size; correct the definition");
	*out = (struct mch_shape){1, in.c, mch_pool_p(g), mch_pool_q(g)};
	if (out->h < 1 || out->w < 1)
		return mch_err_set(err, "window", "%dx%d does not fit the padded input of %dx%d; give a larger input",
				   g->r, g->s, g->h, g->w);
	return 0;
}

static void run_conv(const struct mch_layer *layer, int n, struct mch_shape in, struct mch_shape out, const float *x,
		     float *y)
{
	struct mch_conv g = layer->conv;
	const size_t n_terms = mch_conv_terms(&g);
	(void)in;
	g.n = n;
	for (int i = 0; i < n; i++)
		for (int k = 0; k < out.c; k++)
			for (int p = 0; p < out.h; p++)
				for (int q = 0; q < out.w; q++) {
					double sum = layer->bias ? (double)layer->bias[k] : 0;
					for (size_t t = 0; t < n_terms; t++) {
						const ptrdiff_t at = mch_conv_x_index(&g, i, k, p, q, t);
						if (at >= 0)
							sum += (double)x[at] * (double)layer->weights[(size_t)k * n_terms + t];
					}
					*y++ = (float)sum;
				}
}

static void run_same(const struct mch_layer *layer, int n, struct mch_shape in, struct mch_shape out, const float *x,
		     float *y)
{
	(void)layer, (void)out;
	memcpy(y, x, (size_t)n * mch_shape_elems(in) * sizeof(float));
}

static void run_relu(const struct mch_layer *layer, int n, struct mch_shape in, struct mch_shape out, const float *x,
		     float *y)
{
	(void)layer, (void)out;
	for (size_t i = 0; i < (size_t)n * mch_shape_elems(in); i++)
		y[i] = x[i] > 0 ? x[i] : 0;
}

static float pool_window(const struct mch_layer *layer, const float *plane, int p, int q)
{
	const struct mch_pool *g = &layer->pool;
	const struct mch_window rows = mch_pool_rows(g, p), cols = mch_pool_cols(g, q);
	double sum = 0;
	float best = -INFINITY;
	for (int i = rows.begin; i < rows.end; i++)
		for (int j = cols.begin; j < cols.end; j++) {
			const float v = plane[i * g->w + j];
			sum += (double)v;
			best = v > best ? v : best;
		}
	return layer->kind == MCH_POOL_MAX ? best : (float)(sum / ((double)rows.extent * cols.extent));
}

static void run_pool(const struct mch_layer *layer, int n, struct mch_shape in, struct mch_shape out, const float *x,
		     float *y)
{
	for (int plane = 0; plane < n * in.c; plane++, x += in.h * in.w)
		for (int p = 0; p < out.h; p++)
			for (int q = 0; q < out.w; q++)
				*y++ = pool_window(layer, x, p, q);
}

static void run_softmax(const struct mch_layer *layer, int n, struct mch_shape in, struct mch_shape out, const float *x,
			float *y)
{
	const int pixels = in.h * in.w;
	(void)layer, (void)out;
	for (int i = 0; i < n * pixels; i++) {
		const size_t base = (size_t)(i / pixels) * (size_t)in.c * (size_t)pixels + (size_t)(i % pixels);
		double sum = 0;
		float top = -INFINITY;
		for (int c = 0; c < in.c; c++)
			top = fmaxf(top, x[base + (size_t)c * (size_t)pixels]);
		for (int c = 0; c < in.c; c++)
			sum += exp((double)(x[base + (size_t)c * (size_t)pixels] - top));
		for (int c = 0; c < in.c; c++)
			y[base + (size_t)c * (size_t)pixels] =
				(float)(exp((double)(x[base + (size_t)c * (size_t)pixels] - top)) / sum);
	}
}

const struct mch_layer_row mch_layer_table[MCH_N_KINDS] = {
	[MCH_CONV] = {"conv", "Convolution", "CONVOLUTION", "Conv", 0, infer_conv, run_conv},
	[MCH_DENSE] = {"dense", "InnerProduct", "INNER_PRODUCT", "Gemm", 0, infer_dense, run_conv},
	[MCH_RELU] = {"relu", "ReLU", "RELU", "Relu", 0, infer_same, run_relu},
	[MCH_POOL_MAX] = {"max pool", "Pooling", "POOLING", "MaxPool", 0, infer_pool, run_pool},
	[MCH_POOL_AVG] = {"average pool", "Pooling", "POOLING", "AveragePool", 0, infer_pool, run_pool},
	[MCH_FLATTEN] = {"flatten", "Flatten", "FLATTEN", "Flatten", 1, infer_flat, run_same},
	[MCH_DROPOUT] = {"dropout", "Dropout", "DROPOUT", "Dropout", 1, infer_same, run_same},
	[MCH_SOFTMAX] = {"softmax", "Softmax", "SOFTMAX", "Softmax", 0, infer_same, run_softmax},
};
