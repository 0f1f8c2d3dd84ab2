/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Tables of a vector requantizer; see requant_lane.h. */
#include "fast/requant_lane.h"

#include <stdlib.h>
#include <string.h>

/* A channel's rows, at `bits` bits (30 or 61) of offset. */
static void fill(const struct mch_requant *cfg, int64_t bias, int shift, int offset_bits, int64_t zero,
		 int64_t row[MCH_N_LANE_ROWS])
{
	const int64_t half = shift > 0 ? INT64_C(1) << (shift - 1) : 0, offset = INT64_C(1) << offset_bits;
	const bool is_even = cfg->round == MCH_ROUND_HALF_EVEN, is_away = cfg->round == MCH_ROUND_HALF_AWAY;
	const bool is_odd = shift > 0 && (is_even || is_away);
	row[MCH_LANE_INIT] = bias + offset;
	row[MCH_LANE_SHIFT] = shift;
	row[MCH_LANE_ADD] = cfg->round == MCH_ROUND_FLOOR ? 0 : half - (is_even && is_odd);
	row[MCH_LANE_ODD] = is_odd;
	row[MCH_LANE_SUB] = (offset >> shift) - zero;
}

static bool is_narrow(const struct mch_requant *cfg, int k, const int64_t *bias, int64_t largest)
{
	const int64_t end = INT64_C(1) << MCH_NARROW_BITS;
	for (int i = 0; i < k; i++) {
		const int64_t size = bias[i] < 0 ? -bias[i] : bias[i];
		if (cfg->shift[i] > MCH_NARROW_SHIFT_MAX || largest >= end || size >= end - largest)
			return false;
	}
	return true;
}

static bool is_possible(const struct mch_requant *cfg, int k)
{
	for (int i = 0; i < k; i++)
		if (cfg->shift[i] < 0)
			return false;
	return cfg->round != MCH_ROUND_STOCHASTIC;
}

int mch_requant_lanes_init(struct mch_requant_lanes *l, const struct mch_requant *cfg, int k, const int64_t *bias,
			   struct mch_codes codes, int64_t largest, struct mch_err *err)
{
	const struct mch_format out = {.bits = cfg->out_bits, .is_signed = cfg->out_signed};
	memset(l, 0, sizeof(*l));
	l->is_away = cfg->round == MCH_ROUND_HALF_AWAY;
	bool saturated;
	l->low = codes.zero + (int32_t)mch_sat(mch_requant_clip(cfg, cfg->relu ? 0 : mch_format_min(out)),
					       cfg->out_bits, cfg->out_signed, &saturated);
	l->high = codes.zero + (int32_t)mch_sat(mch_requant_clip(cfg, mch_format_max(out)), cfg->out_bits,
						cfg->out_signed, &saturated);
	l->k_room = ((size_t)k + 2 * MCH_CODES_BLOCK - 1) / MCH_CODES_BLOCK * MCH_CODES_BLOCK;
	if (!is_possible(cfg, k))
		return 0;
	const bool narrow = is_narrow(cfg, k, bias, largest);
	if (narrow)
		l->narrow = calloc(MCH_N_LANE_ROWS * l->k_room, sizeof(*l->narrow));
	else
		l->wide = calloc(MCH_N_LANE_ROWS * l->k_room, sizeof(*l->wide));
	if (!l->narrow && !l->wide)
		return mch_err_set(err, "requantizer", "out of memory; use a machine with more");
	for (int i = 0; i < k; i++) {
		int64_t row[MCH_N_LANE_ROWS];
		fill(cfg, bias[i], cfg->shift[i], narrow ? MCH_NARROW_BITS + 1 : MCH_WIDE_BITS + 1, codes.zero, row);
		for (size_t r = 0; r < MCH_N_LANE_ROWS; r++)
			if (narrow)
				l->narrow[r * l->k_room + (size_t)i] = (int32_t)row[r];
			else
				l->wide[r * l->k_room + (size_t)i] = row[r];
	}
	return 0;
}

void mch_requant_lanes_free(struct mch_requant_lanes *l)
{
	free(l->narrow);
	free(l->wide);
	memset(l, 0, sizeof(*l));
}
