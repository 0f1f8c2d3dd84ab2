/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Plain float forms of all layers: the arbiter of the fast engine; see layer.h. */
#include <math.h>
#include <string.h>

#include "net/layer.h"
#include "net/lrn.h"

void mch_run_conv(const struct mch_layer_run *run)
{
	const struct mch_layer *layer = run->layer;
	struct mch_conv g = layer->conv;
	const size_t n_terms = mch_conv_terms(&g);
	const float *x = run->x[0];
	float *y = run->y;
	g.n = run->n;
	for (int i = 0; i < run->n; i++)
		for (int k = 0; k < run->out.c; k++)
			for (int p = 0; p < run->out.h; p++)
				for (int q = 0; q < run->out.w; q++) {
					double sum = layer->bias ? (double)layer->bias[k] : 0;
					for (size_t t = 0; t < n_terms; t++) {
						const ptrdiff_t at = mch_conv_x_index(&g, i, k, p, q, t);
						if (at >= 0)
							sum += (double)x[at] * (double)layer->weights[(size_t)k * n_terms + t];
					}
					*y++ = (float)sum;
				}
}

/* Row p gets row h through kernel row r when p + pad = h * stride + r * dilation. h, or -1. */
static int deconv_source(int p, int pad, int stride, int tap, int n)
{
	const int at = p + pad - tap;
	return at >= 0 && at % stride == 0 && at / stride < n ? at / stride : -1;
}

static double deconv_sum(const struct mch_layer *layer, const float *image, int k, int p, int q)
{
	const struct mch_conv *g = &layer->conv;
	const int c_group = g->c / g->groups, k_group = g->k / g->groups, group = k / k_group;
	double sum = layer->bias ? (double)layer->bias[k] : 0;
	for (int c = group * c_group; c < (group + 1) * c_group; c++)
		for (int r = 0; r < g->r; r++) {
			const int h = deconv_source(p, g->pad_top, g->stride_h, r * g->dilation_h, g->h);
			for (int s = 0; h >= 0 && s < g->s; s++) {
				const int w = deconv_source(q, g->pad_left, g->stride_w, s * g->dilation_w, g->w);
				if (w >= 0)
					sum += (double)image[((ptrdiff_t)c * g->h + h) * g->w + w] *
					       (double)layer->weights[(((ptrdiff_t)c * k_group + k % k_group) * g->r + r) * g->s + s];
			}
		}
	return sum;
}

void mch_run_deconv(const struct mch_layer_run *run)
{
	float *y = run->y;
	for (int i = 0; i < run->n; i++)
		for (int k = 0; k < run->out.c; k++)
			for (int p = 0; p < run->out.h; p++)
				for (int q = 0; q < run->out.w; q++)
					*y++ = (float)deconv_sum(run->layer, run->x[0] + (size_t)i * mch_shape_elems(run->in[0]), k,
								 p, q);
}

static float affine(const struct mch_layer *layer, int c, float x)
{
	double v = (double)x;
	if (layer->kind == MCH_BATCH_NORM)
		v = (v - (double)layer->mean[c]) / sqrt((double)layer->variance[c] + layer->norm.epsilon);
	return (float)(v * (double)layer->weights[c] + (layer->bias ? (double)layer->bias[c] : 0));
}

float mch_layer_map(const struct mch_layer *layer, int c, float x)
{
	switch (layer->kind) {
	case MCH_RELU:
		return x > 0 ? x : 0;
	case MCH_CLIP:
		x = x < layer->clip.low ? layer->clip.low : x;
		return x > layer->clip.high ? layer->clip.high : x;
	case MCH_LEAKY_RELU:
		return x < 0 ? (float)(layer->slope * (double)x) : x; /* a float's slope: exact before it is rounded */
	case MCH_PRELU:
		return x < 0 ? x * layer->weights[layer->n_weights == 1 ? 0 : c] : x;
	case MCH_SIGMOID:
		return (float)(1 / (1 + exp(-(double)x)));
	case MCH_TANH:
		return (float)tanh((double)x);
	default:
		return affine(layer, c, x);
	}
}

