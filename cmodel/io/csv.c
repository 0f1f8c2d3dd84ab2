/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A table of numbers; see csv.h. */
#include "io/csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/file.h"
#include "io/real_text.h"

enum { LIMIT_BYTES = 16 << 20, COLUMNS_MAX = 64 };

struct reader {
	const char *path;
	int line;
	json_t *columns, *rows;
	struct mch_err *err;
};

static int fail(const struct reader *r, const char *what)
{
	char where[512];
	snprintf(where, sizeof(where), "%s:%d", r->path, r->line);
	return mch_err_set(r->err, where, "%s; give the log of one run, titles first", what);
}

/* Takes the field off the line, without the blanks at its ends; NULL behind the last. */
static char *take_field(char **rest)
{
	char *field = *rest;
	if (!field)
		return NULL;
	char *end = strchr(field, ',');
	*rest = end ? end + 1 : NULL;
	if (end)
		*end = '\0';
	field += strspn(field, " \t");
	for (size_t n = strlen(field);
	     n > 0 && (field[n - 1] == ' ' || field[n - 1] == '\t' || field[n - 1] == '\r'); n--)
		field[n - 1] = '\0';
	return field;
}

static int read_titles(struct reader *r, char *line)
{
	char *field;
	while ((field = take_field(&line)) != NULL) {
		if (!*field || json_array_size(r->columns) == COLUMNS_MAX)
			return fail(r, "a column has no title, or there are more than 64");
		if (json_array_append_new(r->columns, json_string(field)) != 0)
			return fail(r, "a title is no UTF-8");
	}
	return 0;
}

static int read_row(struct reader *r, char *line)
{
	json_t *row = json_array();
	char *field;
	int status = 0;
	while (status == 0 && (field = take_field(&line)) != NULL) {
		double value = 0;
		if (*field && mch_real_parse(field, &value) != 0)
			status = fail(r, "a field is no number");
		else
			json_array_append_new(row, *field ? json_real(value) : json_null());
	}
	if (status == 0 && json_array_size(row) != json_array_size(r->columns))
		status = fail(r, "the line has not as many fields as there are titles");
	json_array_append_new(r->rows, row);
	return status;
}

json_t *mch_csv_read(const char *path, struct mch_err *err)
{
	struct reader r = {path, 0, json_array(), json_array(), err};
	char *text;
	size_t n_bytes;
	if (mch_file_read(path, LIMIT_BYTES, &text, &n_bytes, err) != 0) {
		json_decref(r.columns);
		json_decref(r.rows);
		return NULL;
	}
	int status = strlen(text) == n_bytes ? 0 : mch_err_set(err, path, "is no text; give the log of one run");
	for (char *line = text, *next; status == 0 && line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		r.line++;
		if (line[0] == '#' || line[strspn(line, " \t\r")] == '\0')
			continue;
		status = json_array_size(r.columns) == 0 ? read_titles(&r, line) : read_row(&r, line);
	}
	if (status == 0 && json_array_size(r.rows) == 0)
		status = mch_err_set(err, path, "has no line of numbers; give the log of one run");
	free(text);
	if (status == 0)
		return json_pack("{s:o, s:o}", "columns", r.columns, "rows", r.rows);
	json_decref(r.columns);
	json_decref(r.rows);
	return NULL;
}
