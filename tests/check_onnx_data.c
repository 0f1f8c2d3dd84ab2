/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Elements of ONNX tensors: every type, in lists and in bytes, in the file and in files beside it; and what is
 * refused. */
#include "check_main.h"

#include <math.h>
#include <string.h>

#include "io/onnx_attr.h"
#include "io/onnx_load.h"
#include "temp.h"

static struct temp temp;
static struct mch_err err;
static struct mch_wire wire;
static MchOnnx__NodeProto proto;
static struct mch_onnx_node node;

static void setup(void)
{
	temp_open(&temp);
	temp_write(&temp, "m.onnx", "", 0);
	mch_onnx__node_proto__init(&proto);
	proto.name = "n";
	proto.op_type = "Op";
	err.text[0] = '\0';
	ck_assert_int_eq(mch_wire_open(&wire, temp.path, &err), 0);
	node = (struct mch_onnx_node){wire.path, &proto, &err, &wire};
}

static void teardown(void)
{
	mch_wire_close(&wire);
	temp_close(&temp);
}

/* Three elements as bytes, and what they are. */
static const struct {
	int type;
	size_t n_bytes;
	uint8_t bytes[24];
	float values[3];
} types[] = {
	{1, 12, {0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0, 1, 0, 0, 0}, {1, -2.5f, 0x1p-149f}},
	{2, 3, {0, 127, 255}, {0, 127, 255}},
	{3, 3, {0, 127, 255}, {0, 127, -1}},
	{4, 6, {1, 0, 0, 0x80, 0xff, 0xff}, {1, 32768, 65535}},
	{5, 6, {1, 0, 0, 0x80, 0xff, 0xff}, {1, -32768, -1}},
	{6, 12, {2, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0x80}, {2, -1, -0x1p31f}},
	{7,
	 24,
	 {2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0x80},
	 {2, -1, -0x1p63f}},
	{9, 3, {0, 1, 1}, {0, 1, 1}},
	/* 1, the smallest subnormal, the largest negative. */
	{10, 6, {0, 0x3c, 1, 0, 0xff, 0xfb}, {1, 0x1p-24f, -65504}},
	{11, 24, {0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 4, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0}, {1, -2.5f, 0}},
	{12, 12, {2, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0x80}, {2, 0x1p32f, 0x1p31f}},
	{16, 6, {0x80, 0x3f, 0x20, 0xc0, 1, 0}, {1, -2.5f, 0x1p-133f}},
	{21, 2, {0xf7, 0x08}, {7, 15, 8}},
	{22, 2, {0xf7, 0x08}, {7, -1, -8}},
};

static MchOnnx__TensorProto tensor_of(int i, int64_t *dims)
{
	MchOnnx__TensorProto t = MCH_ONNX__TENSOR_PROTO__INIT;
	dims[0] = 3;
	t.name = "t";
	t.dims = dims;
	t.n_dims = 1;
	t.data_type = types[i].type;
	return t;
}

static void expect_values(const MchOnnx__TensorProto *t, const float *want)
{
	float *values;
	size_t n;
	ck_assert_msg(mch_onnx_tensor_f32(&node, t, &values, &n) == 0, "%s", err.text);
	ck_assert_uint_eq(n, 3);
	ck_assert_mem_eq(values, want, 3 * sizeof(float));
	free(values);
}

START_TEST(reads_bytes)
{
	int64_t dims[1];
	MchOnnx__TensorProto t = tensor_of(_i, dims);
	t.raw_data = (ProtobufCBinaryData){types[_i].n_bytes, (uint8_t *)types[_i].bytes};
	expect_values(&t, types[_i].values);
	/* The same in another file, behind other bytes; and to the end of the file. */
	char offset[] = "5", length[8], location[] = "./w.bin";
	MchOnnx__StringStringEntryProto entries[3], *external[] = {&entries[0], &entries[1], &entries[2]};
	uint8_t bytes[32] = {0};
	memcpy(bytes + 5, types[_i].bytes, types[_i].n_bytes);
	temp_write(&temp, "w.bin", bytes, 5 + types[_i].n_bytes);
	snprintf(length, sizeof(length), "%zu", types[_i].n_bytes);
	for (int i = 0; i < 3; i++)
		mch_onnx__string_string_entry_proto__init(&entries[i]);
	entries[0].key = "location", entries[0].value = location;
	entries[1].key = "offset", entries[1].value = offset;
	entries[2].key = "length", entries[2].value = length;
	t.raw_data.len = 0;
	t.data_location = 1;
	t.external_data = external;
	t.n_external_data = 3;
	expect_values(&t, types[_i].values);
	t.n_external_data = 2;
	expect_values(&t, types[_i].values);
}
END_TEST

