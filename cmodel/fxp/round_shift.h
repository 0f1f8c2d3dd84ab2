/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* round_shift: v * 2^-shift as an integer, under a named rounding rule.
 * Twin: rtl/mch_round_shift.v. Spec: docs/datapath.md "round_shift". */
#ifndef MCH_FXP_ROUND_SHIFT_H
#define MCH_FXP_ROUND_SHIFT_H

#include <stdint.h>

/* The numbers are those of the RTL parameter ROUND. */
enum mch_round {
	MCH_ROUND_FLOOR = 0,      /* towards minus infinity: the bare shift */
	MCH_ROUND_HALF_UP = 1,    /* nearest, ties towards plus infinity */
	MCH_ROUND_HALF_AWAY = 2,  /* nearest, ties away from zero */
	MCH_ROUND_HALF_EVEN = 3,  /* nearest, ties to even (IEEE 754 roundTiesToEven) */
	MCH_ROUND_STOCHASTIC = 4, /* up with a probability equal to the lost fraction (16-bit noise) */
};

enum {
	MCH_N_ROUNDS = 5,
	MCH_SHIFT_MIN = -15, /* a negative shift is an exact left shift */
	MCH_SHIFT_MAX = 48,  /* 64 values: six bits in RTL, as shift + 15 */
	MCH_NOISE_BITS = 16,
};

/* "floor", "half_up", "half_away", "half_even", "stochastic". */
const char *mch_round_name(enum mch_round round);

/* The mode of that name into *round; 0, or -1 when there is none. */
int mch_round_parse(const char *name, enum mch_round *round);

/* -2^48 <= v < 2^48 (49 bits: an accumulator of 48 plus its bias), MCH_SHIFT_MIN <= shift <= MCH_SHIFT_MAX, noise in
 * 0..2^16-1 and read by the stochastic mode alone. Never overflows: 49 + 15 = 64 bits on the left side, and the
 * right side adds less than 2^48. No negative number is shifted: division of the sign is done in unsigned. */
static inline int64_t mch_round_shift(int64_t v, int shift, enum mch_round round, uint32_t noise)
{
	if (shift <= 0)
		return v * (INT64_C(1) << -shift);
	const int64_t one = INT64_C(1) << shift, half = one >> 1;
	const int64_t offset = INT64_C(1) << 49;
	/* floor(v / 2^shift) and the bits it loses. The offset, a multiple of 2^shift, makes v positive. */
	const uint64_t biased = (uint64_t)(v + offset);
	const int64_t down = (int64_t)(biased >> shift) - (offset >> shift);
	const int64_t lost = (int64_t)(biased & (uint64_t)(one - 1));
	int64_t up = 0;
	switch (round) {
	case MCH_ROUND_FLOOR:
		break;
	case MCH_ROUND_HALF_UP:
		up = lost >= half;
		break;
	case MCH_ROUND_HALF_AWAY:
		up = lost > half || (lost == half && v >= 0);
		break;
	case MCH_ROUND_HALF_EVEN:
		up = lost > half || (lost == half && (down & 1));
		break;
	case MCH_ROUND_STOCHASTIC: {
		/* The noise is aligned to the top of the lost bits: its low bits fall off, or zeros come in. */
		const int64_t dither = shift >= MCH_NOISE_BITS ? (int64_t)noise << (shift - MCH_NOISE_BITS)
							       : (int64_t)(noise >> (MCH_NOISE_BITS - shift));
		up = lost + dither >= one; /* 48 + 1 bits */
		break;
	}
	}
	return down + up;
}

#endif
