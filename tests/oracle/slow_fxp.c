/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Oracle of fxp/ and of requant; see slow_fxp.h. */
#include "oracle/slow_fxp.h"

#include <math.h>
#include <stdlib.h>

static slow_int power_of_two(int n)
{
	slow_int p = 1;
	while (n-- > 0)
		p = p * 2;
	return p;
}

/* The largest integer that is not above a / b. C's division cuts towards zero. */
static slow_int floor_div(slow_int a, slow_int b)
{
	slow_int q = a / b;
	while (q * b > a)
		q = q - 1;
	return q;
}

/* The two neighbours of the exact quotient are compared by their distances from it: no bit of it is looked at. */
slow_int slow_round_shift(slow_int v, int shift, int mode, uint32_t noise)
{
	if (shift <= 0)
		return v * power_of_two(-shift);
	const slow_int d = power_of_two(shift), below = floor_div(v, d), above = below + 1;
	const slow_int to_below = v - below * d, to_above = above * d - v;
	if (mode == 0)
		return below;
	if (mode == 4)
		return floor_div(v + floor_div(noise * d, 65536), d);
	if (to_below != to_above)
		return to_below < to_above ? below : above;
	if (mode == 1)
		return above;
	if (mode == 2)
		return v < 0 ? below : above;
	if (mode == 3)
		return below % 2 == 0 ? below : above;
	abort();
}

slow_int slow_lowest(int bits, bool is_signed)
{
	return is_signed ? -power_of_two(bits - 1) : 0;
}

slow_int slow_highest(int bits, bool is_signed)
{
	return power_of_two(is_signed ? bits - 1 : bits) - 1;
}

slow_int slow_sat(slow_int v, int bits, bool is_signed, bool *saturated)
{
	*saturated = true;
	if (v < slow_lowest(bits, is_signed))
		return slow_lowest(bits, is_signed);
	if (v > slow_highest(bits, is_signed))
		return slow_highest(bits, is_signed);
	*saturated = false;
	return v;
}

/* The one number that fits and differs from v by a multiple of 2^bits. */
slow_int slow_wrap(slow_int v, int bits)
{
	const slow_int modulus = power_of_two(bits), rest = v - floor_div(v, modulus) * modulus;
	return rest > slow_highest(bits, true) ? rest - modulus : rest;
}

slow_int slow_mac(int bits, bool saturating, slow_int acc, slow_int x, slow_int w, bool *overflowed)
{
	const slow_int sum = acc + x * w, clamped = slow_sat(sum, bits, true, overflowed);
	return saturating ? clamped : slow_wrap(sum, bits);
}

uint32_t slow_lfsr_next(uint32_t state)
{
	/* Stage i holds the coefficient of x^(i+1); what leaves stage 0 is fed back into those of x^16 x^14 x^13
	 * x^11. */
	bool old[16], next[16];
	for (int i = 0; i < 16; i++)
		old[i] = state / (uint32_t)power_of_two(i) % 2;
	for (int i = 0; i < 16; i++) {
		const int exponent = i + 1;
		const bool fed = exponent == 16 || exponent == 14 || exponent == 13 || exponent == 11;
		const bool moved = i < 15 && old[i + 1];
		next[i] = fed && old[0] ? !moved : moved;
	}
	uint32_t result = 0;
	for (int i = 0; i < 16; i++)
		result += next[i] ? (uint32_t)power_of_two(i) : 0;
	return result;
}

uint32_t slow_lfsr_seed(uint32_t seed, int k)
{
	const slow_int mixed = seed ^ (seed / 65536), sum = mixed + (slow_int)0x9e37 * (k + 1);
	const uint32_t state = (uint32_t)(sum % 65536);
	return state == 0 ? 0xace1 : state;
}

slow_int slow_format_raw(int bits, int frac, bool is_signed, double real, int mode, bool *saturated)
{
	int exponent;
	*saturated = false;
	if (isnan(real))
		return 0;
	if (isinf(real)) {
		*saturated = true;
		return real < 0 ? slow_lowest(bits, is_signed) : slow_highest(bits, is_signed);
	}
	/* real = mantissa * 2^exponent with a mantissa of 53 bits: an integer. */
	const slow_int mantissa = (slow_int)(frexp(real, &exponent) * 0x1p53);
	int shift = 53 - exponent - frac;
	/* Beyond 2^53 every mantissa but 0 is outside all formats; below 2^-47 all are alike, tiny and not 0. */
	shift = shift < -53 ? -53 : shift > 100 ? 100 : shift;
	return slow_sat(slow_round_shift(mantissa, shift, mode, 0), bits, is_signed, saturated);
}

double slow_format_real(int frac, slow_int raw)
{
	double real = (double)raw;
	for (; frac > 0; frac--)
		real = real / 2;
	for (; frac < 0; frac++)
		real = real * 2;
	return real;
}

slow_int slow_requant(int bits, bool is_signed, bool relu, int mode, slow_int acc, slow_int bias, int shift,
		      uint32_t noise, bool *saturated)
{
	slow_int sum = acc + bias;
	if (relu && sum < 0)
		sum = 0;
	return slow_sat(slow_round_shift(sum, shift, mode, noise), bits, is_signed, saturated);
}
