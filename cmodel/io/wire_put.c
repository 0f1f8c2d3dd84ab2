/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Writing the protobuf wire format; see wire.h. */
#include "io/wire.h"

#include <string.h>

static uint64_t key_of(uint32_t number, enum mch_wire_type type)
{
	return (uint64_t)number << 3 | (uint64_t)type;
}

size_t mch_wire_varint_size(uint64_t value)
{
	size_t n = 1;
	for (; value >= 0x80; value >>= 7)
		n++;
	return n;
}

size_t mch_wire_uint_size(uint32_t number, uint64_t value)
{
	return mch_wire_varint_size(key_of(number, MCH_WIRE_VARINT)) + mch_wire_varint_size(value);
}

uint64_t mch_wire_len_size(uint32_t number, uint64_t n_bytes)
{
	return mch_wire_varint_size(key_of(number, MCH_WIRE_LEN)) + mch_wire_varint_size(n_bytes) + n_bytes;
}

void mch_wire_put_varint(FILE *stream, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		putc((int)(value & 0x7f) | 0x80, stream);
	putc((int)value, stream);
}

void mch_wire_put_uint(FILE *stream, uint32_t number, uint64_t value)
{
	mch_wire_put_varint(stream, key_of(number, MCH_WIRE_VARINT));
	mch_wire_put_varint(stream, value);
}

void mch_wire_put_float(FILE *stream, uint32_t number, float value)
{
	mch_wire_put_varint(stream, key_of(number, MCH_WIRE_I32));
	mch_wire_put_floats(stream, &value, 1);
}

void mch_wire_put_len(FILE *stream, uint32_t number, uint64_t n_bytes)
{
	mch_wire_put_varint(stream, key_of(number, MCH_WIRE_LEN));
	mch_wire_put_varint(stream, n_bytes);
}

void mch_wire_put_text(FILE *stream, uint32_t number, const char *text)
{
	const size_t n = strlen(text);
	mch_wire_put_len(stream, number, n);
	fwrite(text, 1, n, stream);
}

void mch_wire_put_floats(FILE *stream, const float *from, size_t n)
{
	enum { AT_ONCE = 1024 };
	unsigned char bytes[AT_ONCE * 4];
	for (size_t done = 0; done < n;) {
		const size_t part = n - done < AT_ONCE ? n - done : AT_ONCE;
		for (size_t i = 0; i < part; i++) {
			uint32_t bits;
			memcpy(&bits, &from[done + i], sizeof(bits));
			for (int b = 0; b < 4; b++)
				bytes[4 * i + (size_t)b] = (unsigned char)(bits >> (8 * b));
		}
		fwrite(bytes, 4, part, stream);
		done += part;
	}
}
