/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Number formats: value = raw * 2^-frac. Host only (a format is a parameter in RTL): no RTL twin.
 * Spec: docs/datapath.md "Formats". */
#ifndef MCH_FXP_FORMAT_H
#define MCH_FXP_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fxp/round_shift.h"

enum {
	MCH_OPERAND_BITS_MAX = 16, /* activations and weights */
	MCH_ACC_BITS_MAX = 48,     /* the accumulator of an FPGA DSP slice */
	MCH_FRAC_LIMIT = 64,       /* |frac| <= 64 */
};

/* "s8.4", "u8.9", "s4.-2": sign, total bits (1..49), fraction bits (may be negative or exceed bits). */
struct mch_format {
	int bits;
	int frac;
	bool is_signed;
};

/* Smallest and largest raw value: -2^(bits-1) .. 2^(bits-1)-1, or 0 .. 2^bits-1. */
static inline int64_t mch_format_min(struct mch_format f)
{
	return f.is_signed ? -(INT64_C(1) << (f.bits - 1)) : 0;
}

static inline int64_t mch_format_max(struct mch_format f)
{
	return (INT64_C(1) << (f.bits - f.is_signed)) - 1;
}

/* raw * 2^-frac; exact, since |raw| < 2^53 and a double's exponent holds every frac allowed. */
double mch_format_real(struct mch_format f, int64_t raw);

/* Real to raw: sat(round(real * 2^frac)), as if the product were exact. A NaN gives 0. Not for the
 * stochastic mode. *saturated, if not NULL, says whether the value was out of range. */
int64_t mch_format_raw(struct mch_format f, double real, enum mch_round round_mode, bool *saturated);

/* Text form into buf (at least 16 bytes); returns buf. */
const char *mch_format_text(struct mch_format f, char *buf);

/* Parses "s8.4", exactly what mch_format_text() writes: no blanks, signs or zeros more. Returns 0, or -1 when the
 * text is no format or out of range (bits 1..49, |frac| <= 64). */
int mch_format_parse(const char *text, struct mch_format *f);

#endif
