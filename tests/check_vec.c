/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Golden vectors: the text to the letter, the way back, every changed byte found, and the text of every error. */
#include "tensor/vec.h"

#include <string.h>

#include "check_main.h"
#include "corners.h"
#include "doc_block.h"

enum { N_CASES = 3, ELEMS_MAX = 64 };

static const char sample[] = "# macchiato vectors 1\n"
			     "# op dot\n"
			     "# comment layer ip1\n"
			     "# redo gen dot\n"
			     "# in x u8.4 4\n"
			     "# in w s5.3 4\n"
			     "# out acc s17.7 1\n"
			     "# out over u1.0 1\n"
			     "# cases 3\n"
			     "80ff0201 1be1f : 1fffd 0\n"
			     "00000000 00000 : 00000 1\n"
			     "ffffffff 84210 : 10000 0\n"
			     "# crc32 ";

static struct mch_vec_header header(void)
{
	struct mch_vec_header h = {.op = "dot",
				   .comment = "layer ip1",
				   .redo = "gen dot",
				   .n_in = 2,
				   .n_fields = 4,
				   .n_cases = N_CASES,
				   .field = {{"x", {8, 4, false}, 4},
					     {"w", {5, 3, true}, 4},
					     {"acc", {17, 7, true}, 1},
					     {"over", {1, 0, false}, 1}}};
	return h;
}

static const int64_t values[N_CASES][4][4] = {
	{{1, 2, 255, 128}, {-1, -16, 15, 3}, {-3}, {0}},
	{{0}, {0}, {0}, {1}},
	{{255, 255, 255, 255}, {-16, -16, -16, -16}, {-65536}, {0}},
};

/* The sample as the writer makes it; the caller frees it. */
static char *written(void)
{
	const struct mch_vec_header h = header();
	struct mch_vec_writer out;
	struct mch_err err;
	char *text;
	size_t n_bytes;
	FILE *stream = open_memstream(&text, &n_bytes);
	ck_assert_int_eq(mch_vec_write_begin(&out, stream, &h, &err), 0);
	for (int i = 0; i < N_CASES; i++) {
		const int64_t *const fields[] = {values[i][0], values[i][1], values[i][2], values[i][3]};
		ck_assert_int_eq(mch_vec_write_case(&out, fields, &err), 0);
	}
	ck_assert_int_eq(mch_vec_write_end(&out, &err), 0);
	fclose(stream);
	return text;
}

/* Reads a text to its end; the number of cases, or -1. Of the last one the values are left in fields. */
static int read_text(const char *text, size_t n_bytes, int64_t fields[][ELEMS_MAX], struct mch_err *err)
{
	struct mch_vec_reader in;
	int64_t *into[MCH_VEC_FIELDS_MAX];
	FILE *stream = n_bytes ? fmemopen((void *)(uintptr_t)text, n_bytes, "rb") : fopen("/dev/null", "rb");
	int n = 0, got;
	ck_assert_ptr_nonnull(stream);
	for (int i = 0; i < MCH_VEC_FIELDS_MAX; i++)
		into[i] = fields[i];
	got = mch_vec_read_begin(&in, stream, "run.vec", err);
	/* A changed header may ask for wider fields than this test has room for: it must not be followed. */
	for (int i = 0; got == 0 && i < in.header.n_fields; i++)
		got = in.header.field[i].count > ELEMS_MAX ? -1 : 0;
	while (got >= 0 && (got = mch_vec_read_case(&in, into, err)) > 0)
		n++;
	mch_vec_read_free(&in);
	fclose(stream);
	return got < 0 ? -1 : n;
}

static int64_t scratch[MCH_VEC_FIELDS_MAX][ELEMS_MAX];

START_TEST(text_to_the_letter)
{
	struct mch_err err;
	char *text = written();
	ck_assert_uint_eq(strlen(text), sizeof(sample) - 1 + 9);
	ck_assert_int_eq(strncmp(text, sample, sizeof(sample) - 1), 0);
	ck_assert_int_eq(read_text(text, strlen(text), scratch, &err), N_CASES);
	for (int f = 0; f < 4; f++)
		for (int e = 0; e < (f < 2 ? 4 : 1); e++)
			ck_assert_int_eq(scratch[f][e], values[N_CASES - 1][f][e]);
	free(text);
}
END_TEST

