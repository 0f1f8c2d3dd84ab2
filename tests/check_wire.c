/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The protobuf wire format: what is written is read, and no length is believed. */
#include "check_main.h"

#include <string.h>

#include "io/wire.h"
#include "temp.h"

static struct temp temp;
static struct mch_wire wire; /* its buffer is large for a stack */

static void setup(void)
{
	temp_open(&temp);
}

static void teardown(void)
{
	temp_close(&temp);
}

static void open_bytes(const void *bytes, size_t n_bytes, struct mch_err *err)
{
	temp_write(&temp, "m.bin", bytes, n_bytes);
	ck_assert_msg(mch_wire_open(&wire, temp.path, err) == 0, "%s", err->text);
}

static void expect(uint32_t number, enum mch_wire_type type, struct mch_wire_field *field)
{
	ck_assert_int_eq(mch_wire_next(&wire, field), 1);
	ck_assert_uint_eq(field->number, number);
	ck_assert_uint_eq(field->type, type);
}

enum { N_FLOATS = 40000 }; /* 160,000 bytes: over the buffer */

static void write_message(FILE *stream, const float *values)
{
	const uint64_t n_inner = mch_wire_uint_size(1, 300) + mch_wire_len_size(2, 3);
	mch_wire_put_uint(stream, 1, UINT64_MAX);
	mch_wire_put_text(stream, 2, "a name");
	mch_wire_put_len(stream, 3, n_inner);
	mch_wire_put_uint(stream, 1, 300);
	mch_wire_put_text(stream, 2, "abc");
	mch_wire_put_len(stream, 5, N_FLOATS * 4);
	mch_wire_put_floats(stream, values, N_FLOATS);
	mch_wire_put_float(stream, 5, 0.5F);
	mch_wire_put_uint(stream, 1000, 7);
}

static void read_message(const float *values)
{
	struct mch_wire_field f;
	static float got[N_FLOATS + 1];
	size_t n = 0;
	expect(1, MCH_WIRE_VARINT, &f);
	ck_assert(f.value == UINT64_MAX);
	expect(2, MCH_WIRE_LEN, &f);
	char *text = mch_wire_text(&wire, &f);
	ck_assert_str_eq(text, "a name");
	free(text);
	expect(3, MCH_WIRE_LEN, &f);
	ck_assert_int_eq(mch_wire_enter(&wire, &f), 0);
	expect(1, MCH_WIRE_VARINT, &f);
	ck_assert(f.value == 300);
	expect(2, MCH_WIRE_LEN, &f);
	ck_assert(mch_wire_left(&wire) == 3);
	ck_assert_int_eq(mch_wire_next(&wire, &f), 0);
	mch_wire_leave(&wire);
	expect(5, MCH_WIRE_LEN, &f);
	ck_assert_int_eq(mch_wire_floats(&wire, &f, got, N_FLOATS + 1, &n), 0);
	expect(5, MCH_WIRE_I32, &f);
	ck_assert_int_eq(mch_wire_floats(&wire, &f, got, N_FLOATS + 1, &n), 0);
	ck_assert_uint_eq(n, N_FLOATS + 1);
	ck_assert_mem_eq(got, values, N_FLOATS * sizeof(float));
	ck_assert(got[N_FLOATS] == 0.5F);
	expect(1000, MCH_WIRE_VARINT, &f);
	ck_assert_int_eq(mch_wire_next(&wire, &f), 0);
}

START_TEST(reads_what_is_written)
{
	static float values[N_FLOATS];
	struct mch_err err = {""};
	for (int i = 0; i < N_FLOATS; i++)
		values[i] = (float)i * 0.25F - 100;
	FILE *stream = fopen(temp_path(&temp, "m.bin"), "wb");
	write_message(stream, values);
	ck_assert_int_eq(fclose(stream), 0);
	ck_assert_int_eq(mch_wire_open(&wire, temp.path, &err), 0);
	read_message(values);
	ck_assert_int_eq(mch_wire_seek(&wire, 0, wire.n_bytes), 0);
	read_message(values);
	char text[3];
	ck_assert_int_eq(mch_wire_seek_bytes(&wire, 13, 4), 0); /* behind 1 + 10 and 2 bytes of keys and values */
	ck_assert_int_eq(mch_wire_bytes(&wire, text, 3), 0);
	ck_assert_mem_eq(text, "a n", 3);
	ck_assert_int_eq(mch_wire_bytes(&wire, text, 2), -1);
	mch_wire_close(&wire);
}
END_TEST

