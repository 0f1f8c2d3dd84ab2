/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Profiles: the tables of docs/quantize.md are those that the code makes; Ristretto's integer lengths. */
#include "check_main.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "op/requant.h"
#include "quant/profile.h"
#include "quant/range.h"

/* Twice the values that are rounded: ties of both parities and signs, and what is beyond the codes of s8.0. */
static const int doubled[] = {-5, -3, -1, 1, 3, 5, 255, 260, -257, -260};
enum { N_VALUES = sizeof(doubled) / sizeof(*doubled) };

/* The page, whole. NULL outside of `make check`, which says where it is. */
static char *read_page(void)
{
	static char text[1 << 17];
	char path[1024];
	const char *top = getenv("top_srcdir");
	if (!top)
		return NULL;
	snprintf(path, sizeof(path), "%s/docs/quantize.md", top);
	FILE *stream = fopen(path, "rb");
	ck_assert_msg(stream != NULL, "%s cannot be read", path);
	const size_t n = fread(text, 1, sizeof(text) - 1, stream);
	fclose(stream);
	ck_assert_uint_lt(n, sizeof(text) - 1);
	text[n] = '\0';
	return text;
}

static void expect_in_page(const char *table)
{
	const char *page = read_page();
	ck_assert_msg(!page || strstr(page, table), "docs/quantize.md lacks this table:\n%s", table);
}

START_TEST(truth_table)
{
	static char table[1 << 14];
	char *to = table;
	to += sprintf(to, "| profile | rounding |");
	for (int i = 0; i < N_VALUES; i++)
		to += sprintf(to, " %g |", doubled[i] / 2.0);
	to += sprintf(to, "\n|---|---|");
	for (int i = 0; i < N_VALUES; i++)
		to += sprintf(to, "--:|");
	to += sprintf(to, "\n");
	for (int p = 0; p < MCH_N_PROFILES; p++) {
		const struct mch_profile *profile = &mch_profiles[p];
		const struct mch_requant requant = {.out_bits = 8, .out_signed = true, .round = profile->round,
						    .wraps = profile->wraps};
		to += sprintf(to, "| %s | %s, %s |", profile->name, mch_round_name(profile->round),
			      profile->wraps ? "wrap" : "saturate");
		for (int i = 0; i < N_VALUES; i++) {
			bool saturated;
			to += sprintf(to, " %d |", mch_requant_value(&requant, doubled[i], 0, 1, 0, &saturated));
		}
		to += sprintf(to, "\n");
	}
	expect_in_page(table);
}
END_TEST

START_TEST(choices_table)
{
	static char table[1 << 14];
	char *to = table;
	for (int p = 0; p < MCH_N_PROFILES; p++) {
		const struct mch_profile *profile = &mch_profiles[p];
		to += sprintf(to, "| %s | %s | %s | %s%s | %s | %s |\n", profile->name, profile->of,
			      mch_fraction_name(profile->calibration), mch_fraction_name(profile->weight_calibration),
			      profile->per_channel ? ", per channel" : "", mch_round_name(profile->weight_round),
			      profile->has_unsigned ? "unsigned where nothing is negative" : "signed");
	}
	expect_in_page(table);
}
END_TEST

/* fl = bw - il, with il = ceil(log2(max)) of activations and ceil(log2(max)) + 1 of weights, max of magnitudes. */
START_TEST(integer_lengths)
{
	static const struct {
		double min, max;
		int il;
	} cases[] = {{0, 1, 0}, {0, 1.01, 1}, {-2, 1, 1}, {-2.5, 2, 2}, {-0.1, 0.3, -1}, {0, 0.25, -2}, {-300, 20, 9}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (int bits = 1; bits <= 16; bits *= 2) {
			const struct mch_format s = {.bits = bits, .is_signed = true};
			const struct mch_range range = {.min = cases[i].min, .max = cases[i].max}, *list = &range;
			ck_assert_int_eq(mch_fraction_choose(MCH_FRACTION_IL_LESS, 100, s, &list, 1), bits - cases[i].il);
			ck_assert_int_eq(mch_fraction_choose(MCH_FRACTION_IL, 100, s, &list, 1), bits - cases[i].il - 1);
		}
	const struct mch_range zeros = {0}, *list = &zeros; /* whose logarithm there is not */
	const struct mch_format s8 = {.bits = 8, .is_signed = true};
	ck_assert_int_eq(mch_fraction_choose(MCH_FRACTION_IL, 100, s8, &list, 1),
			 mch_fraction_choose(MCH_FRACTION_MAX, 100, s8, &list, 1));
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {truth_table, choices_table, integer_lengths};
	return CHECK_SUITE("profile", tests);
}

int main(void)
{
	return check_main(suite);
}
