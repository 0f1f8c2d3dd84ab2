/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Reading the protobuf wire format; see wire.h. Files are opened by wire_open.c. */
#include "io/wire.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/require.h"

int mch_wire_err(const struct mch_wire *wire, const char *what, ...)
{
	char text[512];
	va_list args;
	va_start(args, what);
	vsnprintf(text, sizeof(text), what, args);
	va_end(args);
	return mch_err_set(wire->err, wire->path, "byte %llu: %s", (unsigned long long)wire->at, text);
}

/* n bytes at offset `at`, all of them or -1. */
static int read_at(struct mch_wire *wire, uint64_t at, void *to, size_t n_bytes)
{
	unsigned char *bytes = to;
	if (wire->memory) {
		memcpy(bytes, wire->memory + at, n_bytes);
		return 0;
	}
	while (n_bytes > 0) {
		const ssize_t n = pread(wire->fd, bytes, n_bytes, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return mch_err_set(wire->err, wire->path, "cannot be read (%s); check the file and its disk",
					   strerror(errno));
		if (n == 0)
			return mch_wire_err(wire, "the file has become shorter while it was read; try again");
		bytes += n, n_bytes -= (size_t)n, at += (uint64_t)n;
	}
	return 0;
}

/* The caller has checked that they lie within the file. */
static int take(struct mch_wire *wire, void *to, size_t n_bytes)
{
	unsigned char *bytes = to;
	const size_t skip = wire->at >= wire->buffer_at && wire->at - wire->buffer_at < wire->n_buffered
				    ? (size_t)(wire->at - wire->buffer_at)
				    : wire->n_buffered;
	size_t n = wire->n_buffered - skip;
	n = n < n_bytes ? n : n_bytes;
	memcpy(bytes, wire->buffer + skip, n);
	wire->at += n, bytes += n, n_bytes -= n;
	if (n_bytes == 0)
		return 0;
	if (n_bytes < MCH_WIRE_BUFFER_BYTES && !wire->memory) {
		const uint64_t left = wire->n_bytes - wire->at;
		wire->n_buffered = 0; /* nothing, should the read fail */
		n = left < MCH_WIRE_BUFFER_BYTES ? (size_t)left : MCH_WIRE_BUFFER_BYTES;
		if (read_at(wire, wire->at, wire->buffer, n) != 0)
			return -1;
		wire->buffer_at = wire->at;
		wire->n_buffered = n;
		memcpy(bytes, wire->buffer, n_bytes);
	} else if (read_at(wire, wire->at, bytes, n_bytes) != 0) {
		return -1;
	}
	wire->at += n_bytes;
	return 0;
}

/* A number of n_bytes, little endian, below `end`. */
static int take_fixed(struct mch_wire *wire, size_t n_bytes, uint64_t end, uint64_t *value)
{
	unsigned char bytes[8];
	if (end - wire->at < n_bytes)
		return mch_wire_err(wire, "a value goes past the end of its message; the file is damaged, take it "
					  "anew");
	if (take(wire, bytes, n_bytes) != 0)
		return -1;
	*value = 0;
	for (size_t i = n_bytes; i-- > 0;)
		*value = *value << 8 | bytes[i];
	return 0;
}

static int take_varint(struct mch_wire *wire, uint64_t end, uint64_t *value)
{
	*value = 0;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		unsigned char byte;
		if (wire->at == end)
			return mch_wire_err(wire, "a number goes past the end of its message; the file is damaged, "
						  "take it anew");
		if (take(wire, &byte, 1) != 0)
			return -1;
		*value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return 0;
	}
	return mch_wire_err(wire, "a number has over 10 bytes; is it the right file?");
}

