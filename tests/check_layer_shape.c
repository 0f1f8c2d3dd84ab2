/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What mch_net_infer refuses of each kind of layer, text by text. The shapes that it infers are in check_layer.c. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "check_main.h"
#include "net/net.h"

/* A network of one layer with two inputs at hand; n_weights and n_bias parameters are loaded. */
struct refusal {
	struct mch_layer layer;
	struct mch_shape shape[2]; /* all zeros: 4x6x5 */
	const char *text;	   /* behind "toy: " */
};

static int outside[3] = {0, 6, 0};

/* Geometry: n c h w, k r s (a pool: r s), stride, pad, dilation, groups (a pool: ceil mode, padding counts). */
static const struct refusal refusals[] = {
	{{.kind = MCH_CONV, .n_in = 1, .conv = {1, 0, 0, 0, 0, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 2}},
	 {{0}},
	 "layer one: geometry: channels 0, kernel 3x3, stride 1x1, dilation 1x1, groups 2: all must be at least 1; "
	 "correct the definition"},
	{{.kind = MCH_CONV, .n_in = 1, .conv = {1, 0, 0, 0, 6, 5000, 3, 1, 1, 0, 0, 0, 0, 1, 1, 2}},
	 {{0}},
	 "layer one: geometry: kernel 5000x3, dilation 1x1, pad 0,0,0,0: kernel and dilation go up to 4096, pads "
	 "from 0 to 16777216; correct the definition"},
	{{.kind = MCH_CONV, .n_in = 1, .conv = {1, 0, 0, 0, 6, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 4}},
	 {{0}},
	 "layer one: groups: 4 groups do not divide 4 input and 6 output channels; correct the definition"},
	{{.kind = MCH_CONV, .n_in = 1, .conv = {1, 0, 0, 0, 1 << 30, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 2}},
	 {{0}},
	 "layer one: size: the weights have over 2^31 elements; use a smaller layer"},
	{{.kind = MCH_CONV, .n_in = 1, .conv = {1, 0, 0, 0, 6, 3, 3, 1, 1, 0, 0, 0, 0, 1, 3, 2}},
	 {{0}},
	 "layer one: kernel: 3x3 (dilation 1x3) does not fit the padded input of 6x5; give a larger input"},
	{{.kind = MCH_CONV, .n_in = 1, .conv = {1, 0, 0, 0, 6, 3, 3, 1, 1, 0, 0, 1 << 20, 1 << 20, 1, 1, 2}},
	 {{0}},
	 "layer one: size: the output has over 2^31 elements; use a smaller layer"},
	{{.kind = MCH_CONV, .n_in = 1, .conv = {1, 0, 0, 0, 6, 3, 1, 1, 1, 0, 0, 0, 0, 1, 1, 2}},
	 {{1, 4, 1 << 27, 1}},
	 "layer one: size: the input has over 2^26 rows or columns; use a smaller one"},
	{{.kind = MCH_CONV, .n_in = 1, .n_weights = 2, .conv = {1, 0, 0, 0, 6, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 2}},
	 {{0}},
	 "layer one: 108 weights expected, 2 found; the definition and the weights differ, take both from one "
	 "release"},
	{{.kind = MCH_CONV, .n_in = 1, .n_bias = 2, .conv = {1, 0, 0, 0, 6, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 2}},
	 {{0}},
	 "layer one: 6 biases expected, 2 found; the definition and the weights differ, take both from one release"},
	{{.kind = MCH_CONV, .n_in = 2},
	 {{0}},
	 "layer one: has 2 inputs, a layer conv has 1 to 1; correct the definition"},
	{{.kind = MCH_DENSE, .n_in = 1},
	 {{0}},
	 "layer one: geometry: channels 0, kernel 1x1, stride 1x1, dilation 1x1, groups 1: all must be at least 1; "
	 "correct the definition"},
	{{.kind = MCH_DECONV, .n_in = 1, .out_pad_w = 1, .conv = {1, 0, 0, 0, 6, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 2}},
	 {{0}},
	 "layer one: output padding: 0,1 must be at least 0 and below stride or dilation; correct the definition"},
	{{.kind = MCH_DECONV, .n_in = 1, .conv = {1, 0, 0, 0, 6, 3, 3, 1, 1, 8, 0, 0, 0, 1, 1, 2}},
	 {{0}},
	 "layer one: pad: nothing is left of the output; correct the definition"},
	{{.kind = MCH_DECONV, .n_in = 1, .conv = {1, 0, 0, 0, 6, 3, 3, 1 << 25, 1, 0, 0, 0, 0, 1, 1, 2}},
	 {{0}},
	 "layer one: size: the output has over 2^26 rows or columns; use a smaller layer"},
	{{.kind = MCH_POOL_MAX, .n_in = 1, .pool = {1, 0, 0, 0, 2, 3, 2, 2, 0, 0, 0, 0, 0, 1, false, false}},
	 {{0}},
	 "layer one: window: 2x3 with stride 2x2 and dilation 0x1 is not usable; 1 to 32768 positions over at most "
	 "2^26 rows and columns, and strides of at least 1 are"},
	{{.kind = MCH_POOL_AVG, .n_in = 1, .pool = {1, 0, 0, 0, 256, 129, 2, 2, 0, 0, 0, 0, 1, 1, false, false}},
	 {{0}},
	 "layer one: window: 256x129 with stride 2x2 and dilation 1x1 is not usable; 1 to 32768 positions over at "
	 "most 2^26 rows and columns, and strides of at least 1 are"},
	{{.kind = MCH_POOL_MAX, .n_in = 1, .pool = {1, 0, 0, 0, 2, 3, 2, 2, 0, 3, 0, 0, 1, 1, false, false}},
	 {{0}},
	 "layer one: pad: 0,3,0,0 must be at least 0 and below the window's size; correct the definition"},
	{{.kind = MCH_POOL_MAX, .n_in = 1, .pool = {1, 0, 0, 0, 7, 3, 2, 2, 0, 0, 0, 0, 1, 1, false, false}},
	 {{0}},
	 "layer one: window: 7x3 does not fit the padded input of 6x5; give a larger input"},
	{{.kind = MCH_POOL_AVG, .n_in = 1, .pool = {1, 0, 0, 0, 2, 3, 2, 2, 1, 0, 1, 0, 2, 1, false, false}},
	 {{1, 4, 1, 5}},
	 "layer one: window: 2x3 with dilation 2x1 sees nothing but padding somewhere; correct the definition"},
	{{.kind = MCH_POOL_AVG, .n_in = 1, .pool = {1, 0, 0, 0, 2, 3, 1, 1, 1, 0, 1, 2, 1, 1, false, false}},
	 {{1, 1 << 26, 5, 6}},
	 "layer one: size: the output has over 2^31 elements; use a smaller layer"},
	{{.kind = MCH_BATCH_NORM, .n_in = 1, .norm = {.epsilon = -1}},
	 {{0}},
	 "layer one: epsilon: -1 must be at least 0; correct the definition"},
	{{.kind = MCH_LRN, .n_in = 1, .lrn = {4097, 1, 1, 1, false}},
	 {{0}},
	 "layer one: size: 4097 must be from 1 to 4096; correct the definition"},
	{{.kind = MCH_LRN, .n_in = 1, .lrn = {4, 1, 1, 1, true}},
	 {{0}},
	 "layer one: size: 4 must be odd within a channel; correct the definition"},
	{{.kind = MCH_LRN, .n_in = 1, .lrn = {4, HUGE_VAL, 1, 1, false}},
	 {{0}},
	 "layer one: lrn: alpha inf, beta 1 and k 1 must be finite; correct the definition"},
	{{.kind = MCH_SUM, .n_in = 2},
	 {{1, 4, 6, 5}, {1, 4, 2, 5}},
	 "layer one: inputs: of 4x6x5 and 4x2x5 do not fit each other; correct the definition"},
	{{.kind = MCH_PROD, .n_in = 2},
	 {{1, 1 << 20, 1, 1}, {1, 1, 1 << 12, 1}},
	 "layer one: size: the output has over 2^31 elements; use a smaller layer"},
	{{.kind = MCH_MAX, .n_in = 0},
	 {{0}},
	 "layer one: has 0 inputs, a layer maximum has 1 to 1024; correct the definition"},
	{{.kind = MCH_CONCAT, .n_in = 2, .axis = 0},
	 {{0}},
	 "layer one: axis: 0 must be 1 (channels), 2 or 3; correct the definition"},
	{{.kind = MCH_CONCAT, .n_in = 2, .axis = 1},
	 {{1, 4, 6, 5}, {1, 4, 2, 5}},
	 "layer one: inputs: of 4x6x5 and 4x2x5 differ beside the axis; correct the definition"},
	{{.kind = MCH_CONCAT, .n_in = 2, .axis = 1},
	 {{1, 1 << 28, 5, 1}, {1, 1 << 28, 5, 1}},
	 "layer one: size: the output has over 2^31 elements; use a smaller layer"},
	{{.kind = MCH_SLICE, .n_in = 1, .gather = {0, 1, 1, outside, 0}},
	 {{0}},
	 "layer one: shape: 0x1x1 is not usable; correct the definition"},
	{{.kind = MCH_PAD, .n_in = 1, .gather = {1, 1, 1, outside, 0}},
	 {{0}},
	 "layer one: index: 6 is outside the input of 4x6x5; correct the definition"},
	{{.kind = MCH_RESHAPE, .n_in = 1, .shape = {1, 0, 6, 5}},
	 {{0}},
	 "layer one: shape: 0x6x5 is not usable; correct the definition"},
	{{.kind = MCH_RESHAPE, .n_in = 1, .shape = {1, 11, 11, 1}},
	 {{0}},
	 "layer one: shape: 11x11x1 has not as many elements as the input of 4x6x5; correct the definition"},
	{{.kind = MCH_CONSTANT, .n_in = 0, .shape = {1, 1 << 30, 2, 1}},
	 {{0}},
	 "layer one: size: the output has over 2^31 elements; use a smaller layer"},
	{{.kind = MCH_TRANSPOSE, .n_in = 1, .order = {0, 2, 2}},
	 {{0}},
	 "layer one: order: 0,2,2 is no order of three axes; correct the definition"},
	{{.kind = MCH_SUM, .n_in = 2},
	 {{1, 4, 6, 5}, {1, 4, 6, 0}},
	 "input shape 1x4x6x0 is not usable; one image of positive size is needed"},
};

