/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The protobuf wire format as a stream of fields: no schema, no message in memory, whatever the file's size.
 * Host only: no RTL twin. Source: the Encoding chapter of the Protocol Buffers documentation. */
#ifndef MCH_IO_WIRE_H
#define MCH_IO_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

enum mch_wire_type {
	MCH_WIRE_VARINT = 0, /* ints, bools, enums */
	MCH_WIRE_I64 = 1,    /* double */
	MCH_WIRE_LEN = 2,    /* messages, strings, bytes, packed lists */
	MCH_WIRE_I32 = 5,    /* float */
};

struct mch_wire_field {
	uint32_t number;
	enum mch_wire_type type;
	uint64_t value;   /* of VARINT, I32 and I64, as bits */
	uint64_t at;      /* LEN: the offset of its first byte in the file */
	uint64_t n_bytes; /* LEN: proven to lie within the enclosing message and the file */
};

enum { MCH_WIRE_DEPTH_MAX = 32, MCH_WIRE_BUFFER_BYTES = 1 << 16, MCH_WIRE_TEXT_MAX = 1 << 16 };

/* Every function below that returns an int gives -1 with the err of mch_wire_open: "PATH: byte 1234: ...". */
struct mch_wire {
	const char *path; /* for messages, kept by the caller */
	FILE *spool;      /* a pipe is copied to a temporary file, so that offsets mean something */
	int fd;
	const unsigned char *memory; /* the bytes of mch_wire_open_bytes */
	uint64_t n_bytes;   /* of the file */
	uint64_t at;        /* offset of the next byte to read */
	uint64_t end;       /* of the message that next() walks */
	uint64_t value_end; /* of the LEN field that next() gave last: what is not read of it is skipped */
	uint64_t outer[MCH_WIRE_DEPTH_MAX]; /* ends of the messages around it */
	int depth;
	struct mch_err *err;
	uint64_t buffer_at; /* offset of buffer[0] */
	size_t n_buffered;
	unsigned char buffer[MCH_WIRE_BUFFER_BYTES];
};

/* path may be "-". 0, or -1. After a failure nothing is left open. */
int mch_wire_open(struct mch_wire *wire, const char *path, struct mch_err *err);
/* Bytes that are in memory already, kept by the caller; path names them in messages. */
void mch_wire_open_bytes(struct mch_wire *wire, const char *path, const void *bytes, size_t n_bytes,
			 struct mch_err *err);
void mch_wire_close(struct mch_wire *wire); /* safe after a failed open */

/* The next field of the message: 1, 0 at its end, or -1. A LEN field may be entered, read, or left alone. */
int mch_wire_next(struct mch_wire *wire, struct mch_wire_field *field);

/* The LEN field that next() gave last is a message: next() walks it until leave(), which skips what is left of it. */
int mch_wire_enter(struct mch_wire *wire, const struct mch_wire_field *field);
void mch_wire_leave(struct mch_wire *wire);

/* Go to the message in bytes [at, at + n_bytes) of the file, a LEN field found earlier; nothing encloses it then.
 * at 0 and n_bytes wire->n_bytes: the whole file again. */
int mch_wire_seek(struct mch_wire *wire, uint64_t at, uint64_t n_bytes);

/* Go to a LEN field found earlier, as if next() had given it last: mch_wire_bytes reads it. */
int mch_wire_seek_bytes(struct mch_wire *wire, uint64_t at, uint64_t n_bytes);

/* The next n_bytes of the LEN field that next() gave last; more than it has left is refused. In pieces as small as
 * the caller likes. */
int mch_wire_bytes(struct mch_wire *wire, void *to, uint64_t n_bytes);
/* Bytes of it that are not read yet. */
uint64_t mch_wire_left(const struct mch_wire *wire);
/* The whole LEN field as text, owned by the caller. NULL with err: over MCH_WIRE_TEXT_MAX bytes, or a NUL in it. */
char *mch_wire_text(struct mch_wire *wire, const struct mch_wire_field *field);

/* Elements of a repeated field of that type, packed (LEN) or one by one: appended to to[*n], and *n grows. Over
 * `room` elements, and another wire type, are refused. mch_wire_count tells how much room is needed. */
int mch_wire_floats(struct mch_wire *wire, const struct mch_wire_field *field, float *to, size_t room, size_t *n);
/* double on the wire, rounded to float. */
int mch_wire_doubles(struct mch_wire *wire, const struct mch_wire_field *field, float *to, size_t room, size_t *n);
/* int32, int64, enum, bool and their unsigned kin. */
int mch_wire_ints(struct mch_wire *wire, const struct mch_wire_field *field, int64_t *to, size_t room, size_t *n);
/* Elements of elem_bytes (4: I32, 8: I64) that the field holds. */
int mch_wire_count(struct mch_wire *wire, const struct mch_wire_field *field, size_t elem_bytes, uint64_t *n);

/* "PATH: byte N: WHAT"; returns -1. N is the offset of the next byte. */
int mch_wire_err(const struct mch_wire *wire, const char *what, ...) __attribute__((format(printf, 2, 3)));

/* Writing, wire_put.c. A message's length comes before it, so its writer adds up sizes first. Failures stay with the
 * stream; mch_outfile_commit finds them. */
size_t mch_wire_varint_size(uint64_t value);
size_t mch_wire_uint_size(uint32_t number, uint64_t value);    /* key and value */
uint64_t mch_wire_len_size(uint32_t number, uint64_t n_bytes); /* key, length and the bytes */
void mch_wire_put_uint(FILE *stream, uint32_t number, uint64_t value);
void mch_wire_put_float(FILE *stream, uint32_t number, float value);    /* 4 bytes behind its key */
void mch_wire_put_len(FILE *stream, uint32_t number, uint64_t n_bytes); /* the key and length of what follows */
void mch_wire_put_text(FILE *stream, uint32_t number, const char *text);
void mch_wire_put_varint(FILE *stream, uint64_t value);
/* The bytes of n floats in a packed field, or a tensor's raw data: little endian. */
void mch_wire_put_floats(FILE *stream, const float *from, size_t n);

#endif
