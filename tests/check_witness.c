/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Certificates are tight: of convolutions by chance, with padding that cuts every output among them, and of all layers
 * of the networks that come with the program. */
#include "check_main.h"

#include <stdio.h>

#include "base/rng.h"
#include "io/net_read.h"
#include "net/lower.h"
#include "net/witness.h"
#include "random_net.h"
#include "tight.h"
#include "train/first.h"

static int between(struct mch_rng *rng, int low, int high)
{
	return low + (int)mch_rng_below(rng, (uint32_t)(high - low + 1));
}

/* Inputs smaller than the kernel, holes and wide padding: often no output sees the whole kernel. */
static struct mch_conv random_geometry(struct mch_rng *rng)
{
	struct mch_conv g;
	do {
		const int groups = between(rng, 1, 2);
		g = (struct mch_conv){.n = 1, .c = groups * between(rng, 1, 3), .h = between(rng, 1, 7), .w = between(rng, 1, 7),
				      .k = groups * between(rng, 1, 4), .r = between(rng, 1, 5), .s = between(rng, 1, 5),
				      .stride_h = between(rng, 1, 4), .stride_w = between(rng, 1, 4),
				      .pad_top = between(rng, 0, 6), .pad_left = between(rng, 0, 6),
				      .pad_bottom = between(rng, 0, 6), .pad_right = between(rng, 0, 6),
				      .dilation_h = between(rng, 1, 4), .dilation_w = between(rng, 1, 4), .groups = groups};
	} while (mch_conv_p(&g) < 1 || mch_conv_q(&g) < 1);
	return g;
}

/* The bounds of every output by itself, term for term: no idea of rows and columns. */
static struct mch_certificate slow_bounds(const struct mch_step *step)
{
	const struct mch_conv *g = &step->conv;
	const int64_t x_min = mch_format_min(step->in_format), x_max = mch_format_max(step->in_format);
	struct mch_certificate c = {0, 0, 2};
	for (int k = 0; k < g->k; k++)
		for (int p = 0; p < mch_conv_p(g); p++)
			for (int q = 0; q < mch_conv_q(g); q++) {
				int64_t low = 0, high = 0;
				for (size_t t = 0; t < mch_conv_terms(g); t++) {
					const int64_t w = step->weights[(size_t)k * mch_conv_terms(g) + t];
					if (mch_conv_x_index(g, 0, k, p, q, t) < 0)
						continue;
					low += w < 0 ? w * x_max : w * x_min;
					high += w < 0 ? w * x_min : w * x_max;
				}
				c.low = low < c.low ? low : c.low;
				c.high = high > c.high ? high : c.high;
			}
	while (c.low < -(INT64_C(1) << (c.bits - 1)) || c.high >= INT64_C(1) << (c.bits - 1))
		c.bits++;
	return c;
}

START_TEST(tight_on_random_convolutions)
{
	struct mch_rng rng = mch_rng_seed(20);
	struct tight seen = {0};
	for (int trial = 0; trial < 3000; trial++) {
		static int32_t weights[8 * 3 * 25];
		const struct mch_layer layer = {.name = "random", .kind = MCH_CONV};
		const struct mch_format w = {.bits = between(&rng, 1, 16), .is_signed = true};
		struct mch_step step = {.layer = &layer, .form = MCH_FORM_MAC, .weights = weights};
		step.in_format = (struct mch_format){.bits = between(&rng, 1, 16), .is_signed = between(&rng, 0, 1)};
		step.conv = random_geometry(&rng);
		for (size_t i = 0; i < (size_t)step.conv.k * mch_conv_terms(&step.conv); i++)
			weights[i] = random_code(&rng, w);
		const struct mch_certificate want = slow_bounds(&step), got = mch_step_certificate(&step);
		ck_assert_msg(got.low == want.low && got.high == want.high && got.bits == want.bits,
			      "trial %d: %g .. %g in %d bits, %g .. %g in %d expected", trial,
			      mch_wide_real(got.low), mch_wide_real(got.high), got.bits, mch_wide_real(want.low),
			      mch_wide_real(want.high), want.bits);
		check_tight(&step, &seen);
	}
	ck_assert(seen.n_cut > 300 && seen.n_layers - seen.n_cut > 300 && seen.n_narrow > 2500);
}
END_TEST

