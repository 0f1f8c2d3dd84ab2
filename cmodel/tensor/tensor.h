/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A tensor of raw integers with its shape and format. Host only: no RTL twin. */
#ifndef MCH_TENSOR_TENSOR_H
#define MCH_TENSOR_TENSOR_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "fxp/format.h"

/* NCHW; a vector is [n][c][1][1]. */
struct mch_shape {
	int n, c, h, w;
};

static inline size_t mch_shape_elems(struct mch_shape s)
{
	return (size_t)s.n * (size_t)s.c * (size_t)s.h * (size_t)s.w;
}

struct mch_tensor {
	struct mch_shape shape;
	struct mch_format format;
	int32_t *raw; /* NCHW, owned */
};

enum { MCH_TENSOR_ELEMS_MAX = INT32_MAX }; /* an element's index fits an int everywhere */

/* Zero-filled. 0, or -1 with err and *t empty: a size below 1, too many elements, or short memory. */
int mch_tensor_init(struct mch_tensor *t, struct mch_shape shape, struct mch_format format, struct mch_err *err);

/* Leaves *t empty; safe on an empty tensor. */
void mch_tensor_free(struct mch_tensor *t);

#endif
