/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Exact integer forward on the fast operators of fast/: bit-equal to mch_qnet_run, proven by tests/check_exact.c.
 * Operands above 8 bits are split into 8-bit planes and the partial sums recombined, exactly.
 * Host only: no RTL twin. */
#ifndef MCH_NET_EXACT_H
#define MCH_NET_EXACT_H

#include "net/prefix.h"

struct mch_exact;

/* Compiles q for batches of `batch` images. Accumulators narrower than their certificate run in their own order
 * (fast/ordered.h), and machines without exact int8 dot products on the plain operators: the result is the same. */
struct mch_exact *mch_exact_new(const struct mch_qnet *q, int batch, struct mch_err *err);
void mch_exact_free(struct mch_exact *e);

/* n <= batch images of raw codes, [n][c][h][w] -> raw output codes [n][classes] (NCHW). Not thread-safe on one
 * object. */
int mch_exact_run(struct mch_exact *e, int n, const int32_t *input, int32_t *output, struct mch_err *err);

/* The same, but for what span says; input is not read when it begins behind it. */
int mch_exact_run_span(struct mch_exact *e, int n, const struct mch_exact_span *span, const int32_t *input,
		       int32_t *output, struct mch_err *err);

/* Steps of accumulation that left their width, of all runs so far. */
uint64_t mch_exact_overflows(const struct mch_exact *e);

#endif
