/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Cross-layer equalization: channels of a tensor are scaled so that the weights that make them and the weights that read them span
 * like ranges; what the network computes stays the same. Host only: no RTL twin.
 * Source: Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019. */
#ifndef MCH_QUANT_EQUALIZE_H
#define MCH_QUANT_EQUALIZE_H

#include "base/err.h"
#include "net/net.h"

struct mch_equalized {
	int n_layers; /* whose output channels were scaled */
	long n_scaled; /* channels with a factor other than 1 */
};

/* Every conv or dense layer whose output is read by conv and dense layers alone, perhaps through ReLUs, pools, channel concatenations
 * and flattening, all of which commute with a positive factor for each channel. Factors are powers of two: as long as nothing
 * underflows, the float network computes the same bits. net is lowered and has weights. 0, or -1 with err when memory is short. */
int mch_equalize(struct mch_net *net, struct mch_equalized *result, struct mch_err *err);

#endif
