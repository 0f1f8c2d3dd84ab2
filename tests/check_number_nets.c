/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Minifloats and powers of two in whole networks: a test for each fault that Ristretto has with these kinds, what is refused, the
 * file. Their arithmetic: check_number_steps.c. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check_main.h"
#include "io/quant_json.h"
#include "net/qnet.h"
#include "quant/exponent.h"
#include "quant/formats.h"
#include "random_net.h"
#include "temp.h"

/* Formats by a policy for a net of LeNet's shape, with ranges from -2 to 2. */
struct chosen {
	struct mch_net net;
	struct mch_ranges ranges;
	struct mch_formats formats;
	struct mch_widths widths;
	struct mch_quant quant;
	float sample[64];
};

static void choose(struct chosen *c, const struct mch_format_policy *policy, int bits, double largest)
{
	const int width[MCH_N_PARTS] = {bits, bits, bits};
	struct mch_rng rng = mch_rng_seed(5);
	struct mch_err err = {""};
	lenet_net(&rng, &c->net);
	c->ranges = (struct mch_ranges){.edge = calloc((size_t)c->net.n_edges, sizeof(struct mch_range)),
					.layer = calloc((size_t)c->net.n_layers, sizeof(struct mch_range))};
	for (int i = 0; i < 64; i++)
		c->sample[i] = (float)(largest * (i - 31) / 32);
	for (int e = 0; e < c->net.n_edges; e++) {
		mch_range_add(&c->ranges.edge[e], c->sample, 64);
		mch_range_finish(&c->ranges.edge[e]);
		c->ranges.edge[e].sample = c->sample, c->ranges.edge[e].n_sample = 64;
	}
	for (int i = 0; i < c->net.n_layers; i++) {
		struct mch_layer *layer = &c->net.layers[i];
		if (!layer->weights)
			continue;
		mch_range_add(&c->ranges.layer[i], layer->weights, layer->n_weights);
		mch_range_finish(&c->ranges.layer[i]);
		c->ranges.layer[i].sample = layer->weights, c->ranges.layer[i].n_sample = layer->n_weights;
	}
	ck_assert_int_eq(mch_formats_init(&c->formats, &c->net, &c->ranges, policy, &err), 0);
	ck_assert_int_eq(mch_widths_init(&c->widths, &c->net, &err), 0);
	ck_assert_int_eq(mch_quant_init(&c->quant, &c->net, &err), 0);
	mch_formats_widths(&c->formats, width, &c->widths);
	ck_assert_int_eq(mch_formats_apply(&c->formats, &c->widths, &c->quant, &err), 0);
}

static void release(struct chosen *c)
{
	mch_quant_free(&c->quant);
	mch_widths_free(&c->widths);
	mch_formats_free(&c->formats);
	free(c->ranges.edge);
	free(c->ranges.layer);
	mch_net_free(&c->net);
}

static struct mch_format_policy policy_with(enum mch_number activations, enum mch_number weights, int exp_bits)
{
	struct mch_format_policy policy = mch_format_policy_usual();
	policy.activations.number = activations;
	policy.weights.number = weights;
	policy.activations.exp_bits = policy.weights.exp_bits = exp_bits;
	return policy;
}

/* Ristretto ends the rounding of a blob at its first zero. */
START_TEST(minifloat_goes_on_behind_a_zero)
{
	const struct mch_format_policy policy = policy_with(MCH_MINIFLOAT_FLUSH, MCH_MINIFLOAT_FLUSH, 4);
	struct chosen c;
	struct mch_qnet q;
	struct mch_err err = {""};
	choose(&c, &policy, 8, 2);
	struct mch_layer *layer = &c.net.layers[0];
	layer->weights[0] = layer->weights[7] = 0;
	ck_assert_msg(mch_qnet_build(&q, &c.net, &c.quant, &err) == 0, "%s", err.text);
	const struct mch_step *step = &q.steps[0];
	const struct mch_format f = step->weight_format;
	size_t n_rounded = 0;
	ck_assert(step->is_wide && step->wide_weights[0] == 0 && step->wide_weights[7] == 0);
	for (size_t i = 0; i < layer->n_weights; i++) {
		const double got = ldexp((double)step->wide_weights[i], -f.frac), real = (double)layer->weights[i];
		/* Half of one of 8 steps to the octave, or of the smallest number. */
		ck_assert_double_le(fabs(got - real), fmax(fabs(real) / 16, ldexp(1, 2 - f.frac)));
		n_rounded += got != real;
	}
	ck_assert_uint_gt(n_rounded, layer->n_weights / 2);
	mch_qnet_free(&q);
	release(&c);
}
END_TEST

