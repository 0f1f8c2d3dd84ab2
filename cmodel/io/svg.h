/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Diagrams as SVG inside a page of HTML: axes with round numbers, lines, marks, bars. Colours are classes of the
 * page's style (html_style.c), so that a page has one palette for light, dark and paper. Host only: no RTL twin. */
#ifndef MCH_IO_SVG_H
#define MCH_IO_SVG_H

#include <stdbool.h>
#include <stdio.h>

/* How the numbers at an axis are written. */
enum mch_axis_text {
	MCH_AXIS_PLAIN,  /* 0.25; from 10000 on 20 k, 3 M, 4 G */
	MCH_AXIS_POWER2, /* the axis has exponents: 2 to the -8 */
	MCH_AXIS_POWER10 /* the axis has exponents: 1, 10, 100, 1 k */
};

struct mch_axis {
	double low, high;  /* low < high */
	const char *title; /* with its unit; NULL: none */
	enum mch_axis_text text;
	int n_ticks;   /* at most, 2 .. MCH_TICKS_MAX; 0: an axis along x has none */
	bool is_whole; /* ticks at whole numbers alone */
};

enum { MCH_TICKS_MAX = 24 };

/* A diagram's inner field, in the units of its picture. */
struct mch_plot {
	FILE *to;
	double left, top, width, height;
	struct mch_axis x, y;
};

/* Round numbers (1, 2 or 5 times a power of ten apart) within an axis into ticks, ascending; how many. *step is
 * their distance. */
int mch_axis_ticks(const struct mch_axis *axis, double ticks[MCH_TICKS_MAX], double *step);

/* The text of one tick. */
const char *mch_axis_tick_text(const struct mch_axis *axis, double tick, double step, char buf[32]);

/* "1.5 k", "3.21 M", "512": at most three digits; SI's prefixes. */
const char *mch_si_text(double value, char buf[32]);

/* title and desc are what a screen reader says; both are escaped. id: of the title, unique in the page, letters
 * and digits. */
void mch_svg_begin(FILE *to, double width, double height, const char *id, const char *title, const char *desc);
void mch_svg_end(FILE *to);

enum mch_anchor { MCH_START, MCH_MIDDLE, MCH_END };

/* Text that stands on y; class may be NULL. It is escaped. */
void mch_svg_text(FILE *to, double x, double y, enum mch_anchor anchor, const char *class, const char *text);
void mch_svg_line(FILE *to, const char *class, double x1, double y1, double x2, double y2);
/* tip: what is shown when the pointer rests there; NULL: nothing. */
void mch_svg_rect(FILE *to, const char *class, double x, double y, double width, double height, const char *tip);

/* A coordinate: two decimals, no zeros behind. */
void mch_svg_number(FILE *to, double value);

/* The place of a value; beyond the axis it lies beyond the field. */
double mch_plot_x(const struct mch_plot *plot, double x);
double mch_plot_y(const struct mch_plot *plot, double y);

/* Grid, ticks, titles. */
void mch_plot_axes(const struct mch_plot *plot);

/* Straight lines through n points, those that are no numbers left out, cut off at the field's edge. */
void mch_plot_line(const struct mch_plot *plot, const char *class, const double *x, const double *y, int n);

/* Shapes tell series apart where colours do not. */
enum mch_mark { MCH_MARK_CIRCLE, MCH_MARK_SQUARE, MCH_MARK_DIAMOND, MCH_MARK_TRIANGLE, MCH_MARK_RING };

/* Outside the field nothing is drawn. */
void mch_plot_mark(const struct mch_plot *plot, enum mch_mark mark, const char *class, double x, double y,
		   const char *tip);

/* A line across the field at y; text, which may be NULL, stands behind its right end. */
void mch_plot_level(const struct mch_plot *plot, const char *class, double y, const char *text);

#endif
