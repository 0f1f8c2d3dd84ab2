/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Fast twin of op/concat.h on stored codes (codes.h), NHWC; bit-equal to it. Host only: no RTL twin. */
#ifndef MCH_FAST_CONCAT_H
#define MCH_FAST_CONCAT_H

#include "fast/map.h"
#include "op/concat.h"

/* n images; maps[i] requantizes x[i], unless that is NULL: it lies in y already. Not with stochastic rounding. */
void mch_fast_concat(const struct mch_concat *cfg, const struct mch_fast_map *maps, int n, const void *const *x,
		     void *y);

#endif
