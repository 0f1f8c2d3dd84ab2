/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* round_shift against exact division: every value of 9 bits at every shift, mode and telling noise; wide values at
 * their corners; and that the stochastic mode is unbiased, counted over all its noises. */
#include "fxp/round_shift.h"

#include "check_main.h"
#include "corners.h"
#include "oracle/slow_fxp.h"

static const uint32_t noises[] = {0, 1, 0x5555, 0x7fff, 0x8000, 0xaaaa, 0xfffe, 0xffff};

enum { N_NOISES = sizeof(noises) / sizeof(noises[0]) };

static void compare(int64_t v, int shift, int mode, uint32_t noise)
{
	const int64_t want = (int64_t)slow_round_shift(v, shift, mode, noise);
	const int64_t got = mch_round_shift(v, shift, (enum mch_round)mode, noise);
	ck_assert_msg(got == want, "v=%lld shift=%d mode=%d noise=%04x: want %lld, got %lld", (long long)v, shift,
		      mode, noise, (long long)want, (long long)got);
}

START_TEST(exhaustive_9_bits)
{
	for (int64_t v = -256; v < 256; v++)
		for (int shift = MCH_SHIFT_MIN; shift <= MCH_SHIFT_MAX; shift++)
			for (int mode = 0; mode < MCH_N_ROUNDS; mode++)
				for (int i = 0; i < (mode == MCH_ROUND_STOCHASTIC ? N_NOISES : 1); i++)
					compare(v, shift, mode, noises[i]);
}
END_TEST

START_TEST(corners_of_49_bits)
{
	struct mch_rng rng = mch_rng_seed(1);
	const int64_t lo = -(INT64_C(1) << 48), hi = (INT64_C(1) << 48) - 1;
	int n_ties[2] = {0, 0};
	for (int i = 0; i < 400000; i++) {
		const int shift = (int)corner_uniform(&rng, MCH_SHIFT_MIN, MCH_SHIFT_MAX);
		const int64_t v = corner_value(&rng, lo, hi, shift);
		if (shift > 0 && (v & ((INT64_C(1) << shift) - 1)) == INT64_C(1) << (shift - 1))
			n_ties[v < 0]++;
		for (int mode = 0; mode < MCH_N_ROUNDS; mode++)
			compare(v, shift, mode, (uint32_t)mch_rng_next(&rng) & 0xffff);
	}
	/* The stimulus itself is held to what it is for. */
	ck_assert_int_gt(n_ties[0], 5000);
	ck_assert_int_gt(n_ties[1], 5000);
}
END_TEST

START_TEST(ends_at_every_shift)
{
	for (int shift = MCH_SHIFT_MIN; shift <= MCH_SHIFT_MAX; shift++)
		for (int mode = 0; mode < MCH_N_ROUNDS; mode++)
			for (int i = 0; i < N_NOISES; i++)
				for (int64_t near = 0; near < 3; near++) {
					compare(-(INT64_C(1) << 48) + near, shift, mode, noises[i]);
					compare((INT64_C(1) << 48) - 1 - near, shift, mode, noises[i]);
				}
}
END_TEST

/* Over all 2^16 noises the number of times it goes up is the lost fraction times 2^16: exactly, when no more than 16
 * bits are lost, else cut to a whole number, which is a bias below 2^-16. */
START_TEST(stochastic_is_unbiased)
{
	struct mch_rng rng = mch_rng_seed(2);
	for (int shift = 1; shift <= MCH_SHIFT_MAX; shift++)
		for (int i = 0; i < 12; i++) {
			const int64_t v = corner_value(&rng, -(INT64_C(1) << 48), (INT64_C(1) << 48) - 1, shift);
			const int64_t below = mch_round_shift(v, shift, MCH_ROUND_FLOOR, 0);
			const slow_int lost = v - (slow_int)below * ((slow_int)1 << shift);
			int64_t n_up = 0;
			for (uint32_t noise = 0; noise < 65536; noise++)
				n_up += mch_round_shift(v, shift, MCH_ROUND_STOCHASTIC, noise) - below;
			ck_assert_int_eq(n_up, (int64_t)(lost * 65536 / ((slow_int)1 << shift)));
		}
}
END_TEST

/* Worked by hand, so that oracle and function cannot err together. */
START_TEST(worked_examples)
{
	static const struct {
		int64_t v;
		int shift;
		int64_t want[4];
	} rows[] = {
		{5, 1, {2, 3, 3, 2}},       {7, 1, {3, 4, 4, 4}},
		{-5, 1, {-3, -2, -3, -2}},  {-7, 1, {-4, -3, -4, -4}},
		{-14, 3, {-2, -2, -2, -2}}, {-12, 3, {-2, -1, -2, -2}},
		{-4, 3, {-1, 0, -1, 0}},    {3, -15, {98304, 98304, 98304, 98304}},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (int mode = 0; mode < 4; mode++)
			ck_assert_int_eq(mch_round_shift(rows[i].v, rows[i].shift, (enum mch_round)mode, 0),
					 rows[i].want[mode]);
	/* 3/4 is lost: up from noise 0x4000 on. */
	ck_assert_int_eq(mch_round_shift(7, 2, MCH_ROUND_STOCHASTIC, 0x3fff), 1);
	ck_assert_int_eq(mch_round_shift(7, 2, MCH_ROUND_STOCHASTIC, 0x4000), 2);
}
END_TEST

START_TEST(names)
{
	static const char *const expected[] = {"floor", "half_up", "half_away", "half_even", "stochastic"};
	for (int mode = 0; mode < MCH_N_ROUNDS; mode++) {
		enum mch_round parsed;
		ck_assert_str_eq(mch_round_name((enum mch_round)mode), expected[mode]);
		ck_assert_int_eq(mch_round_parse(expected[mode], &parsed), 0);
		ck_assert_int_eq(parsed, mode);
	}
	enum mch_round parsed = MCH_ROUND_HALF_UP;
	ck_assert_int_eq(mch_round_parse("nearest", &parsed), -1);
	ck_assert_int_eq(mch_round_parse("", &parsed), -1);
	ck_assert_int_eq(mch_round_parse("Floor", &parsed), -1);
	ck_assert_int_eq(parsed, MCH_ROUND_HALF_UP);
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {exhaustive_9_bits,      corners_of_49_bits, ends_at_every_shift,
				      stochastic_is_unbiased, worked_examples,    names};
	return CHECK_SUITE("round_shift", tests);
}

int main(void)
{
	return check_main(suite);
}
