/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A network's transform in an ONNX model; see onnx_metadata.h. */
#include "io/onnx_metadata.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/onnx_attr.h"
#include "io/real_text.h"

enum { ENTRIES_MAX = 7, TEXT_BYTES = 256 };

static void put_entry(struct mch_emit *e, MchOnnx__ModelProto *model, const char *key, const char *value)
{
	MchOnnx__StringStringEntryProto *entry = mch_emit_room(e, sizeof(*entry));
	char *copy = mch_emit_room(e, strlen(value) + 1);
	if (!entry || !copy || !model->metadata_props)
		return;
	memcpy(copy, value, strlen(value) + 1);
	mch_onnx__string_string_entry_proto__init(entry);
	entry->key = (char *)key;
	entry->value = copy;
	model->metadata_props[model->n_metadata_props++] = entry;
}

static void put_list(struct mch_emit *e, MchOnnx__ModelProto *model, const char *key, int n, const float *values)
{
	char text[TEXT_BYTES] = "", number[32];
	for (int i = 0; i < n; i++) {
		const size_t used = strlen(text);
		snprintf(text + used, sizeof(text) - used, "%s%s", i ? "," : "",
			 mch_real_text((double)values[i], number));
	}
	if (n > 0)
		put_entry(e, model, key, text);
}

static void put_mean_image(struct mch_emit *e, const struct mch_transform *t)
{
	const int dims[] = {t->mean_c, t->mean_h, t->mean_w};
	if (!t->mean_image)
		return;
	mch_emit_floats(e, NULL, NULL, t->mean_image, 3, dims);
	if (!e->failed)
		e->graph.initializer[e->graph.n_initializer - 1]->name = MCH_ONNX_MEAN_IMAGE;
}

void mch_onnx_put_metadata(struct mch_emit *e, MchOnnx__ModelProto *model)
{
	const struct mch_transform *t = &e->net->transform;
	char text[TEXT_BYTES];
	model->metadata_props = mch_emit_room(e, ENTRIES_MAX * sizeof(*model->metadata_props));
	put_entry(e, model, "macchiato.input_scale", mch_real_text(t->scale, text));
	if (t->is_bgr)
		put_entry(e, model, "macchiato.channels", "bgr");
	if (t->resize != MCH_RESIZE_NONE) {
		snprintf(text, sizeof(text), "%s %dx%d", t->resize == MCH_RESIZE_WARP ? "warp" : "short", t->height,
			 t->width);
		put_entry(e, model, "macchiato.resize", text);
	}
	if (t->is_cropped)
		put_entry(e, model, "macchiato.crop", "centre");
	if (t->mean_file)
		put_entry(e, model, "macchiato.mean_file", t->mean_file);
	put_list(e, model, "macchiato.mean", t->n_mean, t->mean);
	put_list(e, model, "macchiato.std", t->n_std, t->std);
	put_mean_image(e, t);
}

struct reader {
	const char *path;
	struct mch_transform *t;
	struct mch_err *err;
};

static int fail(const struct reader *r, const MchOnnx__StringStringEntryProto *entry, const char *expected)
{
	return mch_err_set(r->err, r->path, "%.40s is \"%.40s\", %s is expected; correct the metadata", entry->key,
			   entry->value, expected);
}

static int get_list(const struct reader *r, const MchOnnx__StringStringEntryProto *entry, double low, int *n,
		    float *values)
{
	const char *text = entry->value;
	for (*n = 0; *n == 0 || *text; (*n)++) {
		char word[32];
		double value;
		const size_t n_bytes = strcspn(text, ",");
		if (*n == MCH_TRANSFORM_CHANNELS_MAX || n_bytes >= sizeof(word))
			return fail(r, entry, "a list of at most four numbers");
		memcpy(word, text, n_bytes);
		word[n_bytes] = '\0';
		if (mch_real_parse(word, &value) != 0 || fabs(value) > (double)FLT_MAX || value < low)
			return fail(r, entry, low < 0 ? "a list of numbers" : "a list of numbers above 0");
		values[*n] = (float)value;
		text += n_bytes + (text[n_bytes] == ',');
	}
	return 0;
}

