/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Data sets by what lies at a path: every kind, whole and broken, each with the text of its error. */
#include "check_main.h"
#include "picture_file.h"

#include <ftw.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#ifdef HAVE_LMDB
#include <lmdb.h>
#endif
#ifdef HAVE_LIBPNG
#include <png.h>
#endif

#include "io/data.h"
#include "temp.h"

static struct temp temp;
static struct mch_err err;
static struct mch_transform transform;
static struct mch_dataset data;

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *at)
{
	(void)status, (void)kind, (void)at;
	return remove(path);
}

static void setup(void)
{
	temp_open(&temp);
	transform = mch_transform_plain();
	data = (struct mch_dataset){0};
}

static void teardown(void)
{
	mch_dataset_free(&data);
	ck_assert_int_eq(nftw(temp.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void make_folder(const char *name)
{
	ck_assert_int_eq(mkdir(temp_path(&temp, name), 0700), 0);
}

/* The set at dir/name, or dir for ""; as the split. */
static int open_as(const char *name, const char *split, struct mch_shape input)
{
	char path[512];
	const struct mch_data_spec spec = {.path = path, .split = split, .input = input, .transform = &transform,
					   .budget_bytes = 1 << 20, .n_threads = 2};
	snprintf(path, sizeof(path), "%.250s%s%.200s", temp.dir, name[0] ? "/" : "", name);
	mch_dataset_free(&data);
	return mch_data_open(&spec, &data, &err);
}

static void expect(const char *name, const char *split, struct mch_shape input, int n_images, int n_classes)
{
	ck_assert_msg(open_as(name, split, input) == 0, "%s", err.text);
	ck_assert_int_eq(data.n_images, n_images);
	ck_assert_int_eq(data.n_classes, n_classes);
	ck_assert(data.shape.c == input.c && data.shape.h == input.h && data.shape.w == input.w);
}

/* The message of what cannot be opened, behind the folder's name. */
static void refuse(const char *name, struct mch_shape input, const char *text)
{
	ck_assert_int_eq(open_as(name, "test", input), -1);
	ck_assert_msg(strncmp(err.text, temp.dir, strlen(temp.dir)) == 0, "%s", err.text);
	ck_assert_str_eq(err.text + strlen(temp.dir) + (text[0] != ':'), text);
	ck_assert(!data.pixels && !data.labels && !data.name && !data.loader);
}

/* The same of an image that cannot be read. */
static void refuse_image(int i, const char *text)
{
	float x[4096];
	ck_assert_int_eq(mch_dataset_f32(&data, i, 1, x, &err), -1);
	ck_assert_str_eq(err.text + strlen(temp.dir) + 1, text);
}

static float first_value(int i)
{
	float x[4096];
	ck_assert_msg(mch_dataset_f32(&data, i, 1, x, &err) == 0, "%s", err.text);
	return x[0];
}

static const struct mch_shape rgb2 = {1, 3, 2, 2}, cifar = {1, 3, 32, 32};

START_TEST(nothing)
{
	refuse("none", rgb2, "none: cannot be read (No such file or directory); give a folder or a file of images");
	refuse("", rgb2, ": holds no data that is known; looked for IDX (t10k-images-idx3-ubyte), CIFAR (test_batch.bin), LMDB "
			 "(data.mdb), NPY (x.npy), and pictures (.jpg, .jpeg, .png), or a folder of them for each class");
	temp_write(&temp, "empty", "", 0);
	refuse("empty", rgb2, "empty: lists no pictures; give \"PATH LABEL\" in each line");
	temp_write(&temp, "noise", "a\0b", 3);
	refuse("noise", rgb2, "noise: is no list of pictures, nor any other data that is known: it has a zero byte; see IMAGES in the "
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
	refuse("a.bin", cifar, "a.bin: is no CIFAR file of 6146 bytes: records have 3073 bytes and a label from 0 to 9, or 3074 bytes and "
			       "labels up to 19 and 99; is it whole?");
	temp_write(&temp, "a.bin", "", 0);
	refuse("a.bin", cifar, "a.bin: is no CIFAR file of 0 bytes: records have 3073 bytes and a label from 0 to 9, or 3074 bytes and "
			       "labels up to 19 and 99; is it whole?");
	write_cifar("data_batch_1.bin", 2, 1, 1);
	write_cifar("data_batch_2.bin", 2, 2, 1);
	ck_assert_int_eq(open_as("", "train", cifar), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "data_batch_2.bin: is no CIFAR file of 6148 bytes"));
	ck_assert_ptr_nonnull(strstr(err.text, ", and the first file has the others; is it whole?"));
	write_cifar("test_batch.bin", 2, 1, 1);
	refuse("", (struct mch_shape){1, 3, 28, 28}, ": is 32x32 pixels, the network takes 28x28 (width x height); give "
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
	refuse("t10k-images-idx3-ubyte", grey, "t10k-images-idx3-ubyte: has no file of labels beside it; give the images, "
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
	refuse("list.txt", rgb2, "list.txt:2: \"b.png\" has no label, as the lines before have; give each picture a label from 0, as in "
				 "\"cats/1.jpg 281\", or none");
	temp_write(&temp, "list.txt", "a.png\nb.png 3\n", 14);
	refuse("list.txt", rgb2, "list.txt:2: \"b.png\" has a label, the lines before have none; give each picture a label from 0, as in "
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
	make_folder("set"), make_folder("set/train"), make_folder("set/train/one"), make_folder("set/val"), make_folder("set/val/one");
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

static void write_npy(const char *name, const char *head, const void *elements, size_t n_bytes)
{
	uint8_t bytes[4096] = "\x93NUMPY\x01";
	const size_t n = strlen(head);
	bytes[8] = (uint8_t)n;
	memcpy(bytes + 10, head, n);
	memcpy(bytes + 10 + n, elements, n_bytes);
	temp_write(&temp, name, bytes, 10 + n + n_bytes);
}

START_TEST(npy)
{
	static const uint8_t u8[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23};
	static const uint8_t big[] = {0x3f, 0xc0, 0, 0, 0xc0, 0x20, 0, 0}, big64[] = {0x3f, 0xf8, 0, 0, 0, 0, 0, 0};
	static const uint8_t labels[] = {0, 3, 0, 1};
	const struct mch_shape grey = {1, 1, 1, 1};
	write_npy("x.npy", "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 2, 2), }\n", u8, 24);
	expect("x.npy", "test", rgb2, 2, 0);
	ck_assert(first_value(1) == 12);
	write_npy("y.npy", "{'descr': '>i2', 'fortran_order': False, 'shape': (2,), }", labels, 4);
	expect("", "test", rgb2, 2, 4);
	ck_assert(data.labels[0] == 3 && data.labels[1] == 1 && !data.is_split);
	expect("x.npy", "test", rgb2, 2, 4);
	write_npy("x.npy", "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2, 2, 3), }", u8, 24); /* the channel last */
	expect("", "test", rgb2, 2, 4);
	float x[12];
	ck_assert_int_eq(mch_dataset_f32(&data, 1, 1, x, &err), 0);
	ck_assert(x[0] == 12 && x[1] == 15 && x[4] == 13 && x[11] == 23);
	write_npy("x.npy", "{\"shape\": (2, 1), \"descr\": \">f4\", \"fortran_order\": False}", big, 8);
	expect("", "test", grey, 2, 4);
	ck_assert(first_value(0) == 1.5f && first_value(1) == -2.5f);
	write_npy("z.npy", "{'shape': (1, 1, 1), 'descr': '>f8', 'fortran_order': False}", big64, 8);
	expect("z.npy", "test", grey, 1, 0);
	ck_assert(first_value(0) == 1.5f);
}
END_TEST

START_TEST(npy_broken)
{
	static const struct {
		const char *head;
		size_t n;
		const char *text;
	} cases[] = {
		{"{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3)}", 24, "is in Fortran's order; save numpy.ascontiguousarray(x)"},
		{"{'descr': '<c8', 'fortran_order': False, 'shape': (2, 3)}", 24,
		 "has elements of another type (, 'fortran_order': F); save it as uint8, float32 or an integer"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}", 20,
		 "has 20 bytes of elements, its shape wants 24; the copy is incomplete or damaged, get it again"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (2147483647, 2147483647, 2147483647)}", 20,
		 "has a shape beyond any file; it is damaged, save it anew"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 0)}", 0,
		 "has a shape that is not 1 to 4 sizes from 1 to 2147483647; reshape it"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1)}", 4,
		 "has a shape that is not 1 to 4 sizes from 1 to 2147483647; reshape it"},
		{"{'descr': '<f4', 'fortran_order': False}", 4, "has a head that does not tell its type, order and shape; save it anew"},
		{"{'descr': '<f4', 'shape' (2, 3)}", 24, "has a damaged head; save it anew"},
		{"['descr']", 24, "has a head without a dictionary; it is damaged, save it anew"},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (4,)}", 16,
		 "has one dimension; images have [n][c][h][w], [n][h][w] or [n][c]"},
		{"{'descr': '<i4', 'fortran_order': False, 'shape': (2, 2)}", 16,
		 "has elements of the type i4, uint8 or float are usable; save x.astype('float32')"},
	};
	static const uint8_t zeros[64];
	char want[256];
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_npy("x.npy", cases[i].head, zeros, cases[i].n);
		snprintf(want, sizeof(want), "x.npy: %s", cases[i].text);
		refuse("", rgb2, want);
	}
	temp_write(&temp, "x.npy", "\x93NUMPY\x09\0\x02\0{}", 12);
	refuse("", rgb2, "x.npy: is of .npy version 9, 1 to 3 are known; save it anew");
	temp_write(&temp, "x.npy", "\x93NUMPY\x01\0\xff\x01{}", 12);
	refuse("", rgb2, "x.npy: ends in its head, or that is too long; it is damaged, save it anew");
	temp_write(&temp, "x.npy", "\x93NUM", 4);
	refuse("", rgb2, "x.npy: is no .npy file; save it with numpy.save");
	write_npy("x.npy", "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 2, 2)}", zeros, 24);
	write_npy("y.npy", "{'descr': '|u1', 'fortran_order': False, 'shape': (3,)}", zeros, 3);
	refuse("", rgb2, "y.npy: has 3 labels for 2 images; give files that belong together");
	write_npy("y.npy", "{'descr': '|i1', 'fortran_order': False, 'shape': (2,)}", "\x01\xff", 2);
	refuse("", rgb2, "y.npy: label 1 is -1, 0 to 16777216 are usable; is it the right file?");
	write_npy("y.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", zeros, 8);
	refuse("", rgb2, "y.npy: is no list of integers; give one class from 0 for each image");
}
END_TEST

