/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Float values to those of a format; see snap.h. */
#include "fast/snap.h"

#include <math.h>

#include "fast/clones.h"

/* Products with powers of two are exact: a format's ends are 17 bits, and its unit is 2^-64 to 2^64, so what
 * overflows or underflows a float lies beyond an end, or rounds to 0. Added to 1.5 * 2^23 a number of 17 bits
 * keeps its integer bits, rounded half even; clamped one step behind the ends first, which are integers, it has no
 * more. */
MCH_CLONES
static void snap_even(float unit, float step, float low, float high, size_t n_elems, const float *x, float *y,
		      uint8_t *place)
{
	const float magic = 0x1.8p23f;
	for (size_t i = 0; i < n_elems; i++) {
		float v = x[i] * unit;
		v = v < low - 1 ? low - 1 : v;
		v = v > high + 1 ? high + 1 : v;
		const float rounded = (v + magic) - magic;
		const float kept = rounded < low ? low : rounded > high ? high : rounded;
		const uint8_t at = rounded > high ? MCH_SNAP_ABOVE : rounded < low ? MCH_SNAP_BELOW : MCH_SNAP_INSIDE;
		place[i] = place[i] == MCH_SNAP_HELD ? MCH_SNAP_HELD : at;
		y[i] = kept * step;
	}
}

/* What saturated was cut off. */
static uint8_t place_of(uint8_t before, bool saturated, float kept, float value)
{
	if (before == MCH_SNAP_HELD || !saturated)
		return before == MCH_SNAP_HELD ? MCH_SNAP_HELD : MCH_SNAP_INSIDE;
	return kept < value ? MCH_SNAP_ABOVE : MCH_SNAP_BELOW;
}

/* Rounding is monotone: a format of few codes is a list of the smallest floats that become each. */
enum { CUT_BITS = 8, CUT_CODES = 1 << CUT_BITS, WORTH_CUTS = 8 };

struct cuts {
	int n_codes;
	float value[CUT_CODES]; /* of code lowest + i */
	float cut[CUT_CODES];   /* of code lowest + 1 + i; INFINITY behind the last */
	float first, above;     /* the smallest that does not saturate below; the smallest that does above */
};

/* x becomes a code above c. Behind the last code, and before the first, it is saturation that tells. */
static bool is_over(struct mch_format f, enum mch_round round, int64_t c, float x)
{
	bool saturated;
	const int64_t code = mch_format_raw(f, (double)x, round, &saturated);
	if (c == mch_format_max(f))
		return saturated && code == c;
	return code > c && !(c < mch_format_min(f) && saturated && code == mch_format_min(f));
}

/* The smallest float that is_over; low is not, high is. Mostly it is the middle or high, or the float beside. */
static float find_cut(struct mch_format f, enum mch_round round, int64_t c, float low, float high)
{
	float x = low + (high - low) / 2;
	while (low < x && x < high) {
		if (is_over(f, round, c, x)) {
			high = x;
			x = nextafterf(x, -INFINITY);
		} else {
			low = x;
			x = nextafterf(high, -INFINITY);
		}
		if (low < x && x < high) {
			if (is_over(f, round, c, x))
				high = x;
			else
				low = x;
		}
		x = low + (high - low) / 2;
	}
	return high;
}

static void make_cuts(struct cuts *cuts, struct mch_format f, enum mch_round round)
{
	const int64_t low = mch_format_min(f);
	const int n = (int)(mch_format_max(f) - low) + 1;
	cuts->n_codes = n;
	for (int i = 0; i < n; i++)
		cuts->value[i] = (float)mch_format_real(f, low + i);
	for (int i = 0; i + 1 < n; i++)
		cuts->cut[i] = find_cut(f, round, low + i, cuts->value[i], cuts->value[i + 1]);
	for (int i = n - 1; i < CUT_CODES; i++)
		cuts->cut[i] = INFINITY;
	const float *v = cuts->value, at_first = v[1] - v[0], at_last = v[n - 1] - v[n - 2];
	cuts->first = find_cut(f, round, low - 1, v[0] - 2 * at_first, v[0]);
	cuts->above = find_cut(f, round, low + n - 1, v[n - 1], v[n - 1] + 2 * at_last);
}

MCH_CLONES
static void snap_by_cuts(const struct cuts *cuts, size_t n_elems, const float *x, float *y, uint8_t *place)
{
	const int last = cuts->n_codes - 1;
	int half = 1;
	while (2 * half < cuts->n_codes)
		half *= 2;
	for (size_t i = 0; i < n_elems; i++) {
		const float v = x[i];
		int code = 0;
		for (int step = half; step; step /= 2)
			code += v >= cuts->cut[code + step - 1] ? step : 0;
		code = code < last ? code : last; /* an infinity has passed them all */
		const uint8_t at = v >= cuts->above ? MCH_SNAP_ABOVE : v < cuts->first ? MCH_SNAP_BELOW : MCH_SNAP_INSIDE;
		place[i] = place[i] == MCH_SNAP_HELD ? MCH_SNAP_HELD : at;
		y[i] = isnan(v) ? v : cuts->value[code];
	}
}

void mch_snap(struct mch_format format, enum mch_round round, size_t n_elems, const float *x, float *y, uint8_t *place)
{
	if (format.number == MCH_FIXED && round == MCH_ROUND_HALF_EVEN && format.bits <= MCH_OPERAND_BITS_MAX) {
		snap_even(ldexpf(1, format.frac), ldexpf(1, -format.frac), (float)mch_format_min(format),
			  (float)mch_format_max(format), n_elems, x, y, place);
		return;
	}
	if (format.bits <= CUT_BITS && n_elems >= (size_t)WORTH_CUTS << format.bits) {
		struct cuts cuts;
		make_cuts(&cuts, format, round);
		snap_by_cuts(&cuts, n_elems, x, y, place);
		return;
	}
	for (size_t i = 0; i < n_elems; i++) {
		bool saturated;
		const float value = x[i];
		const int64_t code = mch_format_raw(format, (double)value, round, &saturated);
		y[i] = isnan(value) ? value : (float)mch_format_real(format, code);
		place[i] = place_of(place[i], saturated, y[i], value);
	}
}

void mch_snap_noisy(struct mch_format format, const uint16_t *noise, size_t n_elems, const float *x, float *y,
		    uint8_t *place)
{
	for (size_t i = 0; i < n_elems; i++) {
		bool saturated;
		const float value = x[i];
		const int64_t code = mch_format_raw_noisy(format, (double)value, noise[i], &saturated);
		y[i] = isnan(value) ? value : (float)mch_format_real(format, code);
		place[i] = place_of(place[i], saturated, y[i], value);
	}
}

MCH_CLONES
void mch_snap_backward(size_t n_elems, const uint8_t *place, float *slope)
{
	for (size_t i = 0; i < n_elems; i++) {
		const bool passes = place[i] == MCH_SNAP_INSIDE || (place[i] == MCH_SNAP_ABOVE && slope[i] > 0) ||
				    (place[i] == MCH_SNAP_BELOW && slope[i] < 0);
		slope[i] = passes ? slope[i] : 0;
	}
}
