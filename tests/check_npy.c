/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* NPY pairs: every type and order, and each damage with the text of its error. */
#include "data_fixture.h"

#include "io/npy.h"
#include "io/npy_write.h"

static const struct mch_shape rgb2 = {1, 3, 2, 2};

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
	static const uint8_t u8[] = {0,	 1,  2,	 3,  4,	 5,  6,	 7,  8,	 9,  10, 11,
				     12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23};
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
	write_npy("x.npy", "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2, 2, 3), }", u8,
		  24); /* the channel last */
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

/* What is written is what the reader takes, to the bit. */
START_TEST(npy_written)
{
	static const int32_t values[] = {0, 1, -1, INT32_MAX, INT32_MIN, 258};
	uint8_t bytes[256];
	struct mch_npy head;
	int64_t got[6];
	ck_assert_msg(mch_npy_write(temp_path(&temp, "w.npy"), (struct mch_shape){1, 3, 2, 1}, values, &err) == 0, "%s",
		      err.text);
	FILE *stream = fopen(temp_path(&temp, "w.npy"), "rb");
	ck_assert_ptr_nonnull(stream);
	const size_t n = fread(bytes, 1, sizeof(bytes), stream);
	fclose(stream);
	ck_assert_msg(mch_npy_parse("w.npy", bytes, n, n, &head, &err) == 0, "%s", err.text);
	ck_assert(head.kind == 'i' && head.item_bytes == 4 && head.n_dims == 4 && head.dim[1] == 3 && head.at % 64 == 0);
	mch_npy_integers(&head, bytes + head.at, 6, got);
	for (int i = 0; i < 6; i++)
		ck_assert_int_eq(got[i], values[i]);
}
END_TEST

START_TEST(npy_broken)
{
	static const struct {
		const char *head;
		size_t n;
		const char *text;
	} cases[] = {
		{"{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3)}", 24,
		 "is in Fortran's order; save numpy.ascontiguousarray(x)"},
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
		{"{'descr': '<f4', 'fortran_order': False}", 4,
		 "has a head that does not tell its type, order and shape; save it anew"},
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

static Suite *suite(void)
{
	Suite *s = suite_create("npy");
	TCase *cases = tcase_create("npy");
	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_add_test(cases, npy);
	tcase_add_test(cases, npy_written);
	tcase_add_test(cases, npy_broken);
	suite_add_tcase(s, cases);
	return s;
}

int main(void)
{
	return check_main(suite);
}
