/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The one mismatch report, whoever finds the mismatch: unit test, `ver`, or bench. Host only: no RTL twin. */
#ifndef MCH_TENSOR_REPORT_H
#define MCH_TENSOR_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "fxp/format.h"

/* One named value. The hexadecimal form has format.bits bits; the real form is shown when is_real. */
struct mch_field {
	const char *name;
	int64_t value;
	struct mch_format format;
	bool is_real;
};

struct mch_mismatch {
	const char *where;  /* "requant.vec:1742" or "tb_requant" */
	const char *module; /* "mch_requant" */
	uint64_t case_number, seed;
	const struct mch_field *in, *want, *got;
	int n_in, n_out; /* want and got have n_out fields each, in the same order */
	const char *at;   /* NULL, or layer, position, cycle, hierarchical name */
	const char *hint; /* NULL, or the likely cause */
	const char *redo; /* NULL, or the command that repeats it */
};

/* Prints the report in the form of docs/datapath.md "Mismatch". After the first differing field, its distance is given
 * in units of the last place (+1 lsb: got is larger). */
void mch_mismatch_print(FILE *stream, const struct mch_mismatch *m);

#endif
