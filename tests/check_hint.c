/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* op/hint.h: each wrong rule is named when it made the result, and nothing is named when none did. */
#include "op/hint.h"

#include "check_main.h"

static const struct mch_requant s8_half_even = {.out_bits = 8, .out_signed = true, .round = MCH_ROUND_HALF_EVEN};

/* What is said of y and its flag, for acc with a bias and a shift. */
static const char *hint(struct mch_requant cfg, int64_t acc, int64_t bias, int shift, int32_t y, bool saturated)
{
	static char text[MCH_HINT_BYTES];
	const struct mch_requant_seen seen = {acc, bias, shift, 0xace1, y, saturated};
	return mch_requant_hint(&cfg, &seen, text);
}

static void expect(const char *want, const char *got)
{
	if (!want)
		ck_assert_ptr_null(got);
	else
		ck_assert_str_eq(got, want);
}

START_TEST(nothing_to_explain)
{
	expect(NULL, hint(s8_half_even, -20, 0, 3, -2, false));
}
END_TEST

START_TEST(nothing_explains)
{
	expect(NULL, hint(s8_half_even, 1000, 0, 3, -77, false));
	expect(NULL, hint(s8_half_even, 1000, 0, 3, 125, true)); /* the code is right, its flag is not */
}
END_TEST

START_TEST(rounding)
{
	/* -20 / 8 = -2.5 and 20 / 8 = 2.5: ties whose even neighbour is -2, 2. */
	expect("agrees if ties go away from zero: rounding mode, docs/datapath.md \"round_shift\"; or if the lost bits are "
	       "dropped: rounding mode, docs/datapath.md \"round_shift\"",
	       hint(s8_half_even, -20, 0, 3, -3, false));
	expect("agrees if ties go up: rounding mode, docs/datapath.md \"round_shift\"; or if ties go away from zero: "
	       "rounding mode, docs/datapath.md \"round_shift\"",
	       hint(s8_half_even, 20, 0, 3, 3, false));
	/* -28 / 8 = -3.5: even is -4, up is -3, and nothing else is. */
	expect("agrees if ties go up: rounding mode, docs/datapath.md \"round_shift\"",
	       hint(s8_half_even, -28, 0, 3, -3, false));
	struct mch_requant up = s8_half_even;
	up.round = MCH_ROUND_HALF_UP;
	expect("agrees if ties go to even: rounding mode, docs/datapath.md \"round_shift\"; or if the lost bits are dropped: "
	       "rounding mode, docs/datapath.md \"round_shift\"",
	       hint(up, 20, 0, 3, 2, false));
}
END_TEST

START_TEST(saturation)
{
	expect("agrees if the code wraps: no saturation, docs/datapath.md \"sat\"",
	       hint(s8_half_even, 200 << 3, 0, 3, 200 - 256, true));
	struct mch_requant u8 = s8_half_even;
	u8.out_signed = false;
	expect("agrees if y is signed: output format, docs/datapath.md \"sat\"", hint(u8, 200 << 3, 0, 3, 127, true));
	expect("agrees if y is unsigned: output format, docs/datapath.md \"sat\"",
	       hint(s8_half_even, 300 << 3, 0, 3, -1, true));
	/* The register is wider than the code: it holds 0x00fe for -2. */
	expect("the code agrees; the bits above it do not extend it: docs/datapath.md \"sat\"",
	       hint(s8_half_even, -16, 0, 3, 0xfe, false));
}
END_TEST

START_TEST(relu_or_not)
{
	struct mch_requant relu = s8_half_even;
	relu.relu = true;
	expect("agrees if there is no ReLU: ReLU, docs/datapath.md \"requant\"", hint(relu, -80, 0, 3, -10, false));
	expect("agrees if there is a ReLU: ReLU, docs/datapath.md \"requant\"", hint(s8_half_even, -80, 8, 3, 0, false));
}
END_TEST

START_TEST(wrong_shift)
{
	expect("agrees if the shift is one more: shift, docs/datapath.md \"requant\"",
	       hint(s8_half_even, 800, 0, 3, 50, false));
	expect("agrees if the shift is one less: shift, docs/datapath.md \"requant\"",
	       hint(s8_half_even, 400, 0, 3, 100, false));
	expect("agrees if nothing is shifted: shift, docs/datapath.md \"requant\"",
	       hint(s8_half_even, 100, 0, 3, 100, false));
	expect("agrees if the shift goes the other way: shift, docs/datapath.md \"requant\"",
	       hint(s8_half_even, 5, 0, 4, 80, false));
	/* One more than the largest shift is no rule that could be in place. */
	expect(NULL, hint(s8_half_even, 1, 0, MCH_SHIFT_MAX, 7, false));
}
END_TEST

START_TEST(wrong_bias)
{
	expect("agrees if there is no bias: bias, docs/datapath.md \"requant\"",
	       hint(s8_half_even, 800, 72, 3, 100, false));
	expect("agrees if the bias is subtracted: bias, docs/datapath.md \"requant\"",
	       hint(s8_half_even, 800, 72, 3, 91, false));
}
END_TEST

START_TEST(wrong_noise)
{
	struct mch_requant stochastic = s8_half_even;
	stochastic.round = MCH_ROUND_STOCHASTIC;
	/* 0xace1 is followed by 0xe270. With lost / 2^8 between their complements only the later one carries. */
	ck_assert_uint_eq(mch_lfsr_next(0xace1), 0xe270);
	expect("agrees if the noise is one step ahead: noise, docs/datapath.md \"lfsr\"",
	       hint(stochastic, (10 << 8) + 0x40, 0, 8, 11, false));
}
END_TEST

static Suite *make_suite(void)
{
	const TTest *const tests[] = {nothing_to_explain, nothing_explains, rounding, saturation, relu_or_not, wrong_shift, wrong_bias, wrong_noise};
	return CHECK_SUITE("hint", tests);
}

int main(void)
{
	return check_main(make_suite);
}
