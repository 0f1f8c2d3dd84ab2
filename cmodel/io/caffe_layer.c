/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The table of Caffe's types, and how one layer is read; see caffe_layer.h. A field that is not known is refused: a
 * misspelt "kernal_size" would otherwise become another network. */
#include "io/caffe_layer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/build.h"

#define CONV_FIELDS                                                                                          \
	"num_output bias_term pad pad_h pad_w kernel_size kernel_h kernel_w group stride stride_h stride_w " \
	"dilation "                                                                                          \
	"weight_filler bias_filler engine axis force_nd_im2col "
#define DENSE_FIELDS "num_output bias_term weight_filler bias_filler axis transpose "
#define LRN_FIELDS   "local_size alpha beta norm_region k engine "

#define COMPUTE(type, v1, param, fields, n_in_min, n_in_max, has_tops, look, read)              \
	{                                                                                       \
		type, v1, MCH_CAFFE_COMPUTE, param, fields, n_in_min, n_in_max, has_tops, look, \
			mch_caffe_read_##read                                                   \
	}
#define PLAIN(type, v1, param, fields, read) COMPUTE(type, v1, param, fields, 1, 1, false, NULL, read)
#define OTHER(type, v1, role)                                      \
	{                                                          \
		type, v1, role, NULL, NULL, 0, 0, true, NULL, NULL \
	}

static const struct mch_caffe_type types[] = {
	PLAIN("Convolution", "CONVOLUTION", "convolution_param", CONV_FIELDS, conv),
	PLAIN("ConvolutionDepthwise", NULL, "convolution_param", CONV_FIELDS, conv),
	PLAIN("DepthwiseConvolution", NULL, "convolution_param", CONV_FIELDS, conv),
	PLAIN("ConvolutionRistretto", NULL, "convolution_param", CONV_FIELDS, conv),
	PLAIN("Deconvolution", "DECONVOLUTION", "convolution_param", CONV_FIELDS, deconv),
	PLAIN("DeconvolutionRistretto", NULL, "convolution_param", CONV_FIELDS, deconv),
	PLAIN("InnerProduct", "INNER_PRODUCT", "inner_product_param", DENSE_FIELDS, dense),
	PLAIN("FcRistretto", NULL, "inner_product_param", DENSE_FIELDS, dense),
	COMPUTE("Pooling", "POOLING", "pooling_param",
		"pool pad pad_h pad_w kernel_size kernel_h kernel_w stride stride_h stride_w engine global_pooling "
		"round_mode ceil_mode ",
		1, 1, false, mch_caffe_look_pool, pool),
	PLAIN("ReLU", "RELU", "relu_param", "negative_slope engine ", relu),
	PLAIN("ReLU6", NULL, "relu6_param", "", relu6),
	PLAIN("Clip", NULL, "clip_param", "min max ", clip),
	PLAIN("PReLU", NULL, "prelu_param", "filler channel_shared ", prelu),
	PLAIN("Sigmoid", "SIGMOID", "sigmoid_param", "engine ", sigmoid),
	PLAIN("TanH", "TANH", "tanh_param", "engine ", tanh),
	PLAIN("Softmax", "SOFTMAX", "softmax_param", "engine axis ", softmax),
	PLAIN("LRN", "LRN", "lrn_param", LRN_FIELDS, lrn),
	PLAIN("LRNRistretto", NULL, "lrn_param", LRN_FIELDS, lrn),
	COMPUTE("BatchNorm", NULL, "batch_norm_param", "use_global_stats moving_average_fraction eps engine ", 1, 1,
		false, mch_caffe_look_batch_norm, batch_norm),
	COMPUTE("Scale", NULL, "scale_param", "axis num_axes filler bias_term bias_filler ", 1, 2, false, NULL,
		scale),
	COMPUTE("Bias", NULL, "bias_param", "axis num_axes filler ", 1, 2, false, NULL, bias),
	COMPUTE("Power", "POWER", "power_param", "power scale shift ", 1, 1, false, mch_caffe_look_power, power),
	COMPUTE("Eltwise", "ELTWISE", "eltwise_param", "operation coeff stable_prod_grad ", 1, MCH_CAFFE_TOPS_MAX,
		false, NULL, eltwise),
	PLAIN("Dropout", "DROPOUT", "dropout_param", "dropout_ratio scale_train ", dropout),
	COMPUTE("Concat", "CONCAT", "concat_param", "axis concat_dim ", 1, MCH_CAFFE_TOPS_MAX, false, NULL, concat),
	COMPUTE("Slice", "SLICE", "slice_param", "axis slice_dim slice_point ", 1, 1, true, NULL, slice),
	COMPUTE("Split", "SPLIT", "split_param", "", 1, 1, true, NULL, split),
	COMPUTE("Crop", NULL, "crop_param", "axis offset ", 2, 2, false, NULL, crop),
	PLAIN("Flatten", "FLATTEN", "flatten_param", "axis end_axis ", flatten),
	PLAIN("Reshape", NULL, "reshape_param", "shape axis num_axes ", reshape),
	PLAIN("Permute", NULL, "permute_param", "order ", permute),
	PLAIN("Upsample", NULL, "upsample_param", "scale ", upsample),
	OTHER("Input", "INPUT", MCH_CAFFE_INPUT),
	OTHER("MemoryData", "MEMORY_DATA", MCH_CAFFE_INPUT),
	OTHER("Data", "DATA", MCH_CAFFE_DATA),
	OTHER("ImageData", "IMAGE_DATA", MCH_CAFFE_DATA),
	OTHER("HDF5Data", "HDF5_DATA", MCH_CAFFE_DATA),
	OTHER("WindowData", "WINDOW_DATA", MCH_CAFFE_DATA),
	OTHER("Accuracy", "ACCURACY", MCH_CAFFE_TRAINING),
	OTHER("ContrastiveLoss", "CONTRASTIVE_LOSS", MCH_CAFFE_TRAINING),
	OTHER("EuclideanLoss", "EUCLIDEAN_LOSS", MCH_CAFFE_TRAINING),
	OTHER("HingeLoss", "HINGE_LOSS", MCH_CAFFE_TRAINING),
	OTHER("InfogainLoss", "INFOGAIN_LOSS", MCH_CAFFE_TRAINING),
	OTHER("MultinomialLogisticLoss", "MULTINOMIAL_LOGISTIC_LOSS", MCH_CAFFE_TRAINING),
	OTHER("SigmoidCrossEntropyLoss", "SIGMOID_CROSS_ENTROPY_LOSS", MCH_CAFFE_TRAINING),
	OTHER("SoftmaxWithLoss", "SOFTMAX_LOSS", MCH_CAFFE_TRAINING),
	OTHER("Silence", "SILENCE", MCH_CAFFE_SILENCE),
};

