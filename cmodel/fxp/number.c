/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The kinds of numbers: codes to integers and back; see format.h and number.h. Host only: no RTL twin. */
#include "fxp/number.h"

#include "base/require.h"
#include "fxp/encode.h"
#include "fxp/sat.h"

static int mantissa_bits(struct mch_format f)
{
	return f.bits - f.is_signed - f.exp_bits;
}

int64_t mch_number_max(struct mch_format f)
{
	const int64_t all = (INT64_C(1) << (f.bits - f.is_signed)) - 1;
	switch (f.number) {
	case MCH_MINIFLOAT_IEEE:
		return all - (INT64_C(1) << mantissa_bits(f));
	case MCH_MINIFLOAT_FN:
		return all - 1;
	case MCH_MINIFLOAT_FLUSH: /* exponent 0 has one number, 0 */
		return all + 1 - (INT64_C(1) << mantissa_bits(f));
	default:
		return all;
	}
}

bool mch_format_is_operand(struct mch_format f)
{
	switch (f.number) {
	case MCH_FIXED:
		return f.bits >= 1 && f.bits <= MCH_OPERAND_BITS_MAX;
	case MCH_MINIFLOAT:
	case MCH_MINIFLOAT_IEEE:
	case MCH_MINIFLOAT_FN:
	case MCH_MINIFLOAT_FLUSH:
		return f.exp_bits >= 1 && f.exp_bits <= MCH_EXP_BITS_MAX && f.bits <= MCH_OPERAND_BITS_MAX &&
		       mantissa_bits(f) >= 0 && mch_number_max(f) > 0;
	case MCH_POW2:
	case MCH_POW2_NO_ZERO:
		return f.bits >= 2 && f.bits - f.is_signed < MCH_POW2_BITS_MAX && f.bits <= MCH_POW2_BITS_MAX;
	case MCH_N_NUMBERS:
		break;
	}
	return false;
}

/* Of a minifloat's code >= 0. Exponents up to 31 and mantissas up to 15 bits (bits 16, E 1): with E 5 at most
 * 1 + 11 + 30 bits. */
static int64_t minifloat(struct mch_format f, int64_t code)
{
	const int m_bits = mantissa_bits(f);
	const bool is_flushed = f.number == MCH_MINIFLOAT_FLUSH;
	if (is_flushed && code == 0)
		return 0;
	const int64_t pattern = is_flushed ? code - 1 : code, exponent = pattern >> m_bits;
	const int64_t one = INT64_C(1) << m_bits, mantissa = pattern & (one - 1);
	if (!is_flushed && exponent == 0)
		return mantissa;
	return (one + mantissa) * (INT64_C(1) << (is_flushed ? exponent : exponent - 1));
}

int64_t mch_format_integer(struct mch_format f, int64_t code)
{
	switch (f.number) {
	case MCH_FIXED:
		return code;
	case MCH_POW2:
		return code == 0 ? 0 : code > 0 ? INT64_C(1) << (code - 1) : -(INT64_C(1) << (-code - 1));
	case MCH_POW2_NO_ZERO:
		return code >= 0 ? INT64_C(1) << code : -(INT64_C(1) << (-1 - code));
	default:
		return code < 0 ? -minifloat(f, -code) : minifloat(f, code);
	}
}

/* mch_round_shift for a v of more bits whose result has at most 18: of the part that is lost, what lies below its 30 highest
 * bits only tells "some" from "none". 30 are enough for every rule: a tie needs one, the noise has 16. 18 + 30 = 48 bits.
 * The offset, a multiple of 2^excess, makes |v| < 2^125 positive, so that no negative number is shifted. */
