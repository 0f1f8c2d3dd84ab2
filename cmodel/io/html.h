/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Pieces of a page of HTML: text, tables, figures. Host only: no RTL twin. */
#ifndef MCH_IO_HTML_H
#define MCH_IO_HTML_H

#include <stdio.h>

/* Text in an element or in a quoted attribute: & < > " ' are escaped, control characters become U+FFFD. */
void mch_html_text(FILE *to, const char *text);

/* printf whose whole result is escaped; at most 1023 bytes. */
void mch_html_print(FILE *to, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The page's head, with its style; and its end. The page needs nothing else, and may load nothing. */
void mch_html_begin(FILE *to, const char *title);
void mch_html_end(FILE *to);

/* "<section id=...><h2>" and its end. id: letters, digits and '-'. */
void mch_html_section(FILE *to, const char *id, const char *title);
void mch_html_section_end(FILE *to);

/* A table in a <details>, or plainly when summary is NULL. columns: titles, separated by '|'; numbers stand right,
 * a column of text begins with '<'. */
void mch_html_table(FILE *to, const char *summary, const char *columns);
/* A row's cells stand between, each by mch_html_cell. */
void mch_html_row(FILE *to);
void mch_html_row_end(FILE *to);
/* In a column of text, class is "text"; else NULL. */
void mch_html_cell(FILE *to, const char *class, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* A number with so many decimals, < 0: of six digits; "–" when it is none. before: "≤ ", or "". */
void mch_html_cell_real(FILE *to, const char *before, int decimals, double value);
void mch_html_table_end(FILE *to, const char *summary);

/* What is not there, and how to have it. */
void mch_html_absent(FILE *to, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
