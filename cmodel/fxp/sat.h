/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* sat: the nearest value that fits; wrap: the value modulo 2^bits.
 * Twin: rtl/mch_sat.v. Spec: docs/datapath.md "sat". */
#ifndef MCH_FXP_SAT_H
#define MCH_FXP_SAT_H

#include <stdbool.h>
#include <stdint.h>

/* Clamps v to `bits` bits, 1..49, signed or unsigned. *saturated tells whether v was outside. */
static inline int64_t mch_sat(int64_t v, int bits, bool is_signed, bool *saturated)
{
	const int64_t hi = (INT64_C(1) << (bits - is_signed)) - 1;
	const int64_t lo = is_signed ? -hi - 1 : 0;
	*saturated = v < lo || v > hi;
	return v < lo ? lo : v > hi ? hi : v;
}

/* The low `bits` bits of v, 1..49, read as two's complement: what a register of that width keeps. */
static inline int64_t mch_wrap(int64_t v, int bits)
{
	const uint64_t sign = UINT64_C(1) << (bits - 1), mask = (sign << 1) - 1;
	return (int64_t)(((uint64_t)v & mask) ^ sign) - (int64_t)sign;
}

/* The same of a code of either sign: of an unsigned one 0 .. 2^bits - 1. */
static inline int64_t mch_wrap_code(int64_t v, int bits, bool is_signed)
{
	return is_signed ? mch_wrap(v, bits) : (int64_t)((uint64_t)v & ((UINT64_C(1) << bits) - 1));
}

#endif
