/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Unit tests of what quantize can do behind the rules of calibration: quant/compensate, fold_input and the equalization of
 * tensors. Each must bring the integers closer to float, and leave the float network what it was. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "check_main.h"
#include "net/score.h"
#include "quant/compensate.h"
#include "quant/equalize.h"
#include "quant/fold_input.h"
#include "quant/formats.h"

enum { N_IMAGES = 48, SIZE = 10, N_OUT = 6, N_IN = SIZE * SIZE };

static struct mch_net net;
static struct mch_dataset data;

static int add(enum mch_kind kind, const char *name, int in, struct mch_conv conv)
{
	const int i = mch_net_add_layer(&net, name, kind, in, NULL, NULL);
	ck_assert_int_ge(i, 0);
	net.layers[net.n_layers - 1].conv = conv;
	return net.layers[net.n_layers - 1].out[0];
}

static struct mch_conv square(int k, int side)
{
	return (struct mch_conv){.n = 1, .k = k, .r = side, .s = side, .stride_h = 1, .stride_w = 1, .dilation_h = 1, .dilation_w = 1,
				 .groups = 1};
}

static void fill(struct mch_rng *rng)
{
	for (int i = 0; i < net.n_layers; i++) {
		struct mch_layer *l = &net.layers[i];
		if (l->kind != MCH_CONV && l->kind != MCH_DENSE)
			continue;
		ck_assert_int_eq(mch_layer_alloc(l, 1, NULL), 0);
		const size_t terms = l->n_weights / (size_t)l->conv.k;
		/* Channels of sizes far apart, of which the small ones matter as much. */
		for (size_t j = 0; j < l->n_weights; j++) {
			const int size = i == 0 ? -(int)(j / terms % 4) : i == 2 ? (int)(j / 9 % 4) : 0;
			l->weights[j] = ldexpf((float)(mch_rng_real(rng) - 0.45), size);
		}
		for (size_t j = 0; j < l->n_bias; j++)
			l->bias[j] = (float)(mch_rng_real(rng) - 0.5) / 4;
	}
}

/* conv - relu - conv - relu - dense on pictures whose neighbouring pixels are alike, as those of the world are. */
static void setup(void)
{
	struct mch_rng rng = mch_rng_seed(11);
	mch_net_init(&net);
	net.input = mch_net_add_edge(&net, "data", (struct mch_shape){1, 1, SIZE, SIZE}, NULL);
	net.output = -1;
	net.transform.scale = 1.0 / 64;
	net.transform.n_mean = 1;
	net.transform.mean[0] = 101;
	int e = add(MCH_CONV, "a", net.input, square(8, 3));
	e = add(MCH_RELU, "ra", e, square(0, 0));
	e = add(MCH_CONV, "b", e, square(8, 3));
	e = add(MCH_RELU, "rb", e, square(0, 0));
	add(MCH_DENSE, "fc", e, square(N_OUT, 1));
	ck_assert_int_eq(mch_net_infer(&net, NULL), 0);
	fill(&rng);
	data = (struct mch_dataset){.n_images = N_IMAGES, .n_classes = N_OUT, .shape = {1, 1, SIZE, SIZE},
				    .transform = &net.transform};
	data.pixels = malloc(N_IMAGES * N_IN);
	data.labels = calloc(N_IMAGES, sizeof(*data.labels));
	ck_assert(data.pixels && data.labels);
	for (int i = 0; i < N_IMAGES; i++) {
		const double slope = mch_rng_real(&rng) * 20 - 10, from = 128 - slope * SIZE / 2;
		for (int p = 0; p < N_IN; p++)
			data.pixels[i * N_IN + p] = (uint8_t)(from + slope * (p % SIZE) + mch_rng_real(&rng) * 27);
	}
}

static void teardown(void)
{
	mch_net_free(&net);
	mch_dataset_free(&data);
}

