/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Fast twin of mch_wide_mac (op/wide.h) on stored codes (codes.h), where no accumulator can overflow: sums of products of integers
 * in doubles, of which every partial sum lies below 2^53 and so is exact. Integers of more bits are split into digits.
 * Bit-equal to it. Host only: no RTL twin. */
#ifndef MCH_FAST_WIDE_H
#define MCH_FAST_WIDE_H

#include "base/err.h"
#include "fast/codes.h"
#include "op/wide.h"

struct mch_fast_wide;

struct mch_fast_wide_spec {
	const struct mch_wide_mac *mac; /* conv, integers, weights, bias, requant; x is [n][h][w][c] */
	struct mch_shape in;            /* of a dense layer, whose weights are in the order c, h, w: what it flattens; else as conv */
	struct mch_format x, y;
	int64_t x_largest;              /* magnitude of x's integers */
};

/* Copies what it needs but requant's shift, which must outlive it. *out is NULL when sums need more digits than there are; 0, or -1
 * with err. */
int mch_fast_wide_new(const struct mch_fast_wide_spec *spec, struct mch_fast_wide **out, struct mch_err *err);
void mch_fast_wide_free(struct mch_fast_wide *f);

/* n images. */
void mch_fast_wide_run(struct mch_fast_wide *f, int n, const void *x, void *y);

#endif
