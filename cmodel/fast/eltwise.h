/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Fast twin of op/eltwise.h followed by op/requant.h on stored codes (codes.h), NHWC; bit-equal to it. Host only:
 * no RTL twin. */
#ifndef MCH_FAST_ELTWISE_H
#define MCH_FAST_ELTWISE_H

#include "fast/codes.h"
#include "op/eltwise.h"
#include "op/requant.h"

/* n images; codes[i] stores x[i]. No bias, one shift for all channels; not with stochastic rounding. */
struct mch_fast_eltwise {
	const struct mch_eltwise *cfg;
	const struct mch_requant *requant;
	int shift;
	const struct mch_codes *x_codes; /* [n_in] */
	struct mch_codes y_codes;
};
void mch_fast_eltwise(const struct mch_fast_eltwise *e, int n, const void *const *x, void *y);

#endif
