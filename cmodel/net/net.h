/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The network: a graph of layers in order of execution, joined by tensors. Host only: no RTL twin. */
#ifndef MCH_NET_NET_H
#define MCH_NET_NET_H

#include <stddef.h>

#include "base/err.h"
#include "op/conv.h"
#include "op/pool.h"
#include "tensor/tensor.h"

/* Every kind has one row in the layer table (layer.h). */
enum mch_kind {
	MCH_CONV,
	MCH_DENSE, /* flattens its input, C, H, W order */
	MCH_RELU,
	MCH_POOL_MAX,
	MCH_POOL_AVG,
	MCH_FLATTEN,
	MCH_DROPOUT, /* identity in inference */
	MCH_SOFTMAX, /* over c */
	MCH_N_KINDS
};

/* An edge of the graph: written by one layer (or the net's input), read by any number. Batch n is 1 here:
 * the runner multiplies. */
struct mch_edge {
	char *name;
	struct mch_shape shape; /* n == 1 */
	int producer;           /* layer index, -1 for the net's input */
};

struct mch_layer {
	char *name;
	enum mch_kind kind;
	int n_in, n_out;
	int *in, *out; /* edge indexes */
	union {
		struct mch_conv conv; /* CONV and DENSE (mch_dense_geometry); n == 1 */
		struct mch_pool pool; /* n == 1 */
	};
	float *weights; /* K(C/groups)RS, NULL when the kind has none or they are not loaded yet */
	float *bias;    /* [k], NULL for none */
	size_t n_weights, n_bias; /* n_bias is k as soon as the definition asks for a bias, loaded or not */
};

struct mch_net {
	char *name;
	int n_layers, n_edges;
	struct mch_layer *layers; /* topological order */
	struct mch_edge *edges;
	int input, output;  /* edges */
	double input_scale; /* float input = pixel * input_scale (Caffe's transform_param.scale) */
};

void mch_net_init(struct mch_net *net);
void mch_net_free(struct mch_net *net);

/* Appends an edge; its index, or -1 with err. The shape of a layer's output is set by mch_net_infer. */
int mch_net_add_edge(struct mch_net *net, const char *name, struct mch_shape shape, struct mch_err *err);

/* Appends a layer of one input and one output edge (the output edge is made here, named after the layer unless
 * out_name is given); its index, or -1 with err. The caller then sets geometry (kernel, stride, pad, dilation,
 * groups, k) and parameters. The pointer net->layers may move. */
int mch_net_add_layer(struct mch_net *net, const char *name, enum mch_kind kind, int in_edge, const char *out_name,
		      struct mch_err *err);

/* Edge or layer of that name, or -1. With in-place layers (Caffe) the last writer's edge is found. */
int mch_net_find_edge(const struct mch_net *net, const char *name);
int mch_net_find_layer(const struct mch_net *net, const char *name);

/* Fills in shapes from the input to the output, and c, h, w of every geometry; sets net->output to the last layer's
 * edge when it is -1. Checks kernels, groups, strides (>= 1) and sizes of the parameters that are present. 0, or -1 with
 * err: "NET: layer conv2: ...". */
int mch_net_infer(struct mch_net *net, struct mch_err *err);

/* Allocates the parameters of a conv or dense layer that has none (zeros; with_bias says whether there is a bias). Needs
 * mch_net_infer before. */
int mch_layer_alloc(struct mch_layer *layer, int with_bias, struct mch_err *err);

/* Every conv and dense has weights? 0, or -1 with err naming the first layer without. */
int mch_net_require_weights(const struct mch_net *net, struct mch_err *err);

/* Multiply-accumulates and parameters of a layer for one image. */
size_t mch_layer_macs(const struct mch_layer *layer);
size_t mch_layer_params(const struct mch_layer *layer);

/* Plain float forward of `n` images, the arbiter of fast/. edge_values[e] is NULL (not wanted) or room for n images of
 * edge e; input is [n][c][h][w]. 0, or -1 with err when memory is short. */
int mch_net_run_f32(const struct mch_net *net, int n, const float *input, float *const *edge_values,
		    struct mch_err *err);

#endif
