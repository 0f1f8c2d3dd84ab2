/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Stimulus: numbers crowded at the corners, where datapaths break, and random stalls. Holds no expected values.
 * (Of 2,000,000 uniform cases none told ties-up from ties-to-even in a requantizer of 32 bits; of such as these, one
 * in 980 does.) */
#ifndef MCH_SIM_STIMULUS_H
#define MCH_SIM_STIMULUS_H

#include <cstdint>

extern "C" {
#include "base/rng.h"
}

namespace mch_sim {

/* An own generator for each case (or group of cases), so that any of them can be repeated alone. */
inline mch_rng case_rng(uint64_t seed, uint64_t number)
{
	mch_rng mix = mch_rng_seed(seed);
	mch_rng rng = mch_rng_seed(mch_rng_next(&mix) ^ (number * UINT64_C(0xd1342543de82ef95)));
	mch_rng_next(&rng);
	return rng;
}

inline bool chance(mch_rng *rng, int percent)
{
	return percent > 0 && mch_rng_below(rng, 100) < static_cast<uint32_t>(percent);
}

/* The rails of a width of 1..64 bits, unsigned at most 63. */
inline int64_t high_code(int bits, bool is_signed)
{
	return static_cast<int64_t>((UINT64_C(1) << (bits - is_signed)) - 1);
}

inline int64_t low_code(int bits, bool is_signed)
{
	return is_signed ? -high_code(bits, true) - 1 : 0;
}

/* v itself, or the nearest code of the width: stimulus that was aimed past the rails lands on them. */
inline int64_t into_range(int64_t v, int bits, bool is_signed)
{
	const int64_t low = low_code(bits, is_signed), high = high_code(bits, is_signed);
	return v < low ? low : v > high ? high : v;
}

/* A code: a rail or its neighbours, a power of two or its neighbours, of a random magnitude, or uniform. The sums are
 * unsigned, which wraps where 64 bits end. */
inline int64_t corner(mch_rng *rng, int bits, bool is_signed)
{
	const uint64_t any = mch_rng_next(rng) >> (64 - bits), sign = mch_rng_next(rng) & 1;
	const uint64_t near = mch_rng_below(rng, 3), low = static_cast<uint64_t>(low_code(bits, is_signed));
	const uint32_t place = mch_rng_below(rng, static_cast<uint32_t>(bits));
	uint64_t v;
	switch (mch_rng_below(rng, 6)) {
	case 0:
		v = low + near;
		break;
	case 1:
		v = static_cast<uint64_t>(high_code(bits, is_signed)) - near;
		break;
	case 2:
		v = sign ? 0 - near : near;
		break;
	case 3:
		v = (UINT64_C(1) << place) + near - 1;
		v = sign ? 0 - v : v;
		break;
	case 4:
		v = sign ? 0 - (any >> place) : any >> place;
		break;
	default:
		v = any + low;
		break;
	}
	return into_range(static_cast<int64_t>(v), bits, is_signed);
}

/* A number that sits on, or one beside, a rounding step of `shift` places next to `code`: a tie, or a whole code. */
inline int64_t tie(mch_rng *rng, int64_t code, int shift)
{
	const int beside = static_cast<int>(mch_rng_below(rng, 3)) - 1;
	if (shift <= 0) /* exact: there are no ties, only codes */
		return code >= 0 ? code >> -shift : -(-code >> -shift);
	const int64_t limit = INT64_C(1) << (61 - shift), half = INT64_C(1) << (shift - 1);
	const int64_t kept = code < -limit ? -limit : code > limit ? limit : code;
	return kept * (INT64_C(1) << shift) + (chance(rng, 75) ? half : 0) + beside;
}

} // namespace mch_sim

#endif
