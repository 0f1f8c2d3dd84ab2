/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Accuracy against width for each part alone (as in figure 4 of Gysel et al., "Ristretto", IEEE TNNLS 29(11),
 * 2018), and the path of the search. Host only: no RTL twin. */
#include <math.h>
#include <string.h>

#include "io/html.h"
#include "io/html_part.h"

enum { N_PARTS = 3, BITS_MAX = 16 };

static const struct {
	const char *key, *title, *word; /* in JSON, above a picture, in a sentence */
} parts[N_PARTS] = {
	{"conv_weights", "Convolution weights", "conv"},
	{"fc_weights", "FC weights", "FC"},
	{"activations", "Tensors (activations)", "act."},
};

/* One search: its name, and its accuracy at each width. */
struct series {
	const char *line, *mark_class, *hollow;
	enum mch_mark mark;
	char name[160];
	const json_t *search;
};

/* What all curves are held against. */
struct context {
	FILE *to;
	double real, margin; /* percent, points; NAN: not known */
	struct series series[2];
	int n_series;
	bool is_net; /* one width for all parts */
};

static const json_t *alone_of(const json_t *search)
{
	return json_object_get(search, "alone");
}

/* Percent at each width, NAN where it was not scored; how many were. */
static int curve(const json_t *search, const char *part, double bits[BITS_MAX], double percent[BITS_MAX])
{
	const json_t *row;
	size_t i;
	int n = 0;
	json_array_foreach(alone_of(search), i, row)
	{
		const double at = mch_json_real(row, "bits"), value = mch_json_real(row, part);
		if (n < BITS_MAX && isfinite(at) && isfinite(value)) {
			bits[n] = at;
			percent[n++] = value;
		}
	}
	return n;
}

/* The first search has a curve of this part, which is no other one's. */
static bool has_part(const struct context *c, int part)
{
	double bits[BITS_MAX], percent[BITS_MAX];
	for (int p = 0; c->is_net && p < part; p++)
		if (has_part(c, p))
			return false;
	return curve(c->series[0].search, parts[part].key, bits, percent) > 0;
}

static const char *part_title(const struct context *c, int part)
{
	return c->is_net ? "All parts at one width" : parts[part].title;
}

/* Widths whose scores were cut short: at most so accurate. */
static void draw_bounds(const struct context *c, const struct mch_plot *plot, const struct series *s, int part)
{
	const json_t *row;
	char tip[256];
	size_t i;
	json_array_foreach(json_object_get(s->search, "alone_bounds"), i, row)
	{
		const double bits = mch_json_real(row, "bits"), percent = mch_json_real(row, parts[part].key);
		snprintf(tip, sizeof(tip), "%s, %s: %g bits, at most %.2f %%", s->name, part_title(c, part), bits,
			 percent);
		if (isfinite(percent))
			mch_plot_mark(plot, MCH_MARK_TRIANGLE, s->hollow, bits, percent, tip);
	}
}

static void draw_series(const struct context *c, const struct mch_plot *plot, const struct series *s, int part)
{
	double bits[BITS_MAX], percent[BITS_MAX];
	const int n = curve(s->search, parts[part].key, bits, percent);
	char tip[256];
	draw_bounds(c, plot, s, part);
	if (n == 0)
		return;
	mch_plot_line(plot, s->line, bits, percent, n);
	const double chosen = mch_json_real(json_object_get(s->search, "alone_widths"), parts[part].key);
	for (int i = 0; i < n; i++) {
		snprintf(tip, sizeof(tip), "%s, %s: %g bits, %.2f %%", s->name, part_title(c, part), bits[i],
			 percent[i]);
		if (bits[i] == chosen && s == c->series)
			mch_plot_mark(plot, MCH_MARK_RING, "ring", bits[i], percent[i], NULL);
		mch_plot_mark(plot, s->mark, s->mark_class, bits[i], percent[i], tip);
	}
}

