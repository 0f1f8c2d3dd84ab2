/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* From gradients to parameters. Host only: no RTL twin. With g the mean gradient of a batch's images:
 *
 *   momentum   v = momentum * v + g + decay * w,  w -= rate * v
 *   Adam       m = momentum * m + (1 - momentum) * g,  s = beta2 * s + (1 - beta2) * g^2,
 *              w -= rate * (m / (1 - momentum^t) / (sqrt(s / (1 - beta2^t)) + epsilon) + decay * w),  t = 1, 2, ...
 *
 * Sources: Sutskever, Martens, Dahl, Hinton, "On the importance of initialization and momentum in deep learning", 2013;
 * Kingma, Ba, "Adam: A Method for Stochastic Optimization", 2015; its decay apart from the gradient: Loshchilov,
 * Hutter, "Decoupled Weight Decay Regularization", 2019. */
#ifndef MCH_TRAIN_OPTIMIZER_H
#define MCH_TRAIN_OPTIMIZER_H

#include <stdint.h>

#include "net/net.h"

enum mch_optimizer { MCH_OPTIMIZER_MOMENTUM, MCH_OPTIMIZER_ADAM, MCH_N_OPTIMIZERS };

#define MCH_ADAM_BETA2 0.999
#define MCH_ADAM_EPSILON 1e-8

enum { MCH_UPDATE_SHARDS_MAX = 4 };

struct mch_update {
	enum mch_optimizer optimizer;
	double rate, momentum, decay; /* of what params.h says decays */
	int64_t step;                 /* from 1 */
	int n_images;                 /* of the batch */
	/* The shards that had images: sums over these, in the order of params.h. They are added in their order. */
	int n_shards;
	const float *gradient[MCH_UPDATE_SHARDS_MAX];
	const uint8_t *place; /* enum mch_snap_place of each parameter, which decides what passes; NULL: all does */
};

/* velocity is v or m, square s: as many as parameters, zeros before the first step; square is Adam's alone. The
 * result is the same for any number of threads. */
void mch_update(struct mch_net *net, const struct mch_update *u, float *velocity, float *square);

#endif
