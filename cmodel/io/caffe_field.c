/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The fields of a Caffe layer's parameters; see caffe_layer.h. */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "io/build.h"
#include "io/caffe_layer.h"

int mch_caffe_complain(const struct mch_caffe_layer *l, const struct mch_prototxt *field, const char *what, ...)
{
	char text[512];
	va_list args;
	va_start(args, what);
	vsnprintf(text, sizeof(text), what, args);
	va_end(args);
	return mch_prototxt_err(l->caffe->err, l->caffe->path, field ? field : l->field, "%s", text);
}

int mch_caffe_int(const struct mch_caffe_layer *l, const char *name, int low, int high, int fallback, int *value)
{
	const struct mch_prototxt *field = mch_prototxt_find(l->param, name);
	*value = fallback;
	return field ? mch_prototxt_int(l->caffe->path, field, low, high, value, l->caffe->err) : 0;
}

int mch_caffe_bool(const struct mch_caffe_layer *l, const char *name, bool fallback, bool *value)
{
	const struct mch_prototxt *field = mch_prototxt_find(l->param, name);
	int found = fallback;
	const int status = field ? mch_prototxt_bool(l->caffe->path, field, &found, l->caffe->err) : 0;
	*value = found != 0;
	return status;
}

int mch_caffe_real(const struct mch_caffe_layer *l, const char *name, double fallback, double *value)
{
	const struct mch_prototxt *field = mch_prototxt_find(l->param, name);
	*value = fallback;
	return field ? mch_prototxt_real(l->caffe->path, field, value, l->caffe->err) : 0;
}

int mch_caffe_only_int(const struct mch_caffe_layer *l, const char *name, int only)
{
	int value;
	if (mch_caffe_int(l, name, INT_MIN, INT_MAX, only, &value) != 0)
		return -1;
	if (value == only)
		return 0;
	return mch_caffe_complain(l, mch_prototxt_find(l->param, name),
				  "%s is %d, only %d is supported; rewrite the layer", name, value, only);
}

int mch_caffe_only_bool(const struct mch_caffe_layer *l, const char *name, bool only)
{
	bool value;
	if (mch_caffe_bool(l, name, only, &value) != 0)
		return -1;
	if (value == only)
		return 0;
	return mch_caffe_complain(l, mch_prototxt_find(l->param, name),
				  "%s is %s, only %s is supported; rewrite the layer", name,
				  value ? "true" : "false", only ? "true" : "false");
}

int mch_caffe_axis(const struct mch_caffe_layer *l, const char *name, int fallback, int *axis)
{
	if (mch_caffe_int(l, name, -l->n_axes, l->n_axes - 1, fallback, axis) != 0)
		return -1;
	if (*axis < 0)
		*axis += l->n_axes;
	return 0;
}

int mch_caffe_pair(const struct mch_caffe_layer *l, const char *both, const char *name_h, const char *name_w,
		   int low, int fallback, int *h, int *w)
{
	const char *path = l->caffe->path;
	struct mch_err *err = l->caffe->err;
	const struct mch_prototxt *first = mch_prototxt_find(l->param, both);
	const struct mch_prototxt *field_h = name_h ? mch_prototxt_find(l->param, name_h) : NULL;
	const struct mch_prototxt *field_w = name_w ? mch_prototxt_find(l->param, name_w) : NULL;
	*h = *w = fallback;
	if (first && (field_h || field_w))
		return mch_caffe_complain(l, first, "%s and %s are both given; keep one form", both,
					  field_h ? name_h : name_w);
	const struct mch_prototxt *second = first ? mch_prototxt_again(first) : NULL;
	if (second && mch_prototxt_again(second))
		return mch_caffe_complain(
			l, first, "%s is given over twice, height and width are two; correct the definition", both);
	field_h = first ? first : field_h;
	field_w = second ? second : first ? first : field_w;
	if (field_h && mch_prototxt_int(path, field_h, low, MCH_BUILD_SIDE_MAX, h, err) != 0)
		return -1;
	if (field_w && mch_prototxt_int(path, field_w, low, MCH_BUILD_SIDE_MAX, w, err) != 0)
		return -1;
	if (*h < low || *w < low)
		return mch_caffe_complain(l, l->param, "%s is missing; add it", both);
	return 0;
}

bool mch_caffe_is_word(const struct mch_prototxt *field, const char *name, const char *number)
{
	return field && field->kind == MCH_PROTOTXT_SCALAR &&
	       (strcmp(field->text, name) == 0 || strcmp(field->text, number) == 0);
}

bool mch_caffe_has_word(const char *words, const char *word)
{
	const size_t n = strlen(word);
	for (const char *at = words; n > 0 && (at = strstr(at, word)) != NULL; at += n)
		if ((at == words || at[-1] == ' ') && at[n] == ' ')
			return true;
	return false;
}
