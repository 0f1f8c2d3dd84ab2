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
#include "fxp/number.h"

double mch_format_real(struct mch_format f, int64_t raw)
{
	return ldexp((double)mch_format_integer(f, raw), -f.frac);
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
		return rint(v);
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

/* A real number as an integer and a shift, for mch_format_encode; what is beyond every range or below every step is brought
 * near. */
static int64_t encode_real(struct mch_format f, double real, enum mch_round round_mode, uint32_t noise, bool *saturated)
{
	enum { NEAR = 60 }; /* integers have at most 46 bits */
	int exponent = 0;
	const double mantissa = isinf(real) ? 0 : frexp(real, &exponent); /* 53 bits below the point */
	int shift = 53 - exponent - f.frac;
	mch_int128 v = (mch_int128)ldexp(mantissa, 53);
	if (real == 0 || isinf(real) || exponent + f.frac > NEAR) {
		v = real == 0 ? 0 : real < 0 ? -((mch_int128)1 << NEAR) : (mch_int128)1 << NEAR;
		shift = 0;
	} else if (shift > MCH_ENCODE_SHIFT_MAX) {
		v = real < 0 ? -1 : 1; /* far below half a step */
		shift = MCH_ENCODE_SHIFT_MAX;
	} else if (shift < 0) {
		v *= (mch_int128)1 << -shift; /* at most 60 bits in all */
		shift = 0;
	}
	return mch_format_encode(f, v, shift, round_mode, noise, saturated);
}

int64_t mch_format_raw(struct mch_format f, double real, enum mch_round round_mode, bool *saturated)
{
	bool lost;
	MCH_REQUIRE(round_mode != MCH_ROUND_STOCHASTIC, "a conversion from real has no noise source");
	if (f.number != MCH_FIXED)
		return encode_real(f, isnan(real) ? 0 : real, round_mode, 0, saturated ? saturated : &lost);
	double lo = (double)mch_format_min(f), hi = (double)mch_format_max(f);
	double v = isnan(real) ? 0 : round_real(scaled(real, f.frac), round_mode);
	if (saturated)
		*saturated = v < lo || v > hi;
	return (int64_t)(v < lo ? lo : v > hi ? hi : v);
}

int64_t mch_format_raw_noisy(struct mch_format f, double real, uint32_t noise, bool *saturated)
{
	bool lost;
	return encode_real(f, isnan(real) ? 0 : real, MCH_ROUND_STOCHASTIC, noise, saturated ? saturated : &lost);
}

static const char *const endings[MCH_N_NUMBERS] = {
	[MCH_FIXED] = "",           [MCH_MINIFLOAT] = "",  [MCH_MINIFLOAT_IEEE] = "ieee", [MCH_MINIFLOAT_FN] = "fn",
	[MCH_MINIFLOAT_FLUSH] = "flush", [MCH_POW2] = "", [MCH_POW2_NO_ZERO] = "nz",
};

const char *mch_format_text(struct mch_format f, char *buf)
{
	const char *sign = f.is_signed ? "" : "u", *end = endings[f.number];
	if (f.number == MCH_FIXED)
		snprintf(buf, 16, "%c%d.%d", f.is_signed ? 's' : 'u', f.bits, f.frac);
	else if (f.number == MCH_POW2 || f.number == MCH_POW2_NO_ZERO)
		snprintf(buf, 16, "%sp%d%s.%d", sign, f.bits, end, f.frac);
	else
		snprintf(buf, 16, "%se%dm%d%s.%d", sign, f.exp_bits, f.bits - f.is_signed - f.exp_bits, end, f.frac);
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

/* "e4m3fn", "p4nz", "s8": all before the dot; returns what follows it, or NULL. */
static const char *parse_kind(const char *text, struct mch_format *f)
{
	int mantissa_bits;
	const bool is_unsigned = text[0] == 'u';
	const char *p = text + (is_unsigned && (text[1] == 'e' || text[1] == 'p'));
	const char kind = *p++;
	f->is_signed = !is_unsigned;
	if (kind == 's' || kind == 'u')
		return parse_number(p, &f->bits);
	if (kind == 'e') {
		p = parse_number(p, &f->exp_bits);
		p = p && *p == 'm' ? parse_number(p + 1, &mantissa_bits) : NULL;
		if (!p || f->exp_bits < 1 || f->exp_bits > MCH_EXP_BITS_MAX || mantissa_bits < 0)
			return NULL;
		f->bits = f->is_signed + f->exp_bits + mantissa_bits;
	} else if (kind != 'p' || !(p = parse_number(p, &f->bits)) || f->bits > MCH_POW2_BITS_MAX || f->bits < 2) {
		return NULL;
	}
	/* The longest ending that fits is the one: the empty one comes first in each kind. */
	f->number = kind == 'e' ? MCH_MINIFLOAT : MCH_POW2;
	for (int n = (int)f->number + 1; n <= (kind == 'e' ? MCH_MINIFLOAT_FLUSH : MCH_POW2_NO_ZERO); n++)
		if (strncmp(p, endings[n], strlen(endings[n])) == 0) {
			f->number = (enum mch_number)n;
			return p + strlen(endings[n]);
		}
	return p;
}

int mch_format_parse(const char *text, struct mch_format *f)
{
	struct mch_format found = {0};
	const char *p = parse_kind(text, &found);
	if (!p || *p != '.')
		return -1;
	p = parse_number(p + 1, &found.frac);
	const int most = found.number == MCH_FIXED ? MCH_ACC_BITS_MAX + 1 : MCH_OPERAND_BITS_MAX;
	if (!p || *p || found.bits < 1 || found.bits > most || abs(found.frac) > MCH_FRAC_LIMIT)
		return -1;
	*f = found;
	return 0;
}
