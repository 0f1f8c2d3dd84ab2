/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Protobuf text format: text to tree; see prototxt.h. */
#include "io/prototxt.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct parser {
	const char *where;
	const char *at, *end;
	int line, depth;
	struct mch_err *err;
};

static int parse_fields(struct parser *p, struct mch_prototxt *message, char closer);

static int fail(const struct parser *p, int line, const char *what, ...) __attribute__((format(printf, 3, 4)));

static int fail(const struct parser *p, int line, const char *what, ...)
{
	char text[256];
	va_list args;
	va_start(args, what);
	vsnprintf(text, sizeof(text), what, args);
	va_end(args);
	const struct mch_prototxt place = {.line = line};
	return mch_prototxt_err(p->err, p->where, &place, "%s", text);
}

/* What stands at p->at, for messages. */
static const char *seen(const struct parser *p, char *buf, size_t room)
{
	if (p->at == p->end)
		return "the end of the file";
	const unsigned char c = (unsigned char)*p->at;
	snprintf(buf, room, c > ' ' && c < 127 ? "\"%c\"" : "the byte %02x", c);
	return buf;
}

static void skip_space(struct parser *p)
{
	for (; p->at < p->end; p->at++) {
		if (*p->at == '#')
			while (p->at < p->end && *p->at != '\n')
				p->at++;
		if (p->at == p->end || !strchr(" \t\r\n\v\f", *p->at) || *p->at == '\0')
			return;
		p->line += *p->at == '\n';
	}
}

/* The next character that is no space; 0 at the end. */
static char peek(struct parser *p)
{
	skip_space(p);
	return p->at < p->end ? *p->at : '\0';
}

static bool is_word(char c, bool is_number)
{
	return isalnum((unsigned char)c) || c == '_' || (is_number && (c == '.' || c == '+' || c == '-'));
}

/* A sign belongs to a number only in front and behind the exponent's e; "1-2" is an error that the value's reader
 * finds. */
static size_t word_length(const struct parser *p)
{
	const bool is_number = p->at < p->end && (isdigit((unsigned char)*p->at) || *p->at == '.');
	size_t n = 0;
	while (p->at + n < p->end && is_word(p->at[n], is_number))
		n++;
	return n;
}

static char *copy(const struct parser *p, const char *text, size_t n)
{
	char *s = malloc(n + 1);
	if (!s) {
		fail(p, p->line, "out of memory; use a machine with more");
		return NULL;
	}
	memcpy(s, text, n);
	s[n] = '\0';
	return s;
}

static int hex_digit(char c)
{
	return isdigit((unsigned char)c)    ? c - '0'
	       : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
					    : -1;
}

static size_t put_utf8(char *to, unsigned long code)
{
	if (code < 0x80) {
		to[0] = (char)code;
		return 1;
	}
	const int n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	for (int i = n - 1; i > 0; i--, code >>= 6)
		to[i] = (char)(0x80 | (code & 0x3f));
	to[0] = (char)((0xf00 >> n & 0xff) | code);
	return (size_t)n;
}

/* Up to max digits of that base. */
static int digits(struct parser *p, int base, int max, unsigned long *value)
{
	int n = 0;
	for (*value = 0; n < max && p->at < p->end; n++, p->at++) {
		const int d = hex_digit(*p->at);
		if (d < 0 || d >= base)
			break;
		*value = *value * (unsigned long)base + (unsigned long)d;
	}
	return n;
}

/* Behind a backslash: writes 1 to 4 bytes, which is never more than the escape itself took. */
static int parse_escape(struct parser *p, char *to, size_t *n_to)
{
	static const char names[] = "abfnrtv\\'\"?", codes[] = "\a\b\f\n\r\t\v\\'\"?";
	const char c = p->at < p->end ? *p->at : '\0';
	const char *simple = c ? strchr(names, c) : NULL;
	unsigned long code;
	*n_to = 1;
	if (simple) {
		p->at++;
		to[0] = codes[simple - names];
		return 0;
	}
	if (c >= '0' && c <= '7') {
		digits(p, 8, 3, &code);
		to[0] = (char)code;
		return code < 256 ? 0 : fail(p, p->line, "an octal escape is over \\377; correct the string");
	}
	if (c == 'x' || c == 'X' || c == 'u' || c == 'U') {
		const int max = c == 'u' ? 4 : c == 'U' ? 8 : 2;
		p->at++;
		const int n = digits(p, 16, max, &code);
		if (n == 0 || (max > 2 && n < max) || code > 0x10ffff)
			return fail(p, p->line, "the escape \\%c lacks digits or is no character; correct the string",
				    c);
		if (max == 2)
			to[0] = (char)code;
		else
			*n_to = put_utf8(to, code);
		return 0;
	}
	return fail(p, p->line, "a backslash before %s is no escape; write \\\\ for a backslash", seen(p, to, 16));
}

/* One quoted piece, appended to text; p is at the quote. text has room for all that is left of the file. */
static int parse_piece(struct parser *p, char *text, size_t *n)
{
	const char quote = *p->at++;
	const int line = p->line;
	while (p->at < p->end && *p->at != quote && *p->at != '\n') {
		char bytes[32];
		size_t n_bytes = 1;
		bytes[0] = *p->at++;
		if (bytes[0] == '\\' && parse_escape(p, bytes, &n_bytes) != 0)
			return -1;
		memcpy(text + *n, bytes, n_bytes);
		*n += n_bytes;
	}
	if (p->at == p->end || *p->at != quote)
		return fail(p, line, "a string has no closing %c on its line; add it", quote);
	p->at++;
	return 0;
}

