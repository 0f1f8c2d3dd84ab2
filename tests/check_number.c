/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Minifloats and powers of two: their codes against published tables and a list of all numbers, and rounding into them against
 * a comparison with every one. */
#include <math.h>
#include <stdlib.h>

#include "check_main.h"
#include "corners.h"
#include "fxp/encode.h"
#include "oracle/slow_number.h"

static int64_t list[65536];

static void check_codes(struct mch_format f)
{
	int64_t first;
	const int n = slow_number_list(f.number, f.bits, f.exp_bits, f.is_signed, list, &first);
	char text[16];
	mch_format_text(f, text);
	ck_assert_msg(mch_format_min(f) == first && mch_format_max(f) == first + n - 1, "%s: %lld..%lld, want %lld..%lld", text,
		      (long long)mch_format_min(f), (long long)mch_format_max(f), (long long)first, (long long)(first + n - 1));
	for (int i = 0; i < n; i++)
		ck_assert_msg(mch_format_integer(f, first + i) == list[i], "%s code %lld: %lld, want %lld", text,
			      (long long)(first + i), (long long)mch_format_integer(f, first + i), (long long)list[i]);
}

/* The i-th format, or bits 0 behind the last. */
static struct mch_format format_at(int i)
{
	for (int number = MCH_MINIFLOAT; number < MCH_N_NUMBERS; number++)
		for (int is_signed = 1; is_signed >= 0; is_signed--) {
			const bool is_pow2 = number == MCH_POW2 || number == MCH_POW2_NO_ZERO;
			for (int bits = 2; bits <= (is_pow2 ? MCH_POW2_BITS_MAX : 12); bits++)
				for (int e = 1; e <= (is_pow2 ? 1 : MCH_EXP_BITS_MAX) && e + is_signed <= bits; e++) {
					const struct mch_format f = {bits, 3, is_signed, (enum mch_number)number, is_pow2 ? 0 : e};
					/* At least a step on each side. */
					if ((is_pow2 && !is_signed && bits > 4) || mch_format_max(f) < 2)
						continue;
					if (i-- == 0)
						return f;
				}
		}
	return (struct mch_format){0};
}

START_TEST(codes)
{
	int n = 0;
	for (struct mch_format f = format_at(0); f.bits; f = format_at(++n))
		check_codes(f);
	ck_assert_int_gt(n, 250);
}
END_TEST

/* OCP 8-bit Floating Point Specification, revision 1.0, and IEEE 754 binary16. */
START_TEST(published)
{
	const struct mch_format e4m3 = {8, 9, true, MCH_MINIFLOAT_FN, 4}, e5m2 = {8, 16, true, MCH_MINIFLOAT_IEEE, 5};
	const struct mch_format half = {16, 24, true, MCH_MINIFLOAT_IEEE, 5}, e2m1 = {4, 1, true, MCH_MINIFLOAT, 2};
	ck_assert(mch_format_real(e4m3, mch_format_max(e4m3)) == 448);
	ck_assert(mch_format_real(e4m3, 1) == 0x1p-9 && mch_format_real(e4m3, 8) == 0x1p-6);
	ck_assert_int_eq(mch_format_max(e4m3), 0x7e);
	ck_assert(mch_format_real(e5m2, mch_format_max(e5m2)) == 57344);
	ck_assert(mch_format_real(e5m2, 1) == 0x1p-16 && mch_format_real(e5m2, 4) == 0x1p-14);
	ck_assert_int_eq(mch_format_max(e5m2), 0x7b);
	ck_assert(mch_format_real(half, mch_format_max(half)) == 65504 && mch_format_real(half, 1) == 0x1p-24);
	ck_assert(mch_format_real(half, 0x3c00) == 1);
	const double fp4[] = {0, 0.5, 1, 1.5, 2, 3, 4, 6};
	for (int i = 0; i < 8; i++)
		ck_assert(mch_format_real(e2m1, i) == fp4[i] && mch_format_real(e2m1, -i) == -fp4[i]);
	const struct mch_format p4 = {4, 8, true, MCH_POW2_NO_ZERO, 0};
	ck_assert(mch_format_real(p4, 0) == 0x1p-8 && mch_format_real(p4, 7) == 0x1p-1);
	ck_assert(mch_format_real(p4, -1) == -0x1p-8 && mch_format_real(p4, -8) == -0x1p-1);
}
END_TEST

