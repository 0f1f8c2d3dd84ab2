/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What values a tensor really holds: range, moments, distribution. Host only: no RTL twin. */
#ifndef MCH_QUANT_RANGE_H
#define MCH_QUANT_RANGE_H

#include <stddef.h>
#include <stdint.h>

enum {
	MCH_RANGE_N_LOG2 = 64,      /* bins of floor(log2|x|), one for each power of two ... */
	MCH_RANGE_LOG2_MIN = -40,   /* ... from this one; the ends take what lies outside */
	MCH_RANGE_PARTS = 4,
	MCH_RANGE_SAMPLE = 1 << 16, /* values kept of an activation tensor, at most */
};

/* One tensor, or one layer's weights. Empty (n == 0): min, max, mean and std are 0. */
struct mch_range {
	uint64_t n, n_zero;
	double min, max;
	double mean, std;
	uint64_t log2[MCH_RANGE_N_LOG2]; /* of the nonzero values */
	uint64_t fine[MCH_RANGE_N_LOG2][MCH_RANGE_PARTS]; /* the same, each bin in equal parts */
	const float *sample;             /* weights: all of them, owned by the net; activations: see ranges.h */
	size_t n_sample;
	double first, sum, sum_squares; /* running sums of x - first: no cancellation where the mean is far from 0 */
};

/* A range of values seen so far: begin with {0}, add in any number of parts, finish once. */
void mch_range_add(struct mch_range *range, const float *values, size_t n);
void mch_range_finish(struct mch_range *range);

/* Sum of (|x| - limit)^2 over all values with |x| > limit, as the parts of bins and the largest magnitude tell: the values of a part as
 * if spread evenly over it. A sample has too few of the largest values to tell what clipping them costs. limit >= 0. */
double mch_range_beyond(const struct mch_range *range, double limit);

/* The sample counted in n_bins equal bins from min to max; the last one includes max. All counts are 0 when it is
 * empty. */
void mch_range_histogram(const struct mch_range *range, uint64_t *counts, int n_bins);

#endif