START_TEST(reads_lists)
{
	int64_t dims[1], longs[3] = {3, -4, 5};
	int32_t ints[3] = {3, -4, 5}, halves[3] = {0x3c00, 0xc000, 0};
	const float want[] = {3, -4, 5}, want_halves[] = {1, -2, 0};
	double doubles[3] = {3, -4, 5};
	MchOnnx__TensorProto t = tensor_of(2, dims);
	t.int32_data = ints;
	t.n_int32_data = 3;
	expect_values(&t, want);
	t.data_type = 6;
	expect_values(&t, want);
	t.int32_data = halves;
	t.data_type = 10;
	expect_values(&t, want_halves);
	t = tensor_of(6, dims);
	t.int64_data = longs;
	t.n_int64_data = 3;
	expect_values(&t, want);
	t = tensor_of(9, dims);
	t.double_data = doubles;
	t.n_double_data = 3;
	expect_values(&t, want);
}
END_TEST

static const struct {
	const char *location, *offset, *length, *message;
} refusals[] = {
	{"/etc/passwd", "0", NULL,
	 "its file \"/etc/passwd\" is not below the model's folder; put it there, and name it so"},
	{"../w.bin", "0", NULL,
	 "its file \"../w.bin\" is not below the model's folder; put it there, and name it so"},
	{"a/../../w.bin", "0", NULL,
	 "its file \"a/../../w.bin\" is not below the model's folder; put it there, and name it so"},
	{"", "0", NULL, "its file \"\" is not below the model's folder; put it there, and name it so"},
	{"w.bin", "-1", NULL, "offset \"-1\" of its external data is no whole number; export the model again"},
	{"w.bin", "9999999999999999999", NULL,
	 "offset \"9999999999999999999\" of its external data is no whole number; export the model again"},
	{"w.bin", "1", NULL,
	 "12 bytes expected, 12 at 1 of 12 found in \"w.bin\"; take both files from one export"},
	{"w.bin", "0", "8", "12 bytes expected, 8 at 0 of 12 found in \"w.bin\"; take both files from one export"},
};

START_TEST(refuses)
{
	int64_t dims[1];
	MchOnnx__TensorProto t = tensor_of(0, dims);
	MchOnnx__StringStringEntryProto entries[3], *external[] = {&entries[0], &entries[1], &entries[2]};
	float *values;
	size_t n;
	temp_write(&temp, "w.bin", types[0].bytes, 12);
	for (int i = 0; i < 3; i++)
		mch_onnx__string_string_entry_proto__init(&entries[i]);
	entries[0].key = "location", entries[0].value = (char *)refusals[_i].location;
	entries[1].key = "offset", entries[1].value = (char *)refusals[_i].offset;
	entries[2].key = "length", entries[2].value = (char *)refusals[_i].length;
	t.data_location = 1;
	t.external_data = external;
	t.n_external_data = refusals[_i].length ? 3 : 2;
	ck_assert_int_eq(mch_onnx_tensor_f32(&node, &t, &values, &n), -1);
	const char *at = strstr(err.text, "node n (Op): tensor \"t\": ");
	ck_assert_ptr_nonnull(at);
	ck_assert_str_eq(at + strlen("node n (Op): tensor \"t\": "), refusals[_i].message);
}
END_TEST

START_TEST(refuses_other)
{
	int64_t dims[2];
	float *values, nothing[] = {1, INFINITY, 3};
	size_t n;
	MchOnnx__TensorProto t = tensor_of(0, dims);
	t.float_data = nothing;
	t.n_float_data = 3;
	ck_assert_int_eq(mch_onnx_tensor_f32(&node, &t, &values, &n), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "element 1 is infinite or no number"));
	ck_assert_int_eq(mch_onnx_tensor_any_f32(&node, &t, &values, &n), 0);
	ck_assert(isinf(values[1]));
	free(values);
	t.data_type = 14;
	ck_assert_int_eq(mch_onnx_tensor_f32(&node, &t, &values, &n), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "has data type 14, which is not supported"));
	/* Sizes that no file has are not allocated. */
	t.data_type = 1;
	t.n_dims = 2;
	dims[0] = dims[1] = INT64_C(1) << 30;
	ck_assert_int_eq(mch_onnx_tensor_f32(&node, &t, &values, &n), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "has an empty or too large shape"));
	dims[1] = 1;
	ck_assert_int_eq(mch_onnx_tensor_f32(&node, &t, &values, &n), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "1073741824 elements expected, 3 found"));
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("onnx_data");
	TCase *cases = tcase_create("onnx_data");
	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_add_loop_test(cases, reads_bytes, 0, sizeof(types) / sizeof(types[0]));
	tcase_add_test(cases, reads_lists);
	tcase_add_loop_test(cases, refuses, 0, sizeof(refusals) / sizeof(refusals[0]));
	tcase_add_test(cases, refuses_other);
	suite_add_tcase(s, cases);
	return s;
}

int main(void)
{
	return check_main(suite);
}
