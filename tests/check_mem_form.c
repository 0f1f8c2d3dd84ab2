/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Memory images in the forms of FPGA tools: the text to the letter, and every width back by a reader of its own. */
#include "tensor/mem_form.h"

#include <string.h>

#include "base/rng.h"
#include "check_main.h"

enum { N_WORDS = 9000 }; /* beyond 64 KiB of bytes at 64 bits */

static char *written(enum mch_mem_form form, const int64_t *words, size_t n_words, int bits, size_t *n_bytes)
{
	struct mch_err err;
	static char *text; /* see check_mem.c */
	FILE *stream = open_memstream(&text, n_bytes);
	ck_assert_int_eq(mch_mem_form_write(stream, form, "w: s5\nshape 2", words, n_words, bits, &err), 0);
	fclose(stream);
	return text;
}

START_TEST(texts_to_the_letter)
{
	static const char *const wanted[] = {
		":020000001F10CF\n:00000001FF\n",
		"; w: s5\n; shape 2\nmemory_initialization_radix=16;\nmemory_initialization_vector=\n1f,\n10;\n",
		"-- w: s5\n-- shape 2\nWIDTH=5;\nDEPTH=2;\nADDRESS_RADIX=HEX;\nDATA_RADIX=HEX;\nCONTENT BEGIN\n0 : 1f;\n1 : 10;\nEND;\n",
		"\x1f\x10",
	};
	const int64_t words[] = {-1, -16};
	for (int form = 0; form < MCH_MEM_N_FORMS; form++) {
		size_t n;
		char *text = written((enum mch_mem_form)form, words, 2, 5, &n);
		ck_assert_uint_eq(n, strlen(wanted[form]));
		ck_assert_mem_eq(text, wanted[form], n);
		free(text);
	}
	ck_assert_str_eq(mch_mem_form_name(MCH_MEM_COE), "coe");
}
END_TEST

/* Readers: the words of a text into back. They know nothing of the writer but the form. */
static void from_bytes(const unsigned char *bytes, size_t n_words, int bits, uint64_t *back)
{
	for (size_t i = 0; i < n_words; i++) {
		back[i] = 0;
		for (int b = 0; b < (bits + 7) / 8; b++)
			back[i] |= (uint64_t)*bytes++ << 8 * b;
	}
}

static void from_hex(const char *text, size_t n_bytes, unsigned char *bytes)
{
	unsigned upper = 0, type = 0;
	size_t n_seen = 0;
	for (const char *line = text; type != 1; line = strchr(line, '\n') + 1) {
		unsigned n, address, sum = 0, byte;
		ck_assert_int_eq(sscanf(line, ":%2x%4x%2x", &n, &address, &type), 3);
		for (unsigned i = 0; i < n + 5; i++) {
			ck_assert_int_eq(sscanf(line + 1 + 2 * i, "%2x", &byte), 1);
			sum += byte;
			if (type == 0 && i >= 4 && i < n + 4) {
				const size_t at = ((size_t)upper << 16) + address + i - 4;
				ck_assert_uint_lt(at, n_bytes);
				bytes[at] = (unsigned char)byte;
				n_seen++;
			}
		}
		ck_assert_uint_eq(sum & 255, 0);
		if (type == 4)
			ck_assert_int_eq(sscanf(line + 9, "%4x", &upper), 1);
	}
	ck_assert_uint_eq(n_seen, n_bytes);
}

static void from_text(const char *text, enum mch_mem_form form, size_t n_words, uint64_t *back)
{
	const char *p = strstr(text, form == MCH_MEM_COE ? "vector=\n" : "BEGIN\n");
	p = strchr(p, '\n') + 1;
	for (size_t i = 0; i < n_words; i++, p = strchr(p, '\n') + 1) {
		unsigned long long at = i, word;
		ck_assert_int_eq(form == MCH_MEM_COE ? sscanf(p, "%llx", &word) + 1 : sscanf(p, "%llx : %llx;", &at, &word), 2);
		ck_assert_uint_eq(at, i);
		back[i] = word;
	}
	ck_assert_str_eq(p, form == MCH_MEM_COE ? "" : "END;\n");
}

START_TEST(every_width_and_back)
{
	static int64_t words[N_WORDS];
	static uint64_t back[N_WORDS];
	static unsigned char bytes[8 * N_WORDS];
	const int bits = _i;
	struct mch_rng rng = mch_rng_seed((uint64_t)bits);
	for (int i = 0; i < N_WORDS; i++)
		words[i] = (int64_t)mch_rng_next(&rng) >> (64 - bits);
	for (int form = 0; form < MCH_MEM_N_FORMS; form++) {
		const size_t n_words = bits == 64 ? N_WORDS : 37;
		size_t n;
		char *text = written((enum mch_mem_form)form, words, n_words, bits, &n);
		if (form == MCH_MEM_BIN) {
			ck_assert_uint_eq(n, n_words * (size_t)((bits + 7) / 8));
			from_bytes((const unsigned char *)text, n_words, bits, back);
		} else if (form == MCH_MEM_HEX) {
			from_hex(text, n_words * (size_t)((bits + 7) / 8), bytes);
			from_bytes(bytes, n_words, bits, back);
		} else {
			from_text(text, (enum mch_mem_form)form, n_words, back);
		}
		for (size_t i = 0; i < n_words; i++)
			ck_assert_uint_eq(back[i], (uint64_t)words[i] & UINT64_MAX >> (64 - bits));
		free(text);
	}
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("mem_form");
	TCase *t = tcase_create("mem_form");
	tcase_add_test(t, texts_to_the_letter);
	tcase_add_loop_test(t, every_width_and_back, 1, 65);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return check_main(suite);
}
