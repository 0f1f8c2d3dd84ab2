/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Golden vectors of one layer, for any architecture: a case is one output value with all that goes into it.
 * Host only: no RTL twin. Spec: docs/export.md "Golden vectors". */
#ifndef MCH_IO_ACCEL_VECTOR_H
#define MCH_IO_ACCEL_VECTOR_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "net/qnet.h"

/* Where the activations of a case come from. */
enum mch_accel_origin {
	MCH_ACCEL_IMAGE,        /* output (n, k, p, q) of a real image */
	MCH_ACCEL_WITNESS_HIGH, /* every term at its largest: reaches the certificate's bound */
	MCH_ACCEL_WITNESS_LOW,
	MCH_ACCEL_ALL_MAX, /* all activations at their largest code */
	MCH_ACCEL_ALL_MIN,
	MCH_ACCEL_RANDOM, /* seeded; one in four is a corner of the format */
};

struct mch_accel_case {
	enum mch_accel_origin origin;
	int n, k, p, q;
	uint64_t seed; /* of RANDOM */
};

/* What a golden run of a step left: of n images, x [n][c][h][w] and acc, y [n][k][p][q]. n may be 0. */
struct mch_accel_run {
	int n;
	const int32_t *x, *y;
	const int64_t *acc;
};

/* Chooses n_cases cases, most telling first: both witnesses, all operands at an extreme; of the images the extreme
 * accumulators, ties of both parities and signs, both saturations, zero, the edges of the padding; then at random. */
void mch_accel_choose(const struct mch_step *step, const struct mch_accel_run *run, uint64_t seed, int n_cases,
		      struct mch_accel_case *cases);

/* A word of a vector holds 2^16 bits, a file 16 fields. Operands that need more than one word go on in x1, x2, ...
 * and w1, w2, ...: the most terms that a layer of these widths can have. */
size_t mch_accel_terms_max(int x_bits, int w_bits);

/* Writes the file: x w bias shift [noise, with stochastic rounding] : acc y sat. Results are computed by the golden
 * operators from the operands as written. run->x alone is read. 0, or -1 with err. */
int mch_accel_vector_write(FILE *stream, const struct mch_step *step, const struct mch_accel_run *run,
			   const struct mch_accel_case *cases, int n_cases, const char *hash, const char *redo,
			   struct mch_err *err);

#endif
