/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Lines of hexadecimal words: what vectors and memory images have in common. Host only: no RTL twin.
 * Spec: docs/vectors.md "Words". */
#ifndef MCH_TENSOR_HEXLINE_H
#define MCH_TENSOR_HEXLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { MCH_LINE_BYTES_MAX = 1 << 20 }; /* more than the longest line of sixteen words of 65536 bits */

/* Reads a line into *text, which grows as needed (owned by the caller, begin with NULL and 0), without its newline.
 * 1: a line; 0: the end of the file; -1: *fault says what is wrong with the line. */
int mch_line_read(FILE *stream, char **text, size_t *text_bytes, const char **fault);

/* Digits of `count` elements of `bits` bits. */
static inline int mch_hex_digits(int count, int bits)
{
	return (count * bits + 3) / 4;
}

/* Packs values into one word of mch_hex_digits() digits and a NUL: element 0 in the lowest bits, two's complement,
 * 1..64 bits each; zeros above. */
void mch_hex_put(char *digits, const int64_t *values, int count, int bits);

/* The way back from exactly mch_hex_digits() digits. 0, or -1: *fault says what is wrong. */
int mch_hex_get(const char *digits, int64_t *values, int count, int bits, bool is_signed, const char **fault);

#endif
