/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* wide: the operators on numbers of any kind. Codes become their integers (fxp/format.h), everything is exact up to one rounding
 * into the output's format. Twin: none of its own; rtl/mch_datapath.v with MULT 2 computes it (arch/datapath.h).
 * Spec: docs/datapath.md "wide". */
#ifndef MCH_OP_WIDE_H
#define MCH_OP_WIDE_H

#include "fxp/number.h"
#include "op/concat.h"
#include "op/conv.h"
#include "op/eltwise.h"
#include "op/pool.h"
#include "op/requant.h"

/* y of sum * 2^-shift: ReLU, rounded to a code of cfg's output, clip. |sum| < 2^109, MCH_SHIFT_MIN <= shift <=
 * MCH_ENCODE_SHIFT_MAX. events may be NULL: a value is inexact when the code stands for another and it did not saturate. */
int32_t mch_wide_code(const struct mch_requant *cfg, mch_int128 sum, int shift, uint32_t noise, struct mch_events *events);

/* conv and dense. */
struct mch_wide_mac {
	struct mch_conv conv;
	struct mch_acc acc;           /* 2..MCH_WIDE_BITS_MAX bits */
	const int64_t *integers;      /* of x's codes, from `lowest` up */
	int64_t lowest;
	const int64_t *weights;       /* [k][terms] integers */
	const mch_int128 *bias;       /* [k], at the accumulator's fraction and within its width */
	const struct mch_requant *requant; /* its bias is not read */
};
void mch_wide_mac(const struct mch_wide_mac *m, const int32_t *x, int32_t *y, struct mch_events *events);

/* n images of codes of the formats; requant->shift[0] is that of all channels. */
void mch_wide_eltwise(const struct mch_eltwise *cfg, const struct mch_format *formats, const struct mch_requant *requant, int n,
		      const int32_t *const *x, int32_t *y, struct mch_events *events);

/* requant->shift is not read: each input has its own in cfg. */
void mch_wide_concat(const struct mch_concat *cfg, const struct mch_format *formats, const struct mch_requant *requant, int n,
		     const int32_t *const *x, int32_t *y, struct mch_events *events);

/* A lone requantizer, [n][k][pixels]. */
void mch_wide_requant(const struct mch_requant *cfg, struct mch_format format, int n, int k, int pixels, const int32_t *x,
		      int32_t *y, struct mch_events *events);

/* The mean of windows; shift is x.frac - y.frac. The stochastic mode is not offered. */
struct mch_wide_avg {
	struct mch_format x, y;
	enum mch_round round;
	int shift;
};
void mch_wide_pool_avg(const struct mch_pool *g, const struct mch_wide_avg *cfg, const int32_t *x, int32_t *y,
		       struct mch_events *events);

#endif
