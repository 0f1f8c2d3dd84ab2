/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Caffe's layer types, one by one, phases and preprocessing: what they become, and the
 * exact text of what is refused. */
#include "check_main.h"

#include <math.h>
#include <string.h>

#include "io/caffe_read.h"
#include "io/caffe_write.h"
#include "temp.h"

static struct temp temp;

static void setup(void)
{
	temp_open(&temp);
}

static void teardown(void)
{
	temp_close(&temp);
}

static void read_text(const char *text, struct mch_net *net)
{
	struct mch_err err = {""};
	temp_write(&temp, "n.prototxt", text, strlen(text));
	ck_assert_msg(mch_caffe_read(temp.path, NULL, net, &err) == 0, "%s", err.text);
}

static const struct mch_layer *layer_of(const struct mch_net *net, const char *name)
{
	const int index = mch_net_find_layer(net, name);
	ck_assert_msg(index >= 0, "no layer %s", name);
	return &net->layers[index];
}

static void expect_shape(const struct mch_net *net, const char *edge, int c, int h, int w)
{
	const int index = mch_net_find_edge(net, edge);
	ck_assert_msg(index >= 0, "no tensor %s", edge);
	const struct mch_shape s = net->edges[index].shape;
	ck_assert_msg(s.n == 1 && s.c == c && s.h == h && s.w == w, "%s is %dx%dx%dx%d", edge, s.n, s.c, s.h, s.w);
}

/* The runs of one image through a net whose values count up from 0; y is the caller's to free. */
static float *run(const struct mch_net *net)
{
	struct mch_err err = {""};
	const size_t n_in = mch_shape_elems(net->edges[net->input].shape);
	float *x = malloc(n_in * sizeof(*x)), **value = calloc((size_t)net->n_edges, sizeof(*value));
	ck_assert(x && value);
	for (size_t i = 0; i < n_in; i++)
		x[i] = (float)i;
	float *y = value[net->output] = malloc(mch_shape_elems(net->edges[net->output].shape) * sizeof(*y));
	ck_assert_msg(mch_net_run_f32(net, 1, x, value, &err) == 0, "%s", err.text);
	free(x);
	free(value);
	return y;
}

#define INPUT(c, h, w) "input: 'x' input_shape { dim: 1 dim: " #c " dim: " #h " dim: " #w " }\n"
#define L(name, type, bottom, more) \
	"layer { name: '" name "' type: '" type "' bottom: '" bottom "' top: '" name "' " more " }\n"
#define J(name, type, first, second, more) L(name, type, first "' bottom: '" second, more)

START_TEST(multiplying_layers)
{
	struct mch_net net;
	read_text(INPUT(6, 5, 7)
		  L("d", "Deconvolution", "x", "convolution_param { num_output: 4 kernel_size: 3 stride: 2 pad: 1 "
		   "group: 2 }")
		  L("w", "DepthwiseConvolution", "d", "convolution_param { num_output: 8 kernel_size: 3 dilation: "
		   "2 }")
		  L("i", "InnerProduct", "w", "inner_product_param { num_output: 3 transpose: true bias_term: "
		   "false }"), &net);
	const struct mch_layer *d = layer_of(&net, "d"), *w = layer_of(&net, "w"), *i = layer_of(&net, "i");
	ck_assert(d->kind == MCH_DECONV && d->conv.groups == 2 && d->n_bias == 4 && d->conv.pad_bottom == 1);
	expect_shape(&net, "d", 4, 9, 13);
	ck_assert(w->kind == MCH_CONV && w->conv.groups == 4 && w->conv.dilation_w == 2);
	expect_shape(&net, "w", 8, 5, 9);
	ck_assert(i->kind == MCH_DENSE && i->n_bias == 0 && i->conv.c == 360);
	mch_net_free(&net);
}
END_TEST

