/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* eltwise: the sum, the product or the largest of several tensors, element by element, exact; op/requant.h rounds it.
 * Twin: none yet; it comes with the accelerator's elementwise unit, until then the host computes it.
 * Spec: docs/datapath.md "eltwise". */
#ifndef MCH_OP_ELTWISE_H
#define MCH_OP_ELTWISE_H

#include <stdbool.h>
#include <stdint.h>

#include "fxp/format.h"
#include "tensor/tensor.h"

enum mch_eltwise_kind { MCH_ELTWISE_SUM, MCH_ELTWISE_PROD, MCH_ELTWISE_MAX };

enum {
	MCH_ELTWISE_LEFT_MAX = 31,     /* an aligned code: 17 + 31 = 48 bits */
	MCH_ELTWISE_FACTORS_MAX = 2,   /* of a product: 17 + 17 bits */
	MCH_ELTWISE_INPUTS_MAX = 1024, /* of a sum: 10 bits more, 58 at the worst, before the check of the range */
};

struct mch_eltwise_in {
	struct mch_shape shape; /* n == 1; a side of 1 repeats */
	int left;               /* 0..MCH_ELTWISE_LEFT_MAX: aligns the code to the finest fraction; a product has 0 */
	bool is_taken_off;      /* sum: its coefficient is negative */
};

struct mch_eltwise {
	enum mch_eltwise_kind kind;
	int n_in;
	const struct mch_eltwise_in *in; /* [n_in] */
	struct mch_shape out;            /* n == 1 */
};

/* What x of the format adds, multiplies or competes with: +-code * 2^left. Exact, 48 bits. */
static inline int64_t mch_eltwise_term(const struct mch_eltwise_in *in, int64_t code)
{
	const int64_t aligned = code * (INT64_C(1) << in->left);
	return in->is_taken_off ? -aligned : aligned;
}

static inline int64_t mch_eltwise_join(enum mch_eltwise_kind kind, int64_t a, int64_t b)
{
	return kind == MCH_ELTWISE_SUM ? a + b : kind == MCH_ELTWISE_PROD ? a * b : a > b ? a : b;
}

/* Index into an input of shape s (n == 1) of what element at = (c, h, w) of image n of the output reads. */
size_t mch_eltwise_place(struct mch_shape s, int n, const int at[3]);

/* The exact range of the results over all codes of x[n_in]; it must lie in 48 bits signed for the requantizer. */
void mch_eltwise_range(const struct mch_eltwise *cfg, const struct mch_format *x, int64_t *low, int64_t *high);

/* n images; x[i] is [n] of its shape, acc [n][c][h][w]. */
void mch_eltwise(const struct mch_eltwise *cfg, int n, const int32_t *const *x, int64_t *acc);

#endif
