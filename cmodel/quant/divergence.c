/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Divergence of a format; see divergence.h. */
#include "quant/divergence.h"

#include <math.h>
#include <string.h>

/* Where all but a few bins are clipped, what is left lies in the last of them, in both distributions, and nothing seems lost. */
enum { BINS_KEPT = 128 };

void mch_divergence_init(struct mch_divergence *d, const struct mch_range *const *ranges, int n_ranges)
{
	double most = 0;
	memset(d, 0, sizeof(*d));
	for (int i = 0; i < n_ranges; i++)
		for (size_t j = 0; j < ranges[i]->n_sample; j++)
			most = fmax(most, fabs((double)ranges[i]->sample[j]));
	d->width = most / MCH_DIVERGENCE_BINS;
	for (int i = 0; i < n_ranges; i++)
		for (size_t j = 0; j < ranges[i]->n_sample; j++) {
			const double x = fabs((double)ranges[i]->sample[j]);
			if (x > 0) {
				const double bin = x / d->width;
				d->count[bin < MCH_DIVERGENCE_BINS ? (int)bin : MCH_DIVERGENCE_BINS - 1]++;
			}
		}
}

/* Bins that the format does not clip: at least one. */
static int unclipped(const struct mch_divergence *d, struct mch_format format, int64_t *code)
{
	for (int i = 0; i < MCH_DIVERGENCE_BINS; i++) {
		bool saturated;
		code[i] = mch_format_raw(format, (i + 0.5) * d->width, MCH_ROUND_HALF_EVEN, &saturated);
		if (saturated)
			return i > 0 ? i : 1;
	}
	return MCH_DIVERGENCE_BINS;
}

double mch_divergence(const struct mch_divergence *d, struct mch_format format)
{
	int64_t code[MCH_DIVERGENCE_BINS];
	double all = 0, kept = 0, sum = 0;
	if (d->width <= 0)
		return 0;
	const int n = unclipped(d, format, code);
	if (n < BINS_KEPT)
		return INFINITY;
	for (int i = 0; i < MCH_DIVERGENCE_BINS; i++) {
		all += d->count[i];
		kept += i < n ? d->count[i] : 0;
	}
	for (int begin = 0, end; begin < n; begin = end) {
		double in_code = 0;
		int n_filled = 0;
		for (end = begin; end < n && code[end] == code[begin]; end++) {
			/* A clipped part falls into the last bin, so that bin is part of the distribution even when it is empty. */
			const bool is_filled = d->count[end] > 0 || (end == n - 1 && kept < all);
			in_code += d->count[end];
			n_filled += is_filled;
		}
		/* A code without values that clipped ones fall into: half a value is assumed, or the loss would be infinite. */
		const double q = (in_code > 0 ? in_code : 0.5) / (n_filled ? n_filled : 1) / (kept > 0 ? kept : 1);
		for (int i = begin; i < end; i++) {
			const double p = (d->count[i] + (i == n - 1 ? all - kept : 0)) / all;
			sum += p > 0 ? p * log(p / q) : 0;
		}
	}
	return sum;
}
