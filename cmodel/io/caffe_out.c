/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Which Caffe layer each kind becomes in a prototxt, and its parameters there; see caffe_out.h. */
#include "io/caffe_out.h"

#include <math.h>

#include "io/real_text.h"

static void put_real(FILE *f, const char *name, double value)
{
	char buf[32];
	fprintf(f, " %s: %s", name, mch_real_text(value, buf));
}

/* One number where both are the same, and none where both are the default. */
static void put_pair(FILE *f, const char *both, const char *name, int h, int w, int fallback)
{
	if (h == fallback && w == fallback)
		return;
	if (h == w)
		fprintf(f, " %s: %d", both, h);
	else
		fprintf(f, " %s_h: %d %s_w: %d", name, h, name, w);
}

static void put_conv(FILE *f, const struct mch_net *net, const struct mch_layer *layer)
{
	(void)net;
	const struct mch_conv *g = &layer->conv;
	fprintf(f, "\tconvolution_param { num_output: %d%s", g->k, layer->n_bias ? "" : " bias_term: false");
	put_pair(f, "kernel_size", "kernel", g->r, g->s, 0);
	put_pair(f, "pad", "pad", g->pad_top, g->pad_left, 0);
	put_pair(f, "stride", "stride", g->stride_h, g->stride_w, 1);
	if (g->dilation_h != 1 || g->dilation_w != 1)
		fprintf(f, " dilation: %d dilation: %d", g->dilation_h, g->dilation_w);
	if (g->groups != 1)
		fprintf(f, " group: %d", g->groups);
	fprintf(f, " }\n");
}

static void put_dense(FILE *f, const struct mch_net *net, const struct mch_layer *layer)
{
	(void)net;
	fprintf(f, "\tinner_product_param { num_output: %d%s }\n", layer->conv.k,
		layer->n_bias ? "" : " bias_term: false");
}

static void put_pool(FILE *f, const struct mch_net *net, const struct mch_layer *layer)
{
	(void)net;
	const struct mch_pool *g = &layer->pool;
	fprintf(f, "\tpooling_param { pool: %s", layer->kind == MCH_POOL_MAX ? "MAX" : "AVE");
	put_pair(f, "kernel_size", "kernel", g->r, g->s, 0);
	put_pair(f, "pad", "pad", g->pad_top, g->pad_left, 0);
	put_pair(f, "stride", "stride", g->stride_h, g->stride_w, 1);
	fprintf(f, "%s }\n", g->ceil_mode ? "" : " round_mode: FLOOR");
}

static void put_lrn(FILE *f, const struct mch_net *net, const struct mch_layer *layer)
{
	const struct mch_lrn *lrn = &layer->lrn;
	(void)net;
	fprintf(f, "\tlrn_param { local_size: %d", lrn->size);
	put_real(f, "alpha", lrn->alpha);
	put_real(f, "beta", lrn->beta);
	if (!lrn->is_within)
		put_real(f, "k", lrn->k);
	fprintf(f, "%s }\n", lrn->is_within ? " norm_region: WITHIN_CHANNEL" : "");
}

static void put_leaky_relu(FILE *f, const struct mch_net *net, const struct mch_layer *layer)
{
	(void)net;
	fprintf(f, "\trelu_param {");
	put_real(f, "negative_slope", layer->slope);
	fprintf(f, " }\n");
}

static bool is_relu6(const struct mch_layer *layer)
{
	return layer->kind == MCH_CLIP && layer->clip.low == 0 && layer->clip.high == 6;
}

static void put_clip(FILE *f, const struct mch_net *net, const struct mch_layer *layer)
{
	(void)net;
	if (is_relu6(layer))
		return;
	fprintf(f, "\tclip_param {");
	if (isfinite(layer->clip.low))
		put_real(f, "min", (double)layer->clip.low);
	if (isfinite(layer->clip.high))
		put_real(f, "max", (double)layer->clip.high);
	fprintf(f, " }\n");
}

static void put_prelu(FILE *f, const struct mch_net *net, const struct mch_layer *layer)
{
	(void)net;
	if (layer->n_weights == 1 && layer->norm.channels != 1)
		fprintf(f, "\tprelu_param { channel_shared: true }\n");
}

static void put_batch_norm(FILE *f, const struct mch_net *net, const struct mch_layer *layer)
{
	(void)net;
	fprintf(f, "\tbatch_norm_param {");
	put_real(f, "eps", layer->norm.epsilon);
	fprintf(f, " }\n");
}

static void put_scale(FILE *f, const struct mch_net *net, const struct mch_layer *layer)
{
	(void)net;
	if (layer->n_bias)
		fprintf(f, "\tscale_param { bias_term: true }\n");
}

