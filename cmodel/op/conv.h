/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* conv: acc[n][k][p][q] = sum over c,r,s of x[n][c][p*stride+r*dil-pad][...] * w[k][c][r][s].
 * Twin: none of its own; the array of rtl/mch_mac_array.v computes it, tile by tile (arch/gemm.h).
 * Spec: docs/datapath.md "conv". */
#ifndef MCH_OP_CONV_H
#define MCH_OP_CONV_H

#include <stddef.h>
#include <stdint.h>

#include "fxp/mac.h"
#include "op/events.h"

/* Geometry. Index letters: n image, c input channel, h w input row and column, k output channel,
 * p q output row and column, r s kernel row and column. x is NCHW, w is K(C/groups)RS, acc is NKPQ. */
struct mch_conv {
	int n, c, h, w;
	int k, r, s;
	int stride_h, stride_w;
	int pad_top, pad_left, pad_bottom, pad_right;
	int dilation_h, dilation_w;
	int groups; /* divides c and k */
};

/* Output size; <= 0 when the kernel does not fit. */
int mch_conv_p(const struct mch_conv *g);
int mch_conv_q(const struct mch_conv *g);

/* Terms of one output: (c / groups) * r * s. */
size_t mch_conv_terms(const struct mch_conv *g);

/* Index into x of what kernel position (r, s) of output (n, p, q) reads in input channel c, or -1 where it falls into the
 * padding (then the operand is 0). The one place that knows how a convolution walks its input. */
static inline ptrdiff_t mch_conv_x_at(const struct mch_conv *g, int n, int c, int r, int s, int p, int q)
{
	const int y = p * g->stride_h + r * g->dilation_h - g->pad_top;
	const int x = q * g->stride_w + s * g->dilation_w - g->pad_left;
	if (y < 0 || y >= g->h || x < 0 || x >= g->w)
		return -1;
	return (((ptrdiff_t)n * g->c + c) * g->h + y) * g->w + x;
}

/* The same for term t = (c * r_size + r) * s_size + s of output (n, k, p, q), c counted from the group's first channel. */
ptrdiff_t mch_conv_x_index(const struct mch_conv *g, int n, int k, int p, int q, size_t t);

/* Accumulates in the order of t, each step by mch_mac. Raw operands of at most 16 bits, either sign for x.
 * Padding takes part as zeros. events may be NULL. */
void mch_conv(const struct mch_conv *g, struct mch_acc cfg, const int32_t *x, const int32_t *w, int64_t *acc,
	      struct mch_events *events);

/* dense, y = W x, is the convolution whose kernel is the whole input. */
static inline struct mch_conv mch_dense_geometry(int n, int c_in, int k_out)
{
	struct mch_conv g = {n, c_in, 1, 1, k_out, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1};
	return g;
}

#endif
