/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The curves of a fine-tuning, from the columns of its log: accuracies in one picture, losses in another. Host
 * only: no RTL twin. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/html.h"
#include "io/html_part.h"

enum { SERIES_MAX = 4 };

static const char *const lines[SERIES_MAX] = {"l0", "l1", "l2", "l3"};
static const char *const mark_classes[SERIES_MAX] = {"m0", "m1", "m2", "m3"};
static const enum mch_mark marks[SERIES_MAX] = {MCH_MARK_CIRCLE, MCH_MARK_SQUARE, MCH_MARK_DIAMOND,
						MCH_MARK_TRIANGLE};

static const char *title_of(const json_t *tune, size_t column)
{
	const char *text = json_string_value(json_array_get(json_object_get(tune, "columns"), column));
	return text ? text : "";
}

static double value_of(const json_t *tune, size_t row, size_t column)
{
	const json_t *value = json_array_get(json_array_get(json_object_get(tune, "rows"), row), column);
	return json_is_number(value) ? json_number_value(value) : NAN;
}

/* Columns whose title holds the word; how many, at most SERIES_MAX. */
static int find_columns(const json_t *tune, const char *word, size_t columns[SERIES_MAX])
{
	int n = 0;
	for (size_t i = 1; i < json_array_size(json_object_get(tune, "columns")) && n < SERIES_MAX; i++)
		if (strstr(title_of(tune, i), word))
			columns[n++] = i;
	return n;
}

static void widen(const json_t *tune, size_t column, double *low, double *high)
{
	for (size_t r = 0; r < json_array_size(json_object_get(tune, "rows")); r++) {
		*low = fmin(*low, value_of(tune, r, column));
		*high = fmax(*high, value_of(tune, r, column));
	}
}

static void draw_column(const struct mch_plot *plot, const json_t *tune, size_t column, int series)
{
	const size_t n = json_array_size(json_object_get(tune, "rows"));
	double *x = calloc(2 * n + 1, sizeof(*x)), *y = x + n;
	char tip[160];
	if (!x)
		return;
	for (size_t r = 0; r < n; r++) {
		x[r] = value_of(tune, r, 0);
		y[r] = value_of(tune, r, column);
	}
	mch_plot_line(plot, lines[series], x, y, (int)n);
	for (size_t r = 0; r < n && n <= 100; r++) {
		snprintf(tip, sizeof(tip), "%.40s %g: %.40s %g", title_of(tune, 0), x[r], title_of(tune, column),
			 y[r]);
		mch_plot_mark(plot, marks[series], mark_classes[series], x[r], y[r], tip);
	}
	free(x);
}

/* One picture of all columns of a kind; nothing when there are none. */
static void draw_kind(FILE *to, const json_t *tune, const char *word, const char *id, const char *title)
{
	size_t columns[SERIES_MAX];
	const int n = find_columns(tune, word, columns);
	double from = INFINITY, until = -INFINITY, low = INFINITY, high = -INFINITY;
	widen(tune, 0, &from, &until);
	for (int i = 0; i < n; i++)
		widen(tune, columns[i], &low, &high);
	if (n == 0 || !isfinite(from) || !isfinite(low))
		return;
	const double room = high > low ? 0.1 * (high - low) : 0.5,
		     side = until > from ? 0.02 * (until - from) : 0.5;
	const struct mch_plot plot = {.to = to,
				      .left = 48,
				      .top = 26,
				      .width = 480,
				      .height = 210,
				      .x = {.low = from - side,
					    .high = until + side,
					    .n_ticks = 8,
					    .title = title_of(tune, 0),
					    .is_whole = true},
				      .y = {.low = low - room, .high = high + room, .n_ticks = 6, .title = title}};
	fputs("<div>\n<div class=\"legend\">\n", to);
	for (int i = 0; i < n; i++)
		mch_html_key(to, lines[i], marks[i], mark_classes[i], title_of(tune, columns[i]));
	fputs("</div>\n<figure>\n", to);
	mch_svg_begin(to, 545, 276, id, title, "Fine-tuning, from its log. The table below has the same numbers.");
	mch_plot_axes(&plot);
	for (int i = 0; i < n; i++)
		draw_column(&plot, tune, columns[i], i);
	mch_svg_end(to);
	fputs("</figure>\n</div>\n", to);
}

static void table(FILE *to, const json_t *tune)
{
	const size_t n_columns = json_array_size(json_object_get(tune, "columns"));
	fputs("<details><summary>Fine-tuning as numbers</summary>\n<div class=\"scroll\"><table>\n<thead><tr>", to);
	for (size_t i = 0; i < n_columns; i++) {
		fputs("<th scope=\"col\">", to);
		mch_html_text(to, title_of(tune, i));
		fputs("</th>", to);
	}
	fputs("</tr></thead>\n<tbody>", to);
	for (size_t r = 0; r < json_array_size(json_object_get(tune, "rows")); r++) {
		mch_html_row(to);
		for (size_t i = 0; i < n_columns; i++) {
			const double value = value_of(tune, r, i);
			mch_html_cell_real(to, "", -1, value);
		}
		mch_html_row_end(to);
	}
	mch_html_table_end(to, "");
}

void mch_html_tune(FILE *to, const json_t *report)
{
	const json_t *tune = mch_json_part(report, "tune");
	mch_html_section(to, "tune", "Fine-tuning");
	if (!tune) {
		mch_html_absent(to, "No log of a fine-tuning was given: --tune-log=FILE draws one.");
	} else {
		fputs("<p>", to);
		mch_html_print(to, "From %s.", mch_json_text(tune, "file"));
		fputs("</p>\n<div class=\"two\">\n", to);
		draw_kind(to, tune, "accuracy", "fig-tune", "top-1, %");
		draw_kind(to, tune, "loss", "fig-loss", "loss");
		fputs("</div>\n", to);
		table(to, tune);
	}
	mch_html_section_end(to);
}