/* End of the quoted piece that begins at p->at, closing quote included: a bound for its room. */
static size_t piece_length(const struct parser *p)
{
	const char quote = *p->at;
	size_t n = 1;
	while (p->at + n < p->end && p->at[n] != quote && p->at[n] != '\n')
		n += p->at[n] == '\\' && p->at + n + 1 < p->end ? 2 : 1;
	return n + 1;
}

static int parse_string(struct parser *p, struct mch_prototxt *field)
{
	field->kind = MCH_PROTOTXT_STRING;
	for (char c = peek(p); c == '"' || c == '\''; c = peek(p)) {
		char *more = realloc(field->text, field->n_text + piece_length(p) + 1);
		if (!more)
			return fail(p, p->line, "out of memory; use a machine with more");
		field->text = more;
		if (parse_piece(p, field->text, &field->n_text) != 0)
			return -1;
		field->text[field->n_text] = '\0';
	}
	return 0;
}

static int parse_scalar(struct parser *p, struct mch_prototxt *field)
{
	char buf[32];
	const bool is_negative = peek(p) == '-';
	if (is_negative)
		p->at++;
	skip_space(p);
	const size_t n = word_length(p);
	if (n == 0)
		return fail(p, p->line, "a value is expected for %s, %s found; correct the definition", field->name,
			    seen(p, buf, sizeof(buf)));
	field->kind = MCH_PROTOTXT_SCALAR;
	field->n_text = n + is_negative;
	field->text =
		copy(p, p->at - is_negative, field->n_text); /* the character before p->at makes room for the sign */
	if (!field->text)
		return -1;
	if (is_negative)
		field->text[0] = '-';
	p->at += n;
	return 0;
}

static int parse_message(struct parser *p, struct mch_prototxt *field)
{
	const char closer = *p->at == '{' ? '}' : '>';
	const int line = p->line;
	field->kind = MCH_PROTOTXT_MESSAGE;
	p->at++;
	if (++p->depth > MCH_PROTOTXT_DEPTH_MAX)
		return fail(p, line, "messages are nested over %d deep; this is no sensible definition",
			    MCH_PROTOTXT_DEPTH_MAX);
	if (parse_fields(p, field, closer) != 0)
		return -1;
	if (p->at == p->end)
		return fail(p, line, "%s { has no closing %c; add it", field->name, closer);
	p->at++;
	p->depth--;
	return 0;
}

/* One value of the field `name`, appended at *tail. */
static int parse_value(struct parser *p, const char *name, int line, bool has_colon, struct mch_prototxt ***tail)
{
	char buf[32];
	const char c = peek(p);
	struct mch_prototxt *field = calloc(1, sizeof(*field));
	if (!field)
		return fail(p, line, "out of memory; use a machine with more");
	**tail = field;
	*tail = &field->next;
	field->line = line;
	field->name = copy(p, name, strlen(name));
	if (!field->name)
		return -1;
	if (c == '{' || c == '<')
		return parse_message(p, field);
	if (!has_colon)
		return fail(p, p->line, "\":\" is expected after %s, %s found; add it", name,
			    seen(p, buf, sizeof(buf)));
	return c == '"' || c == '\'' ? parse_string(p, field) : parse_scalar(p, field);
}

static int parse_list(struct parser *p, const char *name, bool has_colon, struct mch_prototxt ***tail)
{
	char buf[32];
	p->at++;
	if (peek(p) == ']') {
		p->at++;
		return 0;
	}
	for (;;) {
		skip_space(p);
		if (parse_value(p, name, p->line, has_colon, tail) != 0)
			return -1;
		const char c = peek(p);
		if (c != ',' && c != ']')
			return fail(p, p->line,
				    "\",\" or \"]\" is expected in the list of %s, %s found; correct the definition",
				    name, seen(p, buf, sizeof(buf)));
		p->at++;
		if (c == ']')
			return 0;
	}
}

static int parse_field(struct parser *p, struct mch_prototxt ***tail)
{
	enum { NAME_MAX_BYTES = 64 };
	char name[NAME_MAX_BYTES + 1], buf[32];
	const int line = p->line;
	const size_t n = word_length(p);
	if (n == 0 || isdigit((unsigned char)*p->at) || *p->at == '.')
		return fail(p, line, "the name of a field is expected, %s found; correct the definition",
			    seen(p, buf, sizeof(buf)));
	if (n > NAME_MAX_BYTES)
		return fail(p, line, "the name of a field has over %d letters; is it the right file?",
			    NAME_MAX_BYTES);
	memcpy(name, p->at, n);
	name[n] = '\0';
	p->at += n;
	const bool has_colon = peek(p) == ':';
	if (has_colon)
		p->at++;
	const int status =
		peek(p) == '[' ? parse_list(p, name, has_colon, tail) : parse_value(p, name, line, has_colon, tail);
	if (status == 0 && (peek(p) == ',' || peek(p) == ';'))
		p->at++;
	return status;
}

/* Fields up to the closer, or to the end of the file. */
static int parse_fields(struct parser *p, struct mch_prototxt *message, char closer)
{
	struct mch_prototxt **tail = &message->first;
	for (;;) {
		const char c = peek(p);
		if (p->at == p->end || (closer && c == closer))
			return 0;
		if (parse_field(p, &tail) != 0)
			return -1;
	}
}

struct mch_prototxt *mch_prototxt_parse(const char *where, const char *text, size_t n_bytes, struct mch_err *err)
{
	struct parser p = {where, text, text + n_bytes, 1, 0, err};
	struct mch_prototxt *root = calloc(1, sizeof(*root));
	if (!root) {
		mch_err_set(err, where, "out of memory; use a machine with more");
		return NULL;
	}
	root->line = 1;
	if (parse_fields(&p, root, '\0') != 0) {
		mch_prototxt_free(root);
		return NULL;
	}
	return root;
}
