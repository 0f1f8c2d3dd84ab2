/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Golden vectors, the writer and the reader; see vec.h. */
#include "tensor/vec.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "fxp/encode.h"
#include "tensor/crc32.h"
#include "tensor/hexline.h"
#include "tensor/vec_header.h"

static const char crc_key[] = "# crc32 ";

static void put(struct mch_vec_writer *out, const char *text)
{
	const size_t n_bytes = strlen(text);
	out->checksum = mch_crc32(out->checksum, text, n_bytes);
	fwrite(text, 1, n_bytes, out->stream);
}

static int write_status(const struct mch_vec_writer *out, struct mch_err *err)
{
	return ferror(out->stream) ? mch_err_set(err, "vectors", "cannot be written; check free space") : 0;
}

int mch_vec_write_begin(struct mch_vec_writer *out, FILE *stream, const struct mch_vec_header *header,
			struct mch_err *err)
{
	char text[MCH_VEC_HEADER_BYTES_MAX];
	*out = (struct mch_vec_writer){.stream = stream, .header = *header};
	if (mch_vec_header_text(header, text, err) < 0)
		return -1;
	put(out, text);
	return write_status(out, err);
}

/* What stands before field i of a line. */
static const char *separator(const struct mch_vec_header *h, int i)
{
	return i == 0 ? "" : i == h->n_in ? " : " : " ";
}

/* What stands behind the last field: the colon of a file without outputs. */
static const char *line_end(const struct mch_vec_header *h)
{
	return h->n_in == h->n_fields ? " :" : "";
}

/* A word of codes. In RTL a minifloat has a sign bit. */
static void put_word(char *digits, const struct mch_vec_field *f, const int64_t *codes)
{
	if (!mch_number_is_minifloat(f->format.number)) {
		mch_hex_put(digits, codes, f->count, f->format.bits);
		return;
	}
	int64_t memory[MCH_VEC_WORD_BITS_MAX / 2]; /* a minifloat has 2 bits or more */
	for (int e = 0; e < f->count; e++)
		memory[e] = mch_minifloat_memory(f->format, codes[e]);
	mch_hex_put(digits, memory, f->count, f->format.bits);
}

static int get_word(const char *digits, const struct mch_vec_field *f, int64_t *codes, const char **fault)
{
	const bool is_minifloat = mch_number_is_minifloat(f->format.number);
	if (mch_hex_get(digits, codes, f->count, f->format.bits, f->format.is_signed && !is_minifloat, fault) < 0)
		return -1;
	for (int e = 0; is_minifloat && e < f->count; e++) {
		const int32_t code = mch_minifloat_code(f->format, (uint32_t)codes[e]);
		codes[e] = code == 0 ? -codes[e] : code; /* minus zero: -2^(bits-1) */
	}
	return 0;
}

/* The first element that is no code of its format; count where all are. */
static int no_code_at(const struct mch_vec_field *f, const int64_t *codes)
{
	const int64_t low = mch_format_min(f->format), high = mch_format_max(f->format);
	int e = 0;
	while (e < f->count && codes[e] >= low && codes[e] <= high)
		e++;
	return e;
}

int mch_vec_write_case(struct mch_vec_writer *out, const int64_t *const *values, struct mch_err *err)
{
	const struct mch_vec_header *h = &out->header;
	char digits[MCH_VEC_WORD_BITS_MAX / 4 + 1];
	MCH_REQUIRE(out->n_written < h->n_cases, "no more cases than the header announces");
	for (int i = 0; i < h->n_fields; i++) {
		const struct mch_vec_field *f = &h->field[i];
		MCH_REQUIRE(no_code_at(f, values[i]) == f->count, "every value fits its field");
		put_word(digits, f, values[i]);
		put(out, separator(h, i));
		put(out, digits);
	}
	put(out, line_end(h));
	put(out, "\n");
	out->n_written++;
	return write_status(out, err);
}

int mch_vec_write_end(struct mch_vec_writer *out, struct mch_err *err)
{
	MCH_REQUIRE(out->n_written == out->header.n_cases, "as many cases as the header announces");
	fprintf(out->stream, "%s%08" PRIx32 "\n", crc_key, out->checksum);
	return write_status(out, err);
}