const struct mch_caffe_type *mch_caffe_find_type(const char *type, bool is_v1)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		const char *name = is_v1 ? types[i].v1 : types[i].type;
		if (name && strcmp(type, name) == 0)
			return &types[i];
	}
	return NULL;
}

struct mch_caffe_blob *mch_caffe_find_blob(const struct mch_caffe *caffe, const char *name)
{
	for (int i = caffe->n_blobs - 1; i >= 0; i--)
		if (strcmp(caffe->blobs[i].name, name) == 0)
			return &caffe->blobs[i];
	return NULL;
}

int mch_caffe_bind(struct mch_caffe *caffe, const char *name, int edge, int n_axes)
{
	struct mch_caffe_blob *blob = mch_caffe_find_blob(caffe, name);
	if (!blob) {
		blob = realloc(caffe->blobs, ((size_t)caffe->n_blobs + 1) * sizeof(*blob));
		if (!blob)
			return mch_err_set(caffe->err, caffe->path, "out of memory; use a machine with more");
		caffe->blobs = blob;
		blob += caffe->n_blobs++;
	}
	*blob = (struct mch_caffe_blob){.name = name, .edge = edge, .n_axes = n_axes};
	return 0;
}

struct mch_shape mch_caffe_in_shape(const struct mch_caffe_layer *l, int i)
{
	return l->caffe->net->edges[l->in[i]].shape;
}