/* Every byte, each changed into all 255 others. */
START_TEST(every_changed_byte_is_found)
{
	struct mch_err err;
	char *text = written();
	const size_t n_bytes = strlen(text);
	for (size_t i = 0; i < n_bytes; i++) {
		const char right = text[i];
		for (int other = 1; other < 256; other++) {
			text[i] = (char)(right ^ other);
			ck_assert_msg(read_text(text, n_bytes, scratch, &err) == -1, "byte %zu as %02x was not found",
				      i, (unsigned char)text[i]);
		}
		text[i] = right;
	}
	ck_assert_int_eq(read_text(text, n_bytes, scratch, &err), N_CASES);
	free(text);
}
END_TEST

START_TEST(every_lost_or_added_byte_is_found)
{
	struct mch_err err;
	char *text = written(), *longer = malloc(strlen(text) + 2);
	const size_t n_bytes = strlen(text);
	ck_assert_ptr_nonnull(longer);
	for (size_t cut = 0; cut < n_bytes; cut++) {
		ck_assert_int_eq(read_text(text, cut, scratch, &err), -1);
		memcpy(longer, text, cut);
		memcpy(longer + cut, text + cut + 1, n_bytes - cut);
		ck_assert_int_eq(read_text(longer, n_bytes - 1, scratch, &err), -1);
	}
	for (size_t at = 0; at <= n_bytes; at++) {
		memcpy(longer, text, at);
		memcpy(longer + at + 1, text + at, n_bytes - at);
		for (const char *more = "\n 0#"; *more; more++) {
			longer[at] = *more;
			ck_assert_int_eq(read_text(longer, n_bytes + 1, scratch, &err), -1);
		}
	}
	free(longer);
	free(text);
}
END_TEST

START_TEST(random_round_trips)
{
	struct mch_rng rng = mch_rng_seed(16);
	for (int i = 0; i < 300; i++) {
		struct mch_vec_header h = {
			.op = "any", .n_fields = 1 + (int)mch_rng_below(&rng, MCH_VEC_FIELDS_MAX), .n_cases = 2};
		static int64_t in[2][MCH_VEC_FIELDS_MAX][ELEMS_MAX];
		struct mch_vec_writer out;
		struct mch_err err;
		char *text;
		size_t n_bytes;
		FILE *stream = open_memstream(&text, &n_bytes);
		h.n_in = 1 + (int)mch_rng_below(&rng, (uint32_t)h.n_fields); /* also files without outputs */
		for (int f = 0; f < h.n_fields; f++) {
			h.field[f] = (struct mch_vec_field){.format = {1 + (int)mch_rng_below(&rng, 49),
								       (int)mch_rng_below(&rng, 129) - 64,
								       mch_rng_next(&rng) & 1},
							    .count = 1 + (int)mch_rng_below(&rng, ELEMS_MAX)};
			snprintf(h.field[f].name, sizeof(h.field[f].name), "f%d", f);
		}
		ck_assert_int_eq(mch_vec_write_begin(&out, stream, &h, &err), 0);
		for (int c = 0; c < 2; c++) {
			const int64_t *from[MCH_VEC_FIELDS_MAX];
			for (int f = 0; f < h.n_fields; f++) {
				from[f] = in[c][f];
				for (int e = 0; e < h.field[f].count; e++)
					in[c][f][e] = corner_value(&rng, mch_format_min(h.field[f].format),
								   mch_format_max(h.field[f].format), 3);
			}
			ck_assert_int_eq(mch_vec_write_case(&out, from, &err), 0);
		}
		ck_assert_int_eq(mch_vec_write_end(&out, &err), 0);
		fclose(stream);
		ck_assert_msg(read_text(text, n_bytes, scratch, &err) == 2, "%s", err.text);
		for (int f = 0; f < h.n_fields; f++)
			for (int e = 0; e < h.field[f].count; e++)
				ck_assert_int_eq(scratch[f][e], in[1][f][e]);
		free(text);
	}
}
END_TEST

/* The sample with `from` replaced by `to`, and the error it must give. */
static void gives(const char *from, const char *to, const char *message)
{
	struct mch_err err = {""};
	char *text = written(), changed[1024];
	const char *at = strstr(text, from);
	ck_assert_ptr_nonnull(at);
	snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
	ck_assert_int_eq(read_text(changed, strlen(changed), scratch, &err), -1);
	ck_assert_str_eq(err.text, message);
	free(text);
}

#define ANEW "; create the file anew"
#define REDO "; recreate the file with: gen dot"
#define FIELD_LINE "a field line is \"# in NAME FORMAT COUNT\" (or out), of at most 65536 bits" REDO