/* "PATH:LINE: FAULT; recreate the file with: REDO". */
static int fail(const struct mch_vec_reader *in, struct mch_err *err, const char *fault)
{
	char where[512];
	snprintf(where, sizeof(where), "%s:%d", in->path, in->line);
	if (in->is_results)
		return mch_err_set(err, where, "%s; a line is INPUTS : OUTPUTS, the inputs as `macchiato gen` wrote them", fault);
	if (in->header.redo[0])
		return mch_err_set(err, where, "%s; recreate the file with: %s", fault, in->header.redo);
	return mch_err_set(err, where, "%s; create the file anew", fault);
}

/* 1, or 0 at the end of the file, or -1. */
static int next_line(struct mch_vec_reader *in, struct mch_err *err)
{
	const char *fault;
	in->line++;
	const int got = mch_line_read(in->stream, &in->text, &in->text_bytes, &fault);
	return got < 0 ? fail(in, err, fault) : got;
}

static void sum_line(struct mch_vec_reader *in)
{
	in->checksum = mch_crc32(mch_crc32(in->checksum, in->text, strlen(in->text)), "\n", 1);
}

int mch_vec_read_begin(struct mch_vec_reader *in, FILE *stream, const char *path, struct mch_err *err)
{
	*in = (struct mch_vec_reader){.stream = stream, .path = path};
	for (int done = 0; !done;) {
		const char *fault;
		const int got = next_line(in, err);
		if (got < 0)
			return -1;
		if (got == 0)
			return fail(in, err, "the file ends within its header");
		sum_line(in);
		done = mch_vec_header_parse(&in->header, in->line, in->text, &fault);
		if (done < 0)
			return fail(in, err, fault);
	}
	return 0;
}

/* A word of the wrong length is most often a value printed with %x or %d: the advice is for who printed it. */
static int fail_digits(const struct mch_vec_reader *in, struct mch_err *err, const struct mch_vec_field *f, size_t n)
{
	const int needed = mch_hex_digits(f->count, f->format.bits);
	char where[512], type[32];
	snprintf(where, sizeof(where), "%s:%d", in->path, in->line);
	snprintf(type, sizeof(type), f->count > 1 ? "%c%d x %d" : "%c%d", f->format.is_signed ? 's' : 'u',
		 f->format.bits, f->count);
	if (n == 0)
		return mch_err_set(err, where,
				   "field \"%s\" is missing; a line has %d inputs, \" : \" and %d outputs", f->name,
				   in->header.n_in, in->header.n_fields - in->header.n_in);
	return mch_err_set(err, where, "field \"%s\" has %zu digits, %s needs %d; %s", f->name, n, type, needed,
			   n > (size_t)needed                     ? "print the field's own width"
			   : f->format.is_signed && f->count == 1 ? "pad with the sign digit"
								  : "pad with zeros");
}

/* Words that hold no number that can be judged. */
static int fail_word(const struct mch_vec_reader *in, struct mch_err *err, const struct mch_vec_field *f,
		     const char *digits, const char *reason)
{
	char fault[160];
	const size_t n = strcspn(digits, " ");
	snprintf(fault, sizeof(fault), "field \"%s\": %s", f->name, reason);
	if (in->is_results && (memchr(digits, 'x', n) || memchr(digits, 'z', n)))
		snprintf(fault, sizeof(fault), "field \"%s\" is unknown (\"%.*s\"): it was read before it was driven", f->name,
			 n < 48 ? (int)n : 48, digits);
	return fail(in, err, fault);
}

/* Inputs are computed with, so each must be a code: not every pattern of a minifloat is one. */
static int check_input(const struct mch_vec_reader *in, struct mch_err *err, const struct mch_vec_field *f,
		       const int64_t *codes)
{
	char fault[128], format[24];
	const int e = no_code_at(f, codes);
	if (e == f->count)
		return 0;
	snprintf(fault, sizeof(fault), "field \"%s\": element %d is no code of %s", f->name, e,
		 mch_format_text(f->format, format));
	return fail(in, err, fault);
}

