/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Bits per layer: weights, tensors, accumulators against their certificates, and what saturates. Host only: no RTL
 * twin. */
#include <math.h>

#include "io/html.h"
#include "io/html_part.h"

enum { ROW = 19, TOP = 46, NAMES = 210, WIDTH = 1130 };

/* One column of bars. */
struct panel {
	const char *title;
	double left, width, high;
	int tick;
};

enum { WEIGHTS, OUTPUTS, ACCUMULATOR, SATURATED, N_PANELS };

static const struct panel panels[N_PANELS] = {
	[WEIGHTS] = {"weights, bits", NAMES, 170, 16, 4},
	[OUTPUTS] = {"output tensor, bits", 415, 170, 16, 4},
	[ACCUMULATOR] = {"accumulator, bits", 620, 290, 48, 8},
	[SATURATED] = {"weights saturated, %", 945, 120, 0, 0}, /* high: from the data */
};

static double place(const struct panel *p, double value)
{
	return p->left + p->width * value / p->high;
}

static void draw_panel(FILE *to, const struct panel *p, double bottom)
{
	char text[32];
	const struct mch_axis axis = {.low = 0, .high = p->high, .n_ticks = 4};
	double ticks[MCH_TICKS_MAX], step;
	int n = mch_axis_ticks(&axis, ticks, &step);
	for (int i = 0; p->tick && i * p->tick <= p->high; i++) {
		ticks[i] = i * p->tick;
		n = i + 1;
		step = p->tick;
	}
	mch_svg_text(to, p->left, 14, MCH_START, "head", p->title);
	for (int i = 0; i < n; i++) {
		mch_svg_line(to, "grid", place(p, ticks[i]), TOP - 8, place(p, ticks[i]), bottom);
		mch_svg_text(to, place(p, ticks[i]), TOP - 13, MCH_MIDDLE, "tick",
			     mch_axis_tick_text(&axis, ticks[i], step, text));
	}
	mch_svg_line(to, "edge", p->left, TOP - 8, p->left, bottom);
}

/* A bar with its value behind. */
static void draw_bar(FILE *to, const struct panel *p, double y, double value, const char *class, const char *text,
		     const char *tip)
{
	mch_svg_rect(to, class, p->left, y - 6, place(p, value) - p->left, 12, tip);
	mch_svg_text(to, place(p, value) + 4, y + 4, MCH_START, "value", text);
}

static void draw_accumulator(FILE *to, double y, const json_t *layer)
{
	const json_t *acc = mch_json_part(layer, "accumulator"), *c = json_object_get(acc, "certificate");
	const struct panel *p = &panels[ACCUMULATOR];
	const double need = mch_json_real(c, "bits"), has = mch_json_real(acc, "bits");
	char text[64], tip[200];
	if (!acc)
		return;
	snprintf(tip, sizeof(tip), "%s: any partial sum lies in %.0f .. %.0f, %.0f bits; the accumulator has %.0f",
		 mch_json_text(layer, "name"), mch_json_real(c, "low"), mch_json_real(c, "high"), need, has);
	const bool is_safe = need <= has;
	if (is_safe)
		snprintf(text, sizeof(text), "%.0f of %.0f", need, has);
	else
		snprintf(text, sizeof(text), "%.0f of %.0f: can %s", need, has, mch_json_text(acc, "overflow"));
	mch_svg_rect(to, is_safe ? "bar" : "over", p->left, y - 6, place(p, need) - p->left, 12, tip);
	mch_svg_line(to, "width", place(p, has), y - 8, place(p, has), y + 8);
	mch_svg_text(to, place(p, need > has ? need : has) + 5, y + 4, MCH_START, is_safe ? "value" : "value bad",
		     text);
}

static void draw_row(FILE *to, double y, const json_t *layer, const struct panel *saturated)
{
	const json_t *weights = mch_json_part(layer, "weights"), *output = json_object_get(layer, "output");
	const json_t *formats[] = {json_object_get(weights, "format"), json_object_get(output, "format")};
	char name[64], tip[200];
	const char *full = mch_json_text(layer, "name"), *fused = mch_json_text(layer, "fused");
	/* A long name is cut, never inside a character: continuation bytes of UTF-8 are 10xxxxxx. */
	int n = snprintf(name, sizeof(name), "%.34s", full);
	while (n > 0 && ((unsigned char)full[n] & 0xc0) == 0x80)
		name[--n] = '\0';
	if (full[n])
		snprintf(name + n, sizeof(name) - (size_t)n, "…");
	mch_svg_text(to, NAMES - 8, y + 4, MCH_END, "value", name);
	for (int i = 0; i < 2; i++) {
		if (!formats[i])
			continue;
		snprintf(tip, sizeof(tip), "%.80s%s%.20s: %s %s, %g to %g in steps of %g", full,
			 *fused ? " + " : "", fused, i ? "output" : "weights", mch_json_text(formats[i], "text"),
			 mch_json_real(formats[i], "low"), mch_json_real(formats[i], "high"),
			 mch_json_real(formats[i], "step"));
		draw_bar(to, &panels[i], y, mch_json_real(formats[i], "bits"), i ? "m2" : "m0",
			 mch_json_text(formats[i], "text"), tip);
	}
	draw_accumulator(to, y, layer);
	if (!weights)
		return;
	const json_t *range = json_object_get(weights, "range");
	const double percent = mch_json_real(range, "saturated_percent");
	char text[32];
	snprintf(text, sizeof(text), "%.3g", percent);
	snprintf(tip, sizeof(tip), "%.80s: %.0f of %.0f weights beyond the format's ends", full,
		 mch_json_real(range, "saturated"), mch_json_real(range, "values"));
	draw_bar(to, saturated, y, percent, "m1", text, tip);
}

