/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Bias correction: what quantization moves the mean of an output channel by is taken back by its bias. Host only: no RTL twin.
 * Source: Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019 (the empirical
 * form, measured on images). */
#ifndef MCH_QUANT_BIAS_CORRECT_H
#define MCH_QUANT_BIAS_CORRECT_H

#include "base/err.h"
#include "net/dataset.h"
#include "net/net.h"
#include "net/quant.h"

struct mch_bias_correct_config {
	const struct mch_dataset *data; /* images [0, n_images) */
	int n_images;
	void (*progress)(void *ctx, int done, int total); /* layers; may be NULL */
	void *ctx;
};

/* For each conv and dense layer in order of execution: the mean over images and pixels of every output channel, before its ReLU,
 * of `reference` in float (net before any change; may be net itself) and of the exact integers of quant with the biases corrected so far; the difference goes to the
 * channel's bias. Layers without a bias get one. quant's accumulators are left to mch_qnet_build, since a bias may need more
 * bits. 0, or -1 with err; then net's biases may be corrected in part. */
int mch_bias_correct(struct mch_net *net, const struct mch_net *reference, struct mch_quant *quant,
		     const struct mch_bias_correct_config *config, struct mch_err *err);

#endif
