/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Small nets, a small task and runs of training on it; see sgd_trial.h. */
#include "sgd_trial.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

int add(struct mch_net *net, const char *name, enum mch_kind kind)
{
	struct mch_err err = {""};
	const int from = net->n_layers ? net->layers[net->n_layers - 1].out[0] : net->input;
	const int i = mch_net_add_layer(net, name, kind, from, NULL, &err);
	ck_assert_msg(i >= 0, "%s", err.text);
	return i;
}

static struct mch_layer *last(struct mch_net *net)
{
	return &net->layers[net->n_layers - 1];
}

void add_weights(struct mch_net *net, const char *name, enum mch_kind kind, int k, int kernel)
{
	const int i = add(net, name, kind);
	struct mch_conv g = mch_dense_geometry(1, 1, k);
	g.r = g.s = kernel;
	net->layers[i].conv = g;
	net->layers[i].n_bias = (size_t)k;
}

static void add_pool(struct mch_net *net, const char *name, enum mch_kind kind)
{
	const struct mch_pool g = {.r = 2, .s = 2, .stride_h = 2, .stride_w = 2, .dilation_h = 1, .dilation_w = 1};
	const int i = add(net, name, kind);
	net->layers[i].pool = g;
}

void begin_net(struct mch_net *net)
{
	struct mch_err err = {""};
	mch_net_init(net);
	net->name = strdup("small");
	net->transform.scale = 1.0 / 256;
	net->input = mch_net_add_edge(net, "data", (struct mch_shape){1, 1, SIDE, SIDE}, &err);
	ck_assert_int_ge(net->input, 0);
}

void end_net(struct mch_net *net)
{
	struct mch_err err = {""};
	ck_assert_msg(mch_net_infer(net, &err) == 0, "%s", err.text);
}

static void make_plain(struct mch_net *net)
{
	begin_net(net);
	add_weights(net, "conv1", MCH_CONV, 4, 3);
	add_pool(net, "pool1", MCH_POOL_MAX);
	add_weights(net, "conv2", MCH_CONV, 6, 3);
	add(net, "relu1", MCH_RELU);
	add_pool(net, "pool2", MCH_POOL_AVG);
	add(net, "flat", MCH_FLATTEN);
	add_weights(net, "fc1", MCH_DENSE, 8, 1);
	add(net, "relu2", MCH_RELU);
	add_weights(net, "fc2", MCH_DENSE, N_CLASSES, 1);
	add(net, "prob", MCH_SOFTMAX);
	end_net(net);
}

static void add_conv(struct mch_net *net, const char *name, int from, struct mch_conv like)
{
	struct mch_err err = {""};
	like.n = like.stride_w = like.dilation_h = like.dilation_w = 1;
	like.stride_w = like.stride_h;
	like.s = like.r;
	like.pad_left = like.pad_bottom = like.pad_right = like.pad_top = like.r / 2;
	const int i = mch_net_add_layer(net, name, MCH_CONV, from, NULL, &err);
	ck_assert_msg(i >= 0, "%s", err.text);
	net->layers[i].conv = like;
}

/* Caffe's pair: the batch norm has neither weights to train nor a bias, the scale has both. */
static int add_norm(struct mch_net *net, const char *name, bool is_pair)
{
	const int i = add(net, name, MCH_BATCH_NORM);
	net->layers[i].norm.epsilon = 1e-3;
	if (is_pair)
		add(net, "scale", MCH_SCALE);
	last(net)->n_bias = 1;
	return last(net)->out[0];
}

static void join(struct mch_net *net, const char *name, enum mch_kind kind, int n, const int *in)
{
	struct mch_err err = {""};
	const int i = mch_net_append(net, name, kind, n, in, NULL, &err);
	ck_assert_msg(i >= 0, "%s", err.text);
}

