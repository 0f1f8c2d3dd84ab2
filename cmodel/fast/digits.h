/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Weights as digits of base 256: w = sum of W_j * 256^j, -128 <= W_j < 128. Host only: no RTL twin. */
#ifndef MCH_FAST_DIGITS_H
#define MCH_FAST_DIGITS_H

#include <stddef.h>

#include "fxp/sat.h"

/* Digit j: what is left is a multiple of 256. */
static inline int8_t mch_digit(int32_t w, int j)
{
	for (int i = 0; i < j; i++)
		w = (w - (int32_t)mch_wrap(w, 8)) / 256;
	return (int8_t)mch_wrap(w, 8);
}

/* Digits that all of n weights of 16 bits have. */
static inline int mch_count_digits(const int32_t *w, size_t n)
{
	int digits = 1;
	for (size_t i = 0; i < n; i++) {
		/* Two digits reach from -128 * 257 to 127 * 257 = 32639. */
		if (w[i] > 127 * 257)
			return 3;
		if (w[i] < -128 || w[i] > 127)
			digits = 2;
	}
	return digits;
}

#endif
