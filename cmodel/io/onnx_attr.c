/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Attributes of ONNX nodes; see onnx_attr.h. */
#include "io/onnx_attr.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum attribute_type { TYPE_FLOAT = 1, TYPE_INT = 2, TYPE_STRING = 3, TYPE_INTS = 7 };

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
			node, "%s has %zu values, %d are expected; export the model again",
			name, a->n_ints, n);
	for (int i = 0; i < n; i++) {
		values[i] = fallback;
		if (a && narrow(node, name, a->ints[i], low, high, &values[i]) != 0)
			return -1;
	}
	return 0;
}

/* The shortest decimal that is this float: who wrote 0.1 gets 0.1, not 0.10000000149. */
static double widen(float value)
{
	char text[32];
	double wide;
	for (int digits = 1; digits < 9; digits++) {
		snprintf(text, sizeof(text), "%.*e", digits - 1, (double)value);
		wide = strtod(text, NULL);
		if ((float)wide == value)
			return wide;
	}
	return (double)value;
}

int mch_onnx_real(const struct mch_onnx_node *node, const char *name, double fallback, double *value)
{
	const MchOnnx__AttributeProto *a;
	if (find_typed(node, name, TYPE_FLOAT, &a) != 0)
		return -1;
	*value = a ? widen(a->f) : fallback;
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
