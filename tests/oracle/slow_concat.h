/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Oracle of concat and gather: written from docs/datapath.md alone. Inputs are written to where they belong, where
 * the operators read from where it comes. Of cmodel/ it takes the declaration of a shape and nothing else. */
#ifndef MCH_TESTS_ORACLE_SLOW_CONCAT_H
#define MCH_TESTS_ORACLE_SLOW_CONCAT_H

#include <stdint.h>

#include "tensor/tensor.h"

/* Writes one image of an input into one of the output, `offset` places along the axis (0 c, 1 h, 2 w); which[] gets
 * `number` there. */
void slow_concat(struct mch_shape in, struct mch_shape out, int axis, int offset, int number, const int32_t *x,
		 int32_t *y, int *which);

/* One image: element (c, h, w) goes to the place where axis i of y counts axis order[i] of x. */
void slow_transpose(const int order[3], struct mch_shape in, const int32_t *x, int32_t *y);

#endif
