/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Networks with branches by chance; see random_graph.h. */
#include "random_graph.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "net/layer.h"
#include "net/qnet.h"

enum { ELEMS_MAX = 3000, FRAC_MIN = -4, FRAC_MAX = 16 };

static int between(struct mch_rng *rng, int low, int high)
{
	return low + (int)mch_rng_below(rng, (uint32_t)(high - low + 1));
}

static void fill(struct mch_layer *layer, struct mch_rng *rng)
{
	struct mch_err err = {""};
	MCH_REQUIRE(mch_layer_alloc(layer, between(rng, 0, 3) != 0, &err) == 0, err.text);
	if (layer->kind == MCH_CONSTANT || (layer->kind == MCH_SUM && between(rng, 0, 1))) {
		layer->n_weights = mch_layer_want_weights(layer);
		layer->weights = calloc(layer->n_weights, sizeof(*layer->weights));
		MCH_REQUIRE(layer->weights, "memory for a fixture");
	}
	for (size_t i = 0; layer->weights && i < layer->n_weights; i++)
		layer->weights[i] = (float)(2 * mch_rng_real(rng) - 1);
	for (size_t i = 0; layer->bias && i < layer->n_bias; i++)
		layer->bias[i] = (float)(2 * mch_rng_real(rng) - 1);
	for (size_t i = 0; layer->variance && i < layer->n_weights; i++) {
		layer->variance[i] = (float)(0.1 + mch_rng_real(rng));
		layer->mean[i] = (float)mch_rng_real(rng);
	}
	static const float coefficient[] = {1, 1, -1, -1, 2, 0.5F, -0.5F, 0.3F};
	for (size_t i = 0; layer->kind == MCH_SUM && layer->weights && i < layer->n_weights; i++)
		layer->weights[i] = coefficient[mch_rng_below(rng, between(rng, 0, 3) ? 7 : 8)];
}

int append_graph_layer(struct mch_net *net, const struct mch_layer *like, int n_in, const int *in,
		       struct mch_rng *rng)
{
	struct mch_err err = {""};
	char name[32];
	snprintf(name, sizeof(name), "layer%d", net->n_layers);
	const int i = mch_net_append(net, name, like->kind, n_in, in, NULL, &err);
	MCH_REQUIRE(i >= 0, err.text);
	const struct mch_layer made = net->layers[i];
	struct mch_layer *layer = &net->layers[i];
	*layer = *like;
	layer->name = made.name, layer->in = made.in, layer->out = made.out;
	layer->n_in = made.n_in, layer->n_out = made.n_out;
	net->output = -1;
	MCH_REQUIRE(mch_net_infer(net, &err) == 0, err.text);
	fill(layer, rng);
	return layer->out[0];
}

static struct mch_shape shape_of(const struct mch_net *net, int edge)
{
	return net->edges[edge].shape;
}

static int append_one(struct mch_net *net, struct mch_layer like, int in, struct mch_rng *rng)
{
	return append_graph_layer(net, &like, 1, &in, rng);
}

static struct mch_layer conv_like(int k, int kernel, int groups)
{
	const int pad = kernel / 2;
	return (struct mch_layer){.kind = MCH_CONV,
				  .conv = {.k = k,
					   .r = kernel,
					   .s = kernel,
					   .stride_h = 1,
					   .stride_w = 1,
					   .pad_top = pad,
					   .pad_left = pad,
					   .pad_bottom = pad,
					   .pad_right = pad,
					   .dilation_h = 1,
					   .dilation_w = 1,
					   .groups = groups}};
}

static int append_conv(struct mch_net *net, int in, struct mch_rng *rng)
{
	const int c = shape_of(net, in).c;
	static const int kernel[] = {1, 3, 3, 5};
	struct mch_layer like =
		conv_like(between(rng, 0, 2) ? between(rng, 1, 20) : c, kernel[between(rng, 0, 3)], 1);
	if (between(rng, 0, 2) == 0) { /* depthwise */
		like.conv.groups = c;
		like.conv.k = c * between(rng, 1, 2);
	}
	like.conv.stride_h = like.conv.stride_w = between(rng, 0, 3) ? 1 : 2;
	int out = append_one(net, like, in, rng);
	if (between(rng, 0, 1))
		out = append_one(net, (struct mch_layer){.kind = MCH_RELU}, out, rng);
	else if (between(rng, 0, 1))
		out = append_one(net, (struct mch_layer){.kind = MCH_CLIP, .clip = {0, (float)between(rng, 1, 6)}},
				 out, rng);
	return out;
}

