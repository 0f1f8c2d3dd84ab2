/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Layers behind which hardware rounds, in training: forward gives the values of the codes that mch_step_compute gives;
 * backward is straight through, 0 where a ReLU or clip held a value, and, where it saturated, 0 unless it leads back.
 * Host only: no RTL twin. Sources: Bengio, Leonard, Courville, "Estimating or Propagating Gradients Through Stochastic
 * Neurons", 2013; Hubara et al., "Quantized Neural Networks", 2018, where nothing that saturates gets a slope: an
 * output that lies below its format for every image of a class could not come back by itself.
 *
 * Sums are made in float: exact while all partial sums, in units of the accumulator's last place, are below 2^24, which
 * a layer's certificate and biases tell (mch_quantizer_inexact). Beyond, a sum may be off by a few parts in 2^24, and a
 * code by one where that takes it over a tie. */
#ifndef MCH_TRAIN_ROUNDING_H
#define MCH_TRAIN_ROUNDING_H

#include "train/rows.h"

/* Elements of t->codes that a site with a step needs. */
size_t mch_rounding_codes(const struct mch_site *t);

/* Of a site with a step, in place of its row's. */
void mch_rounding_forward(const struct mch_site *t);

/* Of dy, when all readers have added theirs: what does not pass becomes 0. Before backward. */
void mch_rounding_hold(const struct mch_site *t, float *dy);
void mch_rounding_backward(const struct mch_site *t);

#endif
