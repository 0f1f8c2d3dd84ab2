/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* One case of the ONNX backend tests: a folder with model.onnx and test_data_set_<i>/{input,output}_<j>.pb. */
#ifndef MCH_TESTS_CONFORMANCE_CASE_H
#define MCH_TESTS_CONFORMANCE_CASE_H

#include <stdbool.h>

enum verdict { PASS, NO_OPERATOR, NO_FORM, FAIL };

struct result {
	enum verdict verdict;
	char text[512];     /* NO_OPERATOR: the operators; NO_FORM: "Op: why"; FAIL: what differs */
	bool is_one_image;  /* read without a batch */
	int n_runs, n_fast; /* outputs compared, and those that the fast engine has computed too */
};

/* The suite's own runner compares by |a - b| <= 1e-7 + 1e-3 |b| (b: what we compute), and so does this. */
void run_case(const char *folder, struct result *result);

#endif
