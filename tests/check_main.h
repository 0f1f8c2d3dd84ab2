/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The main program of every unit test: `int main(void) { return check_main(suite); }`. */
#ifndef MCH_TESTS_CHECK_MAIN_H
#define MCH_TESTS_CHECK_MAIN_H

#include <check.h>
#include <stdlib.h>

/* Runs what make_suite() returns. 0 when every test passed, 1 when one failed, 99 (an error, never a pass) when
 * there was none. */
static inline int check_main(Suite *(*make_suite)(void))
{
	setenv("CK_DEFAULT_TIMEOUT", "600", 0); /* seconds; a sanitizer on a busy machine needs more than 4 */
	SRunner *runner = srunner_create(make_suite());
	srunner_run_all(runner, CK_NORMAL);
	const int n_run = srunner_ntests_run(runner), n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_run == 0 ? 99 : n_failed != 0;
}

/* A suite of one case with the given tests, as most files need it. */
static inline Suite *check_suite(const char *name, const TTest *const *tests, size_t n_tests)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	for (size_t i = 0; i < n_tests; i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	return suite;
}

#define CHECK_SUITE(name, tests) check_suite(name, tests, sizeof(tests) / sizeof((tests)[0]))

#endif
