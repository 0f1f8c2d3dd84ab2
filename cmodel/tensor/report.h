/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The one mismatch report, whoever finds the mismatch: unit test, `ver`, or bench. Host only: no RTL twin. */
#ifndef MCH_TENSOR_REPORT_H
#define MCH_TENSOR_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "fxp/format.h"

/* One named value. The hexadecimal form has format.bits bits (of a minifloat those of memory); one bit is shown as the digit
 * alone, more with the decimal value of the code, and with the real value too when is_real. */
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
	int n_in, n_out;  /* want and got have n_out fields each, in the same order */
	const char *at;   /* NULL, or layer, position, cycle, hierarchical name */
	const char *hint; /* NULL, or the likely cause */
	const char *see;  /* NULL or empty, or files that show it: waves, the smallest case */
	const char *redo; /* NULL, or the command that repeats it */
};

/* Prints the report; its form is that of docs/datapath.md "Mismatch". The line `got` ends with the distance of the
 * first differing field in units of its last place (+1 lsb: got is larger). Values are cut to their format's width in
 * the hexadecimal form and shown whole in the decimal one. */
void mch_mismatch_print(FILE *stream, const struct mch_mismatch *m);

#endif