START_TEST(value_layers)
{
	struct mch_net net;
	read_text(INPUT(3, 2, 2) L("l", "ReLU", "x", "relu_param { negative_slope: 0.25 }") L("6", "ReLU6", "l", "")
		  L("c", "Clip", "6", "clip_param { max: 3 }")
		  L("p", "PReLU", "c", "prelu_param { channel_shared: true filler { value: 0.2 } }")
		  L("q", "PReLU", "p", "") L("s", "Sigmoid", "q", "") L("t", "TanH", "s", "")
		  L("b", "BatchNorm", "t", "batch_norm_param { eps: 0.5 use_global_stats: true }")
		  L("k", "Scale", "b", "scale_param { bias_term: true axis: -3 }") L("a", "Bias", "k", "")
		  L("w", "Power", "a", "power_param { scale: 2 shift: -1 }")
		  L("n", "LRN", "w", "lrn_param { local_size: 3 alpha: 0.5 beta: 0.25 k: 4 }")
		  L("m", "LRN", "n", "lrn_param { norm_region: WITHIN_CHANNEL k: 4 }"), &net);
	ck_assert(layer_of(&net, "l")->kind == MCH_LEAKY_RELU && layer_of(&net, "l")->slope == 0.25);
	ck_assert(layer_of(&net, "6")->clip.low == 0 && layer_of(&net, "6")->clip.high == 6);
	ck_assert(layer_of(&net, "c")->clip.low == -INFINITY && layer_of(&net, "c")->clip.high == 3);
	ck_assert(layer_of(&net, "p")->n_weights == 1 && layer_of(&net, "q")->n_weights == 3);
	ck_assert(layer_of(&net, "s")->kind == MCH_SIGMOID && layer_of(&net, "t")->kind == MCH_TANH);
	ck_assert(layer_of(&net, "b")->norm.epsilon == 0.5);
	ck_assert(layer_of(&net, "k")->n_bias == 3 && layer_of(&net, "a")->n_bias == 3);
	const struct mch_layer *w = layer_of(&net, "w"), *n = layer_of(&net, "n"), *m = layer_of(&net, "m");
	ck_assert(w->kind == MCH_SCALE && w->n_weights == 3 && w->weights[2] == 2 && w->bias[0] == -1);
	ck_assert(n->lrn.size == 3 && n->lrn.alpha == 0.5 && n->lrn.beta == 0.25 && n->lrn.k == 4 &&
		!n->lrn.is_within);
	ck_assert(m->lrn.size == 5 && m->lrn.alpha == 1 && m->lrn.beta == 0.75 && m->lrn.k == 1 && m->lrn.is_within);
	mch_net_free(&net);
}
END_TEST

START_TEST(joining_layers)
{
	struct mch_net net;
	read_text(INPUT(2, 3, 4) L("r", "ReLU", "x", "") L("s", "Sigmoid", "x", "")
		  J("sum", "Eltwise", "r", "s", "eltwise_param { operation: SUM coeff: 2 coeff: -1 }")
		  J("one", "Eltwise", "r", "sum", "eltwise_param { coeff: 1 coeff: 1 }")
		  J("mul", "Eltwise", "one", "s", "eltwise_param { operation: PROD }")
		  J("max", "Eltwise", "mul", "s", "eltwise_param { operation: MAX }")
		  J("c", "Concat", "max", "s", "concat_param { concat_dim: 1 }")
		  J("w", "Concat", "c", "c", "concat_param { axis: -1 }")
		  L("g", "Pooling", "w", "pooling_param { pool: AVE global_pooling: true }")
		  J("se", "Scale", "w", "g", "scale_param { axis: 0 }"), &net);
	const struct mch_layer *sum = layer_of(&net, "sum");
	ck_assert(sum->kind == MCH_SUM && sum->n_weights == 2 && sum->weights[0] == 2 && sum->weights[1] == -1);
	ck_assert(layer_of(&net, "one")->kind == MCH_SUM && !layer_of(&net, "one")->weights);
	ck_assert(layer_of(&net, "mul")->kind == MCH_PROD && layer_of(&net, "max")->kind == MCH_MAX);
	expect_shape(&net, "c", 4, 3, 4);
	expect_shape(&net, "w", 4, 3, 8);
	ck_assert_int_eq(layer_of(&net, "se")->kind, MCH_PROD);
	expect_shape(&net, "se", 4, 3, 8);
	mch_net_free(&net);
}
END_TEST

