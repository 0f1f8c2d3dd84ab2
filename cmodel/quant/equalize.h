/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Cross-layer equalization: channels of a tensor are scaled so that the weights that make them and the weights that read them span
 * like ranges; what the network computes stays the same. Host only: no RTL twin.
 * Source: Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019. */
#ifndef MCH_QUANT_EQUALIZE_H
#define MCH_QUANT_EQUALIZE_H

#include "base/err.h"
#include "net/dataset.h"
#include "net/net.h"
#include "quant/policy.h"

struct mch_equalized {
	int n_layers; /* whose output channels were scaled */
	long n_scaled; /* channels with a factor other than 1 */
};

/* Every conv or dense layer whose output is read by conv and dense layers alone, perhaps through ReLUs, pools, channel concatenations
 * and flattening, all of which commute with a positive factor for each channel. Factors are powers of two: as long as nothing
 * underflows, the float network computes the same bits. net is lowered and has weights. 0, or -1 with err when memory is short. */
int mch_equalize(struct mch_net *net, struct mch_equalized *result, struct mch_err *err);

struct mch_equalize_config {
	const struct mch_dataset *data; /* training images [0, n_images) */
	int n_images;
	double balance; /* 0: weights alone .. 1: tensors alone */
	int bits;       /* of the codes that are aimed at */
	const struct mch_format_policy_part *activations; /* the rule by which their fractions will be chosen */
};

/* The same layers, with an eye on tensors: their codes share one format, in which a channel of small values has few. Channel c is
 * multiplied by 2^e, e = balance * (the fraction that the rule gives the channel less that of the whole tensor) + (1 - balance) *
 * log2(the largest weight that reads it / the largest of all), rounded. Weights that make it follow for free where each output
 * channel has a fraction of its own. Source: Xiao et al., "SmoothQuant", ICML 2023, of which the factors here are powers of two.
 * 0, or -1 with err. */
int mch_equalize_tensors(struct mch_net *net, const struct mch_equalize_config *config, struct mch_equalized *result,
			 struct mch_err *err);

#endif
