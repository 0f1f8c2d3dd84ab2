/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Every byte of every file that a run compares with, changed alone: the run that reads it ends with a message. The readers are those
 * of the benches, so a bench is no other case. check_vec tries all values of a byte. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "accel_fixture.h"
#include "arch/program.h"
#include "check_main.h"
#include "io/accel_manifest.h"
#include "io/accel_read.h"
#include "io/program_read.h"
#include "io/program_write.h"
#include "tensor/vec.h"

static struct fixture fixture;
static struct mch_err err;

/* A file of fixture.dir, as a run reads it. */
typedef int reader(const char *name);

static int read_image(const char *name)
{
	int64_t *words;
	size_t n;
	const int status = mch_accel_read_image(fixture.dir, name, &words, &n, &err);
	free(words);
	return status;
}

static int read_folder(const char *name)
{
	(void)name;
	return mch_accel_check_folder(fixture.dir, NULL, &err);
}

/* To the end: the checksum is there. Room is what the header says, which may be wrong. */
static int read_vectors(const char *name)
{
	char path[256];
	struct mch_vec_reader in;
	int64_t *values[MCH_VEC_FIELDS_MAX] = {NULL};
	snprintf(path, sizeof(path), "%s/%s", fixture.dir, name);
	FILE *stream = fopen(path, "rb");
	int got = mch_vec_read_begin(&in, stream, path, &err);
	for (int i = 0; got == 0 && i < in.header.n_fields; i++)
		values[i] = malloc((size_t)in.header.field[i].count * sizeof(*values[i]));
	do
		got = got < 0 ? -1 : mch_vec_read_case(&in, values, &err);
	while (got > 0);
	for (int i = 0; i < MCH_VEC_FIELDS_MAX; i++)
		free(values[i]);
	mch_vec_read_free(&in);
	fclose(stream);
	return got;
}

static int read_program(const char *name)
{
	struct mch_program_folder f;
	if (mch_program_folder_read(&f, fixture.dir, &err) != 0)
		return -1;
	uint8_t *mem = malloc((size_t)f.n_words * f.word_bytes);
	int status = 0;
	if (strncmp(name, "input-", 6) == 0)
		status = mch_program_folder_input(&f, 0, mem, &err);
	else if (strncmp(name, "golden-", 7) == 0)
		status = mch_program_folder_golden(&f, 0, mem, &err);
	else
		status = mch_program_folder_check(&f, &err);
	free(mem);
	mch_program_folder_free(&f);
	return status;
}

/* Blanks become other blanks, and digits other digits: what a parser would not mind. */
static char other_byte(char was)
{
	return was == ' ' ? '\t' : was == '\n' ? ' ' : (char)(was ^ 1);
}

/* Changes every byte, or one of `step`; how many. */
static size_t sweep(const char *name, reader *run, size_t step)
{
	char path[256], was, now;
	size_t at = 0, n = 0;
	snprintf(path, sizeof(path), "%s/%s", fixture.dir, name);
	const int file = open(path, O_RDWR);
	ck_assert_msg(file >= 0, "%s", path);
	ck_assert_msg(run(name) == 0, "%s", err.text);
	for (; pread(file, &was, 1, (off_t)at) == 1; at += step, n++) {
		now = other_byte(was);
		ck_assert_int_eq(pwrite(file, &now, 1, (off_t)at), 1);
		err.text[0] = '\0';
		ck_assert_msg(run(name) == -1, "%s: byte %zu as %02x instead of %02x was not noticed", name, at, (unsigned char)now,
			      (unsigned char)was);
		ck_assert_msg(strstr(err.text, "; ") && !strchr(err.text, '\n'), "%s, byte %zu: %s", name, at, err.text);
		ck_assert_int_eq(pwrite(file, &was, 1, (off_t)at), 1);
	}
	ck_assert_int_eq(run(name), 0);
	close(file);
	return n;
}

static bool ends_with(const char *name, const char *ending)
{
	const size_t n = strlen(name), m = strlen(ending);
	return n > m && strcmp(name + n - m, ending) == 0;
}

START_TEST(exported)
{
	struct mch_accel_manifest m;
	size_t n = 0;
	fixture_make(&fixture, MCH_ROUND_STOCHASTIC, 0);
	fixture.export.n_vectors = 2;
	fixture.export.n_images = 2;
	fixture_export(&fixture);
	ck_assert_msg(mch_accel_manifest_read(fixture.dir, &m, &err) == 0, "%s", err.text);
	for (int i = 0; i < m.n_entries; i++) {
		const char *name = m.entries[i].name;
		/* The headers hold nothing that is expected, and have 50 kB, of which each byte goes into one hash. */
		if (ends_with(name, ".h") || ends_with(name, ".vh"))
			n += sweep(name, read_folder, 31);
		else
			n += sweep(name, ends_with(name, ".vec") ? read_vectors : read_image, 1);
	}
	n += sweep(MCH_ACCEL_MANIFEST, read_folder, 1);
	ck_assert_uint_gt(n, 10000);
	mch_accel_manifest_free(&m);
	fixture_free(&fixture);
}
END_TEST

START_TEST(program)
{
	static const char *const names[] = {"program.json", "memory.bin", "input-0.bin", "golden-0.bin", "mch_config.h", "mch_config.vh"};
	struct mch_program_summary summary;
	size_t n = 0;
	fixture_make(&fixture, MCH_ROUND_HALF_UP, 0);
	const struct mch_accel_export *from = &fixture.export;
	struct mch_program_export e = {
		.q = from->q, .cfg = {.rows = 4, .cols = 4, .mem_bits = 64, .x_words = 256, .w_words = 256}, .n_images = 1,
		.codes = from->codes, .labels = from->labels, .net_file = "fixture.onnx", .quant_file = "fixture.quant.json",
		.net_hash = from->net_hash, .quant_hash = from->quant_hash};
	mch_program_widths(e.q, &e.cfg);
	ck_assert_msg(mch_program_export(&e, fixture.dir, false, &summary, &err) == 0, "%s", err.text);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		n += sweep(names[i], read_program, 1);
	ck_assert_uint_gt(n, 6000);
	fixture_free(&fixture);
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {exported, program};
	return CHECK_SUITE("corrupt", tests);
}

int main(void)
{
	return check_main(suite);
}
