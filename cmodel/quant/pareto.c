/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The front of accuracy against cost; see pareto.h. */
#include "quant/pareto.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PLOT_WIDTH = 72, PLOT_HEIGHT = 18 };

/* a beats b: at least as good in both; of equals the first. */
static bool beats(const struct mch_pareto_point *points, size_t a, size_t b)
{
	const struct mch_pareto_point *p = &points[a], *q = &points[b];
	if (p->is_bound || p->cost > q->cost || p->n_correct < q->n_correct)
		return false;
	return p->cost < q->cost || p->n_correct > q->n_correct || a < b;
}

size_t mch_pareto_mark(struct mch_pareto_point *points, size_t n, size_t *order)
{
	size_t n_front = 0;
	for (size_t i = 0; i < n; i++) {
		points[i].is_front = !points[i].is_bound;
		for (size_t j = 0; j < n && points[i].is_front; j++)
			points[i].is_front = !beats(points, j, i);
		if (!points[i].is_front)
			continue;
		/* No two of a front cost the same. */
		size_t at = n_front++;
		for (; at > 0 && points[order[at - 1]].cost > points[i].cost; at--)
			order[at] = order[at - 1];
		order[at] = i;
	}
	return n_front;
}

/* What the plot shows: exact points, a tenth of the height below the least accurate of the front and no lower. */
struct frame {
	double cost_low, cost_high, low, high;
};

static struct frame frame_of(const struct mch_pareto_point *points, size_t n, int n_images)
{
	struct frame f = {INFINITY, -INFINITY, INFINITY, -INFINITY};
	for (size_t i = 0; i < n; i++) {
		const double percent = 100.0 * points[i].n_correct / n_images;
		if (points[i].is_bound)
			continue;
		f.cost_low = fmin(f.cost_low, points[i].cost);
		f.cost_high = fmax(f.cost_high, points[i].cost);
		f.low = fmin(f.low, percent);
		f.high = fmax(f.high, percent);
	}
	f.low = floor(f.low);
	f.high = ceil(f.high) > f.low ? ceil(f.high) : f.low + 1;
	if (f.cost_high <= f.cost_low)
		f.cost_high = f.cost_low + 1;
	return f;
}

static char sign_of(const struct mch_pareto_point *p)
{
	return p->is_front ? '#' : p->is_bound ? '.' : 'o';
}

/* A front's point hides others, an exact one a bound. */
static int rank(char sign)
{
	return sign == '#' ? 3 : sign == 'o' ? 2 : sign == '.' ? 1 : 0;
}

void mch_pareto_plot(FILE *to, const struct mch_pareto_point *points, size_t n, int n_images, const char *unit)
{
	char cells[PLOT_HEIGHT][PLOT_WIDTH + 1];
	const struct frame f = frame_of(points, n, n_images);
	if (!isfinite(f.cost_low))
		return;
	memset(cells, ' ', sizeof(cells));
	for (size_t i = 0; i < n; i++) {
		const double percent = 100.0 * points[i].n_correct / n_images;
		if (percent < f.low || percent > f.high || points[i].cost < f.cost_low ||
		    points[i].cost > f.cost_high)
			continue;
		const double x = (points[i].cost - f.cost_low) / (f.cost_high - f.cost_low);
		const double y = (f.high - percent) / (f.high - f.low);
		char *cell = &cells[(int)lround(y * (PLOT_HEIGHT - 1))][(int)lround(x * (PLOT_WIDTH - 1))];
		*cell = rank(sign_of(&points[i])) > rank(*cell) ? sign_of(&points[i]) : *cell;
	}
	for (int row = 0; row < PLOT_HEIGHT; row++) {
		int end = PLOT_WIDTH;
		while (end > 0 && cells[row][end - 1] == ' ')
			end--;
		if (row % 4 == 0 || row == PLOT_HEIGHT - 1)
			fprintf(to, "%6.2f %% |%.*s\n", f.high - (f.high - f.low) * row / (PLOT_HEIGHT - 1), end,
				cells[row]);
		else
			fprintf(to, "         |%.*s\n", end, cells[row]);
	}
	fprintf(to, "         +");
	for (int i = 0; i < PLOT_WIDTH; i++)
		putc('-', to);
	fprintf(to, "\n          %-36.6g%36.6g %s\n", f.cost_low, f.cost_high, unit);
}