/* low, high: of the accuracy. */
static void draw_part(const struct context *c, int part, const char *view, double low, double high)
{
	char id[32], title[128];
	const struct mch_plot plot = {
		.to = c->to,
		.left = 40,
		.top = 44,
		.width = 300,
		.height = 150,
		.x = {.low = 0.5,
		      .high = BITS_MAX + 0.5,
		      .n_ticks = 9,
		      .is_whole = true,
		      .title = c->is_net ? "bits of all parts" : "bits of this part, the others 16"},
		.y = {.low = low, .high = high, .title = "top-1, %", .n_ticks = 6}};
	snprintf(id, sizeof(id), "fig-alone-%s%d", view, part);
	snprintf(title, sizeof(title), "%s%s", part_title(c, part), *view == 'z' ? ", the upper end" : "");
	fputs("<figure>\n", c->to);
	mch_svg_begin(c->to, 352, 232, id, title,
		      c->is_net ? "Top-1 accuracy on exact integers against one width for all parts. The table "
				  "below has the same "
				  "numbers."
				: "Top-1 accuracy on exact integers when this part has few bits and the others "
				  "have 16. The table "
				  "below has the same numbers.");
	mch_svg_text(c->to, 0, 14, MCH_START, "head", title);
	mch_plot_axes(&plot);
	if (isfinite(c->real)) {
		mch_plot_level(&plot, "level", c->real, NULL);
		mch_plot_level(&plot, "margin", c->real - c->margin, NULL);
	}
	for (int s = 0; s < c->n_series; s++)
		draw_series(c, &plot, &c->series[s], part);
	mch_svg_end(c->to);
	fputs("</figure>\n", c->to);
}

static void alone_table(const struct context *c)
{
	char columns[512] = "bits";
	for (int s = 0; s < c->n_series; s++)
		for (int p = 0; p < N_PARTS; p++)
			if (has_part(c, p)) {
				const size_t n = strlen(columns);
				snprintf(columns + n, sizeof(columns) - n, "|%s, %%%s", part_title(c, p),
					 s ? " (compared)" : "");
			}
	mch_html_table(c->to, "Accuracy against width as numbers", columns);
	for (int bits = BITS_MAX; bits >= 1; bits--) {
		mch_html_row(c->to);
		mch_html_cell(c->to, NULL, "%d", bits);
		for (int s = 0; s < c->n_series; s++)
			for (int p = 0; p < N_PARTS; p++) {
				if (!has_part(c, p))
					continue;
				double at[BITS_MAX], percent[BITS_MAX], shown = NAN;
				const int n = curve(c->series[s].search, parts[p].key, at, percent);
				for (int i = 0; i < n; i++)
					shown = at[i] == bits ? percent[i] : shown;
				mch_html_cell_real(c->to, "", 2, shown);
			}
		mch_html_row_end(c->to);
	}
	mch_html_table_end(c->to, "");
}

static void put_legend(const struct context *c)
{
	char text[64];
	fputs("<div class=\"legend\">\n", c->to);
	for (int s = 0; s < c->n_series; s++)
		mch_html_key(c->to, c->series[s].line, c->series[s].mark, c->series[s].mark_class,
			     c->series[s].name);
	mch_html_key(c->to, NULL, MCH_MARK_RING, "ring", "smallest width from which on all pass");
	for (int s = 0; s < c->n_series; s++)
		if (json_array_size(json_object_get(c->series[s].search, "alone_bounds")) > 0)
			mch_html_key(c->to, NULL, MCH_MARK_TRIANGLE, c->series[s].hollow,
				     "score ended when the margin was out of reach: at most this (--curves scores "
				     "to the end)");
	if (isfinite(c->real)) {
		snprintf(text, sizeof(text), "float, %.2f %%", c->real);
		mch_html_key(c->to, "level", MCH_MARK_CIRCLE, NULL, text);
	}
	if (isfinite(c->real) && isfinite(c->margin)) {
		snprintf(text, sizeof(text), "margin, %g point%s below float", c->margin,
			 c->margin == 1 ? "" : "s");
		mch_html_key(c->to, "margin", MCH_MARK_CIRCLE, NULL, text);
	}
	fputs("</div>\n", c->to);
}

