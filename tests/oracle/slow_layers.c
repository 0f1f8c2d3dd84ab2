/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Oracle of the plain float layers; see slow_layers.h. */
#include "oracle/slow_layers.h"

#include <math.h>

#include "oracle/slow_pool.h"

/* One output position, and all that it may look at. */
struct spot {
	const struct mch_layer *layer;
	int image;
	const struct mch_shape *in;
	const float *const *x;
	struct mch_shape out;
	int c, h, w;
};

static long place(struct mch_shape s, int image, int c, int h, int w)
{
	return w + (long)s.w * (h + (long)s.h * (c + (long)s.c * image));
}

/* Input t, zero beyond its edges. */
static double look(const struct spot *at, int t, int c, int h, int w)
{
	const struct mch_shape s = at->in[t];
	if (c < 0 || h < 0 || w < 0 || c >= s.c || h >= s.h || w >= s.w)
		return 0;
	return (double)at->x[t][place(s, at->image, c, h, w)];
}

static double here(const struct spot *at)
{
	return look(at, 0, at->c, at->h, at->w);
}

static double bias(const struct spot *at)
{
	return at->layer->bias ? (double)at->layer->bias[at->c] : 0;
}

static double conv(const struct spot *at)
{
	const struct mch_conv *g = &at->layer->conv;
	const int per_group = at->in[0].c / g->groups, group = at->c / (at->out.c / g->groups);
	const float *w = at->layer->weights + (long)at->c * per_group * g->r * g->s;
	double sum = bias(at);
	for (int c = 0; c < per_group; c++)
		for (int r = 0; r < g->r; r++)
			for (int s = 0; s < g->s; s++)
				sum += (double)*w++ * look(at, 0, group * per_group + c,
							   at->h * g->stride_h + r * g->dilation_h - g->pad_top,
							   at->w * g->stride_w + s * g->dilation_w - g->pad_left);
	return sum;
}

static double dense(const struct spot *at)
{
	const struct mch_shape s = at->in[0];
	const float *w = at->layer->weights + (long)at->c * s.c * s.h * s.w;
	double sum = bias(at);
	for (int c = 0; c < s.c; c++)
		for (int h = 0; h < s.h; h++)
			for (int x = 0; x < s.w; x++)
				sum += (double)*w++ * look(at, 0, c, h, x);
	return sum;
}

static double pool(const struct spot *at)
{
	const struct mch_pool *g = &at->layer->pool;
	double sum = 0, most = -HUGE_VAL, n_inside = 0, n_padded = 0;
	for (int r = 0; r < g->r; r++)
		for (int s = 0; s < g->s; s++) {
			const int h = at->h * g->stride_h - g->pad_top + r * g->dilation_h;
			const int w = at->w * g->stride_w - g->pad_left + s * g->dilation_w;
			n_padded += h < at->in[0].h + g->pad_bottom && w < at->in[0].w + g->pad_right;
			if (h < 0 || w < 0 || h >= at->in[0].h || w >= at->in[0].w)
				continue;
			n_inside++;
			sum += look(at, 0, at->c, h, w);
			most = fmax(most, look(at, 0, at->c, h, w));
		}
	return at->layer->kind == MCH_POOL_MAX ? most : sum / (g->count_include_pad ? n_padded : n_inside);
}

static double lrn(const struct spot *at)
{
	const struct mch_lrn *l = &at->layer->lrn;
	double sum = 0;
	if (l->is_within) {
		for (int h = at->h - l->size / 2; h <= at->h + l->size / 2; h++)
			for (int w = at->w - l->size / 2; w <= at->w + l->size / 2; w++)
				sum += pow(look(at, 0, at->c, h, w), 2);
		return here(at) / pow(1 + l->alpha * sum / pow(l->size, 2), l->beta);
	}
	const int first = at->c - (int)floor((l->size - 1) / 2.0), last = at->c + (int)ceil((l->size - 1) / 2.0);
	for (int c = first; c <= last; c++)
		sum += pow(look(at, 0, c, at->h, at->w), 2);
	return here(at) / pow(l->k + l->alpha * sum / l->size, l->beta);
}

static double softmax(const struct spot *at)
{
	double sum = 0;
	for (int c = 0; c < at->in[0].c; c++)
		sum += exp(look(at, 0, c, at->h, at->w) - here(at));
	return at->layer->kind == MCH_SOFTMAX ? 1 / sum : -log(sum);
}

