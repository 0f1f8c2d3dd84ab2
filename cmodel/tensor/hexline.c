/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Lines of hexadecimal words; see hexline.h. */
#include "tensor/hexline.h"

#include <stdlib.h>
#include <string.h>

static const char hex[] = "0123456789abcdef";

int mch_line_read(FILE *stream, char **text, size_t *text_bytes, const char **fault)
{
	size_t used = 0;
	for (;;) {
		const int c = getc_unlocked(stream); /* one thread reads a stream */
		if (used == *text_bytes) {
			const size_t room = used ? 2 * used : 256;
			char *grown = room <= MCH_LINE_BYTES_MAX ? realloc(*text, room) : NULL;
			if (!grown) {
				*fault = "the line is too long";
				return -1;
			}
			*text = grown;
			*text_bytes = room;
		}
		(*text)[used] = '\0';
		if (c == '\n')
			return 1;
		if (c == EOF) {
			*fault = ferror(stream) ? "the file cannot be read" : "the last line has no newline";
			return ferror(stream) || used ? -1 : 0;
		}
		if (c == '\0') {
			*fault = "the line holds a zero byte";
			return -1;
		}
		(*text)[used++] = (char)c;
	}
}

void mch_hex_put(char *digits, const int64_t *values, int count, int bits)
{
	char *p = digits + mch_hex_digits(count, bits);
	unsigned nibble = 0;
	int fill = 0; /* bits of nibble in use */
	*p = '\0';
	for (int i = 0; i < count; i++) {
		uint64_t v = (uint64_t)values[i];
		for (int left = bits, take; left > 0; left -= take, v >>= take) {
			take = left < 4 - fill ? left : 4 - fill;
			nibble |= (unsigned)(v & ((1u << take) - 1)) << fill;
			fill += take;
			if (fill == 4) {
				*--p = hex[nibble];
				nibble = 0;
				fill = 0;
			}
		}
	}
	if (fill)
		*--p = hex[nibble];
}

int mch_hex_get(const char *digits, int64_t *values, int count, int bits, bool is_signed, const char **fault)
{
	const char *p = digits + mch_hex_digits(count, bits);
	unsigned nibble = 0;
	int fill = 0; /* bits of nibble not yet used */
	for (int i = 0; i < count; i++) {
		uint64_t v = 0;
		for (int have = 0, take; have < bits; have += take) {
			if (fill == 0) {
				const int c = *--p;
				if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) {
					*fault = "a character is no digit of 0-9 a-f";
					return -1;
				}
				nibble = (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
				fill = 4;
			}
			take = bits - have < fill ? bits - have : fill;
			v |= (uint64_t)(nibble & ((1u << take) - 1)) << have;
			nibble >>= take;
			fill -= take;
		}
		if (is_signed && bits < 64 && (v >> (bits - 1) & 1))
			v |= ~UINT64_C(0) << bits;
		values[i] = (int64_t)v;
	}
	if (nibble) {
		*fault = "a padding bit above the word is set";
		return -1;
	}
	return 0;
}
