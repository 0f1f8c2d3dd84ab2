/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Fuzz targets that read networks and what belongs to them; see fuzz.h. */
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "fuzz/fuzz.h"
#include "io/caffe_mean.h"
#include "io/caffe_read.h"
#include "io/onnx_read.h"
#include "io/prototxt.h"
#include "io/quant_json.h"
#include "net/lower.h"
#include "train/checkpoint.h"

void fuzz_prototxt(const uint8_t *bytes, size_t n_bytes)
{
	struct mch_err err = {""};
	struct mch_prototxt *root = mch_prototxt_parse("f.prototxt", (const char *)bytes, n_bytes, &err);
	fuzz_expect(root ? 0 : -1, &err);
	mch_prototxt_free(root);
}

/* What was read can be used: it is lowered and, if it is small and has its weights, run. */
static void use(struct mch_net *net)
{
	enum { ELEMS_MAX = 20000, MACS_MAX = 200000 };
	struct mch_err err = {""};
	size_t n_elems = 0, n_macs = 0;
	int status = mch_net_lower(net, &err);
	fuzz_expect(status, &err);
	for (int e = 0; status == 0 && e < net->n_edges; e++)
		n_elems += mch_shape_elems(net->edges[e].shape);
	for (int i = 0; status == 0 && i < net->n_layers; i++)
		n_macs += mch_layer_macs(&net->layers[i]);
	if (status == 0 && n_elems <= ELEMS_MAX && n_macs <= MACS_MAX && net->n_layers <= 64 &&
	    mch_net_n_inputs(net) == 1 && mch_net_require_weights(net, &err) == 0) {
		float *input = calloc(ELEMS_MAX, sizeof(*input));
		float **values = calloc((size_t)net->n_edges, sizeof(*values));
		MCH_REQUIRE(input && values, "there is memory");
		status = mch_net_run_f32(net, 1, input, values, &err);
		fuzz_expect(status, &err);
		free(values);
		free(input);
	}
	mch_net_free(net);
}

/* Ristretto's definitions have formats too. */
void fuzz_caffe(const uint8_t *bytes, size_t n_bytes)
{
	struct mch_err err = {""};
	struct mch_net net;
	struct mch_quant quant = {0};
	const int status = mch_caffe_load(fuzz_file(0, bytes, n_bytes), NULL, NULL, &net, &quant, &err);
	fuzz_expect(status, &err);
	mch_quant_free(&quant);
	if (status == 0)
		use(&net);
}

void fuzz_caffe_mean(const uint8_t *bytes, size_t n_bytes)
{
	struct mch_err err = {""};
	struct mch_transform transform = mch_transform_plain();
	const struct mch_shape input = {1, 3, 2, 2};
	fuzz_expect(mch_caffe_mean_read(fuzz_file(0, bytes, n_bytes), input, &transform, &err), &err);
	free(transform.mean_image);
}

/* The parameters of a network with every kind that has some. */
void fuzz_caffemodel(const uint8_t *bytes, size_t n_bytes)
{
	static const char definition[] =
		"input: 'x' input_shape { dim: [1, 2, 3, 3] }\n"
		"layer { name: 'c' type: 'Convolution' bottom: 'x' top: 'c' convolution_param { num_output: 2 "
		"kernel_size: 2 "
		"} }\n"
		"layer { name: 'n' type: 'BatchNorm' bottom: 'c' top: 'n' }\n"
		"layer { name: 's' type: 'Scale' bottom: 'n' top: 's' scale_param { bias_term: true } }\n"
		"layer { name: 'b' type: 'Bias' bottom: 's' top: 'b' }\n"
		"layer { name: 'p' type: 'PReLU' bottom: 'b' top: 'p' prelu_param { channel_shared: true } }\n"
		"layer { name: 'i' type: 'InnerProduct' bottom: 'p' top: 'i' inner_product_param { num_output: 2 "
		"transpose: "
		"true } }\n";
	struct mch_err err = {""};
	struct mch_net net;
	const char *text = fuzz_file(1, (const uint8_t *)definition, sizeof(definition) - 1);
	const int status = mch_caffe_load(text, fuzz_file(0, bytes, n_bytes), NULL, &net, NULL, &err);
	fuzz_expect(status, &err);
	if (status == 0)
		use(&net);
}

void fuzz_onnx(const uint8_t *bytes, size_t n_bytes)
{
	struct mch_err err = {""};
	struct mch_net net;
	struct mch_quant quant = {0};
	const struct mch_onnx_options options = {.quant = &quant};
	const int status = mch_onnx_parse_options("f.onnx", bytes, n_bytes, &options, &net, &err);
	fuzz_expect(status, &err);
	if (status == 0)
		use(&net);
	mch_quant_free(&quant);
}

void fuzz_onnx_quant(const uint8_t *bytes, size_t n_bytes)
{
	struct mch_err err = {""};
	struct mch_net net;
	struct mch_quant quant = {0};
	const struct mch_onnx_options options = {.quant = &quant};
	const int status = mch_onnx_parse_options("f.onnx", bytes, n_bytes, &options, &net, &err);
	fuzz_expect(status, &err);
	mch_quant_free(&quant);
	if (status == 0)
		use(&net);
}

/* conv 2@3x3, relu, dense 3 on 1x5x5, made once. */
static struct mch_net *small_net(void)
{
	static struct mch_net net;
	struct mch_err err;
	if (net.n_layers)
		return &net;
	mch_net_init(&net);
	net.name = strdup("small");
	net.input = mch_net_add_edge(&net, "data", (struct mch_shape){1, 1, 5, 5}, &err);
	const int conv = mch_net_add_layer(&net, "conv", MCH_CONV, net.input, NULL, &err);
	net.layers[conv].conv = (struct mch_conv){.n = 1, .k = 2, .r = 3, .s = 3, .stride_h = 1, .stride_w = 1,
						  .dilation_h = 1, .dilation_w = 1, .groups = 1};
	const int relu = mch_net_add_layer(&net, "relu", MCH_RELU, net.layers[conv].out[0], NULL, &err);
	const int dense = mch_net_add_layer(&net, "dense", MCH_DENSE, net.layers[relu].out[0], NULL, &err);
	net.layers[dense].conv.k = 3;
	int status = mch_net_infer(&net, &err);
	for (int i = 0; status == 0 && i < net.n_layers; i++)
		status = mch_layer_alloc(&net.layers[i], 1, &err);
	if (status != 0)
		abort();
	return &net;
}

void fuzz_quant_json(const uint8_t *bytes, size_t n_bytes)
{
	struct mch_err err = {""};
	struct mch_quant quant;
	const int status = mch_quant_json_read(fuzz_file(0, bytes, n_bytes), small_net(), &quant, NULL, &err);
	fuzz_expect(status, &err);
	if (status == 0)
		mch_quant_free(&quant);
}

void fuzz_checkpoint(const uint8_t *bytes, size_t n_bytes)
{
	struct mch_err err = {""};
	struct mch_net *net = small_net();
	float velocity[256] = {0};
	struct mch_sgd_state state = {.n_params = 77, .velocity = velocity}; /* 18 + 2 of conv, 54 + 3 of dense */
	fuzz_expect(mch_checkpoint_read(fuzz_file(0, bytes, n_bytes), "seed=1\n", net, &state, NULL, &err), &err);
}
