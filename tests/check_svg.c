/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Pictures of reports: ticks at round numbers, texts, escapes, lines that end at the field's edge. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_main.h"
#include "io/html.h"
#include "io/svg.h"

/* All ticks' texts, joined by spaces. */
static const char *ticks_of(struct mch_axis axis)
{
	static char all[512];
	double ticks[MCH_TICKS_MAX], step;
	char buf[32];
	const int n = mch_axis_ticks(&axis, ticks, &step);
	all[0] = '\0';
	for (int i = 0; i < n; i++) {
		strcat(all, i ? " | " : "");
		strcat(all, mch_axis_tick_text(&axis, ticks[i], step, buf));
	}
	return all;
}

START_TEST(ticks_are_round)
{
	ck_assert_str_eq(ticks_of((struct mch_axis){.low = 0, .high = 100, .n_ticks = 6}),
			 "0 | 20 | 40 | 60 | 80 | 100");
	ck_assert_str_eq(ticks_of((struct mch_axis){.low = 91.87, .high = 92.13, .n_ticks = 6}),
			 "91.90 | 91.95 | 92.00 | 92.05 | 92.10");
	ck_assert_str_eq(ticks_of((struct mch_axis){.low = -0.3, .high = 0.3, .n_ticks = 4}), "-0.2 | 0.0 | 0.2");
	ck_assert_str_eq(ticks_of((struct mch_axis){.low = 0, .high = 7.1e6, .n_ticks = 5}), "0 | 2 M | 4 M | 6 M");
	ck_assert_str_eq(ticks_of((struct mch_axis){.low = 1.2e6, .high = 1.9e6, .n_ticks = 4}),
			 "1.2 M | 1.4 M | 1.6 M | 1.8 M");
	ck_assert_str_eq(ticks_of((struct mch_axis){.low = 0.5, .high = 3.5, .n_ticks = 9, .is_whole = true}),
			 "1 | 2 | 3");
	ck_assert_str_eq(ticks_of((struct mch_axis){.low = -9, .high = 0, .n_ticks = 6, .text = MCH_AXIS_POWER2}),
			 "2⁻⁸ | 2⁻⁶ | 2⁻⁴ | 2⁻² | 2⁰");
	ck_assert_str_eq(ticks_of((struct mch_axis){.low = -20, .high = 12, .n_ticks = 6, .text = MCH_AXIS_POWER2}),
			 "2⁻¹⁶ | 2⁻⁸ | 2⁰ | 2⁸");
	ck_assert_str_eq(
		ticks_of((struct mch_axis){.low = -0.3, .high = 6.4, .n_ticks = 7, .text = MCH_AXIS_POWER10}),
		"1 | 10 | 100 | 1 k | 10 k | 100 k | 1 M");
}
END_TEST

START_TEST(ticks_lie_within)
{
	for (int k = 0; k < 2000; k++) {
		const double low = (k % 97 - 48) * pow(7, k % 13 - 6), span = (k % 31 + 1) * pow(3, k % 17 - 8);
		const struct mch_axis axis = {.low = low, .high = low + span, .n_ticks = 2 + k % 9};
		double ticks[MCH_TICKS_MAX], step;
		const int n = mch_axis_ticks(&axis, ticks, &step);
		ck_assert_int_ge(n, axis.n_ticks / 3);
		ck_assert_int_le(n, axis.n_ticks + 1);
		for (int i = 0; i < n; i++) {
			ck_assert(ticks[i] >= low - 1e-6 * span && ticks[i] <= low + span + 1e-6 * span);
			ck_assert(i == 0 ||
				  fabs(ticks[i] - ticks[i - 1] - step) <= 1e-6 * step + 1e-9 * fabs(ticks[i]));
		}
	}
}
END_TEST

START_TEST(amounts_have_prefixes)
{
	char buf[32];
	ck_assert_str_eq(mch_si_text(0, buf), "0");
	ck_assert_str_eq(mch_si_text(999, buf), "999");
	ck_assert_str_eq(mch_si_text(999.9, buf), "1 k");
	ck_assert_str_eq(mch_si_text(24.6e9, buf), "24.6 G");
	ck_assert_str_eq(mch_si_text(-1500, buf), "-1.5 k");
}
END_TEST

/* What `write` puts into a file. */
static char *written(void (*write)(FILE *to))
{
	char *text = NULL;
	size_t n;
	FILE *to = open_memstream(&text, &n);
	ck_assert_ptr_nonnull(to);
	write(to);
	fclose(to);
	return text;
}

static void write_text(FILE *to)
{
	mch_html_text(to, "a<b>&\"c'\x01\xc3\xa9");
}

static void write_numbers(FILE *to)
{
	const double values[] = {0, -0.001, 1, 10, 100.10, 2.345, -7.5};
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		mch_svg_number(to, values[i]);
		putc(' ', to);
	}
}

/* A field of 10 x 10 over 0..1: a line from far below to far above is cut at both edges, one outside is not drawn. */
static void write_lines(FILE *to)
{
	const struct mch_plot plot = {.to = to,
				      .width = 10,
				      .height = 10,
				      .x = {.low = 0, .high = 1},
				      .y = {.low = 0, .high = 1}};
	mch_plot_line(&plot, "l", (double[]){0, 1}, (double[]){-1, 2}, 2);
	mch_plot_line(&plot, "l", (double[]){0, 0.2, 0.6, 1}, (double[]){0.5, NAN, 0.5, 5}, 4);
	mch_plot_line(&plot, "l", (double[]){0, 1}, (double[]){3, 2}, 2);
	mch_plot_mark(&plot, MCH_MARK_CIRCLE, "m", 0.5, 1.5, "outside");
	mch_plot_mark(&plot, MCH_MARK_CIRCLE, "m", 0.5, 0.5, "<in>");
}

START_TEST(text_is_escaped)
{
	char *text = written(write_text);
	ck_assert_str_eq(text, "a&lt;b&gt;&amp;&quot;c&#39;\xef\xbf\xbd\xc3\xa9");
	free(text);
}
END_TEST

START_TEST(numbers_are_short)
{
	char *text = written(write_numbers);
	ck_assert_str_eq(text, "0 0 1 10 100.1 2.35 -7.5 ");
	free(text);
}
END_TEST

START_TEST(lines_end_at_the_edge)
{
	char *text = written(write_lines);
	ck_assert_str_eq(text,
			 "<path class=\"l\" d=\"M3.33 10L6.67 0\"/>\n"
			 "<path class=\"l\" d=\"M0 5L6 5L6.44 0\"/>\n"
			 "<path class=\"l\" d=\"\"/>\n"
			 "<circle class=\"m\" cx=\"5\" cy=\"5\" r=\"3.6\"><title>&lt;in&gt;</title></circle>\n");
	free(text);
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {ticks_are_round, ticks_lie_within,  amounts_have_prefixes,
				      text_is_escaped, numbers_are_short, lines_end_at_the_edge};
	return CHECK_SUITE("svg", tests);
}

int main(void)
{
	return check_main(suite);
}
