/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Attributes and tensors of ONNX nodes; see onnx_attr.h. */
#include "io/onnx_attr.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum attribute_type { TYPE_FLOAT = 1, TYPE_INT = 2, TYPE_STRING = 3, TYPE_INTS = 7 };
enum data_type { DATA_FLOAT = 1, DATA_INT64 = 7, DATA_DOUBLE = 11 };

const char *mch_onnx_name(const MchOnnx__NodeProto *node)
{
	return node->name[0] || node->n_output == 0 ? node->name : node->output[0];
}

int mch_onnx_err(const struct mch_onnx_node *node, const char *what, ...)
{
	char text[512], where[384];
	va_list args;
	va_start(args, what);
	vsnprintf(text, sizeof(text), what, args);
	va_end(args);
	snprintf(where, sizeof(where), "%.250s: node %.64s (%.32s)", node->path, mch_onnx_name(node->proto),
		 node->proto->op_type);
	return mch_err_set(node->err, where, "%s", text);
}

int mch_onnx_check_attributes(const struct mch_onnx_node *node, const char *known)
{
	for (size_t i = 0; i < node->proto->n_attribute; i++) {
		const char *name = node->proto->attribute[i]->name, *at = known;
		const size_t n = strlen(name);
		while (n > 0 && (at = strstr(at, name)) != NULL && ((at != known && at[-1] != ' ') || at[n] != ' '))
			at += n;
		if (n == 0 || !at)
			return mch_onnx_err(node, "attribute \"%.48s\" is not supported; export the model without it",
					    name);
	}
	return 0;
}

const MchOnnx__AttributeProto *mch_onnx_find(const struct mch_onnx_node *node, const char *name)
{
	for (size_t i = 0; i < node->proto->n_attribute; i++)
		if (strcmp(node->proto->attribute[i]->name, name) == 0)
			return node->proto->attribute[i];
	return NULL;
}

/* The attribute when it is there and of that type (or of none: very old exporters left it out). */
static int find_typed(const struct mch_onnx_node *node, const char *name, int type,
		      const MchOnnx__AttributeProto **found)
{
	*found = mch_onnx_find(node, name);
	if (*found && (*found)->type != type && (*found)->type != 0)
		return mch_onnx_err(node, "attribute %s has type %d, %d is expected; export the model again", name,
				    (int)(*found)->type, type);
	return 0;
}

static int narrow(const struct mch_onnx_node *node, const char *name, int64_t v, int low, int high, int *value)
{
	if (v < low || v > high)
		return mch_onnx_err(node, "%s is %lld, %d to %d is supported; change the layer", name, (long long)v,
				    low, high);
	*value = (int)v;
	return 0;
}

int mch_onnx_int(const struct mch_onnx_node *node, const char *name, int low, int high, int fallback, int *value)
{
	const MchOnnx__AttributeProto *a;
	*value = fallback;
	if (find_typed(node, name, TYPE_INT, &a) != 0)
		return -1;
	return a ? narrow(node, name, a->i, low, high, value) : 0;
}

int mch_onnx_ints(const struct mch_onnx_node *node, const char *name, int n, int low, int high, int fallback,
		  int *values)
{
	const MchOnnx__AttributeProto *a;
	if (find_typed(node, name, TYPE_INTS, &a) != 0)
		return -1;
	if (a && a->n_ints != (size_t)n)
		return mch_onnx_err(
			node, "%s has %zu values, %d are expected (two-dimensional layers only); change the layer",
			name, a->n_ints, n);
	for (int i = 0; i < n; i++) {
		values[i] = fallback;
		if (a && narrow(node, name, a->ints[i], low, high, &values[i]) != 0)
			return -1;
	}
	return 0;
}

int mch_onnx_real(const struct mch_onnx_node *node, const char *name, double fallback, double *value)
{
	const MchOnnx__AttributeProto *a;
	if (find_typed(node, name, TYPE_FLOAT, &a) != 0)
		return -1;
	*value = a ? (double)a->f : fallback;
	return 0;
}

