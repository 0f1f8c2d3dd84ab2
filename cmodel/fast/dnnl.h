/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What we use of oneDNN, in our own words: an exact dot product of bytes, and a float graph. No type of oneDNN
 * appears here; the files dnnl_*.c are the one place that knows its interface. An object compiled on one thread may
 * run on any other, one at a time. Host only: no RTL twin. */
#ifndef MCH_FAST_DNNL_H
#define MCH_FAST_DNNL_H

#include <stdint.h>

#include "base/err.h"
#include "op/conv.h"
#include "op/pool.h"
#include "tensor/tensor.h"

/* Bytes: acc[n][p][q][k] = sum of x[n][h][w][c] * w[k][c/groups][r][s], x unsigned, w signed, padding 0. */
struct mch_dnnl_dot;

/* g->n is the batch. Weights are copied and packed. NULL with err. */
struct mch_dnnl_dot *mch_dnnl_dot_new(const struct mch_conv *g, const int8_t *weights, struct mch_err *err);
void mch_dnnl_dot_free(struct mch_dnnl_dot *dot);

/* Results are exact as long as every sum of magnitudes, sum |x * w|, is at most this: 2^31 - 1 where the machine
 * multiplies bytes without intermediate saturation and the kernel keeps 32-bit sums throughout, else 2^24, the
 * integers of float. */
int64_t mch_dnnl_dot_limit(const struct mch_dnnl_dot *dot);

/* x and acc are whole batches, NHWC. */
int mch_dnnl_dot_run(struct mch_dnnl_dot *dot, const uint8_t *x, int32_t *acc, struct mch_err *err);

/* Float: values joined by operators, in layouts that the library chooses and that stay between layers. */
struct mch_dnnl_graph;

struct mch_dnnl_graph *mch_dnnl_graph_new(int batch, struct mch_err *err);
void mch_dnnl_graph_free(struct mch_dnnl_graph *graph);

/* Each appends an operator and returns the index of the value it makes, or -1 with err. The input comes first,
 * once. Shapes and geometries are those of one image (n == 1). Weights are copied; bias may be NULL. */
int mch_dnnl_graph_input(struct mch_dnnl_graph *graph, struct mch_shape shape, struct mch_err *err);
int mch_dnnl_graph_conv(struct mch_dnnl_graph *graph, int x, const struct mch_conv *g, const float *weights,
			const float *bias, struct mch_err *err);
int mch_dnnl_graph_dense(struct mch_dnnl_graph *graph, int x, int k, const float *weights, const float *bias,
			 struct mch_err *err);
int mch_dnnl_graph_relu(struct mch_dnnl_graph *graph, int x, struct mch_err *err);
int mch_dnnl_graph_pool_max(struct mch_dnnl_graph *graph, int x, const struct mch_pool *g, struct mch_err *err);
int mch_dnnl_graph_pool_avg(struct mch_dnnl_graph *graph, int x, const struct mch_pool *g, struct mch_err *err);
int mch_dnnl_graph_softmax(struct mch_dnnl_graph *graph, int x, struct mch_err *err);
int mch_dnnl_graph_flatten(struct mch_dnnl_graph *graph, int x, struct mch_err *err);

/* A whole batch, [batch][c][h][w], through every operator. */
int mch_dnnl_graph_run(struct mch_dnnl_graph *graph, const float *input, struct mch_err *err);

/* A value after the last run, [batch][c][h][w]. */
int mch_dnnl_graph_read(struct mch_dnnl_graph *graph, int value, float *out, struct mch_err *err);

#endif