int mch_wire_next(struct mch_wire *wire, struct mch_wire_field *field)
{
	uint64_t key;
	if (wire->value_end > wire->at)
		wire->at = wire->value_end;
	wire->value_end = 0;
	if (wire->at >= wire->end)
		return 0;
	if (take_varint(wire, wire->end, &key) != 0)
		return -1;
	memset(field, 0, sizeof(*field));
	field->number = (uint32_t)(key >> 3);
	field->type = (enum mch_wire_type)(key & 7);
	if (key >> 3 == 0 || key >> 3 >= UINT64_C(1) << 29)
		return mch_wire_err(wire, "no field has the number %llu; is it the right file?",
				    (unsigned long long)(key >> 3));
	switch (key & 7) {
	case MCH_WIRE_VARINT:
		return take_varint(wire, wire->end, &field->value) != 0 ? -1 : 1;
	case MCH_WIRE_I64:
		return take_fixed(wire, 8, wire->end, &field->value) != 0 ? -1 : 1;
	case MCH_WIRE_I32:
		return take_fixed(wire, 4, wire->end, &field->value) != 0 ? -1 : 1;
	case MCH_WIRE_LEN:
		break;
	default:
		return mch_wire_err(wire, "field %u has the wire type %u, which is not used; is it the right file?",
				    field->number, (unsigned)(key & 7));
	}
	if (take_varint(wire, wire->end, &field->n_bytes) != 0)
		return -1;
	if (field->n_bytes > wire->end - wire->at)
		return mch_wire_err(wire,
				    "field %u has %llu bytes, its message has %llu left; the file is cut or "
				    "damaged, take "
				    "it anew",
				    field->number, (unsigned long long)field->n_bytes,
				    (unsigned long long)(wire->end - wire->at));
	field->at = wire->at;
	wire->value_end = wire->at + field->n_bytes;
	return 1;
}

static int want_len(const struct mch_wire *wire, const struct mch_wire_field *field)
{
	if (field->type == MCH_WIRE_LEN)
		return 0;
	return mch_wire_err(wire, "field %u is a number where bytes are expected; is it the right file?",
			    field->number);
}

int mch_wire_enter(struct mch_wire *wire, const struct mch_wire_field *field)
{
	if (want_len(wire, field) != 0)
		return -1;
	MCH_REQUIRE(wire->at == field->at && wire->value_end == field->at + field->n_bytes, "only the field that "
											    "next() gave last can "
											    "be entered");
	if (wire->depth == MCH_WIRE_DEPTH_MAX)
		return mch_wire_err(wire, "messages are nested over %d deep; is it the right file?",
				    MCH_WIRE_DEPTH_MAX);
	wire->outer[wire->depth++] = wire->end;
	wire->end = wire->value_end;
	wire->value_end = 0;
	return 0;
}

void mch_wire_leave(struct mch_wire *wire)
{
	MCH_REQUIRE(wire->depth > 0, "leave() belongs to an enter()");
	wire->at = wire->end;
	wire->end = wire->outer[--wire->depth];
	wire->value_end = 0;
}

int mch_wire_seek(struct mch_wire *wire, uint64_t at, uint64_t n_bytes)
{
	if (at > wire->n_bytes || n_bytes > wire->n_bytes - at)
		return mch_wire_err(wire,
				    "%llu bytes at %llu are past the end of the file; the file is cut, take it anew",
				    (unsigned long long)n_bytes, (unsigned long long)at);
	wire->at = at;
	wire->end = at + n_bytes;
	wire->value_end = 0;
	wire->depth = 0;
	return 0;
}

int mch_wire_seek_bytes(struct mch_wire *wire, uint64_t at, uint64_t n_bytes)
{
	if (mch_wire_seek(wire, at, n_bytes) != 0)
		return -1;
	wire->value_end = wire->end;
	return 0;
}

uint64_t mch_wire_left(const struct mch_wire *wire)
{
	return wire->value_end > wire->at ? wire->value_end - wire->at : 0;
}

int mch_wire_bytes(struct mch_wire *wire, void *to, uint64_t n_bytes)
{
	if (n_bytes > mch_wire_left(wire))
		return mch_wire_err(wire,
				    "%llu bytes are expected, %llu are left; the file is damaged, take it anew",
				    (unsigned long long)n_bytes, (unsigned long long)mch_wire_left(wire));
	return take(wire, to, (size_t)n_bytes);
}

