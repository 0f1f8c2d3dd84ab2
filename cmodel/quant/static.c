/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* One fraction for everything; see static.h. */
#include "quant/static.h"

#include <math.h>

struct mch_range mch_static_sample(const struct mch_range *range, float *values)
{
	struct mch_range part = *range;
	part.n_sample = range->n_sample < MCH_STATIC_SAMPLE ? range->n_sample : MCH_STATIC_SAMPLE;
	part.sample = values;
	for (size_t i = 0; i < part.n_sample; i++)
		values[i] = range->sample[(size_t)((double)i * (double)range->n_sample / (double)part.n_sample)];
	return part;
}

double mch_static_noise(const struct mch_static_item *item, int frac)
{
	float values[MCH_STATIC_SAMPLE];
	struct mch_format format = item->shape;
	const size_t n = mch_static_sample(item->range, values).n_sample;
	double power = 0;
	format.frac = frac;
	for (size_t i = 0; i < n; i++)
		power += (double)values[i] * (double)values[i];
	return power > 0 ? mch_fraction_error(format, values, n, INFINITY) / power : 0;
}

int mch_static_choose(const struct mch_static_item *items, int n)
{
	int low = MCH_FRAC_LIMIT, high = -MCH_FRAC_LIMIT;
	for (int i = 0; i < n; i++) {
		if (items[i].range->n == items[i].range->n_zero)
			continue;
		const int frac = mch_fraction_choose(items[i].rule, items[i].percentile, items[i].shape, &items[i].range, 1);
		low = frac < low ? frac : low;
		high = frac > high ? frac : high;
	}
	if (low > high)
		return 0; /* nothing but zeros */
	int best = low;
	double least = INFINITY;
	for (int frac = low; items[0].rule == MCH_FRACTION_MSE && frac <= high; frac++) {
		double sum = 0;
		for (int i = 0; i < n; i++)
			sum += mch_static_noise(&items[i], frac);
		if (sum < least) {
			least = sum;
			best = frac;
		}
	}
	return best;
}
