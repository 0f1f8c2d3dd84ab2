/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* requant against exact division: single values at their corners, then whole tensors with their noise and counters.
 */
#include "op/requant.h"

#include "check_main.h"
#include "corners.h"
#include "oracle/slow_fxp.h"

static struct mch_rng rng;

/* Within 48 bits, and such that sum +- 2 often meets a tie or the output's ends. */
static int64_t accumulator(int shift, int out_bits)
{
	const int64_t lo = -(INT64_C(1) << 47), hi = (INT64_C(1) << 47) - 1;
	const int end_bits = out_bits + shift;
	if (mch_rng_below(&rng, 3) || end_bits < 1 || end_bits > 46)
		return corner_value(&rng, lo, hi, shift);
	const int64_t end = INT64_C(1) << (end_bits - (int)mch_rng_below(&rng, 2));
	const int64_t half = shift > 0 ? INT64_C(1) << (shift - 1) : 0;
	return (mch_rng_next(&rng) & 1 ? end : -end) - half + corner_uniform(&rng, -2, 2);
}

START_TEST(values)
{
	rng = mch_rng_seed(12);
	int n_sat = 0, n_relu = 0, n_clipped = 0, n_wrapped = 0;
	for (int i = 0; i < 400000; i++) {
		struct mch_requant cfg = {.out_bits = 1 + (int)mch_rng_below(&rng, 16),
					  .out_signed = mch_rng_next(&rng) & 1,
					  .relu = mch_rng_next(&rng) & 1,
					  .round = (enum mch_round)mch_rng_below(&rng, MCH_N_ROUNDS)};
		const int shift = (int)corner_uniform(&rng, MCH_SHIFT_MIN, MCH_SHIFT_MAX);
		const int64_t acc = accumulator(shift, cfg.out_bits);
		const int64_t bias = mch_rng_next(&rng) & 1 ? 0 : accumulator(shift, cfg.out_bits);
		const uint32_t noise = (uint32_t)mch_rng_below(&rng, 65536);
		bool saturated, expected;
		int64_t want = (int64_t)slow_requant(cfg.out_bits, cfg.out_signed, cfg.relu, (int)cfg.round,
						     acc, bias, shift, noise, &expected);
		if (mch_rng_below(&rng, 4) == 0) { /* a clip to two codes: nothing saturates behind it */
			const int64_t lo = (int64_t)slow_lowest(cfg.out_bits, cfg.out_signed);
			const int64_t hi = (int64_t)slow_highest(cfg.out_bits, cfg.out_signed);
			const int64_t a = corner_uniform(&rng, lo, hi), b = corner_uniform(&rng, a, hi);
			cfg.is_clipped = true;
			cfg.clip_low = (int32_t)a, cfg.clip_high = (int32_t)b;
			n_clipped += want < a || want > b;
			want = corner_clamp(want, a, b);
			expected = false;
		}
		if (mch_rng_below(&rng, 4) == 0) { /* the low bits, of what a clip has left, too */
			slow_int exact = acc + (slow_int)bias;
			exact = slow_round_shift(cfg.relu && exact < 0 ? 0 : exact, shift, (int)cfg.round, noise);
			if (cfg.is_clipped)
				exact = want;
			cfg.wraps = true;
			want = (int64_t)slow_wrap(exact, cfg.out_bits);
			if (!cfg.out_signed && want < 0)
				want += INT64_C(1) << cfg.out_bits;
			n_wrapped += expected && want != slow_lowest(cfg.out_bits, cfg.out_signed) &&
				     want != slow_highest(cfg.out_bits, cfg.out_signed);
		}
		const int64_t got = mch_requant_value(&cfg, acc, bias, shift, noise, &saturated);
		ck_assert_msg(
			got == want && saturated == expected,
			"acc=%lld bias=%lld shift=%d round=%d relu=%d %c%d noise=%04x: want %lld %d, got %lld %d",
			(long long)acc, (long long)bias, shift, cfg.round, cfg.relu, cfg.out_signed ? 's' : 'u',
			cfg.out_bits, noise, (long long)want, expected, (long long)got, saturated);
		n_sat += saturated;
		n_relu += cfg.relu && acc + bias < 0;
	}
	ck_assert_int_gt(n_sat, 1000);
	ck_assert_int_gt(n_relu, 1000);
	ck_assert_int_gt(n_clipped, 1000);
	ck_assert_int_gt(n_wrapped, 1000);
}
END_TEST

