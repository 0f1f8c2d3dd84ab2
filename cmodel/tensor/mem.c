/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Memory images; see mem.h. */
#include "tensor/mem.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "tensor/crc32.h"
#include "tensor/hexline.h"

static const char crc_key[] = "// crc32 ";

static bool fits(int64_t word, int bits)
{
	return bits == 64 || (word >= -(INT64_C(1) << (bits - 1)) && word >> (bits - 1) <= 1);
}

int mch_mem_write(FILE *stream, const char *comment, const int64_t *words, size_t n_words, int bits,
		  struct mch_err *err)
{
	char digits[18];
	uint32_t crc = 0;
	MCH_REQUIRE(bits >= 1 && bits <= 64, "a word of a memory image has 1 to 64 bits");
	for (size_t i = 0; i < n_words; i++) {
		MCH_REQUIRE(fits(words[i], bits), "every word fits its width");
		mch_hex_put(digits, &words[i], 1, bits);
		strcat(digits, "\n");
		crc = mch_crc32(crc, digits, strlen(digits));
	}
	while (*comment) {
		const size_t n_bytes = strcspn(comment, "\n");
		fprintf(stream, "// %.*s\n", (int)n_bytes, comment);
		comment += n_bytes + (comment[n_bytes] == '\n');
	}
	fprintf(stream, "%s%08" PRIx32 "\n", crc_key, crc);
	for (size_t i = 0; i < n_words; i++) {
		mch_hex_put(digits, &words[i], 1, bits);
		fprintf(stream, "%s\n", digits);
	}
	if (ferror(stream))
		return mch_err_set(err, "memory image", "cannot be written; check free space");
	return 0;
}

/* What the reader holds on to from line to line. */
struct image {
	FILE *stream;
	const char *path;
	int line;
	char *text;
	size_t text_bytes;
	uint32_t crc, crc_stated;
};

static int fail(const struct image *in, struct mch_err *err, const char *fault)
{
	char where[512];
	snprintf(where, sizeof(where), "%s:%d", in->path, in->line);
	return mch_err_set(err, where, "%s; export the image again", fault);
}

static int next_line(struct image *in, struct mch_err *err)
{
	const char *fault;
	in->line++;
	const int got = mch_line_read(in->stream, &in->text, &in->text_bytes, &fault);
	return got < 0 ? fail(in, err, fault) : got;
}

/* Leaves the first line of words in text. 1 or 0 as next_line(), -1. */
static int read_comment(struct image *in, struct mch_err *err)
{
	bool has_crc = false;
	int got;
	while ((got = next_line(in, err)) > 0 && strncmp(in->text, "//", 2) == 0)
		has_crc = strncmp(in->text, crc_key, strlen(crc_key)) == 0 &&
			  mch_crc32_parse(in->text + strlen(crc_key), &in->crc_stated) == 0;
	if (got >= 0 && !has_crc)
		return fail(in, err, "the comment above does not end with \"// crc32 \" and eight digits");
	return got;
}

static int read_words(struct image *in, int64_t *words, size_t n_words, int bits, int is_signed, struct mch_err *err)
{
	const size_t n_digits = (size_t)mch_hex_digits(1, bits);
	char fault[128];
	const char *reason;
	int got = read_comment(in, err);
	for (size_t i = 0; i < n_words; i++, got = next_line(in, err)) {
		if (got < 0)
			return -1;
		if (got == 0) {
			snprintf(fault, sizeof(fault), "the file ends after %zu words, %zu expected", i, n_words);
			return fail(in, err, fault);
		}
		const size_t n_found = strlen(in->text);
		if (n_found != n_digits) {
			snprintf(fault, sizeof(fault), "word %zu has %zu digits, %d bits need %zu", i, n_found, bits,
				 n_digits);
			return fail(in, err, fault);
		}
		if (mch_hex_get(in->text, &words[i], 1, bits, is_signed != 0, &reason) < 0) {
			snprintf(fault, sizeof(fault), "word %zu: %s", i, reason);
			return fail(in, err, fault);
		}
		in->crc = mch_crc32(mch_crc32(in->crc, in->text, n_digits), "\n", 1);
	}
	if (got < 0)
		return -1;
	if (got > 0) {
		snprintf(fault, sizeof(fault), "more than the %zu words expected", n_words);
		return fail(in, err, fault);
	}
	return 0;
}

int mch_mem_read(FILE *stream, const char *path, int64_t *words, size_t n_words, int bits, int is_signed,
		 struct mch_err *err)
{
	struct image in = {.stream = stream, .path = path};
	MCH_REQUIRE(bits >= 1 && bits <= 64, "a word of a memory image has 1 to 64 bits");
	int status = read_words(&in, words, n_words, bits, is_signed, err);
	free(in.text);
	if (status == 0 && in.crc != in.crc_stated)
		status = mch_err_set(err, path,
				     "the words have checksum %08" PRIx32 ", the comment states %08" PRIx32
				     "; the file was changed, export the image again",
				     in.crc, in.crc_stated);
	return status;
}
