/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Exact sums wider than 63 bits. Host only: no RTL twin. Spec: docs/datapath.md "wide". */
#ifndef MCH_FXP_WIDE_H
#define MCH_FXP_WIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "fxp/mac.h"

/* An exact sum of products of minifloats: two integers of 46 bits and 2^18 terms. A type of GCC and Clang; the name keeps
 * -pedantic quiet, and is the one that stands for a type. */
__extension__ typedef __int128 mch_int128;

enum {
	MCH_WIDE_BITS_MAX = 108, /* of an accumulator: with its bias 109, which mch_format_encode takes */
	MCH_WIDE_TEXT = 48,
};

/* acc + addend, exact, brought into the accumulator's width, 2..MCH_WIDE_BITS_MAX, as mch_acc_add does. |addend| < 2^108. */
mch_int128 mch_wide_add(struct mch_acc cfg, mch_int128 acc, mch_int128 addend, bool *overflowed);

/* The smallest two's complement that holds both, from 2 bits up. */
int mch_wide_bits(mch_int128 low, mch_int128 high);

/* sat(round(real * 2^frac)) in `bits` bits signed, half even, the product exact; |frac| <= 128. What mch_format_raw is for an
 * operand, for a bias in a wide accumulator. real comes from a float. */
mch_int128 mch_wide_raw(double real, int frac, int bits, bool *saturated);

double mch_wide_real(mch_int128 v);

/* Decimal text into buf (MCH_WIDE_TEXT bytes); returns a place in buf. */
const char *mch_wide_text(mch_int128 v, char *buf);

/* What mch_wide_text writes, of at most 120 bits. 0, or -1. */
int mch_wide_parse(const char *text, mch_int128 *v);

#endif
