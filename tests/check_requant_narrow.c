/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The requantizer in 32 bits beside the one of the contract: every rule and shift, every sum of few bits, and
 * corners of many. */
#include "fast/requant_narrow.h"

#include "check_main.h"
#include "corners.h"

static void compare(const struct mch_requant *cfg, int64_t sum, int shift)
{
	const struct mch_format f = {.bits = cfg->out_bits, .is_signed = cfg->out_signed};
	const int32_t low = cfg->relu ? 0 : (int32_t)mch_format_min(f), high = (int32_t)mch_format_max(f);
	bool saturated;
	const int32_t want = mch_requant_value(cfg, sum, 0, shift, 0, &saturated);
	const int32_t got = mch_narrow_value(cfg->round, (int32_t)sum, shift, low, high);
	ck_assert_msg(want == got, "round %d, sum %lld, shift %d, %c%d: want %d, got %d", cfg->round, (long long)sum,
		      shift, cfg->out_signed ? 's' : 'u', cfg->out_bits, want, got);
}

START_TEST(few_bits)
{
	for (int round = MCH_ROUND_FLOOR; round <= MCH_ROUND_HALF_EVEN; round++)
		for (int shift = 1; shift <= 12; shift++)
			for (int64_t sum = -3000; sum <= 3000; sum++) {
				const struct mch_requant cfg = {
					.out_bits = 16, .out_signed = true, .round = (enum mch_round)round};
				compare(&cfg, sum, shift);
			}
}
END_TEST

START_TEST(corners)
{
	const int64_t end = (INT64_C(1) << MCH_NARROW_BITS) - 1;
	struct mch_rng rng = mch_rng_seed(41);
	for (int i = 0; i < 1000000; i++) {
		const int shift = 1 + (int)mch_rng_below(&rng, MCH_NARROW_SHIFT_MAX);
		const struct mch_requant cfg = {.out_bits = 1 + (int)mch_rng_below(&rng, 16),
						.out_signed = mch_rng_next(&rng) & 1,
						.relu = mch_rng_next(&rng) & 1,
						.round = (enum mch_round)mch_rng_below(&rng, 4)};
		compare(&cfg, corner_value(&rng, -end, end, shift), shift);
	}
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {few_bits, corners};
	return CHECK_SUITE("requant_narrow", tests);
}

int main(void)
{
	return check_main(suite);
}