/* The fields of `like` in layer 0, with memory of its own. */
static void define(struct mch_net *net, const struct mch_layer *like)
{
	struct mch_layer *layer = &net->layers[0];
	const struct mch_layer shell = *layer;
	*layer = *like;
	layer->name = shell.name, layer->in = shell.in, layer->out = shell.out, layer->n_out = 1;
	layer->weights = like->n_weights ? calloc(like->n_weights, sizeof(float)) : NULL;
	layer->bias = like->n_bias ? calloc(like->n_bias, sizeof(float)) : NULL;
	if (like->kind == MCH_SLICE || like->kind == MCH_PAD) {
		const struct mch_gather *g = &like->gather;
		ck_assert_int_eq(mch_gather_alloc(&layer->gather, g->n_c, g->n_h, g->n_w, NULL), 0);
		memcpy(layer->gather.at, g->at, (size_t)(g->n_c + g->n_h + g->n_w) * sizeof(int));
	}
}

static void begin(struct mch_net *net, const struct mch_shape shape[2], const struct mch_layer *like)
{
	int in[2];
	mch_net_init(net);
	net->name = strdup("toy");
	for (int i = 0; i < 2; i++) {
		const bool is_given = shape[i].n != 0;
		in[i] = mch_net_add_edge(net, i ? "b" : "a", is_given ? shape[i] : (struct mch_shape){1, 4, 6, 5},
					 NULL);
	}
	net->input = in[0];
	ck_assert_int_eq(mch_net_append(net, "one", like->kind, like->n_in, in, NULL, NULL), 0);
	define(net, like);
}

