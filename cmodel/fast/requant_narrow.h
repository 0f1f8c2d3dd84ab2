/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Fast twin of op/requant.h in 32 bits, for sums that are proven to fit: twice as many to a vector. Bit-equal to it
 * where it may be used. Host only: no RTL twin. */
#ifndef MCH_FAST_REQUANT_NARROW_H
#define MCH_FAST_REQUANT_NARROW_H

#include "fast/clones.h"
#include "fast/requant.h"

enum {
	MCH_NARROW_BITS = 29,      /* |acc + bias| < 2^29 */
	MCH_NARROW_SHIFT_MAX = 29, /* and 1 at least */
};

/* clamp(round_shift(sum), low, high), not stochastic. With 2^30 added, a multiple of 2^(shift + 1) that leaves
 * parity alone, the number is positive: 2^29 + 2^30 + 2^28 is below 2^31. Rounding to nearest adds half before the
 * floor; half_even adds one less to an even floor, half_away to a negative number. */
MCH_INLINE int32_t mch_narrow_value(enum mch_round round, int32_t sum, int shift, int32_t low, int32_t high)
{
	const uint32_t offset = UINT32_C(1) << 30, half = UINT32_C(1) << (shift - 1);
	uint32_t v = (uint32_t)sum + offset;
	if (round == MCH_ROUND_HALF_EVEN)
		v += half - 1 + ((v >> shift) & 1);
	else if (round == MCH_ROUND_HALF_AWAY)
		v += half - (v < offset);
	else if (round == MCH_ROUND_HALF_UP)
		v += half;
	const int32_t code = (int32_t)(v >> shift) - (int32_t)(offset >> shift);
	return code < low ? low : code > high ? high : code;
}

/* Row p of the output of one image, from sums that are one part (n_x == n_w == 1): as mch_fast_requant_run. */
void mch_narrow_row(const struct mch_fast_requant *r, const struct mch_part_sums *acc, size_t image, int p, void *y);

#endif
