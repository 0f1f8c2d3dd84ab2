/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Caffe definitions: what they become, and the exact text of what is refused. */
#include "check_main.h"

#include <string.h>

#include "io/caffe_read.h"
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

/* The message behind the folder's name must be exactly this. */
static void refuse(const char *text, const char *message)
{
	struct mch_net net;
	struct mch_err err = {""};
	temp_write(&temp, "n.prototxt", text, strlen(text));
	ck_assert_int_eq(mch_caffe_read(temp.path, NULL, &net, &err), -1);
	ck_assert_ptr_null(net.layers);
	ck_assert_uint_gt(strlen(err.text), strlen(temp.dir) + 1);
	ck_assert_str_eq(err.text + strlen(temp.dir) + 1, message);
}

static const struct mch_layer *layer_of(const struct mch_net *net, const char *name)
{
	const int index = mch_net_find_layer(net, name);
	ck_assert_int_ge(index, 0);
	return &net->layers[index];
}

static void expect_shape(const struct mch_net *net, const char *edge, int c, int h, int w)
{
	const int index = mch_net_find_edge(net, edge);
	ck_assert_msg(index >= 0, "no tensor %s", edge);
	const struct mch_shape s = net->edges[index].shape;
	ck_assert_msg(s.n == 1 && s.c == c && s.h == h && s.w == w, "%s is %dx%dx%dx%d", edge, s.n, s.c, s.h, s.w);
}

START_TEST(reads_lenet)
{
	const char *top = getenv("top_srcdir");
	char path[512];
	struct mch_net net;
	struct mch_err err = {""};
	snprintf(path, sizeof(path), "%s/tests/nets/lenet.prototxt", top ? top : ".");
	ck_assert_msg(mch_caffe_read(path, NULL, &net, &err) == 0, "%s", err.text);
	ck_assert_str_eq(net.name, "LeNet");
	ck_assert_int_eq(net.n_layers, 8);
	ck_assert(net.transform.scale == 0.00390625);
	expect_shape(&net, "data", 1, 28, 28);
	expect_shape(&net, "conv1", 20, 24, 24);
	expect_shape(&net, "pool1", 20, 12, 12);
	expect_shape(&net, "conv2", 50, 8, 8);
	expect_shape(&net, "pool2", 50, 4, 4);
	expect_shape(&net, "ip1", 500, 1, 1);
	expect_shape(&net, "relu1", 500, 1, 1); /* in place: an edge of its own, named after the layer */
	expect_shape(&net, "prob", 10, 1, 1);
	ck_assert_int_eq(layer_of(&net, "ip2")->in[0], mch_net_find_edge(&net, "relu1"));
	ck_assert_int_eq(net.output, mch_net_find_edge(&net, "prob"));
	size_t params = 0, macs = 0;
	for (int i = 0; i < net.n_layers; i++) {
		params += mch_layer_params(&net.layers[i]);
		macs += mch_layer_macs(&net.layers[i]);
	}
	ck_assert_uint_eq(params, 431080);
	ck_assert_uint_eq(macs, 2293000);
	mch_net_free(&net);
}
END_TEST

#define INPUT(c, h, w) "input: 'x' input_shape { dim: 1 dim: " #c " dim: " #h " dim: " #w " }\n"

START_TEST(reads_convolutions)
{
	struct mch_net net;
	read_text(INPUT(6, 13, 17) "layer { name: 'c' type: 'Convolution' bottom: 'x' top: 'c' convolution_param { "
				   "num_output: 8 kernel_h: 3 "
				   "kernel_w: 5 stride: 2 stride: 1 pad_h: 1 pad_w: 2 group: 2 dilation: 1 dilation: "
				   "2 bias_term: false } }"
				   "layer { name: 'd' type: 'Convolution' bottom: 'c' top: 'd' convolution_param { "
				   "num_output: 4 "
				   "kernel_size: [3, 2] stride_h: 2 stride_w: 3 weight_filler { type: 'xavier' } "
				   "engine: CUDNN axis: 1 } }",
		  &net);
	const struct mch_conv *c = &layer_of(&net, "c")->conv, *d = &layer_of(&net, "d")->conv;
	ck_assert(c->k == 8 && c->r == 3 && c->s == 5 && c->stride_h == 2 && c->stride_w == 1 && c->pad_top == 1 &&
		  c->pad_bottom == 1 && c->pad_left == 2 && c->pad_right == 2 && c->groups == 2 &&
		  c->dilation_h == 1 && c->dilation_w == 2 && c->c == 6 && c->h == 13 && c->w == 17);
	ck_assert(d->r == 3 && d->s == 2 && d->stride_h == 2 && d->stride_w == 3 && d->pad_top == 0 &&
		  d->groups == 1);
	ck_assert_uint_eq(layer_of(&net, "c")->n_bias, 0);
	ck_assert_uint_eq(layer_of(&net, "d")->n_bias, 4);
	expect_shape(&net, "c", 8, 7, 13);
	expect_shape(&net, "d", 4, 3, 4);
	mch_net_free(&net);
}
END_TEST

