/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Fast twin of op/conv.h for accumulators that may overflow, where the order of terms is part of the result: many
 * output channels at a time, each in its order. Bit-equal to it, in sums and in the steps that overflow. Host only: no RTL
 * twin. */
#ifndef MCH_FAST_ORDERED_H
#define MCH_FAST_ORDERED_H

#include "base/err.h"
#include "fxp/format.h"
#include "op/conv.h"

struct mch_fast_ordered;

struct mch_fast_ordered_spec {
	struct mch_conv conv; /* n == 1 */
	struct mch_acc acc;
	struct mch_format in;
	const int32_t *weights; /* K(C/groups)RS, at most 16 bits signed; copied */
};

/* *out is NULL, with 0, when the sums need more than 32 bits: use the plain operator. -1 with err when memory is short. */
int mch_fast_ordered_new(const struct mch_fast_ordered_spec *spec, struct mch_fast_ordered **out, struct mch_err *err);
void mch_fast_ordered_free(struct mch_fast_ordered *f);

/* One image, x [c][h][w] to acc [k][p][q]. Returns how many steps overflowed. */
uint64_t mch_fast_ordered_run(struct mch_fast_ordered *f, const int32_t *x, int64_t *acc);

#endif
