/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Accuracy against cost: every setting that a search has scored, and the front that none beats. Host only: no RTL
 * twin. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/html.h"
#include "io/html_part.h"

static const struct {
	const char *key, *title;
} costs[] = {
	{"bits", "cost: bits stored, weights and tensors"},
	{"bitops", "cost: bit operations of one image"},
	{"lut", "cost: LUTs"},
	{"dsp", "cost: DSP slices"},
	{"cycles", "cost: cycles of one image"},
	{"traffic", "cost: bits moved for one image"},
};

static const char *cost_title(const char *key)
{
	for (size_t i = 0; i < sizeof(costs) / sizeof(costs[0]); i++)
		if (strcmp(key, costs[i].key) == 0)
			return costs[i].title;
	return "cost";
}

/* One setting: where it lies. */
struct point {
	double cost, percent; /* NAN: the file does not tell */
	bool is_bound;
};

static struct point point_of(const json_t *candidate, double n_images)
{
	return (struct point){mch_json_real(candidate, "cost"), 100 * mch_json_real(candidate, "right") / n_images,
			      json_is_true(json_object_get(candidate, "is_bound"))};
}

/* What the picture is made from. */
struct front {
	const json_t *candidates, *places; /* of the front, by rising cost */
	double n_images, real, margin;
	size_t result; /* beyond the list: none */
	const char *cost;
};

/* Low accuracies would press the interesting ones together: the axis begins below the least of the front and the
 * result's margin. */
static struct mch_plot frame_of(FILE *to, const struct front *f)
{
	const json_t *candidate, *place;
	double low = f->real - f->margin, high = f->real, cheapest = INFINITY, dearest = -INFINITY;
	size_t i;
	json_array_foreach(f->candidates, i, candidate)
	{
		const struct point p = point_of(candidate, f->n_images);
		if (!isfinite(p.cost) || !isfinite(p.percent))
			continue;
		cheapest = fmin(cheapest, p.cost);
		dearest = fmax(dearest, p.cost);
		high = p.is_bound ? high : fmax(high, p.percent);
	}
	json_array_foreach(f->places, i, place)
	{
		const struct point p =
			point_of(json_array_get(f->candidates, (size_t)json_integer_value(place)), f->n_images);
		if (p.percent > f->real - fmax(8 * f->margin, 10))
			low = fmin(low, p.percent);
	}
	low = isfinite(low) ? low : 0;
	high = isfinite(high) ? high : 100;
	const double room = fmax(0.12 * (high - low), 0.2),
		     side = dearest > cheapest ? 0.03 * (dearest - cheapest) : 1;
	return (struct mch_plot){
		.to = to,
		.left = 50,
		.top = 26,
		.width = 1014,
		.height = 320,
		.x = {.low = cheapest - side, .high = dearest + side, .title = cost_title(f->cost), .n_ticks = 9},
		.y = {.low = low - room,
		      .high = high + room,
		      .title = "top-1, %, of the images that choose",
		      .n_ticks = 8}};
}

static void draw_points(const struct mch_plot *plot, const struct front *f)
{
	const json_t *candidate;
	char tip[256], cost[32];
	size_t i;
	json_array_foreach(f->candidates, i, candidate)
	{
		const struct point p = point_of(candidate, f->n_images);
		snprintf(tip, sizeof(tip), "candidate %zu: %s, %s%.2f %%, widths %.100s", i,
			 mch_si_text(p.cost, cost), p.is_bound ? "less than " : "", p.percent,
			 mch_json_text(candidate, "widths"));
		mch_plot_mark(plot, p.is_bound ? MCH_MARK_TRIANGLE : MCH_MARK_CIRCLE, p.is_bound ? "h3" : "h0",
			      p.cost, p.percent, tip);
	}
}

/* Stairs: between two points of the front nothing better is known than the cheaper one. */
static void draw_front(const struct mch_plot *plot, const struct front *f)
{
	const size_t n = json_array_size(f->places);
	double *x = calloc(4 * n + 1, sizeof(*x)), *y = x + 2 * n;
	for (size_t i = 0; x && i < n; i++) {
		const size_t at = (size_t)json_integer_value(json_array_get(f->places, i));
		const struct point p = point_of(json_array_get(f->candidates, at), f->n_images);
		x[2 * i] = x[2 * i + 1] = p.cost;
		y[2 * i] = i ? y[2 * i - 1] : NAN;
		y[2 * i + 1] = p.percent;
	}
	if (x && n > 0)
		mch_plot_line(plot, "l0", x, y, (int)(2 * n));
	for (size_t i = 0; x && i < n; i++)
		mch_plot_mark(plot, MCH_MARK_CIRCLE, "m0", x[2 * i + 1], y[2 * i + 1], NULL);
	free(x);
}