/* Ristretto has no code for zero among powers of two. */
START_TEST(powers_of_two_have_a_zero)
{
	const struct mch_format_policy policy = policy_with(MCH_FIXED, MCH_POW2, 0);
	struct chosen c;
	struct mch_qnet q;
	struct mch_err err = {""};
	choose(&c, &policy, 4, 2);
	struct mch_layer *layer = &c.net.layers[0];
	layer->weights[0] = 0, layer->weights[1] = 1e-9F, layer->weights[2] = -1e-9F;
	ck_assert_msg(mch_qnet_build(&q, &c.net, &c.quant, &err) == 0, "%s", err.text);
	ck_assert(!q.steps[0].is_wide && q.steps[0].weight_format.number == MCH_POW2);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(q.steps[0].weights[i], 0);
	for (size_t i = 0; i < layer->n_weights; i++) {
		const int32_t w = abs(q.steps[0].weights[i]);
		ck_assert_msg((w & (w - 1)) == 0 && w <= 64, "weight %zu is %d, no power of two", i, w);
	}
	mch_qnet_free(&q);
	release(&c);
}
END_TEST

/* In Ristretto a mantissa that is rounded up in the last exponent makes a number that no code stands for. */
START_TEST(nothing_is_above_the_largest_code)
{
	for (int number = MCH_MINIFLOAT; number <= MCH_MINIFLOAT_FLUSH; number++) {
		const struct mch_format f = {8, 7, true, (enum mch_number)number, 4};
		const int64_t max = mch_format_max(f);
		const double largest = mch_format_real(f, max), step = largest - mch_format_real(f, max - 1);
		const double values[] = {largest + step / 4, largest + step / 2, largest + step, 2 * largest, 1e30, INFINITY};
		for (int i = 0; i < 6; i++) {
			bool saturated;
			ck_assert_int_eq(mch_format_raw(f, values[i], MCH_ROUND_HALF_AWAY, &saturated), max);
			ck_assert_int_eq(saturated, i > 0);
			ck_assert_int_eq(mch_format_raw(f, -values[i], MCH_ROUND_HALF_AWAY, &saturated), -max);
			ck_assert_int_eq(saturated, i > 0);
		}
	}
}
END_TEST

/* Ristretto takes the logarithm of log2(range) - 1. */
START_TEST(small_ranges_have_an_exponent)
{
	const double ranges[] = {0, 1e-30, 0.1, 1, 1.5, 2, 2.5, 4, 255, 256};
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(mch_exponent_of_range(ranges[i]), 4);
	ck_assert_int_eq(mch_exponent_of_range(511), 4);
	ck_assert_int_eq(mch_exponent_of_range(512), 5);
	ck_assert_int_eq(mch_exponent_of_range(1e30), 5);
	ck_assert_int_eq(mch_exponent_of_range(NAN), 4);
	const struct mch_format_policy policy = policy_with(MCH_MINIFLOAT_FLUSH, MCH_MINIFLOAT_FLUSH, MCH_EXP_BITS_RANGE);
	for (double largest = 0.25; largest <= 2; largest *= 2) {
		struct chosen c;
		choose(&c, &policy, 8, largest);
		for (int e = 0; e < c.net.n_edges; e++) {
			const double top = mch_format_real(c.quant.edge[e], mch_format_max(c.quant.edge[e]));
			ck_assert_int_eq(c.quant.edge[e].exp_bits, 4);
			ck_assert_msg(top >= largest / 2 && top <= 4 * largest, "range %g has the largest number %g", largest, top);
		}
		release(&c);
	}
}
END_TEST

