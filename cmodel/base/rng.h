/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Seeded generator: splitmix64 (Steele, Lea, Flood 2014); same seed, same numbers on every machine. */
#ifndef MCH_BASE_RNG_H
#define MCH_BASE_RNG_H

#include <stdint.h>

struct mch_rng {
	uint64_t state;
};

static inline struct mch_rng mch_rng_seed(uint64_t seed)
{
	struct mch_rng rng = {seed};
	return rng;
}

/* All 2^64 values, uniform. */
static inline uint64_t mch_rng_next(struct mch_rng *rng)
{
	uint64_t z = (rng->state += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* 0 <= result < n, n > 0; the bias of the multiply method is below n / 2^32. */
static inline uint32_t mch_rng_below(struct mch_rng *rng, uint32_t n)
{
	return (uint32_t)(((mch_rng_next(rng) >> 32) * n) >> 32);
}

/* Uniform in [0, 1), 53 bits. */
static inline double mch_rng_real(struct mch_rng *rng)
{
	return (double)(mch_rng_next(rng) >> 11) * 0x1p-53;
}

/* A generator of its own for every (seed, a, b): no order of use can change a number. */
static inline struct mch_rng mch_rng_stream(uint64_t seed, uint64_t a, uint64_t b)
{
	struct mch_rng rng = mch_rng_seed(seed);
	rng = mch_rng_seed(mch_rng_next(&rng) + a);
	return mch_rng_seed(mch_rng_next(&rng) + b);
}

#endif