/* A pipe is read too: it is copied to where offsets mean something. */
START_TEST(reads_a_pipe)
{
	static float values[N_FLOATS];
	char command[600];
	struct mch_err err = {""};
	snprintf(command, sizeof(command), "mkfifo %s", temp_path(&temp, "pipe"));
	ck_assert_int_eq(system(command), 0);
	FILE *stream = fopen(temp_path(&temp, "m.bin"), "wb");
	write_message(stream, values);
	ck_assert_int_eq(fclose(stream), 0);
	snprintf(command, sizeof(command), "cd %s && cat m.bin > pipe &", temp.dir);
	ck_assert_int_eq(system(command), 0);
	ck_assert_msg(mch_wire_open(&wire, temp_path(&temp, "pipe"), &err) == 0, "%s", err.text);
	read_message(values);
	mch_wire_close(&wire);
}
END_TEST

START_TEST(reads_lists)
{
	/* ints packed and not; doubles packed and not */
	static const unsigned char bytes[] = {0x0a, 3,    1, 0xac, 2,    0x08, 5, 0x12, 16,   0,   0, 0,
					      0,    0,    0, 0xf8, 0x3f, 0,    0, 0,    0,    0,   0, 0x04,
					      0xc0, 0x11, 0, 0,    0,    0,    0, 0,    0xe0, 0x3f};
	struct mch_wire_field f;
	struct mch_err err = {""};
	int64_t ints[3];
	float reals[3];
	size_t n = 0;
	open_bytes(bytes, sizeof(bytes), &err);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(mch_wire_next(&wire, &f), 1);
		ck_assert_int_eq(mch_wire_ints(&wire, &f, ints, 3, &n), 0);
	}
	ck_assert(n == 3 && ints[0] == 1 && ints[1] == 300 && ints[2] == 5);
	n = 0;
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(mch_wire_next(&wire, &f), 1);
		ck_assert_int_eq(mch_wire_doubles(&wire, &f, reals, 3, &n), 0);
	}
	ck_assert(n == 3 && reals[0] == 1.5F && reals[1] == -2.5F && reals[2] == 0.5F);
	mch_wire_close(&wire);
}
END_TEST

#define BYTES(...) (const unsigned char[]){__VA_ARGS__}, sizeof((const unsigned char[]){__VA_ARGS__})

/* Reads the first field, as a list of floats with room for one where it is a LEN of field 5. */
static const struct {
	const unsigned char *bytes;
	size_t n_bytes;
	const char *message;
} bad[] = {
	{BYTES(0x12, 5, 'a'), "byte 2: field 2 has 5 bytes, its message has 1 left; the file is cut or damaged, "
			      "take it anew"},
	{BYTES(0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01), "byte 11: field 2 has "
										  "18446744073709551615 bytes, its "
										  "message has 0 left; the file is "
										  "cut or damaged, take it "
										  "anew"},
	{BYTES(0x08, 0xff), "byte 2: a number goes past the end of its message; the file is damaged, take it anew"},
	{BYTES(0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01), "byte 11: a number has over "
											"10 bytes; is it the right "
											"file?"},
	{BYTES(0x0d, 1, 2, 3), "byte 1: a value goes past the end of its message; the file is damaged, take it "
			       "anew"},
	{BYTES(0x0b), "byte 1: field 1 has the wire type 3, which is not used; is it the right file?"},
	{BYTES(0x02, 0), "byte 1: no field has the number 0; is it the right file?"},
	{BYTES(0x2a, 8, 0, 0, 0, 0, 0, 0, 0, 0), "byte 2: field 5 has over 1 values; the file is damaged, take it "
						 "anew"},
	{BYTES(0x2a, 3, 0, 0, 0), "byte 2: field 5 is no list of 4-byte values; is it the right file?"},
	{BYTES(0x28, 3), "byte 2: field 5 is no list of 4-byte values; is it the right file?"},
};

START_TEST(refuses)
{
	struct mch_wire_field f;
	struct mch_err err = {""};
	float value;
	size_t n = 0;
	open_bytes(bad[_i].bytes, bad[_i].n_bytes, &err);
	int status = mch_wire_next(&wire, &f);
	if (status == 1 && f.number == 5)
		status = mch_wire_floats(&wire, &f, &value, 1, &n);
	ck_assert_int_eq(status, -1);
	ck_assert_str_eq(err.text + strlen(temp.path) + 2, bad[_i].message);
	mch_wire_close(&wire);
}
END_TEST

START_TEST(refuses_a_folder)
{
	struct mch_err err = {""};
	ck_assert_int_eq(mch_wire_open(&wire, temp.dir, &err), -1);
	ck_assert_str_eq(err.text + strlen(temp.dir), ": cannot be read (Is a directory); check the name and its "
						      "permissions");
	ck_assert_int_eq(mch_wire_open(&wire, temp_path(&temp, "none"), &err), -1);
	mch_wire_close(&wire);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("wire");
	TCase *cases = tcase_create("wire");
	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_add_test(cases, reads_what_is_written);
	tcase_add_test(cases, reads_a_pipe);
	tcase_add_test(cases, reads_lists);
	tcase_add_loop_test(cases, refuses, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(cases, refuses_a_folder);
	suite_add_tcase(s, cases);
	return s;
}

int main(void)
{
	return check_main(suite);
}