/* Ristretto leaves activations in float when weights are powers of two. */
START_TEST(activations_have_formats_beside_powers_of_two)
{
	for (int number = MCH_POW2; number <= MCH_POW2_NO_ZERO; number++) {
		const struct mch_format_policy policy = policy_with(MCH_FIXED, (enum mch_number)number, 0);
		struct chosen c;
		choose(&c, &policy, 4, 2);
		for (int e = 0; e < c.net.n_edges; e++)
			ck_assert(c.quant.edge[e].bits == 4 && c.quant.edge[e].number == MCH_FIXED);
		for (int i = 0; i < c.net.n_layers; i++)
			ck_assert(!c.net.layers[i].weights || c.quant.layer[i].weights.number == (enum mch_number)number);
		release(&c);
	}
}
END_TEST

START_TEST(powers_of_two_are_for_weights)
{
	const struct mch_format_policy policy = policy_with(MCH_FIXED, MCH_FIXED, 0);
	struct chosen c;
	struct mch_qnet q;
	struct mch_err err = {""};
	choose(&c, &policy, 8, 2);
	const int out = c.net.layers[0].out[0];
	c.quant.edge[out] = c.quant.edge[c.net.layers[1].out[0]] = (struct mch_format){4, 3, true, MCH_POW2, 0};
	ck_assert_int_eq(mch_qnet_build(&q, &c.net, &c.quant, &err), -1);
	ck_assert_msg(strstr(err.text, "y p4.3: powers of two are for weights; give tensors fixed point or minifloats") != NULL, "%s",
		      err.text);
	release(&c);
}
END_TEST

/* Exponents that reach far: sums of more than 63 bits, whose bounds are text in the file. */
START_TEST(formats_and_wide_certificates_are_read_back)
{
	const struct mch_format_policy policy = policy_with(MCH_MINIFLOAT_IEEE, MCH_MINIFLOAT_IEEE, 5);
	struct temp temp;
	struct chosen c;
	struct mch_qnet q;
	struct mch_quant back;
	struct mch_err err = {""};
	temp_open(&temp);
	choose(&c, &policy, 8, 2);
	ck_assert_msg(mch_qnet_build(&q, &c.net, &c.quant, &err) == 0, "%s", err.text);
	const char *path = temp_path(&temp, "q.json");
	ck_assert_msg(mch_quant_json_write(path, &c.net, &c.quant, NULL, &err) == 0, "%s", err.text);
	ck_assert_msg(mch_quant_json_read(path, &c.net, &back, NULL, &err) == 0, "%s", err.text);
	for (int e = 0; e < c.net.n_edges; e++)
		ck_assert_mem_eq(&back.edge[e], &c.quant.edge[e], sizeof(back.edge[e]));
	int n_wide = 0;
	for (int i = 0; i < c.net.n_layers; i++) {
		const struct mch_layer_quant *a = &back.layer[i], *b = &c.quant.layer[i];
		ck_assert(a->acc.bits == b->acc.bits && a->certificate.low == b->certificate.low &&
			  a->certificate.high == b->certificate.high && a->certificate.bits == b->certificate.bits);
		ck_assert(a->weights.number == b->weights.number && a->weights.exp_bits == b->weights.exp_bits);
		n_wide += a->certificate.bits > 64;
	}
	ck_assert_int_eq(n_wide, 4);
	mch_quant_free(&back);
	mch_qnet_free(&q);
	release(&c);
	temp_close(&temp);
}
END_TEST

static Suite *number_nets_suite(void)
{
	const TTest *const tests[] = {minifloat_goes_on_behind_a_zero, powers_of_two_have_a_zero,
				      nothing_is_above_the_largest_code, small_ranges_have_an_exponent,
				      activations_have_formats_beside_powers_of_two, powers_of_two_are_for_weights,
				      formats_and_wide_certificates_are_read_back};
	return CHECK_SUITE("number_nets", tests);
}

int main(void)
{
	return check_main(number_nets_suite);
}