START_TEST(tight_on_random_nets)
{
	const struct random_format format = {0};
	struct mch_rng rng = mch_rng_seed(21);
	struct tight seen = {0};
	for (int trial = 0; trial < 100; trial++) {
		struct mch_net net;
		struct mch_quant quant;
		struct mch_qnet q;
		struct mch_err err = {""};
		random_net(&rng, &net);
		random_quant(&rng, &format, &net, &quant);
		ck_assert_msg(mch_qnet_build(&q, &net, &quant, &err) == 0, "%s", err.text);
		for (int i = 0; i < q.n_steps; i++) {
			if (q.steps[i].form != MCH_FORM_MAC)
				continue;
			check_tight(&q.steps[i], &seen);
			/* The width that a layer gets when none is asked for: its certificate's, or its bias's. */
			ck_assert_int_ge(q.steps[i].acc.bits, quant.layer[q.steps[i].layer_index].certificate.bits);
		}
		mch_qnet_free(&q);
		mch_quant_free(&quant);
		mch_net_free(&net);
	}
	ck_assert_int_gt(seen.n_layers, 150);
}
END_TEST

static const struct {
	const char *file;
	int n_layers; /* with weights, lowered */
} shipped[] = {{"lenet.onnx", 4}, {"lenet.prototxt", 4}, {"resnet8.prototxt", 10}, {"mobilenet_v1.prototxt", 28}};

START_TEST(tight_on_shipped_nets)
{
	static const struct mch_format x[] = {
		{.bits = 8, .frac = 4, .is_signed = true}, {.bits = 4, .frac = 2},
		{.bits = 8, .frac = 4, .is_signed = true}, {.bits = 8, .frac = 9, .is_signed = true, .number = MCH_MINIFLOAT_FN, .exp_bits = 4},
	}, w[] = {
		{.bits = 8, .is_signed = true}, {.bits = 5, .is_signed = true}, {.bits = 4, .is_signed = true, .number = MCH_POW2},
		{.bits = 8, .is_signed = true, .number = MCH_MINIFLOAT_FN, .exp_bits = 4},
	};
	const bool is_small = shipped[_i].n_layers < 10; /* minifloats are slow */
	const char *top = getenv("top_srcdir");
	struct mch_net net;
	struct mch_err err = {""};
	char path[512];
	snprintf(path, sizeof(path), "%s/tests/nets/%s", top ? top : ".", shipped[_i].file);
	ck_assert_msg(mch_net_read(path, NULL, &net, NULL, &err) == 0, "%s", err.text);
	ck_assert_msg(mch_first_weights(&net, mch_rng_seed(1), &err) == 0 && mch_net_lower(&net, &err) == 0, "%s", err.text);
	for (int f = 0; f < 3 + is_small; f++) {
		struct tight seen = {0};
		check_tight_net(&net, x[f], w[f], f == 1, &seen);
		ck_assert_int_eq(seen.n_layers, shipped[_i].n_layers);
		ck_assert_int_eq(seen.n_wide, f == 3 ? seen.n_layers : 0);
		ck_assert_int_eq(seen.n_narrow, seen.n_layers);
	}
	mch_net_free(&net);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("witness");
	TCase *cases = tcase_create("witness");
	tcase_add_test(cases, tight_on_random_convolutions);
	tcase_add_test(cases, tight_on_random_nets);
	tcase_add_loop_test(cases, tight_on_shipped_nets, 0, sizeof(shipped) / sizeof(shipped[0]));
	suite_add_tcase(s, cases);
	return s;
}

int main(void)
{
	return check_main(suite);
}
