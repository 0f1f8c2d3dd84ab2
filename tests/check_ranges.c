/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Unit tests of quant/ranges: a small net over made-up images. */
#include "quant/ranges.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "check_main.h"

enum { N_IMAGES = 120, SIZE = 12 };

static struct mch_net net;
static struct mch_dataset data;

static void setup(void)
{
	mch_net_init(&net);
	net.input = mch_net_add_edge(&net, "data", (struct mch_shape){1, 1, SIZE, SIZE}, NULL);
	net.output = -1;
	net.transform.scale = 1.0 / 256;
	const int conv = mch_net_add_layer(&net, "conv", MCH_CONV, net.input, NULL, NULL);
	net.layers[conv].conv = (struct mch_conv){.n = 1, .k = 3, .r = 3, .s = 3, .stride_h = 1, .stride_w = 1,
						  .dilation_h = 1, .dilation_w = 1, .groups = 1};
	mch_net_add_layer(&net, "relu", MCH_RELU, net.layers[conv].out[0], NULL, NULL);
	const int fc = mch_net_add_layer(&net, "fc", MCH_DENSE, net.n_edges - 1, NULL, NULL);
	net.layers[fc].conv.k = 5;
	struct mch_err err;
	ck_assert_msg(mch_net_infer(&net, &err) == 0, "%s", err.text);
	struct mch_rng rng = mch_rng_seed(11);
	for (int i = 0; i < net.n_layers; i++) {
		struct mch_layer *layer = &net.layers[i];
		if (layer->kind == MCH_RELU)
			continue;
		ck_assert_int_eq(mch_layer_alloc(layer, 1, &err), 0);
		for (size_t j = 0; j < layer->n_weights; j++)
			layer->weights[j] = (float)(mch_rng_real(&rng) - 0.5);
	}
	data = (struct mch_dataset){.n_images = N_IMAGES, .n_classes = 5, .shape = {1, 1, SIZE, SIZE},
				    .transform = &net.transform};
	data.pixels = malloc(N_IMAGES * SIZE * SIZE);
	data.labels = calloc(N_IMAGES, sizeof(*data.labels));
	for (int i = 0; i < N_IMAGES * SIZE * SIZE; i++)
		data.pixels[i] = (uint8_t)mch_rng_below(&rng, 200);
}

static void teardown(void)
{
	mch_net_free(&net);
	mch_dataset_free(&data);
}

static void count(void *ctx, int done, int total)
{
	int *calls = ctx;
	ck_assert_int_le(done, total);
	++*calls;
}

/* Against the plain float runner, over all images at once. */
START_TEST(small_net)
{
	struct mch_ranges ranges;
	struct mch_err err;
	int calls = 0;
	ck_assert_msg(mch_ranges_measure(&ranges, &net, &data, N_IMAGES, count, &calls, &err) == 0, "%s", err.text);
	ck_assert_int_ge(calls, 2);
	float *values[4], *input = malloc(N_IMAGES * SIZE * SIZE * sizeof(float));
	ck_assert_int_eq(net.n_edges, 4);
	for (int e = 0; e < net.n_edges; e++)
		values[e] = malloc(N_IMAGES * mch_shape_elems(net.edges[e].shape) * sizeof(float));
	ck_assert_int_eq(mch_dataset_f32(&data, 0, N_IMAGES, input, &err), 0);
	ck_assert_int_eq(mch_net_run_f32(&net, N_IMAGES, input, values, &err), 0);
	for (int e = 0; e < net.n_edges; e++) {
		struct mch_range want = {0};
		const size_t n = N_IMAGES * mch_shape_elems(net.edges[e].shape);
		mch_range_add(&want, values[e], n);
		mch_range_finish(&want);
		const struct mch_range *got = &ranges.edge[e];
		ck_assert_uint_eq(got->n, want.n);
		ck_assert_double_eq_tol(got->min, want.min, 1e-4);
		ck_assert_double_eq_tol(got->max, want.max, 1e-4);
		ck_assert_double_eq_tol(got->mean, want.mean, 1e-4);
		ck_assert_double_eq_tol(got->std, want.std, 1e-4);
		ck_assert_uint_gt(got->n_sample, 0);
		ck_assert_uint_le(got->n_sample, MCH_RANGE_SAMPLE);
		ck_assert_uint_eq(got->n_sample, n < MCH_RANGE_SAMPLE ? n : got->n_sample);
		for (size_t i = 0; i < got->n_sample; i++)
			ck_assert(got->sample[i] >= (float)got->min && got->sample[i] <= (float)got->max);
		free(values[e]);
	}
	ck_assert_double_eq(ranges.edge[2].min, 0);
	ck_assert_uint_gt(ranges.edge[2].n_zero, 0);
	ck_assert_uint_eq(ranges.layer[0].n, 27);
	ck_assert_ptr_eq(ranges.layer[0].sample, net.layers[0].weights);
	ck_assert_uint_eq(ranges.layer[1].n, 0);
	free(input);
	mch_ranges_free(&ranges);
}
END_TEST

START_TEST(refuses_nan)
{
	struct mch_ranges ranges;
	struct mch_err err;
	net.layers[2].weights[7] = NAN;
	ck_assert_int_eq(mch_ranges_measure(&ranges, &net, &data, 10, NULL, NULL, &err), -1);
	ck_assert_str_eq(err.text, "network: weights of layer fc: holds the value nan, which has no fixed-point "
			 "form; train the "
				   "network anew, or correct the file");
	net.layers[2].weights[7] = 0;
	net.layers[0].weights[0] = 3e38f;
	net.layers[0].weights[1] = 3e38f;
	net.layers[0].weights[2] = 3e38f;
	ck_assert_int_eq(mch_ranges_measure(&ranges, &net, &data, 10, NULL, NULL, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "network: tensor conv: holds the value inf"));
}
END_TEST

static Suite *suite(void)
{
	Suite *all = suite_create("ranges");
	TCase *tests = tcase_create("ranges");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, small_net);
	tcase_add_test(tests, refuses_nan);
	suite_add_tcase(all, tests);
	return all;
}

int main(void)
{
	return check_main(suite);
}
