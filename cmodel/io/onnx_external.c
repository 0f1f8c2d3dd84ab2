/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* ONNX tensors in files beside the model; see onnx_external.h. */
#include "io/onnx_external.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *external_value(const MchOnnx__TensorProto *t, const char *key)
{
	for (size_t i = 0; i < t->n_external_data; i++)
		if (strcmp(t->external_data[i]->key, key) == 0)
			return t->external_data[i]->value;
	return NULL;
}

/* A whole number of at most 18 digits. */
static int external_number(const struct mch_onnx_node *node, const MchOnnx__TensorProto *t, const char *key,
			   uint64_t fallback, uint64_t *value)
{
	const char *text = external_value(t, key);
	const size_t n = text ? strspn(text, "0123456789") : 0;
	*value = fallback;
	if (!text)
		return 0;
	if (n == 0 || n > 18 || text[n])
		return mch_onnx_err(
			node,
			"tensor \"%.64s\": %s \"%.40s\" of its external data is no whole number; export "
			"the model again",
			t->name, key, text);
	*value = strtoull(text, NULL, 10);
	return 0;
}

/* A path that cannot lead out of the model's folder: no part is "..", the first is no root. */
static bool stays_below(const char *location)
{
	if (location[0] == '\0' || location[0] == '/')
		return false;
	for (const char *part = location; part; part = strchr(part, '/')) {
		part += *part == '/';
		const size_t n = strcspn(part, "/");
		if (n == 2 && part[0] == '.' && part[1] == '.')
			return false;
	}
	return true;
}

int mch_onnx_external_open(const struct mch_onnx_node *node, const MchOnnx__TensorProto *t, size_t n_bytes,
			   struct mch_wire **wire)
{
	const char *path = node->path, *location = external_value(t, "location");
	const char *slash = strrchr(path, '/');
	uint64_t at, length;
	char name[4096];
	*wire = NULL;
	if (!location || !stays_below(location))
		return mch_onnx_err(
			node,
			"tensor \"%.64s\": its file \"%.80s\" is not below the model's folder; put it there, "
			"and name it so",
			t->name, location ? location : "");
	if (node->wire->memory || node->wire->spool)
		return mch_onnx_err(node,
				    "tensor \"%.64s\" is in another file, and a stream has no folder; give the "
				    "model's file by its name",
				    t->name);
	if (external_number(node, t, "offset", 0, &at) != 0 ||
	    external_number(node, t, "length", n_bytes, &length) != 0)
		return -1;
	const int used =
		snprintf(name, sizeof(name), "%.*s%s", slash ? (int)(slash - path + 1) : 0, path, location);
	if (used < 0 || (size_t)used >= sizeof(name))
		return mch_onnx_err(
			node, "tensor \"%.64s\" has too long a path of its file; move the model to a shorter one",
			t->name);
	*wire = malloc(sizeof(**wire));
	if (!*wire)
		return mch_onnx_err(node, "tensor \"%.64s\" finds no memory; use a machine with more", t->name);
	struct mch_err why;
	if (mch_wire_open(*wire, name, &why) != 0) {
		free(*wire);
		*wire = NULL;
		return mch_err_set(node->err, node->path, "%.400s, it holds tensor \"%.64s\"", why.text, t->name);
	}
	(*wire)->path = path; /* `name` does not outlive this function */
	(*wire)->err = node->err;
	if (length != n_bytes || at > (*wire)->n_bytes || n_bytes > (*wire)->n_bytes - at)
		return mch_onnx_err(node,
				    "tensor \"%.64s\": %zu bytes expected, %" PRIu64 " at %" PRIu64 " of %" PRIu64
				    " found in \"%.80s\"; take both files from one export",
				    t->name, n_bytes, length, at, (*wire)->n_bytes, location);
	return mch_wire_seek_bytes(*wire, at, n_bytes);
}
