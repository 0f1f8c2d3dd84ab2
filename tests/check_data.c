/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Data sets by what lies at a path: every kind, whole and broken, each with the text of its error. */
#include "data_fixture.h"
#include "picture_file.h"

#ifdef HAVE_LIBPNG
#include <png.h>
#endif

static const struct mch_shape rgb2 = {1, 3, 2, 2}, cifar = {1, 3, 32, 32};

START_TEST(nothing)
{
	refuse("none", rgb2, "none: cannot be read (No such file or directory); give a folder or a file of images");
	refuse("", rgb2,
	       ": holds no data that is known; looked for IDX (t10k-images-idx3-ubyte), CIFAR (test_batch.bin), LMDB "
	       "(data.mdb), NPY (x.npy), and pictures (.jpg, .jpeg, .png), or a folder of them for each class");
	temp_write(&temp, "empty", "", 0);
	refuse("empty", rgb2, "empty: lists no pictures; give \"PATH LABEL\" in each line");
	temp_write(&temp, "noise", "a\0b", 3);
	refuse("noise", rgb2,
	       "noise: is no list of pictures, nor any other data that is known: it has a zero byte; see IMAGES in "
	       "the "
	       "manual for what can be read");
}
END_TEST

/* A CIFAR file of n records whose pixels are their number. */
static void write_cifar(const char *name, int n, int n_labels, int label)
{
	uint8_t *bytes = malloc((size_t)n * 3074), *to = bytes;
	ck_assert_ptr_nonnull(bytes);
	for (int i = 0; i < n; i++) {
		for (int l = 0; l < n_labels; l++)
			*to++ = (uint8_t)(l == n_labels - 1 ? label : 3);
		memset(to, i, 3072);
		to += 3072;
	}
	temp_write(&temp, name, bytes, (size_t)(to - bytes));
	free(bytes);
}

START_TEST(cifar_10)
{
	write_cifar("test_batch.bin", 4, 1, 9);
	expect("", "test", cifar, 4, 10);
	ck_assert(data.is_split && data.labels[3] == 9 && first_value(3) == 3);
	expect("test_batch.bin", "train", cifar, 4, 10);
	ck_assert(!data.is_split);
	ck_assert_str_eq(data.name, "test_batch.bin");
	for (int i = 1; i <= 5; i++) {
		char name[32];
		ck_assert_int_eq(open_as("", "train", cifar), -1);
		ck_assert_ptr_nonnull(strstr(err.text, "cannot be read (No such file or directory)"));
		snprintf(name, sizeof(name), "data_batch_%d.bin", i);
		write_cifar(name, i, 1, i);
	}
	expect("", "train", cifar, 15, 10);
	ck_assert(data.labels[0] == 1 && data.labels[14] == 5 && first_value(14) == 4);
	ck_assert_ptr_nonnull(strstr(data.name, " train"));
}
END_TEST

START_TEST(cifar_100)
{
	write_cifar("train.bin", 3, 2, 99);
	expect("", "train", cifar, 3, 100);
	ck_assert(data.labels[2] == 99 && first_value(2) == 2);
	refuse("", cifar, "test.bin: cannot be read (No such file or directory); check the name and its permissions");
}
END_TEST

START_TEST(cifar_broken)
{
	write_cifar("a.bin", 2, 1, 10); /* no such class */
	refuse("a.bin", cifar,
	       "a.bin: is no CIFAR file of 6146 bytes: records have 3073 bytes and a label from 0 to 9, or 3074 "
	       "bytes and "
	       "labels up to 19 and 99; is it whole?");
	temp_write(&temp, "a.bin", "", 0);
	refuse("a.bin", cifar,
	       "a.bin: is no CIFAR file of 0 bytes: records have 3073 bytes and a label from 0 to 9, or 3074 bytes "
	       "and "
	       "labels up to 19 and 99; is it whole?");
	write_cifar("data_batch_1.bin", 2, 1, 1);
	write_cifar("data_batch_2.bin", 2, 2, 1);
	ck_assert_int_eq(open_as("", "train", cifar), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "data_batch_2.bin: is no CIFAR file of 6148 bytes"));
	ck_assert_ptr_nonnull(strstr(err.text, ", and the first file has the others; is it whole?"));
	write_cifar("test_batch.bin", 2, 1, 1);
	refuse("", (struct mch_shape){1, 3, 28, 28},
	       ": is 32x32 pixels, the network takes 28x28 (width x height); give "
	       "--resize=28x28, --resize=short:N, or --crop for the centre");
	transform.is_cropped = true;
	expect("", "test", (struct mch_shape){1, 3, 28, 28}, 2, 10);
	transform.resize = MCH_RESIZE_SHORT, transform.height = 40;
	expect("", "test", (struct mch_shape){1, 1, 40, 40}, 2, 10);
	ck_assert(first_value(1) == 1);
}
END_TEST

static void write_idx(const char *prefix, uint8_t n, uint8_t value)
{
	char name[64];
	const uint8_t head[] = {0, 0, 8, 3, 0, 0, 0, n, 0, 0, 0, 2, 0, 0, 0, 2}, labels[] = {0, 0, 8, 1, 0, 0, 0, n};
	uint8_t bytes[16 + 4 * 8];
	memcpy(bytes, head, sizeof(head));
	memset(bytes + 16, value, 32);
	snprintf(name, sizeof(name), "%s-images-idx3-ubyte", prefix);
	temp_write(&temp, name, bytes, 16 + 4u * n);
	memcpy(bytes, labels, sizeof(labels));
	memset(bytes + 8, 2, 8);
	snprintf(name, sizeof(name), "%s-labels-idx1-ubyte", prefix);
	temp_write(&temp, name, bytes, 8u + n);
}

