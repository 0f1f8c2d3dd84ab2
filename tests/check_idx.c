/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* IDX files: plain and gzipped, whole and broken in every way we know. */
#include "check_main.h"

#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <zlib.h>

#include "io/idx.h"
#include "temp.h"

/* Three images of 2 x 4 pixels, and their labels. */
static const uint8_t images[] = {0, 0, 8, 3, 0,  0,  0,  3,  0,  0,  0,  2,  0,  0,  0,  4,  1,  2,  3,  4,
				 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 255};
static const uint8_t labels[] = {0, 0, 8, 1, 0, 0, 0, 3, 7, 0, 2};

static struct temp temp;

static void setup(void)
{
	temp_open(&temp);
}

static void teardown(void)
{
	temp_close(&temp);
}

static void write_gz(const char *name, const uint8_t *bytes, unsigned n)
{
	gzFile stream = gzopen(temp_path(&temp, name), "wb");
	ck_assert_ptr_nonnull(stream);
	ck_assert_int_eq(gzwrite(stream, bytes, n), (int)n);
	ck_assert_int_eq(gzclose(stream), Z_OK);
}

static void expect_whole(const char *split)
{
	struct mch_dataset data;
	struct mch_err err = {""};
	ck_assert_msg(mch_idx_load(temp.dir, split, &data, &err) == 0, "%s", err.text);
	ck_assert_int_eq(data.n_images, 3);
	ck_assert_int_eq(data.n_classes, 8);
	ck_assert(data.shape.n == 1 && data.shape.c == 1 && data.shape.h == 2 && data.shape.w == 4);
	ck_assert_mem_eq(data.pixels, images + 16, 24);
	ck_assert(data.labels[0] == 7 && data.labels[1] == 0 && data.labels[2] == 2);
	ck_assert_ptr_nonnull(strstr(data.name, split[1] == 'r' ? "train-images" : "t10k-images"));
	mch_dataset_free(&data);
}

START_TEST(loads_plain)
{
	temp_write(&temp, "train-images-idx3-ubyte", images, sizeof(images));
	temp_write(&temp, "train-labels-idx1-ubyte", labels, sizeof(labels));
	expect_whole("train");
}
END_TEST

START_TEST(loads_gzipped)
{
	write_gz("t10k-images-idx3-ubyte.gz", images, sizeof(images));
	write_gz("t10k-labels-idx1-ubyte.gz", labels, sizeof(labels));
	expect_whole("test");
}
END_TEST

static void expect_error(const char *text)
{
	struct mch_dataset data;
	struct mch_err err = {""};
	ck_assert_int_eq(mch_idx_load(temp.dir, "train", &data, &err), -1);
	ck_assert_msg(strstr(err.text, text) != NULL, "\"%s\" is not in \"%s\"", text, err.text);
	ck_assert(data.pixels == NULL && data.labels == NULL && data.name == NULL);
}

START_TEST(refuses_truncated)
{
	temp_write(&temp, "train-labels-idx1-ubyte", labels, sizeof(labels));
	for (size_t n = 0; n < sizeof(images); n++) {
		char text[80];
		temp_write(&temp, "train-images-idx3-ubyte", images, n);
		snprintf(text, sizeof(text), "ends after %zu of %d bytes; the copy is incomplete, get it again", n,
			 n < 16 ? 16 : (int)sizeof(images));
		expect_error(text);
	}
}
END_TEST

START_TEST(refuses_truncated_gzip)
{
	size_t n;
	write_gz("train-images-idx3-ubyte.gz", images, sizeof(images));
	char *bytes = temp_read(temp.path, &n);
	temp_write(&temp, "train-labels-idx1-ubyte", labels, sizeof(labels));
	for (size_t cut = 2; cut < n; cut++) {
		temp_write(&temp, "train-images-idx3-ubyte.gz", bytes, cut);
		expect_error("get it again");
	}
	/* A changed byte that inflates well is caught by the checksum. */
	bytes[n - 5] ^= 1;
	temp_write(&temp, "train-images-idx3-ubyte.gz", bytes, n);
	expect_error("is damaged");
	free(bytes);
}
END_TEST

START_TEST(refuses_wrong_files)
{
	uint8_t wrong[sizeof(images) + 1];
	memcpy(wrong, images, sizeof(images));
	temp_write(&temp, "train-labels-idx1-ubyte", labels, sizeof(labels));
	temp_write(&temp, "train-images-idx3-ubyte", labels, sizeof(labels));
	expect_error("begins with 00000801, an IDX file of images begins with 00000803; is it the right file?");
	wrong[sizeof(images)] = 0;
	temp_write(&temp, "train-images-idx3-ubyte", wrong, sizeof(wrong));
	expect_error("has bytes behind its last element");
	wrong[4] = 0xff;
	temp_write(&temp, "train-images-idx3-ubyte", wrong, sizeof(images));
	expect_error("dimension 0 is 4278190083, 1 to 2147483647 are usable");
	wrong[4] = 0x7f; /* two billion images: the end comes before the memory */
	temp_write(&temp, "train-images-idx3-ubyte", wrong, sizeof(images));
	expect_error("ends after 40 of 17045651496 bytes");
	wrong[4] = 0;
	wrong[7] = 0;
	temp_write(&temp, "train-images-idx3-ubyte", wrong, 16);
	expect_error("dimension 0 is 0");
	wrong[7] = 2;
	temp_write(&temp, "train-images-idx3-ubyte", wrong, 16 + 16);
	expect_error("3 labels for the 2 images of train-images-idx3-ubyte; take both files from one release");
}
END_TEST

START_TEST(refuses_missing_files)
{
	expect_error("no train-images-idx3-ubyte or train-images-idx3-ubyte.gz here; give a folder of IDX files");
	temp_write(&temp, "train-images-idx3-ubyte", images, sizeof(images));
	expect_error("no train-labels-idx1-ubyte");
	ck_assert_int_eq(mkdir(temp_path(&temp, "train-labels-idx1-ubyte"), 0700), 0);
	expect_error("train-labels-idx1-ubyte: cannot be read (Is a directory)");
	ck_assert_int_eq(rmdir(temp.path), 0);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("idx");
	TCase *cases = tcase_create("idx");
	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_add_test(cases, loads_plain);
	tcase_add_test(cases, loads_gzipped);
	tcase_add_test(cases, refuses_truncated);
	tcase_add_test(cases, refuses_truncated_gzip);
	tcase_add_test(cases, refuses_wrong_files);
	tcase_add_test(cases, refuses_missing_files);
	suite_add_tcase(s, cases);
	return s;
}

int main(void)
{
	return check_main(suite);
}
