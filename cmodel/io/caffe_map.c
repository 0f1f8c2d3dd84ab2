/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Caffe's layers that work value by value, normalize, or join bottoms of one shape; see caffe_layer.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/build.h"
#include "io/caffe_layer.h"

static struct mch_layer *add(struct mch_caffe_layer *l, enum mch_kind kind)
{
	const int index = mch_caffe_add(l, kind, l->n_in, l->in, 0);
	return index < 0 ? NULL : &l->caffe->net->layers[index];
}

int mch_caffe_read_relu(struct mch_caffe_layer *l)
{
	double slope;
	if (mch_caffe_real(l, "negative_slope", 0, &slope) != 0)
		return -1;
	struct mch_layer *layer = add(l, slope == 0 ? MCH_RELU : MCH_LEAKY_RELU);
	if (layer && slope != 0)
		layer->slope = slope;
	return layer ? 0 : -1;
}

static int add_clip(struct mch_caffe_layer *l, float low, float high)
{
	struct mch_layer *layer = add(l, MCH_CLIP);
	if (!layer)
		return -1;
	layer->clip.low = low;
	layer->clip.high = high;
	return 0;
}

int mch_caffe_read_relu6(struct mch_caffe_layer *l)
{
	return add_clip(l, 0, 6);
}

int mch_caffe_read_clip(struct mch_caffe_layer *l)
{
	double low, high;
	if (mch_caffe_real(l, "min", -INFINITY, &low) != 0 || mch_caffe_real(l, "max", INFINITY, &high) != 0)
		return -1;
	if (low > high)
		return mch_caffe_complain(l, l->param, "min is above max; correct the definition");
	return add_clip(l, (float)low, (float)high);
}

int mch_caffe_read_sigmoid(struct mch_caffe_layer *l)
{
	return add(l, MCH_SIGMOID) ? 0 : -1;
}

int mch_caffe_read_tanh(struct mch_caffe_layer *l)
{
	return add(l, MCH_TANH) ? 0 : -1;
}

int mch_caffe_read_softmax(struct mch_caffe_layer *l)
{
	int axis;
	if (mch_caffe_axis(l, "axis", 1, &axis) != 0)
		return -1;
	if (axis != 1)
		return mch_caffe_complain(l, mch_prototxt_find(l->param, "axis"),
					  "axis is %d, only 1 is supported; rewrite the layer", axis);
	return add(l, MCH_SOFTMAX) ? 0 : -1;
}

int mch_caffe_read_dropout(struct mch_caffe_layer *l)
{
	double ratio;
	if (mch_caffe_only_bool(l, "scale_train", true) != 0 || mch_caffe_real(l, "dropout_ratio", 0.5, &ratio) != 0)
		return -1;
	if (!(ratio >= 0 && ratio < 1))
		return mch_caffe_complain(l, mch_prototxt_find(l->param, "dropout_ratio"),
					  "dropout_ratio is %g, from 0 to below 1 is expected; correct the "
					  "definition",
					  ratio);
	struct mch_layer *layer = add(l, MCH_DROPOUT);
	if (layer)
		layer->dropout_ratio = ratio;
	return layer ? 0 : -1;
}

int mch_caffe_read_lrn(struct mch_caffe_layer *l)
{
	const struct mch_prototxt *region = mch_prototxt_find(l->param, "norm_region");
	struct mch_lrn lrn = {.is_within = mch_caffe_is_word(region, "WITHIN_CHANNEL", "1")};
	if (region && !lrn.is_within && !mch_caffe_is_word(region, "ACROSS_CHANNELS", "0"))
		return mch_caffe_complain(l, region,
					  "norm_region is ACROSS_CHANNELS or WITHIN_CHANNEL; correct the "
					  "definition");
	if (mch_caffe_int(l, "local_size", 1, MCH_BUILD_SIDE_MAX, 5, &lrn.size) != 0 ||
	    mch_caffe_real(l, "alpha", 1, &lrn.alpha) != 0 || mch_caffe_real(l, "beta", 0.75, &lrn.beta) != 0 ||
	    mch_caffe_real(l, "k", 1, &lrn.k) != 0)
		return -1;
	if (lrn.is_within)
		lrn.k = 1; /* Caffe's sum within a channel begins with 1, whatever k says */
	struct mch_layer *layer = add(l, MCH_LRN);
	if (layer)
		layer->lrn = lrn;
	return layer ? 0 : -1;
}

