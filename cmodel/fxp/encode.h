/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* mch_format_encode (number.h) as hardware has it, and of many sums of less than 47 bits with one format and shift.
 * Twin: rtl/mch_encode.v. Spec: docs/datapath.md "encode". */
#ifndef MCH_FXP_ENCODE_H
#define MCH_FXP_ENCODE_H

#include "fxp/number.h"

enum { MCH_ENCODE_NARROW_BITS = 47 };

/* A minifloat's code as memory has it: sign and magnitude, unsigned the magnitude alone. Zero has no sign. */
static inline uint32_t mch_minifloat_memory(struct mch_format f, int64_t code)
{
	return code < 0 ? UINT32_C(1) << (f.bits - 1) | (uint32_t)-code : (uint32_t)code;
}

static inline int32_t mch_minifloat_code(struct mch_format f, uint32_t memory)
{
	const uint32_t sign = f.is_signed ? UINT32_C(1) << (f.bits - 1) : 0;
	return memory & sign ? -(int32_t)(memory ^ sign) : (int32_t)memory;
}

/* What the RTL computes: of a minifloat with a mantissa, |v| <= 2^48, shift up to MCH_SHIFT_MAX. */
static inline uint32_t mch_encode(struct mch_format f, int64_t v, int shift, enum mch_round round, uint32_t noise, bool *saturated)
{
	return mch_minifloat_memory(f, mch_format_encode(f, v, shift, round, noise, saturated));
}

/* Codes from 0 up in runs of one step: the first run, one for each power of two, the last. */
struct mch_encoder {
	int64_t low;       /* magnitudes below are of the first run */
	int64_t end;       /* those from here on of the last, which begins at the largest code */
	int64_t first;     /* code of the first power of two */
	int64_t min, max;  /* codes */
	int shift, m_bits;
	int first_step, last_step; /* log2 */
};

/* Whether there is one: not for fixed point and powers of two without zero, nor left shifts, nor steps beyond 47 bits. */
bool mch_encoder_init(struct mch_encoder *e, struct mch_format f, int shift);

/* |v| < 2^47. The code alone: what saturates is at an end. */
static inline int64_t mch_encode_narrow(const struct mch_encoder *e, int64_t v, enum mch_round round, uint32_t noise)
{
	const int64_t magnitude = v < 0 ? -v : v;
	int64_t code = 0, from = 0;
	int step = e->first_step;
	if (magnitude >= e->end) {
		code = e->max, from = e->end, step = e->last_step;
	} else if (magnitude >= e->low) {
		const int top = 63 - __builtin_clzll((uint64_t)magnitude), octave = top - e->shift - e->m_bits;
		code = e->first + (int64_t)octave * (INT64_C(1) << e->m_bits);
		from = INT64_C(1) << top;
		step = octave + e->shift;
	}
	/* Steps into the run, behind one more when its first code is odd: ties go where they would go among the codes. 47 bits and
	 * a step of as many: 48. */
	const int64_t odd = code & 1, into = magnitude - from + odd * (INT64_C(1) << step);
	const int64_t rounded = mch_round_shift(v < 0 ? -into : into, step, round, noise);
	code = rounded + (v < 0 ? odd - code : code - odd);
	return code < e->min ? e->min : code > e->max ? e->max : code;
}

#endif
