/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Pieces of a page; see html.h. */
#include "io/html.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "io/html_style.h"

void mch_html_text(FILE *to, const char *text)
{
	for (; *text; text++) {
		const unsigned char c = (unsigned char)*text;
		const char *escape = c == '&'                ? "&amp;"
				     : c == '<'              ? "&lt;"
				     : c == '>'              ? "&gt;"
				     : c == '"'              ? "&quot;"
				     : c == '\''             ? "&#39;"
				     : c < 0x20 || c == 0x7f ? "\xef\xbf\xbd"
							     : NULL;
		if (escape)
			fputs(escape, to);
		else
			putc(c, to);
	}
}

static void print_list(FILE *to, const char *format, va_list args)
{
	char text[1024];
	vsnprintf(text, sizeof(text), format, args);
	mch_html_text(to, text);
}

void mch_html_print(FILE *to, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	print_list(to, format, args);
	va_end(args);
}

void mch_html_begin(FILE *to, const char *title)
{
	/* All elements are closed and in order: what reads XML reads the page too. */
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
	      "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
	      "'unsafe-inline'\"/>\n"
	      "<title>",
	      to);
	mch_html_text(to, title);
	fprintf(to, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<main>\n", mch_html_style);
}

void mch_html_end(FILE *to)
{
	fputs("</main>\n</body>\n</html>\n", to);
}

void mch_html_section(FILE *to, const char *id, const char *title)
{
	fprintf(to, "<section id=\"%s\">\n<h2>", id);
	mch_html_text(to, title);
	fputs("</h2>\n", to);
}

void mch_html_section_end(FILE *to)
{
	fputs("</section>\n", to);
}

void mch_html_table(FILE *to, const char *summary, const char *columns)
{
	if (summary) {
		fputs("<details><summary>", to);
		mch_html_text(to, summary);
		fputs("</summary>\n", to);
	}
	fputs("<div class=\"scroll\"><table>\n<thead><tr>", to);
	for (const char *at = columns; *at;) {
		const size_t n = strcspn(at, "|");
		const int is_text = *at == '<';
		fprintf(to, "<th scope=\"col\"%s>", is_text ? " class=\"text\"" : "");
		mch_html_print(to, "%.*s", (int)n - is_text, at + is_text);
		fputs("</th>", to);
		at += n + (at[n] == '|');
	}
	fputs("</tr></thead>\n<tbody>", to);
}

void mch_html_row(FILE *to)
{
	fputs("\n<tr>", to);
}

void mch_html_row_end(FILE *to)
{
	fputs("</tr>", to);
}

void mch_html_cell(FILE *to, const char *class, const char *format, ...)
{
	va_list args;
	fputs(class ? "<td class=\"" : "<td", to);
	if (class)
		fprintf(to, "%s\"", class);
	putc('>', to);
	va_start(args, format);
	print_list(to, format, args);
	va_end(args);
	fputs("</td>", to);
}

void mch_html_cell_real(FILE *to, const char *before, int decimals, double value)
{
	if (!isfinite(value))
		mch_html_cell(to, NULL, "–");
	else if (decimals < 0)
		mch_html_cell(to, NULL, "%s%.6g", before, value);
	else
		mch_html_cell(to, NULL, "%s%.*f", before, decimals, value);
}

void mch_html_table_end(FILE *to, const char *summary)
{
	fputs("\n</tbody></table></div>\n", to);
	if (summary)
		fputs("</details>\n", to);
}

void mch_html_absent(FILE *to, const char *format, ...)
{
	va_list args;
	fputs("<p class=\"absent\">", to);
	va_start(args, format);
	print_list(to, format, args);
	va_end(args);
	fputs("</p>\n", to);
}
