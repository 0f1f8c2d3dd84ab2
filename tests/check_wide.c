/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Sums wider than 63 bits by themselves: widths, ends, text; and of the operators on them what no network shows. */
#include "op/wide.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "check_main.h"

/* By adding and taking off whole ranges. */
START_TEST(sums_wrap_and_saturate)
{
	for (int bits = 2; bits <= 6; bits++)
		for (int acc = -(1 << (bits - 1)); acc < 1 << (bits - 1); acc++)
			for (int addend = -100; addend <= 100; addend++) {
				const int low = -(1 << (bits - 1)), high = -low - 1, sum = acc + addend;
				const int nearest = sum < low ? low : sum > high ? high : sum;
				int wrapped = sum;
				bool over;
				while (wrapped > high)
					wrapped -= 1 << bits;
				while (wrapped < low)
					wrapped += 1 << bits;
				ck_assert_int_eq((int)mch_wide_add((struct mch_acc){bits, MCH_WRAP}, acc, addend, &over), wrapped);
				ck_assert_int_eq(over, sum != wrapped);
				ck_assert_int_eq((int)mch_wide_add((struct mch_acc){bits, MCH_SATURATE}, acc, addend, &over), nearest);
				ck_assert_int_eq(over, sum != nearest);
			}
}
END_TEST

START_TEST(widths_hold_both_ends)
{
	ck_assert_int_eq(mch_wide_bits(0, 0), 2);
	for (int bits = 2; bits < 120; bits++) {
		const mch_int128 half = (mch_int128)1 << (bits - 1);
		ck_assert_int_eq(mch_wide_bits(-half, 0), bits);
		ck_assert_int_eq(mch_wide_bits(0, half - 1), bits);
		ck_assert_int_eq(mch_wide_bits(-half, half - 1), bits);
		ck_assert_int_eq(mch_wide_bits(-half - 1, 0), bits + 1);
		ck_assert_int_eq(mch_wide_bits(0, half), bits + 1);
	}
}
END_TEST

START_TEST(reals)
{
	bool saturated;
	ck_assert_int_eq((int)mch_wide_raw(1.5, 0, 8, &saturated), 2);
	ck_assert_int_eq((int)mch_wide_raw(2.5, 0, 8, &saturated), 2);
	ck_assert_int_eq((int)mch_wide_raw(-0.75, 2, 8, &saturated), -3);
	ck_assert_int_eq((int)mch_wide_raw(0, 2, 8, &saturated), 0);
	ck_assert_int_eq((int)mch_wide_raw(127, 0, 8, &saturated), 127);
	ck_assert_int_eq((int)mch_wide_raw(-128, 0, 8, &saturated), -128);
	ck_assert(!saturated);
	ck_assert_int_eq((int)mch_wide_raw(128, 0, 8, &saturated), 127);
	ck_assert(saturated);
	ck_assert_int_eq((int)mch_wide_raw(-129, 0, 8, &saturated), -128);
	ck_assert(saturated);
	ck_assert_int_eq((int)mch_wide_raw(NAN, 0, 8, &saturated), 0);
	ck_assert(!saturated);
	ck_assert_int_eq((int)mch_wide_raw(-INFINITY, 0, 8, &saturated), -128);
	ck_assert(saturated && mch_wide_raw(1, 100, 108, &saturated) == (mch_int128)1 << 100 && !saturated);
	ck_assert(mch_wide_real((mch_int128)1 << 100) == 0x1p100);
}
END_TEST

static void back_and_forth(const char *text, mch_int128 v)
{
	char buf[MCH_WIDE_TEXT];
	mch_int128 back = 1;
	memset(buf, 'x', sizeof(buf));
	ck_assert_str_eq(mch_wide_text(v, buf), text);
	ck_assert_int_eq(mch_wide_parse(text, &back), 0);
	ck_assert(back == v);
}

