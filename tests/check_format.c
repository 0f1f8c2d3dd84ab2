/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Formats: text, ranges, and conversion from real and back against exact integer arithmetic. */
#include "fxp/format.h"

#include <float.h>
#include <math.h>

#include "check_main.h"
#include "corners.h"
#include "oracle/slow_fxp.h"

START_TEST(text_and_back)
{
	for (int is_signed = 0; is_signed < 2; is_signed++)
		for (int bits = 1; bits <= 49; bits++)
			for (int frac = -64; frac <= 64; frac++) {
				const struct mch_format f = {bits, frac, is_signed};
				struct mch_format parsed;
				char text[16];
				ck_assert_int_eq(mch_format_parse(mch_format_text(f, text), &parsed), 0);
				ck_assert(parsed.bits == bits && parsed.frac == frac &&
					  parsed.is_signed == is_signed);
			}
	char text[16];
	ck_assert_str_eq(mch_format_text((struct mch_format){8, 4, true}, text), "s8.4");
	ck_assert_str_eq(mch_format_text((struct mch_format){4, -2, false}, text), "u4.-2");
}
END_TEST

START_TEST(refuses_text)
{
	static const char *const texts[] = {
		"", "s", "s8", "s8.", "8.4", "x8.4", "S8.4", "s.4", "s8.4 ", " s8.4", "s 8.4", "s8. 4",
		"s8.4x", "s+8.4", "s8.+4", "s0.0", "s50.0", "s-8.4", "s8.65", "s8.-65", "s08.4", "s8.04",
		"s8.-0", "s8.4.1", "s8,4", "s8.--4", "s0x8.4",
		/* These wrap to 8, and to a number that is its own negative, in an int. */
		"s4294967304.4", "s8.-2147483648", "s8.2147483648", "s\r8.4", "s\v8.4",
		"s99999999999999999999999.4",
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct mch_format f = {1, 2, false};
		ck_assert_msg(mch_format_parse(texts[i], &f) == -1, "\"%s\" was taken", texts[i]);
		ck_assert(f.bits == 1 && f.frac == 2 && !f.is_signed);
	}
}
END_TEST

START_TEST(ranges)
{
	for (int is_signed = 0; is_signed < 2; is_signed++)
		for (int bits = 1; bits <= 49; bits++) {
			const struct mch_format f = {bits, 0, is_signed};
			ck_assert_int_eq(mch_format_min(f), (int64_t)slow_lowest(bits, is_signed));
			ck_assert_int_eq(mch_format_max(f), (int64_t)slow_highest(bits, is_signed));
		}
}
END_TEST

static void compare(struct mch_format f, double real)
{
	for (int mode = 0; mode < 4; mode++) {
		bool saturated, expected;
		const int64_t want = (int64_t)slow_format_raw(f.bits, f.frac, f.is_signed, real, mode, &expected);
		const int64_t got = mch_format_raw(f, real, (enum mch_round)mode, &saturated);
		char text[16];
		ck_assert_msg(got == want && saturated == expected, "%a to %s, mode %d: want %lld %d, got %lld %d",
			      real, mch_format_text(f, text), mode, (long long)want, expected, (long long)got,
			      saturated);
	}
}

START_TEST(special_reals)
{
	const double reals[] = {0.0,	  -0.0,	     NAN,	 INFINITY, -INFINITY, DBL_MAX, -DBL_MAX, DBL_MIN,
				-DBL_MIN, 0x1p-1074, -0x1p-1074, 0.5,	   -0.5,      1.5,     -1.5,	 2.5,
				-2.5,	  0x1p52,    -0x1p52,	 0x1.8p52, 0x1p53,    0x1p60};
	for (int bits = 1; bits <= 49; bits += 3)
		for (int frac = -64; frac <= 64; frac++)
			for (size_t i = 0; i < sizeof(reals) / sizeof(reals[0]); i++) {
				compare((struct mch_format){bits, frac, true}, reals[i]);
				compare((struct mch_format){bits, frac, false}, reals[i]);
			}
	/* The neighbours of a half, the only doubles whose distance from their floor is rounded. */
	for (int sign = -1; sign <= 1; sign += 2)
		for (int tie = 0; tie < 8; tie++) {
			const double half = sign * (tie + 0.5);
			compare((struct mch_format){8, 0, true}, half);
			compare((struct mch_format){8, 0, true}, nextafter(half, 100));
			compare((struct mch_format){8, 0, true}, nextafter(half, -100));
		}
	ck_assert_int_eq(
		mch_format_raw((struct mch_format){8, 0, true}, -0.49999999999999994, MCH_ROUND_HALF_AWAY, NULL), 0);
}
END_TEST

START_TEST(random_reals)
{
	struct mch_rng rng = mch_rng_seed(6);
	for (int i = 0; i < 100000; i++) {
		const struct mch_format f = {1 + (int)mch_rng_below(&rng, 49), (int)mch_rng_below(&rng, 129) - 64,
					     mch_rng_next(&rng) & 1};
		/* In quarters of a step: ties, exact codes, and what lies between and around. */
		const int64_t quarters = corner_value(&rng, -(INT64_C(1) << 51), INT64_C(1) << 51, 3);
		const double real = ldexp((double)quarters, -2 - f.frac);
		compare(f, real);
		compare(f, nextafter(real, INFINITY));
		compare(f, nextafter(real, -INFINITY));
		compare(f, (2 * mch_rng_real(&rng) - 1) * ldexp(1, (int)mch_rng_below(&rng, 60) - f.frac - 5));
	}
}
END_TEST

START_TEST(raw_to_real_and_back)
{
	struct mch_rng rng = mch_rng_seed(7);
	for (int i = 0; i < 50000; i++) {
		const struct mch_format f = {1 + (int)mch_rng_below(&rng, 49), (int)mch_rng_below(&rng, 129) - 64,
					     mch_rng_next(&rng) & 1};
		const int64_t raw = corner_value(&rng, mch_format_min(f), mch_format_max(f), 1);
		bool saturated;
		ck_assert(mch_format_real(f, raw) == slow_format_real(f.frac, raw));
		for (int mode = 0; mode < 4; mode++)
			ck_assert_int_eq(mch_format_raw(f, mch_format_real(f, raw), (enum mch_round)mode, &saturated),
					 raw);
		ck_assert(!saturated);
	}
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {text_and_back, refuses_text, ranges,
				      special_reals, random_reals, raw_to_real_and_back};
	return CHECK_SUITE("format", tests);
}

int main(void)
{
	return check_main(suite);
}
