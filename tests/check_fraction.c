/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Unit tests of quant/fraction: what the two rules promise, at the places where integer lengths go wrong. */
#include "quant/fraction.h"

#include <math.h>

#include "base/rng.h"
#include "check_main.h"

static struct mch_format fixed(int bits, int is_signed)
{
	return (struct mch_format){.bits = bits, .is_signed = is_signed};
}

START_TEST(max_known)
{
	static const struct {
		int bits, is_signed;
		double min, max;
		int frac;
	} rows[] = {
		{8, 1, -1, 0.5, 7},             /* -1 is the lowest code of s8.7 */
		{8, 1, -1, 1, 6},               /* +1 is one code too many */
		{8, 1, -0.5, 127.0 / 128, 7},   /* the highest code exactly */
		{8, 1, -0.5, 0.9960, 7},        /* 127.488 rounds to 127 */
		{8, 1, -0.5, 0.9961, 6},        /* 127.5 rounds to 128 */
		{8, 1, -2, 2, 5},
		{8, 1, -4, 1, 5},               /* -4 = -128 * 2^-5 */
		{8, 1, -3, -1, 5},              /* negative only */
		{8, 1, 0.01, 0.02, 12},         /* 82 of 127; 2^-13 would be 164 */
		{8, 1, -1e-4, 1e-4, 20},        /* fractions beyond the width */
		{8, 1, -1000, 1000, -3},        /* and below zero */
		{8, 0, 0, 255.0 / 256, 8},      /* pixels / 256 */
		{8, 0, 0, 1, 7},
		{8, 0, 0, 255, 0},
		{8, 0, 0, 256, -1},
		{8, 1, 0, 0, 7},                /* zeros */
		{8, 0, 0, 0, 8},
		{1, 1, -1, 0.3, 0},             /* codes -1, 0 */
		{1, 1, -0.3, 1, 0},             /* no positive code: the magnitude counts */
		{1, 0, 0, 1, 0},
		{2, 1, -1, 1, 0},               /* codes -2 .. 1 */
		{16, 1, -0x1p100, 0x1p100, -64}, /* no format reaches it: the limit */
		{16, 1, -0x1p-100, 0, 64},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const int frac = mch_fraction_max(fixed(rows[i].bits, rows[i].is_signed), rows[i].min, rows[i].max);
		ck_assert_msg(frac == rows[i].frac, "row %zu: %c%d, %g .. %g: want frac %d, got %d", i,
			      rows[i].is_signed ? 's' : 'u', rows[i].bits, rows[i].min, rows[i].max, rows[i].frac,
			      frac);
	}
}
END_TEST

/* The definition itself, over random ranges: no saturation at frac, some at frac + 1. */
START_TEST(max_is_largest)
{
	struct mch_rng rng = mch_rng_seed(1);
	for (int i = 0; i < 20000; i++) {
		const int bits = 2 + (int)mch_rng_below(&rng, 15);
		const bool is_signed = mch_rng_below(&rng, 2);
		const double scale = ldexp(1, (int)mch_rng_below(&rng, 40) - 20);
		const double max = mch_rng_real(&rng) * scale, min = is_signed ? -mch_rng_real(&rng) * scale : 0;
		const int frac = mch_fraction_max(fixed(bits, is_signed), min, max);
		bool low, high;
		mch_format_raw((struct mch_format){bits, frac, is_signed}, min, MCH_ROUND_HALF_EVEN, &low);
		mch_format_raw((struct mch_format){bits, frac, is_signed}, max, MCH_ROUND_HALF_EVEN, &high);
		ck_assert(!low && !high);
		mch_format_raw((struct mch_format){bits, frac + 1, is_signed}, min, MCH_ROUND_HALF_EVEN, &low);
		mch_format_raw((struct mch_format){bits, frac + 1, is_signed}, max, MCH_ROUND_HALF_EVEN, &high);
		ck_assert(low || high);
	}
}
END_TEST

enum { N = 3000 };

/* Values of several shapes: bell, heavy tail, one outlier, one side only. */
static struct mch_range draw(int shape, float *values, uint64_t seed)
{
	struct mch_rng rng = mch_rng_seed(seed);
	struct mch_range range = {0};
	for (int i = 0; i < N; i++) {
		double x = 0;
		for (int j = 0; j < 12; j++)
			x += mch_rng_real(&rng) - 0.5;
		if (shape == 1)
			x = x * x * x;
		if (shape == 2 && i == 0)
			x = 40;
		if (shape == 3)
			x = fabs(x);
		values[i] = (float)x;
	}
	mch_range_add(&range, values, N);
	mch_range_finish(&range);
	range.sample = values;
	range.n_sample = N;
	return range;
}

