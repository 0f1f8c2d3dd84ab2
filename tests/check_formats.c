/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Unit tests of quant/formats: groups, signs and limits on a net with made-up ranges, and that what comes out can be
 * built into integers for every combination of widths. */
#include "quant/formats.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "net/qnet.h"
#include "check_main.h"
#include "policy_of.h"

/* conv1 - pool1 - conv2 - relu2 - mean - dense - softmax: every kind of group. */
enum { IN, CONV1, POOL1, CONV2, RELU2, MEAN, DENSE, SOFT, N_EDGES };
enum { L_CONV1, L_POOL1, L_CONV2, L_RELU2, L_MEAN, L_DENSE, L_SOFT, N_LAYERS };

static struct mch_net net;
static struct mch_ranges ranges;
static struct mch_range edge[N_EDGES], layer[N_LAYERS];
static float samples[N_EDGES][64];

static void add(const char *name, enum mch_kind kind)
{
	const int i = mch_net_add_layer(&net, name, kind, net.n_edges - 1, NULL, NULL);
	struct mch_layer *l = &net.layers[i];
	if (kind == MCH_CONV || kind == MCH_DENSE)
		l->conv = (struct mch_conv){.n = 1, .k = 4, .r = 3, .s = 3, .stride_h = 1, .stride_w = 1,
					    .dilation_h = 1, .dilation_w = 1, .groups = 1};
	if (kind == MCH_POOL_MAX || kind == MCH_POOL_AVG)
		l->pool = (struct mch_pool){.n = 1, .r = 2, .s = 2, .stride_h = 2, .stride_w = 2,
					      .dilation_h = 1, .dilation_w = 1};
}

/* A tensor that has been seen to hold 64 values from min to max. */
static void seen(int e, double min, double max)
{
	for (int i = 0; i < 64; i++)
		samples[e][i] = (float)(min + (max - min) * i / 63);
	edge[e] = (struct mch_range){0};
	mch_range_add(&edge[e], samples[e], 64);
	mch_range_finish(&edge[e]);
	edge[e].sample = samples[e];
	edge[e].n_sample = 64;
}

static void look_at_weights(void)
{
	for (int i = 0; i < N_LAYERS; i++) {
		layer[i] = (struct mch_range){0};
		if (!net.layers[i].weights)
			continue;
		mch_range_add(&layer[i], net.layers[i].weights, net.layers[i].n_weights);
		mch_range_finish(&layer[i]);
		layer[i].sample = net.layers[i].weights;
		layer[i].n_sample = net.layers[i].n_weights;
	}
}

static void setup(void)
{
	mch_net_init(&net);
	net.input = mch_net_add_edge(&net, "data", (struct mch_shape){1, 1, 16, 16}, NULL);
	net.output = -1;
	net.transform.scale = 1.0 / 256;
	add("conv1", MCH_CONV);
	add("pool1", MCH_POOL_MAX);
	add("conv2", MCH_CONV);
	add("relu2", MCH_RELU);
	add("mean", MCH_POOL_AVG);
	add("dense", MCH_DENSE);
	add("soft", MCH_SOFTMAX);
	struct mch_err err;
	ck_assert_msg(mch_net_infer(&net, &err) == 0, "%s", err.text);
	struct mch_rng rng = mch_rng_seed(1);
	for (int i = 0; i < N_LAYERS; i++) {
		struct mch_layer *l = &net.layers[i];
		if (mch_formats_part(l) < 0)
			continue;
		ck_assert_int_eq(mch_layer_alloc(l, 1, &err), 0);
		for (size_t j = 0; j < l->n_weights; j++)
			l->weights[j] = (float)(mch_rng_real(&rng) - 0.5);
		for (size_t j = 0; j < l->n_bias; j++)
			l->bias[j] = (float)(mch_rng_real(&rng) - 0.5);
	}
	look_at_weights();
	seen(IN, 0, 255.0 / 256);
	seen(CONV1, -9, 3);
	seen(POOL1, -1, 3);
	seen(CONV2, -7, 5);
	seen(RELU2, 0, 5);
	seen(MEAN, 0, 1.9);
	seen(DENSE, -30, 20);
	seen(SOFT, 0, 1);
	ranges = (struct mch_ranges){.n_edges = N_EDGES, .n_layers = N_LAYERS, .n_images = 1, .edge = edge,
				     .layer = layer};
}

