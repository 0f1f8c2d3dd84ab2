/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* mac: acc + x * w in a stated width. One step of a dot product.
 * Twin: rtl/mch_mac.v (a row of them). Spec: docs/datapath.md "mac". */
#ifndef MCH_FXP_MAC_H
#define MCH_FXP_MAC_H

#include <stdbool.h>
#include <stdint.h>

#include "fxp/sat.h"

/* The numbers are those of the RTL parameter ACC_SAT. */
enum mch_overflow { MCH_WRAP = 0, MCH_SATURATE = 1 };

/* An accumulator: two's complement of 2..48 bits. */
struct mch_acc {
	int bits;
	enum mch_overflow overflow;
};

/* acc + addend, brought into the accumulator's width. acc within its width, |addend| < 2^62: exact in int64.
 * *overflowed tells whether the exact sum did not fit. */
static inline int64_t mch_acc_add(struct mch_acc cfg, int64_t acc, int64_t addend, bool *overflowed)
{
	const int64_t sum = acc + addend;
	const int64_t kept = mch_sat(sum, cfg.bits, true, overflowed);
	return cfg.overflow == MCH_SATURATE ? kept : mch_wrap(sum, cfg.bits);
}

/* x: up to 16 bits of either sign, so 17 signed; w: |w| <= 2^15. Product: |x * w| < 2^31, 32 bits. */
static inline int64_t mch_mac(struct mch_acc cfg, int64_t acc, int32_t x, int32_t w, bool *overflowed)
{
	return mch_acc_add(cfg, acc, (int64_t)x * w, overflowed);
}

#endif