/* Each takes 2x3x4 counting up, and gives these first and last values. */
static const struct {
	const char *text;
	int c, h, w;
	float first, last;
} moves[] = {
	{L("o", "Flatten", "x", ""), 24, 1, 1, 0, 23},
	{L("o", "Flatten", "x", "flatten_param { axis: 2 }"), 2, 12, 1, 0, 23},
	{L("o", "Flatten", "x", "flatten_param { axis: 1 end_axis: 2 }"), 6, 4, 1, 0, 23},
	{L("o", "Reshape", "x", "reshape_param { shape { dim: 0 dim: 0 dim: -1 } }"), 2, 12, 1, 0, 23},
	{L("o", "Reshape", "x", "reshape_param { shape { dim: 0 dim: -1 dim: 2 dim: 1 } }"), 12, 2, 1, 0, 23},
	{L("o", "Reshape", "x", "reshape_param { shape { dim: -1 dim: 4 dim: 3 dim: 2 } }"), 4, 3, 2, 0, 23},
	{L("o", "Reshape", "x", "reshape_param { shape { dim: 1 dim: 24 } }"), 24, 1, 1, 0, 23},
	{L("o", "Permute", "x", "permute_param { order: 0 order: 3 order: 1 }"), 4, 2, 3, 0, 23},
	{L("f", "Permute", "x", "permute_param { order: 0 order: 2 order: 3 order: 1 }")
		 L("o", "Flatten", "f", "flatten_param { axis: 3 }"), 3, 4, 2, 0, 23},
	{L("o", "Upsample", "x", "upsample_param { scale: 3 }"), 2, 9, 12, 0, 23},
	{"layer { name: 's' type: 'Slice' bottom: 'x' top: 'a' top: 'o' slice_param { axis: 3 slice_point: 1 } }\n"
	 "layer { name: 'q' type: 'Silence' bottom: 'a' }", 2, 3, 3, 1, 23},
	{"layer { name: 's' type: 'Slice' bottom: 'x' top: 'o' top: 'a' top: 'b' slice_param { slice_dim: 2 } }\n"
	 "layer { name: 'q' type: 'Silence' bottom: 'a' bottom: 'b' }", 2, 1, 4, 0, 15},
	{"layer { name: 's' type: 'Split' bottom: 'x' top: 'a' top: 'b' }\n" J("o", "Eltwise", "a", "b", ""), 2, 3, 4,
		0, 46},
	{L("p", "Pooling", "x", "pooling_param { kernel_size: 2 }")
		 J("o", "Crop", "x", "p", "crop_param { axis: 2 offset: 1 offset: 0 }"), 2, 2, 3, 4, 22},
	{L("p", "Pooling", "x", "pooling_param { kernel_size: 2 }") J("o", "Crop", "x", "p", "crop_param { "
	 "offset: 1 }"), 2, 2,
	 3, 5, 23},
};

START_TEST(moving_layers)
{
	struct mch_net net;
	char text[1024];
	snprintf(text, sizeof(text), "%s%s", INPUT(2, 3, 4), moves[_i].text);
	read_text(text, &net);
	expect_shape(&net, "o", moves[_i].c, moves[_i].h, moves[_i].w);
	ck_assert_int_eq(net.output, mch_net_find_edge(&net, "o"));
	float *y = run(&net);
	ck_assert_float_eq(y[0], moves[_i].first);
	ck_assert_float_eq(y[moves[_i].c * moves[_i].h * moves[_i].w - 1], moves[_i].last);
	free(y);
	mch_net_free(&net);
}
END_TEST

/* In place on one name of a Split: the other keeps its values. A branch that ends in a Silence is left out. */
START_TEST(names_and_branches)
{
	struct mch_net net;
	read_text(INPUT(2, 3, 4)
		  "layer { name: 's' type: 'Split' bottom: 'x' top: 'a' top: 'b' }\n"
		  "layer { name: 'r' type: 'Sigmoid' bottom: 'a' top: 'a' }\n" J("j", "Concat", "a", "b", "")
		  L("dead", "TanH", "j", "") L("dead2", "TanH", "dead", "")
		  "layer { name: 'q' type: 'Silence' bottom: 'dead2' }\n" L("o", "TanH", "j", ""), &net);
	ck_assert_int_eq(net.n_layers, 3);
	const struct mch_layer *j = layer_of(&net, "j");
	ck_assert(j->in[0] == mch_net_find_edge(&net, "r") && j->in[1] == net.input);
	ck_assert(mch_net_find_edge(&net, "dead") < 0 && net.output == mch_net_find_edge(&net, "o"));
	ck_assert_int_eq(net.edges[net.output].producer, mch_net_find_layer(&net, "o"));
	mch_net_free(&net);
}
END_TEST

