/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Writes the network of accel_fixture.h as files that the command reads: fixture.onnx, fixture.quant.json and a data
 * set of 12 images, into the folder given. With a second argument, "wide", one of more channels on larger images: every tile,
 * block and border that a fault can hit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accel_fixture.h"
#include "base/require.h"
#include "base/rng.h"
#include "io/net_read.h"
#include "io/onnx_write.h"
#include "io/quant_json.h"

enum { N = 12 };

static int die(const char *text)
{
	fprintf(stderr, "make_accel_net: %s\n", text);
	return 99;
}

static int put_data(const char *dir, int side)
{
	const unsigned char images[] = {0, 0, 8, 3, 0, 0, 0, N, 0, 0, 0, (unsigned char)side, 0, 0, 0, (unsigned char)side};
	static const unsigned char labels[] = {0, 0, 8, 1, 0, 0, 0, N};
	char path[512];
	struct mch_rng rng = mch_rng_seed(5);
	snprintf(path, sizeof(path), "%s/t10k-images-idx3-ubyte", dir);
	FILE *stream = fopen(path, "wb");
	if (!stream)
		return -1;
	fwrite(images, 1, sizeof(images), stream);
	for (int i = 0; i < N * side * side; i++)
		fputc(mch_rng_below(&rng, 3) ? (int)mch_rng_below(&rng, 256) : 255, stream);
	fclose(stream);
	snprintf(path, sizeof(path), "%s/t10k-labels-idx1-ubyte", dir);
	stream = fopen(path, "wb");
	if (!stream)
		return -1;
	fwrite(labels, 1, sizeof(labels), stream);
	for (int i = 0; i < N; i++)
		fputc(i % FIXTURE_CLASSES, stream);
	return fclose(stream);
}

static void add(struct mch_net *net, const char *name, enum mch_kind kind, struct mch_conv conv)
{
	struct mch_err err;
	const int in = net->n_layers ? net->layers[net->n_layers - 1].out[0] : net->input;
	const int i = mch_net_add_layer(net, name, kind, in, NULL, &err);
	MCH_REQUIRE(i >= 0, err.text);
	net->layers[i].conv = conv;
}

/* conv1 (ReLU) -> conv2 -> dense. */
static void wide_net(struct mch_net *net, int side)
{
	const struct mch_conv first = {1, 0, 0, 0, 8, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1}, none = {0};
	struct mch_conv second = first, dense = none;
	struct mch_rng rng = mch_rng_seed(9);
	struct mch_err err;
	second.k = 12, second.stride_h = second.stride_w = 2, dense.k = 10;
	mch_net_init(net);
	net->name = strdup("fixture");
	net->input = mch_net_add_edge(net, "data", (struct mch_shape){1, 1, side, side}, &err);
	net->output = -1;
	add(net, "conv1", MCH_CONV, first);
	add(net, "relu1", MCH_RELU, none);
	add(net, "conv2", MCH_CONV, second);
	add(net, "ip1", MCH_DENSE, dense);
	MCH_REQUIRE(mch_net_infer(net, &err) == 0, err.text);
	for (int i = 0; i < net->n_layers; i++) {
		struct mch_layer *layer = &net->layers[i];
		if (layer->kind == MCH_RELU)
			continue;
		MCH_REQUIRE(mch_layer_alloc(layer, 1, &err) == 0, err.text);
		for (size_t j = 0; j < layer->n_weights; j++)
			layer->weights[j] = (float)((mch_rng_real(&rng) - 0.45) * 2.5);
		for (size_t j = 0; j < layer->n_bias; j++)
			layer->bias[j] = (float)(mch_rng_real(&rng) * 4 - 2);
	}
}

static int wide_quant(struct mch_quant *quant, const struct mch_net *net, struct mch_err *err)
{
	if (mch_quant_init(quant, net, err) != 0)
		return -1;
	quant->round = MCH_ROUND_HALF_EVEN;
	for (int e = 0; e < net->n_edges; e++)
		quant->edge[e] = (struct mch_format){8, 3, true};
	quant->edge[net->input] = (struct mch_format){8, 8, false};
	for (int i = 0; i < net->n_layers; i++)
		if (net->layers[i].weights)
			quant->layer[i].weights = (struct mch_format){8, 5, true};
	return 0;
}

int main(int argc, char **argv)
{
	struct mch_err err;
	struct mch_net net, read;
	struct mch_quant quant;
	char onnx[512], json[512];
	const bool is_wide = argc == 3 && strcmp(argv[2], "wide") == 0;
	const int side = is_wide ? 16 : 6;
	if ((argc != 2 && !is_wide) || put_data(argv[1], side) != 0)
		return die("give a folder that can be written, and \"wide\" or nothing");
	snprintf(onnx, sizeof(onnx), "%s/fixture.onnx", argv[1]);
	snprintf(json, sizeof(json), "%s/fixture.quant.json", argv[1]);
	if (is_wide)
		wide_net(&net, side);
	else
		fixture_net(&net);
	net.transform.scale = 1.0 / 256;
	/* The formats are those of the network as it is read: a format of files may add layers. */
	if (mch_onnx_write(onnx, &net, &err) != 0 || mch_net_read(onnx, NULL, &read, NULL, &err) != 0)
		return die(err.text);
	if (!is_wide)
		fixture_quant(&quant, &read, MCH_ROUND_HALF_EVEN, 0);
	else if (wide_quant(&quant, &read, &err) != 0)
		return die(err.text);
	if (mch_quant_json_write(json, &read, &quant, NULL, &err) != 0)
		return die(err.text);
	mch_quant_free(&quant);
	mch_net_free(&read);
	mch_net_free(&net);
	return 0;
}