static int64_t round_wide(mch_int128 v, int shift, enum mch_round round_mode, uint32_t noise)
{
	if (shift <= 30)
		return mch_round_shift((int64_t)v, shift, round_mode, noise);
	enum { OFFSET_BITS = 125 };
	const int excess = shift - 30;
	const mch_int128 biased = v + ((mch_int128)1 << OFFSET_BITS), unit = (mch_int128)1 << excess;
	const mch_int128 kept = (biased >> excess) - ((mch_int128)1 << (OFFSET_BITS - excess));
	return mch_round_shift((int64_t)kept | ((biased & (unit - 1)) != 0), 30, round_mode, noise);
}

/* The largest code whose integer is at most v / 2^shift; v is not below the lowest. */
static int64_t lower_code(struct mch_format f, mch_int128 v, int shift)
{
	int64_t low = mch_format_min(f), high = mch_format_max(f);
	while (low < high) {
		const int64_t middle = low + (high - low + 1) / 2;
		if ((mch_int128)mch_format_integer(f, middle) * ((mch_int128)1 << shift) <= v)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

static int log2_of(int64_t power)
{
	int n = 0;
	while (power > 1) {
		power /= 2;
		n++;
	}
	return n;
}

static int64_t fixed(struct mch_format f, mch_int128 v, int shift, enum mch_round round_mode, uint32_t noise,
		     bool *saturated)
{
	/* Far outside, where 18 bits would not do: the end of the range, whatever the rounding. */
	const mch_int128 far = (mch_int128)1 << (f.bits + (shift > 0 ? shift : 0) + 1);
	if (v >= far || v <= -far) {
		*saturated = true;
		return v < 0 ? mch_format_min(f) : mch_format_max(f);
	}
	return mch_sat(round_wide(v, shift, round_mode, noise), f.bits, f.is_signed, saturated);
}

/* Of powers of two without zero, whose codes -1 and 0 stand on both sides of it: among so few codes a search does. */
static int64_t search(struct mch_format f, mch_int128 v, int shift, enum mch_round round_mode, uint32_t noise,
		      bool *saturated)
{
	const mch_int128 unit = (mch_int128)1 << shift;
	const int64_t min = mch_format_min(f), max = mch_format_max(f);
	/* Below the lowest code the first step goes on: one step more is as good as any. */
	const int64_t at_min = mch_format_integer(f, min), step_min = mch_format_integer(f, min + 1) - at_min;
	const int64_t at_max = mch_format_integer(f, max), step_max = at_max - mch_format_integer(f, max - 1);
	int64_t code, at, step;
	if (v < at_min * unit) {
		const mch_int128 lowest = (at_min - step_min) * unit;
		code = min - 1, at = at_min - step_min, step = step_min;
		v = v < lowest ? lowest : v;
	} else {
		code = lower_code(f, v, shift);
		at = mch_format_integer(f, code);
		step = code < max ? mch_format_integer(f, code + 1) - at : step_max;
		if (code == max && v > (at_max + step_max) * unit)
			v = (at_max + step_max) * unit;
	}
	/* A number between two multiples of the step, of the code's parity and v's sign: ties go where they would go there. */
	const int log2_step = log2_of(step) + shift;
	const int64_t base = (code & 1) - (v < 0 ? 2 : 0);
	const mch_int128 place = base * ((mch_int128)1 << log2_step) + (v - at * unit);
	const int64_t rounded = code + round_wide(place, log2_step, round_mode, noise) - base;
	*saturated = rounded < min || rounded > max;
	return rounded < min ? min : rounded > max ? max : rounded;
}

/* A run of codes, from the one of magnitude `from` on, with one step. */
struct run {
	int64_t code;
	mch_int128 from;
	int log2_step;
};

/* floor(log2(v)), v > 0. */
static int log2_wide(mch_int128 v)
{
	const uint64_t high = (uint64_t)(v >> 64);
	return high ? 127 - __builtin_clzll(high) : 63 - __builtin_clzll((uint64_t)v);
}

/* The run that a magnitude lies in, everything in units of 2^-shift: codes 0 and up with the first step, then for each power of two
 * as many codes as mantissas. The last run begins at the largest code and goes on. */
static struct run run_at(struct mch_format f, mch_int128 magnitude, int shift)
{
	const int m_bits = f.number == MCH_POW2 ? 0 : mantissa_bits(f);
	const bool is_flushed = f.number == MCH_MINIFLOAT_FLUSH || f.number == MCH_POW2;
	const int64_t max = mch_format_max(f), at_max = mch_format_integer(f, max);
	const mch_int128 unit = (mch_int128)1 << shift, end = at_max * unit;
	if (magnitude >= end)
		return (struct run){max, end, log2_wide(at_max - mch_format_integer(f, max - 1)) + shift};
	if (magnitude < unit << m_bits)
		return (struct run){0, 0, shift + (is_flushed ? m_bits : 0)};
	const int octave = log2_wide(magnitude) - shift - m_bits; /* 0: the first with all mantissas */
	const int64_t one = INT64_C(1) << m_bits;
	return (struct run){is_flushed ? 1 + octave * one : (octave + 1) * one, unit << (octave + m_bits), octave + shift};
}

int64_t mch_format_encode(struct mch_format f, mch_int128 v, int shift, enum mch_round round_mode, uint32_t noise,
			  bool *saturated)
{
	MCH_REQUIRE(shift >= MCH_SHIFT_MIN && shift <= MCH_ENCODE_SHIFT_MAX, "a shift has its range");
	MCH_REQUIRE(f.bits <= MCH_OPERAND_BITS_MAX, "codes are operands");
	if (f.number == MCH_FIXED)
		return fixed(f, v, shift, round_mode, noise, saturated);
	if (shift < 0) {
		v *= (mch_int128)1 << -shift;
		shift = 0;
	}
	if (f.number == MCH_POW2_NO_ZERO)
		return search(f, v, shift, round_mode, noise, saturated);
	const int sign = v < 0 ? -1 : 1;
	const int64_t min = mch_format_min(f), max = mch_format_max(f);
	const struct run run = run_at(f, v * sign, shift);
	/* How far into the run, behind a number of steps that has the parity of the run's first code and v's sign: ties go where they
	 * would go there. Beyond the largest code, a step is as good as many. */
	const mch_int128 step = (mch_int128)1 << run.log2_step, far = (run.code & 1) + (INT64_C(1) << 17);
	const mch_int128 into = v * sign - run.from + (run.code & 1) * step;
	const mch_int128 place = into < far * step ? into : far * step;
	const int64_t rounded = sign * (run.code - (run.code & 1)) + round_wide(sign * place, run.log2_step, round_mode, noise);
	*saturated = rounded < min || rounded > max;
	return rounded < min ? min : rounded > max ? max : rounded;
}

bool mch_encoder_init(struct mch_encoder *e, struct mch_format f, int shift)
{
	const bool is_flushed = f.number == MCH_MINIFLOAT_FLUSH || f.number == MCH_POW2;
	if (f.number == MCH_FIXED || f.number == MCH_POW2_NO_ZERO || shift < 0)
		return false;
	const int m_bits = f.number == MCH_POW2 ? 0 : mantissa_bits(f);
	const int64_t max = mch_format_max(f), at_max = mch_format_integer(f, max);
	const int last_step = log2_wide(at_max - mch_format_integer(f, max - 1)) + shift;
	if (m_bits + shift > MCH_ENCODE_NARROW_BITS)
		return false;
	*e = (struct mch_encoder){.low = INT64_C(1) << (m_bits + shift), .end = INT64_MAX,
				  .first = is_flushed ? 1 : INT64_C(1) << m_bits, .min = mch_format_min(f), .max = max,
				  .shift = shift, .m_bits = m_bits, .first_step = shift + (is_flushed ? m_bits : 0),
				  .last_step = last_step};
	if (log2_wide(at_max) + shift < MCH_ENCODE_NARROW_BITS) /* else the last run is out of reach */
		e->end = at_max * (INT64_C(1) << shift);
	return true;
}
