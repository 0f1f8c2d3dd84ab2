/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The mismatch report, to the letter. */
#include "tensor/report.h"

#include "check_main.h"

static const struct mch_format s32 = {32, 12, true}, u6 = {6, 0, false}, s8 = {8, 4, true}, bit = {1, 0, false};

static void prints(const struct mch_mismatch *m, const char *text)
{
	char *found;
	size_t n_bytes;
	FILE *stream = open_memstream(&found, &n_bytes);
	ck_assert_ptr_nonnull(stream);
	mch_mismatch_print(stream, m);
	fclose(stream);
	ck_assert_str_eq(found, text);
	free(found);
}

START_TEST(whole)
{
	const struct mch_field in[] = {{"acc", -14, s32, false}, {"shift", 3, u6, false}};
	const struct mch_field want[] = {{"y", -2, s8, true}, {"sat", 0, bit, false}};
	const struct mch_field got[] = {{"y", -1, s8, true}, {"sat", 0, bit, false}};
	const struct mch_mismatch m = {
		.where = "requant.vec:1742",
		.module = "mch_requant",
		.case_number = 1736,
		.seed = 1,
		.in = in,
		.want = want,
		.got = got,
		.n_in = 2,
		.n_out = 2,
		.at = "layer fire2/squeeze1x1  n=0 c=3 h=12 w=40   cycle 5211   mch_top.u_requant",
		.hint = "agrees if ties go up: rounding mode, docs/datapath.md \"Rounding\"",
		.see = "requant.gtkw",
		.redo = "./tb_requant --seed=1 --case=1736 --waves=requant.fst"};
	prints(&m, "requant.vec:1742: MISMATCH mch_requant, case 1736, seed 1\n"
		   "  in    acc=fffffff2 (-14)  shift=03 (3)\n"
		   "  want  y=fe (-2 = -0.125 s8.4)    sat=0\n"
		   "  got   y=ff (-1 = -0.0625 s8.4)   sat=0        +1 lsb\n"
		   "  at    layer fire2/squeeze1x1  n=0 c=3 h=12 w=40   cycle 5211   mch_top.u_requant\n"
		   "  hint  agrees if ties go up: rounding mode, docs/datapath.md \"Rounding\"\n"
		   "  see   requant.gtkw\n"
		   "  redo  ./tb_requant --seed=1 --case=1736 --waves=requant.fst\n");
}
END_TEST

START_TEST(only_what_is_known)
{
	const struct mch_field want = {"acc", INT64_C(-281474976710656), {49, 0, true}, false};
	const struct mch_field got = {"acc", INT64_C(281474976710655), {49, 0, true}, false};
	const struct mch_mismatch m = {
		.where = "tb_sat", .module = "mch_sat", .want = &want, .got = &got, .n_out = 1};
	prints(&m, "tb_sat: MISMATCH mch_sat, case 0, seed 0\n"
		   "  want  acc=1000000000000 (-281474976710656)\n"
		   "  got   acc=0ffffffffffff (281474976710655)        +562949953421311 lsb\n");
}
END_TEST

/* The distance is that of the first field that differs; a real value has the fewest digits that name it. */
START_TEST(columns)
{
	const struct mch_field want[] = {
		{"valid", 1, bit, false}, {"y", 100, {8, -3, false}, true}, {"z", -1, {3, 0, true}, false}};
	const struct mch_field got[] = {
		{"valid", 1, bit, false}, {"y", 7, {8, -3, false}, true}, {"z", 3, {3, 0, true}, false}};
	const struct mch_mismatch m = {.where = "a",
				       .module = "b",
				       .case_number = 18446744073709551615u,
				       .seed = 2,
				       .want = want,
				       .got = got,
				       .n_out = 3};
	prints(&m, "a: MISMATCH b, case 18446744073709551615, seed 2\n"
		   "  want  valid=1   y=64 (100 = 800 u8.-3)   z=7 (-1)\n"
		   "  got   valid=1   y=07 (7 = 56 u8.-3)      z=3 (3)        -93 lsb\n");
}
END_TEST

START_TEST(real_values)
{
	const struct mch_field want[] = {{"a", 1, {16, 20, true}, true}, {"b", 12345, {16, 15, true}, true}};
	const struct mch_field got[] = {{"a", 1, {16, 20, true}, true}, {"b", 12345, {16, 15, true}, true}};
	const struct mch_mismatch m = {.where = "a", .module = "b", .want = want, .got = got, .n_out = 2};
	prints(&m, "a: MISMATCH b, case 0, seed 0\n"
		   "  want  a=0001 (1 = 9.5367431640625e-07 s16.20)   b=3039 (12345 = 0.376739501953125 s16.15)\n"
		   "  got   a=0001 (1 = 9.5367431640625e-07 s16.20)   b=3039 (12345 = 0.376739501953125 s16.15)\n");
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {whole, only_what_is_known, columns, real_values};
	return CHECK_SUITE("report", tests);
}

int main(void)
{
	return check_main(suite);
}
