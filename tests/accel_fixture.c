/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The network that the tests of the export share; see accel_fixture.h. */
#include "accel_fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/require.h"
#include "base/rng.h"

static struct mch_err err;

static struct mch_layer *add(struct mch_net *net, const char *name, enum mch_kind kind)
{
	const int in = net->n_layers ? net->layers[net->n_layers - 1].out[0] : net->input;
	const int i = mch_net_add_layer(net, name, kind, in, NULL, &err);
	MCH_REQUIRE(i >= 0, err.text);
	return &net->layers[i];
}

static struct mch_conv kernel(int k, int side, int pad, int groups)
{
	return (struct mch_conv){1, 0, 0, 0, k, side, side, 1, 1, pad, pad, pad, pad, 1, 1, groups};
}

static void fill(float *values, size_t n, double scale, struct mch_rng *rng)
{
	for (size_t i = 0; i < n; i++)
		values[i] = (float)((mch_rng_real(rng) - 0.45) * scale);
}

void fixture_net(struct mch_net *net)
{
	struct mch_rng rng = mch_rng_seed(7);
	mch_net_init(net);
	net->name = strdup("fixture");
	net->input = mch_net_add_edge(net, "data", (struct mch_shape){1, 1, 6, 6}, &err);
	net->output = -1;
	add(net, "conv/1", MCH_CONV)->conv = kernel(4, 3, 1, 1);
	add(net, "relu1", MCH_RELU);
	add(net, "pool1", MCH_POOL_MAX)->pool = (struct mch_pool){.r = 2, .s = 2, .stride_h = 2, .stride_w = 2,
						       .dilation_h = 1, .dilation_w = 1};
	add(net, "conv_1", MCH_CONV)->conv = kernel(6, 2, 0, 2);
	add(net, "the \"last\" */ one", MCH_DENSE)->conv.k = FIXTURE_CLASSES;
	MCH_REQUIRE(mch_net_infer(net, &err) == 0, err.text);
	for (int i = 0; i < net->n_layers; i++) {
		struct mch_layer *layer = &net->layers[i];
		if (layer->kind != MCH_CONV && layer->kind != MCH_DENSE)
			continue;
		MCH_REQUIRE(mch_layer_alloc(layer, 1, &err) == 0, err.text);
		fill(layer->weights, layer->n_weights, 2.5, &rng);
		fill(layer->bias, layer->n_bias, 1.0, &rng);
	}
}

void fixture_quant(struct mch_quant *quant, const struct mch_net *net, enum mch_round round, int acc_bits)
{
	const struct mch_format first = {5, 3, true}, other = {7, 5, true};
	MCH_REQUIRE(mch_quant_init(quant, net, &err) == 0, err.text);
	quant->round = round;
	quant->seed = 3;
	for (int e = 0; e < net->n_edges; e++)
		quant->edge[e] = (struct mch_format){6, 3, true};
	quant->edge[net->input] = (struct mch_format){8, 8, false};
	for (int i = 0; i < net->n_layers; i++)
		if (net->layers[i].weights)
			quant->layer[i].weights = strcmp(net->layers[i].name, "conv/1") == 0 ? first : other;
	const int conv1 = mch_net_find_layer(net, "conv_1");
	quant->layer[conv1].acc = (struct mch_acc){acc_bits, acc_bits ? MCH_SATURATE : MCH_WRAP};
	/* Its channels have fractions of their own: bias and shift differ from channel to channel. */
	static const int8_t channel_frac[] = {5, 3, 5, 4, 6, 5};
	MCH_REQUIRE(mch_layer_quant_split(&quant->layer[conv1], (int)sizeof(channel_frac), 0) == 0, "memory");
	quant->layer[conv1].weights.frac = 3; /* the smallest */
	memcpy(quant->layer[conv1].channel_frac, channel_frac, sizeof(channel_frac));
}

void fixture_make(struct fixture *f, enum mch_round round, int acc_bits)
{
	struct mch_rng rng = mch_rng_seed(11);
	memset(f, 0, sizeof(*f));
	fixture_net(&f->net);
	fixture_quant(&f->quant, &f->net, round, acc_bits);
	MCH_REQUIRE(mch_qnet_build(&f->q, &f->net, &f->quant, &err) == 0, err.text);
	for (int i = 0; i < FIXTURE_IMAGES * FIXTURE_PIXELS; i++)
		f->codes[i] = mch_rng_below(&rng, 3) ? (int32_t)mch_rng_below(&rng, 256) : 255;
	for (int i = 0; i < FIXTURE_IMAGES; i++)
		f->labels[i] = (int32_t)mch_rng_below(&rng, FIXTURE_CLASSES);
	static const char hash[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	f->export = (struct mch_accel_export){&f->q, {4, 3}, 64, 1, FIXTURE_IMAGES, f->codes, f->labels,
					      "fixture.onnx", "fixture.quant.json", hash, hash};
	strcpy(f->folder, "check-accel.XXXXXX");
	MCH_REQUIRE(mkdtemp(f->folder), "a folder can be made here");
	snprintf(f->dir, sizeof(f->dir), "%s/accel", f->folder);
}

static void remove_all(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	while (dir && (entry = readdir(dir))) {
		char inner[512];
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
		if (unlink(inner) != 0)
			remove_all(inner);
	}
	if (dir)
		closedir(dir);
	rmdir(path);
}

void fixture_free(struct fixture *f)
{
	remove_all(f->folder);
	mch_qnet_free(&f->q);
	mch_quant_free(&f->quant);
	mch_net_free(&f->net);
}

void fixture_export(struct fixture *f)
{
	struct mch_accel_summary summary;
	MCH_REQUIRE(mch_accel_export(&f->export, f->dir, false, &summary, &err) == 0, err.text);
	MCH_REQUIRE(summary.n_layers == 3, "two convolutions and a dense layer");
}
