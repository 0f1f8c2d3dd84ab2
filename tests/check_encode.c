/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What rtl/mch_encode.v computes, against a list of all numbers: sign and magnitude, and what saturates. */
#include "fxp/encode.h"

#include "check_main.h"
#include "corners.h"
#include "oracle/slow_number.h"

static int64_t list[65536];

/* Sign and magnitude of the i-th number, as the standards write it. */
static uint32_t memory(struct mch_format f, int64_t code)
{
	return code < 0 ? (UINT32_C(1) << (f.bits - 1)) + (uint32_t)-code : (uint32_t)code;
}

static void compare(struct mch_format f, int n_values)
{
	struct mch_rng rng = mch_rng_seed(5);
	int64_t first;
	const int n = slow_number_list(f.number, f.bits, f.exp_bits, f.is_signed, list, &first);
	for (int i = 0; i < n_values; i++) {
		const int mode = (int)mch_rng_below(&rng, MCH_N_ROUNDS);
		const int shift = MCH_SHIFT_MIN + (int)mch_rng_below(&rng, 64);
		const uint32_t noise = (uint32_t)mch_rng_below(&rng, 65536);
		const int64_t v = corner_value(&rng, -(INT64_C(1) << 48), (INT64_C(1) << 48) - 1, 48);
		bool saturated;
		const uint32_t got = mch_encode(f, v, shift, (enum mch_round)mode, noise, &saturated);
		const int place = slow_number_place(list, n, first, v, shift, mode, noise);
		const bool is_beyond = place < 0 || place >= n;
		const int64_t code = first + (place < 0 ? 0 : place >= n ? n - 1 : place);
		ck_assert_uint_eq(got, memory(f, code));
		ck_assert_int_eq(saturated, is_beyond);
		ck_assert_int_eq(mch_minifloat_code(f, got), code);
	}
}

START_TEST(codes_of_memory)
{
	for (int number = MCH_MINIFLOAT; number <= MCH_MINIFLOAT_FLUSH; number++)
		for (int is_signed = 0; is_signed < 2; is_signed++) {
			compare((struct mch_format){8, 0, is_signed, (enum mch_number)number, 4}, 3000);
			compare((struct mch_format){8, 0, is_signed, (enum mch_number)number, 5}, 3000);
			compare((struct mch_format){6, 0, is_signed, (enum mch_number)number, 1}, 3000);
		}
}
END_TEST

/* e4m3: minus zero is zero. */
START_TEST(minus_zero)
{
	const struct mch_format f = {8, 9, true, MCH_MINIFLOAT_FN, 4};
	bool saturated;
	ck_assert_int_eq(mch_minifloat_code(f, 0x80), 0);
	ck_assert_int_eq(mch_minifloat_code(f, 0xfe), -0x7e);
	ck_assert_uint_eq(mch_encode(f, -1, 2, MCH_ROUND_HALF_EVEN, 0, &saturated), 0);
	ck_assert(!saturated);
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {codes_of_memory, minus_zero};
	return CHECK_SUITE("encode", tests);
}

int main(void)
{
	return check_main(suite);
}