START_TEST(errors_in_the_header)
{
	gives("vectors 1", "vectors 2",
	      "run.vec:1: this is no vector file of this release, whose first line is \"# macchiato vectors "
	      "1\"" ANEW);
	gives("# op dot", "# op 3d", "run.vec:2: the line \"# op NAME\" is expected" ANEW);
	gives("comment", "remark", "run.vec:3: the line \"# comment TEXT\" is expected, at most 255 bytes" ANEW);
	gives("# redo ", "# redo", "run.vec:4: the line \"# redo COMMAND\" is expected, at most 255 bytes" ANEW);
	gives("u8.4 4", "u8.4", "run.vec:5: " FIELD_LINE);
	gives("u8.4 4", "u8.4 0", "run.vec:5: " FIELD_LINE);
	gives("u8.4 4", "u8.4 9999999999", "run.vec:5: " FIELD_LINE);
	gives("u8.4 4", "u8.4 8193", "run.vec:5: " FIELD_LINE);
	gives("u8.4", "u80.4", "run.vec:5: " FIELD_LINE);
	gives("# in w", "# in a-b", "run.vec:6: " FIELD_LINE);
	gives("# out over", "# in over", "run.vec:8: more than 16 fields, or an input after an output" REDO);
	gives("# cases 3", "# cases 03",
	      "run.vec:9: the header line \"# cases N\" is expected after one input or more" REDO);
	gives("# in x u8.4 4\n# in w s5.3 4\n# out acc s17.7 1\n# out over u1.0 1\n", "",
	      "run.vec:5: the header line \"# cases N\" is expected after one input or more" REDO);
}
END_TEST

START_TEST(errors_in_the_cases)
{
	gives("1fffd", "fffd", "run.vec:10: field \"acc\" has 4 digits, s17 needs 5; pad with the sign digit");
	gives("80ff0201", "ff0201", "run.vec:10: field \"x\" has 6 digits, u8 x 4 needs 8; pad with zeros");
	gives("1fffd 0", "1fffd 00",
	      "run.vec:10: field \"over\" has 2 digits, u1 needs 1; print the field's own width");
	gives("1fffd 0", "1fffd",
	      "run.vec:10: field \"over\" is missing; a line has 2 inputs, \" : \" and 2 outputs");
	gives("1be1f : ", "1be1f ",
	      "run.vec:10: fields are set apart by one space, inputs from outputs by \" : \"" REDO);
	gives("1fffd 0", "1fffd 0 ", "run.vec:10: the line goes on behind its last field" REDO);
	gives("1fffd", "1fffx", "run.vec:10: field \"acc\": a character is no digit of 0-9 a-f" REDO);
	gives("1fffd", "1FFFD", "run.vec:10: field \"acc\": a character is no digit of 0-9 a-f" REDO);
	gives("1fffd", "3fffd", "run.vec:10: field \"acc\": a padding bit above the word is set" REDO);
	gives("1fffd", "1fffc", "run.vec:13: the file was changed: its checksum is 08a75ba7, 0cdf07a5 stated" REDO);
	gives("00000000 00000 : 00000 1\n", "", "run.vec:12: the file ends after 2 of 3 cases" REDO);
	gives("# crc32", "00000000 00000 : 00000 1\n# crc32",
	      "run.vec:13: the closing line \"# crc32 xxxxxxxx\" is expected after 3 cases" REDO);
}
END_TEST

START_TEST(errors_of_cut_files)
{
	static const struct {
		size_t n_bytes;
		const char *message;
	} cuts[] = {
		{0, "run.vec:1: the file ends within its header; create the file anew"},
		{10, "run.vec:1: the last line has no newline; create the file anew"},
		{sizeof(sample) - 1 - 8 - 25, "run.vec:12: the file ends after 2 of 3 cases, without its closing "
					      "line; recreate the file with: gen dot"},
		{sizeof(sample) - 1 - 8, "run.vec:13: the file ends after 3 of 3 cases, without its closing line; "
					 "recreate the file with: gen dot"},
	};
	char *text = written(), *with_zero = written();
	struct mch_err err;
	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		ck_assert_int_eq(read_text(text, cuts[i].n_bytes, scratch, &err), -1);
		ck_assert_str_eq(err.text, cuts[i].message);
	}
	const size_t n_bytes = strlen(text);
	with_zero[30] = '\0';
	ck_assert_int_eq(read_text(with_zero, n_bytes, scratch, &err), -1);
	ck_assert_str_eq(err.text, "run.vec:2: the line holds a zero byte; create the file anew");
	free(text);
	free(with_zero);
}
END_TEST

