/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Golden vectors: text, one case a line, `inputs : outputs`, hexadecimal of fixed width. Host only: no RTL twin.
 * Spec: docs/vectors.md. */
#ifndef MCH_TENSOR_VEC_H
#define MCH_TENSOR_VEC_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "fxp/format.h"

enum {
	MCH_VEC_FIELDS_MAX = 16,
	MCH_VEC_WORD_BITS_MAX = 65536, /* a vector of that width is what IEEE 1364 promises in every simulator */
};

/* A column of the file. `count` elements of `format` in one hexadecimal word: element 0 in the lowest bits, each in
 * format.bits bits, two's complement (minifloats: sign and magnitude, as memory has them); the word is padded with zeros to
 * whole digits. */
struct mch_vec_field {
	char name[32];
	struct mch_format format;
	int count;
};

/* The typed header. Fields [0, n_in) are inputs, at least one, the rest outputs. Names are Verilog identifiers. */
struct mch_vec_header {
	char op[32];       /* "requant", "dot" */
	char comment[256]; /* free text in one line: layer, rounding, ... */
	char redo[256];    /* the exact command that recreates the file */
	int n_in, n_fields;
	struct mch_vec_field field[MCH_VEC_FIELDS_MAX];
	uint64_t n_cases;
};

/* Writer: header first (n_cases must be right), then each case, then the closing line with the checksum of all that
 * precedes it. A case is an array of pointers, one per field, each to `count` values that fit the format.
 * Each returns 0, or -1 with err: the stream is broken, or comment or redo is not one line of text. */
struct mch_vec_writer {
	FILE *stream;
	struct mch_vec_header header;
	uint32_t checksum; /* CRC-32 (IEEE 802.3) of every byte written so far */
	uint64_t n_written;
};
int mch_vec_write_begin(struct mch_vec_writer *out, FILE *stream, const struct mch_vec_header *header,
			struct mch_err *err);
int mch_vec_write_case(struct mch_vec_writer *out, const int64_t *const *values, struct mch_err *err);
int mch_vec_write_end(struct mch_vec_writer *out, struct mch_err *err);

/* Reader: begins at the first byte of the stream, and the file must end behind its closing line. It refuses a
 * malformed header, a field of another width, a digit that is none, a value of set padding bits, too few or too many
 * cases, and a wrong checksum: any byte of the file that changes is found. */
struct mch_vec_reader {
	FILE *stream;
	const char *path; /* for messages: PATH:LINE */
	int line;
	struct mch_vec_header header;
	uint32_t checksum;
	uint64_t n_read;
	char *text; /* line buffer, owned */
	size_t text_bytes;
	bool is_results; /* begun by mch_vec_results_begin */
};
/* Reads the header. 0, or -1 with err. The reader must be freed in either case. */
int mch_vec_read_begin(struct mch_vec_reader *in, FILE *stream, const char *path, struct mch_err *err);
/* 1: a case was read into values[field][...]; 0: the end, checksum and count right; -1: err. */
int mch_vec_read_case(struct mch_vec_reader *in, int64_t *const *values, struct mch_err *err);
void mch_vec_read_free(struct mch_vec_reader *in);

/* What a simulator prints of the cases it was given: "inputs : outputs", a line each. Lines that begin with "#" and a
 * simulator's farewell ("$finish") are passed over, digits may be capitals, and no checksum is asked for: the outputs are
 * there to be judged. Inputs must be codes of their formats; an output may be any word, a minifloat's of sign bit and zero is
 * read as -2^(bits-1), which is no code.
 *
 * begin: *has_header tells whether a header stands at the top; then it is in in->header, otherwise the caller puts there what
 * is expected (redo, fields; n_cases, or 0 for any number). 0, or -1 with err. To be freed in either case.
 * case: 1, or 0 at the end, where n_cases must have been reached, or -1. */
int mch_vec_results_begin(struct mch_vec_reader *in, FILE *stream, const char *path, bool *has_header,
			  struct mch_err *err);
int mch_vec_results_case(struct mch_vec_reader *in, int64_t *const *values, struct mch_err *err);

#endif
