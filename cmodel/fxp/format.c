/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Number formats; see format.h. */
#include "fxp/format.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/require.h"

double mch_format_real(struct mch_format f, int64_t raw)
{
	return ldexp((double)raw, -f.frac);
}

/* Rounds a double to an integral double: the real-valued statement of mch_round_shift. */
static double round_real(double v, enum mch_round round)
{
	double down = floor(v), rest = v - down; /* both exact: |v| < 2^53 or v is integral */
	switch (round) {
	case MCH_ROUND_FLOOR:
		return down;
	case MCH_ROUND_HALF_UP:
		return rest >= 0.5 ? down + 1 : down;
	case MCH_ROUND_HALF_AWAY:
		return rest > 0.5 || (rest == 0.5 && v > 0) ? down + 1 : down;
	case MCH_ROUND_HALF_EVEN:
		return rest > 0.5 || (rest == 0.5 && fmod(down, 2) != 0) ? down + 1 : down;
	case MCH_ROUND_STOCHASTIC:
		break;
	}
	MCH_REQUIRE(0, "a conversion from real has no noise source, so no stochastic mode");
	return 0;
}

int64_t mch_format_raw(struct mch_format f, double real, enum mch_round round, bool *saturated)
{
	double lo = (double)mch_format_min(f), hi = (double)mch_format_max(f);
	double v = isnan(real) ? 0 : round_real(ldexp(real, f.frac), round);
	if (saturated)
		*saturated = v < lo || v > hi;
	return (int64_t)(v < lo ? lo : v > hi ? hi : v);
}

const char *mch_format_text(struct mch_format f, char *buf)
{
	snprintf(buf, 16, "%c%d.%d", f.is_signed ? 's' : 'u', f.bits, f.frac);
	return buf;
}

int mch_format_parse(const char *text, struct mch_format *f)
{
	char sign;
	int bits, frac, used = 0;
	if (strlen(text) > 15 || strpbrk(text, " \t\n+") || sscanf(text, "%c%d.%d%n", &sign, &bits, &frac, &used) != 3)
		return -1;
	if (text[used] || (sign != 's' && sign != 'u') || bits < 1 || bits > MCH_ACC_BITS_MAX + 1 ||
	    abs(frac) > MCH_FRAC_LIMIT)
		return -1;
	*f = (struct mch_format){bits, frac, sign == 's'};
	return 0;
}
