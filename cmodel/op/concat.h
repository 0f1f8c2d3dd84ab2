/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* concat: tensors one behind the other along an axis, each brought into the one format of the output.
 * Twin: none yet; it comes with the accelerator's tensor memory, until then the host computes it.
 * Spec: docs/datapath.md "concat". */
#ifndef MCH_OP_CONCAT_H
#define MCH_OP_CONCAT_H

#include <stdint.h>

#include "op/events.h"
#include "op/requant.h"
#include "tensor/tensor.h"

struct mch_concat {
	int axis; /* 1 c, 2 h, 3 w */
	int n_in;
	const struct mch_shape *in; /* [n_in], n == 1 */
	const int8_t *shift;        /* [n_in], x.frac - y.frac, MCH_SHIFT_MIN .. MCH_SHIFT_MAX */
	struct mch_shape out;       /* n == 1 */
};

/* Which input element at = (c, h, w) of image n of the output comes from, and where it is in it. */
size_t mch_concat_place(const struct mch_concat *cfg, int n, const int at[3], int *input);

/* y = requant of each code, without a bias, with its input's shift; cfg->requant.bias and shift are not read. The
 * noise is that of the output's channels and pixels. An input that has the output's format passes unchanged: shift
 * 0, nothing to clamp. */
void mch_concat(const struct mch_concat *cfg, const struct mch_requant *requant, int n, const int32_t *const *x,
		int32_t *y, struct mch_events *events);

#endif
