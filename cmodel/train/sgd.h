/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Stochastic gradient descent, by momentum or Adam (optimizer.h); of shadow weights, when there is a quantizer.
 * The result depends on the network, the data and the configuration, not on the number of threads: a batch is cut
 * into MCH_SGD_SHARDS shards, each computed by one thread, and their gradients are added in the order of the
 * shards. Batch norm normalizes a shard with the shard's own mean and variance ("ghost batches": Hoffer, Hubara,
 * Soudry, "Train longer, generalize better", 2017); the running ones, of inference, are those of whole batches
 * (moments.h). Host only: no RTL twin. Source of the cosine rate: Loshchilov, Hutter, "SGDR", 2017. */
#ifndef MCH_TRAIN_SGD_H
#define MCH_TRAIN_SGD_H

#include <stdbool.h>
#include <stdint.h>

#include "net/dataset.h"
#include "net/net.h"
#include "train/optimizer.h"
#include "train/quantizer.h"

enum { MCH_SGD_SHARDS = MCH_UPDATE_SHARDS_MAX };

enum mch_policy {
	MCH_POLICY_FIXED,  /* rate */
	MCH_POLICY_STEP,   /* rate, a tenth of it from half of the run on, a hundredth from three quarters on */
	MCH_POLICY_COSINE, /* rate * (1 + cos(pi * done)) / 2 */
	MCH_N_POLICIES
};

struct mch_sgd_config {
	int n_epochs, batch; /* images per step; the last step of an epoch has those that are left */
	int n_images;        /* of the data, from the first */
	double rate, momentum;
	double decay; /* of what params.h says decays */
	enum mch_policy policy;
	uint64_t seed;
	int max_shift; /* each image is moved by -max_shift .. max_shift pixels in both directions */
	bool flip;     /* and mirrored left to right with a chance of one half */
	enum mch_optimizer optimizer;
	struct mch_quantizer *quantizer; /* of the network, which is its shadow; NULL: trained in float */
	bool is_by_lot;                  /* its weights are rounded by lot, by seed and step */
	const struct mch_net *teacher;   /* with the same input and output, or NULL */
	double share, temperature;       /* struct mch_backprop_loss */
};

/* Everything that changes from step to step, besides the parameters (the running mean and variance of batch norm
 * among them): with these two a run goes on as if never stopped. Shuffling, augmentation and dropout are functions of
 * seed, epoch and image, so they need no state. */
struct mch_sgd_state {
	int epoch;     /* whole epochs done */
	int n_done;    /* images of the running epoch; 0 between epochs */
	double loss;   /* sum over the epoch's images so far; of the last epoch while n_done is 0 */
	int64_t n_right;
	size_t n_params;
	float *velocity; /* [n_params], order of params.h */
	float *square;   /* the same, of Adam; NULL otherwise */
};

struct mch_sgd;

/* Checks net and data against each other, and gives layers without weights their first ones (first.h). NULL with
 * err. */
struct mch_sgd *mch_sgd_new(struct mch_net *net, const struct mch_dataset *data, const struct mch_sgd_config *config,
			    struct mch_err *err);
void mch_sgd_free(struct mch_sgd *sgd);

/* One batch. 0, or -1 with err when an image cannot be read, or the loss is no finite number any more. Not after
 * mch_sgd_is_done. */
int mch_sgd_step(struct mch_sgd *sgd, struct mch_err *err);
bool mch_sgd_is_done(const struct mch_sgd *sgd);

/* May be written, by who resumes a run. */
struct mch_sgd_state *mch_sgd_state(struct mch_sgd *sgd);

/* The learning rate when `done` of the run (0 .. 1) has passed. */
double mch_sgd_rate(const struct mch_sgd_config *config, double done);

#endif
