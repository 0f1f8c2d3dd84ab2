/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What each layer's weights and output hold, with the format drawn over it; see html_part.h. The pictures are
 * those of html_histogram.c. Host only: no RTL twin. */
#include <math.h>

#include "io/html.h"
#include "io/html_histogram.h"
#include "io/html_part.h"

static void put_counts(FILE *to, const json_t *range)
{
	const json_t *bins = json_object_get(range, "histogram"), *octaves = json_object_get(range, "log2"), *count;
	const double min = mch_json_real(range, "min"), max = mch_json_real(range, "max");
	const double width = (max - min) / (double)json_array_size(bins),
		     first = mch_json_real(range, "log2_first");
	size_t i;
	mch_html_table(to, NULL, "value from|to|values");
	json_array_foreach(bins, i, count)
	{
		if (json_integer_value(count) == 0)
			continue;
		mch_html_row(to);
		mch_html_cell(to, NULL, "%.5g", min + width * (double)i);
		mch_html_cell(to, NULL, "%.5g", min + width * (double)(i + 1));
		mch_html_cell_real(to, "", 0, json_number_value(count));
		mch_html_row_end(to);
	}
	mch_html_table_end(to, NULL);
	mch_html_table(to, NULL, "magnitude from|to|values");
	json_array_foreach(octaves, i, count)
	{
		mch_html_row(to);
		mch_html_cell(to, NULL, "%.4g", ldexp(1, (int)first + (int)i));
		mch_html_cell(to, NULL, "%.4g", ldexp(1, (int)first + (int)i + 1));
		mch_html_cell_real(to, "", 0, json_number_value(count));
		mch_html_row_end(to);
	}
	mch_html_table_end(to, NULL);
}

/* The numbers behind the two pictures of a tensor. */
static void put_numbers(FILE *to, const char *summary, const json_t *format, const json_t *range)
{
	static const struct {
		const char *key, *name;
		bool is_format;
		int decimals; /* < 0: six digits */
	} rows[] = {
		{"low", "format's smallest value", true, -1},
		{"high", "format's largest value", true, -1},
		{"step", "format's step", true, -1},
		{"min", "smallest value", false, -1},
		{"max", "largest value", false, -1},
		{"mean", "mean", false, -1},
		{"std", "standard deviation", false, -1},
		{"values", "values", false, 0},
		{"zeros", "of these zero", false, 0},
		{"looked_at", "values quantized for these shares", false, 0},
		{"saturated_percent", "beyond the format's ends, %", false, 4},
		{"to_zero_percent", "rounded to zero, %", false, 4},
		{"sqnr_db", "SQNR, dB", false, 2},
	};
	fputs("<details><summary>", to);
	mch_html_text(to, summary);
	fputs("</summary>\n", to);
	mch_html_table(to, NULL, "<what|value");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const double value = mch_json_real(rows[i].is_format ? format : range, rows[i].key);
		if (!isfinite(value))
			continue;
		mch_html_row(to);
		mch_html_cell(to, "text", "%s", rows[i].name);
		mch_html_cell_real(to, "", rows[i].decimals, value);
		mch_html_row_end(to);
	}
	mch_html_table_end(to, NULL);
	put_counts(to, range);
	fputs("</details>\n", to);
}

/* Pictures of one tensor; nothing when its range was not measured. id is unique in the page. */
static void put_tensor(FILE *to, const char *id, const char *what, const char *name, const json_t *tensor)
{
	const json_t *format = json_object_get(tensor, "format"), *range = mch_json_part(tensor, "range");
	if (!range)
		return;
	fputs("<figure>\n", to);
	mch_html_histogram(to, id, what, name, format, range);
	fputs("</figure>\n<figure>\n", to);
	mch_html_octaves(to, id, what, name, format, range);
	fputs("</figure>\n", to);
}

static void put_words(FILE *to, const char *what, const json_t *tensor)
{
	const json_t *format = json_object_get(tensor, "format"), *range = mch_json_part(tensor, "range");
	if (!format)
		return;
	fputs("<b>", to);
	mch_html_print(to, "%s %s", what, mch_json_text(format, "text"));
	fputs("</b>", to);
	mch_html_print(to, " (%.0f values", mch_json_real(tensor, "values"));
	if (range) {
		mch_html_print(to, ", %.3g %% saturate, %.3g %% become zero",
			       mch_json_real(range, "saturated_percent"), mch_json_real(range, "to_zero_percent"));
		if (isfinite(mch_json_real(range, "sqnr_db")))
			mch_html_print(to, ", %.1f dB", mch_json_real(range, "sqnr_db"));
	}
	fputs(") ", to);
}

