/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Fuzz targets that read images and their labels; see fuzz.h. */
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "fuzz/fuzz.h"
#include "io/data.h"
#include "io/datum.h"
#include "io/image.h"
#include "io/npy.h"

static void decode(const char *where, const uint8_t *bytes, size_t n_bytes)
{
	struct mch_err err = {""};
	struct mch_image image = {0};
	fuzz_expect(mch_image_decode(where, bytes, n_bytes, &image, &err), &err);
	mch_image_free(&image);
}

void fuzz_image(const uint8_t *bytes, size_t n_bytes)
{
	decode("f.jpg", bytes, n_bytes);
}

void fuzz_datum(const uint8_t *bytes, size_t n_bytes)
{
	struct mch_err err = {""};
	struct mch_datum datum;
	const int status = mch_datum_parse("f.mdb", bytes, n_bytes, &datum, &err);
	fuzz_expect(status, &err);
	if (status == 0 && datum.is_encoded) {
		decode("f.mdb", datum.data, datum.n_data);
	} else if (status == 0 && !datum.data && datum.n_floats < 4096) {
		float values[4096];
		fuzz_expect(mch_datum_floats("f.mdb", bytes, n_bytes, values, datum.n_floats, &err), &err);
	}
}

void fuzz_npy(const uint8_t *bytes, size_t n_bytes)
{
	struct mch_err err = {""};
	struct mch_npy npy;
	const int status = mch_npy_parse("f.npy", bytes, n_bytes, n_bytes, &npy, &err);
	fuzz_expect(status, &err);
	if (status != 0)
		return;
	const size_t n = (size_t)npy.dim[0] * (size_t)npy.dim[1] * (size_t)npy.dim[2] * (size_t)npy.dim[3];
	MCH_REQUIRE(npy.at + n * (size_t)npy.item_bytes == n_bytes, "the elements are there");
	float values[8];
	int64_t integers[8];
	if (npy.kind == 'f' || (npy.kind == 'u' && npy.item_bytes == 1))
		mch_npy_floats(&npy, bytes + npy.at, n < 8 ? n : 8, values);
	if (npy.kind != 'f')
		mch_npy_integers(&npy, bytes + npy.at, n < 8 ? n : 8, integers);
}

/* What a reader opened, and its first image. */
static void finish(struct mch_opened *opened, int status, const struct mch_err *err, size_t image_bytes)
{
	fuzz_expect(status, err);
	if (status == 0 && opened->source.read && opened->data->n_images > 0) {
		struct mch_err why = {""};
		void *image = malloc(image_bytes);
		MCH_REQUIRE(image, "there is memory");
		fuzz_expect(opened->source.read(opened->source.ctx, 0, image, &why), &why);
		free(image);
	}
	if (opened->source.free)
		opened->source.free(opened->source.ctx);
	mch_dataset_free(opened->data);
}

void fuzz_cifar(const uint8_t *bytes, size_t n_bytes)
{
	struct mch_err err = {""};
	struct mch_dataset data = {0};
	struct mch_opened opened = {.data = &data};
	const char *paths[1] = {fuzz_file(0, bytes, n_bytes)};
	const int status = mch_cifar_open(paths, 1, &opened, &err);
	finish(&opened, status, &err, 3 * 32 * 32);
}

void fuzz_list(const uint8_t *bytes, size_t n_bytes)
{
	struct mch_err err = {""};
	struct mch_dataset data = {0};
	struct mch_opened opened = {.data = &data};
	const struct mch_transform transform = mch_transform_plain();
	const struct mch_data_spec spec = {.path = "f.txt", .split = "test", .input = {1, 3, 4, 4}, .transform = &transform};
	const int status = mch_list_open(&spec, fuzz_file(0, bytes, n_bytes), &opened, &err);
	opened.source.read = NULL; /* its pictures are whatever files the machine has */
	finish(&opened, status, &err, 3 * 4 * 4);
}
