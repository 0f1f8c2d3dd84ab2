/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Oracle of pool: written from docs/datapath.md alone. It walks whole windows and asks of each position whether it is
 * input, padding or neither. Of cmodel/ it takes the declarations of geometry and configuration and nothing else. */
#ifndef MCH_TESTS_ORACLE_SLOW_POOL_H
#define MCH_TESTS_ORACLE_SLOW_POOL_H

#include <stdint.h>

#include "op/pool.h"

/* Output size along an axis. */
int slow_pool_size(int size, int pad_begin, int pad_end, int kernel, int stride, int dilation, bool ceil_mode);

void slow_pool_max(const struct mch_pool *g, const int32_t *x, int32_t *y);

/* Counts what lay below and above the output's codes into n_sat[0] and n_sat[1], lost bits into *n_inexact. */
void slow_pool_avg(const struct mch_pool *g, const struct mch_pool_avg *cfg, const int32_t *x, int32_t *y,
		   uint64_t n_sat[2], uint64_t *n_inexact);

#endif