static void table(FILE *to, const json_t *layers)
{
	const json_t *layer;
	size_t i;
	mch_html_table(to, "Formats and accumulators as numbers",
		       "<layer|<kind|<weights|<output|multiplications|certificate, low|certificate, high|bits "
		       "needed|bits of the "
		       "accumulator|<overflow|weights|saturated|to zero");
	json_array_foreach(layers, i, layer)
	{
		const json_t *weights = mch_json_part(layer, "weights"), *acc = mch_json_part(layer, "accumulator");
		const json_t *c = json_object_get(acc, "certificate"), *range = json_object_get(weights, "range");
		const char *fused = mch_json_text(layer, "fused");
		mch_html_row(to);
		mch_html_cell(to, "text", "%s", mch_json_text(layer, "name"));
		mch_html_cell(to, "text", "%s%s%s%s", mch_json_text(layer, "kind"), *fused ? " + " : "", fused,
			      json_is_true(json_object_get(layer, "is_host")) ? ", host" : "");
		mch_html_cell(to, "text", "%s", mch_json_text(json_object_get(weights, "format"), "text"));
		mch_html_cell(to, "text", "%s",
			      mch_json_text(json_object_get(json_object_get(layer, "output"), "format"), "text"));
		mch_html_cell(to, NULL, "%.0f", mch_json_real(layer, "macs"));
		if (acc) {
			mch_html_cell(to, NULL, "%.0f", mch_json_real(c, "low"));
			mch_html_cell(to, NULL, "%.0f", mch_json_real(c, "high"));
			mch_html_cell(to, NULL, "%.0f", mch_json_real(c, "bits"));
			mch_html_cell(to, NULL, "%.0f", mch_json_real(acc, "bits"));
			mch_html_cell(to, "text", "%s",
				      mch_json_real(c, "bits") <= mch_json_real(acc, "bits")
					      ? "cannot happen"
					      : mch_json_text(acc, "overflow"));
			mch_html_cell(to, NULL, "%.0f", mch_json_real(weights, "values"));
			mch_html_cell(to, NULL, "%.0f", mch_json_real(range, "saturated"));
			mch_html_cell(to, NULL, "%.0f", mch_json_real(range, "to_zero"));
		}
		for (int k = 0; !acc && k < 8; k++)
			mch_html_cell(to, NULL, "%s", "");
		mch_html_row_end(to);
	}
	mch_html_table_end(to, "");
}

void mch_html_bits(FILE *to, const json_t *report)
{
	const json_t *layers = json_object_get(report, "layers"), *layer;
	const double bottom = TOP + ROW * (double)json_array_size(layers);
	struct panel saturated = panels[SATURATED];
	size_t i;
	saturated.high = 0.1;
	json_array_foreach(layers, i, layer) saturated.high =
		fmax(saturated.high, mch_json_real(json_object_get(json_object_get(layer, "weights"), "range"),
						   "saturated_percent"));
	mch_html_section(to, "bits", "Bits per layer");
	fputs("<figure>\n<div class=\"scroll\">", to);
	mch_svg_begin(to, WIDTH, bottom + 6, "fig-bits", "Bits per layer",
		      "For each layer: bits of its weights, of its output, bits that its accumulator needs and "
		      "has, and the share of "
		      "weights that saturate. The table below has the same numbers.");
	for (size_t row = 1; row < json_array_size(layers); row += 2) /* to follow a row with the eye */
		mch_svg_rect(to, "row", 0, TOP + ROW * (double)row, WIDTH, ROW, NULL);
	for (int p = 0; p < SATURATED; p++)
		draw_panel(to, &panels[p], bottom);
	draw_panel(to, &saturated, bottom);
	json_array_foreach(layers, i, layer) draw_row(to, TOP + ROW * ((double)i + 0.5), layer, &saturated);
	mch_svg_end(to);
	fputs("</div><figcaption>Accumulators: the bar is the width that the certificate asks for, the upright "
	      "line the width of the "
	      "register. A bar that passes the line is red: that layer can overflow.</figcaption>\n</figure>\n",
	      to);
	table(to, layers);
	mch_html_section_end(to);
}
