/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Axes: ticks at round numbers, their texts, the grid; see svg.h. */
#include <math.h>
#include <string.h>

#include "io/html.h"
#include "io/svg.h"

double mch_plot_x(const struct mch_plot *p, double x)
{
	return p->left + p->width * (x - p->x.low) / (p->x.high - p->x.low);
}

double mch_plot_y(const struct mch_plot *p, double y)
{
	return p->top + p->height * (p->y.high - y) / (p->y.high - p->y.low);
}

/* 10^exponent without pow, whose last bit is each library's own. */
static double power10(int exponent)
{
	double power = 1;
	for (int i = 0; i < (exponent < 0 ? -exponent : exponent); i++)
		power *= 10;
	return exponent < 0 ? 1 / power : power;
}

/* The smallest of 1, 2, 5 times a power of ten that is at least `least`. */
static double round_step(double least)
{
	static const double factors[] = {1, 2, 5};
	for (int exponent = -30; exponent < 30; exponent++)
		for (int i = 0; i < 3; i++) {
			const double step =
				exponent < 0 ? factors[i] / power10(-exponent) : factors[i] * power10(exponent);
			if (step >= least * (1 - 1e-9))
				return step;
		}
	return least;
}

int mch_axis_ticks(const struct mch_axis *axis, double ticks[MCH_TICKS_MAX], double *step)
{
	const int most = axis->n_ticks < 2 ? 2 : axis->n_ticks < MCH_TICKS_MAX ? axis->n_ticks : MCH_TICKS_MAX;
	const double span = axis->high - axis->low;
	int n = 0;
	*step = round_step(span / most);
	if ((axis->is_whole || axis->text != MCH_AXIS_PLAIN) && *step < 1)
		*step = 1;
	/* Powers of two apart by 5 would be odd to read. */
	if (axis->text == MCH_AXIS_POWER2)
		for (*step = 1; *step * most < span;)
			*step *= 2;
	const double slack = 1e-9 * span;
	for (double k = ceil((axis->low - slack) / *step); n < MCH_TICKS_MAX && k * *step <= axis->high + slack;
	     k++)
		ticks[n++] = k * *step + 0.0; /* no -0 */
	return n;
}

static const char *superscript_text(const char *base, int exponent, char buf[32])
{
	static const char *const digits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
	const unsigned size = exponent < 0 ? (unsigned)-exponent : (unsigned)exponent;
	snprintf(buf, 32, "%s%s%s%s", base, exponent < 0 ? "⁻" : "", size >= 10 ? digits[size / 10 % 10] : "",
		 digits[size % 10]);
	return buf;
}

static const char *const prefixes[] = {"", " k", " M", " G", " T", " P"};
enum { N_PREFIXES = sizeof(prefixes) / sizeof(prefixes[0]) };

const char *mch_si_text(double value, char buf[32])
{
	int thousands = 0;
	while (fabs(value) >= 999.5 && thousands + 1 < N_PREFIXES) {
		value /= 1000;
		thousands++;
	}
	snprintf(buf, 32, "%.3g%s", value, prefixes[thousands]);
	return buf;
}

/* Decimals that a multiple of step needs: 0.05 has 2. */
static int decimals_of(double step)
{
	int n = 0;
	while (n < 12 && fabs(step * power10(n) - nearbyint(step * power10(n))) > 1e-6)
		n++;
	return n;
}

const char *mch_axis_tick_text(const struct mch_axis *axis, double tick, double step, char buf[32])
{
	if (axis->text == MCH_AXIS_POWER2)
		return superscript_text("2", (int)tick, buf);
	if (axis->text == MCH_AXIS_POWER10)
		return tick < -3 ? superscript_text("10", (int)tick, buf) : mch_si_text(power10((int)tick), buf);
	const double largest = fabs(axis->low) > fabs(axis->high) ? fabs(axis->low) : fabs(axis->high);
	int thousands = 0;
	while (largest >= 1e4 && thousands + 1 < N_PREFIXES && largest >= power10(3 * (thousands + 1)))
		thousands++;
	/* Numbers of many decimals are longer than those of the next smaller prefix. */
	while (thousands > 0 && decimals_of(step / power10(3 * thousands)) > 2)
		thousands--;
	const double unit = power10(3 * thousands);
	snprintf(buf, 32, "%.*f%s", decimals_of(step / unit), tick / unit, tick == 0 ? "" : prefixes[thousands]);
	return buf;
}

static void draw_x(const struct mch_plot *p)
{
	double ticks[MCH_TICKS_MAX], step;
	char buf[32];
	const int n = mch_axis_ticks(&p->x, ticks, &step);
	const double bottom = p->top + p->height;
	for (int i = 0; p->x.n_ticks > 0 && i < n; i++) {
		const double x = mch_plot_x(p, ticks[i]);
		mch_svg_line(p->to, "grid", x, p->top, x, bottom);
		mch_svg_text(p->to, x, bottom + 14, MCH_MIDDLE, "tick",
			     mch_axis_tick_text(&p->x, ticks[i], step, buf));
	}
	if (p->x.title)
		mch_svg_text(p->to, p->left + p->width / 2, bottom + 29, MCH_MIDDLE, "axis", p->x.title);
}

static void draw_y(const struct mch_plot *p)
{
	double ticks[MCH_TICKS_MAX], step;
	char buf[32];
	const int n = mch_axis_ticks(&p->y, ticks, &step);
	for (int i = 0; i < n; i++) {
		const double y = mch_plot_y(p, ticks[i]);
		mch_svg_line(p->to, "grid", p->left, y, p->left + p->width, y);
		mch_svg_text(p->to, p->left - 5, y + 3.5, MCH_END, "tick",
			     mch_axis_tick_text(&p->y, ticks[i], step, buf));
	}
	/* Above the axis: text on its side is hard to read. */
	if (p->y.title)
		mch_svg_text(p->to, 0, p->top - 8, MCH_START, "axis", p->y.title);
}

void mch_plot_axes(const struct mch_plot *p)
{
	draw_x(p);
	draw_y(p);
	mch_svg_line(p->to, "edge", p->left, p->top + p->height, p->left + p->width, p->top + p->height);
}