#ifdef HAVE_LMDB
/* A database of n values under the keys Caffe gives them. */
static void write_lmdb(const char *name, const uint8_t *const *values, const size_t *n_bytes, int n)
{
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	make_folder(name);
	ck_assert_int_eq(mdb_env_create(&env), 0);
	ck_assert_int_eq(mdb_env_set_mapsize(env, 1 << 20), 0);
	ck_assert_int_eq(mdb_env_open(env, temp_path(&temp, name), MDB_NOLOCK, 0600), 0);
	ck_assert_int_eq(mdb_txn_begin(env, NULL, 0, &txn), 0);
	ck_assert_int_eq(mdb_dbi_open(txn, NULL, 0, &dbi), 0);
	for (int i = 0; i < n; i++) {
		char text[16];
		snprintf(text, sizeof(text), "%08d", i);
		MDB_val key = {strlen(text), text}, value = {n_bytes[i], (void *)(uintptr_t)values[i]};
		ck_assert_int_eq(mdb_put(txn, dbi, &key, &value, 0), 0);
	}
	ck_assert_int_eq(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
}

/* channels 3, height 2, width 2, data of 12 bytes, a label */
static const uint8_t raw_datum[] = {8, 3, 16, 2, 24, 2, 34, 12, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 40, 5};
/* channels 1, height 1, width 2, label 1, floats 1.5 and -2 packed; and one by one */
static const uint8_t packed_floats[] = {8, 1, 16, 1, 24, 2, 40, 1, 50, 8, 0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0};
static const uint8_t loose_floats[] = {8, 1, 16, 1, 24, 2, 40, 2, 53, 0, 0, 0, 0x40, 53, 0, 0, 0x40, 0x40};

START_TEST(lmdb_bytes)
{
	const uint8_t *values[] = {raw_datum, raw_datum};
	const size_t n_bytes[] = {sizeof(raw_datum), sizeof(raw_datum)};
	write_lmdb("db", values, n_bytes, 2);
	transform.is_bgr = true; /* planes enter as they lie */
	expect("db", "test", rgb2, 2, 6);
	ck_assert(data.labels[1] == 5 && first_value(1) == 9 && !data.is_split);
	expect("db/data.mdb", "test", rgb2, 2, 6);
	ck_assert_int_eq(open_as("db", "test", cifar), 0);
	refuse_image(0, "db: image 0: is 2x2 pixels, the network takes 32x32 (width x height); give --resize=32x32, "
			    "--resize=short:N, or --crop for the centre");
}
END_TEST

START_TEST(lmdb_floats)
{
	const uint8_t *values[] = {packed_floats, loose_floats};
	const size_t n_bytes[] = {sizeof(packed_floats), sizeof(loose_floats)};
	float x[2];
	write_lmdb("db", values, n_bytes, 2);
	expect("db", "test", (struct mch_shape){1, 1, 1, 2}, 2, 3);
	ck_assert_int_eq(mch_dataset_f32(&data, 0, 1, x, &err), 0);
	ck_assert(x[0] == 1.5f && x[1] == -2);
	ck_assert_int_eq(mch_dataset_f32(&data, 1, 1, x, &err), 0);
	ck_assert(x[0] == 2 && x[1] == 3);
}
END_TEST

#ifdef HAVE_LIBPNG
START_TEST(lmdb_encoded)
{
	static const uint8_t rows[] = {1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3};
	struct picture_file file = make_png(rows, 6, 2, 2, 8, PNG_COLOR_TYPE_RGB, NULL, 0, 0);
	uint8_t bytes[512] = {34, (uint8_t)file.n}; /* below 128 bytes: its length is one */
	ck_assert_uint_lt(file.n, 128);
	memcpy(bytes + 2, file.bytes, file.n);
	memcpy(bytes + 2 + file.n, (const uint8_t[]){40, 1, 56, 1}, 4);
	const uint8_t *values[] = {bytes};
	const size_t n_bytes[] = {file.n + 6};
	write_lmdb("db", values, n_bytes, 1);
	transform.is_bgr = true;
	expect("db", "test", rgb2, 1, 2);
	ck_assert(first_value(0) == 3);
	free(file.bytes);
}
END_TEST
#endif

START_TEST(lmdb_broken)
{
	static const uint8_t short_data[] = {8, 3, 16, 2, 24, 2, 34, 2, 9, 1, 40, 5}, cut[] = {8, 3, 16, 2, 24, 2, 34, 12, 9};
	static const uint8_t huge[] = {8, 0xff, 0xff, 0xff, 0xff, 7, 16, 2, 24, 2, 34, 1, 9}, minus[] = {8, 1, 16, 1, 24, 1, 34, 1, 9, 40,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1};
	static const uint8_t no_data[] = {56, 1, 40, 1};
	static const struct {
		const uint8_t *bytes;
		size_t n;
		const char *text;
	} cases[] = {
		{short_data, sizeof(short_data), "is no Datum of 3x2x2: it holds 2 values; make the data anew"},
		{huge, sizeof(huge), "is no Datum of 2147483647x2x2: it holds 1 values; make the data anew"},
		{minus, sizeof(minus), "has the label -1, 0 or more is expected; make the data anew"},
		{no_data, sizeof(no_data), "is an encoded Datum without data; make the data anew"},
	};
	char name[16], want[256];
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(name, sizeof(name), "db%zu", i);
		write_lmdb(name, &cases[i].bytes, &cases[i].n, 1);
		snprintf(want, sizeof(want), "%s: image 0: %s", name, cases[i].text);
		refuse(name, rgb2, want);
	}
	const uint8_t *values[] = {cut};
	const size_t n_bytes[] = {sizeof(cut)};
	write_lmdb("cut", values, n_bytes, 1);
	ck_assert_int_eq(open_as("cut", "test", rgb2), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "cut: image 0: byte "));
	write_lmdb("none", values, n_bytes, 0);
	refuse("none", rgb2, "none: holds 0 images, 1 to 2147483647 are usable; is it the right one?");
}
END_TEST

