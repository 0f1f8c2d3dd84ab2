/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Memory images: the text to the letter, the way back at every width, every changed word found, every error's text.
 */
#include "tensor/mem.h"

#include <stdbool.h>
#include <string.h>

#include "check_main.h"
#include "corners.h"
#include "doc_block.h"

static const char sample[] = "// layer ip1: weights s5.3\n"
			     "// shape 2x2\n"
			     "// crc32 ";
static const char sample_words[] = "1f\n10\n0f\n03\n";
static const int64_t words[] = {-1, -16, 15, 3};

static char *written(const char *comment, const int64_t *from, size_t n_words, int bits)
{
	struct mch_err err;
	static char *text; /* open_memstream() keeps its address: gcc 12 takes what is returned for it */
	size_t n_bytes;
	FILE *stream = open_memstream(&text, &n_bytes);
	ck_assert_int_eq(mch_mem_write(stream, comment, from, n_words, bits, &err), 0);
	fclose(stream);
	return text;
}

static char *written_sample(void)
{
	return written("layer ip1: weights s5.3\nshape 2x2", words, 4, 5);
}

static int read_text(const char *text, size_t n_bytes, int64_t *into, size_t n_words, int bits, int is_signed,
		     struct mch_err *err)
{
	FILE *stream = n_bytes ? fmemopen((void *)(uintptr_t)text, n_bytes, "rb") : fopen("/dev/null", "rb");
	ck_assert_ptr_nonnull(stream);
	const int status = mch_mem_read(stream, "w.mem", into, n_words, bits, is_signed, err);
	fclose(stream);
	return status;
}

START_TEST(text_to_the_letter)
{
	struct mch_err err;
	int64_t back[4];
	char *text = written_sample();
	ck_assert_int_eq(strncmp(text, sample, sizeof(sample) - 1), 0);
	ck_assert_str_eq(text + sizeof(sample) - 1 + 9, sample_words);
	ck_assert_int_eq(read_text(text, strlen(text), back, 4, 5, 1, &err), 0);
	ck_assert_mem_eq(back, words, sizeof(words));
	ck_assert_int_eq(read_text(text, strlen(text), back, 4, 5, 0, &err), 0);
	ck_assert_int_eq(back[0], 31);
	free(text);
}
END_TEST

START_TEST(every_width)
{
	struct mch_rng rng = mch_rng_seed(17);
	for (int bits = 1; bits <= 64; bits++)
		for (int is_signed = 0; is_signed < 2; is_signed++) {
			int64_t in[50], out[50];
			struct mch_err err;
			for (int i = 0; i < 50; i++) {
				const uint64_t cut = mch_rng_next(&rng) >> (64 - bits);
				const bool negative = is_signed && cut >> (bits - 1);
				in[i] = (int64_t)(negative && bits < 64 ? cut - (UINT64_C(1) << bits) : cut);
			}
			char *text = written("", in, 50, bits);
			ck_assert_msg(read_text(text, strlen(text), out, 50, bits, is_signed, &err) == 0, "%s",
				      err.text);
			ck_assert_mem_eq(in, out, sizeof(in));
			free(text);
		}
}
END_TEST

/* In the words and in the checksum's line, whose digits begin behind sample. */
START_TEST(every_changed_byte_is_found)
{
	struct mch_err err;
	int64_t back[4];
	char *text = written_sample();
	const size_t n_bytes = strlen(text);
	for (size_t i = sizeof(sample) - 1 - strlen("// crc32 "); i < n_bytes; i++) {
		const char right = text[i];
		for (int other = 1; other < 256; other++) {
			text[i] = (char)(right ^ other);
			ck_assert_msg(read_text(text, n_bytes, back, 4, 5, 1, &err) == -1,
				      "byte %zu as %02x was not found", i, (unsigned char)text[i]);
		}
		text[i] = right;
	}
	for (size_t cut = 0; cut < n_bytes; cut++)
		ck_assert_int_eq(read_text(text, cut, back, 4, 5, 1, &err), -1);
	free(text);
}
END_TEST

static void gives(const char *from, const char *to, const char *message)
{
	struct mch_err err = {""};
	int64_t back[4];
	char *text = written_sample(), changed[512];
	const char *at = strstr(text, from);
	ck_assert_ptr_nonnull(at);
	snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
	ck_assert_int_eq(read_text(changed, strlen(changed), back, 4, 5, 1, &err), -1);
	ck_assert_str_eq(err.text, message);
	free(text);
}

START_TEST(errors)
{
	gives("\n10\n", "\n010\n", "w.mem:5: word 1 has 3 digits, 5 bits need 2; export the image again");
	gives("\n10\n", "\n1g\n", "w.mem:5: word 1: a character is no digit of 0-9 a-f; export the image again");
	gives("\n10\n", "\n20\n", "w.mem:5: word 1: a padding bit above the word is set; export the image again");
	gives("\n10\n", "\n11\n",
	      "w.mem: the words have checksum c227a410, the comment states 0e8da48e; the file was changed, "
	      "export the image again");
	gives("\n10\n", "\n", "w.mem:7: the file ends after 3 words, 4 expected; export the image again");
	gives("\n03\n", "\n03\n03\n", "w.mem:8: more than the 4 words expected; export the image again");
	gives("\n03\n", "\n03", "w.mem:7: the last line has no newline; export the image again");
	gives("// crc32 ", "// crc ",
	      "w.mem:4: the comment above does not end with \"// crc32 \" and eight digits; export the image again");
	gives("// layer", "/ layer",
	      "w.mem:1: the comment above does not end with \"// crc32 \" and eight digits; export the image again");
}
END_TEST

START_TEST(writer_finds_a_full_disk)
{
	struct mch_err err;
	FILE *full = fopen("/dev/full", "wb");
	if (!full)
		return;
	setvbuf(full, NULL, _IONBF, 0);
	ck_assert_int_eq(mch_mem_write(full, "a", words, 4, 5, &err), -1);
	ck_assert_str_eq(err.text, "memory image: cannot be written; check free space");
	fclose(full);
}
END_TEST

START_TEST(example_of_the_document)
{
	struct mch_err err;
	int64_t back[4];
	FILE *stream = doc_block("mem");
	if (!stream)
		return;
	ck_assert_msg(mch_mem_read(stream, "docs/vectors.md", back, 4, 5, 1, &err) == 0, "%s", err.text);
	ck_assert_mem_eq(back, words, sizeof(words));
	fclose(stream);
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {
		example_of_the_document, text_to_the_letter, every_width, every_changed_byte_is_found, errors,
		writer_finds_a_full_disk};
	return CHECK_SUITE("mem", tests);
}

int main(void)
{
	return check_main(suite);
}