/* Squared error, computed here in another way: by the nearest code, tried one by one. */
static double slow_error(struct mch_format f, const float *values)
{
	double sum = 0;
	for (int i = 0; i < N; i++) {
		double least = INFINITY;
		for (int64_t raw = mch_format_min(f); raw <= mch_format_max(f); raw++)
			least = fmin(least, fabs((double)values[i] - ldexp((double)raw, -f.frac)));
		sum += least * least;
	}
	return sum;
}

START_TEST(mse_is_least)
{
	static float values[N];
	for (int shape = 0; shape < 4; shape++) {
		const struct mch_range range = draw(shape, values, 7 + (uint64_t)shape), *list = &range;
		for (int bits = 1; bits <= 8; bits++) {
			const bool is_signed = range.min < 0;
			const int max = mch_fraction_choose(MCH_FRACTION_MAX, 100, fixed(bits, is_signed), &list, 1);
			const int mse = mch_fraction_choose(MCH_FRACTION_MSE, 100, fixed(bits, is_signed), &list, 1);
			ck_assert_int_eq(max, mch_fraction_max(fixed(bits, is_signed), range.min, range.max));
			const double won = slow_error((struct mch_format){bits, mse, is_signed}, values);
			for (int frac = max - 3; frac <= max + 10; frac++) {
				const double other = slow_error((struct mch_format){bits, frac, is_signed}, values);
				ck_assert_msg(won <= other * (1 + 1e-12), "shape %d, %d bits: frac %d beats %d", shape,
					      bits, frac, mse);
			}
		}
	}
}
END_TEST

/* One outlier among 3000: it pays to clip it, and only this rule does. */
START_TEST(mse_clips_outlier)
{
	static float values[N];
	const struct mch_range range = draw(2, values, 3), *list = &range;
	ck_assert_int_gt(mch_fraction_choose(MCH_FRACTION_MSE, 100, fixed(3, true), &list, 1),
			 mch_fraction_choose(MCH_FRACTION_MAX, 100, fixed(3, true), &list, 1));
}
END_TEST

/* 40000 values below 1, of which the sample has a tenth, and 80 between 4 and 8, of which it has none: what clipping them costs
 * counts, as slow sums over all values have it. */
START_TEST(mse_counts_unseen)
{
	enum { ALL = 40080 };
	static float all[ALL], sample[N];
	struct mch_rng rng = mch_rng_seed(21);
	struct mch_range range = {0};
	const struct mch_range *list = &range;
	for (int i = 0; i < ALL; i++)
		all[i] = (float)(i < ALL - 80 ? mch_rng_real(&rng) : 4 + 4 * mch_rng_real(&rng));
	for (int i = 0; i < N; i++)
		sample[i] = all[i];
	mch_range_add(&range, all, ALL);
	mch_range_finish(&range);
	range.sample = sample;
	range.n_sample = N;
	for (int bits = 3; bits <= 8; bits++) {
		int best = 0;
		double least = INFINITY;
		for (int frac = -2; frac < bits + 2; frac++) {
			const struct mch_format f = {bits, frac, false};
			const double slow = mch_fraction_error(f, all, ALL, INFINITY);
			const double got = mch_fraction_range_error(f, &range, 0, INFINITY);
			ck_assert_msg(fabs(got - slow) < 0.2 * slow, "%d bits, frac %d: %g, not %g", bits, frac, got, slow);
			best = slow < least ? frac : best;
			least = fmin(least, slow);
		}
		ck_assert_int_eq(mch_fraction_choose(MCH_FRACTION_MSE, 100, fixed(bits, false), &list, 1), best);
	}
	/* Twice the values, in the same format, are the values in one of a bit more. */
	const struct mch_format f = {6, 4, false}, finer = {6, 5, false};
	const double twice = mch_fraction_range_error(f, &range, 1, INFINITY), same = mch_fraction_range_error(finer, &range, 0,
													       INFINITY);
	ck_assert_double_eq_tol(twice, 4 * same, 1e-9 * twice);
}
END_TEST

START_TEST(error_stops_early)
{
	static float values[N];
	draw(0, values, 5);
	const struct mch_format f = {4, 1, true};
	const double all = mch_fraction_error(f, values, N, INFINITY);
	const double some = mch_fraction_error(f, values, N, all / 10);
	ck_assert_double_eq_tol(all, slow_error(f, values), 1e-9 * all);
	ck_assert(some > all / 10 && some < all);
}
END_TEST