int mch_caffe_out_joins(const struct mch_net *net, const struct mch_layer *layer)
{
	const struct mch_shape a = net->edges[layer->in[0]].shape;
	bool all_same = true;
	for (int i = 1; i < layer->n_in; i++) {
		const struct mch_shape b = net->edges[layer->in[i]].shape;
		all_same = all_same && a.c == b.c && a.h == b.h && a.w == b.w;
	}
	if (all_same)
		return 1;
	const struct mch_shape b = net->edges[layer->in[1]].shape;
	return layer->n_in == 2 && b.c == a.c && b.h == 1 && b.w == 1 && layer->kind != MCH_MAX && !layer->weights
		       ? 2
		       : 0;
}

static void put_eltwise(FILE *f, const struct mch_net *net, const struct mch_layer *layer)
{
	if (mch_caffe_out_joins(net, layer) == 2) {
		fprintf(f, "\t%s_param { axis: 0 }\n", layer->kind == MCH_PROD ? "scale" : "bias");
		return;
	}
	fprintf(f, "\teltwise_param { operation: %s",
		layer->kind == MCH_SUM    ? "SUM"
		: layer->kind == MCH_PROD ? "PROD"
					  : "MAX");
	for (size_t i = 0; layer->kind == MCH_SUM && layer->weights && i < layer->n_weights; i++)
		put_real(f, "coeff", (double)layer->weights[i]);
	fprintf(f, " }\n");
}

static void put_concat(FILE *f, const struct mch_net *net, const struct mch_layer *layer)
{
	(void)net;
	fprintf(f, "\tconcat_param { axis: %d }\n", layer->axis);
}

static void put_reshape(FILE *f, const struct mch_net *net, const struct mch_layer *layer)
{
	(void)net;
	fprintf(f, "\treshape_param { shape { dim: 0 dim: %d dim: %d dim: %d } }\n", layer->shape.c, layer->shape.h,
		layer->shape.w);
}

static void put_permute(FILE *f, const struct mch_net *net, const struct mch_layer *layer)
{
	(void)net;
	fprintf(f, "\tpermute_param { order: 0 order: %d order: %d order: %d }\n", layer->order[0] + 1,
		layer->order[1] + 1, layer->order[2] + 1);
}

static void put_dropout(FILE *f, const struct mch_net *net, const struct mch_layer *layer)
{
	(void)net;
	fprintf(f, "\tdropout_param {");
	put_real(f, "dropout_ratio", layer->dropout_ratio);
	fprintf(f, " }\n");
}

int mch_caffe_out_cut(const struct mch_net *net, const struct mch_layer *layer, int *begin, int *end)
{
	const struct mch_gather *g = &layer->gather;
	const struct mch_shape *in = &net->edges[layer->in[0]].shape;
	const int n[3] = {g->n_c, g->n_h, g->n_w}, had[3] = {in->c, in->h, in->w};
	int axis = 0;
	const int *at = g->at;
	for (int a = 0; a < 3; at += n[a++]) {
		for (int i = 0; i < n[a]; i++)
			if (at[i] != at[0] + i || at[i] < 0)
				return 0;
		if (at[0] == 0 && n[a] == had[a])
			continue;
		if (axis)
			return 0;
		axis = a + 1;
		*begin = at[0];
		*end = at[0] + n[a];
	}
	return axis;
}

/* The factor of an upsampling by the same in both directions; 0: another one. */
static int up_factor(const struct mch_gather *g, const struct mch_shape *in)
{
	const int factor = g->n_h / in->h;
	const int *at_h = g->at + g->n_c, *at_w = at_h + g->n_h;
	if (g->n_c != in->c || factor < 1 || g->n_h != in->h * factor || g->n_w != in->w * factor)
		return 0;
	for (int c = 0; c < g->n_c; c++)
		if (g->at[c] != c)
			return 0;
	for (int h = 0; h < g->n_h; h++)
		if (at_h[h] != h / factor)
			return 0;
	for (int w = 0; w < g->n_w; w++)
		if (at_w[w] != w / factor)
			return 0;
	return factor;
}

static void put_upsample(FILE *f, const struct mch_net *net, const struct mch_layer *layer)
{
	fprintf(f, "\tupsample_param { scale: %d }\n", up_factor(&layer->gather, &net->edges[layer->in[0]].shape));
}

static const char *lacks_conv(const struct mch_net *net, const struct mch_layer *layer)
{
	const struct mch_conv *g = &layer->conv;
	(void)net;
	if (g->pad_top != g->pad_bottom || g->pad_left != g->pad_right)
		return "uneven pads";
	return layer->out_pad_h || layer->out_pad_w ? "output padding" : NULL;
}

