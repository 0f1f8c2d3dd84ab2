/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Elements of ONNX tensors; see onnx_attr.h. Large ones are converted piece by piece on their way from the file. */
#include <float.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "io/onnx_attr.h"
#include "io/onnx_external.h"

enum list { LIST_NONE, LIST_FLOAT, LIST_INT32, LIST_INT64, LIST_DOUBLE, LIST_UINT64 };

/* TensorProto.data_type; an entry without bits is not supported. */
static const struct data_type {
	uint8_t bits;
	enum list list;
	bool is_whole, is_signed, is_bfloat;
} data_types[] = {
	[1] = {32, LIST_FLOAT, false, true, false},   /* float */
	[2] = {8, LIST_INT32, true, false, false},    /* uint8 */
	[3] = {8, LIST_INT32, true, true, false},     /* int8 */
	[4] = {16, LIST_INT32, true, false, false},   /* uint16 */
	[5] = {16, LIST_INT32, true, true, false},    /* int16 */
	[6] = {32, LIST_INT32, true, true, false},    /* int32 */
	[7] = {64, LIST_INT64, true, true, false},    /* int64 */
	[9] = {8, LIST_INT32, true, false, false},    /* bool */
	[10] = {16, LIST_INT32, false, true, false},  /* float16 */
	[11] = {64, LIST_DOUBLE, false, true, false}, /* double */
	[12] = {32, LIST_UINT64, true, false, false}, /* uint32 */
	[13] = {64, LIST_UINT64, true, false, false}, /* uint64 */
	[16] = {16, LIST_INT32, false, true, true},   /* bfloat16 */
	[21] = {4, LIST_INT32, true, false, false},   /* uint4, two in a byte, the first in the low half */
	[22] = {4, LIST_INT32, true, true, false},    /* int4 */
};

/* A tensor being read: its elements are in a typed list, or bytes in memory or in a file. */
struct reading {
	const struct mch_onnx_node *node;
	const MchOnnx__TensorProto *t;
	const struct data_type *type;
	size_t n;               /* elements */
	const uint8_t *bytes;   /* raw_data in memory, else NULL */
	struct mch_wire *wire;  /* at the first byte, else NULL */
	struct mch_wire *owned; /* the other file, to be closed */
};

enum { PIECE_ELEMS = 4096 };

static int fail(const struct reading *r, const char *what)
{
	return mch_onnx_err(r->node, "tensor \"%.64s\" %s", r->t->name, what);
}

size_t mch_onnx_tensor_elems(const MchOnnx__TensorProto *t)
{
	size_t n = 1;
	for (size_t i = 0; i < t->n_dims; i++) {
		if (t->dims[i] < 1 || t->dims[i] > INT_MAX || n > (size_t)INT_MAX / (size_t)t->dims[i])
			return 0;
		n *= (size_t)t->dims[i];
	}
	return n;
}

static const struct data_type *find_type(const MchOnnx__TensorProto *t)
{
	const size_t n_types = sizeof(data_types) / sizeof(data_types[0]);
	const struct data_type *type =
		t->data_type >= 0 && (size_t)t->data_type < n_types ? &data_types[t->data_type] : NULL;
	return type && type->bits ? type : NULL;
}

bool mch_onnx_tensor_is_whole(const MchOnnx__TensorProto *t)
{
	const struct data_type *type = find_type(t);
	return type && type->is_whole;
}

static size_t list_elems(const MchOnnx__TensorProto *t, enum list list)
{
	switch (list) {
	case LIST_FLOAT:
		return t->n_float_data;
	case LIST_INT32:
		return t->n_int32_data;
	case LIST_INT64:
		return t->n_int64_data;
	case LIST_DOUBLE:
		return t->n_double_data;
	default:
		return t->n_uint64_data;
	}
}

static void finish(struct reading *r)
{
	if (r->owned) {
		mch_wire_close(r->owned);
		free(r->owned);
	}
}

static int begin_external(struct reading *r, size_t n_bytes)
{
	const int status = mch_onnx_external_open(r->node, r->t, n_bytes, &r->owned);
	r->wire = r->owned;
	return status;
}