int mch_caffe_read_prelu(struct mch_caffe_layer *l)
{
	bool is_shared;
	if (mch_caffe_bool(l, "channel_shared", false, &is_shared) != 0)
		return -1;
	const int index = mch_caffe_add(l, MCH_PRELU, 1, l->in, 0);
	if (index < 0)
		return -1;
	l->caffe->net->layers[index].n_weights = is_shared ? 1 : (size_t)mch_caffe_in_shape(l, 0).c;
	return mch_caffe_plan(l, index, MCH_CAFFE_WEIGHTS);
}

const char *mch_caffe_look_batch_norm(const struct mch_prototxt *param)
{
	const struct mch_prototxt *global = mch_prototxt_find(param, "use_global_stats");
	int value = 1;
	if (global && mch_prototxt_bool("", global, &value, NULL) != 0)
		return NULL; /* its reader will say what it is */
	return value ? NULL : "use_global_stats: false";
}

int mch_caffe_read_batch_norm(struct mch_caffe_layer *l)
{
	double epsilon;
	if (mch_caffe_only_bool(l, "use_global_stats", true) != 0 || mch_caffe_real(l, "eps", 1e-5, &epsilon) != 0)
		return -1;
	const int index = mch_caffe_add(l, MCH_BATCH_NORM, 1, l->in, 0);
	if (index < 0)
		return -1;
	l->caffe->net->layers[index].norm.epsilon = epsilon;
	return mch_caffe_plan(l, index, MCH_CAFFE_NORM);
}

/* Two bottoms: the second is the factor (or summand) of each channel, or has all of the first's values. */
static int join_two(struct mch_caffe_layer *l, enum mch_kind kind)
{
	const struct mch_shape a = mch_caffe_in_shape(l, 0), b = mch_caffe_in_shape(l, 1);
	if (a.c != b.c || ((b.h != 1 || b.w != 1) && (a.h != b.h || a.w != b.w)))
		return mch_caffe_complain(l, NULL,
					  "a second bottom of %dx%dx%d does not go with %dx%dx%d: only one value "
					  "for each "
					  "channel, or the same shape, is supported; rewrite the layer",
					  b.c, b.h, b.w, a.c, a.h, a.w);
	return add(l, kind) ? 0 : -1;
}

/* One factor (or summand) for each channel: axis 1, one axis. */
static int check_channels(const struct mch_caffe_layer *l)
{
	int axis;
	if (mch_caffe_axis(l, "axis", 1, &axis) != 0 || mch_caffe_only_int(l, "num_axes", 1) != 0)
		return -1;
	return axis == 1 ? 0
			 : mch_caffe_complain(l, mch_prototxt_find(l->param, "axis"),
					      "axis is %d, only 1 is supported; rewrite the layer", axis);
}

int mch_caffe_read_scale(struct mch_caffe_layer *l)
{
	bool has_bias;
	if (mch_caffe_bool(l, "bias_term", false, &has_bias) != 0)
		return -1;
	if (l->n_in == 2)
		return has_bias ? mch_caffe_complain(l, mch_prototxt_find(l->param, "bias_term"),
						     "bias_term with two bottoms is not supported; use a layer Bias")
				: join_two(l, MCH_PROD);
	if (check_channels(l) != 0)
		return -1;
	const int index = mch_caffe_add(l, MCH_SCALE, 1, l->in, 0);
	if (index < 0)
		return -1;
	l->caffe->net->layers[index].n_bias = has_bias ? (size_t)mch_caffe_in_shape(l, 0).c : 0;
	return mch_caffe_plan(l, index, MCH_CAFFE_WEIGHTS);
}

int mch_caffe_read_bias(struct mch_caffe_layer *l)
{
	if (l->n_in == 2)
		return join_two(l, MCH_SUM);
	if (check_channels(l) != 0)
		return -1;
	const int index = mch_caffe_add(l, MCH_SCALE, 1, l->in, 0);
	if (index < 0)
		return -1;
	l->caffe->net->layers[index].n_bias = (size_t)mch_caffe_in_shape(l, 0).c;
	return mch_caffe_plan(l, index, MCH_CAFFE_BIAS);
}