START_TEST(reads_pools)
{
	struct mch_net net;
	read_text(INPUT(2, 6, 7) "layer { name: 'm' type: 'Pooling' bottom: 'x' top: 'm' pooling_param { "
				 "kernel_size: 3 stride: 2 } }"
				 "layer { name: 'a' type: 'Pooling' bottom: 'm' top: 'a' pooling_param { pool: AVE "
				 "kernel_size: 2 pad: 1 "
				 "round_mode: FLOOR } }"
				 "layer { name: 'g' type: 'Pooling' bottom: 'a' top: 'g' pooling_param { pool: AVE "
				 "global_pooling: true } }"
				 "layer { name: 'd' type: 'Dropout' bottom: 'g' top: 'g' dropout_param { "
				 "dropout_ratio: 0.4 } }"
				 "layer { name: 'f' type: 'Flatten' bottom: 'g' top: 'f' }",
		  &net);
	const struct mch_layer *m = layer_of(&net, "m"), *a = layer_of(&net, "a"), *g = layer_of(&net, "g");
	ck_assert(m->kind == MCH_POOL_MAX && m->pool.ceil_mode);
	ck_assert(a->kind == MCH_POOL_AVG && !a->pool.ceil_mode && a->pool.count_include_pad &&
		  a->pool.stride_h == 1);
	ck_assert(g->kind == MCH_POOL_AVG && g->pool.r == 4 && g->pool.s == 4 && !g->pool.count_include_pad);
	expect_shape(&net, "m", 2, 3, 3); /* rounded up, as Caffe does */
	expect_shape(&net, "a", 2, 4, 4);
	expect_shape(&net, "g", 2, 1, 1);
	ck_assert_int_eq(layer_of(&net, "f")->in[0], layer_of(&net, "d")->out[0]);
	mch_net_free(&net);
}
END_TEST

/* Old (V1) layers, input_dim, phases, losses. */
static const char phases[] =
	"name: 'P' input: 'x' input_dim: 64 input_dim: 3 input_dim: 8 input_dim: 8\n"
	"layers { name: 'c' type: CONVOLUTION bottom: 'x' top: 'c' blobs_lr: 1 blobs_lr: 2 include: { phase: TEST } "
	"convolution_param { num_output: 4 kernel_size: 3 } }\n"
	"layers { name: 'c' type: CONVOLUTION bottom: 'x' top: 'c' exclude { phase: TEST } convolution_param { "
	"num_output: 9 } }\n"
	"layer { name: 'stage' type: 'LRN' include { phase: TEST stage: 'extra' } bottom: 'c' top: 'c' }\n"
	"layer { name: 'level' type: 'LRN' include { min_level: 1 } bottom: 'c' top: 'c' }\n"
	"layer { name: 'train' type: 'LRN' include { phase: TRAIN } bottom: 'c' top: 'c' }\n"
	"layers { name: 'i' type: INNER_PRODUCT bottom: 'c' top: 'i' inner_product_param { num_output: 5 } }\n"
	"layers { name: 'acc' type: ACCURACY bottom: 'i' bottom: 'label' top: 'acc' include: { phase: TEST } }\n"
	"layers { name: 'loss' type: SOFTMAX_LOSS bottom: 'i' bottom: 'label' top: 'loss' }\n";