static void front_table(FILE *to, const struct front *f)
{
	const json_t *place;
	size_t i;
	mch_html_table(to, "The front as numbers",
		       "candidate|cost|right|accuracy, %|<widths, a digit for each knob: 1 to 9, a to g for 10 to "
		       "16|<");
	json_array_foreach(f->places, i, place)
	{
		const json_t *candidate = json_array_get(f->candidates, (size_t)json_integer_value(place));
		const struct point p = point_of(candidate, f->n_images);
		mch_html_row(to);
		mch_html_cell_real(to, "", 0, json_number_value(place));
		mch_html_cell_real(to, "", -1, p.cost);
		mch_html_cell_real(to, "", 0, mch_json_real(candidate, "right"));
		mch_html_cell_real(to, "", 2, p.percent);
		mch_html_cell(to, "hash", "%s", mch_json_text(candidate, "widths"));
		mch_html_cell(to, "text", "%s", (size_t)json_integer_value(place) == f->result ? "the result" : "");
		mch_html_row_end(to);
	}
	mch_html_table_end(to, "");
}

static void draw_picture(FILE *to, const struct front *f)
{
	const struct mch_plot plot = frame_of(to, f);
	fputs("<div class=\"legend\">\n", to);
	mch_html_key(to, "l0", MCH_MARK_CIRCLE, "m0",
		     "front: none that was scored is both cheaper and as accurate");
	mch_html_key(to, NULL, MCH_MARK_CIRCLE, "h0", "scored on all images");
	mch_html_key(to, NULL, MCH_MARK_TRIANGLE, "h3", "ended when the margin was out of reach: at most this");
	mch_html_key(to, NULL, MCH_MARK_RING, "ring", "the result");
	fputs("</div>\n<figure>\n<div class=\"scroll\">", to);
	mch_svg_begin(to, 1130, 380, "fig-front", "Accuracy against cost",
		      "Every setting of widths that was scored: its cost and its top-1 accuracy on exact integers; "
		      "and the front of those "
		      "that none beats in both. The table below has the front.");
	mch_plot_axes(&plot);
	mch_plot_level(&plot, "level", f->real, "float");
	mch_plot_level(&plot, "margin", f->real - f->margin, "margin");
	draw_points(&plot, f);
	draw_front(&plot, f);
	if (f->result < json_array_size(f->candidates)) {
		const struct point p = point_of(json_array_get(f->candidates, f->result), f->n_images);
		mch_plot_mark(&plot, MCH_MARK_RING, "ring", p.cost, p.percent, NULL);
	}
	mch_svg_end(to);
	fputs("</div></figure>\n", to);
}

void mch_html_front(FILE *to, const json_t *report)
{
	const json_t *search = mch_json_part(report, "search"), *accuracy = json_object_get(report, "accuracy");
	const json_t *choosing = mch_json_part(search, "choosing"), *array = json_object_get(search, "array");
	const struct front f = {.candidates = json_object_get(search, "candidates"),
				.places = json_object_get(search, "front"),
				.n_images = mch_json_real(choosing, "images"),
				.real = mch_json_real(choosing, "float_accuracy"),
				.margin = mch_json_real(accuracy, "error_margin"),
				.result = mch_json_place(search, "result"),
				.cost = mch_json_text(search, "cost")};
	mch_html_section(to, "front", "Accuracy against cost");
	if (json_array_size(f.candidates) > 0 && f.n_images > 0) {
		fputs("<p>", to);
		mch_html_print(to, "%zu settings were scored on %.0f images. ", json_array_size(f.candidates),
			       f.n_images);
		if (json_array_size(array) == 2)
			mch_html_print(
				to, "Costs are those of an array of %.0f x %.0f and a memory bus of %.0f bits.",
				json_number_value(json_array_get(array, 0)),
				json_number_value(json_array_get(array, 1)), mch_json_real(search, "bus_bits"));
		fputs("</p>\n", to);
		if (json_array_size(f.candidates) > 2) /* fewer make no front */
			draw_picture(to, &f);
		front_table(to, &f);
		mch_html_steps(to, search);
	} else {
		mch_html_absent(to, "The file of formats tells of no costs, so there is no front of accuracy "
				    "against cost.");
	}
	mch_html_sensitivity(to, search);
	mch_html_section_end(to);
}
