/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A network for every kind of layer; see kind_nets.h. */
#include "kind_nets.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "base/rng.h"
#include "net/layer.h"

static struct mch_err err;

static struct mch_layer *append(struct mch_net *net, const char *name, enum mch_kind kind, int n_in, const int *in)
{
	const int index = mch_net_append(net, name, kind, n_in, in, NULL, &err);
	MCH_REQUIRE(index >= 0, err.text);
	return &net->layers[index];
}

static int last(const struct mch_net *net)
{
	return net->n_layers ? net->layers[net->n_layers - 1].out[0] : net->input;
}

static struct mch_layer *chain(struct mch_net *net, const char *name, enum mch_kind kind)
{
	return append(net, name, kind, 1, (const int[]){last(net)});
}

static void start(struct mch_net *net, int c, int h, int w)
{
	mch_net_init(net);
	net->name = strdup("kind");
	net->input = mch_net_add_edge(net, "data", (struct mch_shape){1, c, h, w}, &err);
	MCH_REQUIRE(net->input >= 0, err.text);
}

static void set_conv(struct mch_layer *layer, int k, int r, int s, int stride, int pad)
{
	layer->conv = (struct mch_conv){.k = k,
					.r = r,
					.s = s,
					.stride_h = stride,
					.stride_w = stride,
					.pad_top = pad,
					.pad_left = pad,
					.pad_bottom = pad,
					.pad_right = pad,
					.dilation_h = 1,
					.dilation_w = 1,
					.groups = 1};
	layer->n_bias = (size_t)k;
}

static void conv(struct mch_net *net)
{
	start(net, 4, 9, 8);
	struct mch_layer *layer = chain(net, "conv", MCH_CONV);
	set_conv(layer, 6, 3, 2, 2, 1);
	layer->conv.groups = 2, layer->conv.dilation_h = 2, layer->conv.pad_right = 0;
	set_conv(chain(net, "plain", MCH_CONV), 3, 1, 1, 1, 0);
	net->layers[1].n_bias = 0;
}

static void dense(struct mch_net *net)
{
	start(net, 3, 4, 5);
	set_conv(chain(net, "fc1", MCH_DENSE), 7, 1, 1, 1, 0);
	set_conv(chain(net, "fc2", MCH_DENSE), 5, 1, 1, 1, 0);
	net->layers[1].n_bias = 0;
	/* An image again, though of one pixel: what reads it needs four dimensions. */
	set_conv(chain(net, "conv", MCH_CONV), 4, 1, 1, 1, 0);
	struct mch_layer *lrn = chain(net, "norm", MCH_LRN);
	lrn->lrn = (struct mch_lrn){.size = 3, .alpha = 0.1, .beta = 0.75, .k = 2};
	chain(net, "prob", MCH_SOFTMAX);
}

/* A layer of the name that the writer gives a node of fc. */
static void flatten(struct mch_net *net)
{
	start(net, 3, 4, 5);
	chain(net, "fc/flatten", MCH_FLATTEN);
	set_conv(chain(net, "fc", MCH_DENSE), 7, 1, 1, 1, 0);
}

static void deconv(struct mch_net *net)
{
	start(net, 4, 5, 6);
	struct mch_layer *layer = chain(net, "up", MCH_DECONV);
	set_conv(layer, 6, 3, 4, 2, 1);
	layer->conv.groups = 2, layer->conv.pad_bottom = 0, layer->out_pad_h = 1;
	layer = chain(net, "wide", MCH_DECONV);
	set_conv(layer, 3, 2, 2, 1, 0);
	layer->conv.dilation_w = 2, layer->n_bias = 0;
}

static void maps(struct mch_net *net)
{
	start(net, 3, 4, 5);
	chain(net, "leaky", MCH_LEAKY_RELU)->slope = 0.1;
	chain(net, "prelu", MCH_PRELU);
	chain(net, "tanh", MCH_TANH);
	chain(net, "scale", MCH_SCALE)->n_bias = 3;
	chain(net, "times", MCH_SCALE);
	struct mch_layer *clip = chain(net, "clip", MCH_CLIP);
	clip->clip.low = -0.25f, clip->clip.high = 0.5f;
	clip = chain(net, "below", MCH_CLIP);
	clip->clip.low = -INFINITY, clip->clip.high = 0.4f;
	clip = chain(net, "above", MCH_CLIP);
	clip->clip.low = -0.2f, clip->clip.high = INFINITY;
	struct mch_layer *norm = chain(net, "norm", MCH_BATCH_NORM);
	norm->norm.epsilon = 1e-5, norm->n_bias = 3;
	norm = chain(net, "norm2", MCH_BATCH_NORM);
	norm->norm.epsilon = 0.001;
	chain(net, "sigmoid", MCH_SIGMOID);
	chain(net, "drop", MCH_DROPOUT)->dropout_ratio = 0.4;
	chain(net, "relu", MCH_RELU);
	chain(net, "log", MCH_LOG_SOFTMAX);
	chain(net, "prob", MCH_SOFTMAX);
}