static void put_alone(const struct context *c)
{
	bool has_any = false;
	for (int p = 0; p < N_PARTS; p++)
		has_any = has_any || has_part(c, p);
	fprintf(c->to, "<h3>Accuracy against width%s</h3>\n", c->is_net ? "" : ", each part alone");
	if (!has_any) {
		mch_html_absent(c->to, "The file of formats has no scores of parts alone: `macchiato quantize` "
				       "without --widths makes "
				       "them.");
		return;
	}
	put_legend(c);
	const double reach = isfinite(c->margin) && 4 * c->margin > 4 ? 4 * c->margin : 4;
	for (int view = 0; view < 2 && (view == 0 || isfinite(c->real)); view++) {
		if (view == 0 || !c->is_net)
			fputs("<div class=\"three\">\n", c->to);
		for (int p = 0; p < N_PARTS; p++)
			if (has_part(c, p))
				draw_part(c, p, view ? "z" : "a", view ? fmax(0, c->real - reach) : 0,
					  view ? fmin(100, c->real + reach / 4) : 100);
		if (view == 1 || !c->is_net || !isfinite(c->real))
			fputs("</div>\n", c->to);
	}
	if (c->n_series == 1)
		mch_html_absent(c->to, "No second search to compare with: --compare=Q2.json draws its curves too, "
				       "as those of static "
				       "fixed point.");
	alone_table(c);
}

static const char *widths_text(const json_t *widths, char buf[32])
{
	int n = 0;
	buf[0] = '\0';
	for (int p = 0; p < N_PARTS && n < 28; p++) {
		const double bits = mch_json_real(widths, parts[p].key);
		if (isfinite(bits))
			n += snprintf(buf + n, 32 - (size_t)n, bits > 0 ? "%s%.0f" : "%s–", n ? "/" : "", bits);
	}
	return buf;
}

static void path_table(const struct context *c, const json_t *tries)
{
	const json_t *try;
	size_t i;
	char buf[32];
	mch_html_table(c->to, "The search's path as numbers", "try|<why|conv/FC/act.|accuracy, %|<");
	json_array_foreach(tries, i, try)
	{
		mch_html_row(c->to);
		mch_html_cell(c->to, NULL, "%zu", i + 1);
		mch_html_cell(c->to, "text", "%s", mch_json_text(try, "why"));
		mch_html_cell(c->to, NULL, "%s", widths_text(json_object_get(try, "widths"), buf));
		mch_html_cell_real(c->to, json_is_true(json_object_get(try, "is_bound")) ? "≤ " : "", 2,
				   mch_json_real(try, "accuracy"));
		mch_html_cell(c->to, "text", "%s", json_is_true(json_object_get(try, "taken")) ? "taken" : "");
		mch_html_row_end(c->to);
	}
	mch_html_table_end(c->to, "");
}

/* Widths under each try while there is room for them. */
static void draw_tries(const struct context *c, const struct mch_plot *plot, const json_t *tries)
{
	const double n = (double)json_array_size(tries);
	const json_t *try;
	double x_before = NAN, y_before = NAN;
	char tip[200], widths[32];
	size_t i;
	json_array_foreach(tries, i, try)
	{
		const double x = (double)i + 1, y = mch_json_real(try, "accuracy");
		const bool is_taken = json_is_true(json_object_get(try, "taken"));
		if (is_taken && isfinite(x_before))
			mch_plot_line(plot, "l0", (double[]){x_before, x}, (double[]){y_before, y}, 2);
		if (is_taken) {
			x_before = x;
			y_before = y;
		}
	}
	json_array_foreach(tries, i, try)
	{
		const double x = (double)i + 1, y = mch_json_real(try, "accuracy");
		const bool is_taken = json_is_true(json_object_get(try, "taken"));
		widths_text(json_object_get(try, "widths"), widths);
		const bool is_bound = json_is_true(json_object_get(try, "is_bound"));
		snprintf(tip, sizeof(tip), "%zu. %.40s: %s, %s%.2f %%%s", i + 1, mch_json_text(try, "why"), widths,
			 is_bound ? "at most " : "", y, is_taken ? ", taken" : "");
		mch_plot_mark(plot,
			      is_taken   ? MCH_MARK_CIRCLE
			      : is_bound ? MCH_MARK_TRIANGLE
					 : MCH_MARK_DIAMOND,
			      is_taken   ? "m0"
			      : is_bound ? "h3"
					 : "h1",
			      x, y, tip);
		if (n <= 18)
			mch_svg_text(c->to, mch_plot_x(plot, x), plot->top + plot->height + 14, MCH_MIDDLE, "tick",
				     widths);
	}
}

