/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* requant: y = sat(clip(round_shift(relu(acc + bias), shift))), bias and shift per output channel.
 * Twin: rtl/mch_requant.v. Spec: docs/datapath.md "requant". */
#ifndef MCH_OP_REQUANT_H
#define MCH_OP_REQUANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fxp/format.h"
#include "fxp/lfsr.h"
#include "fxp/round_shift.h"
#include "fxp/sat.h"
#include "op/events.h"

/* One layer's requantizer. */
struct mch_requant {
	int out_bits; /* 1..16 */
	bool out_signed;
	bool relu;
	enum mch_round round;
	uint32_t seed;       /* of the stochastic mode */
	const int64_t *bias; /* [k], at the accumulator's fraction, at most 48 bits signed */
	const int8_t *shift; /* [k], acc.frac - y.frac, MCH_SHIFT_MIN .. MCH_SHIFT_MAX */
	/* A clip behind it (ReLU6), in codes of the output: docs/datapath.md "clip". The RTL has none yet. */
	bool is_clipped;
	int32_t clip_low, clip_high;
	/* Of what is outside the output's codes the low bits are kept, instead of the nearest code: as truncating hardware
	 * does (OUT_WRAP of the RTL). Fixed point alone. */
	bool wraps;
	/* Of the output: fixed point everywhere but in op/wide.h. */
	enum mch_number number;
	int exp_bits;
};

/* relu(acc + bias). Both are at most 48 bits, so the sum is exact in 49. The ReLU comes before the shift, where it
 * costs one AND row; after it the result would be the same, since no mode rounds a negative number above 0. */
static inline int64_t mch_requant_sum(bool relu, int64_t acc, int64_t bias)
{
	const int64_t sum = acc + bias;
	return relu && sum < 0 ? 0 : sum;
}

/* What a clip leaves of a rounded value. */
static inline int64_t mch_requant_clip(const struct mch_requant *cfg, int64_t rounded)
{
	if (!cfg->is_clipped)
		return rounded;
	return rounded < cfg->clip_low ? cfg->clip_low : rounded > cfg->clip_high ? cfg->clip_high : rounded;
}

/* One value. *saturated: the rounded value was outside the output's range, and was clamped, or wrapped (a ReLU's zero and a
 * clip's bounds are no saturation). */
static inline int32_t mch_requant_value(const struct mch_requant *cfg, int64_t acc, int64_t bias, int shift,
					uint32_t noise, bool *saturated)
{
	const int64_t sum = mch_requant_sum(cfg->relu, acc, bias);
	const int64_t rounded = mch_requant_clip(cfg, mch_round_shift(sum, shift, cfg->round, noise));
	const int64_t kept = mch_sat(rounded, cfg->out_bits, cfg->out_signed, saturated);
	return (int32_t)(cfg->wraps ? mch_wrap_code(rounded, cfg->out_bits, cfg->out_signed) : kept);
}

/* The same, and what it lost is counted; events may be NULL. */
int32_t mch_requant_count(const struct mch_requant *cfg, int64_t acc, int64_t bias, int shift, uint32_t noise,
			  struct mch_events *events);

/* acc and y are [n][k][pixels]; the noise of channel k starts anew at pixel 0 of every image and advances by one
 * step a pixel, so no order of channels or images can change a result. events may be NULL. */
void mch_requant(const struct mch_requant *cfg, int n, int k, int pixels, const int64_t *acc, int32_t *y,
		 struct mch_events *events);

#endif
