/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Oracle of eltwise: written from docs/datapath.md alone. It counts in units of 2^-finest, by doubling and halving,
 * one flat place of the output at a time. Of cmodel/ it takes the declaration of a shape and nothing else. */
#ifndef MCH_TESTS_ORACLE_SLOW_ELTWISE_H
#define MCH_TESTS_ORACLE_SLOW_ELTWISE_H

#include "oracle/slow_fxp.h"
#include "tensor/tensor.h"

struct slow_eltwise_in {
	struct mch_shape shape;
	int frac, exponent; /* value of a code: code * 2^-frac; coefficient: sign * 2^exponent */
	int sign;           /* 1 or -1 */
	const int32_t *x;
};

/* kind: 0 sum, 1 product, 2 maximum. The exact result at flat place `at` of image n, in units of 2^-*frac. */
slow_int slow_eltwise(int kind, int n_in, const struct slow_eltwise_in *in, struct mch_shape out, int n, int at,
		      int *frac);

#endif
