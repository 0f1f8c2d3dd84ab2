/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* C and Verilog headers from the table of constants; see accel_header.h. */
#include "io/accel_header.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "base/require.h"

enum { NAME_WIDTH = 32, VALUE_WIDTH = 24, HASH_WORDS = 4, HASH_WORD_DIGITS = 16 };

/* All that tells the two languages apart. */
struct language {
	const char *define;           /* "#define" */
	const char *open, *close;     /* of a comment */
	const char *wide, *wide_end;  /* around the digits of a 64-bit number */
	const char *hex, *hex_end;    /* the same, hexadecimal */
};
static const struct language c = {"#define", "/* ", " */", "", "ULL", "0x", "ULL"};
static const struct language verilog = {"`define", "// ", "", "64'd", "", "64'h", ""};

static void value_text(const struct language *lang, const struct mch_accel_value *value, char text[160])
{
	uint64_t wide;
	switch (value->type) {
	case MCH_ACCEL_INT:
		/* A negative number is one operand wherever the macro stands. */
		snprintf(text, 160, value->number < 0 ? "(%" PRId64 ")" : "%" PRId64, value->number);
		break;
	case MCH_ACCEL_WIDE:
		memcpy(&wide, &value->number, sizeof(wide));
		snprintf(text, 160, "%s%" PRIu64 "%s", lang->wide, wide, lang->wide_end);
		break;
	case MCH_ACCEL_TEXT:
		snprintf(text, 160, "\"%s\"", value->text);
		break;
	}
}

static void put_define(FILE *stream, const struct language *lang, const char *name, const char *value,
		       const char *comment)
{
	fprintf(stream, "%s MCH_%-*s %-*s %s%s%s\n", lang->define, NAME_WIDTH, name, VALUE_WIDTH, value, lang->open,
		comment, lang->close);
}

/* The stamp: whole as a string, and as numbers that hardware can compare. */
static void put_hash(FILE *stream, const struct language *lang, const char *hash)
{
	MCH_REQUIRE(strlen(hash) == HASH_WORDS * HASH_WORD_DIGITS, "the hash is stamped before the headers are made");
	fprintf(stream, "%s MCH_CONFIG_HASH \"%s\"\n", lang->define, hash);
	for (int i = 0; i < HASH_WORDS; i++)
		fprintf(stream, "%s MCH_CONFIG_HASH_%d %s%.16s%s\n", lang->define, i, lang->hex,
			hash + i * HASH_WORD_DIGITS, lang->hex_end);
}

static void put_rows(FILE *stream, const struct language *lang, const struct mch_accel_table *table)
{
	char text[160];
	int layer = -1;
	for (int i = 0; i < table->n_rows; i++) {
		const struct mch_accel_row *row = &table->rows[i];
		if (row->layer != layer) {
			layer = row->layer;
			fprintf(stream, "\n%sLayer %d%s\n", lang->open, layer, lang->close);
		}
		value_text(lang, &row->value, text);
		put_define(stream, lang, row->name, text, row->comment);
	}
}

static void put_member_name(FILE *stream, const char *name)
{
	for (; *name; name++)
		fputc(*name >= 'A' && *name <= 'Z' ? *name - 'A' + 'a' : *name, stream);
}

static void put_struct(FILE *stream, const struct mch_accel_table *table)
{
	static const char *const type[] = {
		[MCH_ACCEL_INT] = "int ",
		[MCH_ACCEL_WIDE] = "unsigned long long ",
		[MCH_ACCEL_TEXT] = "const char *",
	};
	fprintf(stream, "struct mch_config_layer {\n");
	for (int i = 0; i < table->n_fields; i++) {
		fprintf(stream, "\t%s", type[table->fields[i].type]);
		put_member_name(stream, table->fields[i].name);
		fprintf(stream, "; /* %s */\n", table->fields[i].comment);
	}
	fprintf(stream, "};\n");
}

/* The cells are the macros themselves: the table cannot say something else than they do. */
static void put_layers(FILE *stream, const struct mch_accel_table *table)
{
	fprintf(stream, "static const struct mch_config_layer mch_config_layers[MCH_N_LAYERS] = {\n");
	for (int i = 0, layer = -1; i < table->n_rows; i++) {
		const struct mch_accel_row *row = &table->rows[i];
		if (row->layer < 0)
			continue;
		fprintf(stream, "%s\t\tMCH_%s,\n", row->layer != layer ? "\t{\n" : "", row->name);
		layer = row->layer;
		if (row->field == table->n_fields - 1)
			fprintf(stream, "\t},\n");
	}
	fprintf(stream, "};\n");
}

static void put_guard(FILE *stream, const struct language *lang, const char *file, const char *end)
{
	const char *hash = lang == &c ? "#" : "`";
	for (int i = 0; i < 2; i++) {
		fprintf(stream, i == 0 ? "%sifndef " : "%sdefine ", hash);
		for (const char *at = file; *at; at++)
			fputc(*at >= 'a' && *at <= 'z' ? *at - 'a' + 'A' : *at, stream);
		fprintf(stream, "%s\n", end);
	}
}

void mch_accel_header_c(FILE *stream, const struct mch_accel_table *table)
{
	fprintf(stream, "/* Configuration of an accelerator, made by `macchiato export`: do not edit, export again.\n"
			" * %s.vh says the same in Verilog; MCH_CONFIG_HASH ties them to images. */\n", table->file);
	put_guard(stream, &c, table->file, "_H");
	fprintf(stream, "\n/* SHA-256 of all constants and memory images; _0 is its first 16 digits. */\n");
	put_hash(stream, &c, table->hash);
	fprintf(stream, "\n");
	put_rows(stream, &c, table);
	fprintf(stream, "\n");
	if (table->n_fields == 0) {
		fprintf(stream, "#endif\n");
		return;
	}
	put_struct(stream, table);
	fprintf(stream, "\n#endif\n\n"
			"/* The layers once more, to loop over: define MCH_CONFIG_LAYERS before this line. */\n"
			"#if defined(MCH_CONFIG_LAYERS) && !defined(MACCHIATO_CONFIG_LAYERS_H)\n"
			"#define MACCHIATO_CONFIG_LAYERS_H\n\n");
	put_layers(stream, table);
	fprintf(stream, "\n#endif\n");
}

void mch_accel_header_verilog(FILE *stream, const struct mch_accel_table *table)
{
	fprintf(stream, "// Configuration of an accelerator, made by `macchiato export`: do not edit, export again.\n"
			"// %s.h says the same in C; MCH_CONFIG_HASH ties both to the images.\n", table->file);
	put_guard(stream, &verilog, table->file, "_VH");
	fprintf(stream, "\n// SHA-256 of all constants and memory images; _0 is its first 16 digits.\n");
	put_hash(stream, &verilog, table->hash);
	fprintf(stream, "\n");
	put_rows(stream, &verilog, table);
	fprintf(stream, "\n`endif\n");
}
