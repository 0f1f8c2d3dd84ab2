/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A fraction for each channel; see channel.h. */
#include "quant/channel.h"

#include <math.h>

#include "fxp/wide.h"
#include "quant/range.h"

/* Between the finest and the coarsest channel of a layer, so that the shifts of all of them, -15..48, can meet in one output. */
enum { APART_MAX = MCH_SHIFT_MAX };

void mch_channel_choose(const struct mch_format_policy_part *part, struct mch_format shape, const struct mch_layer *layer,
			int whole, int8_t *frac)
{
	const size_t n_terms = layer->n_weights / (size_t)layer->conv.k;
	for (int k = 0; k < layer->conv.k; k++) {
		struct mch_range range = {0};
		const struct mch_range *list = &range;
		range.sample = layer->weights + (size_t)k * n_terms;
		range.n_sample = n_terms;
		mch_range_add(&range, range.sample, n_terms);
		frac[k] = (int8_t)(range.n == range.n_zero
					   ? whole
					   : mch_fraction_choose(part->rule, part->percentile, shape, &list, 1));
	}
}

/* Bits of the largest integer of a format, with a sign. */
static int integer_bits(struct mch_format f)
{
	int bits = 1;
	while (mch_format_integer(f, mch_format_max(f)) >> (bits - 1))
		bits++;
	return bits;
}

int mch_channel_bias_frac(double bias, int bits)
{
	int frac = 2 * MCH_FRAC_LIMIT;
	bool saturated = bias != 0;
	while (saturated && frac > -2 * MCH_FRAC_LIMIT)
		mch_wide_raw(bias, frac--, bits, &saturated);
	return bias == 0 ? frac : frac + 1;
}

/* The finest fraction at which the bias of channel k fits `bits` bits. */
static int bias_limit(const struct mch_layer *layer, int k, int bits, int x_frac)
{
	const double bias = layer->bias ? fabs((double)layer->bias[k]) : 0;
	if (bias == 0)
		return MCH_FRAC_LIMIT;
	if (bits > MCH_ACC_BITS_MAX)
		return mch_channel_bias_frac(bias, bits) - x_frac;
	return mch_fraction_max((struct mch_format){.bits = bits, .is_signed = true}, -bias, bias) - x_frac;
}

static int least_of(const int8_t *frac, int n)
{
	int least = frac[0];
	for (int k = 1; k < n; k++)
		least = frac[k] < least ? frac[k] : least;
	return least;
}

int mch_channel_settle(const struct mch_layer *layer, struct mch_format x, const int8_t *frac, int acc_bits_max,
		       struct mch_layer_quant *lq)
{
	const int n = layer->conv.k, whole = lq->weights.frac;
	int sum_bits = integer_bits(x) + integer_bits(lq->weights);
	for (size_t terms = layer->n_weights / (size_t)n; terms > 1; terms = (terms + 1) / 2)
		sum_bits++;
	if (mch_layer_quant_split(lq, n, 0) != 0)
		return -1;
	bool is_same = true;
	for (int k = 0; k < n; k++) {
		/* Bias and sums share the accumulator. A fraction finer than the layer's is taken as far as the bias needs no more
		 * bits there than the sums of a layer of this size can: tiny weights beside a usual bias would widen it for nothing. */
		int limit = bias_limit(layer, k, sum_bits < acc_bits_max ? sum_bits : acc_bits_max, x.frac);
		limit = limit > whole ? limit : whole;
		const int most = bias_limit(layer, k, acc_bits_max, x.frac);
		limit = limit < most ? limit : most > -MCH_FRAC_LIMIT ? most : -MCH_FRAC_LIMIT;
		lq->channel_frac[k] = (int8_t)(frac[k] < limit ? frac[k] : limit);
	}
	const int least = least_of(lq->channel_frac, n);
	for (int k = 0; k < n; k++) {
		if (lq->channel_frac[k] > least + APART_MAX)
			lq->channel_frac[k] = (int8_t)(least + APART_MAX);
		is_same = is_same && lq->channel_frac[k] == least;
	}
	lq->weights.frac = least;
	if (is_same)
		mch_layer_quant_join(lq);
	return 0;
}
