/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Numbers worth trying: the ends of a range, ties of both parities, and their neighbours. Uniform numbers of 48 bits
 * never hit a tie. */
#ifndef MCH_TESTS_CORNERS_H
#define MCH_TESTS_CORNERS_H

#include <stdint.h>

#include "base/rng.h"

/* Uniform in lo..hi, hi - lo < 2^63. */
static inline int64_t corner_uniform(struct mch_rng *rng, int64_t lo, int64_t hi)
{
	return lo + (int64_t)(mch_rng_next(rng) % ((uint64_t)(hi - lo) + 1));
}

static inline int64_t corner_clamp(int64_t v, int64_t lo, int64_t hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

/* A number in lo..hi (lo <= 0 <= hi): a quarter within 2 of an end or of zero, a quarter of any magnitude, the rest
 * within 2 of a multiple of 2^(shift-1) (odd multiples are ties, even ones are exact), of any magnitude. */
static inline int64_t corner_value(struct mch_rng *rng, int64_t lo, int64_t hi, int shift)
{
	const int64_t near = corner_uniform(rng, -2, 2);
	const int64_t any = corner_uniform(rng, lo, hi) / (INT64_C(1) << mch_rng_below(rng, 49));
	switch (mch_rng_below(rng, 8)) {
	case 0:
		return corner_clamp((mch_rng_next(rng) & 1 ? lo : hi) + near, lo, hi);
	case 1:
		return corner_clamp(near, lo, hi);
	case 2:
	case 3:
		return any;
	default:
		break;
	}
	const int64_t half = INT64_C(1) << (shift > 1 ? shift - 1 : 0);
	return corner_clamp(any / half * half + near, lo, hi);
}

#endif
