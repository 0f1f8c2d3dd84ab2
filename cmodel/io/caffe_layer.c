/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The parameters of one Caffe layer; see caffe_layer.h. A field that is not known is refused: a misspelt
 * "kernal_size" would otherwise become another network. */
#include "io/caffe_layer.h"

#include <limits.h>
#include <string.h>

#include "io/build.h"

struct params {
	const char *path;
	const struct mch_prototxt *layer, *param; /* param: convolution_param and the like, may be NULL */
	struct mch_net *net;
	int index;
	struct mch_err *err;
};

static int complain(const struct params *p, const struct mch_prototxt *field, const char *what)
{
	return mch_prototxt_err(p->err, p->path, field ? field : p->layer, "%s", what);
}

static int get_int(const struct params *p, const char *name, int low, int high, int fallback, int *value)
{
	const struct mch_prototxt *field = mch_prototxt_find(p->param, name);
	*value = fallback;
	return field ? mch_prototxt_int(p->path, field, low, high, value, p->err) : 0;
}

static int get_bool(const struct params *p, const char *name, bool fallback, int *value)
{
	const struct mch_prototxt *field = mch_prototxt_find(p->param, name);
	*value = fallback;
	return field ? mch_prototxt_bool(p->path, field, value, p->err) : 0;
}

/* A field that this program knows with one value only. */
static int require_int(const struct params *p, const char *name, int only)
{
	const struct mch_prototxt *field = mch_prototxt_find(p->param, name);
	int value;
	if (!field)
		return 0;
	if (mch_prototxt_int(p->path, field, INT_MIN, INT_MAX, &value, p->err) != 0)
		return -1;
	if (value == only)
		return 0;
	return mch_prototxt_err(p->err, p->path, field, "%s is %d, only %d is supported; rewrite the layer", name,
				value, only);
}

static int require_bool(const struct params *p, const char *name, bool only)
{
	int value;
	if (get_bool(p, name, only, &value) != 0)
		return -1;
	if (value == only)
		return 0;
	return mch_prototxt_err(p->err, p->path, mch_prototxt_find(p->param, name),
				"%s is %s, only %s is supported; rewrite the layer", name, value ? "true" : "false",
				only ? "true" : "false");
}

/* kernel_size: 5, or kernel_size: 5 kernel_size: 3, or kernel_h: 5 kernel_w: 3. A fallback below low: required. */
static int get_pair(const struct params *p, const char *both, const char *name_h, const char *name_w, int low,
		    int fallback, int *h, int *w)
{
	const struct mch_prototxt *first = mch_prototxt_find(p->param, both);
	const struct mch_prototxt *field_h = name_h ? mch_prototxt_find(p->param, name_h) : NULL;
	const struct mch_prototxt *field_w = name_w ? mch_prototxt_find(p->param, name_w) : NULL;
	*h = *w = fallback;
	if (first && (field_h || field_w))
		return mch_prototxt_err(p->err, p->path, first, "%s and %s are both given; keep one form", both,
					field_h ? name_h : name_w);
	const struct mch_prototxt *second = first ? mch_prototxt_again(first) : NULL;
	if (second && mch_prototxt_again(second))
		return mch_prototxt_err(p->err, p->path, first,
					"%s is given over twice, height and width are two; correct the "
					"definition",
					both);
	field_h = first ? first : field_h;
	field_w = second ? second : first ? first : field_w;
	if (field_h && mch_prototxt_int(p->path, field_h, low, MCH_BUILD_SIDE_MAX, h, p->err) != 0)
		return -1;
	if (field_w && mch_prototxt_int(p->path, field_w, low, MCH_BUILD_SIDE_MAX, w, p->err) != 0)
		return -1;
	if (*h < low || *w < low)
		return mch_prototxt_err(p->err, p->path, p->param ? p->param : p->layer, "%s is missing; add it",
					both);
	return 0;
}

static int get_outputs(const struct params *p, struct mch_layer *layer)
{
	int bias;
	if (get_int(p, "num_output", 1, MCH_BUILD_CHANNELS_MAX, 0, &layer->conv.k) != 0 ||
	    get_bool(p, "bias_term", true, &bias) != 0)
		return -1;
	if (layer->conv.k == 0)
		return complain(p, p->param, "num_output is missing; add it");
	layer->n_bias = bias ? (size_t)layer->conv.k : 0;
	return 0;
}