static int read_fields(struct mch_vec_reader *in, int64_t *const *values, struct mch_err *err)
{
	const struct mch_vec_header *h = &in->header;
	const char *p = in->text, *reason;
	for (int i = 0; i < h->n_fields; i++) {
		const struct mch_vec_field *f = &h->field[i];
		const char *gap = separator(h, i);
		if (*p && strncmp(p, gap, strlen(gap)) != 0)
			return fail(in, err, "fields are set apart by one space, inputs from outputs by \" : \"");
		p += *p ? strlen(gap) : 0;
		const size_t n = strcspn(p, " ");
		if (n != (size_t)mch_hex_digits(f->count, f->format.bits))
			return fail_digits(in, err, f, n);
		if (get_word(p, f, values[i], &reason) < 0)
			return fail_word(in, err, f, p, reason);
		if ((i < h->n_in || !in->is_results) && check_input(in, err, f, values[i]) < 0)
			return -1;
		p += n;
	}
	if (strcmp(p, line_end(h)) != 0)
		return fail(in, err, "the line goes on behind its last field");
	return 0;
}

/* The closing line and the end of the file behind it. */
static int read_end(struct mch_vec_reader *in, struct mch_err *err)
{
	uint32_t stated;
	char fault[128];
	if (strncmp(in->text, crc_key, strlen(crc_key)) != 0 ||
	    mch_crc32_parse(in->text + strlen(crc_key), &stated) < 0) {
		snprintf(fault, sizeof(fault),
			 "the closing line \"# crc32 xxxxxxxx\" is expected after %" PRIu64 " cases",
			 in->header.n_cases);
		return fail(in, err, fault);
	}
	if (stated != in->checksum) {
		snprintf(fault, sizeof(fault),
			 "the file was changed: its checksum is %08" PRIx32 ", %08" PRIx32 " stated", in->checksum,
			 stated);
		return fail(in, err, fault);
	}
	const int got = next_line(in, err);
	return got > 0 ? fail(in, err, "the file goes on behind its closing line") : got;
}

int mch_vec_read_case(struct mch_vec_reader *in, int64_t *const *values, struct mch_err *err)
{
	const int got = next_line(in, err);
	if (got < 0)
		return -1;
	if (got == 0 || (in->n_read < in->header.n_cases && in->text[0] == '#')) {
		char fault[128];
		snprintf(fault, sizeof(fault), "the file ends after %" PRIu64 " of %" PRIu64 " cases%s", in->n_read,
			 in->header.n_cases, got ? "" : ", without its closing line");
		return fail(in, err, fault);
	}
	if (in->n_read == in->header.n_cases)
		return read_end(in, err);
	sum_line(in);
	if (read_fields(in, values, err) < 0)
		return -1;
	in->n_read++;
	return 1;
}

int mch_vec_results_begin(struct mch_vec_reader *in, FILE *stream, const char *path, bool *has_header,
			  struct mch_err *err)
{
	const int c = getc(stream);
	if (c != EOF)
		ungetc(c, stream);
	*has_header = c == '#';
	*in = (struct mch_vec_reader){.stream = stream, .path = path};
	const int status = *has_header ? mch_vec_read_begin(in, stream, path, err) : 0;
	in->is_results = true;
	return status;
}

/* What simulators print beside what they are told to. */
static bool is_case(const char *text)
{
	return text[0] != '#' && !strstr(text, "$finish") && strncmp(text, "VCD info:", 9) != 0 &&
	       strncmp(text, "FST info:", 9) != 0;
}

/* Fewer or more cases than there should be. */
static int fail_count(const struct mch_vec_reader *in, struct mch_err *err)
{
	char where[512];
	snprintf(where, sizeof(where), "%s:%d", in->path, in->line);
	if (in->n_read < in->header.n_cases)
		return mch_err_set(err, where, "the results end after %" PRIu64 " of %" PRIu64 " cases; look at what the "
				   "simulator said, it stopped early", in->n_read, in->header.n_cases);
	return mch_err_set(err, where, "more than %" PRIu64 " cases; give --cases as `macchiato gen` had it", in->n_read);
}

int mch_vec_results_case(struct mch_vec_reader *in, int64_t *const *values, struct mch_err *err)
{
	do {
		const int got = next_line(in, err);
		if (got <= 0)
			return got < 0 ? -1 : in->n_read < in->header.n_cases ? fail_count(in, err) : 0;
	} while (!is_case(in->text));
	if (in->header.n_cases && in->n_read == in->header.n_cases)
		return fail_count(in, err);
	for (char *p = in->text; *p; p++)
		*p = (char)(*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p);
	if (read_fields(in, values, err) < 0)
		return -1;
	in->n_read++;
	return 1;
}

void mch_vec_read_free(struct mch_vec_reader *in)
{
	free(in->text);
	in->text = NULL;
	in->text_bytes = 0;
}
