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

void mch_snap(struct mch_format format, enum mch_round round, size_t n_elems, const float *x, float *y, uint8_t *place)
{
	if (format.number == MCH_FIXED && round == MCH_ROUND_HALF_EVEN && format.bits <= MCH_OPERAND_BITS_MAX) {
		snap_even(ldexpf(1, format.frac), ldexpf(1, -format.frac), (float)mch_format_min(format),
			  (float)mch_format_max(format), n_elems, x, y, place);
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