char *mch_wire_text(struct mch_wire *wire, const struct mch_wire_field *field)
{
	if (want_len(wire, field) != 0)
		return NULL;
	if (field->n_bytes > MCH_WIRE_TEXT_MAX) {
		mch_wire_err(wire, "a name has %llu bytes; is it the right file?",
			     (unsigned long long)field->n_bytes);
		return NULL;
	}
	char *text = malloc((size_t)field->n_bytes + 1);
	if (!text) {
		mch_wire_err(wire, "out of memory; use a machine with more");
		return NULL;
	}
	if (mch_wire_bytes(wire, text, field->n_bytes) != 0) {
		free(text);
		return NULL;
	}
	text[field->n_bytes] = '\0';
	if (strlen(text) != field->n_bytes) {
		mch_wire_err(wire, "a name holds a NUL; the file is damaged, take it anew");
		free(text);
		return NULL;
	}
	return text;
}

int mch_wire_count(struct mch_wire *wire, const struct mch_wire_field *field, size_t elem_bytes, uint64_t *n)
{
	*n = 1;
	if (field->type == (elem_bytes == 4 ? MCH_WIRE_I32 : MCH_WIRE_I64))
		return 0;
	if (field->type != MCH_WIRE_LEN || field->n_bytes % elem_bytes)
		return mch_wire_err(wire, "field %u is no list of %zu-byte values; is it the right file?",
				    field->number, elem_bytes);
	*n = field->n_bytes / elem_bytes;
	return 0;
}

static int too_many(const struct mch_wire *wire, const struct mch_wire_field *field, size_t room)
{
	return mch_wire_err(wire, "field %u has over %zu values; the file is damaged, take it anew", field->number,
			    room);
}

/* Four bytes as they lie in the file become a float. */
static void to_host(float *value)
{
	unsigned char b[4];
	memcpy(b, value, sizeof(b));
	const uint32_t bits = b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
	memcpy(value, &bits, sizeof(bits));
}

int mch_wire_floats(struct mch_wire *wire, const struct mch_wire_field *field, float *to, size_t room, size_t *n)
{
	uint64_t more;
	if (mch_wire_count(wire, field, 4, &more) != 0)
		return -1;
	if (more > room - *n)
		return too_many(wire, field, room);
	to += *n;
	if (field->type == MCH_WIRE_I32) {
		const uint32_t bits = (uint32_t)field->value;
		memcpy(to, &bits, sizeof(bits));
	} else if (mch_wire_bytes(wire, to, field->n_bytes) != 0) {
		return -1;
	} else {
		for (size_t i = 0; i < more; i++) /* in place, and nothing to do on a little endian machine */
			to_host(&to[i]);
	}
	*n += (size_t)more;
	return 0;
}

int mch_wire_doubles(struct mch_wire *wire, const struct mch_wire_field *field, float *to, size_t room, size_t *n)
{
	uint64_t more;
	if (mch_wire_count(wire, field, 8, &more) != 0)
		return -1;
	if (more > room - *n)
		return too_many(wire, field, room);
	for (uint64_t i = 0; i < more; i++) {
		uint64_t bits = field->value;
		double value;
		if (field->type == MCH_WIRE_LEN && take_fixed(wire, 8, wire->value_end, &bits) != 0)
			return -1;
		memcpy(&value, &bits, sizeof(value));
		to[(*n)++] = (float)value;
	}
	return 0;
}

int mch_wire_ints(struct mch_wire *wire, const struct mch_wire_field *field, int64_t *to, size_t room, size_t *n)
{
	if (field->type != MCH_WIRE_VARINT && field->type != MCH_WIRE_LEN)
		return mch_wire_err(wire, "field %u is no list of whole numbers; is it the right file?",
				    field->number);
	const int is_packed = field->type == MCH_WIRE_LEN;
	for (int i = 0; is_packed ? mch_wire_left(wire) > 0 : i < 1; i++) {
		uint64_t value = field->value;
		if (is_packed && take_varint(wire, wire->value_end, &value) != 0)
			return -1;
		if (*n == room)
			return too_many(wire, field, room);
		memcpy(&to[(*n)++], &value, sizeof(value)); /* two's complement on the wire, and here */
	}
	return 0;
}
