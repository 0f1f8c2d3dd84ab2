/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* pool: the largest, or the rounded mean, of a window.
 * Twin: none of its own; rtl/mch_pooler.v computes it, strip by strip (arch/pooler.h).
 * Spec: docs/datapath.md "pool". */
#ifndef MCH_OP_POOL_H
#define MCH_OP_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "fxp/round_shift.h"
#include "op/events.h"

/* Geometry; x is NCHW, y is NCPQ. */
struct mch_pool {
	int n, c, h, w;
	int r, s;
	int stride_h, stride_w;
	int pad_top, pad_left, pad_bottom, pad_right;
	int dilation_h, dilation_w; /* rows and columns from one position of the window to the next; 1: no holes */
	bool ceil_mode;         /* output size rounds up (Caffe); a window that starts past the end is dropped */
	bool count_include_pad; /* mean: padded positions count in the divisor (as Caffe clips it, see spec) */
};

int mch_pool_p(const struct mch_pool *g);
int mch_pool_q(const struct mch_pool *g);

/* Rows (or columns) begin, begin + step, ... below end: the positions of window i inside the input, at least one in a
 * geometry that mch_net_infer took. extent: how many count in the divisor; with padding those before size + pad_end. */
struct mch_window {
	int begin, end, step, extent;
};
struct mch_window mch_pool_rows(const struct mch_pool *g, int p);
struct mch_window mch_pool_cols(const struct mch_pool *g, int q);

static inline int mch_window_positions(const struct mch_window *window)
{
	return window->end > window->begin ? (window->end - window->begin - 1) / window->step + 1 : 0;
}

/* Format of x and y is one and the same. Padding never wins. */
void mch_pool_max(const struct mch_pool *g, const int32_t *x, int32_t *y);

/* The mean: y = sat(round_shift(sum * recip, 16 + shift)), recip = floor(2^16 / count + 1/2), shift = x.frac - y.frac
 * (-15 .. 16). 16 + 15 bits of sum (a window of at most 2^15 positions) and 17 of recip: 48 bits. */
struct mch_pool_avg {
	int out_bits; /* 1..16 */
	bool out_signed;
	enum mch_round round; /* stochastic is not offered: the mean has no noise source */
	int shift;
};

/* recip of a window of 1 <= count <= 2^15 positions. */
static inline int64_t mch_pool_recip(int64_t count)
{
	return ((INT64_C(1) << 17) / count + 1) / 2;
}

void mch_pool_avg(const struct mch_pool *g, const struct mch_pool_avg *cfg, const int32_t *x, int32_t *y,
		  struct mch_events *events);

#endif