enum { N = 2, K = 3, PIXELS = 40, N_VALUES = N * K * PIXELS };

/* What the events count, restated with exact integers. */
static void expect(struct mch_events *events, const struct mch_requant *cfg, int64_t acc, int k, uint32_t noise,
		   int32_t got)
{
	bool saturated;
	slow_int sum = (slow_int)acc + cfg->bias[k];
	const int32_t want = (int32_t)slow_requant(cfg->out_bits, cfg->out_signed, cfg->relu, (int)cfg->round, acc,
						   cfg->bias[k], cfg->shift[k], noise, &saturated);
	ck_assert_int_eq(got, want);
	if (cfg->relu && sum < 0)
		sum = 0;
	const slow_int floor = slow_round_shift(sum, cfg->shift[k], 0, 0);
	events->n_out++;
	events->n_inexact += cfg->shift[k] > 0 && slow_round_shift(floor, -cfg->shift[k], 0, 0) != sum;
	events->n_sat_high += saturated && want > 0;
	events->n_sat_low += saturated && want <= 0;
}

START_TEST(tensors_with_noise_and_counters)
{
	static const int8_t shifts[] = {8, 0, 20};
	static const int64_t biases[] = {100, -7, INT64_C(1) << 40};
	int64_t acc[N_VALUES];
	int32_t y[N_VALUES];
	rng = mch_rng_seed(13);
	for (int round = 0; round < MCH_N_ROUNDS; round++)
		for (int variant = 0; variant < 40; variant++) {
			const struct mch_requant cfg = {.out_bits = 4 + variant % 13,
							.out_signed = variant % 2 == 0,
							.relu = variant % 3 == 0,
							.round = (enum mch_round)round,
							.seed = (uint32_t)mch_rng_next(&rng),
							.bias = biases,
							.shift = shifts};
			struct mch_events events = {0}, expected = {0};
			for (int i = 0; i < N_VALUES; i++)
				acc[i] = accumulator(shifts[i / PIXELS % K], cfg.out_bits);
			mch_requant(&cfg, N, K, PIXELS, acc, y, &events);
			for (int i = 0; i < N_VALUES; i++) {
				const int k = i / PIXELS % K;
				uint32_t noise = slow_lfsr_seed(cfg.seed, k);
				for (int step = 0; step < i % PIXELS; step++)
					noise = slow_lfsr_next(noise);
				expect(&expected, &cfg, acc[i], k, noise, y[i]);
			}
			ck_assert_uint_eq(events.n_out, expected.n_out);
			ck_assert_uint_eq(events.n_inexact, expected.n_inexact);
			ck_assert_uint_eq(events.n_sat_low, expected.n_sat_low);
			ck_assert_uint_eq(events.n_sat_high, expected.n_sat_high);
			ck_assert_uint_eq(events.n_acc_over, 0);
			mch_requant(&cfg, N, K, PIXELS, acc, y, NULL);
		}
}
END_TEST

/* No mode lifts a negative sum above 0, so a ReLU behind the shift gives the same. */
START_TEST(relu_commutes_with_rounding)
{
	bool saturated;
	for (int round = 0; round < MCH_N_ROUNDS; round++)
		for (int64_t acc = -300; acc <= 300; acc++)
			for (int shift = -3; shift <= 9; shift++) {
				const struct mch_requant with = {.out_bits = 16,
								 .out_signed = true,
								 .relu = true,
								 .round = (enum mch_round)round};
				struct mch_requant without = with;
				without.relu = false;
				const int32_t before = mch_requant_value(&with, acc, 0, shift, 0xffff, &saturated);
				const int32_t plain = mch_requant_value(&without, acc, 0, shift, 0xffff, &saturated);
				ck_assert_int_eq(before, plain > 0 ? plain : 0);
			}
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {values, tensors_with_noise_and_counters, relu_commutes_with_rounding};
	return CHECK_SUITE("requant", tests);
}

int main(void)
{
	return check_main(suite);
}
