/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The vector requantizer, in 32 bits and in 64, beside the one of the contract: every rule and shift, every sum of
 * few bits, and corners of many. */
#include "fast/requant_lane.h"

#include "check_main.h"
#include "corners.h"

/* In 32 bits when acc fits `largest` and the shift allows, else in 64. */
static void compare(struct mch_requant cfg, int64_t acc, int64_t bias, int shift, int64_t largest)
{
	const struct mch_codes codes =
		mch_codes_of((struct mch_format){.bits = cfg.out_bits, .is_signed = cfg.out_signed});
	const int8_t shifts[] = {0, (int8_t)shift};
	const int64_t biases[] = {0, bias};
	struct mch_requant_lanes l;
	struct mch_err err = {""};
	bool saturated;
	cfg.shift = shifts;
	ck_assert_int_eq(mch_requant_lanes_init(&l, &cfg, 2, biases, codes, largest, &err), 0);
	ck_assert(l.narrow || l.wide);
	ck_assert(!l.narrow == (largest == INT64_MAX || shift > MCH_NARROW_SHIFT_MAX));
	const int32_t want = codes.zero + mch_requant_value(&cfg, acc, bias, shift, 0, &saturated);
	const int64_t got = l.narrow ? mch_lane_narrow(&l, l.is_away, 1, (int32_t)acc)
				     : mch_lane_wide(&l, l.is_away, 1, acc);
	ck_assert_msg(want == got, "round %d, %lld + %lld, shift %d, %c%d: want %d, got %lld", cfg.round,
		      (long long)acc, (long long)bias, shift, cfg.out_signed ? 's' : 'u', cfg.out_bits, want,
		      (long long)got);
	mch_requant_lanes_free(&l);
}

START_TEST(few_bits)
{
	for (int round = MCH_ROUND_FLOOR; round <= MCH_ROUND_HALF_EVEN; round++)
		for (int shift = 0; shift <= 12; shift++)
			for (int64_t sum = -3000; sum <= 3000; sum++) {
				const struct mch_requant cfg = {
					.out_bits = 16, .out_signed = true, .round = (enum mch_round)round};
				compare(cfg, sum, 0, shift, 3000);
				compare(cfg, sum - 7, 7, shift, INT64_MAX);
			}
}
END_TEST

static struct mch_requant random_requant(struct mch_rng *rng)
{
	struct mch_requant cfg = {.out_bits = 1 + (int)mch_rng_below(rng, 16),
				  .out_signed = mch_rng_next(rng) & 1,
				  .relu = mch_rng_next(rng) & 1,
				  .round = (enum mch_round)mch_rng_below(rng, 4),
				  .is_clipped = mch_rng_below(rng, 4) == 0};
	cfg.clip_high = (int32_t)mch_rng_below(rng, 40000);
	cfg.clip_low = cfg.relu ? 0 : -(int32_t)mch_rng_below(rng, 40000);
	return cfg;
}

START_TEST(corners_of_32_bits)
{
	const int64_t end = (INT64_C(1) << MCH_NARROW_BITS) - 1;
	struct mch_rng rng = mch_rng_seed(41);
	for (int i = 0; i < 200000; i++) {
		const int shift = (int)mch_rng_below(&rng, MCH_NARROW_SHIFT_MAX + 1);
		const int64_t sum = corner_value(&rng, -end, end, shift);
		const int64_t bias = sum / (1 + mch_rng_below(&rng, 5)), rest = sum - bias;
		compare(random_requant(&rng), rest, bias, shift, rest < 0 ? -rest : rest);
	}
}
END_TEST

START_TEST(corners_of_64_bits)
{
	const int64_t end = (INT64_C(1) << 48) - 1;
	struct mch_rng rng = mch_rng_seed(42);
	for (int i = 0; i < 200000; i++) {
		const int shift = (int)mch_rng_below(&rng, MCH_SHIFT_MAX + 1);
		const int64_t sum = corner_value(&rng, -end, end, shift);
		const int64_t bias = sum / (1 + mch_rng_below(&rng, 5));
		compare(random_requant(&rng), sum - bias, bias, shift, INT64_MAX);
	}
}
END_TEST

/* What has no vector form says so. */
START_TEST(refused)
{
	const int8_t shifts[] = {3, -1};
	const int64_t biases[] = {0, 0};
	struct mch_requant cfg = {.out_bits = 8, .round = MCH_ROUND_HALF_EVEN, .shift = shifts};
	struct mch_requant_lanes l;
	ck_assert_int_eq(mch_requant_lanes_init(&l, &cfg, 2, biases, (struct mch_codes){1, 0}, 5, NULL), 0);
	ck_assert(!l.narrow && !l.wide);
	cfg.round = MCH_ROUND_STOCHASTIC;
	ck_assert_int_eq(mch_requant_lanes_init(&l, &cfg, 1, biases, (struct mch_codes){1, 0}, 5, NULL), 0);
	ck_assert(!l.narrow && !l.wide);
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {few_bits, corners_of_32_bits, corners_of_64_bits, refused};
	return CHECK_SUITE("requant_lane", tests);
}

int main(void)
{
	return check_main(suite);
}
