/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The values of a network that training changes, in the order of the gradient: layers in order, weights then bias.
 * Host only: no RTL twin. */
#ifndef MCH_TRAIN_PARAMS_H
#define MCH_TRAIN_PARAMS_H

#include "net/net.h"

/* Weights or biases of a layer. Only the weights of conv, dense and deconv decay: decay pulls to 0, which is no
 * natural value of a bias, of the scale of a batch norm or of a PReLU's slope (He et al., "Bag of Tricks", 2019). */
struct mch_params {
	float *values; /* NULL: not loaded yet */
	size_t n_elems;
	bool is_decayed;
};

enum { MCH_PARAMS_MAX = 2 };

/* The pieces of layer i, in order: how many. A batch norm that only scale layers read has none: what it would learn,
 * they do (Caffe's pair BatchNorm + Scale). */
int mch_params_of(const struct mch_net *net, int i, struct mch_params pieces[MCH_PARAMS_MAX]);

/* Elements of layer i; of the whole net, the length of the gradient. */
size_t mch_params_of_layer(const struct mch_net *net, int i);
size_t mch_params_of_net(const struct mch_net *net);

#endif