static double eltwise(const struct spot *at)
{
	const struct mch_layer *layer = at->layer;
	double result = 0;
	for (int t = 0; t < layer->n_in; t++) {
		const struct mch_shape s = at->in[t];
		const double x = look(at, t, at->c % s.c, at->h % s.h, at->w % s.w);
		if (layer->kind == MCH_SUM)
			result += x * (layer->weights ? (double)layer->weights[t] : 1);
		else if (t == 0)
			result = x;
		else
			result = layer->kind == MCH_PROD ? result * x : fmax(result, x);
	}
	return result;
}

static double concat(const struct spot *at)
{
	int c = at->c, h = at->h, w = at->w, t = 0;
	int *along = at->layer->axis == 1 ? &c : at->layer->axis == 2 ? &h : &w;
	for (;; t++) {
		const struct mch_shape s = at->in[t];
		const int size = at->layer->axis == 1 ? s.c : at->layer->axis == 2 ? s.h : s.w;
		if (*along < size)
			return look(at, t, c, h, w);
		*along -= size;
	}
}

static double gather(const struct spot *at)
{
	const struct mch_gather *g = &at->layer->gather;
	const int c = g->at[at->c], h = g->at[g->n_c + at->h], w = g->at[g->n_c + g->n_h + at->w];
	return c == -1 || h == -1 || w == -1 ? (double)g->fill : look(at, 0, c, h, w);
}

static double transpose(const struct spot *at)
{
	const int y[3] = {at->c, at->h, at->w};
	int x[3] = {0, 0, 0};
	for (int from = 0; from < 3; from++)
		for (int to = 0; to < 3; to++)
			if (at->layer->order[to] == from)
				x[from] = y[to];
	return look(at, 0, x[0], x[1], x[2]);
}

static double same_place(const struct spot *at)
{
	const long elems = (long)at->in[0].c * at->in[0].h * at->in[0].w;
	return (double)at->x[0][at->image * elems + place(at->out, 0, at->c, at->h, at->w)];
}

static double value_of(const struct spot *at)
{
	const struct mch_layer *layer = at->layer;
	switch (layer->kind) {
	case MCH_CONV:
		return conv(at);
	case MCH_DENSE:
		return dense(at);
	case MCH_RELU:
		return fmax(here(at), 0);
	case MCH_CLIP:
		return fmin(fmax(here(at), (double)layer->clip.low), (double)layer->clip.high);
	case MCH_LEAKY_RELU:
		return here(at) >= 0 ? here(at) : here(at) * layer->slope;
	case MCH_PRELU:
		return fmax(here(at), 0) +
		       fmin(here(at), 0) * (double)layer->weights[layer->n_weights > 1 ? at->c : 0];
	case MCH_SIGMOID:
		return 0.5 + 0.5 * tanh(here(at) / 2);
	case MCH_TANH:
		return tanh(here(at));
	case MCH_SOFTMAX:
	case MCH_LOG_SOFTMAX:
		return softmax(at);
	case MCH_POOL_MAX:
	case MCH_POOL_AVG:
		return pool(at);
	case MCH_LRN:
		return lrn(at);
	case MCH_BATCH_NORM:
		return bias(at) + (double)layer->weights[at->c] * (here(at) - (double)layer->mean[at->c]) *
					  pow((double)layer->variance[at->c] + layer->norm.epsilon, -0.5);
	case MCH_SCALE:
		return bias(at) + (double)layer->weights[at->c] * here(at);
	case MCH_SUM:
	case MCH_PROD:
	case MCH_MAX:
		return eltwise(at);
	case MCH_CONCAT:
		return concat(at);
	case MCH_SLICE:
	case MCH_PAD:
	case MCH_UPSAMPLE:
		return gather(at);
	case MCH_FLATTEN:
	case MCH_RESHAPE:
	case MCH_DROPOUT:
		return same_place(at);
	case MCH_TRANSPOSE:
		return transpose(at);
	case MCH_CONSTANT:
		return (double)layer->weights[place(at->out, 0, at->c, at->h, at->w)];
	default:
		return NAN;
	}
}

/* Positions where a kernel fits, found by trying. */
static int conv_size(int size, int begin, int end, int kernel, int stride, int dilation)
{
	int n = 0;
	while (n * stride + (kernel - 1) * dilation < begin + size + end)
		n++;
	return n;
}

static int deconv_size(int size, int begin, int end, int kernel, int stride, int dilation, int more)
{
	return stride * (size - 1) + more + ((kernel - 1) * dilation + 1) - begin - end; /* as ONNX writes it */
}