static void put_head(FILE *to, const json_t *layer)
{
	const json_t *input;
	const char *fused = mch_json_text(layer, "fused"), *geometry = mch_json_text(layer, "geometry");
	size_t i;
	fputs("<h3>", to);
	mch_html_text(to, mch_json_text(layer, "name"));
	fputs("</h3>\n<p>", to);
	mch_html_print(to, "%s%s%s%s%s of ", mch_json_text(layer, "kind"), *geometry ? " " : "", geometry,
		       *fused ? " + " : "", fused);
	json_array_foreach(json_object_get(layer, "inputs"), i, input)
		mch_html_print(to, "%s%s", i ? ", " : "", json_string_value(input));
	mch_html_print(to, " to %s. ", mch_json_text(json_object_get(layer, "output"), "shape"));
	if (json_is_true(json_object_get(layer, "is_host")))
		fputs("<b>Computed by the host.</b> ", to);
	put_words(to, "weights", mch_json_part(layer, "weights"));
	put_words(to, "output", json_object_get(layer, "output"));
	fputs("</p>\n", to);
}

static void put_layer(FILE *to, size_t number, const json_t *layer)
{
	const json_t *weights = mch_json_part(layer, "weights"), *output = json_object_get(layer, "output");
	const char *name = mch_json_text(layer, "name");
	char id[32];
	fputs("<article class=\"card\">\n", to);
	put_head(to, layer);
	const bool has_any = weights || mch_json_part(output, "range");
	if (has_any)
		fputs("<div class=\"four\">\n", to);
	snprintf(id, sizeof(id), "w%zu", number);
	if (weights)
		put_tensor(to, id, "weights", name, weights);
	snprintf(id, sizeof(id), "t%zu", number);
	put_tensor(to, id, "output", name, output);
	if (has_any)
		fputs("</div>\n", to);
	if (weights)
		put_numbers(to, "Weights as numbers", json_object_get(weights, "format"),
			    json_object_get(weights, "range"));
	if (mch_json_part(output, "range"))
		put_numbers(to, "Output as numbers", json_object_get(output, "format"),
			    json_object_get(output, "range"));
	fputs("</article>\n", to);
}

static void put_input(FILE *to, const json_t *input)
{
	const json_t *range = mch_json_part(input, "range");
	fputs("<article class=\"card\">\n<h3>", to);
	mch_html_text(to, mch_json_text(input, "name"));
	fputs("</h3>\n<p>", to);
	mch_html_print(to, "the network's input, %s. ", mch_json_text(input, "shape"));
	put_words(to, "input", input);
	fputs("</p>\n", to);
	if (range) {
		fputs("<div class=\"four\">\n", to);
		put_tensor(to, "input", "input", mch_json_text(input, "name"), input);
		fputs("</div>\n", to);
		put_numbers(to, "Input as numbers", json_object_get(input, "format"), range);
	}
	fputs("</article>\n", to);
}

void mch_html_layers(FILE *to, const json_t *report)
{
	const json_t *layer, *ranges = mch_json_part(report, "ranges");
	size_t i;
	mch_html_section(to, "layers", "Layers");
	fputs("<p>", to);
	if (ranges)
		mch_html_print(to,
			       "Tensors as float values on %.0f images of %s, as the float network has them; "
			       "weights: all of them. ",
			       mch_json_real(ranges, "images"), mch_json_text(ranges, "data"));
	mch_html_text(to, "Left: how often a value occurs, on a logarithmic scale. Right: how often a magnitude "
			  "occurs, by octave: bars "
			  "right of the band saturate, bars left of it lie below one step and are rounded to zero "
			  "or to a step.");
	fputs("</p>\n<div class=\"legend\">\n", to);
	mch_html_key_area(to, "bar", "values");
	mch_html_key_area(
		to, "band",
		"what the format can hold: from its smallest to its largest value; from one step to the largest");
	mch_html_key(to, "comb", MCH_MARK_CIRCLE, NULL,
		     "the format's ends; below the axis its codes, where they can be told apart");
	fputs("</div>\n", to);
	if (!ranges)
		mch_html_absent(to,
				"The tensors' values were not measured: give --data=PATH or --train-data=PATH.");
	put_input(to, json_object_get(report, "input"));
	json_array_foreach(json_object_get(report, "layers"), i, layer) put_layer(to, i, layer);
	mch_html_section_end(to);
}
