/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The path of mixed precision: what each step would cost, and whether the true score let it stay. Host only: no
 * RTL twin. */
#include <math.h>

#include "io/html.h"
#include "io/html_part.h"

static const json_t *candidate_of(const json_t *search, const json_t *step)
{
	return json_array_get(json_object_get(search, "candidates"), mch_json_place(step, "candidate"));
}

static double percent_of(const json_t *search, const json_t *candidate)
{
	return 100 * mch_json_real(candidate, "right") /
	       mch_json_real(json_object_get(search, "choosing"), "images");
}

static void table(FILE *to, const json_t *search, const json_t *steps)
{
	const json_t *step;
	size_t i;
	mch_html_table(to, "Steps of mixed precision as numbers", "step|<why|knobs changed|cost|accuracy, %|<");
	json_array_foreach(steps, i, step)
	{
		const json_t *candidate = candidate_of(search, step);
		mch_html_row(to);
		mch_html_cell(to, NULL, "%zu", i + 1);
		mch_html_cell(to, "text", "%s", mch_json_text(step, "why"));
		mch_html_cell_real(to, "", 0, mch_json_real(step, "changed"));
		mch_html_cell_real(to, "", -1, mch_json_real(candidate, "cost"));
		mch_html_cell_real(to, json_is_true(json_object_get(candidate, "is_bound")) ? "≤ " : "", 2,
				   percent_of(search, candidate));
		mch_html_cell(to, "text", "%s", json_is_true(json_object_get(step, "taken")) ? "taken" : "");
		mch_html_row_end(to);
	}
	mch_html_table_end(to, "");
}

static void draw_marks(const struct mch_plot *plot, const json_t *search, const json_t *steps)
{
	const json_t *step;
	double x_before = NAN, y_before = NAN;
	char tip[200], cost[32];
	size_t i;
	json_array_foreach(steps, i, step)
	{
		const double x = (double)i + 1, y = mch_json_real(candidate_of(search, step), "cost");
		if (!json_is_true(json_object_get(step, "taken")))
			continue;
		if (isfinite(x_before))
			mch_plot_line(plot, "l0", (double[]){x_before, x}, (double[]){y_before, y}, 2);
		x_before = x;
		y_before = y;
	}
	json_array_foreach(steps, i, step)
	{
		const json_t *candidate = candidate_of(search, step);
		const bool is_taken = json_is_true(json_object_get(step, "taken"));
		const double y = mch_json_real(candidate, "cost");
		snprintf(tip, sizeof(tip), "%zu. %.40s, %.0f knobs: cost %s, %s%.2f %%%s", i + 1,
			 mch_json_text(step, "why"), mch_json_real(step, "changed"), mch_si_text(y, cost),
			 json_is_true(json_object_get(candidate, "is_bound")) ? "at most " : "",
			 percent_of(search, candidate), is_taken ? ", taken" : "");
		mch_plot_mark(plot, is_taken ? MCH_MARK_CIRCLE : MCH_MARK_DIAMOND, is_taken ? "m0" : "h1",
			      (double)i + 1, y, tip);
	}
}

void mch_html_steps(FILE *to, const json_t *search)
{
	const json_t *steps = json_object_get(search, "steps"), *step;
	double low = INFINITY, high = -INFINITY;
	char title[64];
	size_t i;
	if (json_array_size(steps) == 0) {
		mch_html_absent(
			to, "No steps of mixed precision: `macchiato quantize --granularity=layer` makes them.");
		return;
	}
	json_array_foreach(steps, i, step)
	{
		low = fmin(low, mch_json_real(candidate_of(search, step), "cost"));
		high = fmax(high, mch_json_real(candidate_of(search, step), "cost"));
	}
	fputs("<h3>Steps of mixed precision</h3>\n", to);
	if (json_array_size(steps) > 1 && isfinite(low)) {
		const double room = high > low ? 0.1 * (high - low) : 0.1 * fabs(high) + 1;
		snprintf(title, sizeof(title), "cost: %.40s", mch_json_text(search, "cost"));
		const struct mch_plot plot = {
			.to = to,
			.left = 50,
			.top = 26,
			.width = 1014,
			.height = 200,
			.x = {.low = 0.5,
			      .high = (double)json_array_size(steps) + 0.5,
			      .is_whole = true,
			      .n_ticks = 20,
			      .title = "step"},
			.y = {.low = low - room, .high = high + room, .n_ticks = 6, .title = title}};
		fputs("<div class=\"legend\">\n", to);
		mch_html_key(to, "l0", MCH_MARK_CIRCLE, "m0", "taken: the exact score passes");
		mch_html_key(to, NULL, MCH_MARK_DIAMOND, "h1", "tried, undone");
		fputs("</div>\n<figure>\n<div class=\"scroll\">", to);
		mch_svg_begin(to, 1130, 260, "fig-steps", "Steps of mixed precision",
			      "The cost of each step of the search, and whether it was taken. The table below has "
			      "the same numbers.");
		mch_plot_axes(&plot);
		draw_marks(&plot, search, steps);
		mch_svg_end(to);
		fputs("</div></figure>\n", to);
	}
	table(to, search, steps);
}
