/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What we use of oneDNN, in our own words: an exact dot product of bytes (dnnl_graph.h has the float operators).
 * No type of oneDNN appears here; the files dnnl_*.c are the one place that knows its interface. An object
 * compiled on one thread may run on any other, one at a time. Host only: no RTL twin. */
#ifndef MCH_FAST_DNNL_H
#define MCH_FAST_DNNL_H

#include <stdint.h>

#include "base/err.h"
#include "op/conv.h"

/* Bytes: acc[n][p][q][k] = sum of x[n][h][w][c] * w[k][c/groups][r][s], x unsigned, w signed, padding 0. */
struct mch_dnnl_dot;

/* g->n is the batch. Weights are copied and packed. NULL with err. */
struct mch_dnnl_dot *mch_dnnl_dot_new(const struct mch_conv *g, const int8_t *weights, struct mch_err *err);
void mch_dnnl_dot_free(struct mch_dnnl_dot *dot);

/* Results are exact as long as every sum of magnitudes, sum |x * w|, is at most this: 2^31 - 1 where the machine
 * multiplies bytes without intermediate saturation and the kernel keeps 32-bit sums throughout, else 2^24, the
 * integers of float. */
int64_t mch_dnnl_dot_limit(const struct mch_dnnl_dot *dot);

/* Whether that is so here. */
int mch_dnnl_has_exact_bytes(void);

/* x and acc are whole batches, NHWC. */
int mch_dnnl_dot_run(struct mch_dnnl_dot *dot, const uint8_t *x, int32_t *acc, struct mch_err *err);

#endif
