/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The form of fast/conv.h for machines with AVX-512 VNNI: sums never leave the registers (vnni.h), and one image at a
 * time goes through layout, products, requantization and max pool, so all of it stays in a core's own cache.
 * Host only: no RTL twin. */
#ifndef MCH_FAST_DIRECT_H
#define MCH_FAST_DIRECT_H

#include "fast/conv.h"

struct mch_direct;

/* What conv.c knows already. */
struct mch_direct_spec {
	const struct mch_fast_conv_spec *conv;
	const int64_t *bias; /* [k], instead of conv->requant's */
	int n_w;             /* digits of the weights */
	int64_t largest;     /* no sum of magnitudes |X_i * W_j| of a pair of planes exceeds it */
};

/* *out is NULL, with 0, where this form is not possible or not fast. -1 with err. */
int mch_direct_new(const struct mch_direct_spec *spec, struct mch_direct **out, struct mch_err *err);
void mch_direct_free(struct mch_direct *d);
size_t mch_direct_scratch_bytes(const struct mch_direct *d);

/* As mch_fast_conv_scatter, mch_fast_conv_run. */
bool mch_direct_scatter(struct mch_direct *d, size_t pixel_bytes);
void mch_direct_run(const struct mch_direct *d, int n, const void *x, void *scratch, void *y);

#endif