/* The same on vectors. */
static void vector_maps(struct mch_net *net)
{
	start(net, 3, 2, 2);
	chain(net, "flat", MCH_FLATTEN);
	chain(net, "prelu", MCH_PRELU);
	chain(net, "scale", MCH_SCALE)->n_bias = 12;
	struct mch_layer *norm = chain(net, "norm", MCH_BATCH_NORM);
	norm->norm.epsilon = 1e-5, norm->n_bias = 12;
	chain(net, "log", MCH_LOG_SOFTMAX);
}

static void lrn(struct mch_net *net)
{
	start(net, 6, 5, 4);
	chain(net, "across", MCH_LRN)->lrn = (struct mch_lrn){.size = 5, .alpha = 0.0001, .beta = 0.75, .k = 1};
	chain(net, "within", MCH_LRN)->lrn =
		(struct mch_lrn){.size = 3, .alpha = 5e-5, .beta = 0.75, .k = 1, .is_within = true};
	chain(net, "large", MCH_LRN)->lrn =
		(struct mch_lrn){.size = 7, .alpha = 1.5, .beta = 0.6, .k = 1, .is_within = true};
}

/* ONNX has it, ONNX Runtime refuses it: scripts/check-onnxruntime knows. */
static void even_lrn(struct mch_net *net)
{
	start(net, 6, 5, 4);
	chain(net, "four", MCH_LRN)->lrn = (struct mch_lrn){.size = 4, .alpha = 0.3, .beta = 0.5, .k = 2};
}

static void pool(struct mch_net *net, int i, enum mch_kind kind)
{
	const struct mch_pool pool = kind_pool(i);
	start(net, pool.c, pool.h, pool.w);
	chain(net, "pool", kind)->pool = pool;
}

/* Branches of one input: the input itself, one channel of it, one pixel, and a flat one of as many channels. */
static void branches(struct mch_net *net, int in[3])
{
	start(net, 4, 3, 2);
	in[0] = net->input;
	set_conv(append(net, "thin", MCH_CONV, 1, in), 1, 1, 1, 1, 0);
	in[1] = last(net);
	set_conv(append(net, "pixel", MCH_DENSE, 1, in), 4, 1, 1, 1, 0);
	in[2] = last(net);
}

static void set_times(struct mch_layer *layer, const float *times)
{
	layer->n_weights = (size_t)layer->n_in;
	layer->weights = malloc(layer->n_weights * sizeof(float));
	MCH_REQUIRE(layer->weights, "memory");
	memcpy(layer->weights, times, layer->n_weights * sizeof(float));
}

static void eltwise(struct mch_net *net, enum mch_kind kind)
{
	int in[3];
	branches(net, in);
	append(net, "two", kind, 2, in);
	append(net, "three", kind, 3, in);
	append(net, "one", kind, 1, in + 2);
	append(net, "vectors", kind, 2, (const int[]){last(net), in[2]});
	append(net, "mixed", kind, 2, (const int[]){last(net), in[0]});
	append(net, "twice", kind, 2, (const int[]){last(net), last(net)});
	append(net, "all", kind, 3, (const int[]){last(net), net->layers[3].out[0], net->layers[2].out[0]});
}

static void weighted_sum(struct mch_net *net)
{
	int in[3];
	branches(net, in);
	set_times(append(net, "minus", MCH_SUM, 2, in), (const float[]){1, -1});
	set_times(append(net, "three", MCH_SUM, 3, (const int[]){last(net), in[1], in[2]}),
		  (const float[]){0.1f, 1, -2.5f});
	set_times(append(net, "twice", MCH_SUM, 2, (const int[]){last(net), last(net)}),
		  (const float[]){0.3f, 0.7f});
	set_times(append(net, "ones", MCH_SUM, 2, (const int[]){last(net), in[0]}), (const float[]){1, 1});
}

static void concat(struct mch_net *net)
{
	int in[3];
	branches(net, in);
	append(net, "vectors", MCH_CONCAT, 2, (const int[]){in[2], in[2]})->axis = 1;
	chain(net, "two", MCH_DENSE);
	set_conv(&net->layers[net->n_layers - 1], 24, 1, 1, 1, 0);
	chain(net, "image", MCH_RESHAPE)->shape = (struct mch_shape){1, 4, 3, 2};
	append(net, "channels", MCH_CONCAT, 3, (const int[]){in[0], last(net), in[1]})->axis = 1;
	append(net, "rows", MCH_CONCAT, 2, (const int[]){last(net), last(net)})->axis = 2;
	append(net, "columns", MCH_CONCAT, 2, (const int[]){last(net), last(net)})->axis = 3;
}

