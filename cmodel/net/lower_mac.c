/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Parameters of one layer turned into those of another; see lower_mac.h. */
#include "net/lower_mac.h"

#include <math.h>
#include <stdlib.h>

static int no_memory(const struct mch_layer *layer, struct mch_err *err)
{
	return mch_err_set(err, layer->name, "out of memory; use a machine with more");
}

static bool is_loaded(const struct mch_layer *layer)
{
	return layer->weights && (layer->bias || layer->n_bias == 0) &&
	       (layer->kind != MCH_BATCH_NORM || (layer->mean && layer->variance));
}

static void forget_parameters(struct mch_layer *layer)
{
	free(layer->weights);
	free(layer->bias);
	free(layer->mean);
	free(layer->variance);
	layer->weights = layer->bias = layer->mean = layer->variance = NULL;
	layer->n_weights = 0;
}

/* y = factor * x + offset in channel c behind a batch norm or scale. */
struct affine {
	double factor, offset;
};

static struct affine affine_of(const struct mch_layer *norm, int c)
{
	struct affine a = {(double)norm->weights[c], norm->bias ? (double)norm->bias[c] : 0};
	if (norm->kind == MCH_BATCH_NORM) {
		a.factor /= sqrt((double)norm->variance[c] + norm->norm.epsilon);
		a.offset -= a.factor * (double)norm->mean[c];
	}
	return a;
}

/* Where the r x s weights between output channel k and channel c of its group begin. */
static size_t kernel_at(const struct mch_layer *mac, int k, int c)
{
	const struct mch_conv *g = &mac->conv;
	const int c_group = g->c / g->groups, k_group = g->k / g->groups;
	const size_t kernel = mac->kind == MCH_DECONV
				      ? ((size_t)(k / k_group) * (size_t)c_group + (size_t)c) * (size_t)k_group +
						(size_t)(k % k_group)
				      : (size_t)k * (size_t)c_group + (size_t)c;
	return kernel * (size_t)g->r * (size_t)g->s;
}

int mch_lower_fold(struct mch_layer *before, const struct mch_layer *norm, struct mch_err *err)
{
	const bool is_mac = mch_layer_is_mac(before), is_known = is_loaded(before) && is_loaded(norm);
	const struct mch_conv *g = &before->conv;
	const int n_c = is_mac ? g->c / g->groups : 1, n_taps = is_mac ? g->r * g->s : 1;
	before->n_bias = (size_t)norm->norm.channels;
	if (!is_known) {
		forget_parameters(before);
		return 0;
	}
	if (!before->bias)
		before->bias = calloc(before->n_bias, sizeof(*before->bias));
	if (!before->bias)
		return no_memory(before, err);
	for (int k = 0; k < norm->norm.channels; k++) {
		const struct affine a = affine_of(norm, k);
		before->bias[k] = (float)((double)before->bias[k] * a.factor + a.offset);
		for (int c = 0; c < n_c; c++) {
			float *kernel = before->weights + (is_mac ? kernel_at(before, k, c) : (size_t)k);
			for (int i = 0; i < n_taps; i++)
				kernel[i] = (float)((double)kernel[i] * a.factor);
		}
	}
	return 0;
}

int mch_lower_depthwise(struct mch_layer *norm, struct mch_err *err)
{
	const int n = norm->norm.channels;
	const bool is_known = is_loaded(norm);
	if (is_known && !norm->bias)
		norm->bias = calloc((size_t)n, sizeof(*norm->bias));
	if (is_known && !norm->bias)
		return no_memory(norm, err);
	if (!is_known)
		forget_parameters(norm);
	for (int c = 0; is_known && c < n; c++) {
		const struct affine a = affine_of(norm, c);
		norm->weights[c] = (float)a.factor;
		norm->bias[c] = (float)a.offset;
	}
	free(norm->mean);
	free(norm->variance);
	norm->mean = norm->variance = NULL;
	norm->n_bias = (size_t)n;
	norm->kind = MCH_CONV;
	norm->conv = mch_dense_geometry(1, n, n);
	norm->conv.groups = n;
	return 0;
}

