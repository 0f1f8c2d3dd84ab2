/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Fast twin of mch_requant_value: the same few operations for every channel, shift and rule, so that channels lie
 * side by side in a vector; in 32 bits where sums are proven to fit. Bit-equal to it where it may be used. Host only:
 * no RTL twin.
 *
 *   v = acc + init;  v += add + ((v >> shift) & odd);  code = clamp((v >> shift) - sub, low, high)
 *
 * init is the bias and an offset, a multiple of 2^(shift + 1), which makes v positive and leaves its parity alone;
 * sub takes the offset back and adds the codes' zero. Rounding to nearest adds half before the floor; half_even adds
 * one less to an even floor; half_away, one less to a negative number. No rule rounds a negative number above 0, so a
 * ReLU is a clamp of codes, too. */
#ifndef MCH_FAST_REQUANT_LANE_H
#define MCH_FAST_REQUANT_LANE_H

#include "base/err.h"
#include "fast/clones.h"
#include "fast/codes.h"
#include "op/requant.h"

enum {
	MCH_NARROW_BITS = 29,      /* |acc + bias| < 2^29: with the offset 2^30 and half of 2^29, below 2^31 */
	MCH_NARROW_SHIFT_MAX = 29,
	MCH_WIDE_BITS = 60, /* |acc + bias| < 2^60, and the offset is 2^61 */
};

/* Rows of a table of lanes, each k_room long. */
enum { MCH_LANE_INIT, MCH_LANE_SHIFT, MCH_LANE_ADD, MCH_LANE_ODD, MCH_LANE_SUB, MCH_N_LANE_ROWS };

struct mch_requant_lanes {
	bool is_away;     /* half_away: odd is for negative numbers, and taken away */
	int32_t low, high; /* stored codes that ReLU, clip and format leave */
	size_t k_room;    /* channels, and MCH_CODES_BLOCK more at least */
	int32_t *narrow;  /* [MCH_N_LANE_ROWS][k_room]; owned; NULL: sums need 64 bits */
	int64_t *wide;    /* the same of 64 bits, owned; NULL when narrow is there or neither will do */
};

/* For k channels with this bias instead of cfg's. Both tables stay NULL for noise and for left shifts.
 * largest: no |acc| exceeds it. 0, or -1 with err. */
int mch_requant_lanes_init(struct mch_requant_lanes *lanes, const struct mch_requant *cfg, int k, const int64_t *bias,
			   struct mch_codes codes, int64_t largest, struct mch_err *err);
void mch_requant_lanes_free(struct mch_requant_lanes *lanes);

/* Stored code of channel k. is_away is the lanes', for the compiler to see. */
MCH_INLINE int32_t mch_lane_narrow(const struct mch_requant_lanes *l, bool is_away, size_t k, int32_t acc)
{
	const int32_t *of = l->narrow + k;
	const size_t row = l->k_room;
	const uint32_t shift = (uint32_t)of[MCH_LANE_SHIFT * row] & 31, odd = (uint32_t)of[MCH_LANE_ODD * row];
	uint32_t v = (uint32_t)acc + (uint32_t)of[MCH_LANE_INIT * row];
	const uint32_t less = (uint32_t)(v < UINT32_C(1) << 30) & odd, more = (v >> shift) & odd;
	v += (uint32_t)of[MCH_LANE_ADD * row] + (is_away ? 0 - less : more);
	const int32_t code = (int32_t)(v >> shift) - of[MCH_LANE_SUB * row];
	return code < l->low ? l->low : code > l->high ? l->high : code;
}

MCH_INLINE int64_t mch_lane_wide(const struct mch_requant_lanes *l, bool is_away, size_t k, int64_t acc)
{
	const int64_t *of = l->wide + k, low = l->low, high = l->high;
	const size_t row = l->k_room;
	const uint64_t shift = (uint64_t)of[MCH_LANE_SHIFT * row] & 63, odd = (uint64_t)of[MCH_LANE_ODD * row];
	uint64_t v = (uint64_t)acc + (uint64_t)of[MCH_LANE_INIT * row];
	const uint64_t less = (uint64_t)(v < UINT64_C(1) << 61) & odd, more = (v >> shift) & odd;
	v += (uint64_t)of[MCH_LANE_ADD * row] + (is_away ? 0 - less : more);
	const int64_t code = (int64_t)(v >> shift) - of[MCH_LANE_SUB * row];
	return code < low ? low : code > high ? high : code;
}

#endif
