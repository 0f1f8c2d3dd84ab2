/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Memory images in other forms; see mem_form.h. */
#include "tensor/mem_form.h"

#include <string.h>

#include "base/require.h"
#include "tensor/hexline.h"

enum { RECORD_BYTES = 16 };

const char *mch_mem_form_name(enum mch_mem_form form)
{
	static const char *const names[MCH_MEM_N_FORMS] = {"hex", "coe", "mif", "bin"};
	return names[form];
}

/* Byte i of all words, one behind the other. */
static unsigned byte_at(const int64_t *words, int bits, size_t i)
{
	const size_t n = (size_t)(bits + 7) / 8;
	const uint64_t word = (uint64_t)words[i / n] & UINT64_MAX >> (64 - bits);
	return (unsigned)(word >> 8 * (i % n)) & 255;
}

/* ":LLAAAATT" and the bytes; the checksum makes the sum of all bytes 0. */
static void put_record(FILE *stream, unsigned type, unsigned address, const unsigned *bytes, unsigned n)
{
	unsigned sum = n + (address >> 8) + (address & 255) + type;
	fprintf(stream, ":%02X%04X%02X", n, address, type);
	for (unsigned i = 0; i < n; i++) {
		fprintf(stream, "%02X", bytes[i]);
		sum += bytes[i];
	}
	fprintf(stream, "%02X\n", (0u - sum) & 255);
}

static void put_hex(FILE *stream, const int64_t *words, size_t n_bytes, int bits)
{
	for (size_t at = 0; at < n_bytes; at += RECORD_BYTES) {
		unsigned bytes[RECORD_BYTES], n = 0;
		if (at % 65536 == 0 && at > 0) /* the upper half of the address, from here on */
			put_record(stream, 4, 0, (const unsigned[]){(unsigned)(at >> 24), (unsigned)(at >> 16) & 255}, 2);
		for (; n < RECORD_BYTES && at + n < n_bytes; n++)
			bytes[n] = byte_at(words, bits, at + n);
		put_record(stream, 0, (unsigned)(at & 65535), bytes, n);
	}
	put_record(stream, 1, 0, NULL, 0);
}

/* Each line of the comment behind `mark`. */
static void put_comment(FILE *stream, const char *mark, const char *comment)
{
	for (const char *line = comment; *line; line += strcspn(line, "\n"), line += *line == '\n')
		fprintf(stream, "%s %.*s\n", mark, (int)strcspn(line, "\n"), line);
}

static void put_coe(FILE *stream, const char *comment, const int64_t *words, size_t n_words, int bits)
{
	char digits[17];
	put_comment(stream, ";", comment);
	fputs("memory_initialization_radix=16;\nmemory_initialization_vector=\n", stream);
	for (size_t i = 0; i < n_words; i++) {
		mch_hex_put(digits, &words[i], 1, bits);
		fprintf(stream, "%s%s\n", digits, i + 1 < n_words ? "," : ";");
	}
}

static void put_mif(FILE *stream, const char *comment, const int64_t *words, size_t n_words, int bits)
{
	char digits[17];
	put_comment(stream, "--", comment);
	fprintf(stream, "WIDTH=%d;\nDEPTH=%zu;\nADDRESS_RADIX=HEX;\nDATA_RADIX=HEX;\nCONTENT BEGIN\n", bits, n_words);
	for (size_t i = 0; i < n_words; i++) {
		mch_hex_put(digits, &words[i], 1, bits);
		fprintf(stream, "%zx : %s;\n", i, digits);
	}
	fputs("END;\n", stream);
}

int mch_mem_form_write(FILE *stream, enum mch_mem_form form, const char *comment, const int64_t *words, size_t n_words, int bits,
		       struct mch_err *err)
{
	const size_t n_bytes = n_words * (size_t)((bits + 7) / 8);
	MCH_REQUIRE(bits >= 1 && bits <= 64, "a word of a memory image has 1 to 64 bits");
	if (form == MCH_MEM_HEX && n_bytes > UINT32_MAX)
		return mch_err_set(err, "memory image", "%zu bytes have no address in Intel HEX; leave hex out", n_bytes);
	if (form == MCH_MEM_HEX)
		put_hex(stream, words, n_bytes, bits);
	if (form == MCH_MEM_COE)
		put_coe(stream, comment, words, n_words, bits);
	if (form == MCH_MEM_MIF)
		put_mif(stream, comment, words, n_words, bits);
	for (size_t i = 0; form == MCH_MEM_BIN && i < n_bytes; i++)
		putc((int)byte_at(words, bits, i), stream);
	return ferror(stream) ? mch_err_set(err, "memory image", "cannot be written; check free space") : 0;
}
