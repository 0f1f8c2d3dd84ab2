/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* How many fraction bits suit a set of values in a given width. Host only: no RTL twin. */
#ifndef MCH_QUANT_FRACTION_H
#define MCH_QUANT_FRACTION_H

#include <stdbool.h>

#include "fxp/format.h"
#include "quant/range.h"

enum mch_fraction {
	MCH_FRACTION_MAX,        /* the most that saturate no value */
	MCH_FRACTION_MSE,        /* the least sum of squared errors: may clip the rare large values to resolve the small */
	MCH_FRACTION_PERCENTILE, /* the most that saturate no value but the largest few */
	MCH_FRACTION_KL,         /* the least information lost, by the Kullback-Leibler divergence of histograms */
	MCH_FRACTION_IL,         /* Ristretto's integer length of weights: a sign and ceil(log2(max |x|)) bits before the point */
	MCH_FRACTION_IL_LESS,    /* that of its activations, a bit less: what exceeds half of that saturates */
	MCH_N_FRACTIONS
};

#define MCH_FRACTION_USUAL MCH_FRACTION_MSE
#define MCH_FRACTION_USUAL_TEXT "mse"
#define MCH_FRACTION_PERCENTILE_USUAL 99.99

/* "max", "mse", "percentile", "kl", "il", "il-1". */
const char *mch_fraction_name(enum mch_fraction rule);
int mch_fraction_parse(const char *name, enum mch_fraction *rule);

/* In all that follows `shape` is a format whose frac is not looked at. */

/* The largest frac, |frac| <= MCH_FRAC_LIMIT, for which neither min nor max saturates when rounded to nearest. An
 * unsigned format has no regard to a negative min. One bit signed, codes {-1, 0}, can hold no positive number: there
 * -|max| must fit. Zeros alone give a format of range 1. */
int mch_fraction_max(struct mch_format shape, double min, double max);

/* Sum of (value - its nearest code)^2 in order of the values; may stop, with what it has, when that exceeds
 * `enough`. */
double mch_fraction_error(struct mch_format format, const float *values, size_t n, double enough);

/* The same of all values of a range times 2^by, of which it has a sample: those that do not saturate as the sample has them, times
 * n / n_sample; those that do from the counts of all values (mch_range_beyond), when the format is fixed point. Powers of two times the
 * values are the same to a float, so `by` is exact when it is whole. */
double mch_fraction_range_error(struct mch_format format, const struct mch_range *range, double by, double enough);

/* By rule, for values that share one format: n_ranges >= 1 ranges with their samples. percentile, 0 < p <= 100, is of
 * MCH_FRACTION_PERCENTILE alone. A tie goes to the smaller frac, which has the larger range. */
int mch_fraction_choose(enum mch_fraction rule, double percentile, struct mch_format shape,
			const struct mch_range *const *ranges, int n_ranges);

#endif