/* Indexes of one axis, ended by -9. */
static void gather(struct mch_net *net, const char *name, enum mch_kind kind, const int *c, const int *h,
		   const int *w)
{
	const int *const at[] = {c, h, w};
	int n[3] = {0, 0, 0};
	struct mch_layer *layer = chain(net, name, kind);
	for (int axis = 0; axis < 3; axis++)
		while (at[axis][n[axis]] != -9)
			n[axis]++;
	MCH_REQUIRE(mch_gather_alloc(&layer->gather, n[0], n[1], n[2], &err) == 0, err.text);
	for (int axis = 0, i = 0; axis < 3; axis++)
		for (int j = 0; j < n[axis]; j++)
			layer->gather.at[i++] = at[axis][j];
	layer->gather.fill = kind == MCH_PAD ? 0.5f : 0; /* the others have none */
}

#define AT(...) ((const int[]){__VA_ARGS__, -9})

static void slice(struct mch_net *net)
{
	start(net, 4, 6, 5);
	gather(net, "part", MCH_SLICE, AT(1, 2, 3), AT(0, 2, 4), AT(0, 1, 2, 3, 4));
	gather(net, "turned", MCH_SLICE, AT(2, 1, 0), AT(0, 1, 2), AT(3, 1));
	gather(net, "odd", MCH_SLICE, AT(0, 0, 2), AT(2, 0, 1), AT(0, 1));
	gather(net, "same", MCH_SLICE, AT(0, 1, 2), AT(0, 1, 2), AT(0, 1));
	gather(net, "one", MCH_SLICE, AT(1), AT(0, 1, 2), AT(0, 1));
}

static void pad(struct mch_net *net)
{
	start(net, 2, 3, 2);
	gather(net, "frame", MCH_PAD, AT(0, 1), AT(-1, 0, 1, 2), AT(-1, -1, 0, 1, -1));
	gather(net, "channel", MCH_PAD, AT(0, 1, -1), AT(0, 1, 2, 3), AT(0, 1, 2, 3, 4));
	gather(net, "mirror", MCH_PAD, AT(0, 1, 2), AT(1, 0, 1, 2, 3, 2), AT(0, 1, 2, 3, 4));
	gather(net, "holes", MCH_PAD, AT(0, -1, 1), AT(0, 1, -1, 2), AT(4, 3, 2, -1));
	gather(net, "same", MCH_PAD, AT(0, 1, 2), AT(0, 1, 2, 3), AT(0, 1, 2, 3));
}

static void upsample(struct mch_net *net)
{
	start(net, 2, 3, 2);
	gather(net, "twice", MCH_UPSAMPLE, AT(0, 1), AT(0, 0, 1, 1, 2, 2), AT(0, 0, 0, 1, 1, 1));
	gather(net, "odd", MCH_UPSAMPLE, AT(0, 1), AT(0, 1, 1, 2, 3, 3, 4, 5), AT(0, 1, 2, 3, 4, 5));
	gather(net, "same", MCH_UPSAMPLE, AT(0, 1), AT(0, 1, 2, 3, 4, 5, 6, 7), AT(0, 1, 2, 3, 4, 5));
}

static void views(struct mch_net *net)
{
	start(net, 4, 3, 2);
	chain(net, "shape", MCH_RESHAPE)->shape = (struct mch_shape){1, 2, 3, 4};
	struct mch_layer *turn = chain(net, "turn", MCH_TRANSPOSE);
	turn->order[0] = 2, turn->order[1] = 0, turn->order[2] = 1;
	chain(net, "flat", MCH_FLATTEN);
	chain(net, "again", MCH_RESHAPE)->shape = (struct mch_shape){1, 6, 2, 2};
	turn = chain(net, "back", MCH_TRANSPOSE);
	turn->order[0] = 1, turn->order[1] = 0, turn->order[2] = 2;
	chain(net, "vector", MCH_RESHAPE)->shape = (struct mch_shape){1, 24, 1, 1};
	chain(net, "flat2", MCH_FLATTEN);
}

static struct mch_layer *constant(struct mch_net *net, const char *name, int c, int h, int w)
{
	struct mch_layer *layer = append(net, name, MCH_CONSTANT, 0, NULL);
	const size_t n = (size_t)(c * h * w);
	layer->shape = (struct mch_shape){1, c, h, w};
	layer->weights = malloc(n * sizeof(float));
	MCH_REQUIRE(layer->weights, "memory");
	layer->n_weights = n;
	for (size_t i = 0; i < n; i++)
		layer->weights[i] = (float)i / 8 - 1;
	return layer;
}