static struct mch_shape window_shape(const struct mch_layer *layer, struct mch_shape in)
{
	const struct mch_conv *g = &layer->conv;
	const struct mch_pool *p = &layer->pool;
	if (layer->kind == MCH_CONV)
		return (struct mch_shape){
			1, g->k, conv_size(in.h, g->pad_top, g->pad_bottom, g->r, g->stride_h, g->dilation_h),
			conv_size(in.w, g->pad_left, g->pad_right, g->s, g->stride_w, g->dilation_w)};
	if (layer->kind == MCH_DECONV)
		return (struct mch_shape){1, g->k,
					  deconv_size(in.h, g->pad_top, g->pad_bottom, g->r, g->stride_h,
						      g->dilation_h, layer->out_pad_h),
					  deconv_size(in.w, g->pad_left, g->pad_right, g->s, g->stride_w,
						      g->dilation_w, layer->out_pad_w)};
	return (struct mch_shape){
		1, in.c,
		slow_pool_size(in.h, p->pad_top, p->pad_bottom, p->r, p->stride_h, p->dilation_h, p->ceil_mode),
		slow_pool_size(in.w, p->pad_left, p->pad_right, p->s, p->stride_w, p->dilation_w, p->ceil_mode)};
}

struct mch_shape slow_layer_shape(const struct mch_layer *layer, const struct mch_shape *in)
{
	struct mch_shape out = layer->n_in ? in[0] : layer->shape;
	const int side[3] = {out.c, out.h, out.w};
	out.n = 1;
	switch (layer->kind) {
	case MCH_CONV:
	case MCH_DECONV:
	case MCH_POOL_MAX:
	case MCH_POOL_AVG:
		return window_shape(layer, in[0]);
	case MCH_DENSE:
		return (struct mch_shape){1, layer->conv.k, 1, 1};
	case MCH_FLATTEN:
		return (struct mch_shape){1, out.c * out.h * out.w, 1, 1};
	case MCH_RESHAPE:
		return (struct mch_shape){1, layer->shape.c, layer->shape.h, layer->shape.w};
	case MCH_TRANSPOSE:
		return (struct mch_shape){1, side[layer->order[0]], side[layer->order[1]], side[layer->order[2]]};
	case MCH_SLICE:
	case MCH_PAD:
	case MCH_UPSAMPLE:
		return (struct mch_shape){1, layer->gather.n_c, layer->gather.n_h, layer->gather.n_w};
	default:
		break;
	}
	for (int t = 1; t < layer->n_in; t++) {
		const bool joins = layer->kind == MCH_CONCAT;
		out.c = joins && layer->axis == 1 ? out.c + in[t].c : out.c > in[t].c ? out.c : in[t].c;
		out.h = joins && layer->axis == 2 ? out.h + in[t].h : out.h > in[t].h ? out.h : in[t].h;
		out.w = joins && layer->axis == 3 ? out.w + in[t].w : out.w > in[t].w ? out.w : in[t].w;
	}
	return out;
}

/* The input value of one spot spreads its kernel over the output, on top of what is there. */
static void spread(const struct spot *at, double *y)
{
	const struct mch_conv *g = &at->layer->conv;
	const int n_c = at->in[0].c, n_k = at->out.c / g->groups, group = at->c / (n_c / g->groups);
	const float *weights = at->layer->weights + (long)at->c * n_k * g->r * g->s;
	for (int k = 0; k < n_k; k++)
		for (int r = 0; r < g->r; r++)
			for (int s = 0; s < g->s; s++, weights++) {
				const int p = at->h * g->stride_h + r * g->dilation_h - g->pad_top;
				const int q = at->w * g->stride_w + s * g->dilation_w - g->pad_left;
				if (p >= 0 && q >= 0 && p < at->out.h && q < at->out.w)
					y[place(at->out, at->image, group * n_k + k, p, q)] +=
						here(at) * (double)*weights;
			}
}

static void deconv(struct spot *at, int n, double *y)
{
	for (at->image = 0; at->image < n; at->image++) {
		for (at->c = 0; at->c < at->out.c; at->c++)
			for (int i = 0; i < at->out.h * at->out.w; i++)
				y[place(at->out, at->image, at->c, 0, i)] = bias(at);
		for (at->c = 0; at->c < at->in[0].c; at->c++)
			for (at->h = 0; at->h < at->in[0].h; at->h++)
				for (at->w = 0; at->w < at->in[0].w; at->w++)
					spread(at, y);
	}
}

void slow_layer(const struct mch_layer *layer, int n, const struct mch_shape *in, const float *const *x, double *y)
{
	struct spot at = {layer, 0, in, x, slow_layer_shape(layer, in), 0, 0, 0};
	if (layer->kind == MCH_DECONV) {
		deconv(&at, n, y);
		return;
	}
	for (at.image = 0; at.image < n; at.image++)
		for (at.c = 0; at.c < at.out.c; at.c++)
			for (at.h = 0; at.h < at.out.h; at.h++)
				for (at.w = 0; at.w < at.out.w; at.w++)
					*y++ = value_of(&at);
}
