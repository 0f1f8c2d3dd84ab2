/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What a tensor holds; see range.h. */
#include "quant/range.h"

#include <math.h>
#include <string.h>

void mch_range_add(struct mch_range *range, const float *values, size_t n)
{
	if (n > 0 && range->n == 0)
		range->min = range->max = range->first = (double)values[0];
	for (size_t i = 0; i < n; i++) {
		const double x = (double)values[i], d = x - range->first;
		range->min = x < range->min ? x : range->min;
		range->max = x > range->max ? x : range->max;
		range->sum += d;
		range->sum_squares += d * d;
		if (x == 0) {
			range->n_zero++;
			continue;
		}
		int exponent;
		const double half = fabs(frexp(x, &exponent)); /* |x| = 0.5..1 * 2^exponent, so floor(log2|x|) = exponent - 1 */
		const int bin = exponent - 1 - MCH_RANGE_LOG2_MIN;
		const int kept = bin < 0 ? 0 : bin < MCH_RANGE_N_LOG2 ? bin : MCH_RANGE_N_LOG2 - 1;
		range->log2[kept]++;
		range->fine[kept][(int)((half - 0.5) * 2 * MCH_RANGE_PARTS)]++;
	}
	range->n += n;
}

void mch_range_finish(struct mch_range *range)
{
	if (range->n == 0)
		return;
	const double n = (double)range->n, mean = range->sum / n, variance = range->sum_squares / n - mean * mean;
	range->mean = range->first + mean;
	range->std = variance > 0 ? sqrt(variance) : 0;
}

double mch_range_beyond(const struct mch_range *range, double limit)
{
	const double largest = fmax(fabs(range->min), fabs(range->max));
	double sum = 0;
	for (int i = 0; i < MCH_RANGE_N_LOG2 * MCH_RANGE_PARTS; i++) {
		const int b = i / MCH_RANGE_PARTS, part = i % MCH_RANGE_PARTS;
		const double n = (double)range->fine[b][part], width = ldexp(1, b + MCH_RANGE_LOG2_MIN) / MCH_RANGE_PARTS;
		const double low = (MCH_RANGE_PARTS + part) * width, high = fmin(low + width, largest);
		const double from = fmax(low, limit) - limit, to = high - limit;
		if (n == 0 || high <= limit)
			continue;
		/* The mean of (x - limit)^2 over what lies beyond, times the share of that. */
		sum += n * (high > low ? (to * to * to - from * from * from) / (3 * (high - low)) : to * to);
	}
	return sum;
}

void mch_range_histogram(const struct mch_range *range, uint64_t *counts, int n_bins)
{
	memset(counts, 0, (size_t)n_bins * sizeof(*counts));
	const double width = (range->max - range->min) / n_bins;
	for (size_t i = 0; i < range->n_sample; i++) {
		const double bin = width > 0 ? ((double)range->sample[i] - range->min) / width : 0;
		counts[bin < n_bins ? (int)bin : n_bins - 1]++;
	}
}
