/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Unit tests of quant/range: statistics of one tensor. */
#include "quant/range.h"

#include <math.h>

#include "check_main.h"

START_TEST(statistics)
{
	static const float values[] = {1, -2, 0, 4, 0.75f, -0.0f, 1000, 3e-30f};
	struct mch_range r = {0};
	mch_range_add(&r, values, 3);
	mch_range_add(&r, values + 3, 0);
	mch_range_add(&r, values + 3, 5);
	mch_range_finish(&r);
	ck_assert_uint_eq(r.n, 8);
	ck_assert_uint_eq(r.n_zero, 2);
	ck_assert_double_eq(r.min, -2);
	ck_assert_double_eq(r.max, 1000);
	ck_assert_double_eq_tol(r.mean, 1003.75 / 8, 1e-9);
	ck_assert_double_eq_tol(r.std, sqrt(1000021.5625 / 8 - r.mean * r.mean), 1e-6);
	ck_assert_uint_eq(r.log2[0 - MCH_RANGE_LOG2_MIN], 1);  /* 1 */
	ck_assert_uint_eq(r.log2[1 - MCH_RANGE_LOG2_MIN], 1);  /* -2 */
	ck_assert_uint_eq(r.log2[2 - MCH_RANGE_LOG2_MIN], 1);  /* 4 */
	ck_assert_uint_eq(r.log2[-1 - MCH_RANGE_LOG2_MIN], 1); /* 0.75 */
	ck_assert_uint_eq(r.log2[9 - MCH_RANGE_LOG2_MIN], 1);  /* 1000 */
	ck_assert_uint_eq(r.log2[0], 1);                       /* 3e-30 */
}
END_TEST

/* A mean far from zero: a plain sum of squares would leave no digit of the deviation. */
START_TEST(no_cancellation)
{
	float values[1000];
	struct mch_range r = {0};
	for (int i = 0; i < 1000; i++)
		values[i] = 16777000.0f + (float)(i % 2);
	mch_range_add(&r, values, 1000);
	mch_range_finish(&r);
	ck_assert_double_eq_tol(r.std, 0.5, 1e-12);
	ck_assert_double_eq(r.mean, 16777000.5);
}
END_TEST

START_TEST(histogram)
{
	static const float values[] = {-1, -0.6f, 0, 0.2f, 1, 0.99f};
	struct mch_range r = {0};
	uint64_t counts[4];
	mch_range_histogram(&r, counts, 4);
	ck_assert_uint_eq(counts[0] + counts[1] + counts[2] + counts[3], 0);
	mch_range_add(&r, values, 6);
	mch_range_finish(&r);
	r.sample = values;
	r.n_sample = 6;
	mch_range_histogram(&r, counts, 4);
	ck_assert_uint_eq(counts[0], 2);
	ck_assert_uint_eq(counts[1], 0);
	ck_assert_uint_eq(counts[2], 2);
	ck_assert_uint_eq(counts[3], 2);
	r.min = r.max = 5; /* a constant tensor: no width to divide by */
	mch_range_histogram(&r, counts, 4);
	ck_assert_uint_eq(counts[0], 6);
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {statistics, no_cancellation, histogram};
	return CHECK_SUITE("range", tests);
}

int main(void)
{
	return check_main(suite);
}
