/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The table of names: many of them, of which none is lost or taken for another. */
#include "check_main.h"

#include <stdio.h>

#include "io/names.h"

enum { N = 20000 };

START_TEST(finds_what_was_set)
{
	struct mch_names names = {NULL, 0, 0};
	char name[32];
	ck_assert_ptr_null(mch_names_find(&names, "n1"));
	for (int i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		ck_assert_int_eq(mch_names_set(&names, name, i), 0);
		ck_assert_uint_eq(names.n, (size_t)i + 1);
	}
	for (int i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		ck_assert_ptr_nonnull(mch_names_find(&names, name));
		ck_assert_int_eq(*mch_names_find(&names, name), i);
	}
	ck_assert_ptr_null(mch_names_find(&names, "n20000"));
	ck_assert_ptr_null(mch_names_find(&names, ""));
	/* No more than half full: searches stay short. */
	ck_assert_uint_ge(names.n_room, 2 * names.n);
	mch_names_free(&names);
	ck_assert_ptr_null(mch_names_find(&names, "n1"));
}
END_TEST

START_TEST(sets_again)
{
	struct mch_names names = {NULL, 0, 0};
	ck_assert_int_eq(mch_names_set(&names, "", 1), 0);
	ck_assert_int_eq(mch_names_set(&names, "a", 2), 0);
	ck_assert_int_eq(mch_names_set(&names, "", 3), 0);
	ck_assert_uint_eq(names.n, 2);
	ck_assert_int_eq(*mch_names_find(&names, ""), 3);
	*mch_names_find(&names, "a") = 4;
	ck_assert_int_eq(*mch_names_find(&names, "a"), 4);
	mch_names_free(&names);
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {finds_what_was_set, sets_again};
	return CHECK_SUITE("names", tests);
}

int main(void)
{
	return check_main(suite);
}
