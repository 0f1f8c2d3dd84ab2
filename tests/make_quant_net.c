/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Writes a small network and images for the tests of ranges and quantize into the folder given: small.onnx, and 40
 * training and 200 test images of noise whose labels are what the network itself says, so that float is always right.
 * In the folder DIR/dark the training images are black: ranges from them are of no use. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/require.h"
#include "base/rng.h"
#include "io/onnx_write.h"
#include "net/dataset.h"

enum { SIDE = 8, PIXELS = SIDE * SIDE, CLASSES = 4, N_TRAIN = 40, N_TEST = 200 };

static struct mch_err err;

static struct mch_layer *add(struct mch_net *net, const char *name, enum mch_kind kind)
{
	const int in = net->n_layers ? net->layers[net->n_layers - 1].out[0] : net->input;
	const int i = mch_net_add_layer(net, name, kind, in, NULL, &err);
	MCH_REQUIRE(i >= 0, err.text);
	return &net->layers[i];
}

static void make_net(struct mch_net *net)
{
	struct mch_rng rng = mch_rng_seed(3);
	mch_net_init(net);
	net->name = strdup("small");
	net->transform.scale = 1.0 / 256;
	net->input = mch_net_add_edge(net, "data", (struct mch_shape){1, 1, SIDE, SIDE}, &err);
	net->output = -1;
	add(net, "conv", MCH_CONV)->conv = (struct mch_conv){1, 0, 0, 0, 4, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 1};
	add(net, "pool", MCH_POOL_MAX)->pool = (struct mch_pool){.n = 1, .r = 2, .s = 2, .stride_h = 2,
								 .stride_w = 2, .dilation_h = 1,
								 .dilation_w = 1};
	add(net, "fc1", MCH_DENSE)->conv.k = 8;
	add(net, "relu", MCH_RELU);
	add(net, "fc2", MCH_DENSE)->conv.k = CLASSES;
	MCH_REQUIRE(mch_net_infer(net, &err) == 0, err.text);
	for (int i = 0; i < net->n_layers; i++) {
		struct mch_layer *layer = &net->layers[i];
		if (layer->kind != MCH_CONV && layer->kind != MCH_DENSE)
			continue;
		MCH_REQUIRE(mch_layer_alloc(layer, 1, &err) == 0, err.text);
		for (size_t j = 0; j < layer->n_weights; j++)
			layer->weights[j] = (float)((int)mch_rng_below(&rng, 200) - 100) / 128;
	}
}

static void put(const char *dir, const char *name, const unsigned char *head, size_t n_head, const uint8_t *bytes,
		size_t n)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *stream = fopen(path, "wb");
	MCH_REQUIRE(stream && fwrite(head, 1, n_head, stream) == n_head && fwrite(bytes, 1, n, stream) == n &&
			    fclose(stream) == 0, "the folder can be written");
}

static void put_data(const char *dir, const char *split, const struct mch_net *net, int n, bool is_dark)
{
	const unsigned char images[] = {0, 0, 8, 3, 0, 0, 0, (unsigned char)n, 0, 0, 0, SIDE, 0, 0, 0, SIDE};
	const unsigned char labels[] = {0, 0, 8, 1, 0, 0, 0, (unsigned char)n};
	static uint8_t pixels[N_TEST * PIXELS], label[N_TEST];
	static float input[N_TEST * PIXELS], output[N_TEST * CLASSES];
	struct mch_rng rng = mch_rng_seed((uint64_t)n);
	struct mch_dataset data = {.n_images = n, .shape = {1, 1, SIDE, SIDE}, .pixels = pixels,
				   .transform = &net->transform};
	float *values[16] = {NULL};
	char name[64];
	for (int i = 0; i < n * PIXELS; i++)
		pixels[i] = (uint8_t)(mch_rng_below(&rng, 2) && !is_dark ? mch_rng_below(&rng, 256) : 0);
	values[net->output] = output;
	MCH_REQUIRE(mch_dataset_f32(&data, 0, n, input, &err) == 0 &&
			    mch_net_run_f32(net, n, input, values, &err) == 0, err.text);
	for (int i = 0; i < n; i++)
		label[i] = (uint8_t)mch_argmax_f32(output + i * CLASSES, CLASSES);
	snprintf(name, sizeof(name), "%s-images-idx3-ubyte", split);
	put(dir, name, images, sizeof(images), pixels, (size_t)n * PIXELS);
	snprintf(name, sizeof(name), "%s-labels-idx1-ubyte", split);
	put(dir, name, labels, sizeof(labels), label, (size_t)n);
}

int main(int argc, char **argv)
{
	struct mch_net net;
	char path[512];
	MCH_REQUIRE(argc == 2, "the folder is the one argument");
	make_net(&net);
	put_data(argv[1], "train", &net, N_TRAIN, false);
	put_data(argv[1], "t10k", &net, N_TEST, false);
	snprintf(path, sizeof(path), "%s/dark", argv[1]);
	MCH_REQUIRE(mkdir(path, 0777) == 0, "the folder is new");
	put_data(path, "train", &net, N_TRAIN, true);
	put_data(path, "t10k", &net, N_TEST, false);
	snprintf(path, sizeof(path), "%s/small.onnx", argv[1]);
	MCH_REQUIRE(mch_onnx_write(path, &net, &err) == 0, err.text);
	mch_net_free(&net);
	return 0;
}
