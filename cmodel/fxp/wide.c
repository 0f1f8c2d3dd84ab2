/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Exact sums wider than 63 bits; see wide.h. */
#include "fxp/wide.h"

#include <math.h>
#include <string.h>

static mch_int128 power(int n)
{
	return (mch_int128)1 << n;
}

mch_int128 mch_wide_add(struct mch_acc cfg, mch_int128 acc, mch_int128 addend, bool *overflowed)
{
	const mch_int128 sum = acc + addend, half = power(cfg.bits - 1);
	*overflowed = sum < -half || sum >= half;
	if (!*overflowed)
		return sum;
	if (cfg.overflow == MCH_SATURATE)
		return sum < 0 ? -half : half - 1;
	const mch_int128 rest = (sum + half) % (2 * half);
	return rest < 0 ? rest + half : rest - half;
}

int mch_wide_bits(mch_int128 low, mch_int128 high)
{
	int bits = 2;
	while (low < -power(bits - 1) || high >= power(bits - 1))
		bits++;
	return bits;
}

/* A float has 24 bits and a double's exponents reach further than 2^(-149 - 128) and 2^(128 + 128): the product is exact, and an
 * integer where it is too large for rint to be one. */
mch_int128 mch_wide_raw(double real, int frac, int bits, bool *saturated)
{
	const double v = isnan(real) ? 0 : rint(ldexp(real, frac)), end = ldexp(1, bits - 1);
	*saturated = v < -end || v >= end;
	if (*saturated)
		return v < 0 ? -power(bits - 1) : power(bits - 1) - 1;
	return (mch_int128)v;
}

double mch_wide_real(mch_int128 v)
{
	return (double)v;
}

const char *mch_wide_text(mch_int128 v, char *buf)
{
	const bool is_negative = v < 0;
	char *at = buf + MCH_WIDE_TEXT - 1;
	*at = '\0';
	do {
		const int digit = (int)(v % 10);
		*--at = (char)('0' + (digit < 0 ? -digit : digit));
		v /= 10;
	} while (v != 0);
	if (is_negative)
		*--at = '-';
	return at;
}

int mch_wide_parse(const char *text, mch_int128 *v)
{
	const bool is_negative = *text == '-';
	const char *digits = text + is_negative;
	const size_t n = strspn(digits, "0123456789");
	/* 36 digits are less than 2^120. */
	if (n < 1 || n > 36 || digits[n] != '\0' || (digits[0] == '0' && (n > 1 || is_negative)))
		return -1;
	*v = 0;
	for (size_t i = 0; i < n; i++)
		*v = 10 * *v + (digits[i] - '0');
	*v = is_negative ? -*v : *v;
	return 0;
}
