/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Choice of fraction bits; see fraction.h. */
#include "quant/fraction.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "quant/divergence.h"

static const char *const names[MCH_N_FRACTIONS] = {
	[MCH_FRACTION_MAX] = "max",
	[MCH_FRACTION_MSE] = "mse",
	[MCH_FRACTION_PERCENTILE] = "percentile",
	[MCH_FRACTION_KL] = "kl",
	[MCH_FRACTION_IL] = "il",
	[MCH_FRACTION_IL_LESS] = "il-1",
};

const char *mch_fraction_name(enum mch_fraction rule)
{
	return names[rule];
}

int mch_fraction_parse(const char *name, enum mch_fraction *rule)
{
	for (int i = 0; i < MCH_N_FRACTIONS; i++) {
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
	const bool mirror = f.is_signed && mch_format_max(f) == 0;
	mch_format_raw(f, mirror ? -fabs(max) : max, MCH_ROUND_HALF_EVEN, &high);
	return !low && !high;
}

static struct mch_format with_frac(struct mch_format shape, int frac)
{
	shape.frac = frac;
	return shape;
}

int mch_fraction_max(struct mch_format shape, double min, double max)
{
	if (max <= 0 && (min == 0 || !shape.is_signed)) {
		if (shape.number == MCH_FIXED)
			return shape.bits - shape.is_signed;
		max = 1;
	}
	int frac = MCH_FRAC_LIMIT;
	while (frac > -MCH_FRAC_LIMIT && !fits(with_frac(shape, frac), min, max))
		frac--;
	return frac;
}

/* Fixed point, whose integers are the codes, without a call for each value. */
static double fixed_error(struct mch_format format, const float *values, size_t n)
{
	const double lo = (double)mch_format_min(format), hi = (double)mch_format_max(format);
	const double scale = ldexp(1, format.frac), unit = ldexp(1, -format.frac);
	double sum = 0;
	for (size_t i = 0; i < n; i++) {
		const double x = (double)values[i], d = x - (double)mch_format_raw_even(x * scale, lo, hi) * unit;
		sum += d * d;
	}
	return sum;
}

/* The power of two at or below a normal number. */
static double power_below(double v)
{
	uint64_t bits;
	memcpy(&bits, &v, sizeof(bits));
	bits &= UINT64_C(0x7ff) << 52;
	memcpy(&v, &bits, sizeof(v));
	return v;
}

/* Minifloats and powers of two likewise. Which neighbour a tie goes to is the same to the error. */
static double number_error(struct mch_format format, const float *values, size_t n)
{
	const bool is_minifloat = mch_number_is_minifloat(format.number);
	const double one = ldexp(1, is_minifloat ? format.bits - format.is_signed - format.exp_bits : 0);
	const double end = (double)mch_format_integer(format, mch_format_max(format));
	const double scale = ldexp(1, format.frac), unit = ldexp(1, -format.frac);
	const bool is_flushed = format.number == MCH_MINIFLOAT_FLUSH || format.number == MCH_POW2;
	const bool has_no_zero = format.number == MCH_POW2_NO_ZERO;
	double sum = 0;
	for (size_t i = 0; i < n; i++) {
		const double x = (double)values[i] * scale, v = x < 0 && !format.is_signed ? 0 : fabs(x);
		const double step = power_below(v < one ? one : v) / one; /* 2^M of them to an octave */
		double q = rint(v / step) * step;
		if (v < one && is_flushed)
			q = v < one / 2 ? 0 : one;
		else if (v < one && has_no_zero)
			q = one;
		const double d = (fabs(x) - (q < end ? q : end)) * unit;
		sum += d * d;
	}
	return sum;
}

double mch_fraction_error(struct mch_format format, const float *values, size_t n, double enough)
{
	enum { CHUNK = 1024 }; /* the limit is looked at now and then only */
	double sum = 0;
	for (size_t i = 0; i < n && sum <= enough; i += CHUNK) {
		const size_t m = n - i < CHUNK ? n - i : CHUNK;
		sum += format.number == MCH_FIXED ? fixed_error(format, values + i, m) : number_error(format, values + i, m);
	}
	return sum;
}

/* Of the values, times `factor`, that do not saturate. */
static double inner_error(struct mch_format format, const float *values, size_t n, double factor)
{
	const double lo = (double)mch_format_min(format), hi = (double)mch_format_max(format);
	const double scale = ldexp(factor, format.frac), unit = ldexp(1, -format.frac);
	double sum = 0;
	for (size_t i = 0; i < n; i++) {
		const double v = (double)values[i] * scale, d = v - (double)mch_format_raw_even(v, lo, hi);
		sum += v >= lo && v <= hi ? d * d : 0;
	}
	return sum * unit * unit;
}

double mch_fraction_range_error(struct mch_format format, const struct mch_range *range, double by, double enough)
{
	const double factor = exp2(by), hi = (double)mch_format_max(format);
	if (range->n_sample == 0)
		return 0;
	if (by == 0 && (format.number != MCH_FIXED || hi <= 0 || range->n_sample >= range->n))
		return mch_fraction_error(format, range->sample, range->n_sample, enough) * (double)range->n /
		       (double)range->n_sample;
	MCH_REQUIRE(format.number == MCH_FIXED && hi > 0, "only fixed point is scaled");
	const double unit = ldexp(1, -format.frac);
	const double inner = inner_error(format, range->sample, range->n_sample, factor) / (double)range->n_sample;
	return inner * (double)range->n + factor * factor * mch_range_beyond(range, hi * unit / factor);
}

static double total_error(struct mch_format format, const struct mch_range *const *ranges, int n_ranges,
			  double enough)
{
	double sum = 0;
	for (int i = 0; i < n_ranges && sum <= enough; i++)
		sum += mch_fraction_range_error(format, ranges[i], 0, enough - sum);
	return sum;
}

static int ascending(const void *a, const void *b)
{
	const float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

/* The magnitude that so many percent of the samples do not exceed; INFINITY when there are none, or memory is short: it clips
 * nothing. */
static double magnitude(double percentile, const struct mch_range *const *ranges, int n_ranges)
{
	size_t n = 0, at = 0;
	for (int i = 0; i < n_ranges; i++)
		n += ranges[i]->n_sample;
	float *values = malloc((n ? n : 1) * sizeof(*values));
	if (!values || n == 0) {
		free(values);
		return INFINITY;
	}
	for (int i = 0; i < n_ranges; i++)
		for (size_t j = 0; j < ranges[i]->n_sample; j++)
			values[at++] = fabsf(ranges[i]->sample[j]);
	qsort(values, n, sizeof(*values), ascending);
	const double rank = ceil(percentile / 100 * (double)n - 1e-6); /* 99.9 % of 1000 are 999, whatever 99.9 is in binary */
	const double value = (double)values[rank < 1 ? 0 : rank > (double)n ? n - 1 : (size_t)rank - 1];
	free(values);
	return value;
}

/* bits less the integer length, of numbers that are not all 0. max |x| lies in 0.5 .. 1 times 2^exponent. */
static int integer_length_frac(struct mch_format shape, double most, bool is_less)
{
	int exponent;
	const int log2_up = frexp(most, &exponent) == 0.5 ? exponent - 1 : exponent; /* ceil(log2(most)) */
	const int frac = shape.bits - shape.is_signed - log2_up + is_less;
	return frac < -MCH_FRAC_LIMIT ? -MCH_FRAC_LIMIT : frac > MCH_FRAC_LIMIT ? MCH_FRAC_LIMIT : frac;
}

int mch_fraction_choose(enum mch_fraction rule, double percentile, struct mch_format shape,
			const struct mch_range *const *ranges, int n_ranges)
{
	/* Beyond these the error only grows: a coarser step clips no less, and a range of 2^-8 of the extreme clips
	 * all but a spike. One step coarser can win in one bit, where the largest value sets the only code (not so the
	 * divergence, to which steps finer than its bins are all the same). */
	enum { FINER = 8 };
	const int coarser = rule == MCH_FRACTION_MSE;
	double min = ranges[0]->min, max = ranges[0]->max;
	for (int i = 1; i < n_ranges; i++) {
		min = ranges[i]->min < min ? ranges[i]->min : min;
		max = ranges[i]->max > max ? ranges[i]->max : max;
	}
	if (rule == MCH_FRACTION_PERCENTILE && percentile < 100) {
		const double kept = magnitude(percentile, ranges, n_ranges);
		min = fmax(min, -kept);
		max = fmin(max, kept);
	}
	const double most = fmax(fabs(min), fabs(max));
	if ((rule == MCH_FRACTION_IL || rule == MCH_FRACTION_IL_LESS) && shape.number == MCH_FIXED && most > 0)
		return integer_length_frac(shape, most, rule == MCH_FRACTION_IL_LESS);
	const int without_saturation = mch_fraction_max(shape, min, max);
	if (rule == MCH_FRACTION_IL || rule == MCH_FRACTION_IL_LESS || rule == MCH_FRACTION_MAX || rule == MCH_FRACTION_PERCENTILE)
		return without_saturation;
	struct mch_divergence histogram;
	if (rule == MCH_FRACTION_KL)
		mch_divergence_init(&histogram, ranges, n_ranges);
	int best = without_saturation;
	double least = INFINITY;
	for (int frac = without_saturation - coarser; frac <= without_saturation + FINER; frac++) {
		if (frac < -MCH_FRAC_LIMIT || frac > MCH_FRAC_LIMIT)
			continue;
		const struct mch_format format = with_frac(shape, frac);
		const double error = rule == MCH_FRACTION_KL ? mch_divergence(&histogram, format)
							     : total_error(format, ranges, n_ranges, least);
		if (error < least) {
			least = error;
			best = frac;
		}
	}
	return best;
}