static int above_zero(int v)
{
	return v > 0 ? v : 0;
}

/* Row p of y takes row h of x through row r of the kernel where p + pad = h * stride + r * dilation. With the rows of
 * x set `stride` apart and the kernel turned around, r' = R - 1 - r, that is row p + r' * dilation - ((R - 1) *
 * dilation - pad) of them: a convolution whose pad is the bracket. Where that is negative rows are cut off instead.
 */
static struct mch_spread spread(int size, int stride, int reach, int pad_begin, int pad_end, int out_pad)
{
	const int begin = reach - pad_begin, end = reach - pad_end + out_pad, n = (size - 1) * stride + 1;
	const int cut_begin = above_zero(-begin), cut_end = above_zero(-end);
	if (cut_begin < n - cut_end)
		return (struct mch_spread){
			size, stride, cut_begin, n - cut_begin - cut_end, above_zero(begin), above_zero(end)};
	/* More is cut off than there is: the gather makes the zeros too. */
	return (struct mch_spread){size, stride, -begin, n + begin + end, 0, 0};
}

struct mch_spread mch_spread_h(const struct mch_layer *deconv)
{
	const struct mch_conv *g = &deconv->conv;
	return spread(g->h, g->stride_h, (g->r - 1) * g->dilation_h, g->pad_top, g->pad_bottom, deconv->out_pad_h);
}

struct mch_spread mch_spread_w(const struct mch_layer *deconv)
{
	const struct mch_conv *g = &deconv->conv;
	return spread(g->w, g->stride_w, (g->s - 1) * g->dilation_w, g->pad_left, g->pad_right, deconv->out_pad_w);
}

bool mch_spread_is_plain(const struct mch_spread *spread)
{
	return spread->first == 0 && spread->n == spread->size && (spread->stride == 1 || spread->size == 1);
}

static void fill_axis(const struct mch_spread *spread, int *at)
{
	for (int i = 0; i < spread->n; i++) {
		const int row = spread->first + i;
		const bool is_inside = row >= 0 && row % spread->stride == 0 && row / spread->stride < spread->size;
		at[i] = is_inside ? row / spread->stride : -1;
	}
}

int mch_lower_spread(struct mch_gather *gather, int n_c, const struct mch_spread *h, const struct mch_spread *w,
		     struct mch_err *err)
{
	if (mch_gather_alloc(gather, n_c, h->n, w->n, err) != 0)
		return -1;
	for (int c = 0; c < n_c; c++)
		gather->at[c] = c;
	fill_axis(h, gather->at + n_c);
	fill_axis(w, gather->at + n_c + h->n);
	return 0;
}

int mch_lower_deconv(struct mch_layer *layer, const struct mch_spread *h, const struct mch_spread *w,
		     struct mch_err *err)
{
	struct mch_conv *g = &layer->conv;
	const int n_c = g->c / g->groups, n_taps = g->r * g->s;
	const float *from = layer->weights;
	float *to = from ? malloc(layer->n_weights * sizeof(*to)) : NULL;
	if (from && !to)
		return no_memory(layer, err);
	for (int k = 0; from && k < g->k; k++)
		for (int c = 0; c < n_c; c++) {
			const float *kernel = from + kernel_at(layer, k, c);
			float *turned = to + ((size_t)k * (size_t)n_c + (size_t)c) * (size_t)n_taps;
			for (int i = 0; i < n_taps; i++)
				turned[i] = kernel[n_taps - 1 - i];
		}
	free(layer->weights);
	layer->weights = to;
	layer->kind = MCH_CONV;
	layer->out_pad_h = layer->out_pad_w = 0;
	g->h = h->n, g->w = w->n;
	g->stride_h = g->stride_w = 1;
	g->pad_top = h->pad_begin, g->pad_bottom = h->pad_end;
	g->pad_left = w->pad_begin, g->pad_right = w->pad_end;
	return 0;
}
