/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Number formats: value = raw * 2^-frac. Host only (a format is a parameter in RTL): no RTL twin.
 * Spec: docs/datapath.md "Formats". */
#ifndef MCH_FXP_FORMAT_H
#define MCH_FXP_FORMAT_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fxp/round_shift.h"

enum {
	MCH_OPERAND_BITS_MAX = 16, /* activations and weights */
	MCH_ACC_BITS_MAX = 48,     /* the accumulator of an FPGA DSP slice */
	MCH_FRAC_LIMIT = 64,       /* |frac| <= 64 */
	MCH_EXP_BITS_MAX = 5,      /* of a minifloat: then its integers have at most 46 bits */
	MCH_POW2_BITS_MAX = 5,     /* 16 exponents */
};

/* What the integer of a code is. A code ("raw") is always an ordinal: a larger code is a larger value, so that ReLU, maximum and
 * comparison work on codes of every kind, and code 0 is the value 0 (but for POW2_NO_ZERO). value = integer * 2^-frac, and
 * integer(-code) = -integer(code). Of a minifloat, with E = exp_bits, M = bits - is_signed - E, and exponent and mantissa the
 * high E and low M bits of the code: */
enum mch_number {
	MCH_FIXED,           /* the code itself */
	MCH_MINIFLOAT,       /* exponent 0 (subnormal): mantissa, else (2^M + mantissa) * 2^(exponent - 1) */
	MCH_MINIFLOAT_IEEE,  /* the same without the last exponent, which IEEE 754 (and OCP E5M2) keeps for infinities and NaN */
	MCH_MINIFLOAT_FN,    /* the same without the last code alone, the NaN of OCP E4M3 */
	MCH_MINIFLOAT_FLUSH, /* no subnormals, as Ristretto: 0, and of code - 1: (2^M + mantissa) * 2^exponent */
	MCH_POW2,            /* 0, and 2^(code - 1) */
	MCH_POW2_NO_ZERO,    /* as Ristretto: 2^code for code >= 0, -2^(-1 - code) below */
	MCH_N_NUMBERS
};

/* "s8.4", "u8.9", "s4.-2": sign, total bits (1..49), fraction bits (may be negative or exceed bits). The other kinds are
 * signed, see mch_format_text. */
struct mch_format {
	int bits;
	int frac;
	bool is_signed;
	enum mch_number number;
	int exp_bits; /* of a minifloat, 1 .. MCH_EXP_BITS_MAX, so that M >= 0 */
};

static inline bool mch_number_is_minifloat(enum mch_number number)
{
	return number >= MCH_MINIFLOAT && number <= MCH_MINIFLOAT_FLUSH;
}

/* A format that activations and weights may have, its frac apart: 1 to 16 bits, an exponent that the kind can have and a code
 * above 0. */
bool mch_format_is_operand(struct mch_format f);

/* Largest code of a kind that is not fixed. */
int64_t mch_number_max(struct mch_format f);

/* Smallest and largest code. Fixed: -2^(bits-1) .. 2^(bits-1)-1, or 0 .. 2^bits-1. Minifloats and powers of two are
 * symmetric (unsigned, behind a ReLU: from 0), but for POW2_NO_ZERO, which has the codes of fixed. */
static inline int64_t mch_format_min(struct mch_format f)
{
	if (f.number != MCH_FIXED && f.number != MCH_POW2_NO_ZERO)
		return f.is_signed ? -mch_number_max(f) : 0;
	return f.is_signed ? -(INT64_C(1) << (f.bits - 1)) : 0;
}

static inline int64_t mch_format_max(struct mch_format f)
{
	if (f.number != MCH_FIXED && f.number != MCH_POW2_NO_ZERO)
		return mch_number_max(f);
	return (INT64_C(1) << (f.bits - f.is_signed)) - 1;
}

/* The integer of a code: value = integer * 2^-frac. |integer| < 2^46, fixed < 2^49. */
int64_t mch_format_integer(struct mch_format f, int64_t code);

/* integer * 2^-frac; exact, since |integer| < 2^53 and a double's exponent holds every frac allowed. */
double mch_format_real(struct mch_format f, int64_t raw);

/* Real to code: sat(round(real * 2^frac)), as if the product were exact; of the other kinds the neighbour that
 * mch_format_encode (fxp/number.h) would choose. A NaN gives 0. Not for the stochastic mode. *saturated, if not NULL, says whether the value
 * was out of range. */
int64_t mch_format_raw(struct mch_format f, double real, enum mch_round round_mode, bool *saturated);

/* The same by stochastic rounding, with 16 bits of noise as in mch_round_shift. */
int64_t mch_format_raw_noisy(struct mch_format f, double real, uint32_t noise, bool *saturated);

/* mch_format_raw of v = real * 2^frac, already exact, by half even, for loops: lo and hi are the format's ends. rint is
 * IEEE 754 roundTiesToEven as long as nobody changes the mode, and nobody does. */
static inline int64_t mch_format_raw_even(double v, double lo, double hi)
{
	const double rounded = rint(v);
	return (int64_t)(rounded < lo ? lo : rounded > hi ? hi : rounded == rounded ? rounded : 0);
}

/* Text form into buf (at least 24 bytes); returns buf. Fixed: "s8.4". Minifloats: "e4m3.9", "e4m3ieee.9", "e4m3fn.9",
 * "e4m3flush.9" (exponent bits, mantissa bits, frac); powers of two: "p4.7", "p4nz.7" (bits, frac). An unsigned one, the half
 * from 0 up, begins with "u": "ue4m4.9", whose sign bit has become a mantissa bit. */
const char *mch_format_text(struct mch_format f, char *buf);

/* Parses exactly what mch_format_text() writes: no blanks, signs or zeros more. Returns 0, or -1 when the text is no format
 * or out of range (bits 1..49, |frac| <= 64). */
int mch_format_parse(const char *text, struct mch_format *f);

#endif
