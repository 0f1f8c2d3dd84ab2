/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Exponent against mantissa; see exponent.h. */
#include "quant/exponent.h"

#include <math.h>

/* Noise of all items with so many exponent bits; INFINITY where a width has no room for them. */
static double noise_of(const struct mch_static_item *items, int n, int exp_bits, double enough)
{
	double sum = 0;
	for (int i = 0; i < n && sum <= enough; i++) {
		float values[MCH_STATIC_SAMPLE];
		struct mch_static_item item = items[i];
		item.shape.exp_bits = exp_bits;
		if (!mch_format_is_operand(item.shape))
			return INFINITY;
		const struct mch_range range = mch_static_sample(item.range, values), *list = &range;
		if (range.n == range.n_zero)
			continue;
		item.range = &range;
		sum += mch_static_noise(&item, mch_fraction_choose(item.rule, item.percentile, item.shape, &list, 1));
	}
	return sum;
}

int mch_exponent_choose(const struct mch_static_item *items, int n)
{
	int best = 1;
	double least = INFINITY;
	for (int e = 1; e <= MCH_EXP_BITS_MAX; e++) {
		const double noise = noise_of(items, n, e, least);
		if (noise < least) {
			least = noise;
			best = e;
		}
	}
	return best;
}

int mch_exponent_of_range(double largest)
{
	enum { LEAST = 4 };
	int exponent = 0, bits = LEAST;
	if (isfinite(largest) && largest > 0)
		frexp(largest, &exponent); /* below 2^exponent */
	/* 2^(E-1) is the exponent of the largest numbers. */
	while (bits < MCH_EXP_BITS_MAX && exponent - 1 > 1 << (bits - 1))
		bits++;
	return bits;
}
