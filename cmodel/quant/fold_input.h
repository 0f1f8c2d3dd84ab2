/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A network that reads pixels as they lie in the picture: mean, scale and deviation go into its first weights and biases.
 * Pixels 0 .. 255 are 8-bit codes without any error; less a mean they need a sign and a bit more. Host only: no RTL
 * twin. */
#ifndef MCH_QUANT_FOLD_INPUT_H
#define MCH_QUANT_FOLD_INPUT_H

#include "base/err.h"
#include "net/net.h"

/* net is lowered and has weights. Every reader of its input is a conv or a dense layer; one that pads cannot be served where a mean
 * is subtracted: its padding stands for the mean, which is no longer 0. Nor can a mean picture. 0, or -1 with err, and nothing has
 * changed. */
int mch_fold_input(struct mch_net *net, struct mch_err *err);

#endif