static int append_pool(struct mch_net *net, int in, struct mch_rng *rng)
{
	const struct mch_shape s = shape_of(net, in);
	struct mch_layer like = {.kind = between(rng, 0, 1) ? MCH_POOL_MAX : MCH_POOL_AVG};
	const bool is_global = between(rng, 0, 3) == 0;
	like.pool.r = is_global || s.h < 2 ? s.h : 2;
	like.pool.s = is_global || s.w < 2 ? s.w : 2;
	like.pool.stride_h = like.pool.stride_w = between(rng, 1, 2);
	like.pool.dilation_h = like.pool.dilation_w = 1;
	like.pool.ceil_mode = between(rng, 0, 1);
	return append_one(net, like, in, rng);
}

/* A tensor made like another: so that there is something to join it with. */
static int append_same(struct mch_net *net, int in, struct mch_rng *rng)
{
	const int c = shape_of(net, in).c;
	return append_one(net, conv_like(c, between(rng, 0, 1) ? 1 : 3, between(rng, 0, 1) ? 1 : c), in, rng);
}

/* Any tensor of that shape, or of one that repeats to it. */
static int find_like(const struct mch_net *net, int edge, struct mch_rng *rng)
{
	const struct mch_shape want = shape_of(net, edge);
	for (int tries = 0; tries < 8; tries++) {
		const int e = between(rng, 0, net->n_edges - 1);
		const struct mch_shape s = shape_of(net, e);
		if ((s.c == want.c || s.c == 1) && (s.h == want.h || s.h == 1) && (s.w == want.w || s.w == 1))
			return e;
	}
	return edge; /* with itself */
}

static int append_eltwise(struct mch_net *net, int in, struct mch_rng *rng)
{
	static const enum mch_kind kind[] = {MCH_SUM, MCH_SUM, MCH_SUM, MCH_PROD, MCH_MAX};
	int ins[3] = {in, between(rng, 0, 1) ? append_same(net, in, rng) : find_like(net, in, rng),
		      find_like(net, in, rng)};
	const struct mch_layer like = {.kind = kind[between(rng, 0, 4)]};
	if (between(rng, 0, 5) == 0) { /* a gate: one value for each channel */
		const struct mch_shape s = shape_of(net, in);
		const struct mch_layer mean = {
			.kind = MCH_POOL_AVG,
			.pool = {.r = s.h, .s = s.w, .stride_h = 1, .stride_w = 1, .dilation_h = 1, .dilation_w = 1}};
		ins[1] = append_one(net, mean, in, rng);
	}
	const int out = append_graph_layer(net, &like, between(rng, 0, 4) ? 2 : between(rng, 1, 3), ins, rng);
	return between(rng, 0, 1) ? out : append_one(net, (struct mch_layer){.kind = MCH_RELU}, out, rng);
}

static int append_concat(struct mch_net *net, int in, struct mch_rng *rng)
{
	struct mch_layer like = {.kind = MCH_CONCAT};
	like.axis = between(rng, 0, 3) ? 1 : between(rng, 2, 3);
	int ins[3] = {in, append_same(net, in, rng), in};
	if (like.axis == 1)
		ins[2] = append_one(net, conv_like(between(rng, 1, 5), 1, 1), in, rng);
	return append_graph_layer(net, &like, between(rng, 1, 3), ins, rng);
}

static int append_gather(struct mch_net *net, int in, struct mch_rng *rng)
{
	static const enum mch_kind kind[] = {MCH_SLICE, MCH_PAD, MCH_UPSAMPLE};
	const struct mch_shape s = shape_of(net, in);
	struct mch_layer like = {.kind = kind[between(rng, 0, 2)]};
	struct mch_err err = {""};
	const int size[3] = {s.c, s.h, s.w};
	int n[3];
	for (int i = 0; i < 3; i++)
		n[i] = between(rng, 1, size[i] + 2);
	MCH_REQUIRE(mch_gather_alloc(&like.gather, n[0], n[1], n[2], &err) == 0, err.text);
	int *at = like.gather.at;
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < n[i]; j++)
			*at++ = between(rng, 0, 7) ? between(rng, 0, size[i] - 1) : -1;
	like.gather.fill = (float)(between(rng, 0, 1) ? 0 : 20 * mch_rng_real(rng) - 10);
	return append_one(net, like, in, rng);
}

