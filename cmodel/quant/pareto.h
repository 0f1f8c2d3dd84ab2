/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The front of accuracy against cost: points that no other beats in both. Host only: no RTL twin. */
#ifndef MCH_QUANT_PARETO_H
#define MCH_QUANT_PARETO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct mch_pareto_point {
	double cost;   /* less is better */
	int n_correct; /* more is better */
	bool is_bound; /* n_correct is an upper bound: the point is never on the front */
	bool is_front; /* set by mch_pareto_mark: no exact point has as little cost and more right answers, or as many
			  and less cost; of equal points the first */
};

/* Sets is_front of each, and order [n] to the places of the front's points, by rising cost; how many. */
size_t mch_pareto_mark(struct mch_pareto_point *points, size_t n, size_t *order);

/* A plot of text: front points `#`, exact others `o`, bounds `.`; cost to the right, percent of n_images upwards. */
void mch_pareto_plot(FILE *to, const struct mch_pareto_point *points, size_t n, int n_images, const char *unit);

#endif