START_TEST(lmdb_cut_off)
{
	const uint8_t *values[] = {raw_datum};
	const size_t n_bytes[] = {sizeof(raw_datum)};
	char bytes[1 << 15];
	write_lmdb("db", values, n_bytes, 1);
	FILE *stream = fopen(temp_path(&temp, "db/data.mdb"), "rb");
	ck_assert_ptr_nonnull(stream);
	const size_t n = fread(bytes, 1, sizeof(bytes), stream);
	fclose(stream);
	for (size_t cut = 0; cut < n; cut += 1024) {
		temp_write(&temp, "db/data.mdb", bytes, cut);
		ck_assert_int_eq(open_as("db", "test", rgb2), -1);
		ck_assert_msg(strstr(err.text, "; the copy is incomplete, get it again") ||
			      strstr(err.text, "; is it a folder with Caffe's data.mdb, and whole?"), "%s", err.text);
	}
	temp_write(&temp, "db/data.mdb", "nothing of the kind", 19);
	ck_assert_int_eq(open_as("db", "test", rgb2), -1);
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
	tcase_add_test(cases, npy);
	tcase_add_test(cases, npy_broken);
#ifdef HAVE_LMDB
	tcase_add_test(cases, lmdb_bytes);
	tcase_add_test(cases, lmdb_floats);
#ifdef HAVE_LIBPNG
	tcase_add_test(cases, lmdb_encoded);
#endif
	tcase_add_test(cases, lmdb_broken);
	tcase_add_test(cases, lmdb_cut_off);
#endif
	suite_add_tcase(s, cases);
	return s;
}

int main(void)
{
	return check_main(suite);
}
