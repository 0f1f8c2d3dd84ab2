/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A small network with every kind of layer and random weights, for the tests of files. */
#ifndef MCH_TESTS_SMALL_NET_H
#define MCH_TESTS_SMALL_NET_H

#include <check.h>
#include <string.h>

#include "base/rng.h"
#include "net/net.h"

static inline int small_net_add(struct mch_net *net, const char *name, enum mch_kind kind)
{
	const int in = net->n_layers ? net->layers[net->n_layers - 1].out[0] : net->input;
	const int index = mch_net_add_layer(net, name, kind, in, NULL, NULL);
	ck_assert_int_ge(index, 0);
	return index;
}

static inline void small_net_fill(struct mch_net *net, uint64_t seed)
{
	struct mch_rng rng = mch_rng_seed(seed);
	for (int i = 0; i < net->n_layers; i++) {
		struct mch_layer *layer = &net->layers[i];
		if (!layer->weights)
			ck_assert_int_eq(mch_layer_alloc(layer, layer->n_bias > 0, NULL), 0);
		for (size_t j = 0; layer->weights && j < layer->n_weights; j++)
			layer->weights[j] = (float)(mch_rng_real(&rng) - 0.5);
		for (size_t j = 0; layer->bias && j < layer->n_bias; j++)
			layer->bias[j] = (float)(mch_rng_real(&rng) - 0.5);
	}
}

/* 2x9x8 -> conv (groups, dilation, uneven pads), relu, average pool, max pool, conv without bias, flatten, dense,
 * dropout, relu, dense without bias, softmax. */
static inline void small_net(struct mch_net *net)
{
	mch_net_init(net);
	net->name = strdup("small");
	net->transform.scale = 1.0 / 3;
	net->input = mch_net_add_edge(net, "data", (struct mch_shape){1, 2, 9, 8}, NULL);
	int i = small_net_add(net, "conv1", MCH_CONV);
	net->layers[i].conv = (struct mch_conv){.k = 4,
						.r = 3,
						.s = 2,
						.stride_h = 1,
						.stride_w = 1,
						.pad_top = 1,
						.pad_left = 0,
						.pad_bottom = 2,
						.pad_right = 1,
						.dilation_h = 2,
						.dilation_w = 1,
						.groups = 2};
	net->layers[i].n_bias = 4;
	small_net_add(net, "relu1", MCH_RELU);
	i = small_net_add(net, "pool1", MCH_POOL_AVG);
	net->layers[i].pool = (struct mch_pool){.r = 3,
						.s = 2,
						.stride_h = 2,
						.stride_w = 1,
						.pad_top = 1,
						.pad_bottom = 1,
						.dilation_h = 1,
						.dilation_w = 1,
						.ceil_mode = true,
						.count_include_pad = true};
	i = small_net_add(net, "pool2", MCH_POOL_MAX);
	net->layers[i].pool = (struct mch_pool){.r = 2, .s = 2, .stride_h = 2, .stride_w = 2,
						     .dilation_h = 1, .dilation_w = 1};
	i = small_net_add(net, "conv2", MCH_CONV);
	net->layers[i].conv = (struct mch_conv){
		.k = 3, .r = 1, .s = 1, .stride_h = 1, .stride_w = 1, .dilation_h = 1, .dilation_w = 1, .groups = 1};
	small_net_add(net, "flat", MCH_FLATTEN);
	i = small_net_add(net, "fc1", MCH_DENSE);
	net->layers[i].conv = mch_dense_geometry(1, 0, 5);
	net->layers[i].n_bias = 5;
	small_net_add(net, "drop", MCH_DROPOUT);
	small_net_add(net, "relu2", MCH_RELU);
	i = small_net_add(net, "fc2", MCH_DENSE);
	net->layers[i].conv = mch_dense_geometry(1, 0, 3);
	small_net_add(net, "prob", MCH_SOFTMAX);
	struct mch_err err = {""};
	ck_assert_msg(mch_net_infer(net, &err) == 0, "%s", err.text);
	small_net_fill(net, 1);
}

#endif
