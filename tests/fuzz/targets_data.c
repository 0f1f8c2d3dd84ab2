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

void fuzz_manifest(const uint8_t *bytes, size_t n_bytes)
{
	static char path[128];
	struct mch_err err = {""};
	struct mch_accel_manifest manifest;
	if (!dir[0]) {
		snprintf(dir, sizeof(dir), "/tmp/macchiato-fuzz-XXXXXX");
		MCH_REQUIRE(mkdtemp(dir), "a temporary folder can be made");
		atexit(remove_dir);
		snprintf(path, sizeof(path), "%s/" MCH_ACCEL_MANIFEST, dir);
	}
	FILE *stream = fopen(path, "wb");
	MCH_REQUIRE(stream && fwrite(bytes, 1, n_bytes, stream) == n_bytes && fclose(stream) == 0,
		    "a temporary file can be written");
	const int status = mch_accel_manifest_read(dir, &manifest, &err);
	fuzz_expect(status, &err);
	mch_accel_manifest_free(&manifest);
	unlink(path);
}