/* The tensor has as many elements as its shape says, wherever they are. finish() in any case. */
static int begin(struct reading *r, const struct mch_onnx_node *node, const MchOnnx__TensorProto *t)
{
	*r = (struct reading){.node = node, .t = t, .type = find_type(t), .n = mch_onnx_tensor_elems(t)};
	if (!r->type)
		return mch_onnx_err(
			node, "tensor \"%.64s\" has data type %d, which is not supported; convert it to float",
			t->name, (int)t->data_type);
	if (r->n == 0)
		return fail(r, "has an empty or too large shape; export the model again");
	const size_t n_bytes = (r->n * r->type->bits + 7) / 8, n_listed = list_elems(t, r->type->list);
	if (t->data_location == 1)
		return begin_external(r, n_bytes);
	const bool is_raw = t->raw_data.len > 0 || t->file_bytes > 0;
	const uint64_t n_found = t->file_bytes > 0 ? t->file_bytes : t->raw_data.len;
	/* Of four bits, too, a list has one entry for each byte. */
	const size_t want_listed = r->type->bits == 4 ? n_bytes : r->n;
	if ((t->file_bytes > 0 && (t->raw_data.len > 0 || n_listed > 0)) ||
	    (is_raw ? n_found != n_bytes : n_listed != want_listed))
		return mch_onnx_err(node,
				    "tensor \"%.64s\": %zu elements expected, %" PRIu64
				    " found; the file is damaged, export it again",
				    t->name, r->n, is_raw ? n_found * 8 / r->type->bits : n_listed);
	if (t->file_bytes > 0) {
		r->wire = node->wire;
		return mch_wire_seek_bytes(r->wire, t->file_at, n_bytes);
	}
	r->bytes = is_raw ? t->raw_data.data : NULL;
	return 0;
}

static uint64_t little_endian(const uint8_t *bytes, int n_bytes)
{
	uint64_t v = 0;
	for (int i = n_bytes - 1; i >= 0; i--)
		v = v << 8 | bytes[i];
	return v;
}

/* Element i of a typed list, as the bits that raw_data would have. */
static uint64_t listed_bits(const struct reading *r, size_t i)
{
	const MchOnnx__TensorProto *t = r->t;
	uint64_t bits = 0;
	uint32_t float_bits;
	switch (r->type->list) {
	case LIST_FLOAT:
		memcpy(&float_bits, &t->float_data[i], sizeof(float_bits));
		return float_bits;
	case LIST_INT32:
		if (r->type->bits == 4)
			return (uint64_t)(uint32_t)t->int32_data[i / 2] >> (4 * (i % 2)) & 0xf;
		return (uint64_t)(int64_t)t->int32_data[i];
	case LIST_INT64:
		return (uint64_t)t->int64_data[i];
	case LIST_DOUBLE:
		memcpy(&bits, &t->double_data[i], sizeof(bits));
		return bits;
	default:
		return t->uint64_data[i];
	}
}

