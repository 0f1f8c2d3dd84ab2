/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The table of fuzz targets, and what they share; see fuzz.h. */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/require.h"

const struct fuzz_target fuzz_targets[] = {
	{"caffe", fuzz_caffe},
	{"caffe_mean", fuzz_caffe_mean},
	{"caffemodel", fuzz_caffemodel},
	{"checkpoint", fuzz_checkpoint},
	{"cifar", fuzz_cifar},
	{"datum", fuzz_datum},
	{"idx", fuzz_idx},
	{"image", fuzz_image},
	{"list", fuzz_list},
	{"manifest", fuzz_manifest},
	{"mem", fuzz_mem},
	{"npy", fuzz_npy},
	{"onnx", fuzz_onnx},
	{"onnx_quant", fuzz_onnx_quant},
	{"program", fuzz_program},
	{"prototxt", fuzz_prototxt},
	{"quant_json", fuzz_quant_json},
	{"results", fuzz_results},
	{"vec", fuzz_vec},
	{NULL, NULL},
};

const struct fuzz_target *fuzz_find(const char *name)
{
	for (const struct fuzz_target *t = fuzz_targets; t->name; t++)
		if (name && strcmp(t->name, name) == 0)
			return t;
	fprintf(stderr, "fuzz: MCH_FUZZ is \"%s\", one of these is expected:", name ? name : "");
	for (const struct fuzz_target *t = fuzz_targets; t->name; t++)
		fprintf(stderr, " %s", t->name);
	fputc('\n', stderr);
	exit(99);
}

const char *fuzz_file(int slot, const uint8_t *bytes, size_t n_bytes)
{
	static int file[FUZZ_SLOTS] = {-1, -1, -1, -1};
	static char path[FUZZ_SLOTS][64];
	if (file[slot] < 0) {
		/* Unlinked at once: nothing is left behind, however the run ends. */
		char name[] = "/dev/shm/macchiato-fuzz-XXXXXX", other[] = "/tmp/macchiato-fuzz-XXXXXX";
		file[slot] = mkstemp(name);
		if (file[slot] >= 0) {
			unlink(name);
		} else {
			file[slot] = mkstemp(other);
			unlink(other);
		}
		MCH_REQUIRE(file[slot] >= 0, "a temporary file can be made");
		snprintf(path[slot], sizeof(path[slot]), "/proc/self/fd/%d", file[slot]);
	}
	MCH_REQUIRE(ftruncate(file[slot], 0) == 0 && pwrite(file[slot], bytes, n_bytes, 0) == (ssize_t)n_bytes,
		    "a temporary file can be written");
	return path[slot];
}

void fuzz_expect(int status, const struct mch_err *err)
{
	MCH_REQUIRE(status == 0 || status == -1, "a parser returns 0 or -1");
	if (status == 0)
		return;
	const char *where_end = strstr(err->text, ": ");
	MCH_REQUIRE(where_end && where_end > err->text, "a message begins with WHERE");
	/* The longest messages are cut at the end of their buffer. */
	MCH_REQUIRE(strchr(where_end, ';') || strlen(err->text) + 8 >= sizeof(err->text), "a message says what to do");
	MCH_REQUIRE(!strchr(err->text, '\n'), "a message is one line");
}