static int get_resize(const struct reader *r, const MchOnnx__StringStringEntryProto *entry)
{
	char word[8] = "", rest;
	const int n = sscanf(entry->value, "%7s %6dx%6d%c", word, &r->t->height, &r->t->width, &rest);
	r->t->resize = strcmp(word, "warp") == 0 ? MCH_RESIZE_WARP : MCH_RESIZE_SHORT;
	if (n != 3 || r->t->height < 1 || r->t->width < 0 ||
	    (r->t->resize == MCH_RESIZE_SHORT && strcmp(word, "short") != 0))
		return fail(r, entry, "\"warp HxW\" or \"short HxW\"");
	return 0;
}

static int get_mean_file(const struct reader *r, const MchOnnx__StringStringEntryProto *entry)
{
	free(r->t->mean_file);
	r->t->mean_file = strdup(entry->value);
	return r->t->mean_file ? 0 : mch_err_set(r->err, r->path, "out of memory; use a machine with more");
}

static int get_entry(const struct reader *r, const MchOnnx__StringStringEntryProto *entry)
{
	struct mch_transform *t = r->t;
	if (strcmp(entry->key, "macchiato.input_scale") == 0)
		return mch_real_parse(entry->value, &t->scale) != 0 || t->scale <= 0
			       ? fail(r, entry, "a number above 0")
			       : 0;
	if (strcmp(entry->key, "macchiato.mean") == 0)
		return get_list(r, entry, -(double)FLT_MAX, &t->n_mean, t->mean);
	if (strcmp(entry->key, "macchiato.std") == 0)
		return get_list(r, entry, (double)FLT_MIN, &t->n_std, t->std);
	if (strcmp(entry->key, "macchiato.resize") == 0)
		return get_resize(r, entry);
	if (strcmp(entry->key, "macchiato.crop") == 0) {
		t->is_cropped = strcmp(entry->value, "centre") == 0;
		return t->is_cropped ? 0 : fail(r, entry, "centre");
	}
	if (strcmp(entry->key, "macchiato.mean_file") == 0)
		return get_mean_file(r, entry);
	if (strcmp(entry->key, "macchiato.channels") != 0)
		return 0;
	t->is_bgr = strcmp(entry->value, "bgr") == 0;
	return t->is_bgr || strcmp(entry->value, "rgb") == 0 ? 0 : fail(r, entry, "bgr or rgb");
}

static int get_mean_image(const struct reader *r, const MchOnnx__TensorProto *tensor, struct mch_wire *wire)
{
	MchOnnx__NodeProto none = MCH_ONNX__NODE_PROTO__INIT;
	const struct mch_onnx_node place = {r->path, &none, r->err, wire};
	size_t n;
	none.name = MCH_ONNX_MEAN_IMAGE;
	none.op_type = "metadata";
	if (tensor->n_dims != 3)
		return mch_err_set(r->err, r->path, "%s has %zu dimensions, 3 are expected; correct it",
				   tensor->name, tensor->n_dims);
	if (r->t->mean_image || mch_onnx_tensor_f32(&place, tensor, &r->t->mean_image, &n) != 0)
		return -1;
	r->t->mean_c = (int)tensor->dims[0], r->t->mean_h = (int)tensor->dims[1],
	r->t->mean_w = (int)tensor->dims[2];
	return 0;
}

int mch_onnx_get_metadata(const char *path, const MchOnnx__ModelProto *model, struct mch_wire *wire,
			  struct mch_transform *transform, struct mch_err *err)
{
	const struct reader r = {path, transform, err};
	for (size_t i = 0; i < model->n_metadata_props; i++)
		if (get_entry(&r, model->metadata_props[i]) != 0)
			return -1;
	for (size_t i = 0; model->graph && i < model->graph->n_initializer; i++)
		if (strcmp(model->graph->initializer[i]->name, MCH_ONNX_MEAN_IMAGE) == 0)
			return get_mean_image(&r, model->graph->initializer[i], wire);
	return 0;
}