START_TEST(several_inputs)
{
	struct mch_net net;
	read_text("input: 'x' input: 'y' input_dim: [1, 2, 3, 4, 1, 2, 3, 4]\n" J("o", "Eltwise", "x", "y", ""),
		&net);
	ck_assert_int_eq(mch_net_n_inputs(&net), 2);
	ck_assert_str_eq(net.edges[net.input].name, "x");
	mch_net_free(&net);
}
END_TEST

START_TEST(levels_and_stages)
{
	static const char text[] =
		"state { phase: TRAIN level: 2 stage: 'fast' stage: 'b' }" INPUT(2, 3, 4)
		"layer { name: 'in' type: 'ReLU' include { min_level: 1 max_level: 2 stage: 'b' } bottom: 'x' "
		"top: 'a' }\n"
		"layer { name: 'low' type: 'ReLU' include { max_level: 1 } bottom: 'x' top: 'b' }\n"
		"layer { name: 'not' type: 'ReLU' include { not_stage: 'fast' } bottom: 'x' top: 'b' }\n"
		"layer { name: 'out' type: 'ReLU' exclude { stage: 'fast' } bottom: 'x' top: 'b' }\n"
		"layer { name: 'any' type: 'ReLU' include { phase: TRAIN } include { stage: 'b' } bottom: 'a' "
		"top: 'b' }\n"
		"layer { name: 'both' type: 'ReLU' include { stage: 'b' stage: 'other' } bottom: 'x' top: 'c' }\n";
	struct mch_net net;
	read_text(text, &net);
	ck_assert_int_eq(net.n_layers, 2);
	layer_of(&net, "in");
	layer_of(&net, "any");
	mch_net_free(&net);
}
END_TEST

#define RELU L("r", "ReLU", "data", "")

START_TEST(preprocessing)
{
	struct mch_net net;
	read_text("layer { name: 'd' type: 'Data' top: 'data' top: 'label' transform_param { mirror: true "
	 "crop_size: 5 scale: 0.5 "
		  "mean_value: 104 mean_value: 117 mean_value: 123 } data_param { source: 'x' batch_size: 64 "
		  "backend: LMDB } }\n"
		  RELU, &net);
	const struct mch_transform *t = &net.transform;
	ck_assert(t->is_bgr && t->is_cropped && t->scale == 0.5 && t->n_mean == 3 && t->mean[1] == 117 &&
		!t->mean_file);
	expect_shape(&net, "data", 3, 5, 5);
	mch_net_free(&net);
	/* Before 2014, and grey. */
	read_text("layers { name: 'd' type: IMAGE_DATA top: 'data' image_data_param { scale: 0.25 crop_size: 4 "
	 "mean_file: "
		  "'some/where/mean.binaryproto' new_height: 8 new_width: 6 is_color: false } }\n" RELU, &net);
	ck_assert(t->scale == 0.25 && t->resize == MCH_RESIZE_WARP && t->height == 8 && t->width == 6 &&
		t->is_cropped);
	ck_assert_str_eq(t->mean_file, "some/where/mean.binaryproto");
	expect_shape(&net, "data", 1, 4, 4);
	mch_net_free(&net);
	read_text("layer { name: 'd' type: 'MemoryData' top: 'data' top: 'l' memory_data_param { batch_size: 1 "
	 "channels: 2 "
		  "height: 3 width: 4 } }\n" RELU, &net);
	expect_shape(&net, "data", 2, 3, 4);
	mch_net_free(&net);
}
END_TEST