START_TEST(text)
{
	static const char *const wrong[] = {"", "-", "-0", "00", "01", "-07", "1x", "x", " 1", "+1", "1 ", "--1",
					    "1000000000000000000000000000000000000"};
	mch_int128 v = 7;
	back_and_forth("0", 0);
	back_and_forth("7", 7);
	back_and_forth("10", 10);
	back_and_forth("-9080706050", -INT64_C(9080706050));
	back_and_forth("1267650600228229401496703205376", (mch_int128)1 << 100);
	back_and_forth("-324518553658426726783156020576256", -((mch_int128)1 << 108));
	back_and_forth("999999999999999999999999999999999999",
		       (mch_int128)INT64_C(1000000000000000000) * INT64_C(1000000000000000000) - 1);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_msg(mch_wide_parse(wrong[i], &v) == -1 && v == 7, "\"%s\" was taken", wrong[i]);
}
END_TEST

START_TEST(events_are_counted)
{
	const struct mch_requant e4m3 = {.out_bits = 8, .out_signed = true, .number = MCH_MINIFLOAT_FN, .exp_bits = 4,
					 .round = MCH_ROUND_HALF_EVEN};
	struct mch_events events = {0};
	ck_assert_int_eq(mch_wide_code(&e4m3, 1 << 20, 0, 0, &events), 0x7e);
	ck_assert_int_eq(mch_wide_code(&e4m3, -(1 << 20), 0, 0, &events), -0x7e);
	ck_assert_int_eq(mch_wide_code(&e4m3, -(1 << 20), 0, 0, &events), -0x7e);
	ck_assert_int_eq(mch_wide_code(&e4m3, 8, 0, 0, &events), 8);
	ck_assert_int_eq(mch_wide_code(&e4m3, 17, 0, 0, &events), 16);
	ck_assert_int_eq(mch_wide_code(&e4m3, 2, 1, 0, &events), 1);
	ck_assert_int_eq(mch_wide_code(&e4m3, 1, -3, 0, &events), 8);
	ck_assert_uint_eq(events.n_out, 7);
	ck_assert_uint_eq(events.n_sat_high, 1);
	ck_assert_uint_eq(events.n_sat_low, 2);
	ck_assert_uint_eq(events.n_inexact, 1);
}
END_TEST

/* Windows with holes in one direction alone. */
START_TEST(means_of_windows_with_holes)
{
	const struct mch_format x_format = {5, 0, true, MCH_POW2, 0}, y_format = {16, 0, true, MCH_MINIFLOAT, 5};
	const struct mch_wide_avg cfg = {.x = x_format, .y = y_format, .round = MCH_ROUND_FLOOR, .shift = -16};
	struct mch_rng rng = mch_rng_seed(4);
	int32_t x[25], y[25];
	for (int i = 0; i < 25; i++)
		x[i] = (int32_t)mch_rng_below(&rng, 15);
	for (int turned = 0; turned < 2; turned++) {
		struct mch_pool g = {.n = 1, .c = 1, .h = 5, .w = 5, .r = 2, .s = 2, .stride_h = 1, .stride_w = 1,
				     .dilation_h = turned ? 1 : 3, .dilation_w = turned ? 3 : 1};
		const int n_p = turned ? 4 : 2, n_q = turned ? 2 : 4;
		mch_wide_pool_avg(&g, &cfg, x, y, NULL);
		for (int p = 0; p < n_p; p++)
			for (int q = 0; q < n_q; q++) {
				mch_int128 sum = 0;
				bool saturated;
				for (int r = 0; r < 2; r++)
					for (int s = 0; s < 2; s++)
						sum += mch_format_integer(x_format, x[(p + r * g.dilation_h) * 5 + q + s * g.dilation_w]);
				const int64_t want = mch_format_encode(y_format, sum * 16384, 0, MCH_ROUND_FLOOR, 0, &saturated);
				ck_assert_int_eq(y[p * n_q + q], want);
			}
	}
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {sums_wrap_and_saturate, widths_hold_both_ends, reals, text, events_are_counted,
				      means_of_windows_with_holes};
	return CHECK_SUITE("wide", tests);
}

int main(void)
{
	return check_main(suite);
}
