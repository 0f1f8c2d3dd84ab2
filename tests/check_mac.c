/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* mac, wrapping and saturating, against a sum of 128 bits: exhaustive over small widths, at the corners of large
 * ones. */
#include "fxp/mac.h"

#include "check_main.h"
#include "corners.h"
#include "oracle/slow_fxp.h"

static bool compare(int bits, int64_t acc, int32_t x, int32_t w)
{
	bool over = false, expected = false;
	for (int saturating = 0; saturating < 2; saturating++) {
		const struct mch_acc cfg = {bits, saturating ? MCH_SATURATE : MCH_WRAP};
		const int64_t want = (int64_t)slow_mac(bits, saturating, acc, x, w, &expected);
		const int64_t got = mch_mac(cfg, acc, x, w, &over);
		ck_assert_msg(got == want && over == expected,
			      "%d bits, saturating %d: %lld + %d * %d: want %lld %d, got %lld %d", bits, saturating,
			      (long long)acc, x, w, (long long)want, expected, (long long)got, over);
	}
	return over;
}

START_TEST(numbers_of_the_modes)
{
	ck_assert_int_eq(MCH_WRAP, 0);
	ck_assert_int_eq(MCH_SATURATE, 1);
}
END_TEST

START_TEST(exhaustive)
{
	for (int bits = 2; bits <= 7; bits++)
		for (int64_t acc = -(1 << (bits - 1)); acc < 1 << (bits - 1); acc++)
			for (int32_t x = -8; x <= 15; x++)
				for (int32_t w = -8; w <= 7; w++)
					compare(bits, acc, x, w);
}
END_TEST

START_TEST(corners)
{
	struct mch_rng rng = mch_rng_seed(4);
	int n_over = 0;
	for (int i = 0; i < 200000; i++) {
		const int bits = mch_rng_next(&rng) & 1 ? 48 : 2 + (int)mch_rng_below(&rng, 47);
		const int64_t acc =
			corner_value(&rng, -(INT64_C(1) << (bits - 1)), (INT64_C(1) << (bits - 1)) - 1, bits);
		const int32_t x = (int32_t)corner_value(&rng, -32768, 65535, 8);
		const int32_t w = (int32_t)corner_value(&rng, -32768, 32767, 8);
		n_over += compare(bits, acc, x, w);
	}
	ck_assert_int_gt(n_over, 10000);
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {numbers_of_the_modes, exhaustive, corners};
	return CHECK_SUITE("mac", tests);
}

int main(void)
{
	return check_main(suite);
}
