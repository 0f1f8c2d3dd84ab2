/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Number formats; see format.h. */
#include "fxp/format.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/require.h"

double mch_format_real(struct mch_format f, int64_t raw)
{
	return ldexp((double)raw, -f.frac);
}

/* Rounds a double to an integral double: the real-valued statement of mch_round_shift. v - floor(v) is exact except
 * for -1/2 < v < 0, where it may be rounded, but never from above 1/2 to below; half_away, which would have to tell
 * the two apart, is round() of C. */
static double round_real(double v, enum mch_round round_mode)
{
	const double down = floor(v), rest = v - down;
	switch (round_mode) {
	case MCH_ROUND_FLOOR:
		return down;
	case MCH_ROUND_HALF_UP:
		return rest >= 0.5 ? down + 1 : down;
	case MCH_ROUND_HALF_AWAY:
		return round(v);
	case MCH_ROUND_HALF_EVEN:
		return rest > 0.5 || (rest == 0.5 && fmod(down, 2) != 0) ? down + 1 : down;
	case MCH_ROUND_STOCHASTIC:
		break;
	}
	MCH_REQUIRE(0, "a conversion from real has no noise source, so no stochastic mode");
	return 0;
}

/* real * 2^frac. A number so small that the product would be 0 keeps its sign: its floor is 0 or -1. */
static double scaled(double real, int frac)
{
	const double v = ldexp(real, frac);
	return v == 0 && real != 0 ? copysign(DBL_MIN, real) : v;
}

int64_t mch_format_raw(struct mch_format f, double real, enum mch_round round_mode, bool *saturated)
{
	double lo = (double)mch_format_min(f), hi = (double)mch_format_max(f);
	double v = isnan(real) ? 0 : round_real(scaled(real, f.frac), round_mode);
	if (saturated)
		*saturated = v < lo || v > hi;
	return (int64_t)(v < lo ? lo : v > hi ? hi : v);
}

const char *mch_format_text(struct mch_format f, char *buf)
{
	snprintf(buf, 16, "%c%d.%d", f.is_signed ? 's' : 'u', f.bits, f.frac);
	return buf;
}

/* One decimal number of at most 3 digits, perhaps negative; returns what follows it, or NULL. */
static const char *parse_number(const char *text, int *number)
{
	const bool negative = *text == '-';
	const char *digits = text + negative;
	const size_t n = strspn(digits, "0123456789");
	if (n < 1 || n > 3 || (digits[0] == '0' && (n > 1 || negative)))
		return NULL;
	*number = 0;
	for (size_t i = 0; i < n; i++)
		*number = 10 * *number + (digits[i] - '0');
	*number = negative ? -*number : *number;
	return digits + n;
}

int mch_format_parse(const char *text, struct mch_format *f)
{
	int bits, frac;
	if (text[0] != 's' && text[0] != 'u')
		return -1;
	const char *p = parse_number(text + 1, &bits);
	if (!p || *p != '.')
		return -1;
	p = parse_number(p + 1, &frac);
	if (!p || *p || bits < 1 || bits > MCH_ACC_BITS_MAX + 1 || abs(frac) > MCH_FRAC_LIMIT)
		return -1;
	*f = (struct mch_format){bits, frac, text[0] == 's'};
	return 0;
}
