/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The one table behind both configuration headers of an accelerator: name, value, comment. Host only: no RTL twin.
 * Spec: docs/export.md. */
#ifndef MCH_IO_ACCEL_TABLE_H
#define MCH_IO_ACCEL_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum {
	MCH_ACCEL_VERSION = 1, /* of the exported folder; changes when a reader of it would have to */
	MCH_ACCEL_TEXT_MAX = 128,
};

enum mch_accel_type {
	MCH_ACCEL_INT,  /* fits int32_t: a plain number in both languages */
	MCH_ACCEL_WIDE, /* 64 bits, unsigned */
	MCH_ACCEL_TEXT,
};

struct mch_accel_value {
	enum mch_accel_type type;
	int64_t number;                /* WIDE: the bits of a uint64_t */
	char text[MCH_ACCEL_TEXT_MAX]; /* TEXT: letters, digits and "_-./:+ " alone, so no language needs an escape */
};

/* One constant. The macro is "MCH_" followed by name. */
struct mch_accel_row {
	char name[MCH_ACCEL_TEXT_MAX];
	struct mch_accel_value value;
	const char *comment; /* static text */
	int layer, field;    /* -1, or which cell of the layer table this is */
};

/* A column of the layer table: the member of struct mch_config_layer is its name in small letters. */
struct mch_accel_field {
	const char *name;
	enum mch_accel_type type;
	const char *comment;
};

struct mch_accel_table {
	const struct mch_accel_field *fields; /* not owned */
	int n_fields, n_layers; /* no fields: no layers */
	const char *file;       /* the headers' name without what follows the dot; not owned */
	struct mch_accel_row *rows;
	int n_rows, room;
	char hash[65]; /* of the table and the memory images, once known; see accel_image.h */
};

void mch_accel_table_init(struct mch_accel_table *table, const struct mch_accel_field *fields, int n_fields);
void mch_accel_table_free(struct mch_accel_table *table);

/* Appends a constant. 0, or -1 with err when the name is taken or memory is short. */
int mch_accel_table_int(struct mch_accel_table *table, const char *name, int64_t value, const char *comment,
			struct mch_err *err);
int mch_accel_table_wide(struct mch_accel_table *table, const char *name, uint64_t value, const char *comment,
			 struct mch_err *err);
int mch_accel_table_text(struct mch_accel_table *table, const char *name, const char *value, const char *comment,
			 struct mch_err *err);

/* Chooses the identifier of the next layer from the name its user gave it: what is no letter and no digit becomes one
 * '_', and a number is appended when any of the layer's constants, or its files on a disk that ignores case, would
 * meet those of an earlier layer. */
void mch_accel_table_stem(const struct mch_accel_table *table, const char *layer_name, char stem[MCH_ACCEL_TEXT_MAX]);

/* Appends a row "STEM_FIELD" for every field; values [n_fields], of the fields' types. */
int mch_accel_table_layer(struct mch_accel_table *table, const char *stem, const struct mch_accel_value *values,
			  struct mch_err *err);

/* The row of that name, or NULL. */
const struct mch_accel_row *mch_accel_table_find(const struct mch_accel_table *table, const char *name);

/* Values, made safe: a number out of range of its type is a broken contract; of a text, every character outside the
 * set above becomes '_' and what is too long is cut. */
struct mch_accel_value mch_accel_value_int(int64_t number);
struct mch_accel_value mch_accel_value_wide(uint64_t number);
struct mch_accel_value mch_accel_value_text(const char *text);

#endif