static const struct mch_score_config all = {.data = &data, .n = N_IMAGES};

/* Ranges, formats and integers of the net at the widths. */
struct chain {
	struct mch_ranges ranges;
	struct mch_formats formats;
	struct mch_widths widths;
	struct mch_quant quant;
};

static void open_chain(struct chain *c, const struct mch_format_policy *policy, const int width[MCH_N_PARTS])
{
	ck_assert_int_eq(mch_ranges_measure(&c->ranges, &net, &data, N_IMAGES, NULL, NULL, NULL), 0);
	ck_assert_int_eq(mch_formats_init(&c->formats, &net, &c->ranges, policy, NULL), 0);
	ck_assert_int_eq(mch_widths_init(&c->widths, &net, NULL), 0);
	ck_assert_int_eq(mch_quant_init(&c->quant, &net, NULL), 0);
	mch_formats_widths(&c->formats, width, &c->widths);
	ck_assert_int_eq(mch_formats_apply(&c->formats, &c->widths, &c->quant, NULL), 0);
}

static void close_chain(struct chain *c)
{
	mch_quant_free(&c->quant);
	mch_widths_free(&c->widths);
	mch_formats_free(&c->formats);
	mch_ranges_free(&c->ranges);
}

/* Signal to noise of the integers against logits. */
static double sqnr(struct chain *c, float *logits)
{
	struct mch_difference d;
	struct mch_qnet q;
	ck_assert_int_eq(mch_qnet_build(&q, &net, &c->quant, NULL), 0);
	ck_assert_int_eq(mch_score_compare_logits(&(struct mch_model){.net = &net, .q = &q}, logits, &all, &d, NULL), 0);
	mch_qnet_free(&q);
	return d.sqnr_db;
}

/* The same of the float network. */
static double sqnr_float(float *logits)
{
	struct mch_difference d;
	ck_assert_int_eq(mch_score_compare_logits(&(struct mch_model){.net = &net}, logits, &all, &d, NULL), 0);
	return d.sqnr_db;
}

static double sqnr_of(const struct mch_format_policy *policy, const int width[MCH_N_PARTS], float *logits)
{
	struct chain c;
	open_chain(&c, policy, width);
	const double db = sqnr(&c, logits);
	close_chain(&c);
	return db;
}

/* e' H e, summed over the rows. */
static double cost(const float *from, const float *to, int k, int terms, const double *h)
{
	double sum = 0;
	for (int row = 0; row < k; row++)
		for (int i = 0; i < terms; i++)
			for (int j = 0; j < terms; j++)
				sum += (double)(from[row * terms + i] - to[row * terms + i]) * h[i * terms + j] *
				       (double)(from[row * terms + j] - to[row * terms + j]);
	return sum;
}

enum { K = 8, TERMS = 24 };

static void nearest(const float *weights, const struct mch_format *format, float *to)
{
	for (int i = 0; i < K * TERMS; i++)
		to[i] = (float)mch_format_real(format[i / TERMS], mch_format_raw(format[i / TERMS], (double)weights[i],
										    MCH_ROUND_HALF_EVEN, NULL));
}

