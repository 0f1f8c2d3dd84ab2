/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Unit tests of quant/bias_correct: the means of exact integers meet those of float, channel by channel. */
#include "quant/bias_correct.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "check_main.h"
#include "net/engine.h"
#include "policy_of.h"
#include "quant/formats.h"

enum { N_IMAGES = 40, SIZE = 10, N_OUT = 5 };

static struct mch_net net;
static struct mch_dataset data;

/* conv without a bias - relu - dense; weights all above 0, so that rounding down moves every mean one way. */
static void setup(void)
{
	struct mch_rng rng = mch_rng_seed(5);
	mch_net_init(&net);
	net.input = mch_net_add_edge(&net, "data", (struct mch_shape){1, 1, SIZE, SIZE}, NULL);
	net.output = -1;
	net.transform.scale = 1.0 / 256;
	mch_net_add_layer(&net, "conv", MCH_CONV, net.input, NULL, NULL);
	net.layers[0].conv = (struct mch_conv){.n = 1, .k = 3, .r = 3, .s = 3, .stride_h = 1, .stride_w = 1,
					       .dilation_h = 1, .dilation_w = 1, .groups = 1};
	mch_net_add_layer(&net, "relu", MCH_RELU, net.layers[0].out[0], NULL, NULL);
	mch_net_add_layer(&net, "fc", MCH_DENSE, net.n_edges - 1, NULL, NULL);
	net.layers[2].conv.k = N_OUT;
	ck_assert_int_eq(mch_net_infer(&net, NULL), 0);
	for (int i = 0; i < net.n_layers; i += 2) {
		ck_assert_int_eq(mch_layer_alloc(&net.layers[i], i > 0, NULL), 0);
		for (size_t j = 0; j < net.layers[i].n_weights; j++)
			net.layers[i].weights[j] = (float)mch_rng_real(&rng);
	}
	data = (struct mch_dataset){.n_images = N_IMAGES, .n_classes = N_OUT, .shape = {1, 1, SIZE, SIZE},
				    .transform = &net.transform};
	data.pixels = malloc(N_IMAGES * SIZE * SIZE);
	data.labels = calloc(N_IMAGES, sizeof(*data.labels));
	for (int i = 0; i < N_IMAGES * SIZE * SIZE; i++)
		data.pixels[i] = (uint8_t)mch_rng_below(&rng, 256);
}

static void teardown(void)
{
	mch_net_free(&net);
	mch_dataset_free(&data);
}

/* Mean of each output over all images. */
static void means(const struct mch_qnet *q, double mean[N_OUT])
{
	float y[N_IMAGES * N_OUT];
	const struct mch_model model = {.net = &net, .q = q};
	struct mch_engine *e = mch_engine_new(&model, net.output, N_IMAGES, NULL);
	ck_assert_ptr_nonnull(e);
	ck_assert_int_eq(mch_engine_run(e, &data, 0, N_IMAGES, y, NULL), 0);
	mch_engine_free(e);
	for (int k = 0; k < N_OUT; k++) {
		mean[k] = 0;
		for (int i = 0; i < N_IMAGES; i++)
			mean[k] += (double)y[i * N_OUT + k] / N_IMAGES;
	}
}

static double worst(const double *a, const double *b)
{
	double most = 0;
	for (int k = 0; k < N_OUT; k++)
		most = fmax(most, fabs(a[k] - b[k]));
	return most;
}

static void count(void *ctx, int done, int total)
{
	ck_assert_int_le(done, total);
	++*(int *)ctx;
}

START_TEST(means_meet)
{
	struct mch_ranges ranges;
	struct mch_formats formats;
	struct mch_widths widths;
	struct mch_quant quant;
	struct mch_qnet q;
	double of_float[N_OUT], without[N_OUT], with[N_OUT];
	int calls = 0;
	struct mch_format_policy policy = mch_format_policy_usual();
	const struct mch_bias_correct_config config = {&data, N_IMAGES, count, &calls};
	policy.weight_round = MCH_ROUND_FLOOR;
	ck_assert_int_eq(mch_ranges_measure(&ranges, &net, &data, N_IMAGES, NULL, NULL, NULL), 0);
	ck_assert_int_eq(mch_formats_init(&formats, &net, &ranges, &policy, NULL), 0);
	ck_assert_int_eq(mch_widths_init(&widths, &net, NULL), 0);
	ck_assert_int_eq(mch_quant_init(&quant, &net, NULL), 0);
	mch_formats_widths(&formats, (int[]){4, 4, 12}, &widths);
	ck_assert_int_eq(mch_formats_apply(&formats, &widths, &quant, NULL), 0);
	means(NULL, of_float);
	ck_assert_int_eq(mch_qnet_build(&q, &net, &quant, NULL), 0);
	means(&q, without);
	mch_qnet_free(&q);
	ck_assert_int_eq(mch_bias_correct(&net, &net, &quant, &config, NULL), 0);
	ck_assert_int_eq(calls, net.n_layers);
	ck_assert_ptr_nonnull(net.layers[0].bias);
	ck_assert_int_eq(mch_qnet_build(&q, &net, &quant, NULL), 0);
	means(&q, with);
	mch_qnet_free(&q);
	ck_assert_msg(worst(of_float, with) < worst(of_float, without) / 50, "off by %g, before by %g", worst(of_float, with),
		      worst(of_float, without));
	mch_quant_free(&quant);
	mch_widths_free(&widths);
	mch_formats_free(&formats);
	mch_ranges_free(&ranges);
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {means_meet};
	Suite *s = suite_create("bias_correct");
	TCase *t = tcase_create("core");
	tcase_add_checked_fixture(t, setup, teardown);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(t, tests[i]);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return check_main(suite);
}
