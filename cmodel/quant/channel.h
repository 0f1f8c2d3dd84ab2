/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A fraction for the weights of each output channel. Host only: no RTL twin. Spec: docs/datapath.md "Network". */
#ifndef MCH_QUANT_CHANNEL_H
#define MCH_QUANT_CHANNEL_H

#include "net/quant.h"
#include "quant/policy.h"

/* What suits each channel's weights alone: frac [layer->conv.k]. A channel of zeros gets `whole`, the fraction that suits all. */
void mch_channel_choose(const struct mch_format_policy_part *part, struct mch_format shape, const struct mch_layer *layer,
			int whole, int8_t *frac);

/* The finest fraction of an accumulator of `bits` bits at which a bias of this magnitude does not saturate; 128 at most. */
int mch_channel_bias_frac(double bias, int bits);

/* Gives the layer these fractions as far as its biases, in acc_bits_max bits, and shifts let them: x is its input's format,
 * lq->weights that for all channels together. Afterwards lq->weights.frac is the smallest; channels that are all the same are joined. 0, or -1 when memory
 * is short. */
int mch_channel_settle(const struct mch_layer *layer, struct mch_format x, const int8_t *frac, int acc_bits_max,
		       struct mch_layer_quant *lq);

#endif