static int append_move(struct mch_net *net, int in, struct mch_rng *rng)
{
	static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	const struct mch_shape s = shape_of(net, in);
	struct mch_layer like = {.kind = MCH_TRANSPOSE};
	const int which = between(rng, 0, 3);
	if (which < 2) {
		memcpy(like.order, orders[between(rng, 0, 5)], sizeof(like.order));
	} else {
		like.kind = which == 2 ? MCH_RESHAPE : MCH_FLATTEN;
		like.shape = (struct mch_shape){1, s.h, s.c, s.w};
	}
	return append_one(net, like, in, rng);
}

static int append_host(struct mch_net *net, int in, struct mch_rng *rng)
{
	static const enum mch_kind kind[] = {MCH_LEAKY_RELU, MCH_PRELU,      MCH_SIGMOID, MCH_TANH, MCH_SOFTMAX,
					     MCH_LOG_SOFTMAX, MCH_BATCH_NORM, MCH_SCALE,   MCH_LRN,  MCH_LRN};
	static const double beta[] = {0.75, 0.5, 1, 0.6};
	struct mch_layer like = {.kind = kind[between(rng, 0, 9)]};
	if (like.kind == MCH_LEAKY_RELU)
		like.slope = 0.1;
	else if (like.kind == MCH_BATCH_NORM)
		like.norm.epsilon = 1e-5;
	else if (like.kind == MCH_LRN)
		like.lrn = (struct mch_lrn){between(rng, 1, 7), mch_rng_real(rng), beta[between(rng, 0, 3)],
					    1 + mch_rng_real(rng), between(rng, 0, 1)};
	if (like.kind == MCH_LRN && like.lrn.is_within)
		like.lrn.size |= 1;
	return append_one(net, like, in, rng);
}

static int append_any(struct mch_net *net, int in, struct mch_rng *rng)
{
	const int choice = between(rng, 0, 19);
	if (choice < 6)
		return append_conv(net, in, rng);
	if (choice < 8)
		return append_pool(net, in, rng);
	if (choice < 11)
		return append_eltwise(net, in, rng);
	if (choice < 13)
		return append_concat(net, in, rng);
	if (choice < 15)
		return append_gather(net, in, rng);
	if (choice < 16)
		return append_move(net, in, rng);
	if (choice < 18)
		return append_host(net, in, rng);
	if (choice == 18)
		return append_one(net, (struct mch_layer){.kind = between(rng, 0, 1) ? MCH_RELU : MCH_DROPOUT}, in,
				  rng);
	const struct mch_layer constant = {.kind = MCH_CONSTANT, .shape = shape_of(net, in)};
	const int ins[2] = {in, append_graph_layer(net, &constant, 0, NULL, rng)};
	return append_graph_layer(net, &(struct mch_layer){.kind = MCH_SUM}, 2, ins, rng);
}

void random_graph(struct mch_rng *rng, struct mch_net *net)
{
	struct mch_err err = {""};
	const int n_layers = between(rng, 2, 6);
	mch_net_init(net);
	net->input = mch_net_add_edge(
		net, "data", (struct mch_shape){1, between(rng, 1, 6), between(rng, 3, 9), between(rng, 3, 9)}, &err);
	MCH_REQUIRE(net->input >= 0, err.text);
	int edge = net->input;
	for (int i = 0; i < n_layers; i++) {
		const int from = between(rng, 0, 3) ? edge : between(rng, 0, net->n_edges - 1);
		if (mch_shape_elems(shape_of(net, from)) <= ELEMS_MAX)
			edge = append_any(net, from, rng);
	}
	if (between(rng, 0, 2) == 0)
		edge = append_one(net, (struct mch_layer){.kind = MCH_FLATTEN}, edge, rng);
	if (between(rng, 0, 1))
		edge = append_one(net, (struct mch_layer){.kind = MCH_DENSE, .conv = {.k = between(rng, 2, 20)}},
				  edge, rng);
	else
		edge = append_conv(net, edge, rng);
	if (between(rng, 0, 1))
		append_one(net, (struct mch_layer){.kind = MCH_SOFTMAX}, edge, rng);
}