static void teardown(void)
{
	mch_net_free(&net);
}

static void apply_parts(struct mch_formats *f, int conv, int fc, int activations, struct mch_quant *quant)
{
	struct mch_widths widths;
	ck_assert_int_eq(mch_widths_init(&widths, &net, NULL), 0);
	mch_formats_widths(f, (int[]){conv, fc, activations}, &widths);
	ck_assert_int_eq(mch_formats_apply(f, &widths, quant, NULL), 0);
	mch_widths_free(&widths);
}

static void apply_policy(const struct mch_format_policy *policy, int conv, int fc, int activations, struct mch_quant *quant)
{
	struct mch_formats f;
	ck_assert_int_eq(mch_quant_init(quant, &net, NULL), 0);
	ck_assert_int_eq(mch_formats_init(&f, &net, &ranges, policy, NULL), 0);
	apply_parts(&f, conv, fc, activations, quant);
	mch_formats_free(&f);
}

static void apply(enum mch_fraction rule, int conv, int fc, int activations, struct mch_quant *quant)
{
	apply_policy(policy_of(rule), conv, fc, activations, quant);
}

static void assert_format(struct mch_format f, const char *want)
{
	char text[16];
	ck_assert_str_eq(mch_format_text(f, text), want);
}

START_TEST(groups)
{
	struct mch_quant quant;
	apply(MCH_FRACTION_MAX, 8, 4, 8, &quant);
	assert_format(quant.edge[IN], "u8.8");
	/* what is read is the pool's output: -1 .. 3, not -9 .. 3 */
	assert_format(quant.edge[CONV1], "s8.5");
	assert_format(quant.edge[POOL1], "s8.5");
	/* read behind the ReLU only: unsigned */
	assert_format(quant.edge[CONV2], "u8.5");
	assert_format(quant.edge[RELU2], "u8.5");
	assert_format(quant.edge[MEAN], "u8.7"); /* its own: the mean of a window is smaller */
	assert_format(quant.edge[DENSE], "s8.2");
	ck_assert_int_eq(quant.edge[SOFT].bits, 0); /* the host's, in float */
	assert_format(quant.layer[L_CONV1].weights, "s8.8");
	assert_format(quant.layer[L_DENSE].weights, "s4.3");
	ck_assert_int_eq(quant.layer[L_POOL1].weights.bits, 0);
	ck_assert_int_eq(quant.width[0], 8);
	ck_assert_int_eq(quant.width[1], 4);
	ck_assert_int_eq(quant.width[2], 8);
	mch_quant_free(&quant);
}
END_TEST

START_TEST(fraction_within_accumulator)
{
	struct mch_quant quant;
	/* 1 bit of pixel and 1 of weight: the accumulator has few fraction bits, 16-bit outputs get no more */
	apply(MCH_FRACTION_MAX, 1, 1, 16, &quant);
	for (int i = 0; i < N_LAYERS; i++) {
		const struct mch_layer *l = &net.layers[i];
		if (l->weights)
			ck_assert_int_le(quant.edge[l->out[0]].frac,
					 quant.edge[l->in[0]].frac + quant.layer[i].weights.frac);
	}
	mch_quant_free(&quant);
	seen(POOL1, -1e-9, 1e-9); /* an output that is always tiny */
	apply(MCH_FRACTION_MAX, 8, 8, 8, &quant);
	ck_assert_int_eq(quant.edge[CONV1].frac, quant.edge[IN].frac + quant.layer[L_CONV1].weights.frac);
	mch_quant_free(&quant);
}
END_TEST

