/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Choice of fraction bits; see fraction.h. */
#include "quant/fraction.h"

#include <math.h>
#include <string.h>

static const char *const names[] = {"max", "mse"};
enum { N_RULES = sizeof(names) / sizeof(names[0]) };

const char *mch_fraction_name(enum mch_fraction rule)
{
	return names[rule];
}

int mch_fraction_parse(const char *name, enum mch_fraction *rule)
{
	for (int i = 0; i < N_RULES; i++) {
		if (strcmp(name, names[i]) == 0) {
			*rule = (enum mch_fraction)i;
			return 0;
		}
	}
	return -1;
}

static bool fits(struct mch_format f, double min, double max)
{
	bool low = false, high = false;
	if (f.is_signed)
		mch_format_raw(f, min, MCH_ROUND_HALF_EVEN, &low);
	/* The one format without a positive code: its magnitude is measured on the other side. */
	const bool mirror = f.is_signed && f.bits == 1;
	mch_format_raw(f, mirror ? -fabs(max) : max, MCH_ROUND_HALF_EVEN, &high);
	return !low && !high;
}

int mch_fraction_max(int bits, bool is_signed, double min, double max)
{
	if (max <= 0 && (min == 0 || !is_signed))
		return bits - is_signed;
	int frac = MCH_FRAC_LIMIT;
	while (frac > -MCH_FRAC_LIMIT && !fits((struct mch_format){bits, frac, is_signed}, min, max))
		frac--;
	return frac;
}

double mch_fraction_error(struct mch_format format, const float *values, size_t n, double enough)
{
	enum { CHUNK = 1024 }; /* the limit is looked at now and then only */
	double sum = 0;
	for (size_t i = 0; i < n && sum <= enough; i += CHUNK) {
		for (size_t j = i; j < n && j < i + CHUNK; j++) {
			const double x = (double)values[j];
			const int64_t raw = mch_format_raw(format, x, MCH_ROUND_HALF_EVEN, NULL);
			const double d = x - mch_format_real(format, raw);
			sum += d * d;
		}
	}
	return sum;
}

static double total_error(struct mch_format format, const struct mch_range *const *ranges, int n_ranges,
			  double enough)
{
	double sum = 0;
	for (int i = 0; i < n_ranges && sum <= enough; i++)
		sum += mch_fraction_error(format, ranges[i]->sample, ranges[i]->n_sample, enough - sum);
	return sum;
}

int mch_fraction_choose(enum mch_fraction rule, int bits, bool is_signed, const struct mch_range *const *ranges,
			int n_ranges)
{
	/* Beyond these the error only grows: a coarser step clips no less, and a range of 2^-8 of the extreme clips
	 * all but a spike. One step coarser can win in one bit, where the largest value sets the only code. */
	enum { COARSER = 1, FINER = 8 };
	double min = ranges[0]->min, max = ranges[0]->max;
	for (int i = 1; i < n_ranges; i++) {
		min = ranges[i]->min < min ? ranges[i]->min : min;
		max = ranges[i]->max > max ? ranges[i]->max : max;
	}
	const int without_saturation = mch_fraction_max(bits, is_signed, min, max);
	if (rule == MCH_FRACTION_MAX)
		return without_saturation;
	int best = without_saturation;
	double least = total_error((struct mch_format){bits, best, is_signed}, ranges, n_ranges, INFINITY);
	for (int frac = without_saturation - COARSER; frac <= without_saturation + FINER; frac++) {
		if (frac < -MCH_FRAC_LIMIT || frac > MCH_FRAC_LIMIT || frac == without_saturation)
			continue;
		const double error = total_error((struct mch_format){bits, frac, is_signed}, ranges, n_ranges, least);
		if (error < least || (error == least && frac < best)) {
			least = error;
			best = frac;
		}
	}
	return best;
}
