/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Oracle of the number kinds; see slow_number.h. */
#include "oracle/slow_number.h"

#include <stdlib.h>

enum { FIXED, MINIFLOAT, IEEE, FN, FLUSH, POW2, POW2_NO_ZERO };

static int64_t power(int n)
{
	int64_t p = 1;
	while (n-- > 0)
		p = p + p;
	return p;
}

/* The positive ones of a minifloat: exponent by exponent, mantissa by mantissa, in units of the smallest step. */
static int positive_minifloats(int kind, int exp_bits, int mantissa_bits, int64_t *list)
{
	int n = 0;
	const int64_t n_mantissas = power(mantissa_bits), n_exponents = power(exp_bits);
	for (int64_t e = 0; e < n_exponents; e++)
		for (int64_t m = 0; m < n_mantissas; m++) {
			const bool is_last_exponent = e == n_exponents - 1;
			if (kind == IEEE && is_last_exponent)
				continue;
			if (kind == FN && is_last_exponent && m == n_mantissas - 1)
				continue;
			if (e == 0 && (m == 0 || kind == FLUSH))
				continue;
			/* (1 + m / 2^M) * 2^(e - 1) and (m / 2^M) * 2^0, times 2^M. */
			list[n++] = e == 0 ? m : (n_mantissas + m) * power((int)e - 1);
		}
	return n;
}

int slow_number_list(int kind, int bits, int exp_bits, bool is_signed, int64_t *list, int64_t *code_of_first)
{
	static int64_t positive[65536];
	int n_positive = 0, n = 0;
	bool has_zero = true;
	if (kind == POW2)
		for (int64_t c = 1; c < power(bits - is_signed); c++)
			positive[n_positive++] = power((int)c - 1);
	else if (kind == POW2_NO_ZERO) {
		has_zero = false;
		for (int64_t c = 0; c < power(bits - is_signed); c++)
			positive[n_positive++] = power((int)c);
	} else {
		n_positive = positive_minifloats(kind, exp_bits, bits - is_signed - exp_bits, positive);
	}
	for (int i = n_positive - 1; is_signed && i >= 0; i--)
		list[n++] = -positive[i];
	*code_of_first = -n;
	if (has_zero)
		list[n++] = 0;
	for (int i = 0; i < n_positive; i++)
		list[n++] = positive[i];
	return n;
}

int slow_number_place(const int64_t *list, int n, int64_t code_of_first, slow_int v, int shift, int mode,
		      uint32_t noise)
{
	slow_int unit = 1;
	for (int i = 0; i < shift; i++)
		unit = unit * 2;
	for (int i = shift; i < 0; i++)
		v = v * 2;
	/* A step beyond each end, as large as the last one. */
	for (int i = -1; i < n; i++) {
		const slow_int below = unit * (i < 0 ? 2 * (slow_int)list[0] - list[1] : list[i]);
		const slow_int above = unit * (i == n - 1 ? 2 * (slow_int)list[n - 1] - list[n - 2] : list[i + 1]);
		if (v <= below && i < 0)
			return -1;
		if (v < below || v >= above)
			continue;
		const slow_int to_below = v - below, to_above = above - v;
		if (to_below == 0 || mode == 0)
			return i;
		if (mode == 4) {
			/* noise / 2^16 of the step, whole units. */
			const slow_int dither = (slow_int)noise * (above - below) / 65536;
			return to_below + dither >= above - below ? i + 1 : i;
		}
		if (to_below != to_above)
			return to_below < to_above ? i : i + 1;
		if (mode == 1)
			return i + 1;
		if (mode == 2)
			return v < 0 ? i : i + 1;
		return (code_of_first + i) % 2 == 0 ? i : i + 1;
	}
	return n;
}