int mch_onnx_text(const struct mch_onnx_node *node, const char *name, const char *fallback, char *buf, size_t room)
{
	const MchOnnx__AttributeProto *a;
	if (find_typed(node, name, TYPE_STRING, &a) != 0)
		return -1;
	if (!a) {
		snprintf(buf, room, "%s", fallback);
		return 0;
	}
	/* Longer than any word we know: cut, it still is none of them. */
	const size_t n = a->s.len < room - 1 ? a->s.len : room - 1;
	if (n > 0)
		memcpy(buf, a->s.data, n);
	buf[n] = '\0';
	return 0;
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

static uint64_t little_endian(const uint8_t *bytes, int n_bytes)
{
	uint64_t v = 0;
	for (int i = n_bytes - 1; i >= 0; i--)
		v = v << 8 | bytes[i];
	return v;
}

static float raw_f32(const MchOnnx__TensorProto *t, size_t i)
{
	const uint32_t bits = (uint32_t)little_endian(t->raw_data.data + 4 * i, 4);
	float v;
	memcpy(&v, &bits, sizeof(v));
	return v;
}

static double raw_f64(const MchOnnx__TensorProto *t, size_t i)
{
	const uint64_t bits = little_endian(t->raw_data.data + 8 * i, 8);
	double v;
	memcpy(&v, &bits, sizeof(v));
	return v;
}

/* The tensor has as many elements as its shape says, in raw_data or in the typed list. */
static int check_elems(const struct mch_onnx_node *node, const MchOnnx__TensorProto *t, size_t elem_bytes,
		       size_t n_typed, size_t *n)
{
	*n = mch_onnx_tensor_elems(t);
	if (t->data_location != 0)
		return mch_onnx_err(node, "tensor \"%.64s\" is kept in another file; save the model as one file",
				    t->name);
	if (*n == 0)
		return mch_onnx_err(node, "tensor \"%.64s\" has an empty or too large shape; export the model again",
				    t->name);
	const int is_raw = t->raw_data.len > 0;
	if (is_raw ? t->raw_data.len != *n * elem_bytes : n_typed != *n)
		return mch_onnx_err(
			node,
			"tensor \"%.64s\": %zu elements expected, %zu found; the file is damaged, export it again",
			t->name, *n, is_raw ? t->raw_data.len / elem_bytes : n_typed);
	return 0;
}

int mch_onnx_tensor_f32(const struct mch_onnx_node *node, const MchOnnx__TensorProto *t, float **values, size_t *n)
{
	const int is_double = t->data_type == DATA_DOUBLE;
	*values = NULL;
	if (t->data_type != DATA_FLOAT && !is_double)
		return mch_onnx_err(
			node, "tensor \"%.64s\" has data type %d, float (1) or double (11) is expected; convert it",
			t->name, (int)t->data_type);
	if (check_elems(node, t, is_double ? 8 : 4, is_double ? t->n_double_data : t->n_float_data, n) != 0)
		return -1;
	float *out = malloc(*n * sizeof(*out));
	if (!out)
		return mch_onnx_err(node, "out of memory for %zu weights; use a machine with more", *n);
	for (size_t i = 0; i < *n; i++) {
		if (is_double) {
			const double v = t->raw_data.len > 0 ? raw_f64(t, i) : t->double_data[i];
			out[i] = fabs(v) <= (double)FLT_MAX ? (float)v : NAN;
		} else {
			out[i] = t->raw_data.len > 0 ? raw_f32(t, i) : t->float_data[i];
		}
		if (!isfinite(out[i])) {
			free(out);
			return mch_onnx_err(
				node, "tensor \"%.64s\": element %zu is infinite or no number; train the model again",
				t->name, i);
		}
	}
	*values = out;
	return 0;
}

int mch_onnx_tensor_ints(const struct mch_onnx_node *node, const MchOnnx__TensorProto *t, size_t n, int64_t *values)
{
	size_t n_found;
	if (t->data_type != DATA_INT64)
		return mch_onnx_err(
			node, "tensor \"%.64s\" has data type %d, int64 (7) is expected; export the model again",
			t->name, (int)t->data_type);
	if (check_elems(node, t, 8, t->n_int64_data, &n_found) != 0)
		return -1;
	if (n_found != n)
		return mch_onnx_err(node, "tensor \"%.64s\" has %zu elements, %zu are expected; change the layer",
				    t->name, n_found, n);
	for (size_t i = 0; i < n; i++)
		values[i] =
			t->raw_data.len > 0 ? (int64_t)little_endian(t->raw_data.data + 8 * i, 8) : t->int64_data[i];
	return 0;
}
