/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* How a minifloat's bits are split into exponent and mantissa. Host only: no RTL twin. */
#ifndef MCH_QUANT_EXPONENT_H
#define MCH_QUANT_EXPONENT_H

#include "quant/static.h"

/* The exponent bits, of 1 .. MCH_EXP_BITS_MAX, with the least mean, over the items, of the squared error relative to the squares of
 * the values, each item with the fraction that its rule chooses; on a tie the fewest. The exponents of the items' shapes are not
 * looked at. */
int mch_exponent_choose(const struct mch_static_item *items, int n);

/* Ristretto's rule: the fewest with which an exponent of the standard bias, 2^(E-1) - 1, reaches the largest magnitude, and 4 at least;
 * a range of 2 or less needs no more (in Ristretto its logarithm's logarithm is no number). */
int mch_exponent_of_range(double largest);

#endif
