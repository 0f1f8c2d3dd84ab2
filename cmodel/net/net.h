/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The network: a graph of layers in order of execution, joined by tensors. Host only: no RTL twin. */
#ifndef MCH_NET_NET_H
#define MCH_NET_NET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "net/transform.h"
#include "op/conv.h"
#include "op/gather.h"
#include "op/pool.h"
#include "tensor/tensor.h"

/* Every kind has one row in the layer table (layer.h). x is the input, y the output, both [n][c][h][w]. */
enum mch_kind {
	MCH_CONV,
	MCH_DENSE,  /* flattens its input, C, H, W order */
	MCH_DECONV, /* transposed convolution, "Deconvolution", weights [c][k / groups][r][s] */
	MCH_RELU,
	MCH_CLIP,       /* min(max(x, low), high): high where low lies above it */
	MCH_LEAKY_RELU, /* x < 0 ? x * slope : x */
	MCH_PRELU,      /* the same with a slope for each channel, or one for all: weights [c] or [1] */
	MCH_SIGMOID,
	MCH_TANH,
	MCH_SOFTMAX, /* over c */
	MCH_LOG_SOFTMAX,
	MCH_POOL_MAX,
	MCH_POOL_AVG,
	MCH_LRN,
	MCH_BATCH_NORM, /* weights[c] * (x - mean[c]) / sqrt(variance[c] + epsilon) + bias[c] */
	MCH_SCALE,      /* weights[c] * x + bias[c] */
	MCH_SUM,        /* of all inputs, each times its coefficient weights[i]; no weights: 1 */
	MCH_PROD,
	MCH_MAX,
	MCH_CONCAT,
	MCH_SLICE,    /* these three pick: see struct mch_gather (op/gather.h) */
	MCH_PAD,
	MCH_UPSAMPLE, /* nearest */
	MCH_FLATTEN,
	MCH_RESHAPE, /* the same values in the same order */
	MCH_TRANSPOSE,
	MCH_DROPOUT,  /* identity in inference */
	MCH_CONSTANT, /* no input; weights [c][h][w], the same for every image */
	MCH_N_KINDS
};

/* Local response normalization: y = x * (k + alpha / size * sum x^2)^-beta, the sum over `size` neighbouring channels
 * (Krizhevsky et al., 2012), floor((size - 1) / 2) before and ceil((size - 1) / 2) behind (ONNX), zeros beyond the edge; or,
 * within a channel, over size x size pixels, alpha / size^2 and k = 1 (Caffe's WITHIN_CHANNEL). */
struct mch_lrn {
	int size; /* within a channel: odd */
	double alpha, beta, k;
	bool is_within;
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
		struct mch_conv conv; /* CONV, DECONV and DENSE (mch_dense_geometry); n == 1, c h w the input, k the output */
		struct mch_pool pool; /* n == 1 */
		struct mch_lrn lrn;
		struct mch_gather gather; /* SLICE, PAD, UPSAMPLE */
		struct {
			float low, high; /* CLIP; -INFINITY and INFINITY: none */
		} clip;
		double slope; /* LEAKY_RELU */
		struct {
			int channels; /* of the input, set by mch_net_infer */
			double epsilon;
		} norm;                  /* BATCH_NORM, SCALE, PRELU */
		int axis;                /* CONCAT: 1 c, 2 h, 3 w */
		struct mch_shape shape;  /* RESHAPE, CONSTANT: of the output, n == 1 */
		int order[3];            /* TRANSPOSE: axis i of c, h, w of y is axis order[i] (0 c, 1 h, 2 w) of x */
		double dropout_ratio;    /* DROPOUT: matters to training only */
	};
	int out_pad_h, out_pad_w; /* DECONV: rows and columns more at the end of the output, below the stride */
	float *weights; /* conv: K(C/groups)RS; NULL when the kind has none or they are not loaded yet */
	float *bias;    /* [k] or [c], NULL for none */
	size_t n_weights, n_bias; /* n_bias is k (c) as soon as the definition asks for a bias, loaded or not */
	float *mean, *variance;   /* BATCH_NORM: [c], owned; NULL: not loaded yet */
};