START_TEST(keeps_the_test_phase)
{
	struct mch_net net;
	read_text(phases, &net);
	ck_assert_int_eq(net.n_layers, 2);
	expect_shape(&net, "c", 4, 6, 6);
	ck_assert_int_eq(net.output, mch_net_find_edge(&net, "i"));
	mch_net_free(&net);
}
END_TEST

START_TEST(takes_the_shape_of_data_layers)
{
	static const char text[] =
		"layer { name: 'd' type: 'Data' top: 'data' top: 'label' transform_param { scale: 0.5 mirror: true } "
		"data_param { source: 'x' batch_size: 64 } }\n"
		"layer { name: 'i' type: 'InnerProduct' bottom: 'data' top: 'i' inner_product_param { num_output: 5 "
		"} }";
	const struct mch_shape shape = {1, 3, 4, 5};
	struct mch_net net;
	struct mch_err err = {""};
	refuse(text,
	       "n.prototxt:1: the layer does not tell the size of its images; use an Input layer with input_param { "
	       "shape { dim: 1 dim: C dim: H dim: W } }, or read the deploy file");
	ck_assert_int_eq(mch_caffe_read(temp.path, &shape, &net, &err), 0);
	ck_assert(net.transform.scale == 0.5);
	expect_shape(&net, "data", 3, 4, 5);
	ck_assert_int_eq(layer_of(&net, "i")->conv.c, 60);
	mch_net_free(&net);
}
END_TEST

#define RELU "layer { name: 'r' type: 'ReLU' bottom: 'x' top: 'r' }\n"

