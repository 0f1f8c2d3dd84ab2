/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Fuzz targets that read data, vectors and exports; see fuzz.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/require.h"
#include "fuzz/fuzz.h"
#include "io/accel_manifest.h"
#include "io/idx.h"
#include "io/program_json.h"
#include "io/program_read.h"
#include "tensor/crc32.h"
#include "tensor/mem.h"
#include "tensor/vec.h"

/* Images up to a mark, labels behind it: both files are the fuzzer's. */
void fuzz_idx(const uint8_t *bytes, size_t n_bytes)
{
	struct mch_err err = {""};
	struct mch_dataset data;
	size_t cut = n_bytes;
	for (size_t i = 0; i + 4 <= n_bytes && cut == n_bytes; i++)
		cut = memcmp(bytes + i, "----", 4) == 0 ? i : cut;
	const size_t labels = cut + 4 <= n_bytes ? cut + 4 : n_bytes;
	const char *image_path = fuzz_file(0, bytes, cut), *label_path = fuzz_file(1, bytes + labels, n_bytes - labels);
	const int status = mch_idx_load_files(image_path, label_path, &data, &err);
	fuzz_expect(status, &err);
	if (status == 0)
		mch_dataset_free(&data);
}

/* The checksum hides all behind the first lines from a fuzzer, so it is put right here. */
void fuzz_vec(const uint8_t *bytes, size_t n_bytes)
{
	struct mch_err err = {""};
	struct mch_vec_reader reader;
	char *text = malloc(n_bytes + 32);
	MCH_REQUIRE(text, "there is memory");
	memcpy(text, bytes, n_bytes);
	const int more = snprintf(text + n_bytes, 32, "# crc32 %08x\n", (unsigned)mch_crc32(0, text, n_bytes));
	FILE *stream = fmemopen(text, n_bytes + (size_t)more, "rb");
	MCH_REQUIRE(stream, "a buffer can be read");
	int status = mch_vec_read_begin(&reader, stream, "f.vec", &err);
	fuzz_expect(status, &err);
	if (status == 0) {
		int64_t *values[MCH_VEC_FIELDS_MAX];
		for (int i = 0; i < reader.header.n_fields; i++)
			values[i] = calloc((size_t)reader.header.field[i].count, sizeof(int64_t));
		do
			status = mch_vec_read_case(&reader, values, &err);
		while (status == 1);
		fuzz_expect(status, &err);
		for (int i = 0; i < reader.header.n_fields; i++)
			free(values[i]);
	}
	mch_vec_read_free(&reader);
	fclose(stream);
	free(text);
}

/* What a simulator printed, with a header at its top or with one that the caller has. */
void fuzz_results(const uint8_t *bytes, size_t n_bytes)
{
	static const struct mch_vec_header known = {.n_in = 2, .n_fields = 4, .field = {{"x", {8, 4, true, MCH_FIXED, 0}, 2},
										    {"f", {8, 9, true, MCH_MINIFLOAT_FN, 4}, 1},
										    {"y", {8, 9, true, MCH_MINIFLOAT_FN, 4}, 2},
										    {"sat", {1, 0, false, MCH_FIXED, 0}, 2}}};
	struct mch_err err = {""};
	struct mch_vec_reader reader;
	bool has_header;
	if (n_bytes == 0)
		return;
	FILE *stream = fmemopen((void *)(uintptr_t)bytes, n_bytes, "rb");
	MCH_REQUIRE(stream, "a buffer can be read");
	int status = mch_vec_results_begin(&reader, stream, "stdin", &has_header, &err);
	fuzz_expect(status, &err);
	if (status == 0) {
		int64_t *values[MCH_VEC_FIELDS_MAX];
		if (!has_header)
			reader.header = known;
		for (int i = 0; i < reader.header.n_fields; i++)
			values[i] = calloc((size_t)reader.header.field[i].count, sizeof(int64_t));
		do
			status = mch_vec_results_case(&reader, values, &err);
		while (status == 1);
		fuzz_expect(status, &err);
		for (int i = 0; i < reader.header.n_fields; i++)
			free(values[i]);
	}
	mch_vec_read_free(&reader);
	fclose(stream);
}

