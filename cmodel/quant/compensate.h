/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Compensated rounding: each weight takes back what the rounding of those before it does to the layer's output, as far
 * as their inputs go together. Host only: no RTL twin. Source: Frantar et al., "GPTQ: Accurate Post-Training Quantization
 * for Generative Pre-trained Transformers", ICLR 2023; the form here, by one triangular factor, is Babai's nearest plane
 * ("On Lovasz' lattice reduction and the nearest lattice point problem", 1986). */
#ifndef MCH_QUANT_COMPENSATE_H
#define MCH_QUANT_COMPENSATE_H

#include "base/err.h"
#include "net/dataset.h"
#include "net/net.h"
#include "net/quant.h"

enum { MCH_COMPENSATE_TERMS_MAX = 4096 }; /* a layer with more terms is left: its covariance would be too large */

struct mch_compensate_config {
	const struct mch_dataset *data; /* training images [0, n_images) */
	int n_images;
	void (*progress)(void *ctx, int done, int total); /* layers; may be NULL */
	void *ctx;
};

struct mch_compensated {
	int n_layers; /* layers that were rounded */
	int n_left;   /* of more terms than MCH_COMPENSATE_TERMS_MAX */
};

/* For each conv and dense layer in order of execution: the covariance of its inputs, as the exact integers of quant with
 * the layers before it changed already make them, at places drawn by a generator seeded with the layer; then all its
 * weights, those that matter most first, go to a code of their format, and the change of the output's mean goes to the bias
 * (layers without one get one). net's weights are codes' values afterwards. quant's accumulators are left to
 * mch_qnet_build. 0, or -1 with err; then net may be changed in part. */
int mch_compensate(struct mch_net *net, struct mch_quant *quant, const struct mch_compensate_config *config,
		   struct mch_compensated *result, struct mch_err *err);

/* The heart of it: weights [k][terms], of which row i takes codes of format[i]; covariance [terms][terms], symmetric
 * and not negative. 0, or -1 when memory is short. */
int mch_compensate_rows(float *weights, int k, int terms, const struct mch_format *format, const double *covariance);

#endif
