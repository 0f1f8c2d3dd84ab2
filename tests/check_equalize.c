/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Unit tests of quant/equalize: the network computes the same bits, and ranges meet; where that cannot be, nothing changes. */
#include "quant/equalize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "check_main.h"

enum { SIDE = 6, N_IN = 3 * SIDE * SIDE };

static struct mch_net net;

static int add(const char *name, enum mch_kind kind, int n_in, const int *in)
{
	const int i = mch_net_append(&net, name, kind, n_in, in, NULL, NULL);
	ck_assert_int_ge(i, 0);
	return net.layers[i].out[0];
}

static int add_conv(const char *name, int in, int k, int side, int groups)
{
	const int out = add(name, MCH_CONV, 1, &in);
	net.layers[net.n_layers - 1].conv = (struct mch_conv){.n = 1, .k = k, .r = side, .s = side, .stride_h = 1, .stride_w = 1,
							     .pad_top = side / 2, .pad_left = side / 2, .pad_bottom = side / 2,
							     .pad_right = side / 2, .dilation_h = 1, .dilation_w = 1,
							     .groups = groups};
	net.layers[net.n_layers - 1].n_bias = (size_t)k;
	return out;
}

static void begin(void)
{
	mch_net_init(&net);
	net.output = -1;
	net.input = mch_net_add_edge(&net, "data", (struct mch_shape){1, 3, SIDE, SIDE}, NULL);
}

/* Weights whose channels have ranges far apart. */
static void fill(uint64_t seed)
{
	struct mch_rng rng = mch_rng_seed(seed);
	ck_assert_int_eq(mch_net_infer(&net, NULL), 0);
	for (int i = 0; i < net.n_layers; i++) {
		struct mch_layer *l = &net.layers[i];
		if (l->kind != MCH_CONV && l->kind != MCH_DENSE)
			continue;
		ck_assert_int_eq(mch_layer_alloc(l, 1, NULL), 0);
		const size_t terms = l->n_weights / (size_t)l->conv.k;
		for (size_t j = 0; j < l->n_weights; j++)
			l->weights[j] = ldexpf((float)(mch_rng_real(&rng) - 0.5), (int)(j / terms % 7) - 3);
		for (size_t j = 0; j < l->n_bias; j++)
			l->bias[j] = (float)(mch_rng_real(&rng) - 0.5);
	}
}

/* The output for one image, which the caller frees. */
static float *run(void)
{
	float x[N_IN];
	float **values = calloc((size_t)net.n_edges, sizeof(*values));
	struct mch_rng rng = mch_rng_seed(9);
	for (int i = 0; i < N_IN; i++)
		x[i] = (float)(mch_rng_real(&rng) - 0.5);
	float *y = calloc(mch_shape_elems(net.edges[net.output].shape), sizeof(*y));
	ck_assert_ptr_nonnull(values);
	values[net.output] = y;
	ck_assert_int_eq(mch_net_run_f32(&net, 1, x, values, NULL), 0);
	free(values);
	return y;
}

static double most_of(const struct mch_layer *l, int k)
{
	const size_t terms = l->n_weights / (size_t)l->conv.k;
	double most = 0;
	for (size_t t = 0; t < terms; t++)
		most = fmax(most, fabs((double)l->weights[(size_t)k * terms + t]));
	return most;
}

static struct mch_equalized equalize_and_compare(void)
{
	struct mch_equalized result;
	float *before = run();
	ck_assert_int_eq(mch_equalize(&net, &result, NULL), 0);
	float *after = run();
	const size_t n = mch_shape_elems(net.edges[net.output].shape);
	for (size_t i = 0; i < n; i++)
		ck_assert_msg(before[i] == after[i], "output %zu: %.9g became %.9g", i, (double)before[i], (double)after[i]);
	free(before);
	free(after);
	return result;
}

/* conv - relu - depthwise - relu - max pool - conv: the factors of each channel are powers of two, so not one bit differs. */
START_TEST(chain)
{
	begin();
	int e = add_conv("a", net.input, 4, 3, 1);
	e = add("ra", MCH_RELU, 1, &e);
	e = add_conv("dw", e, 4, 3, 4);
	e = add("rd", MCH_RELU, 1, &e);
	e = add("pool", MCH_POOL_MAX, 1, &e);
	net.layers[net.n_layers - 1].pool = (struct mch_pool){.n = 1, .r = 2, .s = 2, .stride_h = 2, .stride_w = 2,
							      .dilation_h = 1, .dilation_w = 1};
	add_conv("b", e, 5, 1, 1);
	fill(1);
	const struct mch_equalized result = equalize_and_compare();
	ck_assert_int_eq(result.n_layers, 2);
	ck_assert_int_gt((int)result.n_scaled, 0);
	/* A depthwise channel's weights are one row on both sides: the ranges meet within the factor 2 that powers of two leave. */
	for (int k = 0; k < 4; k++) {
		const double ratio = most_of(&net.layers[0], k) / most_of(&net.layers[2], k);
		ck_assert_msg(ratio >= 0.5 && ratio <= 2, "channel %d: ratio %g", k, ratio);
	}
	mch_net_free(&net);
}
END_TEST

/* squeeze - two expands - concat - dense, as in SqueezeNet: one tensor read twice, two tensors in one, a layer that flattens. */
START_TEST(fire)
{
	begin();
	int e = add_conv("squeeze", net.input, 3, 1, 1);
	e = add("rs", MCH_RELU, 1, &e);
	int parts[2] = {add_conv("e1", e, 4, 1, 1), add_conv("e3", e, 2, 3, 1)};
	for (int i = 0; i < 2; i++)
		parts[i] = add(i ? "r3" : "r1", MCH_RELU, 1, &parts[i]);
	e = add("cat", MCH_CONCAT, 2, parts);
	net.layers[net.n_layers - 1].axis = 1;
	add("fc", MCH_DENSE, 1, &e);
	net.layers[net.n_layers - 1].conv.k = 5;
	fill(2);
	ck_assert_int_eq(equalize_and_compare().n_layers, 3);
	mch_net_free(&net);
}
END_TEST

/* A sigmoid does not commute with a factor, and the output is the user's. */
START_TEST(left_alone)
{
	struct mch_equalized result;
	begin();
	int e = add_conv("a", net.input, 4, 3, 1);
	e = add("s", MCH_SIGMOID, 1, &e);
	add_conv("b", e, 4, 1, 1);
	fill(3);
	const float first = net.layers[0].weights[0], last = net.layers[2].weights[0];
	ck_assert_int_eq(mch_equalize(&net, &result, NULL), 0);
	ck_assert_int_eq(result.n_layers, 0);
	ck_assert(net.layers[0].weights[0] == first && net.layers[2].weights[0] == last);
	mch_net_free(&net);
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {chain, fire, left_alone};
	return CHECK_SUITE("equalize", tests);
}

int main(void)
{
	return check_main(suite);
}