void fuzz_mem(const uint8_t *bytes, size_t n_bytes)
{
	struct mch_err err = {""};
	int64_t words[64];
	if (n_bytes < 2)
		return;
	FILE *stream = fmemopen((void *)(uintptr_t)(bytes + 1), n_bytes - 1, "rb");
	MCH_REQUIRE(stream, "a buffer can be read");
	fuzz_expect(mch_mem_read(stream, "f.mem", words, bytes[0] & 63, 1 + bytes[0] % 64, bytes[0] & 1, &err), &err);
	fclose(stream);
}

static char dir[64];

static void remove_dir(void)
{
	rmdir(dir);
}

/* The folder, made once; its file of that name with the bytes. */
static void put_file(const char *name, const void *bytes, size_t n_bytes, char path[128])
{
	if (!dir[0]) {
		snprintf(dir, sizeof(dir), "/tmp/macchiato-fuzz-XXXXXX");
		MCH_REQUIRE(mkdtemp(dir), "a temporary folder can be made");
		atexit(remove_dir);
	}
	snprintf(path, 128, "%s/%s", dir, name);
	FILE *stream = fopen(path, "wb");
	MCH_REQUIRE(stream && fwrite(bytes, 1, n_bytes, stream) == n_bytes && fclose(stream) == 0,
		    "a temporary file can be written");
}

void fuzz_manifest(const uint8_t *bytes, size_t n_bytes)
{
	char path[128];
	struct mch_err err = {""};
	struct mch_accel_manifest manifest;
	put_file(MCH_ACCEL_MANIFEST, bytes, n_bytes, path);
	const int status = mch_accel_manifest_read(dir, &manifest, &err);
	fuzz_expect(status, &err);
	mch_accel_manifest_free(&manifest);
	unlink(path);
}

/* Hashes hide all behind them from a fuzzer: they are put right, and every other file is zeros. */
static void mend_program(json_t *root, uint64_t n_bytes, const uint8_t *zeros)
{
	json_t *file;
	size_t i;
	struct mch_hash hash;
	char hex[MCH_HASH_HEX];
	mch_hash_begin(&hash);
	mch_hash_bytes(&hash, zeros, (size_t)n_bytes);
	mch_hash_end(&hash, hex);
	json_array_foreach(json_object_get(root, "files"), i, file) {
		json_object_set_new(file, "sha256", json_string(hex));
		json_object_set_new(file, "bytes", json_integer((json_int_t)n_bytes));
	}
	if (mch_program_json_hash(root, hex) == 0)
		json_object_set_new(root, "sha256", json_string(hex));
}

void fuzz_program(const uint8_t *bytes, size_t n_bytes)
{
	static const uint8_t zeros[1 << 16];
	struct mch_err err = {""};
	struct mch_program_folder f;
	struct mch_folder_difference at;
	char path[128], memory[128];
	json_t *root = json_loadb((const char *)bytes, n_bytes, JSON_REJECT_DUPLICATES, NULL);
	if (!root)
		return;
	json_int_t words = 0, word_bytes = 0;
	json_unpack(root, "{s:{s:I}, s:{s:I}}", "memory", "words", &words, "build", "word_bytes", &word_bytes);
	const bool fits = words > 0 && word_bytes > 0 && words <= 4096 && word_bytes <= 16;
	mend_program(root, fits ? (uint64_t)(words * word_bytes) : 0, zeros);
	char *text = json_dumps(root, JSON_INDENT(MCH_PROGRAM_JSON_INDENT) | JSON_ENSURE_ASCII);
	json_decref(root);
	if (!text)
		return;
	const size_t n = strlen(text);
	text[n] = '\n'; /* in the place of its end: as the writer closes the file */
	put_file(MCH_PROGRAM_JSON, text, n + 1, path);
	put_file(MCH_PROGRAM_MEMORY, zeros, fits ? (size_t)(words * word_bytes) : 0, memory);
	const int status = mch_program_folder_read(&f, dir, &err);
	fuzz_expect(status, &err);
	if (status == 0) {
		fuzz_expect(mch_program_folder_input(&f, 0, f.memory, &err), &err);
		MCH_REQUIRE(!mch_program_folder_differs(&f, f.memory, zeros, &at), "all is zero");
		for (int i = 0; i < f.n_tensors; i++)
			mch_program_folder_copy(&f, i, zeros, f.memory);
		mch_program_folder_free(&f);
	}
	free(text);
	unlink(path);
	unlink(memory);
}