/* A mean picture beside the definition: its values, and the size of the images when nothing else tells it. */
START_TEST(mean_picture)
{
	static float values[24];
	struct mch_net net;
	struct mch_err err = {""};
	struct mch_transform mean = mch_transform_plain();
	mean.mean_image = values;
	mean.mean_c = 2, mean.mean_h = 3, mean.mean_w = 4;
	for (int i = 0; i < 24; i++)
		values[i] = (float)i;
	ck_assert_int_eq(mch_caffe_write_mean(&mean, temp_path(&temp, "mean.binaryproto"), &err), 0);
	read_text("layer { name: 'd' type: 'Data' top: 'data' transform_param { mean_file: "
	 "'examples/mean.binaryproto' } }\n" RELU,
		  &net);
	expect_shape(&net, "data", 2, 3, 4);
	ck_assert(!net.transform.mean_file && net.transform.mean_image[23] == 23);
	mch_net_free(&net);
	temp_write(&temp, "mean.binaryproto", "cut", 3);
	static const char again[] =
		"layer { name: 'd' type: 'Data' top: 'data' transform_param { mean_file: 'mean.binaryproto' } "
		"}\n" RELU;
	temp_write(&temp, "n.prototxt", again, strlen(again));
	ck_assert_int_eq(mch_caffe_read(temp.path, NULL, &net, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "mean.binaryproto: byte 1: "));
}
END_TEST