static const char *lacks_pool(const struct mch_net *net, const struct mch_layer *layer)
{
	const struct mch_pool *g = &layer->pool;
	(void)net;
	if (g->pad_top != g->pad_bottom || g->pad_left != g->pad_right)
		return "uneven pads";
	if (g->dilation_h != 1 || g->dilation_w != 1)
		return "dilation";
	return layer->kind == MCH_POOL_AVG && !g->count_include_pad && (g->pad_top || g->pad_left) ? "pads not "
												     "counted"
												   : NULL;
}

static const char *lacks_lrn(const struct mch_net *net, const struct mch_layer *layer)
{
	(void)net;
	return layer->lrn.size % 2 ? NULL : "an even size";
}

static const char *lacks_eltwise(const struct mch_net *net, const struct mch_layer *layer)
{
	return mch_caffe_out_joins(net, layer) ? NULL : "inputs of these shapes";
}

static const char *lacks_slice(const struct mch_net *net, const struct mch_layer *layer)
{
	int begin, end;
	return mch_caffe_out_cut(net, layer, &begin, &end) ? NULL : "more than one range of one axis";
}

static const char *lacks_upsample(const struct mch_net *net, const struct mch_layer *layer)
{
	return up_factor(&layer->gather, &net->edges[layer->in[0]].shape) ? NULL : "uneven factors";
}

static const struct {
	const char *type; /* NULL: Caffe has none */
	void (*put)(FILE *f, const struct mch_net *net, const struct mch_layer *layer);
	const char *(*lacks)(const struct mch_net *net, const struct mch_layer *layer);
} rows[MCH_N_KINDS] = {
	[MCH_CONV] = {"Convolution", put_conv, lacks_conv},
	[MCH_DENSE] = {"InnerProduct", put_dense, NULL},
	[MCH_DECONV] = {"Deconvolution", put_conv, lacks_conv},
	[MCH_RELU] = {"ReLU", NULL, NULL},
	[MCH_CLIP] = {"Clip", put_clip, NULL},
	[MCH_LEAKY_RELU] = {"ReLU", put_leaky_relu, NULL},
	[MCH_PRELU] = {"PReLU", put_prelu, NULL},
	[MCH_SIGMOID] = {"Sigmoid", NULL, NULL},
	[MCH_TANH] = {"TanH", NULL, NULL},
	[MCH_SOFTMAX] = {"Softmax", NULL, NULL},
	[MCH_POOL_MAX] = {"Pooling", put_pool, lacks_pool},
	[MCH_POOL_AVG] = {"Pooling", put_pool, lacks_pool},
	[MCH_LRN] = {"LRN", put_lrn, lacks_lrn},
	[MCH_BATCH_NORM] = {"BatchNorm", put_batch_norm, NULL},
	[MCH_SCALE] = {"Scale", put_scale, NULL},
	[MCH_SUM] = {"Eltwise", put_eltwise, lacks_eltwise},
	[MCH_PROD] = {"Eltwise", put_eltwise, lacks_eltwise},
	[MCH_MAX] = {"Eltwise", put_eltwise, lacks_eltwise},
	[MCH_CONCAT] = {"Concat", put_concat, NULL},
	[MCH_SLICE] = {"Slice", NULL, lacks_slice},
	[MCH_UPSAMPLE] = {"Upsample", put_upsample, lacks_upsample},
	[MCH_FLATTEN] = {"Flatten", NULL, NULL},
	[MCH_RESHAPE] = {"Reshape", put_reshape, NULL},
	[MCH_TRANSPOSE] = {"Permute", put_permute, NULL},
	[MCH_DROPOUT] = {"Dropout", put_dropout, NULL},
};

const char *mch_caffe_out_type(const struct mch_net *net, const struct mch_layer *layer)
{
	if (is_relu6(layer))
		return "ReLU6";
	if ((layer->kind == MCH_PROD || layer->kind == MCH_SUM) && mch_caffe_out_joins(net, layer) == 2)
		return layer->kind == MCH_PROD ? "Scale" : "Bias";
	return rows[layer->kind].type;
}

const char *mch_caffe_out_lacks(const struct mch_net *net, const struct mch_layer *layer)
{
	if (!rows[layer->kind].type)
		return "";
	return rows[layer->kind].lacks ? rows[layer->kind].lacks(net, layer) : NULL;
}

void mch_caffe_out_params(FILE *f, const struct mch_net *net, const struct mch_layer *layer)
{
	if (rows[layer->kind].put)
		rows[layer->kind].put(f, net, layer);
}
