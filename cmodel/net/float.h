/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Float forward on the fast operators of fast/: the fast twin of mch_net_run_f32, equal within rounding. Host
 * only: no RTL twin. */
#ifndef MCH_NET_FLOAT_H
#define MCH_NET_FLOAT_H

#include "net/net.h"

struct mch_float;

/* Compiles the net for batches of `batch` images (weights are copied and packed). NULL with err. */
struct mch_float *mch_float_new(const struct mch_net *net, int batch, struct mch_err *err);
void mch_float_free(struct mch_float *f);

/* n <= batch images, [n][c][h][w] -> [n][classes]. Not thread-safe on one object. */
int mch_float_run(struct mch_float *f, int n, const float *input, float *output, struct mch_err *err);

/* The values of an edge after the last run, copied as NCHW into out (n images). */
int mch_float_tap(struct mch_float *f, int edge, int n, float *out, struct mch_err *err);

#endif
