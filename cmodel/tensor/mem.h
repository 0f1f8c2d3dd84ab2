/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Memory images for $readmemh: one word a line, hexadecimal, shape, order and format in a leading comment.
 * Host only: no RTL twin. Spec: docs/vectors.md "Memory images". */
#ifndef MCH_TENSOR_MEM_H
#define MCH_TENSOR_MEM_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

/* `bits` 1..64 per word, two's complement, ceil(bits / 4) digits. `comment` is one or more lines without the "// ".
 * The last comment line, "// crc32 xxxxxxxx", covers every byte of the words' lines. */
int mch_mem_write(FILE *stream, const char *comment, const int64_t *words, size_t n_words, int bits,
		  struct mch_err *err);

/* Reads exactly n_words words of `bits` bits, sign-extended when is_signed; anything else, or a wrong checksum, is an
 * error. path is for messages. */
int mch_mem_read(FILE *stream, const char *path, int64_t *words, size_t n_words, int bits, int is_signed,
		 struct mch_err *err);

#endif
