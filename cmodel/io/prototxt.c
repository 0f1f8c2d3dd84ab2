/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Protobuf text format: the values of fields; see prototxt.h. The parser is prototxt_parse.c. */
#include "io/prototxt.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/file.h"

struct mch_prototxt *mch_prototxt_read(const char *path, struct mch_err *err)
{
	enum { LIMIT_BYTES = 64 << 20 };
	char *text;
	size_t n_bytes;
	if (mch_file_read(path, LIMIT_BYTES, &text, &n_bytes, err) != 0)
		return NULL;
	struct mch_prototxt *root = mch_prototxt_parse(path, text, n_bytes, err);
	free(text);
	return root;
}

void mch_prototxt_free(struct mch_prototxt *root)
{
	while (root) {
		struct mch_prototxt *next = root->next;
		mch_prototxt_free(root->first); /* as deep as MCH_PROTOTXT_DEPTH_MAX at most */
		free(root->name);
		free(root->text);
		free(root);
		root = next;
	}
}

const struct mch_prototxt *mch_prototxt_find(const struct mch_prototxt *message, const char *name)
{
	if (message)
		for (const struct mch_prototxt *f = message->first; f; f = f->next)
			if (strcmp(f->name, name) == 0)
				return f;
	return NULL;
}

const struct mch_prototxt *mch_prototxt_again(const struct mch_prototxt *field)
{
	for (const struct mch_prototxt *f = field->next; f; f = f->next)
		if (strcmp(f->name, field->name) == 0)
			return f;
	return NULL;
}

int mch_prototxt_err(struct mch_err *err, const char *where, const struct mch_prototxt *field, const char *what, ...)
{
	char place[512], text[sizeof(err->text)];
	va_list args;
	va_start(args, what);
	vsnprintf(text, sizeof(text), what, args);
	va_end(args);
	snprintf(place, sizeof(place), "%s:%d", where, field->line);
	return mch_err_set(err, place, "%s", text);
}

static int wrong(const char *where, const struct mch_prototxt *field, const char *wanted, struct mch_err *err)
{
	if (field->kind == MCH_PROTOTXT_MESSAGE)
		return mch_prototxt_err(err, where, field,
					"%s is a message { ... }, %s is expected; correct the definition",
					field->name, wanted);
	const char *quote = field->kind == MCH_PROTOTXT_STRING ? "\"" : "";
	return mch_prototxt_err(err, where, field, "%s is %s%.64s%s, %s is expected; correct the definition",
				field->name, quote, field->text, quote, wanted);
}

int mch_prototxt_int(const char *where, const struct mch_prototxt *field, int low, int high, int *value,
		     struct mch_err *err)
{
	char wanted[80], *end = NULL;
	long v = 0;
	errno = 0;
	if (field->kind == MCH_PROTOTXT_SCALAR)
		v = strtol(field->text, &end, 0); /* base 0: decimal, 0x1f and 017, as the format has them */
	if (!end || end == field->text || *end || errno || v < low || v > high) {
		snprintf(wanted, sizeof(wanted), "a whole number from %d to %d", low, high);
		return wrong(where, field, wanted, err);
	}
	*value = (int)v;
	return 0;
}

int mch_prototxt_real(const char *where, const struct mch_prototxt *field, double *value, struct mch_err *err)
{
	char *end = NULL;
	double v = 0;
	if (field->kind == MCH_PROTOTXT_SCALAR)
		v = strtod(field->text, &end);
	if (end && end != field->text && (*end == 'f' || *end == 'F'))
		end++;
	if (!end || end == field->text || *end || v - v != 0) /* v - v: neither infinite nor NaN */
		return wrong(where, field, "a number", err);
	*value = v;
	return 0;
}

int mch_prototxt_bool(const char *where, const struct mch_prototxt *field, int *value, struct mch_err *err)
{
	static const char *const words[2][4] = {{"false", "False", "f", "0"}, {"true", "True", "t", "1"}};
	for (int v = 0; v < 2; v++)
		for (int i = 0; i < 4; i++)
			if (field->kind == MCH_PROTOTXT_SCALAR && strcmp(field->text, words[v][i]) == 0) {
				*value = v;
				return 0;
			}
	return wrong(where, field, "true or false", err);
}

int mch_prototxt_string(const char *where, const struct mch_prototxt *field, const char **value, struct mch_err *err)
{
	if (field->kind != MCH_PROTOTXT_STRING)
		return wrong(where, field, "a string in quotes", err);
	if (strlen(field->text) != field->n_text)
		return wrong(where, field, "a string without NUL", err);
	*value = field->text;
	return 0;
}

int mch_prototxt_message(const char *where, const struct mch_prototxt *field, struct mch_err *err)
{
	return field->kind == MCH_PROTOTXT_MESSAGE ? 0 : wrong(where, field, "a message { ... }", err);
}