static int read_conv(const struct params *p)
{
	struct mch_layer *layer = &p->net->layers[p->index];
	struct mch_conv *g = &layer->conv;
	g->n = 1;
	if (get_outputs(p, layer) != 0 || require_int(p, "axis", 1) != 0 ||
	    get_pair(p, "kernel_size", "kernel_h", "kernel_w", 1, 0, &g->r, &g->s) != 0 ||
	    get_pair(p, "stride", "stride_h", "stride_w", 1, 1, &g->stride_h, &g->stride_w) != 0 ||
	    get_pair(p, "pad", "pad_h", "pad_w", 0, 0, &g->pad_top, &g->pad_left) != 0 ||
	    get_pair(p, "dilation", NULL, NULL, 1, 1, &g->dilation_h, &g->dilation_w) != 0 ||
	    get_int(p, "group", 1, MCH_BUILD_CHANNELS_MAX, 1, &g->groups) != 0)
		return -1;
	g->pad_bottom = g->pad_top;
	g->pad_right = g->pad_left;
	return 0;
}

static int read_dense(const struct params *p)
{
	struct mch_layer *layer = &p->net->layers[p->index];
	if (get_outputs(p, layer) != 0 || require_int(p, "axis", 1) != 0 || require_bool(p, "transpose", false) != 0)
		return -1;
	layer->conv = mch_dense_geometry(1, 0, layer->conv.k);
	return 0;
}

/* The scalar's text: an enum's name, or its number. */
static bool is_word(const struct mch_prototxt *field, const char *name, const char *number)
{
	return field->kind == MCH_PROTOTXT_SCALAR &&
	       (strcmp(field->text, name) == 0 || strcmp(field->text, number) == 0);
}

static int read_pool_window(const struct params *p, struct mch_pool *g)
{
	int global;
	if (get_bool(p, "global_pooling", false, &global) != 0)
		return -1;
	if (!global)
		return get_pair(p, "kernel_size", "kernel_h", "kernel_w", 1, 0, &g->r, &g->s);
	struct mch_shape in;
	if (mch_build_shape(p->net, p->net->layers[p->index].in[0], p->path, &in, p->err) != 0)
		return -1;
	g->r = in.h;
	g->s = in.w;
	return 0;
}

static int read_pool(const struct params *p)
{
	const struct mch_prototxt *pool = mch_prototxt_find(p->param, "pool");
	const struct mch_prototxt *round = mch_prototxt_find(p->param, "round_mode");
	/* A copy: the layer is not complete while the window's size is inferred. */
	struct mch_pool g = {.n = 1, .dilation_h = 1, .dilation_w = 1};
	const bool is_max = !pool || is_word(pool, "MAX", "0");
	if (!is_max && !is_word(pool, "AVE", "1"))
		return complain(p, pool, "only the pools MAX and AVE are supported; rewrite the layer");
	if (round && !is_word(round, "CEIL", "0") && !is_word(round, "FLOOR", "1"))
		return complain(p, round, "round_mode is CEIL or FLOOR; correct the definition");
	if (read_pool_window(p, &g) != 0 ||
	    get_pair(p, "stride", "stride_h", "stride_w", 1, 1, &g.stride_h, &g.stride_w) != 0 ||
	    get_pair(p, "pad", "pad_h", "pad_w", 0, 0, &g.pad_top, &g.pad_left) != 0)
		return -1;
	g.pad_bottom = g.pad_top;
	g.pad_right = g.pad_left;
	g.ceil_mode = !round || is_word(round, "CEIL", "0");
	/* Caffe's mean counts padding. Without any the divisor is the clipped window either way, and "not counted" is
	 * what all readers of the ONNX file take for that. */
	g.count_include_pad = !is_max && (g.pad_top > 0 || g.pad_left > 0);
	p->net->layers[p->index].kind = is_max ? MCH_POOL_MAX : MCH_POOL_AVG;
	p->net->layers[p->index].pool = g;
	return 0;
}

static int read_relu(const struct params *p)
{
	const struct mch_prototxt *field = mch_prototxt_find(p->param, "negative_slope");
	double slope = 0;
	if (field && mch_prototxt_real(p->path, field, &slope, p->err) != 0)
		return -1;
	return slope == 0 ? 0 : complain(p, field, "negative_slope other than 0 is not supported; rewrite the layer");
}

static int read_flatten(const struct params *p)
{
	return require_int(p, "axis", 1) != 0 || require_int(p, "end_axis", -1) != 0 ? -1 : 0;
}

static int read_dropout(const struct params *p)
{
	return require_bool(p, "scale_train", true);
}

static int read_softmax(const struct params *p)
{
	return require_int(p, "axis", 1);
}

