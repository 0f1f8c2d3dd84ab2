/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Oracle of the number kinds: written from docs/datapath.md alone. All numbers of a format are listed in rising order, and a
 * value is compared with every one. It shares no code with cmodel/; `kind` is the number in the document. */
#ifndef MCH_TESTS_ORACLE_SLOW_NUMBER_H
#define MCH_TESTS_ORACLE_SLOW_NUMBER_H

#include "oracle/slow_fxp.h"

/* All integers of the format, rising: their count, at most 2^16. code_of_first is the code of the lowest. */
int slow_number_list(int kind, int bits, int exp_bits, bool is_signed, int64_t *list, int64_t *code_of_first);

/* v * 2^-shift to the place in the list, -1 or n where it would round to a step beyond an end. */
int slow_number_place(const int64_t *list, int n, int64_t code_of_first, slow_int v, int shift, int mode,
		      uint32_t noise);

#endif
