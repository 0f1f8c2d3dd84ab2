/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* lfsr: the noise of stochastic rounding, 16 bits a step.
 * Twin: rtl/mch_lfsr.v. Spec: docs/datapath.md "lfsr". */
#ifndef MCH_FXP_LFSR_H
#define MCH_FXP_LFSR_H

#include <stdint.h>

/* Galois form, right shift, polynomial x^16 + x^14 + x^13 + x^11 + 1 (mask 0xb400): period 65535. */
static inline uint16_t mch_lfsr_next(uint16_t state)
{
	return (uint16_t)((state >> 1) ^ ((state & 1) ? 0xb400u : 0u));
}

/* The state that output channel k starts from, for every image and layer: never 0, the one state that
 * the register cannot leave. Knuth's multiplicative step (golden ratio, 16 bits) spreads the channels. */
static inline uint16_t mch_lfsr_seed(uint32_t seed, int k)
{
	const uint16_t state = (uint16_t)((seed ^ (seed >> 16)) + 0x9e37u * (uint32_t)(k + 1));
	return state ? state : 0xace1u;
}

#endif