static void make_graph(struct mch_net *net)
{
	begin_net(net);
	add_conv(net, "stem", net->input, (struct mch_conv){.k = 4, .r = 3, .stride_h = 1, .groups = 1});
	add_norm(net, "stem norm", true);
	add(net, "stem relu", MCH_RELU);
	const int stem = last(net)->out[0];
	add_conv(net, "deep 1", stem, (struct mch_conv){.k = 4, .r = 3, .stride_h = 2, .groups = 4});
	add_norm(net, "deep 1 norm", false);
	add(net, "relu6", MCH_CLIP);
	last(net)->clip.high = 6;
	add_conv(net, "deep 2", last(net)->out[0], (struct mch_conv){.k = 6, .r = 1, .stride_h = 1, .groups = 1});
	const int deep = add_norm(net, "deep 2 norm", false);
	add_conv(net, "project", stem, (struct mch_conv){.k = 6, .r = 1, .stride_h = 2, .groups = 1});
	const int shortcut = add_norm(net, "project norm", true);
	join(net, "sum", MCH_SUM, 2, (const int[]){deep, shortcut});
	const int sum = last(net)->out[0];
	join(net, "unread", MCH_RELU, 1, &shortcut);
	join(net, "concat", MCH_CONCAT, 3, (const int[]){sum, deep, sum});
	last(net)->axis = 1;
	add(net, "prelu", MCH_PRELU);
	add(net, "drop", MCH_DROPOUT);
	last(net)->dropout_ratio = 0.2;
	const struct mch_pool g = {.r = 5, .s = 5, .stride_h = 1, .stride_w = 1, .dilation_h = 1, .dilation_w = 1};
	add(net, "pool", MCH_POOL_AVG);
	last(net)->pool = g;
	add_weights(net, "fc", MCH_DENSE, N_CLASSES, 1);
	add(net, "prob", MCH_LOG_SOFTMAX);
	end_net(net);
}

int make_index;

void make_net(struct mch_net *net, int index)
{
	static void (*const makes[])(struct mch_net *) = {make_plain, make_graph};
	makes[index](net);
}

struct mch_dataset make_data(void)
{
	static const struct mch_transform transform = {.scale = 1.0 / 256};
	struct mch_dataset data = {.n_images = N_IMAGES, .n_classes = N_CLASSES, .shape = {1, 1, SIDE, SIDE},
				   .transform = &transform};
	struct mch_rng rng = mch_rng_seed(5);
	data.name = strdup("bars");
	data.pixels = malloc((size_t)N_IMAGES * SIDE * SIDE);
	data.labels = malloc(N_IMAGES * sizeof(*data.labels));
	ck_assert(data.name && data.pixels && data.labels);
	for (int i = 0; i < N_IMAGES; i++) {
		data.labels[i] = (int32_t)mch_rng_below(&rng, N_CLASSES);
		for (int at = 0; at < SIDE * SIDE; at++) {
			const int is_bar = at / SIDE == 1 + 3 * data.labels[i];
			data.pixels[i * SIDE * SIDE + at] = (uint8_t)(mch_rng_below(&rng, 100) + (is_bar ? 120 : 0));
		}
	}
	return data;
}

struct mch_sgd_config config_of(int batch)
{
	return (struct mch_sgd_config){.n_epochs = 3, .batch = batch, .n_images = N_IMAGES, .rate = 0.05, .momentum = 0.9,
				       .decay = 1e-3, .policy = MCH_POLICY_COSINE, .seed = 3, .max_shift = 1, .flip = true,
				       .temperature = 1};
}

void begin(struct trial *t, const struct mch_dataset *data, const struct mch_sgd_config *config)
{
	make_net(&t->net, make_index);
	t->err.text[0] = '\0';
	t->sgd = mch_sgd_new(&t->net, data, config, &t->err);
	ck_assert_msg(t->sgd, "%s", t->err.text);
}

void steps(struct trial *t, int n)
{
	for (int i = 0; i != n && !mch_sgd_is_done(t->sgd); i++)
		ck_assert_msg(mch_sgd_step(t->sgd, &t->err) == 0, "%s", t->err.text);
}

void end(struct trial *t)
{
	mch_sgd_free(t->sgd);
	mch_net_free(&t->net);
}

void expect_same_weights(const struct mch_net *a, const struct mch_net *b)
{
	size_t n_compared = 0;
	for (int i = 0; i < a->n_layers; i++) {
		const struct mch_layer *x = &a->layers[i], *y = &b->layers[i];
		if (!x->weights)
			continue;
		ck_assert_msg(memcmp(x->weights, y->weights, x->n_weights * sizeof(float)) == 0, "weights of %s", x->name);
		ck_assert_msg(x->n_bias == 0 || memcmp(x->bias, y->bias, x->n_bias * sizeof(float)) == 0, "bias of %s",
			      x->name);
		if (x->kind == MCH_BATCH_NORM) {
			const size_t n = x->n_weights * sizeof(float);
			ck_assert_msg(memcmp(x->mean, y->mean, n) == 0 && memcmp(x->variance, y->variance, n) == 0,
				      "mean or variance of %s", x->name);
		}
		n_compared += x->n_weights;
	}
	ck_assert_uint_gt(n_compared, 0);
}
