/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Histograms with their format; see html_histogram.h. */
#include "io/html_histogram.h"

#include <math.h>

#include "io/html_part.h"

enum { WIDTH = 262, HEIGHT = 168, LEFT = 34, TOP = 26, INNER_W = 222, INNER_H = 104 };

/* Counts are drawn as their logarithms: the rare large values decide a format and must be seen. A bar of one value
 * has a height. */
static const double y_low = -0.35;

static double most_log(const json_t *counts)
{
	double most = 1;
	const json_t *count;
	size_t i;
	json_array_foreach(counts, i, count) most = fmax(most, json_number_value(count));
	return log10(most) + 0.15;
}

static struct mch_plot plot_of(FILE *to, const json_t *counts, double low, double high)
{
	return (struct mch_plot){.to = to,
				 .left = LEFT,
				 .top = TOP,
				 .width = INNER_W,
				 .height = INNER_H,
				 .x = {.low = low, .high = high, .n_ticks = 6},
				 .y = {.low = y_low,
				       .high = most_log(counts),
				       .text = MCH_AXIS_POWER10,
				       .n_ticks = 4,
				       .title = "values"}};
}

/* All bars as one path: a page of a deep network has thousands. */
static void draw_bars(const struct mch_plot *p, const json_t *counts, double first, double width)
{
	const double bottom = p->top + p->height;
	const json_t *count;
	size_t i;
	fputs("<path class=\"bar\" d=\"M0 0", p->to);
	json_array_foreach(counts, i, count)
	{
		if (json_integer_value(count) == 0)
			continue;
		const double left = mch_plot_x(p, first + width * (double)i),
			     right = mch_plot_x(p, first + width * (double)(i + 1));
		const double gap = right - left > 4 ? 0.5 : 0;
		putc('M', p->to);
		mch_svg_number(p->to, left + gap);
		putc(' ', p->to);
		mch_svg_number(p->to, bottom);
		putc('V', p->to);
		mch_svg_number(p->to, mch_plot_y(p, log10(json_number_value(count))));
		putc('H', p->to);
		mch_svg_number(p->to, right - gap);
		putc('V', p->to);
		mch_svg_number(p->to, bottom);
		putc('z', p->to);
	}
	fputs("\"/>\n", p->to);
}

/* The format from low to high, in the axis' units. */
static void draw_band(const struct mch_plot *p, double low, double high, const char *tip)
{
	const double left = mch_plot_x(p, low), right = mch_plot_x(p, high);
	mch_svg_rect(p->to, "band", left, p->top, right - left, p->height, tip);
	mch_svg_line(p->to, "limit", left, p->top, left, p->top + p->height);
	mch_svg_line(p->to, "limit", right, p->top, right, p->top + p->height);
}

/* Codes of a fixed-point format as teeth below the axis, where they lie at least 2.5 units apart. */
static void draw_comb(const struct mch_plot *p, const char *format, double low, double high, double step)
{
	const double bottom = p->top + p->height;
	const double apart = p->width * step / (p->x.high - p->x.low);
	const bool is_fixed = format[0] == 's' || (format[0] == 'u' && format[1] >= '0' && format[1] <= '9');
	if (!is_fixed || apart < 2.5)
		return;
	fputs("<path class=\"comb\" d=\"", p->to);
	for (double code = nearbyint(low / step); code * step <= high; code++) {
		putc('M', p->to);
		mch_svg_number(p->to, mch_plot_x(p, code * step));
		putc(' ', p->to);
		mch_svg_number(p->to, bottom);
		fputs("v4", p->to);
	}
	fputs("\"/>\n", p->to);
}

static void begin(FILE *to, const char *id, const char *letter, const char *what, const char *name, const char *of,
		  const json_t *format, const json_t *range)
{
	char title[256], desc[512], full_id[40];
	snprintf(full_id, sizeof(full_id), "h%s%s", letter, id);
	snprintf(title, sizeof(title), "%.150s, %s: %s", name, what, of);
	snprintf(desc, sizeof(desc),
		 "Values from %.4g to %.4g; format %s from %.4g to %.4g in steps of %.4g; %.3g percent saturate, "
		 "%.3g "
		 "percent are rounded to zero. The numbers are in the table below the pictures.",
		 mch_json_real(range, "min"), mch_json_real(range, "max"), mch_json_text(format, "text"),
		 mch_json_real(format, "low"), mch_json_real(format, "high"), mch_json_real(format, "step"),
		 mch_json_real(range, "saturated_percent"), mch_json_real(range, "to_zero_percent"));
	mch_svg_begin(to, WIDTH, HEIGHT, full_id, title, desc);
	snprintf(title, sizeof(title), "%s %s", what, mch_json_text(format, "text"));
	mch_svg_text(to, WIDTH - 4, 12, MCH_END, "head", title);
}

void mch_html_histogram(FILE *to, const char *id, const char *what, const char *name, const json_t *format,
			const json_t *range)
{
	const json_t *counts = json_object_get(range, "histogram");
	const double min = mch_json_real(range, "min"), max = mch_json_real(range, "max");
	const double low = mch_json_real(format, "low"), high = mch_json_real(format, "high");
	const double step = mch_json_real(format, "step"), n = (double)json_array_size(counts);
	/* A constant tensor is one bar of some width. */
	const double width = max > min ? (max - min) / n : step / n;
	double from = fmin(min, low), until = fmax(min + width * n, high);
	char tip[128];
	from -= (until - from) * 0.02;
	until += (until - from) * 0.02;
	struct mch_plot plot = plot_of(to, counts, from, until);
	plot.x.title = "value";
	begin(to, id, "v", what, name, "values", format, range);
	snprintf(tip, sizeof(tip), "%s: %g to %g, step %g", mch_json_text(format, "text"), low, high, step);
	draw_band(&plot, low, high, tip);
	mch_plot_axes(&plot);
	draw_bars(&plot, counts, min, width);
	draw_comb(&plot, mch_json_text(format, "text"), low, high, step);
	mch_svg_end(to);
}

void mch_html_octaves(FILE *to, const char *id, const char *what, const char *name, const json_t *format,
		      const json_t *range)
{
	const json_t *counts = json_object_get(range, "log2");
	const double first = mch_json_real(range, "log2_first"), n = (double)json_array_size(counts);
	const double high = fmax(fabs(mch_json_real(format, "low")), fabs(mch_json_real(format, "high")));
	const double step = mch_json_real(format, "step");
	/* A format of codes -1 and 0 has a step beyond its largest magnitude. */
	const double band_low = log2(fmin(step, high)), band_high = log2(fmax(step, high));
	/* Values far below the step are all alike: they are zero. */
	const double from = fmin(fmax(first, band_low - 12), band_low - 1),
		     until = fmax(first + n, band_high) + 0.5;
	char tip[128];
	struct mch_plot plot = plot_of(to, counts, from, until);
	plot.x.title = "magnitude";
	plot.x.text = MCH_AXIS_POWER2;
	begin(to, id, "o", what, name, "magnitudes by octave", format, range);
	snprintf(tip, sizeof(tip), "%s: steps of %g up to %g", mch_json_text(format, "text"), step, high);
	draw_band(&plot, band_low, band_high, tip);
	mch_plot_axes(&plot);
	json_t *shown = json_array();
	double at = first;
	for (size_t i = 0; i < json_array_size(counts); i++) {
		if (first + (double)i < from - 1e-9)
			at = first + (double)i + 1;
		else
			json_array_append(shown, json_array_get(counts, i));
	}
	draw_bars(&plot, shown, at, 1);
	json_decref(shown);
	mch_svg_end(to);
}