/* Elements [at, at + n) as bits; n is PIECE_ELEMS, but for the last piece. */
static int piece(struct reading *r, size_t at, size_t n, uint64_t *bits)
{
	uint8_t room[8 * PIECE_ELEMS];
	const int elem_bits = r->type->bits;
	const size_t n_bytes = (n * (size_t)elem_bits + 7) / 8;
	const uint8_t *bytes = r->bytes ? r->bytes + at * (size_t)elem_bits / 8 : room;
	MCH_REQUIRE(n <= PIECE_ELEMS && at % 2 == 0, "pieces are small, and begin with a byte");
	if (r->wire && mch_wire_bytes(r->wire, room, n_bytes) != 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (!r->wire && !r->bytes)
			bits[i] = listed_bits(r, at + i);
		else if (elem_bits == 4)
			bits[i] = (uint64_t)bytes[i / 2] >> (4 * (i % 2)) & 0xf;
		else
			bits[i] = little_endian(bytes + i * (size_t)(elem_bits / 8), elem_bits / 8);
	return 0;
}

/* IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction bits. */
static float half_to_float(unsigned bits)
{
	const int exponent = (int)(bits >> 10 & 0x1f);
	const double fraction = bits & 0x3ff;
	const double size = exponent == 0x1f ? (fraction > 0 ? NAN : INFINITY)
			    : exponent > 0   ? ldexp(fraction + 1024, exponent - 25)
					     : ldexp(fraction, -24);
	return (float)(bits & 0x8000 ? -size : size);
}

static int64_t to_whole(const struct data_type *type, uint64_t bits)
{
	const uint64_t mask = type->bits == 64 ? UINT64_MAX : (UINT64_C(1) << type->bits) - 1;
	const uint64_t sign = UINT64_C(1) << (type->bits - 1);
	bits &= mask;
	/* Two's complement without a conversion that C leaves open. */
	return type->is_signed && bits & sign ? -(int64_t)(mask - bits) - 1 : (int64_t)bits;
}

static float to_float(const struct data_type *type, uint64_t bits)
{
	if (type->is_whole)
		return (float)to_whole(type, bits);
	if (type->bits == 64) {
		double wide;
		memcpy(&wide, &bits, sizeof(wide));
		return fabs(wide) <= (double)FLT_MAX ? (float)wide : NAN;
	}
	if (type->bits == 16 && !type->is_bfloat)
		return half_to_float((unsigned)bits);
	const uint32_t narrow = (uint32_t)(type->is_bfloat ? bits << 16 : bits);
	float value;
	memcpy(&value, &narrow, sizeof(value));
	return value;
}

static int convert(struct reading *r, bool must_be_finite, float *out)
{
	uint64_t bits[PIECE_ELEMS];
	for (size_t at = 0; at < r->n; at += PIECE_ELEMS) {
		const size_t n = r->n - at < PIECE_ELEMS ? r->n - at : PIECE_ELEMS;
		if (piece(r, at, n, bits) != 0)
			return -1;
		for (size_t i = 0; i < n; i++) {
			out[at + i] = to_float(r->type, bits[i]);
			if (must_be_finite && !isfinite(out[at + i]))
				return mch_onnx_err(
					r->node,
					"tensor \"%.64s\": element %zu is infinite or no number; train the "
					"model again",
					r->t->name, at + i);
		}
	}
	return 0;
}

static int read_f32(const struct mch_onnx_node *node, const MchOnnx__TensorProto *t, bool must_be_finite,
		    float **values, size_t *n)
{
	struct reading r;
	int status = begin(&r, node, t);
	*values = NULL;
	*n = r.n;
	if (status == 0) {
		*values = malloc(r.n * sizeof(**values));
		status =
			*values ? convert(&r, must_be_finite, *values)
				: mch_onnx_err(node, "out of memory for %zu weights; use a machine with more", r.n);
	}
	finish(&r);
	if (status != 0) {
		free(*values);
		*values = NULL;
	}
	return status;
}

int mch_onnx_tensor_f32(const struct mch_onnx_node *node, const MchOnnx__TensorProto *t, float **values, size_t *n)
{
	return read_f32(node, t, true, values, n);
}

int mch_onnx_tensor_any_f32(const struct mch_onnx_node *node, const MchOnnx__TensorProto *t, float **values,
			    size_t *n)
{
	return read_f32(node, t, false, values, n);
}

static int convert_whole(struct reading *r, int64_t *out)
{
	uint64_t bits[PIECE_ELEMS];
	for (size_t at = 0; at < r->n; at += PIECE_ELEMS) {
		const size_t n = r->n - at < PIECE_ELEMS ? r->n - at : PIECE_ELEMS;
		if (piece(r, at, n, bits) != 0)
			return -1;
		for (size_t i = 0; i < n; i++) {
			if (!r->type->is_signed && r->type->bits == 64 && bits[i] > INT64_MAX)
				return fail(r, "has a number over 2^63; export the model again");
			out[at + i] = to_whole(r->type, bits[i]);
		}
	}
	return 0;
}

/* n is what is wanted, 0: any. */
static int begin_whole(struct reading *r, const struct mch_onnx_node *node, const MchOnnx__TensorProto *t, size_t n)
{
	if (begin(r, node, t) != 0)
		return -1;
	if (!r->type->is_whole)
		return mch_onnx_err(
			node,
			"tensor \"%.64s\" has data type %d, whole numbers are expected, as in int64 (7); "
			"export the model again",
			t->name, (int)t->data_type);
	if (n > 0 && r->n != n)
		return mch_onnx_err(node, "tensor \"%.64s\" has %zu elements, %zu are expected; change the layer",
				    t->name, r->n, n);
	return 0;
}

int mch_onnx_tensor_ints(const struct mch_onnx_node *node, const MchOnnx__TensorProto *t, size_t n, int64_t *values)
{
	struct reading r;
	const int status = begin_whole(&r, node, t, n) != 0 ? -1 : convert_whole(&r, values);
	finish(&r);
	return status;
}

int mch_onnx_tensor_all_ints(const struct mch_onnx_node *node, const MchOnnx__TensorProto *t, int64_t **values,
			     size_t *n)
{
	struct reading r;
	int status = begin_whole(&r, node, t, 0);
	*values = NULL;
	*n = r.n;
	if (status == 0) {
		*values = malloc(r.n * sizeof(**values));
		status =
			*values ? convert_whole(&r, *values)
				: mch_onnx_err(node, "out of memory for %zu numbers; use a machine with more", r.n);
	}
	finish(&r);
	if (status != 0) {
		free(*values);
		*values = NULL;
	}
	return status;
}
