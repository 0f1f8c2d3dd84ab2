/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Fast twin of op/pool.h on stored codes (codes.h), NHWC; bit-equal to it. Host only: no RTL twin. */
#ifndef MCH_FAST_POOL_H
#define MCH_FAST_POOL_H

#include "base/err.h"
#include "fast/codes.h"
#include "op/pool.h"

/* y has the storage of x: the zero moves no maximum. */
void mch_fast_pool_max(const struct mch_pool *g, struct mch_codes codes, const void *x, void *y);

/* sums: room for g->c values. */
void mch_fast_pool_avg(const struct mch_pool *g, const struct mch_pool_avg *cfg, const struct mch_codes *x_codes,
		       const void *x, const struct mch_codes *y_codes, void *y, int32_t *sums);

#endif
