/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* lfsr: every state's successor against a register simulated bit by bit, its period, and the channels' first states.
 */
#include "fxp/lfsr.h"

#include "base/rng.h"
#include "check_main.h"
#include "oracle/slow_fxp.h"

START_TEST(every_state)
{
	for (uint32_t state = 0; state < 65536; state++)
		ck_assert_uint_eq(mch_lfsr_next((uint16_t)state), slow_lfsr_next(state));
}
END_TEST

START_TEST(period_is_65535)
{
	uint16_t state = 1;
	int n = 0;
	do {
		state = mch_lfsr_next(state);
		n++;
	} while (state != 1 && n <= 65536);
	ck_assert_int_eq(n, 65535);
}
END_TEST

START_TEST(seeds)
{
	struct mch_rng rng = mch_rng_seed(5);
	for (uint32_t seed = 0; seed < 65536; seed++)
		ck_assert_uint_ne(mch_lfsr_seed(seed, 0), 0);
	for (int i = 0; i < 100000; i++) {
		const uint32_t seed = (uint32_t)mch_rng_next(&rng);
		const int k = (int)mch_rng_below(&rng, i & 1 ? 4096 : 1u << 30);
		ck_assert_uint_eq(mch_lfsr_seed(seed, k), slow_lfsr_seed(seed, k));
	}
	/* 0x61c9 + 0x9e37 = 2^16: the state that would stay 0 is replaced. */
	ck_assert_uint_eq(mch_lfsr_seed(0x61c9, 0), 0xace1);
	ck_assert_uint_eq(slow_lfsr_seed(0x61c9, 0), 0xace1);
	ck_assert_uint_eq(mch_lfsr_seed(1, 0), 0x9e38);
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {every_state, period_is_65535, seeds};
	return CHECK_SUITE("lfsr", tests);
}

int main(void)
{
	return check_main(suite);
}