/* Inputs that go together: a fifth of the error that rounding each weight by itself makes. Inputs that do not: the same codes. */
START_TEST(rows_compensate)
{
	struct mch_rng rng = mch_rng_seed(3);
	double together[TERMS * TERMS], apart[TERMS * TERMS] = {0};
	float weights[K * TERMS], alone[K * TERMS], got[K * TERMS];
	struct mch_format format[K];
	for (int i = 0; i < TERMS; i++) {
		for (int j = 0; j < TERMS; j++)
			together[i * TERMS + j] = pow(0.9, abs(i - j));
		apart[i * TERMS + i] = 1 + i;
	}
	for (int i = 0; i < K * TERMS; i++)
		weights[i] = (float)mch_rng_real(&rng) - 0.5f;
	for (int k = 0; k < K; k++)
		format[k] = (struct mch_format){.bits = 4, .frac = 3 - (k & 1), .is_signed = true};
	nearest(weights, format, alone);
	memcpy(got, weights, sizeof(got));
	ck_assert_int_eq(mch_compensate_rows(got, K, TERMS, format, apart), 0);
	ck_assert_mem_eq(got, alone, sizeof(got));
	memcpy(got, weights, sizeof(got));
	ck_assert_int_eq(mch_compensate_rows(got, K, TERMS, format, together), 0);
	const double with = cost(weights, got, K, TERMS, together), without = cost(weights, alone, K, TERMS, together);
	ck_assert_msg(with < without / 3, "%g with, %g without", with, without);
	nearest(got, format, alone);
	ck_assert_mem_eq(got, alone, sizeof(got)); /* codes' values */
}
END_TEST

START_TEST(compensation_helps)
{
	const struct mch_format_policy policy = mch_format_policy_usual();
	const struct mch_compensate_config config = {.data = &data, .n_images = N_IMAGES};
	struct mch_compensated result;
	struct chain c;
	float *logits = mch_score_logits(&net, &all, NULL);
	open_chain(&c, &policy, (int[]){4, 4, 12});
	const double without = sqnr(&c, logits);
	ck_assert_int_eq(mch_compensate(&net, &c.quant, &config, &result, NULL), 0);
	const double with = sqnr(&c, logits);
	ck_assert_int_eq(result.n_layers, 3);
	ck_assert_int_eq(result.n_left, 0);
	ck_assert_msg(with > without + 4, "%g dB with, %g without", with, without);
	close_chain(&c);
	free(logits);
}
END_TEST

START_TEST(tensors_equalize)
{
	struct mch_format_policy policy = mch_format_policy_usual();
	policy.per_channel = true;
	const int width[] = {12, 12, 5};
	const struct mch_equalize_config config = {.data = &data, .n_images = N_IMAGES, .balance = 1, .bits = 5,
						   .activations = &policy.activations};
	struct mch_equalized result;
	float *logits = mch_score_logits(&net, &all, NULL);
	const double without = sqnr_of(&policy, width, logits);
	ck_assert_int_eq(mch_equalize_tensors(&net, &config, &result, NULL), 0);
	ck_assert_int_eq(result.n_layers, 2);
	ck_assert_int_gt((int)result.n_scaled, 4);
	ck_assert_msg(sqnr_float(logits) > 100, "the float network is off by %g dB", sqnr_float(logits));
	const double with = sqnr_of(&policy, width, logits);
	ck_assert_msg(with > without + 1.5, "%g dB with, %g without", with, without);
	free(logits);
}
END_TEST

START_TEST(input_folds)
{
	const struct mch_format_policy policy = mch_format_policy_usual();
	const int width[] = {12, 12, 8};
	struct mch_err err;
	struct chain c;
	float *logits = mch_score_logits(&net, &all, NULL);
	ck_assert_int_eq(mch_fold_input(&net, NULL), 0);
	ck_assert(net.transform.scale == 1 && net.transform.n_mean == 0);
	ck_assert_msg(sqnr_float(logits) > 90, "the float network is off by %g dB", sqnr_float(logits));
	open_chain(&c, &policy, width);
	const struct mch_format input = c.quant.edge[net.input];
	ck_assert(!input.is_signed && input.bits == 8 && input.frac == 0); /* a pixel, whole */
	close_chain(&c);
	net.transform.n_mean = 1;
	net.layers[0].conv.pad_top = 1;
	ck_assert_int_eq(mch_fold_input(&net, &err), -1);
	ck_assert_str_eq(err.text, "a: it pads the network's input with the mean, which pixels have in no place of their own; leave "
				   "--fold-input out");
	free(logits);
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {rows_compensate, compensation_helps, tensors_equalize, input_folds};
	Suite *s = suite_create("refine");
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
