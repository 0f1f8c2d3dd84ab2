/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Lowering: the same results, nothing left that it promises away, and a second run that changes nothing. */
#include "net/lower.h"

#include <math.h>
#include <string.h>

#include "check_main.h"
#include "net/layer.h"
#include "random_dag.h"

enum { N_IMAGES = 2 };

static float **room_for(struct mch_rng *rng, const struct mch_net *net)
{
	float **values = calloc((size_t)net->n_edges, sizeof(*values));
	ck_assert_ptr_nonnull(values);
	for (int e = 0; e < net->n_edges; e++)
		values[e] = random_values(rng, N_IMAGES * mch_shape_elems(net->edges[e].shape));
	return values;
}

static void free_room(const struct mch_net *net, float **values)
{
	for (int e = 0; e < net->n_edges; e++)
		free(values[e]);
	free(values);
}

/* Tensors of one name have one value. */
static void compare_edge(const struct mch_net *net, int e, const float *got, const char *name, const float *want,
			 unsigned seed)
{
	const size_t elems = N_IMAGES * mch_shape_elems(net->edges[e].shape);
	double largest = 0;
	ck_assert_str_eq(net->edges[e].name, name);
	for (size_t i = 0; i < elems; i++)
		largest = fmax(largest, fabs((double)want[i]));
	for (size_t i = 0; i < elems; i++)
		ck_assert_msg(fabs((double)want[i] - (double)got[i]) <= 1e-4 * largest + 1e-6,
			      "seed %u, %s, value %zu: want %g, got %g", seed, name, i, (double)want[i],
			      (double)got[i]);
}

static void check_kinds(const struct mch_net *net, bool is_whole, unsigned seed)
{
	for (int i = 0; i < net->n_layers; i++) {
		const struct mch_layer *layer = &net->layers[i];
		const bool is_left = layer->kind == MCH_BATCH_NORM || layer->kind == MCH_SCALE ||
				     layer->kind == MCH_DECONV ||
				     (layer->kind == MCH_DROPOUT && layer->out[0] != net->output);
		ck_assert_msg(!is_whole || !is_left, "seed %u: a %s is left", seed,
			      mch_layer_table[layer->kind].name);
	}
}

/* What a second run must not change: kinds, wires, names and parameters, bit by bit. */
static void compare_net(const struct mch_net *a, const struct mch_net *b, unsigned seed)
{
	ck_assert_msg(a->n_layers == b->n_layers && a->n_edges == b->n_edges && a->output == b->output, "seed %u",
		      seed);
	for (int i = 0; i < a->n_layers; i++) {
		const struct mch_layer *x = &a->layers[i], *y = &b->layers[i];
		ck_assert_msg(x->kind == y->kind && x->n_in == y->n_in && x->n_weights == y->n_weights &&
				      x->n_bias == y->n_bias && x->out[0] == y->out[0],
			      "seed %u, layer %d", seed, i);
		ck_assert_str_eq(x->name, y->name);
		ck_assert_int_eq(memcmp(x->in, y->in, (size_t)x->n_in * sizeof(*x->in)), 0);
		if (x->weights)
			ck_assert_int_eq(memcmp(x->weights, y->weights, x->n_weights * sizeof(float)), 0);
		if (x->bias)
			ck_assert_int_eq(memcmp(x->bias, y->bias, x->n_bias * sizeof(float)), 0);
	}
	for (int e = 0; e < a->n_edges; e++)
		ck_assert_str_eq(a->edges[e].name, b->edges[e].name);
}

/* The same network twice, one of them lowered. */
static void rewrite(unsigned seed, int n_layers, int (*lower)(struct mch_net *, struct mch_err *), int n_left[MCH_N_KINDS])
{
	const bool is_whole = lower != mch_net_fold;
	struct mch_err err = {""};
	struct mch_net before, after, again;
	struct mch_net *const nets[] = {&before, &after, &again};
	for (int i = 0; i < 3; i++) {
		struct mch_rng rng = mch_rng_seed(seed);
		random_dag(&rng, n_layers, nets[i]);
		for (int run = 0; run < i; run++)
			ck_assert_msg(lower(nets[i], &err) == 0, "%s", err.text);
	}
	check_kinds(&after, is_whole, seed);
	compare_net(&after, &again, seed);
	ck_assert_str_eq(before.edges[before.output].name, after.edges[after.output].name);
	struct mch_rng rng = mch_rng_seed(seed + 1000);
	float **want = room_for(&rng, &before), **got = room_for(&rng, &after);
	float *x = random_values(&rng, N_IMAGES * mch_shape_elems(before.edges[before.input].shape));
	ck_assert_int_eq(mch_net_run_f32(&before, N_IMAGES, x, want, &err), 0);
	ck_assert_int_eq(mch_net_run_f32(&after, N_IMAGES, x, got, &err), 0);
	for (int e = 0; e < after.n_edges; e++) {
		const int old = mch_net_find_edge(&before, after.edges[e].name);
		ck_assert_msg(old >= 0 || strstr(after.edges[e].name, "/zeros"), "seed %u: %s", seed,
			      after.edges[e].name);
		if (old >= 0)
			compare_edge(&after, e, got[e], before.edges[old].name, want[old], seed);
	}
	for (int i = 0; i < after.n_layers; i++)
		n_left[after.layers[i].kind]++;
	free_room(&before, want);
	free_room(&after, got);
	free(x);
	for (int i = 0; i < 3; i++)
		mch_net_free(nets[i]);
}

