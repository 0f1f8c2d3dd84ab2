/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The table of an accelerator's constants; see accel_table.h. */
#include "io/accel_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/require.h"

/* The locale has no say in what a letter is: the same net gives the same names everywhere. */
static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

void mch_accel_table_init(struct mch_accel_table *table, const struct mch_accel_field *fields, int n_fields)
{
	memset(table, 0, sizeof(*table));
	table->fields = fields;
	table->n_fields = n_fields;
	table->file = "macchiato_config";
}

void mch_accel_table_free(struct mch_accel_table *table)
{
	free(table->rows);
	memset(table, 0, sizeof(*table));
}

struct mch_accel_value mch_accel_value_int(int64_t number)
{
	MCH_REQUIRE(number >= INT32_MIN && number <= INT32_MAX, "a plain constant has 32 bits in Verilog");
	return (struct mch_accel_value){MCH_ACCEL_INT, number, ""};
}

struct mch_accel_value mch_accel_value_wide(uint64_t number)
{
	struct mch_accel_value value = {MCH_ACCEL_WIDE, 0, ""};
	memcpy(&value.number, &number, sizeof(number));
	return value;
}

/* No quote, backslash, question mark (trigraphs), backtick or asterisk (comments) survives. */
struct mch_accel_value mch_accel_value_text(const char *text)
{
	struct mch_accel_value value = {MCH_ACCEL_TEXT, 0, ""};
	for (size_t i = 0; text[i] && i + 1 < sizeof(value.text); i++)
		value.text[i] = is_alnum(text[i]) || strchr("_-./:+ ", text[i]) ? text[i] : '_';
	return value;
}

const struct mch_accel_row *mch_accel_table_find(const struct mch_accel_table *table, const char *name)
{
	for (int i = 0; i < table->n_rows; i++)
		if (strcmp(table->rows[i].name, name) == 0)
			return &table->rows[i];
	return NULL;
}

static int append(struct mch_accel_table *table, const struct mch_accel_row *row, struct mch_err *err)
{
	if (mch_accel_table_find(table, row->name))
		return mch_err_set(err, row->name, "two constants have this name; rename one of the layers");
	if (table->n_rows == table->room) {
		const int room = table->room ? 2 * table->room : 256;
		struct mch_accel_row *rows = realloc(table->rows, (size_t)room * sizeof(*rows));
		if (!rows)
			return mch_err_set(err, row->name, "no memory for the table of constants; free some");
		table->rows = rows;
		table->room = room;
	}
	table->rows[table->n_rows++] = *row;
	return 0;
}

static int append_global(struct mch_accel_table *table, const char *name, struct mch_accel_value value,
			 const char *comment, struct mch_err *err)
{
	struct mch_accel_row row = {"", value, comment, -1, -1};
	snprintf(row.name, sizeof(row.name), "%s", name);
	return append(table, &row, err);
}

int mch_accel_table_int(struct mch_accel_table *table, const char *name, int64_t value, const char *comment,
			struct mch_err *err)
{
	return append_global(table, name, mch_accel_value_int(value), comment, err);
}

int mch_accel_table_wide(struct mch_accel_table *table, const char *name, uint64_t value, const char *comment,
			 struct mch_err *err)
{
	return append_global(table, name, mch_accel_value_wide(value), comment, err);
}

int mch_accel_table_text(struct mch_accel_table *table, const char *name, const char *value, const char *comment,
			 struct mch_err *err)
{
	return append_global(table, name, mch_accel_value_text(value), comment, err);
}

static void cell_name(const char *stem, const struct mch_accel_field *field, char name[MCH_ACCEL_TEXT_MAX])
{
	/* stem <= 96 characters (see mch_accel_table_stem), fields are short */
	snprintf(name, MCH_ACCEL_TEXT_MAX, "%.96s_%.30s", stem, field->name);
	for (char *c = name; *c; c++)
		*c = upper(*c);
}

static bool is_free(const struct mch_accel_table *table, const char *stem)
{
	char name[MCH_ACCEL_TEXT_MAX];
	for (int i = 0; i < table->n_fields; i++) {
		cell_name(stem, &table->fields[i], name);
		if (mch_accel_table_find(table, name))
			return false;
	}
	return true;
}

void mch_accel_table_stem(const struct mch_accel_table *table, const char *layer_name, char stem[MCH_ACCEL_TEXT_MAX])
{
	enum { KEEP = 80 };
	size_t used = 0;
	for (const char *c = layer_name; *c && used < KEEP; c++)
		if (is_alnum(*c))
			stem[used++] = *c;
		else if (used > 0 && stem[used - 1] != '_') /* two in a row are the compiler's own in C++ */
			stem[used++] = '_';
	if (used > 0 && stem[used - 1] == '_')
		used--;
	if (used == 0)
		used = (size_t)snprintf(stem, MCH_ACCEL_TEXT_MAX, "layer");
	stem[used] = '\0';
	for (int i = 2; !is_free(table, stem); i++)
		snprintf(stem + used, MCH_ACCEL_TEXT_MAX - used, "_%d", i);
}

int mch_accel_table_layer(struct mch_accel_table *table, const char *stem, const struct mch_accel_value *values,
			  struct mch_err *err)
{
	for (int i = 0; i < table->n_fields; i++) {
		MCH_REQUIRE(values[i].type == table->fields[i].type, "a cell has the type of its column");
		struct mch_accel_row row = {"", values[i], table->fields[i].comment, table->n_layers, i};
		cell_name(stem, &table->fields[i], row.name);
		if (append(table, &row, err) != 0)
			return -1;
	}
	table->n_layers++;
	return 0;
}
