/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What each layer's width does to the outputs, one at a time: a table drawn in shades. Host only: no RTL twin. */
#include <math.h>
#include <string.h>

#include "io/html.h"
#include "io/html_part.h"

enum { BITS_MAX = 16, ROW = 19, TOP = 44, NAMES = 250, CELL = 44 };

/* SQNR in dB of a knob at a width; NAN: not measured. */
static double measured(const json_t *sensitivity, size_t knob, int bits)
{
	const json_t *row;
	size_t i;
	json_array_foreach(sensitivity, i,
			   row) if (mch_json_place(row, "knob") == knob &&
				    mch_json_real(row, "bits") == bits) return mch_json_real(row, "sqnr_db");
	return NAN;
}

/* Five shades, from 6 dB on darker with less: below 0 the noise is louder than the outputs. The number stands in
 * the cell, so no shade must be told from another. */
static const char *shade(double db)
{
	static const char *const shades[] = {"s4", "s3", "s2", "s1", "s0"};
	const int step = db < 6 ? 0 : db < 12 ? 1 : db < 20 ? 2 : db < 30 ? 3 : 4;
	return shades[step];
}

static void draw_knob(FILE *to, size_t number, const json_t *knob, const json_t *sensitivity)
{
	const double y = TOP + ROW * (double)number, chosen = mch_json_real(knob, "bits");
	char name[80], text[32], tip[160];
	snprintf(name, sizeof(name), "%.38s, %s", mch_json_text(knob, "name"), mch_json_text(knob, "kind"));
	mch_svg_text(to, NAMES - 8, y + 13, MCH_END, "value", name);
	for (int bits = 8; bits >= 1; bits--) {
		const double db = measured(sensitivity, number, bits), x = NAMES + CELL * (8 - bits);
		if (isfinite(db)) {
			snprintf(tip, sizeof(tip), "%s at %d bits: %.1f dB", name, bits, db);
			snprintf(text, sizeof(text), "%.0f", db);
			mch_svg_rect(to, shade(db), x + 1, y + 1, CELL - 2, ROW - 2, tip);
			mch_svg_text(to, x + CELL / 2, y + 13, MCH_MIDDLE, db < 12 ? "value light" : "value", text);
		}
		if (chosen == bits)
			mch_svg_rect(to, "ring", x + 1, y + 1, CELL - 2, ROW - 2, NULL);
	}
	if (chosen > 8) {
		snprintf(text, sizeof(text), "%.0f bits", chosen);
		mch_svg_text(to, NAMES + 8 * CELL + 6, y + 13, MCH_START, "value", text);
	}
}

static void table(FILE *to, const json_t *knobs, const json_t *sensitivity)
{
	const json_t *row;
	size_t i;
	mch_html_table(to, "Sensitivity as numbers", "<knob|<kind|bits of the knob|SQNR of the outputs, dB");
	json_array_foreach(sensitivity, i, row)
	{
		const json_t *knob = json_array_get(knobs, mch_json_place(row, "knob"));
		const double db = mch_json_real(row, "sqnr_db");
		mch_html_row(to);
		mch_html_cell(to, "text", "%s", mch_json_text(knob, "name"));
		mch_html_cell(to, "text", "%s", mch_json_text(knob, "kind"));
		mch_html_cell_real(to, "", 0, mch_json_real(row, "bits"));
		mch_html_cell(to, NULL, isfinite(db) ? "%.2f" : "no error", db);
		mch_html_row_end(to);
	}
	mch_html_table_end(to, "");
}

void mch_html_sensitivity(FILE *to, const json_t *search)
{
	const json_t *knobs = json_object_get(search, "knobs"),
		     *sensitivity = json_object_get(search, "sensitivity"), *knob;
	const size_t n = json_array_size(knobs);
	char text[32];
	size_t i;
	fputs("<h3>Sensitivity</h3>\n", to);
	if (n == 0 || json_array_size(sensitivity) == 0) {
		mch_html_absent(to, "The file of formats has no sensitivity of single layers: `macchiato quantize "
				    "--granularity=layer` "
				    "measures it.");
		return;
	}
	fputs("<p>", to);
	mch_html_print(to,
		       "Signal-to-noise ratio of the outputs in dB on %.0f images, one width as told and all "
		       "others 16 bits: the darker, the "
		       "more noise. A frame marks the width chosen.",
		       mch_json_real(search, "sensitivity_images"));
	fputs("</p>\n<figure>\n<div class=\"scroll\">", to);
	mch_svg_begin(to, NAMES + 8 * CELL + 60, TOP + ROW * (double)n + 6, "fig-sensitivity", "Sensitivity",
		      "For each layer's weights and each group of tensors: the signal-to-noise ratio of the "
		      "outputs when they alone have few "
		      "bits. The table below has the same numbers.");
	mch_svg_text(to, NAMES, 14, MCH_START, "head", "bits");
	for (int bits = 8; bits >= 1; bits--) {
		snprintf(text, sizeof(text), "%d", bits);
		mch_svg_text(to, NAMES + CELL * (8 - bits) + CELL / 2, TOP - 8, MCH_MIDDLE, "tick", text);
	}
	json_array_foreach(knobs, i, knob) draw_knob(to, i, knob, sensitivity);
	mch_svg_end(to);
	fputs("</div></figure>\n", to);
	table(to, knobs, sensitivity);
}
