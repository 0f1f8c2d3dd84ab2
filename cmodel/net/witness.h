/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Where the certificate of a layer's accumulator comes from, and an input that reaches it. Host only: no RTL twin.
 * Spec: docs/datapath.md "mac". */
#ifndef MCH_NET_WITNESS_H
#define MCH_NET_WITNESS_H

#include "net/qnet.h"

/* A bound of the accumulator, and an output (channel k, row p, column q) that reaches it: the first channel of those
 * whose weights do, at the first of its pixels that read enough of the input. */
struct mch_bound {
	mch_int128 value;
	int k, p, q;
};

struct mch_witness {
	struct mch_bound low, high;
	int bits; /* of the smallest two's complement that holds both, from 2 up */
};

/* Of a conv or dense. Exact: of the outputs that there are, with the padding that cuts them. */
struct mch_witness mch_step_witness(const struct mch_step *step);

/* One image of the step's input, x[c][h][w], with which output (k, p, q) is the largest (is_high) or the smallest that
 * its channel makes there: of a bound of the witness, that bound. Codes that the output does not read are 0. */
void mch_witness_input(const struct mch_step *step, const struct mch_bound *at, bool is_high, int32_t *x);

#endif