static void constants(struct mch_net *net)
{
	start(net, 2, 3, 4);
	constant(net, "bias", 2, 1, 1);
	append(net, "add", MCH_SUM, 2, (const int[]){net->input, last(net)});
	const int added = last(net);
	constant(net, "more", 1, 3, 4);
	append(net, "join", MCH_CONCAT, 2, (const int[]){added, last(net)})->axis = 1;
}

static void metadata(struct mch_net *net)
{
	conv(net);
	net->transform = (struct mch_transform){.resize = MCH_RESIZE_WARP,
						.height = 256,
						.width = 250,
						.is_bgr = true,
						.scale = 1.0 / 3,
						.n_mean = 3,
						.n_std = 1,
						.mean = {104, 116.7f, 122.5f},
						.std = {57.3f}};
	net->transform.is_cropped = true;
	net->transform.mean_image = malloc(24 * sizeof(float));
	MCH_REQUIRE(net->transform.mean_image, "memory");
	net->transform.mean_c = 2, net->transform.mean_h = 3, net->transform.mean_w = 4;
	for (int i = 0; i < 24; i++)
		net->transform.mean_image[i] = (float)i / 3;
}

static const struct {
	const char *name;
	void (*make)(struct mch_net *net); /* NULL: eltwise, of the kind */
	enum mch_kind kind;
} nets[] = {
	{"conv", conv, MCH_N_KINDS},
	{"dense", dense, MCH_N_KINDS},
	{"flatten", flatten, MCH_N_KINDS},
	{"deconv", deconv, MCH_N_KINDS},
	{"maps", maps, MCH_N_KINDS},
	{"vector_maps", vector_maps, MCH_N_KINDS},
	{"lrn", lrn, MCH_N_KINDS},
	{"even_lrn", even_lrn, MCH_N_KINDS},
	{"sum", NULL, MCH_SUM},
	{"product", NULL, MCH_PROD},
	{"maximum", NULL, MCH_MAX},
	{"weighted_sum", weighted_sum, MCH_N_KINDS},
	{"concat", concat, MCH_N_KINDS},
	{"slice", slice, MCH_N_KINDS},
	{"pad", pad, MCH_N_KINDS},
	{"upsample", upsample, MCH_N_KINDS},
	{"views", views, MCH_N_KINDS},
	{"constants", constants, MCH_N_KINDS},
	{"metadata", metadata, MCH_N_KINDS},
};
enum { N_NETS = sizeof(nets) / sizeof(nets[0]) };

int kind_nets_count(void)
{
	return N_NETS + 2 * KIND_POOLS;
}

const char *kind_nets_name(int i)
{
	static char name[32];
	if (i < N_NETS)
		return nets[i].name;
	snprintf(name, sizeof(name), "%s_pool_%d", (i - N_NETS) % 2 ? "mean" : "max", (i - N_NETS) / 2);
	return name;
}

/* Weights in [-0.5, 0.5), variances in [0.5, 1.5). */
static void fill(struct mch_net *net)
{
	struct mch_rng rng = mch_rng_seed(7);
	for (int i = 0; i < net->n_layers; i++) {
		struct mch_layer *layer = &net->layers[i];
		if (!mch_layer_has_weights(layer))
			continue;
		MCH_REQUIRE(mch_layer_alloc(layer, layer->n_bias > 0, &err) == 0, err.text);
		for (size_t j = 0; j < layer->n_weights; j++)
			layer->weights[j] = (float)(mch_rng_real(&rng) - 0.5);
		for (size_t j = 0; layer->bias && j < layer->n_bias; j++)
			layer->bias[j] = (float)(mch_rng_real(&rng) - 0.5);
		for (size_t j = 0; layer->kind == MCH_BATCH_NORM && j < layer->n_weights; j++) {
			layer->mean[j] = (float)(mch_rng_real(&rng) - 0.5);
			layer->variance[j] = (float)(mch_rng_real(&rng) + 0.5);
		}
	}
}

void kind_nets_make(int i, struct mch_net *net)
{
	if (i < N_NETS && !nets[i].make)
		eltwise(net, nets[i].kind);
	else if (i < N_NETS)
		nets[i].make(net);
	else
		pool(net, (i - N_NETS) / 2, (i - N_NETS) % 2 ? MCH_POOL_AVG : MCH_POOL_MAX);
	MCH_REQUIRE(mch_net_infer(net, &err) == 0, err.text);
	fill(net);
}