static const struct {
	const char *text, *message;
} bad[] = {
	{INPUT(1, 8, 8) "layer { name: 'n1' type: 'Python' }\nlayer { name: 'c' type: 'ArgMax' }\nlayer { type: "
	 "'Python' "
			"}\nlayers { name: 'p' type: WINDOW }\nlayer { name: 'e' type: 'Power' power_param { "
			"power: 2 } "
			"}\nlayer { name: 'b' type: 'BatchNorm' batch_norm_param { use_global_stats: false } }",
	 "n.prototxt: not supported: Python (n1 line 2, unnamed line 4), ArgMax (c line 3), WINDOW (p line 5), "
	 "Power with "
	 "power other than 1 (e line 6), BatchNorm with use_global_stats: false (b line 7); replace these, or cut "
	 "the "
	 "network before them"},
	{"net: 'x.prototxt'\nbase_lr: 1", "n.prototxt:1: net is no field of a Caffe network; is it the right file (a "
					  "solver's, perhaps)?"},
	{"name: 'empty'", "n.prototxt: has no layers that compute; give a network definition"},
	{INPUT(1, 8, 8) "layer {\n name: 'c' type: 'Convolution' bottom: 'x' top: 'c' convolution_param {\n "
			"num_output: 4\n "
			"kernal_size: 3 } }",
	 "n.prototxt:5: kernal_size is no field of convolution_param; correct the name"},
	{INPUT(1, 8,
	       8) "layer { name: 'c' type: 'Convolution' bottom: 'x' top: 'c' convolution_param { num_output: 4 } }",
	 "n.prototxt:2: kernel_size is missing; add it"},
	{INPUT(1, 8, 8) "layer { name: 'c' type: 'Convolution' bottom: 'x' top: 'c' }",
	 "n.prototxt:2: num_output is missing; add it"},
	{INPUT(1, 8,
	       8) "layer { name: 'c' type: 'Convolution' bottom: 'x' top: 'c' convolution_param { num_output: 4 "
		  "kernel_size: 3 kernel_h: 3 } }",
	 "n.prototxt:2: kernel_size and kernel_h are both given; keep one form"},
	{INPUT(1, 8,
	       8) "layer { name: 'c' type: 'Convolution' bottom: 'x' top: 'c' convolution_param { num_output: 0 "
		  "kernel_size: 3 } }",
	 "n.prototxt:2: num_output is 0, a whole number from 1 to 16777216 is expected; correct the definition"},
	{INPUT(1, 8,
	       8) "layer { name: 'c' type: 'Convolution' bottom: 'x' top: 'c' convolution_param { num_output: 4 "
		  "kernel_size: 9 } }",
	 "n.prototxt: layer c: kernel: 9x9 (dilation 1x1) does not fit the padded input of 8x8; give a larger "
	 "input"},
	{INPUT(1, 8, 8) "layer { name: 'p' type: 'Pooling' bottom: 'x' top: 'p' pooling_param { pool: STOCHASTIC } }",
	 "n.prototxt: not supported: Pooling with pool: STOCHASTIC (p line 2); replace these, or cut the network "
	 "before "
	 "them"},
	{INPUT(1, 8, 8) "layer { name: 's' type: 'Softmax' bottom: 'x' top: 's' softmax_param { axis: 2 } }",
	 "n.prototxt:2: axis is 2, only 1 is supported; rewrite the layer"},
	{INPUT(1, 8, 8) "layer { name: 'r' type: 'ReLU' bottom: 'y' top: 'r' }",
	 "n.prototxt:2: bottom \"y\" is written by no earlier layer; correct the name or the order"},
	{INPUT(1, 8, 8) RELU RELU, "n.prototxt:3: a second layer is named \"r\"; rename one"},
	{INPUT(1, 8, 8) RELU "layer { name: 'q' type: 'ReLU' bottom: 'x' top: 'r' }",
	 "n.prototxt:3: \"r\" is already written by an earlier layer; rename one"},
	{INPUT(1, 8, 8) RELU "layer { name: 'q' type: 'ReLU' bottom: 'x' top: 'q' }",
	 "n.prototxt: 2 results are read by no layer (r, q), one output is expected; cut the others off"},
	{INPUT(1, 8, 8) "layer { name: 'r' type: 'ReLU' top: 'r' }",
	 "n.prototxt:2: the layer has no bottom, one is expected; correct the definition"},
	{"input: 'x'\n" RELU, "n.prototxt:1: input \"x\" has no shape; add input_shape { dim: ... }"},
	{"input: 'x' input_shape { dim: [1,1,2,3,4] }\n" RELU,
	 "n.prototxt:1: the shape has over 4 dimensions, N C H W is expected; correct the definition"},
	{"layer { name: 'd' type: 'Input' top: 'x' input_param { shape { dim: [1,3,8,8] } } transform_param {\n"
	 "mean_value: 3 mean_file: 'm' } }",
	 "n.prototxt:2: mean_file and mean_value are both given; keep one"},
	{INPUT(1, 8, 8) "layer { name: 'r' type: 'ReLU' bottom: 'x' top: 'r' colour: 3 }",
	 "n.prototxt:2: colour is no field of a layer; correct the name"},
	{INPUT(1, 8, 8) "layer { name: 'r' bottom: 'x' top: 'r' }",
	 "n.prototxt:2: the layer has no type; add type: \"...\""},
	{INPUT(1, 8, 8) "layer { name: 'r' type: 'ReLU' include { phase: VALIDATE } bottom: 'x' top: 'r' }",
	 "n.prototxt:2: phase is TRAIN or TEST; correct the definition"},
	{"input: 'x' input_shape { dim: 1 dim: 1 dim: 20000000 dim: 1 }\n" RELU,
	 "n.prototxt:1: dim is 20000000, a whole number from 1 to 16777216 is expected; correct the definition"},
};

START_TEST(refuses)
{
	refuse(bad[_i].text, bad[_i].message);
}
END_TEST

/* Every prefix of a definition is a network or one message; a cut never crashes. */
START_TEST(survives_truncation)
{
	for (size_t n = 0; n < sizeof(phases); n++) {
		struct mch_net net;
		struct mch_err err = {""};
		temp_write(&temp, "n.prototxt", phases, n);
		if (mch_caffe_read(temp.path, NULL, &net, &err) == 0)
			mch_net_free(&net);
		else
			ck_assert(strncmp(err.text, temp.path, strlen(temp.path)) == 0 &&
				  strchr(err.text, ';') != NULL);
	}
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("caffe_read");
	TCase *cases = tcase_create("caffe_read");
	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_add_test(cases, reads_lenet);
	tcase_add_test(cases, reads_convolutions);
	tcase_add_test(cases, reads_pools);
	tcase_add_test(cases, keeps_the_test_phase);
	tcase_add_test(cases, takes_the_shape_of_data_layers);
	tcase_add_loop_test(cases, refuses, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(cases, survives_truncation);
	suite_add_tcase(s, cases);
	return s;
}

int main(void)
{
	return check_main(suite);
}