static int clamp(int v, int low, int high)
{
	return v < low ? low : v > high ? high : v;
}

static int random_bits(struct mch_rng *rng, const struct random_format *f)
{
	return f->exact_bits ? f->exact_bits
			     : between(rng, 1, f->in_bits_max ? f->in_bits_max : MCH_OPERAND_BITS_MAX);
}

/* The fraction of a sum or product of the inputs, about: coefficients move it by one at most. */
static int joined_frac(const struct mch_layer *layer, const struct mch_quant *quant, int *bits)
{
	int finest = FRAC_MIN, sum = 0;
	*bits = 0;
	for (int i = 0; i < layer->n_in; i++) {
		const struct mch_format x = quant->edge[layer->in[i]];
		finest = x.frac > finest ? x.frac : finest;
		sum += x.frac;
		const int n = integer_bits(x);
		*bits = layer->kind == MCH_PROD ? *bits + n : n > *bits ? n : *bits;
	}
	return layer->kind == MCH_PROD ? sum : finest;
}

static void quantize_layer(struct mch_rng *rng, const struct random_format *f, struct mch_net *net, int i,
			   struct mch_quant *quant)
{
	struct mch_layer *layer = &net->layers[i];
	const enum mch_form form = mch_layer_form(layer);
	struct mch_format *y = &quant->edge[layer->out[0]];
	const struct mch_format x = layer->n_in ? quant->edge[layer->in[0]] : (struct mch_format){1, 0, false};
	const int producer = layer->n_in ? net->edges[layer->in[0]].producer : -1;
	int bits;
	*y = x;
	if (form == MCH_FORM_POOL_MAX || form == MCH_FORM_GATHER || form == MCH_FORM_MOVE ||
	    (form == MCH_FORM_REQUANT && producer >= 0 && net->layers[producer].kind != MCH_POOL_AVG))
		return;
	*y = (struct mch_format){random_bits(rng, f), clamp(x.frac + between(rng, -6, 3), FRAC_MIN, FRAC_MAX),
				 between(rng, 0, 1)};
	*y = random_number(rng, f, *y, false);
	if (form == MCH_FORM_MAC) {
		random_mac_quant(rng, f, layer, &quant->layer[i], x, y);
	} else if (form == MCH_FORM_ELTWISE) {
		const int frac = joined_frac(layer, quant, &bits);
		y->frac = clamp(frac - (bits - integer_bits(*y)) + between(rng, -2, 4), FRAC_MIN, FRAC_MAX);
		y->frac = clamp(y->frac, frac - 46, frac + 13);
	} else if (form == MCH_FORM_HOST) {
		y->frac = clamp(between(rng, -2, y->bits), FRAC_MIN, FRAC_MAX);
	} else if (form == MCH_FORM_CONCAT) {
		for (int j = 0; j < layer->n_in; j++)
			y->frac = clamp(y->frac, quant->edge[layer->in[j]].frac - 48,
					quant->edge[layer->in[j]].frac + 15);
	} else if (form == MCH_FORM_CONSTANT) {
		y->frac = between(rng, 0, 8);
	} else if (f->has_numbers || f->tensors.bits) { /* a mean, or a lone requantizer: towards values of about one size */
		y->frac = clamp(y->frac + integer_bits(*y) - integer_bits(x), x.frac - 16, x.frac + 15);
		y->frac = clamp(y->frac, FRAC_MIN, FRAC_MAX);
	}
}

void random_graph_quant(struct mch_rng *rng, const struct random_format *f, struct mch_net *net,
			struct mch_quant *quant)
{
	struct mch_err err = {""};
	MCH_REQUIRE(mch_quant_init(quant, net, &err) == 0, err.text);
	quant->round = (enum mch_round)between(rng, 0, MCH_N_ROUNDS - 1);
	quant->seed = (uint32_t)mch_rng_next(rng);
	quant->edge[net->input] = (struct mch_format){random_bits(rng, f), between(rng, 0, 8), between(rng, 0, 1)};
	quant->edge[net->input] = random_number(rng, f, quant->edge[net->input], false);
	for (int i = 0; i < net->n_layers; i++)
		quantize_layer(rng, f, net, i, quant);
}
