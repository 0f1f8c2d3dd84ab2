/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What a network's parameters are before the first step. Host only: no RTL twin. */
#ifndef MCH_TRAIN_FIRST_H
#define MCH_TRAIN_FIRST_H

#include "base/rng.h"
#include "net/net.h"

/* Gives every layer that has none its first weights, and leaves the others theirs. Conv, dense and deconv: uniform in
 * +-sqrt(6 / terms) where a ReLU or one of its kin sees the output (He et al., "Delving Deep into Rectifiers", 2015),
 * +-sqrt(3 / terms) elsewhere (Caffe's "xavier"). Batch norm and scale 1, PReLU 0.25, biases 0, means 0, variances 1.
 * Layer i draws from its own generator, whose state is that of `base` plus i. 0, or -1 with err. */
int mch_first_weights(struct mch_net *net, struct mch_rng base, struct mch_err *err);

#endif
