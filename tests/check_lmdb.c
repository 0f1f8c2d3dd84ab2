/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* LMDB of Caffe's Datum, made by liblmdb: bytes, floats, pictures; damaged and cut off. */
#include "data_fixture.h"
#include "picture_file.h"

#include "base/rng.h"

#ifdef HAVE_LMDB
#include <lmdb.h>
#ifdef HAVE_LIBPNG
#include <png.h>
#endif

static const struct mch_shape rgb2 = {1, 3, 2, 2}, cifar = {1, 3, 32, 32};

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
	static const uint8_t short_data[] = {8, 3, 16, 2, 24, 2, 34, 2, 9, 1, 40, 5},
			     cut[] = {8, 3, 16, 2, 24, 2, 34, 12, 9};
	static const uint8_t huge[] = {8, 0xff, 0xff, 0xff, 0xff, 7, 16, 2, 24, 2, 34, 1, 9},
			     minus[] = {8,    1,    16,	  1,	24,   1,    34,	  1,	9,    40,
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

/* liblmdb itself crashes on some of these. */
START_TEST(lmdb_damaged)
{
	enum { N = 40, FLIPS = 150 };
	const uint8_t *values[N];
	size_t n_bytes[N];
	static char bytes[1 << 16];
	int n_crashes = 0, n_fine = 0;
	struct mch_rng rng = mch_rng_seed(5);
	for (int i = 0; i < N; i++)
		values[i] = raw_datum, n_bytes[i] = sizeof(raw_datum);
	write_lmdb("db", values, n_bytes, N);
	FILE *stream = fopen(temp_path(&temp, "db/data.mdb"), "rb");
	ck_assert_ptr_nonnull(stream);
	const size_t n = fread(bytes, 1, sizeof(bytes), stream);
	fclose(stream);
	for (int i = 0; i < FLIPS; i++) {
		const size_t at = mch_rng_below(&rng, (uint32_t)n);
		const char was = bytes[at];
		bytes[at] = (char)(was ^ (1 << mch_rng_below(&rng, 8)));
		temp_write(&temp, "db/data.mdb", bytes, n);
		if (open_as("db", "test", rgb2) == 0) {
			n_fine++;
			mch_dataset_free(&data);
		} else {
			n_crashes += strstr(err.text, "is damaged inside: reading all of it ends in a crash; get it again") != NULL;
		}
		bytes[at] = was;
	}
	ck_assert_int_gt(n_fine, 0);
	ck_assert_int_gt(n_crashes, 0);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("lmdb");
	TCase *cases = tcase_create("lmdb");
	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_add_test(cases, lmdb_bytes);
	tcase_add_test(cases, lmdb_floats);
#ifdef HAVE_LIBPNG
	tcase_add_test(cases, lmdb_encoded);
#endif
	tcase_add_test(cases, lmdb_broken);
	tcase_add_test(cases, lmdb_cut_off);
	tcase_add_test(cases, lmdb_damaged);
	suite_add_tcase(s, cases);
	return s;
}

int main(void)
{
	return check_main(suite);
}

#else

int main(void)
{
	puts("SKIP: built without liblmdb; install the Debian package liblmdb-dev, configure and build again");
	return 77;
}

#endif