/* The fields are words in one string, a space behind each. */
static const struct {
	const char *param, *fields;
	int (*read)(const struct params *p);
} readers[MCH_N_KINDS] = {
	[MCH_CONV] = {"convolution_param",
		      "num_output bias_term pad pad_h pad_w kernel_size kernel_h kernel_w group stride stride_h "
		      "stride_w "
		      "dilation weight_filler bias_filler engine axis force_nd_im2col ",
		      read_conv},
	[MCH_DENSE] = {"inner_product_param", "num_output bias_term weight_filler bias_filler axis transpose ",
		       read_dense},
	[MCH_RELU] = {"relu_param", "negative_slope engine ", read_relu},
	[MCH_POOL_MAX] = {"pooling_param",
			  "pool pad pad_h pad_w kernel_size kernel_h kernel_w stride stride_h stride_w engine "
			  "global_pooling "
			  "round_mode ",
			  read_pool},
	[MCH_FLATTEN] = {"flatten_param", "axis end_axis ", read_flatten},
	[MCH_DROPOUT] = {"dropout_param", "dropout_ratio scale_train ", read_dropout},
	[MCH_SOFTMAX] = {"softmax_param", "engine axis ", read_softmax},
};

bool mch_caffe_has_reader(enum mch_kind kind)
{
	return readers[kind].read != NULL;
}

static bool has_word(const char *words, const char *word)
{
	const size_t n = strlen(word);
	for (const char *at = words; (at = strstr(at, word)) != NULL; at += n)
		if ((at == words || at[-1] == ' ') && at[n] == ' ')
			return true;
	return false;
}

/* Of the layer itself: its own fields, and the parameters of other types, which Caffe ignores too. */
static int check_fields(const struct params *p, const char *param_fields)
{
	static const char own[] =
		"name type bottom top phase param blobs_lr weight_decay include exclude loss_weight "
		"propagate_down blobs ";
	for (const struct mch_prototxt *f = p->layer->first; f; f = f->next) {
		const size_t n = strlen(f->name);
		if (!has_word(own, f->name) && (n < 7 || strcmp(f->name + n - 6, "_param") != 0))
			return mch_prototxt_err(p->err, p->path, f, "%s is no field of a layer; correct the name",
						f->name);
	}
	if (!p->param)
		return 0;
	if (mch_prototxt_message(p->path, p->param, p->err) != 0)
		return -1;
	for (const struct mch_prototxt *f = p->param->first; f; f = f->next)
		if (!has_word(param_fields, f->name))
			return mch_prototxt_err(p->err, p->path, f, "%s is no field of %s; correct the name", f->name,
						p->param->name);
	return 0;
}

int mch_caffe_layer(const char *path, const struct mch_prototxt *layer, struct mch_net *net, int index,
		    struct mch_err *err)
{
	const enum mch_kind kind = net->layers[index].kind;
	const struct params p = {path, layer, mch_prototxt_find(layer, readers[kind].param), net, index, err};
	return check_fields(&p, readers[kind].fields) != 0 ? -1 : readers[kind].read(&p);
}

/* A NetStateRule: every condition given must hold for phase TEST, level 0, no stages. */
static int rule_holds(const char *path, const struct mch_prototxt *rule, bool *holds, struct mch_err *err)
{
	int min = 0, max = 0;
	const struct mch_prototxt *phase = mch_prototxt_find(rule, "phase"), *field;
	if (mch_prototxt_message(path, rule, err) != 0)
		return -1;
	if (phase && !is_word(phase, "TRAIN", "0") && !is_word(phase, "TEST", "1"))
		return mch_prototxt_err(err, path, phase, "phase is TRAIN or TEST; correct the definition");
	field = mch_prototxt_find(rule, "min_level");
	if (field && mch_prototxt_int(path, field, INT_MIN, INT_MAX, &min, err) != 0)
		return -1;
	field = mch_prototxt_find(rule, "max_level");
	if (field && mch_prototxt_int(path, field, INT_MIN, INT_MAX, &max, err) != 0)
		return -1;
	*holds = (!phase || is_word(phase, "TEST", "1")) && min <= 0 && max >= 0 && !mch_prototxt_find(rule, "stage");
	return 0;
}

int mch_caffe_is_kept(const char *path, const struct mch_prototxt *layer, bool *is_kept, struct mch_err *err)
{
	const struct mch_prototxt *include = mch_prototxt_find(layer, "include");
	const struct mch_prototxt *exclude = mch_prototxt_find(layer, "exclude");
	bool any = false;
	if (include && exclude)
		return mch_prototxt_err(err, path, exclude, "include and exclude in one layer; keep one");
	for (const struct mch_prototxt *rule = include ? include : exclude; rule; rule = mch_prototxt_again(rule)) {
		bool holds;
		if (rule_holds(path, rule, &holds, err) != 0)
			return -1;
		any = any || holds;
	}
	*is_kept = include ? any : !any;
	return 0;
}