START_TEST(refuses)
{
	const struct refusal *r = &refusals[_i];
	struct mch_err err = {""};
	struct mch_net net;
	char want[512];
	begin(&net, r->shape, &r->layer);
	ck_assert_int_eq(mch_net_infer(&net, &err), -1);
	snprintf(want, sizeof(want), "toy: %s", r->text);
	ck_assert_str_eq(err.text, want);
	mch_net_free(&net);
}
END_TEST

START_TEST(refuses_a_variance_without_root)
{
	struct mch_err err = {""};
	struct mch_net net;
	begin(&net, (const struct mch_shape[2]){{0}}, &(struct mch_layer){.kind = MCH_BATCH_NORM, .n_in = 1});
	net.layers[0].norm.epsilon = 1e-5;
	ck_assert_int_eq(mch_net_infer(&net, &err), 0);
	ck_assert_int_eq(mch_layer_alloc(&net.layers[0], 1, &err), 0);
	ck_assert_int_eq(mch_net_infer(&net, &err), 0);
	net.layers[0].variance[2] = -0.5f;
	ck_assert_int_eq(mch_net_infer(&net, &err), -1);
	ck_assert_str_eq(err.text,
			 "toy: layer one: variance: -0.5 of channel 2 has no root; train the network again");
	mch_net_free(&net);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("layer_shape");
	TCase *cases = tcase_create("layer_shape");
	tcase_add_loop_test(cases, refuses, 0, sizeof(refusals) / sizeof(refusals[0]));
	tcase_add_test(cases, refuses_a_variance_without_root);
	suite_add_tcase(s, cases);
	return s;
}

int main(void)
{
	return check_main(suite);
}