void mch_run_map(const struct mch_layer_run *run)
{
	const size_t pixels = (size_t)run->in->h * (size_t)run->in->w;
	const float *x = run->x[0];
	float *y = run->y;
	for (int plane = 0; plane < run->n * run->in->c; plane++)
		for (size_t i = 0; i < pixels; i++)
			*y++ = mch_layer_map(run->layer, plane % run->in->c, *x++);
}

static void softmax(const float *x, size_t stride, int n, bool is_log, float *y)
{
	double sum = 0;
	float top = -INFINITY;
	for (int c = 0; c < n; c++)
		top = fmaxf(top, x[(size_t)c * stride]);
	for (int c = 0; c < n; c++)
		sum += exp((double)x[(size_t)c * stride] - (double)top);
	for (int c = 0; c < n; c++) {
		const double from_top = (double)x[(size_t)c * stride] - (double)top;
		y[(size_t)c * stride] = (float)(is_log ? from_top - log(sum) : exp(from_top) / sum);
	}
}

void mch_run_softmax(const struct mch_layer_run *run)
{
	const size_t pixels = (size_t)run->in->h * (size_t)run->in->w, elems = mch_shape_elems(run->in[0]);
	for (size_t i = 0; i < (size_t)run->n; i++)
		for (size_t j = 0; j < pixels; j++)
			softmax(run->x[0] + i * elems + j, pixels, run->in->c, run->layer->kind == MCH_LOG_SOFTMAX,
				run->y + i * elems + j);
}

static float pool_window(const struct mch_layer *layer, const float *plane, int p, int q)
{
	const struct mch_pool *g = &layer->pool;
	const struct mch_window rows = mch_pool_rows(g, p), cols = mch_pool_cols(g, q);
	double sum = 0;
	float best = -INFINITY;
	for (int i = rows.begin; i < rows.end; i += rows.step)
		for (int j = cols.begin; j < cols.end; j += cols.step) {
			const float v = plane[i * g->w + j];
			sum += (double)v;
			best = v > best ? v : best;
		}
	return layer->kind == MCH_POOL_MAX ? best : (float)(sum / ((double)rows.extent * cols.extent));
}

void mch_run_pool(const struct mch_layer_run *run)
{
	const float *x = run->x[0];
	float *y = run->y;
	for (int plane = 0; plane < run->n * run->in->c; plane++, x += run->in->h * run->in->w)
		for (int p = 0; p < run->out.h; p++)
			for (int q = 0; q < run->out.w; q++)
				*y++ = pool_window(run->layer, x, p, q);
}

static double square_at(const float *image, struct mch_shape s, int c, int h, int w)
{
	if (c < 0 || c >= s.c || h < 0 || h >= s.h || w < 0 || w >= s.w)
		return 0;
	const double v = (double)image[((ptrdiff_t)c * s.h + h) * s.w + w];
	return v * v;
}

static double lrn_sum(const struct mch_lrn *lrn, const float *image, struct mch_shape s, int c, int h, int w)
{
	const int before = (lrn->size - 1) / 2, behind = lrn->size / 2;
	double sum = 0;
	for (int i = -before; !lrn->is_within && i <= behind; i++)
		sum += square_at(image, s, c + i, h, w);
	for (int i = -before; lrn->is_within && i <= behind; i++)
		for (int j = -before; j <= behind; j++)
			sum += square_at(image, s, c, h + i, w + j);
	return sum;
}

void mch_run_lrn(const struct mch_layer_run *run)
{
	const struct mch_lrn *lrn = &run->layer->lrn;
	const struct mch_shape s = run->in[0];
	const double share = mch_lrn_share(lrn);
	const float *image = run->x[0];
	float *y = run->y;
	for (int i = 0; i < run->n; i++, image += mch_shape_elems(s))
		for (int c = 0; c < s.c; c++)
			for (int h = 0; h < s.h; h++)
				for (int w = 0; w < s.w; w++) {
					const double sum = lrn_sum(lrn, image, s, c, h, w);
					const double x = (double)image[((ptrdiff_t)c * s.h + h) * s.w + w];
					*y++ = (float)(x * mch_lrn_factor(mch_lrn_k(lrn), share, lrn->beta, sum));
				}
}

