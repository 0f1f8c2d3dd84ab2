/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The page of a report; see html_report.h. */
#include "io/html_report.h"

#include <math.h>
#include <stdint.h>

#include "base/outfile.h"
#include "io/html.h"
#include "io/html_part.h"

double mch_json_real(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	return json_is_number(value) ? json_number_value(value) : NAN;
}

const char *mch_json_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

const json_t *mch_json_part(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	return json_is_null(value) ? NULL : value;
}

size_t mch_json_place(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	return json_is_integer(value) && json_integer_value(value) >= 0 ? (size_t)json_integer_value(value)
									: SIZE_MAX;
}

void mch_html_key(FILE *to, const char *line_class, enum mch_mark mark, const char *mark_class, const char *name)
{
	const struct mch_plot plot = {.to = to, .width = 30, .height = 12, .x = {.high = 1}, .y = {.high = 1}};
	fputs("<span><svg viewBox=\"0 0 30 12\" aria-hidden=\"true\">", to);
	if (line_class)
		mch_svg_line(to, line_class, 0, 6, 30, 6);
	if (mark_class)
		mch_plot_mark(&plot, mark, mark_class, 0.5, 0.5, NULL);
	fputs("</svg>", to);
	mch_html_text(to, name);
	fputs("</span>\n", to);
}

void mch_html_key_area(FILE *to, const char *class, const char *name)
{
	fputs("<span><svg viewBox=\"0 0 30 12\" aria-hidden=\"true\">", to);
	mch_svg_rect(to, class, 4, 1, 22, 10, NULL);
	fputs("</svg>", to);
	mch_html_text(to, name);
	fputs("</span>\n", to);
}

/* What the page's words mean, for who does not know the program. */
static void put_terms(FILE *to)
{
	static const char *const terms[][2] = {
		{"exact", "Computed on integers, with the hardware's own rounding, saturation and accumulators: "
			  "the same bits as "
			  "the RTL. No accuracy on this page called exact is emulated in floating point."},
		{"format",
		 "s8.4 is signed, 8 bits, 4 of them behind the point; u8.4 is unsigned; a value is code × 2⁻⁴. "
		 "Fraction "
		 "bits may be negative, or more than the width. s8.5..9: the weights of each output channel have "
		 "their "
		 "own, from 5 to 9; the ends are then those of the coarsest, the step that of the finest."},
		{"95 % interval",
		 "Wilson's: the accuracy on all images like these lies in it with 95 % confidence. Two networks "
		 "whose intervals overlap may differ by chance alone."},
		{"certificate",
		 "The smallest and largest value that any partial sum of the layer can take, over every input of "
		 "its "
		 "format, from the actual weights; and the width that holds them. An accumulator that is not "
		 "narrower cannot overflow."},
		{"SQNR", "Power of the values over power of the quantization error, in dB; 6 dB are one bit."},
		{"octave", "Values whose magnitudes lie from one power of two to the next."},
	};
	mch_html_section(to, "terms", "Terms");
	fputs("<dl>\n", to);
	for (size_t i = 0; i < sizeof(terms) / sizeof(terms[0]); i++) {
		fputs("<dt><b>", to);
		mch_html_text(to, terms[i][0]);
		fputs("</b></dt><dd>", to);
		mch_html_text(to, terms[i][1]);
		fputs("</dd>\n", to);
	}
	fputs("</dl>\n", to);
	mch_html_section_end(to);
}

int mch_html_report_write(const char *path, const json_t *report, struct mch_err *err)
{
	struct mch_outfile file;
	char title[256];
	if (mch_outfile_open(&file, path, err) != 0)
		return -1;
	snprintf(title, sizeof(title), "%.200s: quantization report", mch_json_text(report, "network"));
	mch_html_begin(file.stream, title);
	mch_html_summary(file.stream, report);
	mch_html_bits(file.stream, report);
	mch_html_search(file.stream, report);
	mch_html_front(file.stream, report);
	mch_html_tune(file.stream, report);
	mch_html_layers(file.stream, report);
	put_terms(file.stream);
	fputs("<footer>Written by macchiato report. One file: it loads nothing and runs no script; the same inputs "
	      "give the same "
	      "bytes.</footer>\n",
	      file.stream);
	mch_html_end(file.stream);
	return mch_outfile_commit(&file, err);
}
