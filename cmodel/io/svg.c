/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Shapes and text of a picture; see svg.h. Its axes are in svg_axis.c. */
#include "io/svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/html.h"

/* The program keeps the "C" locale: a decimal point everywhere. 0.01 is below what a screen or a printer shows,
 * and hides what two machines' logarithms differ by. */
void mch_svg_number(FILE *to, double value)
{
	char buf[40];
	snprintf(buf, sizeof(buf), "%.2f", value);
	for (char *end = buf + strlen(buf) - 1; *end == '0' || *end == '.'; end--) {
		const bool is_point = *end == '.';
		*end = '\0';
		if (is_point)
			break;
	}
	fputs(strcmp(buf, "-0") == 0 ? "0" : buf, to);
}

static void put_attribute(FILE *to, const char *name, double value)
{
	fprintf(to, " %s=\"", name);
	mch_svg_number(to, value);
	putc('"', to);
}

void mch_svg_begin(FILE *to, double width, double height, const char *id, const char *title, const char *desc)
{
	fputs("<svg viewBox=\"0 0 ", to);
	mch_svg_number(to, width);
	putc(' ', to);
	mch_svg_number(to, height);
	fprintf(to, "\" role=\"img\" aria-labelledby=\"%s-t %s-d\"", id, id);
	/* Never larger than drawn, so that text has one size in all pictures. */
	fprintf(to, " style=\"max-width:%.0fpx\">\n<title id=\"%s-t\">", width, id);
	mch_html_text(to, title);
	fprintf(to, "</title><desc id=\"%s-d\">", id);
	mch_html_text(to, desc);
	fputs("</desc>\n", to);
}

void mch_svg_end(FILE *to)
{
	fputs("</svg>\n", to);
}

static void put_class(FILE *to, const char *class)
{
	if (class)
		fprintf(to, " class=\"%s\"", class);
}

void mch_svg_text(FILE *to, double x, double y, enum mch_anchor anchor, const char *class, const char *text)
{
	static const char *const anchors[] = {"", " text-anchor=\"middle\"", " text-anchor=\"end\""};
	fputs("<text", to);
	put_class(to, class);
	put_attribute(to, "x", x);
	put_attribute(to, "y", y);
	fprintf(to, "%s>", anchors[anchor]);
	mch_html_text(to, text);
	fputs("</text>\n", to);
}

void mch_svg_line(FILE *to, const char *class, double x1, double y1, double x2, double y2)
{
	fputs("<line", to);
	put_class(to, class);
	put_attribute(to, "x1", x1);
	put_attribute(to, "y1", y1);
	put_attribute(to, "x2", x2);
	put_attribute(to, "y2", y2);
	fputs("/>\n", to);
}

static void put_tip(FILE *to, const char *tip, const char *element)
{
	if (!tip) {
		fputs("/>\n", to);
		return;
	}
	fputs("><title>", to);
	mch_html_text(to, tip);
	fprintf(to, "</title></%s>\n", element);
}

void mch_svg_rect(FILE *to, const char *class, double x, double y, double width, double height, const char *tip)
{
	fputs("<rect", to);
	put_class(to, class);
	put_attribute(to, "x", x);
	put_attribute(to, "y", y);
	put_attribute(to, "width", width > 0 ? width : 0);
	put_attribute(to, "height", height > 0 ? height : 0);
	put_tip(to, tip, "rect");
}

/* The part of the line from a to b, in data, that lies in the field vertically; horizontally it always does. */
static bool clip(const struct mch_plot *p, double *xa, double *ya, double *xb, double *yb)
{
	const double low = p->y.low, high = p->y.high;
	if ((*ya < low && *yb < low) || (*ya > high && *yb > high))
		return false;
	const double slope = (*xb - *xa) / (*yb - *ya); /* used where ya and yb differ alone */
	if (*ya < low || *ya > high) {
		const double edge = *ya < low ? low : high;
		*xa += slope * (edge - *ya);
		*ya = edge;
	}
	if (*yb < low || *yb > high) {
		const double edge = *yb < low ? low : high;
		*xb += slope * (edge - *yb);
		*yb = edge;
	}
	return true;
}

static void put_point(const struct mch_plot *p, char command, double x, double y)
{
	putc(command, p->to);
	mch_svg_number(p->to, mch_plot_x(p, x));
	putc(' ', p->to);
	mch_svg_number(p->to, mch_plot_y(p, y));
}

void mch_plot_line(const struct mch_plot *p, const char *class, const double *x, const double *y, int n)
{
	int last = -1;
	bool is_down = false; /* the pen stands on the last point */
	fprintf(p->to, "<path class=\"%s\" d=\"", class);
	for (int i = 0; i < n; i++) {
		if (!isfinite(x[i]) || !isfinite(y[i]))
			continue;
		if (last >= 0) {
			double xa = x[last], ya = y[last], xb = x[i], yb = y[i];
			if (clip(p, &xa, &ya, &xb, &yb)) {
				if (!is_down || ya != y[last])
					put_point(p, 'M', xa, ya);
				put_point(p, 'L', xb, yb);
				is_down = yb == y[i];
			} else {
				is_down = false;
			}
		}
		last = i;
	}
	fputs("\"/>\n", p->to);
}

void mch_plot_mark(const struct mch_plot *p, enum mch_mark mark, const char *class, double x, double y,
		   const char *tip)
{
	/* Half sizes that look equally large. */
	static const char *const paths[] = {
		[MCH_MARK_SQUARE] = "m-3.2-3.2h6.4v6.4h-6.4z",
		[MCH_MARK_DIAMOND] = "m0-4.6l4.6 4.6l-4.6 4.6l-4.6-4.6z",
		[MCH_MARK_TRIANGLE] = "m0-4.4l4.2 7.4h-8.4z",
	};
	if (!(y >= p->y.low && y <= p->y.high && x >= p->x.low && x <= p->x.high))
		return;
	const bool is_round = mark == MCH_MARK_CIRCLE || mark == MCH_MARK_RING;
	fprintf(p->to, "<%s class=\"%s\"", is_round ? "circle" : "path", class);
	if (is_round) {
		put_attribute(p->to, "cx", mch_plot_x(p, x));
		put_attribute(p->to, "cy", mch_plot_y(p, y));
		put_attribute(p->to, "r", mark == MCH_MARK_RING ? 7 : 3.6);
	} else {
		fputs(" d=\"", p->to);
		put_point(p, 'M', x, y);
		fprintf(p->to, "%s\"", paths[mark]);
	}
	put_tip(p->to, tip, is_round ? "circle" : "path");
}

void mch_plot_level(const struct mch_plot *p, const char *class, double y, const char *text)
{
	if (!(y >= p->y.low && y <= p->y.high))
		return;
	mch_svg_line(p->to, class, p->left, mch_plot_y(p, y), p->left + p->width, mch_plot_y(p, y));
	if (text)
		mch_svg_text(p->to, p->left + p->width + 5, mch_plot_y(p, y) + 3.5, MCH_START, "note", text);
}
