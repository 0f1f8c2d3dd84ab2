/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Fast twin of op/conv.h followed by op/requant.h and perhaps op/pool.h, on stored codes (codes.h), for
 * accumulators that cannot overflow. Bit-equal to them. Host only: no RTL twin.
 *
 * Operands are cut into bytes: stored x = sum of X_i * 2^(8 i), 0 <= X_i < 256, and w = sum of W_j * 2^(8 j),
 * -128 <= W_j < 128. Then sum x * w = sum over i, j of 2^(8 (i + j)) * (sum X_i * W_j), each inner sum one exact dot
 * product of bytes, the outer one in 64 bits. Stored x is code + zero: what that adds, zero * sum w, is the same
 * for every pixel (padding is stored as zero) and is taken off the bias. */
#ifndef MCH_FAST_CONV_H
#define MCH_FAST_CONV_H

#include <stdbool.h>

#include "base/err.h"
#include "fast/codes.h"
#include "op/conv.h"
#include "op/pool.h"
#include "op/requant.h"

struct mch_fast_conv;

struct mch_fast_conv_spec {
	struct mch_conv conv;       /* n is the batch */
	struct mch_format in, out;  /* codes of x and y */
	const int32_t *weights;     /* K(C/groups)RS, at most 16 bits signed */
	const struct mch_requant *requant;
	const struct mch_pool *pool; /* max pool behind it, n == 1, or NULL; not with stochastic rounding */
};

/* *out is NULL, with 0, when no exact fast form of this geometry and these weights is known: use the plain
 * operators. -1 with err on failure. */
int mch_fast_conv_new(const struct mch_fast_conv_spec *spec, struct mch_fast_conv **out, struct mch_err *err);
void mch_fast_conv_free(struct mch_fast_conv *f);

/* Room that a run needs and leaves nothing in: convolutions that run in turn share it. */
enum { MCH_SCRATCH_ALIGN = 64 };
size_t mch_fast_conv_scratch_bytes(const struct mch_fast_conv *f);

/* From now on the codes of a pixel of y begin pixel_bytes behind those of the one before it, and nothing is written
 * between them. False where this form cannot do that: then nothing changes. */
bool mch_fast_conv_scatter(struct mch_fast_conv *f, size_t pixel_bytes);

/* The first n images of a batch. x and y have room for the whole batch and for MCH_CODES_SLACK_BYTES behind it;
 * scratch is aligned to MCH_SCRATCH_ALIGN bytes. */
int mch_fast_conv_run(struct mch_fast_conv *f, int n, const void *x, void *scratch, void *y, struct mch_err *err);

#endif
