/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Float forward on the fast operators of fast/: the fast twin of mch_net_run_f32, equal within rounding. Host
 * only: no RTL twin. */
#ifndef MCH_NET_FLOAT_H
#define MCH_NET_FLOAT_H

#include "net/net.h"

struct mch_float;

/* Compiles the net for up to `batch` images (weights are copied and packed): neighbouring layers run as one
 * operator, and memory is used again. NULL with err. The net must outlive it. */
struct mch_float *mch_float_new(const struct mch_net *net, int batch, struct mch_err *err);

/* The same for mch_float_tap of one edge; or, edge MCH_FLOAT_ALL, of any, with every layer on its own; or,
 * MCH_FLOAT_OUTPUT, of none: mch_float_new. */
enum { MCH_FLOAT_ALL = -1, MCH_FLOAT_OUTPUT = -2 };
struct mch_float *mch_float_new_tapped(const struct mch_net *net, int batch, int edge, struct mch_err *err);

/* Another one of the same compiled network, sharing its weights, that may run at the same time. */
struct mch_float *mch_float_twin(const struct mch_float *f, struct mch_err *err);

void mch_float_free(struct mch_float *f);

/* n <= batch images, [n][c][h][w] -> [n][classes]. Not thread-safe on one object. */
int mch_float_run(struct mch_float *f, int n, const float *input, float *output, struct mch_err *err);

/* The values of an edge after the last run of n images or more, copied as NCHW into out. f is
 * mch_float_new_tapped's. */
int mch_float_tap(struct mch_float *f, int edge, int n, float *out, struct mch_err *err);

#endif