/* A bias of 2^20 beside weights of 2^-40: the bias must fit 48 bits at the accumulator's fraction. */
START_TEST(bias_fits)
{
	for (size_t j = 0; j < net.layers[L_CONV2].n_weights; j++)
		net.layers[L_CONV2].weights[j] *= 0x1p-40f;
	net.layers[L_CONV2].bias[1] = 0x1p20f;
	look_at_weights();
	struct mch_quant quant;
	apply(MCH_FRACTION_MAX, 8, 8, 8, &quant);
	const int acc_frac = quant.edge[POOL1].frac + quant.layer[L_CONV2].weights.frac;
	ck_assert_double_lt(ldexp(0x1p20, acc_frac), 0x1p47);
	ck_assert_double_ge(ldexp(0x1p20, acc_frac + 1), 0x1p47);
	/* and the accumulator is widened to hold it */
	struct mch_qnet q;
	struct mch_err err;
	ck_assert_msg(mch_qnet_build(&q, &net, &quant, &err) == 0, "%s", err.text);
	ck_assert_int_eq(quant.layer[L_CONV2].acc.bits, 48);
	ck_assert_int_lt(quant.layer[L_CONV2].certificate.bits, 48);
	for (int i = 0; i < q.n_steps; i++)
		if (q.steps[i].layer_index == L_CONV2)
			ck_assert_int_eq(q.steps[i].bias[1], (int64_t)ldexp(0x1p20, acc_frac));
	ck_assert_uint_eq(q.n_weights_saturated, 0);
	mch_qnet_free(&q);
	mch_quant_free(&quant);
}
END_TEST

/* An accumulator that is asked for is that of every layer, and biases fit it. */
START_TEST(accumulators_as_asked)
{
	net.layers[L_CONV2].bias[1] = 100;
	look_at_weights();
	struct mch_format_policy policy = *policy_of(MCH_FRACTION_MAX);
	policy.acc = (struct mch_acc){12, MCH_SATURATE};
	for (int per_channel = 0; per_channel < 2; per_channel++) {
		struct mch_quant quant;
		struct mch_qnet q;
		struct mch_err err;
		policy.per_channel = per_channel;
		apply_policy(&policy, 8, 8, 8, &quant);
		ck_assert_msg(mch_qnet_build(&q, &net, &quant, &err) == 0, "%s", err.text);
		for (int i = 0; i < q.n_steps; i++)
			if (q.steps[i].form == MCH_FORM_MAC)
				ck_assert(q.steps[i].acc.bits == 12 && q.steps[i].acc.overflow == MCH_SATURATE);
		ck_assert_int_gt(mch_qnet_n_narrow(&q), 0);
		ck_assert_uint_eq(q.n_weights_saturated, 0);
		for (int i = 0; i < q.n_steps; i++)
			if (q.steps[i].layer_index == L_CONV2)
				ck_assert_int_ge(q.steps[i].bias[1], 1024); /* 11 bits of 12 and the sign */
		mch_qnet_free(&q);
		mch_quant_free(&quant);
	}
}
END_TEST

/* Every width of every part, both rules: the integer net accepts it. */
START_TEST(always_builds)
{
	for (int rule = MCH_FRACTION_MAX; rule <= MCH_FRACTION_MSE; rule++) {
		for (int i = 0; i < 16 * 16; i++) {
			struct mch_quant quant;
			struct mch_qnet q;
			struct mch_err err;
			apply((enum mch_fraction)rule, 1 + i % 16, 1 + (i * 7 + 3) % 16, 1 + i / 16, &quant);
			ck_assert_msg(mch_qnet_build(&q, &net, &quant, &err) == 0, "%s", err.text);
			mch_qnet_free(&q);
			mch_quant_free(&quant);
		}
	}
}
END_TEST

/* Widths of their own for every layer and every group: obeyed, built, and summed up as the widest of each part. */
START_TEST(mixed_widths)
{
	struct mch_formats f;
	struct mch_widths widths;
	ck_assert_int_eq(mch_formats_init(&f, &net, &ranges, policy_of(MCH_FRACTION_MSE), NULL), 0);
	ck_assert_int_eq(mch_widths_init(&widths, &net, NULL), 0);
	struct mch_rng rng = mch_rng_seed(4);
	for (int round = 0; round < 200; round++) {
		struct mch_quant quant;
		struct mch_qnet q;
		struct mch_err err;
		int widest = 0;
		for (int i = 0; i < N_LAYERS; i++)
			widths.weights[i] = mch_formats_part(&net.layers[i]) < 0 ? 0 : (int8_t)(1 + mch_rng_below(&rng, 16));
		for (int e = 0; e < N_EDGES; e++)
			widths.edge[e] = f.group[e] == e ? (int8_t)(1 + mch_rng_below(&rng, 16)) : widths.edge[f.group[e]];
		ck_assert_int_eq(mch_quant_init(&quant, &net, NULL), 0);
		ck_assert_int_eq(mch_formats_apply(&f, &widths, &quant, NULL), 0);
		for (int i = 0; i < N_LAYERS; i++)
			ck_assert_int_eq(quant.layer[i].weights.bits, widths.weights[i]);
		for (int e = 0; e < N_EDGES; e++) {
			ck_assert_int_eq(quant.edge[e].bits, e == SOFT ? 0 : widths.edge[e]);
			widest = widths.edge[e] > widest ? widths.edge[e] : widest;
		}
		ck_assert_int_eq(quant.width[MCH_PART_ACTIVATIONS], widest);
		ck_assert_int_eq(quant.width[MCH_PART_FC_WEIGHTS], widths.weights[L_DENSE]);
		ck_assert_msg(mch_qnet_build(&q, &net, &quant, &err) == 0, "%s", err.text);
		mch_qnet_free(&q);
		mch_quant_free(&quant);
	}
	mch_widths_free(&widths);
	mch_formats_free(&f);
}
END_TEST