struct mch_net {
	char *name;
	int n_layers, n_edges;
	struct mch_layer *layers; /* topological order */
	struct mch_edge *edges;
	int input, output;  /* edges; input is the first of those that no layer writes */
	struct mch_transform transform; /* how a picture becomes the input */
};

void mch_net_init(struct mch_net *net);
void mch_net_free(struct mch_net *net);
/* What a layer owns. For who takes it out of a net. */
void mch_layer_free(struct mch_layer *layer);

/* Appends an edge; its index, or -1 with err. The shape of a layer's output is set by mch_net_infer. */
int mch_net_add_edge(struct mch_net *net, const char *name, struct mch_shape shape, struct mch_err *err);

/* Appends a layer of n_in input edges and one output edge (made here, named after the layer unless out_name is given); its
 * index, or -1 with err. The caller then sets geometry (kernel, stride, pad, dilation, groups, k) and parameters. The pointer
 * net->layers may move. */
int mch_net_append(struct mch_net *net, const char *name, enum mch_kind kind, int n_in, const int *in,
		   const char *out_name, struct mch_err *err);

/* The same with one input. */
int mch_net_add_layer(struct mch_net *net, const char *name, enum mch_kind kind, int in_edge, const char *out_name,
		      struct mch_err *err);

/* Room for gather->at for n_c + n_h + n_w indexes, which the caller fills. 0, or -1 with err. */
int mch_gather_alloc(struct mch_gather *gather, int n_c, int n_h, int n_w, struct mch_err *err);

/* Edge or layer of that name, or -1. With in-place layers (Caffe) the last writer's edge is found. */
int mch_net_find_edge(const struct mch_net *net, const char *name);
int mch_net_find_layer(const struct mch_net *net, const char *name);

/* Fills in shapes from the inputs to the output, and c, h, w of every geometry; sets net->output to the last layer's
 * edge when it is -1. Checks shapes of the inputs, kernels, groups, strides (>= 1) and sizes of the parameters that are present.
 * 0, or -1 with err: "NET: layer conv2: ...". */
int mch_net_infer(struct mch_net *net, struct mch_err *err);

/* The same for one layer, whose inputs have their shapes: for readers that ask for shapes while they build. */
int mch_net_infer_layer(struct mch_net *net, int layer, struct mch_err *err);

/* It multiplies and accumulates: conv, dense, deconv. */
bool mch_layer_is_mac(const struct mch_layer *layer);
/* It has parameters that training changes and files carry: the MAC kinds, batch norm, scale, PReLU. */
bool mch_layer_has_weights(const struct mch_layer *layer);

/* Allocates the parameters of a layer that has none (zeros; with_bias says whether there is a bias; batch norm: mean 0 and
 * variance 1 too). Needs mch_net_infer before. */
int mch_layer_alloc(struct mch_layer *layer, int with_bias, struct mch_err *err);

/* Every layer that needs weights has them? 0, or -1 with err naming the first layer without. */
int mch_net_require_weights(const struct mch_net *net, struct mch_err *err);

/* Multiply-accumulates of a layer for one image; parameters (weights, bias; mean and variance too). */
size_t mch_layer_macs(const struct mch_layer *layer);
size_t mch_layer_params(const struct mch_layer *layer);
/* Weights alone, as the geometry wants them. */
size_t mch_layer_want_weights(const struct mch_layer *layer);

/* Output size of a DECONV; <= 0 when nothing is left. */
int mch_deconv_p(const struct mch_layer *layer);
int mch_deconv_q(const struct mch_layer *layer);

/* Edges that no layer writes: 1, or more for a network with several inputs, which only mch_net_run_f32 runs. */
int mch_net_n_inputs(const struct mch_net *net);

/* Plain float forward of `n` images, the arbiter of fast/. edge_values[e] is NULL (not wanted) or room for n images of
 * edge e; input is [n][c][h][w]. Further inputs are in edge_values, filled. 0, or -1 with err when memory is short. */
int mch_net_run_f32(const struct mch_net *net, int n, const float *input, float *const *edge_values,
		    struct mch_err *err);

#endif
