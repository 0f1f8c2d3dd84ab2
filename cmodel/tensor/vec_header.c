/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The header of a vector file as text; see vec_header.h. */
#include "tensor/vec_header.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/require.h"

static const char version_line[] = "# macchiato vectors 1";

/* A Verilog identifier of at most 31 letters, digits and underscores, so that a bench can use it as it is. */
static bool is_name(const char *text)
{
	static const char all[] = "0123456789_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	const size_t n = strlen(text);
	return n >= 1 && n <= 31 && strspn(text, all) == n && strspn(text, "0123456789") == 0;
}

/* One line of text: no control character, bytes above 127 pass (UTF-8). */
static bool is_line(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

static bool is_field(const struct mch_vec_field *f)
{
	const int bits = f->format.bits;
	return is_name(f->name) && bits >= 1 && bits <= MCH_ACC_BITS_MAX + 1 && f->format.frac >= -MCH_FRAC_LIMIT &&
	       f->format.frac <= MCH_FRAC_LIMIT && f->count >= 1 && f->count <= MCH_VEC_WORD_BITS_MAX / bits;
}

int mch_vec_header_text(const struct mch_vec_header *h, char *buf, struct mch_err *err)
{
	const size_t room = MCH_VEC_HEADER_BYTES_MAX;
	MCH_REQUIRE(is_name(h->op), "an operator's name is an identifier");
	MCH_REQUIRE(h->n_in >= 1 && h->n_in <= h->n_fields && h->n_fields <= MCH_VEC_FIELDS_MAX,
		    "1 to 16 fields, the first an input");
	if (!is_line(h->comment) || !is_line(h->redo))
		return mch_err_set(err, "vectors",
				   "the comment or the command holds a control character; rename the layer or file");
	int used = snprintf(buf, room, "%s\n# op %s\n# comment %s\n# redo %s\n", version_line, h->op, h->comment,
			    h->redo);
	for (int i = 0; i < h->n_fields; i++) {
		const struct mch_vec_field *f = &h->field[i];
		char format[24];
		MCH_REQUIRE(is_field(f), "a field has a name, a format, and at most 65536 bits");
		used += snprintf(buf + used, room - (size_t)used, "# %s %s %s %d\n", i < h->n_in ? "in" : "out",
				 f->name, mch_format_text(f->format, format), f->count);
	}
	snprintf(buf + used, room - (size_t)used, "# cases %" PRIu64 "\n", h->n_cases);
	return 0;
}

/* What follows "# KEY ", or NULL when the line has another key. */
static const char *rest(const char *text, const char *key)
{
	const size_t n = strlen(key);
	return strncmp(text, "# ", 2) == 0 && strncmp(text + 2, key, n) == 0 && text[2 + n] == ' ' ? text + n + 3
												   : NULL;
}

/* Copies the text up to the next space or the end into buf; returns what follows the space, or NULL: it does not
 * fit. */
static const char *word(const char *text, char *buf, size_t room)
{
	const size_t n = strcspn(text, " ");
	if (n >= room)
		return NULL;
	memcpy(buf, text, n);
	buf[n] = '\0';
	return text + n + (text[n] == ' ');
}

/* Decimal without sign or leading zeros, below 10^18; -1 otherwise. */
static int64_t number(const char *text)
{
	const size_t n = strlen(text);
	if (n < 1 || n > 18 || strspn(text, "0123456789") != n || (n > 1 && text[0] == '0'))
		return -1;
	return strtoll(text, NULL, 10);
}

static int take_field(struct mch_vec_header *h, const char *text, bool is_in, const char **fault)
{
	struct mch_vec_field f = {.count = 0};
	char format[24];
	const char *p = word(text, f.name, sizeof(f.name));
	p = p ? word(p, format, sizeof(format)) : NULL;
	const int64_t count = p ? number(p) : -1;
	f.count = count > MCH_VEC_WORD_BITS_MAX ? -1 : (int)count;
	*fault = "a field line is \"# in NAME FORMAT COUNT\" (or out), of at most 65536 bits";
	if (!p || mch_format_parse(format, &f.format) < 0 || !is_field(&f))
		return -1;
	*fault = "more than 16 fields, or an input after an output";
	if (h->n_fields == MCH_VEC_FIELDS_MAX || (is_in && h->n_in != h->n_fields))
		return -1;
	h->field[h->n_fields++] = f;
	h->n_in += is_in;
	return 0;
}

/* The fixed lines at the top. */
static int take_fixed(struct mch_vec_header *h, int line, const char *text, const char **fault)
{
	static const char *const keys[] = {"op", "comment", "redo"};
	static const char *const faults[] = {"the line \"# op NAME\" is expected",
					     "the line \"# comment TEXT\" is expected, at most 255 bytes",
					     "the line \"# redo COMMAND\" is expected, at most 255 bytes"};
	char *const into[] = {h->op, h->comment, h->redo};
	const size_t room[] = {sizeof(h->op), sizeof(h->comment), sizeof(h->redo)};
	const char *p = rest(text, keys[line - 2]);
	*fault = faults[line - 2];
	if (!p || strlen(p) >= room[line - 2] || !is_line(p) || (line == 2 && !is_name(p)))
		return -1;
	memcpy(into[line - 2], p, strlen(p) + 1);
	return 0;
}

int mch_vec_header_parse(struct mch_vec_header *h, int line, const char *text, const char **fault)
{
	if (line == 1) {
		*fault = "this is no vector file of this release, whose first line is \"# macchiato vectors 1\"";
		return strcmp(text, version_line) == 0 ? 0 : -1;
	}
	if (line <= 4)
		return take_fixed(h, line, text, fault);
	const char *in = rest(text, "in"), *out = rest(text, "out"), *cases = rest(text, "cases");
	if (in || out)
		return take_field(h, in ? in : out, in != NULL, fault);
	*fault = "the header line \"# cases N\" is expected after one input or more";
	const int64_t n_cases = cases ? number(cases) : -1;
	if (n_cases < 0 || h->n_in < 1)
		return -1;
	h->n_cases = (uint64_t)n_cases;
	return 1;
}
