/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* mch_format_encode (number.h) of many sums of less than 47 bits with one format and shift. Host only: no RTL twin.
 * Spec: docs/datapath.md "number". */
#ifndef MCH_FXP_ENCODE_H
#define MCH_FXP_ENCODE_H

#include "fxp/number.h"

enum { MCH_ENCODE_NARROW_BITS = 47 };

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
