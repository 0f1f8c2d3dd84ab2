/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The error value: its form, and that it stays within its bounds. */
#include "base/err.h"

#include <string.h>

#include "check_main.h"

START_TEST(form)
{
	struct mch_err err;
	ck_assert_int_eq(
		mch_err_set(&err, "squeeze.caffemodel", "%d weights expected, %d found; take both from one", 4, 3),
		-1);
	ck_assert_str_eq(err.text, "squeeze.caffemodel: 4 weights expected, 3 found; take both from one");
	ck_assert_int_eq(mch_err_set(NULL, "a", "%d", 1), -1);
	mch_err_set(&err, "a\nb", "%s; c", "\033[31mred\t\177");
	ck_assert_str_eq(err.text, "a?b: ?[31mred??; c");
	mch_err_set(&err, "", "is no name; give one");
	ck_assert_str_eq(err.text, "\"\": is no name; give one");
}
END_TEST

START_TEST(too_long_is_cut)
{
	struct {
		struct mch_err err;
		char guard[8];
	} box;
	char longer[2000];
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	memcpy(box.guard, "guarded", 8);
	ck_assert_int_eq(mch_err_set(&box.err, "where", "%s", longer), -1);
	ck_assert_uint_eq(strlen(box.err.text), sizeof(box.err.text) - 1);
	ck_assert_int_eq(strncmp(box.err.text, "where: xxx", 10), 0);
	ck_assert_str_eq(box.guard, "guarded");
	/* Of a path the end is kept, and all that is said of it. */
	strcpy(longer + sizeof(longer) - 6, "/file");
	ck_assert_int_eq(mch_err_set(&box.err, longer, "is %s; make another", "bad"), -1);
	ck_assert_int_eq(strncmp(box.err.text, "...xxx", 6), 0);
	ck_assert_ptr_nonnull(strstr(box.err.text, "xxx/file: is bad; make another"));
	ck_assert_str_eq(box.guard, "guarded");
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {form, too_long_is_cut};
	return CHECK_SUITE("err", tests);
}

int main(void)
{
	return check_main(suite);
}