/* Which formats weights and activations may have: one step within and beyond each limit. */
START_TEST(operands)
{
	static const struct {
		struct mch_format f;
		bool is_operand;
	} known[] = {
		{{1, 0, true, MCH_FIXED, 0}, true},           {{16, 0, false, MCH_FIXED, 0}, true},
		{{0, 0, true, MCH_FIXED, 0}, false},          {{17, 0, true, MCH_FIXED, 0}, false},
		{{4, 0, true, MCH_MINIFLOAT, 1}, true},       {{4, 0, true, MCH_MINIFLOAT, 0}, false},
		{{16, 0, true, MCH_MINIFLOAT, 5}, true},      {{16, 0, true, MCH_MINIFLOAT, 6}, false},
		{{17, 0, true, MCH_MINIFLOAT, 5}, false},     {{5, 0, true, MCH_MINIFLOAT, 4}, true},
		{{4, 0, true, MCH_MINIFLOAT, 4}, false},      {{3, 0, true, MCH_MINIFLOAT_IEEE, 1}, true},
		{{2, 0, true, MCH_MINIFLOAT_FN, 1}, false},   {{2, 0, true, MCH_POW2, 0}, true},
		{{1, 0, true, MCH_POW2, 0}, false},           {{5, 0, true, MCH_POW2, 0}, true},
		{{6, 0, true, MCH_POW2, 0}, false},           {{5, 0, false, MCH_POW2, 0}, false},
		{{4, 0, false, MCH_POW2_NO_ZERO, 0}, true},   {{8, 0, true, MCH_N_NUMBERS, 0}, false},
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		ck_assert_msg(mch_format_is_operand(known[i].f) == known[i].is_operand, "format %zu", i);
}
END_TEST

static long n_narrow;

static void check_encode(struct mch_format f, int64_t first, int n, mch_int128 v, int shift, int mode, uint32_t noise)
{
	const int place = slow_number_place(list, n, first, v, shift, mode, noise);
	const bool outside = place < 0 || place >= n;
	const int64_t want = first + (place < 0 ? 0 : place >= n ? n - 1 : place);
	bool saturated;
	const int64_t got = mch_format_encode(f, v, shift, (enum mch_round)mode, noise, &saturated);
	char text[16];
	struct mch_encoder encoder;
	if (v > -((mch_int128)1 << MCH_ENCODE_NARROW_BITS) && v < (mch_int128)1 << MCH_ENCODE_NARROW_BITS &&
	    mch_encoder_init(&encoder, f, shift)) {
		const int64_t narrow = mch_encode_narrow(&encoder, (int64_t)v, (enum mch_round)mode, noise);
		n_narrow++;
		ck_assert_msg(narrow == want, "%s v=%lld shift=%d mode=%d noise=%x: want %lld, got %lld from few bits",
			      mch_format_text(f, text), (long long)v, shift, mode, (unsigned)noise, (long long)want,
			      (long long)narrow);
	}
	ck_assert_msg(got == want && saturated == outside, "%s v=%lld shift=%d mode=%d noise=%x: want %lld %d, got %lld %d",
		      mch_format_text(f, text), (long long)v, shift, mode, (unsigned)noise, (long long)want, outside,
		      (long long)got, saturated);
}

/* Near a number of the format, or the middle of two: where rules differ. */
static mch_int128 telling_value(struct mch_rng *rng, const int64_t *numbers, int n, int shift)
{
	const int i = (int)mch_rng_below(rng, (uint32_t)n), j = i + 1 < n ? i + 1 : i;
	const mch_int128 unit = (mch_int128)1 << (shift > 0 ? shift : 0);
	const mch_int128 at = numbers[i] * unit, middle = (numbers[i] * unit + numbers[j] * unit) / 2;
	const int near = (int)mch_rng_below(rng, 5) - 2;
	switch (mch_rng_below(rng, 4)) {
	case 0:
		return at + near;
	case 1:
		return middle + near;
	case 2:
		return at + (mch_int128)(mch_rng_next(rng) >> 20) * unit / ((int64_t)1 << 24);
	default: /* beyond both ends */
		return (mch_rng_next(rng) & 1 ? 1 : -1) * (3 * (mch_int128)llabs(numbers[n - 1]) * unit / 2 + near);
	}
}

START_TEST(encode)
{
	struct mch_rng rng = mch_rng_seed(11);
	int which = 0;
	for (struct mch_format f = format_at(0); f.bits; f = format_at(which += 1 + (int)mch_rng_below(&rng, 3))) {
		int64_t first;
		const int n = slow_number_list(f.number, f.bits, f.exp_bits, f.is_signed, list, &first);
		for (int i = 0; i < 600; i++) {
			/* 3/2 of the largest number stay below 2^110. */
			const int room = 108 - 63 + __builtin_clzll((uint64_t)list[n - 1]);
			const int shift = (int)corner_uniform(&rng, MCH_SHIFT_MIN, i % 8 ? 50 : room < MCH_ENCODE_SHIFT_MAX ? room : MCH_ENCODE_SHIFT_MAX);
			const mch_int128 v = telling_value(&rng, list, n, shift);
			check_encode(f, first, n, v, shift, i % MCH_N_ROUNDS, (uint32_t)mch_rng_next(&rng) & 0xffff);
		}
	}
	ck_assert_int_gt(n_narrow, 10000);
}
END_TEST

START_TEST(encode_fixed)
{
	struct mch_rng rng = mch_rng_seed(12);
	for (int i = 0; i < 200000; i++) {
		const struct mch_format f = {1 + (int)mch_rng_below(&rng, 16), 0, mch_rng_next(&rng) & 1, MCH_FIXED, 0};
		const int shift = (int)corner_uniform(&rng, MCH_SHIFT_MIN, 64), mode = i % MCH_N_ROUNDS;
		const uint32_t noise = (uint32_t)mch_rng_next(&rng) & 0xffff;
		const mch_int128 wide = shift > 46 ? (mch_int128)1 << (shift - 46) : 1;
		const mch_int128 v = corner_value(&rng, -(INT64_C(1) << 61), INT64_C(1) << 61, shift < 50 ? shift : 50) * wide +
				   (int)mch_rng_below(&rng, 3) - 1;
		bool got_sat, want_sat;
		const int64_t want = (int64_t)slow_sat(slow_round_shift(v, shift, mode, noise), f.bits, f.is_signed, &want_sat);
		const int64_t got = mch_format_encode(f, v, shift, (enum mch_round)mode, noise, &got_sat);
		ck_assert_msg(got == want && got_sat == want_sat, "bits %d shift %d mode %d: want %lld %d, got %lld %d", f.bits,
			      shift, mode, (long long)want, want_sat, (long long)got, got_sat);
	}
}
END_TEST

/* real = v * 2^-shift in units of the format's fraction. */
static void check_real(struct mch_format f, int64_t first, int n, double real, mch_int128 v, int shift, int mode)
{
	const int place = slow_number_place(list, n, first, v, shift, mode, 0);
	const int64_t want = first + (place < 0 ? 0 : place >= n ? n - 1 : place);
	bool saturated;
	const int64_t got = mch_format_raw(f, real, (enum mch_round)mode, &saturated);
	char text[16];
	ck_assert_msg(got == want && saturated == (place < 0 || place >= n), "%s %a mode %d: want %lld, got %lld",
		      mch_format_text(f, text), real, mode, (long long)want, (long long)got);
}

/* Powers of two from far below the first step, where the sign alone tells, to far beyond the last code. */
static void check_powers(struct mch_format f, int64_t first, int n)
{
	for (int mode = 0; mode < 4; mode++)
		for (int sign = -1; sign <= 1; sign += 2) {
			for (int e = 0; e <= 90; e++)
				check_real(f, first, n, ldexp(sign, e - f.frac), sign * ((mch_int128)1 << (e < 60 ? e : 60)), 0, mode);
			for (int e = 1; e <= 90; e++)
				check_real(f, first, n, ldexp(sign, -e - f.frac), sign, e < 64 ? e : 64, mode);
			check_real(f, first, n, sign * (double)INFINITY, sign * ((mch_int128)1 << 60), 0, mode);
			check_real(f, first, n, sign * 1e-300, sign, 64, mode);
			check_real(f, first, n, sign * 1e300, sign * ((mch_int128)1 << 60), 0, mode);
		}
	for (int mode = 0; mode < 4; mode++) {
		check_real(f, first, n, NAN, 0, 0, mode);
		check_real(f, first, n, 0, 0, 0, mode);
	}
}

START_TEST(reals)
{
	struct mch_rng rng = mch_rng_seed(13);
	int which = 0;
	for (struct mch_format f = format_at(0); f.bits; f = format_at(which += 3)) {
		int64_t first;
		const int n = slow_number_list(f.number, f.bits, f.exp_bits, f.is_signed, list, &first);
		for (int i = 0; i < 300; i++) {
			/* 2^20 units a step: exact in a double. */
			const mch_int128 v = telling_value(&rng, list, n, 4);
			const double real = ldexp((double)v, -4 - f.frac);
			check_real(f, first, n, real, v, 4, i % 4);
		}
		check_powers(f, first, n);
		for (int64_t code = mch_format_min(f); code <= mch_format_max(f); code++)
			ck_assert_int_eq(mch_format_raw(f, mch_format_real(f, code), MCH_ROUND_FLOOR, NULL), code);
	}
}
END_TEST

START_TEST(text_and_back)
{
	const struct {
		struct mch_format f;
		const char *text;
	} known[] = {
		{{8, 9, true, MCH_MINIFLOAT_FN, 4}, "e4m3fn.9"},        {{8, 16, true, MCH_MINIFLOAT_IEEE, 5}, "e5m2ieee.16"},
		{{8, -3, true, MCH_MINIFLOAT, 4}, "e4m3.-3"},            {{8, 7, false, MCH_MINIFLOAT, 4}, "ue4m4.7"},
		{{6, 0, true, MCH_MINIFLOAT_FLUSH, 3}, "e3m2flush.0"},   {{4, 8, true, MCH_POW2_NO_ZERO, 0}, "p4nz.8"},
		{{4, 7, true, MCH_POW2, 0}, "p4.7"},
	};
	char text[16];
	int n = 0;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		ck_assert_str_eq(mch_format_text(known[i].f, text), known[i].text);
	for (struct mch_format f = format_at(0); f.bits; f = format_at(++n)) {
		struct mch_format back;
		ck_assert_int_eq(mch_format_parse(mch_format_text(f, text), &back), 0);
		ck_assert(back.bits == f.bits && back.frac == f.frac && back.is_signed == f.is_signed &&
			  back.number == f.number && back.exp_bits == f.exp_bits);
	}
	static const char *const wrong[] = {"e4m3f.9", "e6m1.0", "e0m3.0", "e4.9", "e4m.9", "p4z.1", "p6.0", "p1.0", "e5m11.0",
					    "es8.4", "e4m3fn9", "us8.4", "e4m3fnfn.1", "pnz.4"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct mch_format f;
		ck_assert_msg(mch_format_parse(wrong[i], &f) == -1, "\"%s\" was taken", wrong[i]);
	}
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {codes, published, operands, encode, encode_fixed, reals, text_and_back};
	return CHECK_SUITE("number", tests);
}

int main(void)
{
	return check_main(suite);
}
