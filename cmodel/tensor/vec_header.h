/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The header of a vector file as text: for vec.c alone. Host only: no RTL twin. Spec: docs/vectors.md "Header". */
#ifndef MCH_TENSOR_VEC_HEADER_H
#define MCH_TENSOR_VEC_HEADER_H

#include <stddef.h>

#include "tensor/vec.h"

enum { MCH_VEC_HEADER_BYTES_MAX = 2048 }; /* 21 lines: two of at most 266 bytes, the rest below 70 */

/* Checks the header and writes its text into buf (MCH_VEC_HEADER_BYTES_MAX bytes). 0, or -1 with err. */
int mch_vec_header_text(const struct mch_vec_header *h, char *buf, struct mch_err *err);

/* Takes line `line` (1, 2, ...) of the file into h, zeroed before the first.
 * 0: more lines follow; 1: the header is complete; -1: *fault says what is wrong. */
int mch_vec_header_parse(struct mch_vec_header *h, int line, const char *text, const char **fault);

#endif