START_TEST(lowers_to_the_same_results)
{
	int n_left[MCH_N_KINDS] = {0};
	for (unsigned seed = 0; seed < 400; seed++)
		rewrite(seed, 1 + (int)seed % 12, mch_net_lower, n_left);
	ck_assert_int_gt(n_left[MCH_CONV], 150);
	ck_assert_int_gt(n_left[MCH_PAD], 70);
}
END_TEST

START_TEST(keeps_norms_to_the_same_results)
{
	int n_folded[MCH_N_KINDS] = {0}, n_apart[MCH_N_KINDS] = {0};
	for (unsigned seed = 0; seed < 200; seed++) {
		rewrite(seed, 1 + (int)seed % 12, mch_net_lower, n_folded);
		rewrite(seed, 1 + (int)seed % 12, mch_net_lower_apart, n_apart);
	}
	ck_assert_int_gt(n_apart[MCH_CONV], n_folded[MCH_CONV] + 10); /* norms behind convolutions are convolutions */
	ck_assert_int_eq(n_apart[MCH_BATCH_NORM] + n_apart[MCH_SCALE], 0);
}
END_TEST

START_TEST(folds_to_the_same_results)
{
	int n_left[MCH_N_KINDS] = {0};
	for (unsigned seed = 0; seed < 200; seed++)
		rewrite(seed, 1 + (int)seed % 8, mch_net_fold, n_left);
	ck_assert_int_gt(n_left[MCH_BATCH_NORM], 10); /* of those behind other layers */
	ck_assert_int_gt(n_left[MCH_DECONV], 20);
	ck_assert_int_gt(n_left[MCH_DROPOUT], 10);
}
END_TEST

static int add(struct mch_net *net, const char *name, enum mch_kind kind, int in)
{
	struct mch_err err = {""};
	const int i = mch_net_add_layer(net, name, kind, in, NULL, &err);
	ck_assert_msg(i >= 0, "%s", err.text);
	if (kind == MCH_CONV)
		net->layers[i].conv = (struct mch_conv){.k = 1,
							.r = 1,
							.s = 1,
							.stride_h = 1,
							.stride_w = 1,
							.dilation_h = 1,
							.dilation_w = 1,
							.groups = 1};
	return net->layers[i].out[0];
}

static int begin(struct mch_net *net)
{
	mch_net_init(net);
	net->input = mch_net_add_edge(net, "data", (struct mch_shape){1, 1, 2, 2}, NULL);
	return net->input;
}

static void load(struct mch_net *net)
{
	struct mch_err err = {""};
	ck_assert_msg(mch_net_infer(net, &err) == 0, "%s", err.text);
	for (int i = 0; i < net->n_layers; i++)
		ck_assert_int_eq(mch_layer_alloc(&net->layers[i], 1, &err), 0);
}

/* By hand, on numbers that float holds exactly: 3 x + 1, less 2, over sqrt(4), times 5, plus 7; then times -2,
 * plus 1. */
static void known_net(struct mch_net *net)
{
	int edge = begin(net);
	edge = add(net, "conv", MCH_CONV, edge);
	edge = add(net, "drop", MCH_DROPOUT, edge);
	edge = add(net, "bn", MCH_BATCH_NORM, edge);
	edge = add(net, "scale", MCH_SCALE, edge);
	add(net, "relu", MCH_RELU, edge);
	load(net);
	net->layers[0].weights[0] = 3, net->layers[0].bias[0] = 1;
	net->layers[2].weights[0] = 5, net->layers[2].bias[0] = 7;
	net->layers[2].mean[0] = 2, net->layers[2].variance[0] = 4;
	net->layers[3].weights[0] = -2, net->layers[3].bias[0] = 1;
}