/* Where an input has element (c, h, w) of image i of the output: a side of 1 repeats. */
static size_t repeated_at(struct mch_shape s, int i, int c, int h, int w)
{
	c = s.c == 1 ? 0 : c, h = s.h == 1 ? 0 : h, w = s.w == 1 ? 0 : w;
	return (((size_t)i * (size_t)s.c + (size_t)c) * (size_t)s.h + (size_t)h) * (size_t)s.w + (size_t)w;
}

static float eltwise(const struct mch_layer_run *run, int i, int c, int h, int w)
{
	const struct mch_layer *layer = run->layer;
	double value = layer->kind == MCH_SUM ? 0 : layer->kind == MCH_PROD ? 1 : -INFINITY;
	for (int t = 0; t < layer->n_in; t++) {
		const double x = (double)run->x[t][repeated_at(run->in[t], i, c, h, w)];
		if (layer->kind == MCH_SUM)
			value += layer->weights ? (double)layer->weights[t] * x : x;
		else if (layer->kind == MCH_PROD)
			value *= x;
		else
			value = x > value ? x : value;
	}
	return (float)value;
}

void mch_run_eltwise(const struct mch_layer_run *run)
{
	float *y = run->y;
	for (int i = 0; i < run->n; i++)
		for (int c = 0; c < run->out.c; c++)
			for (int h = 0; h < run->out.h; h++)
				for (int w = 0; w < run->out.w; w++)
					*y++ = eltwise(run, i, c, h, w);
}

void mch_run_concat(const struct mch_layer_run *run)
{
	const int axis = run->layer->axis;
	const struct mch_shape o = run->out;
	/* Elements of the output from one step of the axis's outer index to the next. */
	const size_t row = (size_t)(axis == 1 ? o.c * o.h * o.w : axis == 2 ? o.h * o.w : o.w);
	float *begin = run->y;
	for (int t = 0; t < run->layer->n_in; t++) {
		const struct mch_shape s = run->in[t];
		const size_t part = (size_t)(axis == 1 ? s.c * s.h * s.w : axis == 2 ? s.h * s.w : s.w);
		const size_t n_parts = (size_t)run->n * mch_shape_elems(s) / part;
		for (size_t i = 0; i < n_parts; i++)
			memcpy(begin + i * row, run->x[t] + i * part, part * sizeof(float));
		begin += part;
	}
}

void mch_run_gather(const struct mch_layer_run *run)
{
	const struct mch_gather *g = &run->layer->gather;
	const int *at_c = g->at, *at_h = at_c + g->n_c, *at_w = at_h + g->n_h;
	const struct mch_shape s = run->in[0];
	float *y = run->y;
	for (int i = 0; i < run->n; i++)
		for (int c = 0; c < g->n_c; c++)
			for (int h = 0; h < g->n_h; h++)
				for (int w = 0; w < g->n_w; w++)
					*y++ = at_c[c] < 0 || at_h[h] < 0 || at_w[w] < 0
						       ? g->fill
						       : run->x[0][repeated_at(s, i, at_c[c], at_h[h], at_w[w])];
}

void mch_run_transpose(const struct mch_layer_run *run)
{
	const int *order = run->layer->order;
	const struct mch_shape o = run->out;
	float *y = run->y;
	for (int i = 0; i < run->n; i++)
		for (int c = 0; c < o.c; c++)
			for (int h = 0; h < o.h; h++)
				for (int w = 0; w < o.w; w++) {
					int at[3];
					at[order[0]] = c, at[order[1]] = h, at[order[2]] = w;
					*y++ = run->x[0][repeated_at(run->in[0], i, at[0], at[1], at[2])];
				}
}

void mch_run_same(const struct mch_layer_run *run)
{
	memcpy(run->y, run->x[0], (size_t)run->n * mch_shape_elems(run->in[0]) * sizeof(float));
}

void mch_run_constant(const struct mch_layer_run *run)
{
	const size_t elems = mch_shape_elems(run->out);
	for (size_t i = 0; i < (size_t)run->n; i++)
		memcpy(run->y + i * elems, run->layer->weights, elems * sizeof(float));
}