static const struct {
	const char *text, *message;
} bad[] = {
	{INPUT(3, 4, 4) L("s", "Slice", "x", "slice_param { slice_point: 1 }"),
	 "n.prototxt:2: there are as many slice_point as tops; one less is expected"},
	{INPUT(3, 4, 4) "layer { name: 's' type: 'Slice' bottom: 'x' top: 'a' top: 'b' }",
	 "n.prototxt:2: 2 tops do not divide an axis of 3; give slice_point"},
	{INPUT(3, 4, 4) "layer { name: 's' type: 'Slice' bottom: 'x' top: 'a' top: 'b' slice_param { axis: 0 "
	 "slice_point: 1 } }",
	 "n.prototxt:2: axis 0 is the batch, and images are taken one by one; rewrite the layer"},
	{INPUT(3, 4, 4) "layer { name: 's' type: 'Slice' bottom: 'x' top: 'a' top: 'a' slice_param { slice_point: "
	 "1 } }",
	 "n.prototxt:2: \"a\" is already written by an earlier layer; rename one"},
	{INPUT(3, 4, 4) J("c", "Concat", "x", "x", "concat_param { axis: 1 concat_dim: 1 }"),
	 "n.prototxt:2: axis and concat_dim are both given; keep one"},
	{INPUT(3, 4, 4) L("p", "Pooling", "x", "pooling_param { kernel_size: 2 }") J("c", "Concat", "x", "p", ""),
	 "n.prototxt: layer c: inputs: of 3x4x4 and 3x3x3 differ beside the axis; correct the definition"},
	{INPUT(3, 4, 4) L("p", "Pooling", "x", "pooling_param { kernel_size: 2 }") J("e", "Eltwise", "x", "p", ""),
	 "n.prototxt:3: bottoms of 3x4x4 and 3x3x3, one shape is expected; correct the definition"},
	{INPUT(3, 4, 4) J("e", "Eltwise", "x", "x", "eltwise_param { coeff: 1 }"),
	 "n.prototxt:2: 1 coeff for 2 bottoms; give one for each, or none"},
	{INPUT(3, 4, 4) J("e", "Eltwise", "x", "x", "eltwise_param { operation: PROD coeff: 1 }"),
	 "n.prototxt:2: coeff goes with SUM alone; correct the definition"},
	{INPUT(3, 4, 4) L("p", "Pooling", "x", "pooling_param { kernel_size: 2 }") J("c", "Crop", "p", "x", ""),
	 "n.prototxt:3: 4 from 0 on is outside axis 2 of 3; correct the definition"},
	{INPUT(3, 4, 4) L("c", "Crop", "x", ""),
	 "n.prototxt:2: the layer has one bottom, 2 to 2 are expected; correct the definition"},
	{INPUT(3, 4, 4) L("r", "Reshape", "x", "reshape_param { shape { dim: 0 dim: -1 dim: -1 } }"),
	 "n.prototxt:2: -1 is given twice; correct the definition"},
	{INPUT(3, 4, 4) L("r", "Reshape", "x", "reshape_param { shape { dim: 0 dim: 5 } }"),
	 "n.prototxt: layer r: shape: 5x1x1 has not as many elements as the input of 3x4x4; correct the definition"},
	{INPUT(3, 4, 4) L("r", "Reshape", "x", "reshape_param { shape { dim: 3 dim: 16 } }"),
	 "n.prototxt:2: dim is 3: the batch is 1, and must stay; write 0"},
	{INPUT(3, 4, 4) L("t", "Permute", "x", "permute_param { order: 1 }"),
	 "n.prototxt:2: order moves the batch, which must stay first; rewrite the layer"},
	{INPUT(3, 4, 4) L("s", "Scale", "x", "scale_param { axis: 2 }"),
	 "n.prototxt:2: axis is 2, only 1 is supported; rewrite the layer"},
	{INPUT(3, 4, 4) L("p", "Pooling", "x", "pooling_param { kernel_size: 2 }") J("s", "Scale", "x", "p", ""),
	 "n.prototxt:3: a second bottom of 3x3x3 does not go with 3x4x4: only one value for each channel, or the "
	 "same shape, is "
	 "supported; rewrite the layer"},
	{INPUT(3, 4, 4) L("d", "Dropout", "x", "dropout_param { dropout_ratio: 1.5 }"),
	 "n.prototxt:2: dropout_ratio is 1.5, from 0 to below 1 is expected; correct the definition"},
	{INPUT(3, 4, 4) L("n", "LRN", "x", "lrn_param { norm_region: ACROSS }"),
	 "n.prototxt:2: norm_region is ACROSS_CHANNELS or WITHIN_CHANNEL; correct the definition"},
	{INPUT(3, 4, 4) L("u", "Upsample", "x", ""), "n.prototxt:2: scale is missing; add it"},
	{INPUT(3, 4, 4) "layers { layer { name: 'c' type: 'conv' } }",
	 "n.prototxt:2: the layer is of Caffe's first format (V0); convert the file with Caffe's "
	 "upgrade_net_proto_text"},
	{INPUT(3, 4, 4) L("r", "ReLU", "x", "include { stages: 'a' }"),
	 "n.prototxt:2: stages is no field of include; correct the name"},
	{"layer { name: 'd' type: 'Data' top: 'data' transform_param { crop: 3 } }" RELU,
	 "n.prototxt:1: crop is no field of transform_param; correct the name"},
	{"layer { name: 'd' type: 'Data' top: 'data' transform_param { scale: 0 } }" RELU,
	 "n.prototxt:1: scale is 0, above 0 is expected; correct the definition"},
	{"input: 'x' input_dim: [1, 60000, 60000, 60000]" L("r", "ReLU", "x", ""),
	 "n.prototxt:1: the shape has over 2^31 elements; give smaller images"},
};

START_TEST(refuses)
{
	struct mch_net net;
	struct mch_err err = {""};
	temp_write(&temp, "n.prototxt", bad[_i].text, strlen(bad[_i].text));
	ck_assert_int_eq(mch_caffe_read(temp.path, NULL, &net, &err), -1);
	ck_assert_ptr_null(net.layers);
	ck_assert_str_eq(err.text + strlen(temp.dir) + 1, bad[_i].message);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("caffe_layers");
	TCase *cases = tcase_create("caffe_layers");
	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_add_test(cases, multiplying_layers);
	tcase_add_test(cases, value_layers);
	tcase_add_test(cases, joining_layers);
	tcase_add_loop_test(cases, moving_layers, 0, sizeof(moves) / sizeof(moves[0]));
	tcase_add_test(cases, names_and_branches);
	tcase_add_test(cases, several_inputs);
	tcase_add_test(cases, levels_and_stages);
	tcase_add_test(cases, preprocessing);
	tcase_add_test(cases, mean_picture);
	tcase_add_loop_test(cases, refuses, 0, sizeof(bad) / sizeof(bad[0]));
	suite_add_tcase(s, cases);
	return s;
}

int main(void)
{
	return check_main(suite);
}