/* Several ranges in one format: the widest decides. */
START_TEST(shared_format)
{
	struct mch_range a = {.n = 2, .min = -0.5, .max = 0.25}, b = {.n = 2, .min = 0, .max = 3};
	const struct mch_range *list[] = {&a, &b};
	ck_assert_int_eq(mch_fraction_choose(MCH_FRACTION_MAX, 100, fixed(8, true), list, 2), 5);
	ck_assert_int_eq(mch_fraction_choose(MCH_FRACTION_MAX, 100, fixed(8, true), list, 1), 8);
}
END_TEST

/* 1 of 1000 values may be clipped, not 2. */
START_TEST(percentile_counts)
{
	static float values[1000];
	struct mch_range range = {.sample = values, .n_sample = 1000};
	const struct mch_range *list = &range;
	for (int i = 0; i < 1000; i++)
		values[i] = i < 998 ? 1.5f : i < 999 ? 6.0f : -100.0f;
	mch_range_add(&range, values, 1000);
	ck_assert_int_eq(mch_fraction_choose(MCH_FRACTION_PERCENTILE, 100, fixed(8, true), &list, 1), 0);
	ck_assert_int_eq(mch_fraction_choose(MCH_FRACTION_PERCENTILE, 99.9, fixed(8, true), &list, 1), 4);
	ck_assert_int_eq(mch_fraction_choose(MCH_FRACTION_PERCENTILE, 99.8, fixed(8, true), &list, 1), 6);
	ck_assert_int_eq(mch_fraction_choose(MCH_FRACTION_MAX, 99.8, fixed(8, true), &list, 1), 0);
}
END_TEST

/* One outlier is clipped; whole numbers, of which a narrow range would hold none, are not (everything in one bin looks like no
 * loss); a width finer than the bins clips nothing. */
START_TEST(kl_clips_outliers_alone)
{
	static float values[N];
	struct mch_rng rng = mch_rng_seed(12);
	struct mch_range range = {.sample = values, .n_sample = N};
	const struct mch_range *list = &range;
	for (int i = 0; i < N; i++)
		values[i] = (float)(mch_rng_real(&rng) - 0.5);
	values[N / 2] = 60;
	mch_range_add(&range, values, N);
	const int max = mch_fraction_max(fixed(8, true), range.min, range.max);
	ck_assert_int_gt(mch_fraction_choose(MCH_FRACTION_KL, 100, fixed(8, true), &list, 1), max);
	struct mch_range pixels = {.sample = values, .n_sample = N};
	list = &pixels;
	for (int i = 0; i < N; i++)
		values[i] = (float)((int)mch_rng_below(&rng, 274) - 123);
	mch_range_add(&pixels, values, N);
	ck_assert_int_eq(mch_fraction_choose(MCH_FRACTION_KL, 100, fixed(8, true), &list, 1), -1);
	ck_assert_int_eq(mch_fraction_choose(MCH_FRACTION_KL, 100, fixed(16, true), &list, 1), 7);
}
END_TEST

/* Ristretto takes log2 of the logarithm's range and gets NaN where nothing is above 2. */
START_TEST(ristretto_small_ranges)
{
	for (int number = 0; number < MCH_N_NUMBERS; number++) {
		const struct mch_format shape = {.bits = number >= MCH_POW2 ? 4 : 8, .is_signed = true,
						 .number = (enum mch_number)number,
						 .exp_bits = number >= MCH_POW2 || number == MCH_FIXED ? 0 : 4};
		for (double top = 2; top > 1e-6; top /= 3) {
			struct mch_format f = shape;
			f.frac = mch_fraction_max(shape, -top, top);
			bool low, high;
			const int64_t code = mch_format_raw(f, top, MCH_ROUND_HALF_EVEN, &high);
			mch_format_raw(f, -top, MCH_ROUND_HALF_EVEN, &low);
			ck_assert_msg(!low && !high, "kind %d, %g", number, top);
			ck_assert_msg(fabs(mch_format_real(f, code) - top) < top / 2, "kind %d, %g", number, top);
		}
	}
}
END_TEST

START_TEST(rule_names)
{
	enum mch_fraction rule;
	for (int i = MCH_FRACTION_MAX; i < MCH_N_FRACTIONS; i++) {
		ck_assert_int_eq(mch_fraction_parse(mch_fraction_name((enum mch_fraction)i), &rule), 0);
		ck_assert_int_eq((int)rule, i);
	}
	ck_assert_int_eq(mch_fraction_parse("mean", &rule), -1);
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {max_known, max_is_largest, mse_is_least, mse_clips_outlier, mse_counts_unseen, error_stops_early,
				      shared_format, percentile_counts, kl_clips_outliers_alone, ristretto_small_ranges,
				      rule_names};
	return CHECK_SUITE("fraction", tests);
}

int main(void)
{
	return check_main(suite);
}
