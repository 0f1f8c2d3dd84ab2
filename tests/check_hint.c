/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* op/hint.h: each wrong rule is named when it made the result, and nothing is named when none did. */
#include "op/hint.h"

#include <string.h>

#include "check_main.h"
#include "op/hint_conv.h"

static const struct mch_requant s8_half_even = {.out_bits = 8, .out_signed = true, .round = MCH_ROUND_HALF_EVEN};

/* What is said of y and its flag, for acc with a bias and a shift. */
static const char *hint(struct mch_requant cfg, int64_t acc, int64_t bias, int shift, int32_t y, bool saturated)
{
	static char text[MCH_HINT_BYTES];
	const struct mch_hint_unit unit = {.has_flag = true, .requant = &cfg};
	const struct mch_hint_seen seen = {.acc = acc, .bias = bias, .shift = shift, .noise = 0xace1, .got = y, .flag = saturated};
	return mch_hint(&unit, &seen, 1, text);
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
	/* -80 + 168 = 88 is 11; the bias alone would be 21. Or nothing is left, which a second value tells from other causes. */
	expect("agrees if the ReLU comes before the bias: ReLU, docs/datapath.md \"requant\"", hint(relu, -80, 168, 3, 21, false));
	const struct mch_hint_unit unit = {.has_flag = true, .requant = &relu};
	const struct mch_hint_seen seen[] = {{.acc = -80, .bias = 168, .shift = 3, .got = 0},
					     {.acc = 80, .bias = 168, .shift = 3, .got = 31},
					     {.acc = 80, .bias = -168, .shift = 3, .got = -11}};
	char text[MCH_HINT_BYTES];
	expect("agrees if the ReLU looks at the sum before the bias: ReLU, docs/datapath.md \"requant\"", mch_hint(&unit, seen, 3, text));
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

START_TEST(all_values)
{
	/* One value alone may be the work of two rules; the second one tells, and a third that agrees with the contract, too. */
	const struct mch_hint_unit unit = {.has_flag = true, .requant = &s8_half_even};
	struct mch_hint_seen seen[3] = {{.acc = 20, .shift = 3, .got = 3}, {.acc = -20, .shift = 3, .got = -3}, {.acc = 8, .shift = 3, .got = 1}};
	char text[MCH_HINT_BYTES];
	expect("agrees if ties go away from zero: rounding mode, docs/datapath.md \"round_shift\"", mch_hint(&unit, seen, 3, text));
	seen[1].got = -2;
	expect("agrees if ties go up: rounding mode, docs/datapath.md \"round_shift\"", mch_hint(&unit, seen, 3, text));
	seen[2].got = 7;
	expect(NULL, mch_hint(&unit, seen, 3, text));
}
END_TEST

/* Two dot products of u8 x s8 in 20 bits, seen as accumulators. */
static const char *dots(void (*change)(struct mch_hint_seen *seen), int64_t first, int64_t second)
{
	static char text[MCH_HINT_BYTES];
	static const int32_t x[] = {200, 17, 255, 3}, w[] = {-100, 5, 77, -128}, more[] = {127, 127, 127, 90};
	const struct mch_hint_unit unit = {.acc = {20, MCH_WRAP}, .x_bits = 8, .w_bits = 8};
	struct mch_hint_seen seen[] = {{.n_terms = 4, .x = x, .w = w, .got = first}, {.n_terms = 4, .x = x, .w = more, .got = second}};
	if (change)
		change(seen);
	return mch_hint(&unit, seen, 2, text);
}

START_TEST(sums)
{
	/* -20000 + 85 + 19635 - 384 = -664, 25400 + 2159 + 32385 + 270 = 60214 */
	expect(NULL, dots(NULL, -664, 60214));
	expect("agrees if the accumulator has 16 bits: accumulator, docs/datapath.md \"mac\"", dots(NULL, -664, 60214 - 65536));
	expect("agrees if x is signed: sign of an operand, docs/datapath.md \"mac\"", dots(NULL, 5600 + 85 - 77 - 384, -7112 + 2159 - 127 + 270));
	expect("agrees if w is unsigned: sign of an operand, docs/datapath.md \"mac\"", dots(NULL, -664 + 256 * 203, 60214));
	expect("agrees if the last term is lost: end of a sum, docs/datapath.md \"mac_array\"", dots(NULL, -664 + 384, 60214 - 270));
	expect("agrees if the first term is lost: start of a sum, docs/datapath.md \"mac_array\"", dots(NULL, -664 + 20000, 60214 - 25400));
	expect("agrees if w is that of the term before: stale operand, docs/datapath.md \"mac_array\"",
	       dots(NULL, -20000 - 1700 + 1275 + 231, 25400 + 2159 + 32385 + 381));
	expect(NULL, dots(NULL, -664 + 1, 60214)); /* and nothing where nothing explains */
	expect(NULL, dots(NULL, -664 + 384, 60214)); /* one value that a rule explains, one that it does not */
}
END_TEST

/* A 3x3 layer of 2 channels on 5x4, padded, 3 outputs; what `wrong` made of it must be named. */
static const char *layer(struct mch_conv wrong, int by_weights, int by_params, bool goes_on, const int32_t *spoil)
{
	static char text[MCH_HINT_BYTES];
	int32_t x[2 * 5 * 4], w[3 * 18], seen_w[3 * 18], got[3 * 20], room[36];
	int64_t acc[3 * 20], bias[3] = {100, -900, 2000}, seen_bias[3];
	int8_t shift[3] = {7, 7, 6}, seen_shift[3];
	const struct mch_conv right = {1, 2, 5, 4, 3, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1};
	for (int i = 0; i < 40; i++)
		x[i] = (i * 37 + 11) % 256;
	for (int i = 0; i < 54; i++)
		w[i] = (i * 53 + 7) % 256 - 128;
	for (int k = 0; k < 3; k++) {
		memcpy(seen_w + 18 * k, w + 18 * ((k + by_weights) % 3), 18 * sizeof(*w));
		seen_bias[k] = bias[(k + by_params) % 3], seen_shift[k] = shift[(k + by_params) % 3];
	}
	const struct mch_acc wide = {24, MCH_WRAP};
	mch_conv(&wrong, wide, x, seen_w, acc, NULL);
	for (int k = 0; k < 3 && goes_on; k++)
		for (int i = 4; i < 20; i++)
			acc[20 * k + i] += acc[20 * k + i - 4];
	struct mch_requant rule = s8_half_even;
	rule.bias = seen_bias, rule.shift = seen_shift;
	mch_requant(&rule, 1, 3, 20, acc, got, NULL);
	if (spoil)
		got[*spoil] ^= 1;
	rule.bias = bias, rule.shift = shift;
	const struct mch_hint_conv c = {.conv = right, .unit = {.acc = wide, .x_bits = 8, .w_bits = 8, .requant = &rule}, .rows = 4,
					.cols = 4, .x = x, .w = w, .got = got, .room = room};
	return mch_conv_hint(&c, text);
}

START_TEST(layers)
{
	struct mch_conv g = {1, 2, 5, 4, 3, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1};
	const int32_t spoilt = 31;
	expect(NULL, layer(g, 0, 0, false, NULL));
	expect(NULL, layer(g, 0, 0, false, &spoilt));
	expect("agrees if a column gives the output +1 columns on: column, docs/datapath.md \"Tiles\"", layer(g, 1, 1, false, NULL));
	expect("agrees if a column has the weights +1 columns on: column of weights, docs/datapath.md \"Tiles\"", layer(g, 1, 0, false, NULL));
	expect("agrees if a column has the bias and shift +1 columns on: column of parameters, docs/datapath.md \"Tiles\"",
	       layer(g, 0, 1, false, NULL));
	expect("agrees if a sum starts from the one before it: stale accumulator, docs/datapath.md \"mac_array\"", layer(g, 0, 0, true, NULL));
	expect(NULL, layer(g, 0, 0, true, &spoilt)); /* all outputs but one */
	g.pad_left = 0, g.pad_right = 2;
	expect("agrees if the map is one column further left: padding, docs/datapath.md \"conv\"; or if there is no padding on the "
	       "left: padding, docs/datapath.md \"conv\"", layer(g, 0, 0, false, NULL));
}
END_TEST

/* Without a wrong rule the replay is the operators' own result: images, groups, strides, dilation, both orders of terms. */
START_TEST(contract)
{
	enum { X = 2 * 6 * 5 * 4, K = 6, W = K * 3 * 9 };
	const struct mch_conv g = {2, 6, 5, 4, K, 3, 2, 2, 1, 2, 1, 1, 2, 1, 2, 2};
	const int pixels = mch_conv_p(&g) * mch_conv_q(&g);
	int32_t x[X], w[W], y[2 * K * 64], room[2 * 27];
	int64_t acc[2 * K * 64], bias[K];
	int8_t shift[K];
	struct mch_requant rule = s8_half_even;
	const struct mch_acc narrow = {14, MCH_WRAP};
	ck_assert_int_le(pixels, 64);
	for (int i = 0; i < X; i++)
		x[i] = (i * 101 + 13) % 251 - 125;
	for (int i = 0; i < W; i++)
		w[i] = (i * 67 + 5) % 241 - 120;
	for (int k = 0; k < K; k++)
		bias[k] = 300 * k - 700, shift[k] = (int8_t)(k + 2);
	rule.bias = bias, rule.shift = shift;
	mch_conv(&g, narrow, x, w, acc, NULL);
	mch_requant(&rule, 2, K, pixels, acc, y, NULL);
	for (int by_words = 0; by_words < 2; by_words++) {
		const struct mch_hint_conv c = {.conv = g, .unit = {.acc = narrow, .x_bits = 8, .w_bits = 8, .x_signed = true, .requant = &rule},
						.rows = 4, .cols = 2, .by_words = by_words, .x = x, .w = w, .got = y, .room = room};
		char text[MCH_HINT_BYTES];
		for (int i = 0; i < 2 * K * pixels; i++)
			ck_assert_int_eq(mch_conv_want(&c, (size_t)i), y[i]);
		expect(NULL, mch_conv_hint(&c, text));
	}
}
END_TEST

static Suite *make_suite(void)
{
	const TTest *const tests[] = {nothing_to_explain, nothing_explains, rounding,   saturation, relu_or_not, wrong_shift,
				      wrong_bias,	  wrong_noise,	    all_values, sums,	    layers,	 contract};
	return CHECK_SUITE("hint", tests);
}

int main(void)
{
	return check_main(make_suite);
}