START_TEST(idx)
{
	const struct mch_shape grey = {1, 1, 2, 2};
	write_idx("t10k", 3, 7);
	expect("", "test", grey, 3, 3);
	ck_assert(data.is_split && first_value(0) == 7);
	expect("t10k-images-idx3-ubyte", "train", grey, 3, 3);
	ck_assert(!data.is_split);
	expect("", "test", rgb2, 3, 3); /* grey three times */
	ck_assert_int_eq(open_as("", "train", grey), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "no train-images-idx3-ubyte or train-images-idx3-ubyte.gz here"));
	ck_assert_int_eq(remove(temp_path(&temp, "t10k-labels-idx1-ubyte")), 0);
	refuse("t10k-images-idx3-ubyte", grey,
	       "t10k-images-idx3-ubyte: has no file of labels beside it; give the images, "
	       "NAME-images-idx3-ubyte, with NAME-labels-idx1-ubyte beside them");
}
END_TEST

#ifdef HAVE_LIBPNG
/* A PNG of 2x2 pixels of one colour. */
static void write_png(const char *name, uint8_t red, uint8_t green, uint8_t blue)
{
	uint8_t rows[12];
	for (int i = 0; i < 12; i += 3)
		rows[i] = red, rows[i + 1] = green, rows[i + 2] = blue;
	struct picture_file file = make_png(rows, 6, 2, 2, 8, PNG_COLOR_TYPE_RGB, NULL, 0, 0);
	temp_write(&temp, name, file.bytes, file.n);
	free(file.bytes);
}

START_TEST(list)
{
	make_folder("pictures");
	write_png("pictures/a b.png", 1, 2, 3);
	write_png("pictures/c.png", 4, 5, 6);
	static const char text[] = "pictures/a b.png 7\r\n\npictures/c.png\t0\n";
	temp_write(&temp, "list.txt", text, sizeof(text) - 1);
	expect("list.txt", "test", rgb2, 2, 8);
	ck_assert(data.labels[0] == 7 && data.labels[1] == 0 && first_value(0) == 1 && first_value(1) == 4);
	transform.is_bgr = true;
	ck_assert(first_value(1) == 6 || (open_as("list.txt", "test", rgb2) == 0 && first_value(1) == 6));
	temp_write(&temp, "list.txt", "pictures/c.png", 14);
	expect("list.txt", "test", rgb2, 1, 0);
	temp_write(&temp, "list.txt", "a.png 1\nb.png\n", 14);
	refuse("list.txt", rgb2,
	       "list.txt:2: \"b.png\" has no label, as the lines before have; give each picture a label from 0, as "
	       "in "
	       "\"cats/1.jpg 281\", or none");
	temp_write(&temp, "list.txt", "a.png\nb.png 3\n", 14);
	refuse("list.txt", rgb2,
	       "list.txt:2: \"b.png\" has a label, the lines before have none; give each picture a label from 0, as "
	       "in "
	       "\"cats/1.jpg 281\", or none");
	temp_write(&temp, "list.txt", "none.png 1\n", 11);
	expect("list.txt", "test", rgb2, 1, 2);
	refuse_image(0, "none.png: cannot be read (No such file or directory); check the name and its permissions");
	temp_write(&temp, "list.txt", "list.txt 1\n", 11);
	expect("list.txt", "test", rgb2, 1, 2);
	refuse_image(0, "list.txt: is no JPEG or PNG picture; convert it to one, or leave it out");
	expect("pictures/c.png", "test", rgb2, 1, 0);
	expect("pictures", "test", rgb2, 2, 0);
}
END_TEST

START_TEST(folders)
{
	make_folder("b"), make_folder("a"), make_folder("C");
	write_png("b/1.png", 1, 1, 1);
	write_png("a/2.png", 2, 2, 2);
	write_png("a/10.png", 10, 10, 10);
	write_png("a/.hidden.png", 9, 9, 9);
	write_png("C/x.PNG", 3, 3, 3);
	temp_write(&temp, "a/readme", "text", 4);
	expect("", "test", rgb2, 4, 3); /* C, a, b; 10.png before 2.png: bytes, whatever the locale */
	static const int labels[] = {0, 1, 1, 2}, values[] = {3, 10, 2, 1};
	for (int i = 0; i < 4; i++)
		ck_assert(data.labels[i] == labels[i] && first_value(i) == values[i]);
	make_folder("d");
	refuse("", rgb2, "d: is the folder of a class, but has no .jpg, .jpeg or .png; fill or remove it");
	make_folder("set"), make_folder("set/train"), make_folder("set/train/one"), make_folder("set/val"),
		make_folder("set/val/one");
	write_png("set/train/one/a.png", 50, 0, 0);
	write_png("set/val/one/a.png", 60, 0, 0);
	expect("set", "train", rgb2, 1, 1);
	ck_assert(data.is_split && first_value(0) == 50);
	ck_assert_str_eq(data.name, "set train");
	expect("set", "test", rgb2, 1, 1);
	ck_assert(first_value(0) == 60);
}
END_TEST
#endif

static Suite *suite(void)
{
	Suite *s = suite_create("data");
	TCase *cases = tcase_create("data");
	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_add_test(cases, nothing);
	tcase_add_test(cases, cifar_10);
	tcase_add_test(cases, cifar_100);
	tcase_add_test(cases, cifar_broken);
	tcase_add_test(cases, idx);
#ifdef HAVE_LIBPNG
	tcase_add_test(cases, list);
	tcase_add_test(cases, folders);
#endif
	suite_add_tcase(s, cases);
	return s;
}

int main(void)
{
	return check_main(suite);
}