/* A name that no net layer has yet: a Caffe layer that becomes several has its own name first. */
static int layer_name(const struct mch_caffe_layer *l, char *buf, size_t room)
{
	int n = snprintf(buf, room, "%s", l->name);
	for (int i = 2; n >= 0 && (size_t)n < room && mch_net_find_layer(l->caffe->net, buf) >= 0; i++)
		n = snprintf(buf, room, "%s_%d", l->name, i);
	if (n < 0 || (size_t)n >= room)
		return mch_caffe_complain(l, NULL, "the name \"%.32s...\" has over %zu letters; shorten it", l->name,
					  room - 1);
	return 0;
}

int mch_caffe_add(struct mch_caffe_layer *l, enum mch_kind kind, int n_in, const int *in, int top)
{
	struct mch_net *net = l->caffe->net;
	char name[256], edge_name[256];
	const struct mch_caffe_blob *old = mch_caffe_find_blob(l->caffe, l->top[top]);
	/* In place (its top was a bottom): an edge of its own, named after the layer. */
	if (layer_name(l, name, sizeof(name)) != 0 ||
	    mch_build_edge_name(net, old ? name : l->top[top], edge_name, sizeof(edge_name), l->caffe->err) != 0)
		return -1;
	const int index = mch_net_append(net, name, kind, n_in, in, edge_name, l->caffe->err);
	if (index < 0 || mch_caffe_bind(l->caffe, l->top[top], net->layers[index].out[0], 0) != 0)
		return -1;
	return index;
}

int mch_caffe_plan(struct mch_caffe_layer *l, int index, enum mch_caffe_blobs blobs)
{
	struct mch_caffe *caffe = l->caffe;
	struct mch_caffe_plan *more = realloc(caffe->plans, ((size_t)caffe->n_plans + 1) * sizeof(*more));
	if (!more)
		return mch_err_set(caffe->err, caffe->path, "out of memory; use a machine with more");
	caffe->plans = more;
	caffe->plans[caffe->n_plans++] = (struct mch_caffe_plan){index, blobs};
	return 0;
}

/* The layer's own fields, and those of its parameters. Parameters of other types are ignored, as Caffe does. */
static int check_fields(const struct mch_caffe_layer *l)
{
	static const char own[] = "name type bottom top phase param blobs_lr weight_decay include exclude "
				  "loss_weight "
				  "propagate_down blobs blob_share_mode ";
	for (const struct mch_prototxt *f = l->field->first; f; f = f->next) {
		const size_t n = strlen(f->name);
		if (!mch_caffe_has_word(own, f->name) && (n < 7 || strcmp(f->name + n - 6, "_param") != 0))
			return mch_caffe_complain(l, f, "%s is no field of a layer; correct the name", f->name);
	}
	if (!l->param)
		return 0;
	if (mch_prototxt_message(l->caffe->path, l->param, l->caffe->err) != 0)
		return -1;
	for (const struct mch_prototxt *f = l->param->first; f; f = f->next)
		if (!mch_caffe_has_word(l->type->fields, f->name))
			return mch_caffe_complain(l, f, "%s is no field of %s; correct the name", f->name,
						  l->param->name);
	return 0;
}

/* The shapes of what the layer made, at once: the layers behind it ask for them. */
static int infer(struct mch_caffe_layer *l, int first)
{
	struct mch_net *net = l->caffe->net;
	struct mch_err why = {""};
	for (int i = first; i < net->n_layers; i++)
		if (mch_net_infer_layer(net, i, &why) != 0) {
			const char *text = strstr(why.text, ": ");
			return mch_err_set(l->caffe->err, l->caffe->path, "%s", text ? text + 2 : why.text);
		}
	return 0;
}

int mch_caffe_read_layer(struct mch_caffe_layer *l)
{
	const int first = l->caffe->net->n_layers;
	l->param = mch_prototxt_find(l->field, l->type->param);
	if (check_fields(l) != 0 || l->type->read(l) != 0 || infer(l, first) != 0)
		return -1;
	for (int i = 0; i < l->n_top; i++)
		mch_caffe_find_blob(l->caffe, l->top[i])->n_axes = l->n_axes;
	return mch_caffe_read_ristretto(l, first);
}