START_TEST(joins_what_follows_a_convolution)
{
	struct mch_err err = {""};
	struct mch_net net;
	known_net(&net);
	ck_assert_int_eq(mch_net_lower(&net, &err), 0);
	ck_assert_int_eq(net.n_layers, 2);
	ck_assert_str_eq(net.layers[0].name, "conv");
	ck_assert_str_eq(net.edges[net.layers[0].out[0]].name, "scale"); /* the tensor that is left */
	ck_assert(net.layers[0].weights[0] == -15.0f);			 /* 3 * 5 / 2 * -2 */
	ck_assert(net.layers[0].bias[0] == -8.0f);			 /* ((1 - 2) / 2 * 5 + 7) * -2 + 1 */
	mch_net_free(&net);

	known_net(&net);
	ck_assert_int_eq(mch_net_fold(&net, &err), 0);
	ck_assert_int_eq(net.n_layers, 4); /* through no dropout: the scale became part of the batch norm */
	ck_assert_int_eq(net.layers[2].kind, MCH_BATCH_NORM);
	ck_assert(net.layers[2].weights[0] == -10.0f && net.layers[2].bias[0] == -13.0f);
	mch_net_free(&net);
}
END_TEST

START_TEST(leaves_what_others_read)
{
	struct mch_err err = {""};
	struct mch_net net;
	const int conv = add(&net, "conv", MCH_CONV, begin(&net)), bn = add(&net, "bn", MCH_BATCH_NORM, conv);
	ck_assert_int_ge(mch_net_append(&net, "sum", MCH_SUM, 2, (const int[]){conv, bn}, NULL, &err), 0);
	load(&net);
	net.layers[0].weights[0] = 3;
	net.layers[1].weights[0] = 2;
	ck_assert_int_eq(mch_net_lower(&net, &err), 0);
	ck_assert_int_eq(net.n_layers, 3);
	ck_assert(net.layers[0].weights[0] == 3.0f);
	ck_assert_int_eq(net.layers[1].kind, MCH_CONV);
	ck_assert_int_eq(net.layers[1].conv.groups, 1);
	mch_net_free(&net);
}
END_TEST

START_TEST(joins_without_parameters)
{
	struct mch_err err = {""};
	struct mch_net net;
	add(&net, "bn", MCH_BATCH_NORM, add(&net, "conv", MCH_CONV, begin(&net)));
	ck_assert_int_eq(mch_net_infer(&net, &err), 0);
	ck_assert_int_eq(mch_net_lower(&net, &err), 0);
	ck_assert_int_eq(net.n_layers, 1);
	ck_assert_ptr_null(net.layers[0].weights);
	ck_assert_uint_eq(mch_layer_params(&net.layers[0]), 2);
	mch_net_free(&net);
}
END_TEST

START_TEST(keeps_a_layer_between_input_and_output)
{
	struct mch_err err = {""};
	struct mch_net net;
	add(&net, "second", MCH_DROPOUT, add(&net, "first", MCH_DROPOUT, begin(&net)));
	load(&net);
	ck_assert_int_eq(mch_net_lower(&net, &err), 0);
	ck_assert_int_eq(net.n_layers, 1);
	ck_assert_str_eq(net.layers[0].name, "second");
	ck_assert_int_eq(net.layers[0].in[0], net.input);
	mch_net_free(&net);
}
END_TEST

/* A deconv of a 1x1 kernel with pads cuts off, one of stride 1 needs no gather. */
START_TEST(deconvolutions_by_hand)
{
	struct mch_err err = {""};
	struct mch_net net;
	float x[4] = {1, 2, 3, 4}, y[4];
	ck_assert_int_ge(mch_net_add_layer(&net, "up", MCH_DECONV, begin(&net), NULL, &err), 0);
	net.layers[0].conv = (struct mch_conv){.k = 1,
					       .r = 1,
					       .s = 2,
					       .stride_h = 2,
					       .stride_w = 1,
					       .pad_top = 1,
					       .pad_left = 1,
					       .dilation_h = 1,
					       .dilation_w = 1,
					       .groups = 1};
	load(&net);
	net.layers[0].weights[0] = 10, net.layers[0].weights[1] = 100;
	net.layers[0].bias[0] = 0.5f;
	ck_assert_int_eq(mch_net_lower(&net, &err), 0);
	ck_assert_int_eq(net.n_layers, 2);
	ck_assert_str_eq(net.layers[0].name, "up/zeros");
	ck_assert_int_eq(net.layers[0].kind, MCH_PAD);
	float *values[3] = {NULL, NULL, y};
	ck_assert_int_eq(mch_net_run_f32(&net, 1, x, values, &err), 0);
	/* Rows 0 and 2 of three are the input's, the first is cut off; of the columns 10a, 100a + 10b, 100b too. */
	ck_assert(y[0] == 0.5f && y[1] == 0.5f && y[2] == 340.5f && y[3] == 400.5f);
	mch_net_free(&net);
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {
		lowers_to_the_same_results, keeps_norms_to_the_same_results, folds_to_the_same_results, joins_what_follows_a_convolution,
		leaves_what_others_read,    joins_without_parameters,  keeps_a_layer_between_input_and_output,
		deconvolutions_by_hand};
	return CHECK_SUITE("lower", tests);
}

int main(void)
{
	return check_main(suite);
}
