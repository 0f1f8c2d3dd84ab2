/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Oracle of conv: written from docs/datapath.md alone. The input is copied into a padded one and the kernel into a
 * dilated one, so that the sum itself knows neither padding nor dilation. Of cmodel/ it takes the geometry's
 * declaration and nothing else. */
#ifndef MCH_TESTS_ORACLE_SLOW_CONV_H
#define MCH_TESTS_ORACLE_SLOW_CONV_H

#include <stdbool.h>
#include <stdint.h>

#include "op/conv.h"

/* Output size along an axis, by trying one position after the other. */
int slow_conv_size(int size, int pad_begin, int pad_end, int kernel, int dilation, int stride);

/* The accumulators into acc; returns the number of overflowed steps. */
uint64_t slow_conv(const struct mch_conv *g, int acc_bits, bool saturating, const int32_t *x, const int32_t *w,
		   int64_t *acc);

#endif
