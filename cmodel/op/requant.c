/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Requantization of a layer's accumulators; see requant.h. */
#include "op/requant.h"

static void count(struct mch_events *events, int64_t kept, int shift, bool saturated)
{
	const bool inexact = shift > 0 && ((uint64_t)kept & ((UINT64_C(1) << shift) - 1)) != 0;
	events->n_out++;
	events->n_inexact += inexact;
	events->n_sat_low += saturated && kept < 0;
	events->n_sat_high += saturated && kept >= 0;
}

int32_t mch_requant_count(const struct mch_requant *cfg, int64_t acc, int64_t bias, int shift, uint32_t noise,
			  struct mch_events *events)
{
	bool saturated;
	const int32_t y = mch_requant_value(cfg, acc, bias, shift, noise, &saturated);
	if (events)
		count(events, mch_requant_sum(cfg->relu, acc, bias), shift, saturated);
	return y;
}

void mch_requant(const struct mch_requant *cfg, int n, int k, int pixels, const int64_t *acc, int32_t *y,
		 struct mch_events *events)
{
	for (int image = 0; image < n; image++)
		for (int channel = 0; channel < k; channel++) {
			uint16_t noise = mch_lfsr_seed(cfg->seed, channel);
			for (int i = 0; i < pixels; i++, acc++, y++) {
				*y = mch_requant_count(cfg, *acc, cfg->bias[channel], cfg->shift[channel], noise,
						       events);
				noise = mch_lfsr_next(noise);
			}
		}
}
