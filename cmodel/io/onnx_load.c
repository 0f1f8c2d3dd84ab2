/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* An ONNX file as messages; see onnx_load.h. One pass copies the fields that the schema has, the large data excepted:
 * of these it keeps the place. protobuf-c then unpacks the copy. */
#include "io/onnx_load.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct skeleton {
	struct mch_wire *wire;
	uint8_t *bytes;
	size_t n_bytes, room;
};

/* A message of the format: the numbers of its fields that are kept, as bits, and those that are messages. */
struct level {
	uint32_t kept;
	struct {
		uint32_t number;
		const struct level *level;
	} inner[2];
};

static const struct level tensor = {1u << 1 | 1u << 2 | 1u << 4 | 1u << 5 | 1u << 7 | 1u << 8 | 1u << 9 | 1u << 10 |
					    1u << 11 | 1u << 13 | 1u << 14,
				    {{0, NULL}}};
static const struct level attribute = {
	1u << 1 | 1u << 2 | 1u << 3 | 1u << 4 | 1u << 5 | 1u << 7 | 1u << 8 | 1u << 20, {{5, &tensor}}};
static const struct level node = {1u << 1 | 1u << 2 | 1u << 3 | 1u << 4 | 1u << 5 | 1u << 6 | 1u << 7,
				  {{5, &attribute}}};
static const struct level graph = {1u << 1 | 1u << 2 | 1u << 5 | 1u << 11 | 1u << 12 | 1u << 13,
				   {{1, &node}, {5, &tensor}}};
static const struct level model = {1u << 1 | 1u << 2 | 1u << 3 | 1u << 7 | 1u << 8 | 1u << 14, {{7, &graph}}};

enum { FLOAT_DATA = 4, RAW_DATA = 9, DOUBLE_DATA = 10, FILE_AT = 18001, FILE_BYTES = 18002, LENGTH_BYTES = 5 };

static uint8_t *grow(struct skeleton *s, uint64_t n_bytes)
{
	if (n_bytes > MCH_ONNX_SKELETON_BYTES - s->n_bytes) {
		mch_wire_err(s->wire, "over %d bytes besides the large tensors; simplify the model",
			     MCH_ONNX_SKELETON_BYTES);
		return NULL;
	}
	if (s->n_bytes + n_bytes > s->room) {
		const size_t room = 2 * s->room + (size_t)n_bytes + 4096;
		uint8_t *more = realloc(s->bytes, room);
		if (!more) {
			mch_wire_err(s->wire, "out of memory; use a machine with more");
			return NULL;
		}
		s->bytes = more;
		s->room = room;
	}
	uint8_t *to = s->bytes + s->n_bytes;
	s->n_bytes += (size_t)n_bytes;
	return to;
}

static int put_varint(struct skeleton *s, uint64_t value)
{
	uint8_t *to = grow(s, mch_wire_varint_size(value));
	for (; to && value >= 0x80; value >>= 7)
		*to++ = (uint8_t)(value | 0x80);
	if (to)
		*to = (uint8_t)value;
	return to ? 0 : -1;
}

static int put_key(struct skeleton *s, uint32_t number, enum mch_wire_type type)
{
	return put_varint(s, (uint64_t)number << 3 | type);
}

static int put_fixed(struct skeleton *s, uint64_t value, size_t n_bytes)
{
	uint8_t *to = grow(s, n_bytes);
	for (size_t i = 0; to && i < n_bytes; i++)
		to[i] = (uint8_t)(value >> (8 * i));
	return to ? 0 : -1;
}

static int copy_field(struct skeleton *s, const struct mch_wire_field *field)
{
	if (put_key(s, field->number, field->type) != 0)
		return -1;
	if (field->type == MCH_WIRE_VARINT)
		return put_varint(s, field->value);
	if (field->type != MCH_WIRE_LEN)
		return put_fixed(s, field->value, field->type == MCH_WIRE_I32 ? 4 : 8);
	if (put_varint(s, field->n_bytes) != 0)
		return -1;
	uint8_t *to = grow(s, field->n_bytes);
	return to ? mch_wire_bytes(s->wire, to, field->n_bytes) : -1;
}

static const struct level *inner_level(const struct level *level, const struct mch_wire_field *field)
{
	for (int i = 0; i < 2; i++)
		if (level->inner[i].level && level->inner[i].number == field->number)
			return level->inner[i].level;
	return NULL;
}

/* float_data and double_data that are packed have the bytes that raw_data would have. */
static bool is_large_data(const struct level *level, const struct mch_wire_field *field)
{
	return level == &tensor && field->type == MCH_WIRE_LEN && field->n_bytes > MCH_ONNX_INLINE_BYTES &&
	       (field->number == RAW_DATA || field->number == FLOAT_DATA || field->number == DOUBLE_DATA);
}

static int copy_message(struct skeleton *s, const struct level *level);

/* A message shrinks in the copy: its length has room for every number and is filled in afterwards. */
static int copy_inner(struct skeleton *s, const struct mch_wire_field *field, const struct level *level)
{
	if (put_key(s, field->number, MCH_WIRE_LEN) != 0 || !grow(s, LENGTH_BYTES) ||
	    mch_wire_enter(s->wire, field) != 0)
		return -1;
	const size_t begin = s->n_bytes;
	if (copy_message(s, level) != 0)
		return -1;
	size_t length = s->n_bytes - begin;
	for (size_t i = LENGTH_BYTES; i > 0; i--, length >>= 7)
		s->bytes[begin - i] = (uint8_t)((length & 0x7f) | (i > 1 ? 0x80 : 0));
	mch_wire_leave(s->wire);
	return 0;
}

/* The levels name each other downwards only: no recursion deeper than they are. */
static int copy_message(struct skeleton *s, const struct level *level)
{
	struct mch_wire_field field;
	uint64_t file_at = 0, file_bytes = 0;
	int more;
	while ((more = mch_wire_next(s->wire, &field)) > 0) {
		const struct level *inner = inner_level(level, &field);
		if (field.number >= 32 || !(level->kept >> field.number & 1))
			continue;
		if (is_large_data(level, &field)) {
			if (file_bytes > 0)
				return mch_wire_err(s->wire, "a tensor has its data twice; the file is damaged, "
							     "export it again");
			file_at = field.at;
			file_bytes = field.n_bytes;
		} else if ((inner ? copy_inner(s, &field, inner) : copy_field(s, &field)) != 0) {
			return -1;
		}
	}
	if (more < 0 || file_bytes == 0)
		return more;
	return put_key(s, FILE_AT, MCH_WIRE_VARINT) != 0 || put_varint(s, file_at) != 0 ||
			       put_key(s, FILE_BYTES, MCH_WIRE_VARINT) != 0 || put_varint(s, file_bytes) != 0
		       ? -1
		       : 0;
}

int mch_onnx_load(struct mch_onnx_load *load, struct mch_err *err)
{
	struct skeleton s = {.wire = &load->wire};
	load->model = NULL;
	int status = copy_message(&s, &model);
	if (status == 0) {
		load->model =
			mch_onnx__model_proto__unpack(NULL, s.n_bytes, s.bytes ? s.bytes : (const uint8_t *)"");
		if (!load->model)
			status = mch_err_set(err, load->wire.path,
					     "is no ONNX model, or damaged or cut off; export it again");
	}
	free(s.bytes);
	return status;
}

void mch_onnx_unload(struct mch_onnx_load *load)
{
	if (load->model)
		mch_onnx__model_proto__free_unpacked(load->model, NULL);
	load->model = NULL;
	mch_wire_close(&load->wire);
}
