/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Oracle of whole steps on numbers of any kind, written from docs/datapath.md alone: every number of a format is listed, sums are
 * made of integers of 128 bits in the order of the text, and the real weights and biases are where they begin. Of cmodel/ it takes the
 * declarations of geometries and nothing else. */
#ifndef MCH_TESTS_ORACLE_SLOW_WIDE_H
#define MCH_TESTS_ORACLE_SLOW_WIDE_H

#include "op/conv.h"
#include "op/pool.h"
#include "oracle/slow_eltwise.h"
#include "oracle/slow_fxp.h"

enum { SLOW_NUMBERS_MAX = 2048 };

/* A format; `number` is that of the document, 0 fixed point. */
struct slow_format {
	int number, bits, exp_bits, frac;
	bool is_signed;
	int64_t list[SLOW_NUMBERS_MAX]; /* of other kinds than fixed point, rising */
	int64_t first;                  /* code of the lowest */
	int n;
};

/* bits is at most 11 but for fixed point. */
struct slow_format slow_format_make(int number, int bits, int exp_bits, int frac, bool is_signed);

slow_int slow_integer(const struct slow_format *f, int64_t code);

/* v * 2^-shift to a code, saturated. */
int64_t slow_code(const struct slow_format *f, slow_int v, int shift, int mode, uint32_t noise);

/* A real number to a code; noise is that of mode 4. */
int64_t slow_code_of(const struct slow_format *f, float real, int mode, uint32_t noise);

/* What rounds. */
struct slow_out {
	const struct slow_format *y;
	bool relu, is_clipped;
	float low, high; /* of a clip */
	int mode;
	uint32_t seed;
};

/* x and y: codes of g->n images; w [k][terms] and bias [k] (NULL: none) real; frac [k] of the weights, all else of their format in
 * `w_format`. */
struct slow_mac {
	const struct slow_format *x, *w_format;
	const float *w, *bias;
	const int *frac;
	int weight_mode, acc_bits;
	bool saturates;
	struct slow_out out;
};
void slow_wide_conv(const struct mch_conv *g, const struct slow_mac *mac, const int32_t *x, int32_t *y);

/* in[i].frac, .exponent, .sign and .shape are read; in[i].x are codes of formats[i]. */
void slow_wide_eltwise(int kind, int n_in, const struct slow_eltwise_in *in, const struct slow_format *const *formats,
		       struct mch_shape out, const struct slow_out *o, int n, int32_t *y);

void slow_wide_pool_avg(const struct mch_pool *g, const struct slow_format *x_format, const struct slow_out *o, const int32_t *x,
			int32_t *y);

/* One image behind slow_concat: the code that came to each place and the number of the input that it is from. */
void slow_wide_concat(const struct slow_format *const *formats, const struct slow_out *o, struct mch_shape out, const int32_t *moved,
		      const int *which, int32_t *y);

/* Codes of one format to another, of n images of c channels. */
void slow_wide_requant(const struct slow_format *x_format, const struct slow_out *o, int n, int c, int pixels, const int32_t *x,
		       int32_t *y);

#endif