const char *mch_caffe_look_power(const struct mch_prototxt *param)
{
	const struct mch_prototxt *power = mch_prototxt_find(param, "power");
	double value = 1;
	if (power && mch_prototxt_real("", power, &value, NULL) != 0)
		return NULL;
	return value == 1 ? NULL : "power other than 1";
}

/* (shift + scale * x)^1: the same factor and summand for every channel. */
int mch_caffe_read_power(struct mch_caffe_layer *l)
{
	double power, factor, shift;
	if (mch_caffe_real(l, "power", 1, &power) != 0 || mch_caffe_real(l, "scale", 1, &factor) != 0 ||
	    mch_caffe_real(l, "shift", 0, &shift) != 0)
		return -1;
	struct mch_layer *layer = add(l, MCH_SCALE);
	if (!layer)
		return -1;
	layer->norm.channels = mch_caffe_in_shape(l, 0).c;
	if (mch_layer_alloc(layer, shift != 0, l->caffe->err) != 0)
		return -1;
	for (size_t c = 0; c < layer->n_weights; c++)
		layer->weights[c] = (float)factor;
	for (size_t c = 0; c < layer->n_bias; c++)
		layer->bias[c] = (float)shift;
	return 0;
}

/* coeff of a sum, one for each bottom. */
static int read_coefficients(struct mch_caffe_layer *l, struct mch_layer *layer)
{
	const struct mch_prototxt *field = mch_prototxt_find(l->param, "coeff");
	bool is_plain = true;
	int n = 0;
	if (!field)
		return 0;
	layer->weights = malloc((size_t)l->n_in * sizeof(float));
	if (!layer->weights)
		return mch_caffe_complain(l, field, "out of memory; use a machine with more");
	layer->n_weights = (size_t)l->n_in;
	for (; field; field = mch_prototxt_again(field), n++) {
		double value;
		if (mch_prototxt_real(l->caffe->path, field, &value, l->caffe->err) != 0)
			return -1;
		if (n < l->n_in)
			layer->weights[n] = (float)value;
		is_plain = is_plain && value == 1;
	}
	if (n != l->n_in)
		return mch_caffe_complain(l, mch_prototxt_find(l->param, "coeff"),
					  "%d coeff for %d bottoms; give one for each, or none", n, l->n_in);
	if (is_plain) {
		free(layer->weights);
		layer->weights = NULL;
		layer->n_weights = 0;
	}
	return 0;
}

int mch_caffe_read_eltwise(struct mch_caffe_layer *l)
{
	static const char *const names[] = {"PROD", "SUM", "MAX"}, *const numbers[] = {"0", "1", "2"};
	static const enum mch_kind kinds[] = {MCH_PROD, MCH_SUM, MCH_MAX};
	const struct mch_prototxt *operation = mch_prototxt_find(l->param, "operation");
	int i = operation ? 0 : 1;
	while (operation && i < 3 && !mch_caffe_is_word(operation, names[i], numbers[i]))
		i++;
	if (i == 3)
		return mch_caffe_complain(l, operation, "operation is PROD, SUM or MAX; correct the definition");
	for (int b = 1; b < l->n_in; b++) {
		const struct mch_shape a = mch_caffe_in_shape(l, 0), x = mch_caffe_in_shape(l, b);
		if (a.c != x.c || a.h != x.h || a.w != x.w)
			return mch_caffe_complain(l, NULL,
						  "bottoms of %dx%dx%d and %dx%dx%d, one shape is expected; correct "
						  "the definition",
						  a.c, a.h, a.w, x.c, x.h, x.w);
	}
	if (kinds[i] != MCH_SUM && mch_prototxt_find(l->param, "coeff"))
		return mch_caffe_complain(l, mch_prototxt_find(l->param, "coeff"),
					  "coeff goes with SUM alone; correct the definition");
	struct mch_layer *layer = add(l, kinds[i]);
	return layer ? read_coefficients(l, layer) : -1;
}
