/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* sat and wrap against plain comparison and remainder: exhaustive over small widths, at the corners of large ones. */
#include "fxp/sat.h"

#include "check_main.h"
#include "corners.h"
#include "oracle/slow_fxp.h"

static void compare(int64_t v, int bits)
{
	bool saturated, expected;
	for (int is_signed = 0; is_signed < 2; is_signed++) {
		const int64_t want = (int64_t)slow_sat(v, bits, is_signed, &expected);
		const int64_t got = mch_sat(v, bits, is_signed, &saturated);
		ck_assert_msg(got == want && saturated == expected, "sat(%lld, %c%d): want %lld %d, got %lld %d",
			      (long long)v, is_signed ? 's' : 'u', bits, (long long)want, expected, (long long)got,
			      saturated);
	}
	const int64_t want = (int64_t)slow_wrap(v, bits), got = mch_wrap(v, bits);
	ck_assert_msg(got == want, "wrap(%lld, %d): want %lld, got %lld", (long long)v, bits, (long long)want,
		      (long long)got);
}

START_TEST(exhaustive)
{
	for (int bits = 1; bits <= 10; bits++)
		for (int64_t v = -4100; v <= 4100; v++)
			compare(v, bits);
}
END_TEST

START_TEST(corners)
{
	struct mch_rng rng = mch_rng_seed(3);
	for (int bits = 1; bits <= 49; bits++) {
		const int64_t edges[] = {INT64_MIN,
					 INT64_MAX,
					 0,
					 INT64_C(1) << bits,
					 INT64_C(1) << (bits - 1),
					 -(INT64_C(1) << bits),
					 -(INT64_C(1) << (bits - 1))};
		for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++)
			for (int64_t near = -2; near <= 2; near++)
				if ((i != 0 || near >= 0) && (i != 1 || near <= 0))
					compare(edges[i] + near, bits);
		for (int i = 0; i < 2000; i++)
			compare(corner_value(&rng, -(INT64_C(1) << 61), (INT64_C(1) << 61) - 1, bits), bits);
	}
}
END_TEST

START_TEST(worked_examples)
{
	bool saturated;
	ck_assert_int_eq(mch_sat(128, 8, true, &saturated), 127);
	ck_assert(saturated);
	ck_assert_int_eq(mch_sat(-128, 8, true, &saturated), -128);
	ck_assert(!saturated);
	ck_assert_int_eq(mch_sat(-1, 8, false, &saturated), 0);
	ck_assert(saturated);
	ck_assert_int_eq(mch_sat(1, 1, true, &saturated), 0);
	ck_assert(saturated);
	ck_assert_int_eq(mch_wrap(128, 8), -128);
	ck_assert_int_eq(mch_wrap(-129, 8), 127);
	ck_assert_int_eq(mch_wrap(255, 8), -1);
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {exhaustive, corners, worked_examples};
	return CHECK_SUITE("sat", tests);
}

int main(void)
{
	return check_main(suite);
}
