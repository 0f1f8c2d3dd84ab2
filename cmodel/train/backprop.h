/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Loss and gradient of a network on one shard of a batch, single-threaded. Host only: no RTL twin. */
#ifndef MCH_TRAIN_BACKPROP_H
#define MCH_TRAIN_BACKPROP_H

#include <stddef.h>
#include <stdint.h>

#include "net/net.h"
#include "train/quantizer.h"

struct mch_backprop;

/* Can this net be trained on labels 0 .. n_classes - 1? 0, or -1 with err that lists every layer without a gradient.
 * The loss is the cross-entropy of softmax over the net's output; a softmax that the net ends with is that
 * softmax. */
int mch_backprop_check(const struct mch_net *net, int n_classes, struct mch_err *err);

/* Memory for shards of up to max_n images of a net that mch_backprop_check took. The net is read at every run, so
 * its parameters may change between runs; its structure may not. With a quantizer, the net is its twin, and all is
 * rounded where hardware rounds it (rounding.h); NULL: float. NULL with err. */
struct mch_backprop *mch_backprop_new(const struct mch_net *net, const struct mch_quantizer *quantizer, int max_n,
				      struct mch_err *err);
void mch_backprop_free(struct mch_backprop *b);

/* Where the caller puts the shard's images, [max_n][c][h][w]. */
float *mch_backprop_input(struct mch_backprop *b);

/* The loss of an image: (1 - share) * T * cross-entropy of softmax(output / T) with the label, and share * T^2 *
 * Kullback-Leibler divergence of softmax(output / T) from softmax(teacher / T). Source: Hinton, Vinyals, Dean,
 * "Distilling the Knowledge in a Neural Network", 2015. A T above 1 asks for larger differences of outputs: of
 * coarse codes, where small ones are ties. */
struct mch_backprop_loss {
	const float *teacher; /* [n][outputs] before softmax, of the same images; NULL: share is 0 */
	double share, temperature;
};

struct mch_backprop_shard {
	int n; /* images of the input, 1 .. max_n */
	const int32_t *labels;
	uint64_t noise;  /* seed of the dropout masks */
	float *gradient; /* of the loss (a sum over images), in the order of params.h; overwritten */
	float *moments;  /* [mch_moments_of_net], see moments.h; overwritten */
	struct mch_backprop_loss loss;
};

struct mch_backprop_result {
	double loss; /* sum over the images */
	int n_right; /* top-1 */
};

/* Batch norm normalizes with the mean and variance of these images. */
struct mch_backprop_result mch_backprop_run(struct mch_backprop *b, const struct mch_backprop_shard *shard);

/* Forward alone of the first n images of the input, which it rounds when there is a quantizer: what the net has
 * before its softmax, [n][outputs], until the next run. */
const float *mch_backprop_logits(struct mch_backprop *b, int n);

#endif