/* Channels of weights far apart in size: each has its own fraction, and errors shrink with it; the file's rule holds. */
START_TEST(per_channel)
{
	struct mch_format_policy policy = *policy_of(MCH_FRACTION_MSE);
	struct mch_formats f;
	struct mch_quant quant;
	struct mch_qnet q;
	struct mch_err err;
	struct mch_layer *l = &net.layers[L_CONV2];
	const size_t terms = l->n_weights / 4;
	for (size_t i = 0; i < l->n_weights; i++)
		l->weights[i] = i / terms == 3 ? 0 : ldexpf(l->weights[i], -4 * (int)(i / terms));
	look_at_weights();
	policy.per_channel = true;
	ck_assert_int_eq(mch_quant_init(&quant, &net, NULL), 0);
	ck_assert_int_eq(mch_formats_init(&f, &net, &ranges, &policy, NULL), 0);
	for (int bits = 2; bits <= 16; bits++) {
		apply_parts(&f, bits, bits, 8, &quant);
		const struct mch_layer_quant *lq = &quant.layer[L_CONV2];
		ck_assert_int_eq(lq->n_channels, 4);
		ck_assert_int_eq(lq->weights.frac, lq->channel_frac[0]);
		ck_assert_int_gt(lq->channel_frac[1], lq->channel_frac[0]);
		ck_assert_int_ge(lq->channel_frac[2], lq->channel_frac[1]);
		ck_assert_msg(mch_qnet_build(&q, &net, &quant, &err) == 0, "%s", err.text);
		for (int s = 0; s < q.n_steps; s++)
			for (int k = 0; q.steps[s].layer_index == L_CONV2 && k < 4; k++) {
				ck_assert_int_eq(q.steps[s].shift[k], quant.edge[POOL1].frac + lq->channel_frac[k] -
									      quant.edge[RELU2].frac);
				const struct mch_format w = {bits, lq->channel_frac[k], true};
				for (size_t t = 0; t < terms; t++) {
					const size_t at = (size_t)k * terms + t;
					ck_assert_int_eq(q.steps[s].weights[at],
							 (int32_t)mch_format_raw(w, (double)l->weights[at],
										 MCH_ROUND_HALF_EVEN, NULL));
				}
			}
		mch_qnet_free(&q);
	}
	struct mch_quant copy;
	ck_assert_int_eq(mch_quant_copy(&copy, &quant, NULL), 0);
	ck_assert_ptr_ne(copy.layer[L_CONV2].channel_frac, quant.layer[L_CONV2].channel_frac);
	ck_assert_mem_eq(copy.layer[L_CONV2].channel_frac, quant.layer[L_CONV2].channel_frac, 4);
	mch_quant_free(&copy);
	mch_formats_free(&f);
	mch_quant_free(&quant);
}
END_TEST

/* Ristretto has no regard to the bias: with weights this small it would not fit beside the sums. Here the accumulator holds it. */
START_TEST(ristretto_bias_range)
{
	struct mch_format_policy policy = *policy_of(MCH_FRACTION_MAX);
	struct mch_quant quant;
	struct mch_formats f;
	struct mch_qnet q;
	for (size_t j = 0; j < net.layers[L_CONV2].n_weights; j++)
		net.layers[L_CONV2].weights[j] *= 0x1p-30f;
	ck_assert_ptr_nonnull(net.layers[L_CONV2].bias);
	net.layers[L_CONV2].bias[1] = 100;
	look_at_weights();
	for (int own = 0; own < 2; own++) {
		policy.per_channel = own;
		ck_assert_int_eq(mch_quant_init(&quant, &net, NULL), 0);
		ck_assert_int_eq(mch_formats_init(&f, &net, &ranges, &policy, NULL), 0);
		apply_parts(&f, 8, 8, 8, &quant);
		ck_assert_int_eq(mch_qnet_build(&q, &net, &quant, NULL), 0);
		ck_assert_int_eq((int)q.n_weights_saturated, 0);
		mch_qnet_free(&q);
		mch_formats_free(&f);
		mch_quant_free(&quant);
	}
}
END_TEST