static void put_path(const struct context *c, const json_t *search)
{
	const json_t *tries = json_object_get(search, "together"), *try;
	const double n = (double)json_array_size(tries);
	double low = c->real, high = c->real;
	size_t i;
	fputs("<h3>All parts together</h3>\n", c->to);
	if (n == 0) {
		mch_html_absent(c->to, "The file of formats tells of no combinations that were tried.");
		return;
	}
	if (n == 1) { /* a picture of one point tells nothing */
		path_table(c, tries);
		return;
	}
	json_array_foreach(tries, i, try)
	{
		low = fmin(low, mch_json_real(try, "accuracy"));
		high = fmax(high, mch_json_real(try, "accuracy"));
	}
	low = fmin(low, c->real - c->margin);
	const double room = fmax(0.15 * (high - low), 0.2);
	const struct mch_plot plot = {
		.to = c->to,
		.left = 44,
		.top = 26,
		.width = 1020,
		.height = 190,
		.x = {.low = 0.5,
		      .high = n + 0.5,
		      .is_whole = true,
		      .n_ticks = n <= 18 ? 0 : 12,
		      .title = n <= 18 ? "bits of conv weights / FC weights / tensors, in the order tried" : "try"},
		.y = {.low = low - room, .high = fmin(high + room, 100.4), .title = "top-1, %", .n_ticks = 6}};
	fputs("<div class=\"legend\">\n", c->to);
	mch_html_key(c->to, "l0", MCH_MARK_CIRCLE, "m0", "taken");
	mch_html_key(c->to, NULL, MCH_MARK_DIAMOND, "h1", "tried, not taken");
	mch_html_key(c->to, NULL, MCH_MARK_TRIANGLE, "h3",
		     "score ended when the margin was out of reach: at most this");
	fputs("</div>\n<figure>\n<div class=\"scroll\">", c->to);
	mch_svg_begin(c->to, 1130, 250, "fig-path", "The search's path",
		      "Top-1 accuracy on exact integers of each combination of widths, in the order tried. The "
		      "table below has the same "
		      "numbers.");
	mch_plot_axes(&plot);
	mch_plot_level(&plot, "level", c->real, "float");
	mch_plot_level(&plot, "margin", c->real - c->margin, "margin");
	draw_tries(c, &plot, tries);
	mch_svg_end(c->to);
	fputs("</div></figure>\n", c->to);
	path_table(c, tries);
}

/* The file, and Ristretto's kind of formats where that is told. */
static void name_series(struct series *s, const char *file)
{
	const char *formats = mch_json_text(s->search, "formats");
	snprintf(s->name, sizeof(s->name), "%.110s%s", file,
		 !*formats                     ? ""
		 : strstr(formats, ", static") ? ", static: one fraction for all"
					       : ", dynamic: a fraction for each tensor");
}

void mch_html_search(FILE *to, const json_t *report)
{
	const json_t *search = mch_json_part(report, "search"), *compare = mch_json_part(report, "compare");
	const json_t *accuracy = json_object_get(report, "accuracy"), *choosing = mch_json_part(search, "choosing");
	const char *granularity = mch_json_text(search, "granularity");
	struct context c = {.to = to,
			    .real = mch_json_real(mch_json_part(accuracy, "float"), "percent"),
			    .margin = mch_json_real(accuracy, "error_margin"),
			    .series = {{"l0", "m0", "h0", MCH_MARK_CIRCLE, "", search},
				       {"l1", "m1", "h1", MCH_MARK_SQUARE, "", json_object_get(compare, "search")}},
			    .n_series = compare ? 2 : 1,
			    .is_net = *granularity && strcmp(granularity, "part") != 0};
	if (choosing)
		c.real = mch_json_real(choosing, "float_accuracy");
	name_series(&c.series[0], mch_json_text(report, "quant_file"));
	name_series(&c.series[1], mch_json_text(compare, "file"));
	mch_html_section(to, "search", "Search");
	if (!search) {
		mch_html_absent(to, "The file of formats tells of no search: its formats were given or imported. "
				    "`macchiato quantize` "
				    "makes one that does.");
	} else {
		put_alone(&c);
		put_path(&c, search);
	}
	mch_html_section_end(to);
}