START_TEST(a_line_without_end)
{
	struct mch_err err;
	const size_t n_bytes = (2u << 20) + 1;
	char *text = malloc(n_bytes);
	ck_assert_ptr_nonnull(text);
	memset(text, 'a', n_bytes);
	ck_assert_int_eq(read_text(text, n_bytes, scratch, &err), -1);
	ck_assert_str_eq(err.text, "run.vec:1: the line is too long; create the file anew");
	free(text);
}
END_TEST

START_TEST(writer_refuses)
{
	struct mch_vec_header h = header();
	struct mch_vec_writer out;
	struct mch_err err;
	FILE *full = fopen("/dev/full", "wb");
	strcpy(h.comment, "two\nlines");
	ck_assert_int_eq(mch_vec_write_begin(&out, stdout, &h, &err), -1);
	ck_assert_str_eq(err.text,
			 "vectors: the comment or the command holds a control character; rename the layer or file");
	if (!full)
		return;
	setvbuf(full, NULL, _IONBF, 0);
	h = header();
	ck_assert_int_eq(mch_vec_write_begin(&out, full, &h, &err), -1);
	ck_assert_str_eq(err.text, "vectors: cannot be written; check free space");
	fclose(full);
}
END_TEST

START_TEST(example_of_the_document)
{
	struct mch_vec_reader in;
	struct mch_err err;
	int64_t *into[MCH_VEC_FIELDS_MAX];
	int n = 0, got;
	FILE *stream = doc_block("vec");
	if (!stream)
		return;
	for (int i = 0; i < MCH_VEC_FIELDS_MAX; i++)
		into[i] = scratch[i];
	ck_assert_msg(mch_vec_read_begin(&in, stream, "docs/vectors.md", &err) == 0, "%s", err.text);
	while ((got = mch_vec_read_case(&in, into, &err)) > 0)
		n++;
	ck_assert_msg(got == 0, "%s", err.text);
	ck_assert_int_eq(n, 3);
	ck_assert_int_eq(scratch[1][0], -16);
	ck_assert_int_eq(scratch[2][0], 4 * 255 * -16);
	mch_vec_read_free(&in);
	fclose(stream);
}
END_TEST

/* Sign and magnitude; what a simulator gives may be minus zero, which is no code. */
START_TEST(minifloats_as_memory_has_them)
{
	static const char text[] = "85 : 8001\n";
	static const struct mch_format f = {8, 9, true, MCH_MINIFLOAT_FN, 4};
	const struct mch_vec_header h = {.op = "f", .n_in = 1, .n_fields = 2, .field = {{"x", f, 1}, {"y", f, 2}}, .n_cases = 1};
	const int64_t x[] = {-5}, y[] = {1, -126};
	struct mch_vec_reader in;
	struct mch_vec_writer out;
	struct mch_err err;
	int64_t *into[] = {scratch[0], scratch[1]};
	char line[32];
	bool has_header;
	FILE *stream = fmemopen(line, sizeof(line), "w");
	out = (struct mch_vec_writer){.stream = stream, .header = h};
	ck_assert_int_eq(mch_vec_write_case(&out, (const int64_t *const[]){x, y}, &err), 0);
	fclose(stream);
	ck_assert_str_eq(line, "85 : fe01\n");
	stream = fmemopen((void *)(uintptr_t)text, sizeof(text) - 1, "r");
	ck_assert_int_eq(mch_vec_results_begin(&in, stream, "stdin", &has_header, &err), 0);
	ck_assert(!has_header);
	in.header = h;
	ck_assert_int_eq(mch_vec_results_case(&in, into, &err), 1);
	ck_assert_int_eq(scratch[0][0], -5);
	ck_assert_int_eq(scratch[1][0], 1);
	ck_assert_int_eq(scratch[1][1], -128);
	ck_assert_int_eq(mch_vec_results_case(&in, into, &err), 0);
	mch_vec_read_free(&in);
	fclose(stream);
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {
		text_to_the_letter,  every_changed_byte_is_found, every_lost_or_added_byte_is_found,
		random_round_trips,  errors_in_the_header,        errors_in_the_cases,
		errors_of_cut_files, a_line_without_end,          example_of_the_document,
		writer_refuses,      minifloats_as_memory_has_them};
	return CHECK_SUITE("vec", tests);
}

int main(void)
{
	return check_main(suite);
}