/* One fraction everywhere, and signs everywhere. */
START_TEST(static_fixed_point)
{
	struct mch_format_policy policy = *policy_of(MCH_FRACTION_MSE);
	struct mch_quant quant;
	struct mch_formats f;
	struct mch_qnet q;
	policy.is_static = true;
	for (int rule = 0; rule < MCH_N_FRACTIONS; rule++) {
		policy.activations.rule = policy.weights.rule = (enum mch_fraction)rule;
		ck_assert_int_eq(mch_quant_init(&quant, &net, NULL), 0);
		ck_assert_int_eq(mch_formats_init(&f, &net, &ranges, &policy, NULL), 0);
		for (int bits = 4; bits <= 16; bits += 4) {
			apply_parts(&f, bits, bits, bits, &quant);
			const int frac = quant.edge[IN].frac;
			for (int e = 0; e < N_EDGES; e++)
				ck_assert(e == SOFT || (quant.edge[e].frac == frac && quant.edge[e].is_signed));
			for (int i = 0; i < N_LAYERS; i++)
				ck_assert(quant.layer[i].weights.bits == 0 || quant.layer[i].weights.frac == frac);
			ck_assert_int_eq(mch_qnet_build(&q, &net, &quant, NULL), 0);
			mch_qnet_free(&q);
		}
		mch_formats_free(&f);
		mch_quant_free(&quant);
	}
}
END_TEST

START_TEST(signed_alone)
{
	struct mch_format_policy policy = *policy_of(MCH_FRACTION_MSE);
	struct mch_quant quant;
	struct mch_formats f;
	policy.has_unsigned = false;
	ck_assert_int_eq(mch_quant_init(&quant, &net, NULL), 0);
	ck_assert_int_eq(mch_formats_init(&f, &net, &ranges, &policy, NULL), 0);
	apply_parts(&f, 8, 8, 8, &quant);
	for (int e = 0; e < N_EDGES; e++)
		ck_assert(e == SOFT || quant.edge[e].is_signed);
	mch_formats_free(&f);
	mch_quant_free(&quant);
}
END_TEST

/* A second look at the same widths, after others, gives the same formats. */
START_TEST(remembers)
{
	struct mch_formats f;
	struct mch_quant a, b;
	ck_assert_int_eq(mch_quant_init(&a, &net, NULL) | mch_quant_init(&b, &net, NULL), 0);
	ck_assert_int_eq(mch_formats_init(&f, &net, &ranges, policy_of(MCH_FRACTION_MSE), NULL), 0);
	apply_parts(&f, 5, 6, 7, &a);
	apply_parts(&f, 1, 16, 2, &b);
	apply_parts(&f, 5, 6, 7, &b);
	ck_assert_mem_eq(a.edge, b.edge, sizeof(*a.edge) * N_EDGES);
	ck_assert_mem_eq(a.layer, b.layer, sizeof(*a.layer) * N_LAYERS);
	mch_formats_free(&f);
	mch_quant_free(&a);
	mch_quant_free(&b);
}
END_TEST

static Suite *suite(void)
{
	Suite *all = suite_create("formats");
	TCase *tests = tcase_create("formats");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, groups);
	tcase_add_test(tests, fraction_within_accumulator);
	tcase_add_test(tests, accumulators_as_asked);
	tcase_add_test(tests, bias_fits);
	tcase_add_test(tests, always_builds);
	tcase_add_test(tests, mixed_widths);
	tcase_add_test(tests, remembers);
	tcase_add_test(tests, per_channel);
	tcase_add_test(tests, ristretto_bias_range);
	tcase_add_test(tests, static_fixed_point);
	tcase_add_test(tests, signed_alone);
	suite_add_tcase(all, tests);
	return all;
}

int main(void)
{
	return check_main(suite);
}
