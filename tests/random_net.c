/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Small networks and formats by chance; see random_net.h. */
#include "random_net.h"

#include <math.h>
#include <string.h>

#include "base/require.h"
#include "net/layer.h"

static int between(struct mch_rng *rng, int low, int high)
{
	return low + (int)mch_rng_below(rng, (uint32_t)(high - low + 1));
}

int32_t random_code(struct mch_rng *rng, struct mch_format format)
{
	const int64_t low = mch_format_min(format), high = mch_format_max(format);
	switch (mch_rng_below(rng, 8)) {
	case 0:
		return (int32_t)low;
	case 1:
		return (int32_t)high;
	case 2:
		return (int32_t)(high > 0 ? mch_rng_below(rng, 2) : 0);
	default:
		return (int32_t)(low + (int64_t)mch_rng_below(rng, (uint32_t)(high - low + 1)));
	}
}

int append_layer(struct mch_net *net, const struct mch_layer *like, int in_edge, struct mch_rng *rng)
{
	struct mch_err err = {""};
	char name[32];
	snprintf(name, sizeof(name), "layer%d", net->n_layers);
	const int i = mch_net_add_layer(net, name, like->kind, in_edge, NULL, &err);
	MCH_REQUIRE(i >= 0, err.text);
	struct mch_layer *layer = &net->layers[i];
	if (like->kind == MCH_CONV || like->kind == MCH_DENSE)
		layer->conv = like->conv;
	else
		layer->pool = like->pool;
	net->output = -1;
	MCH_REQUIRE(mch_net_infer(net, &err) == 0, err.text);
	MCH_REQUIRE(mch_layer_alloc(layer, between(rng, 0, 3) != 0, &err) == 0, err.text);
	for (size_t w = 0; w < layer->n_weights; w++)
		layer->weights[w] = (float)(2 * mch_rng_real(rng) - 1);
	for (size_t k = 0; k < layer->n_bias; k++)
		layer->bias[k] = (float)(2 * mch_rng_real(rng) - 1);
	return layer->out[0];
}

static int begin(struct mch_net *net, struct mch_shape shape)
{
	struct mch_err err = {""};
	mch_net_init(net);
	net->input = mch_net_add_edge(net, "data", shape, &err);
	MCH_REQUIRE(net->input >= 0, err.text);
	return net->input;
}

static struct mch_layer random_conv(struct mch_rng *rng, struct mch_shape in)
{
	struct mch_layer layer = {.kind = MCH_CONV};
	struct mch_conv *g = &layer.conv;
	g->groups = between(rng, 0, 2) ? 1 : between(rng, 0, 1) ? in.c : in.c % 2 ? 1 : 2;
	g->k = g->groups * between(rng, 1, between(rng, 0, 3) ? 4 : 40 / g->groups + 1);
	do {
		g->r = between(rng, 1, 3), g->s = between(rng, 1, 3);
		g->dilation_h = between(rng, 1, 2), g->dilation_w = between(rng, 1, 2);
		g->pad_top = between(rng, 0, 2), g->pad_left = between(rng, 0, 2);
		g->pad_bottom = between(rng, 0, 2), g->pad_right = between(rng, 0, 2);
		g->stride_h = between(rng, 1, 2), g->stride_w = between(rng, 1, 2);
		g->n = 1, g->c = in.c, g->h = in.h, g->w = in.w;
	} while (mch_conv_p(g) < 1 || mch_conv_q(g) < 1);
	return layer;
}

/* Holes in a window can leave nothing of it but padding, which mch_net_infer refuses. */
static bool sees_padding_alone(const struct mch_pool *g)
{
	bool is_empty = false;
	for (int p = 0; p < mch_pool_p(g); p++) {
		const struct mch_window rows = mch_pool_rows(g, p);
		is_empty = is_empty || mch_window_positions(&rows) == 0;
	}
	for (int q = 0; q < mch_pool_q(g); q++) {
		const struct mch_window cols = mch_pool_cols(g, q);
		is_empty = is_empty || mch_window_positions(&cols) == 0;
	}
	return is_empty;
}

static struct mch_layer random_pool(struct mch_rng *rng, struct mch_shape in)
{
	struct mch_layer layer = {.kind = between(rng, 0, 1) ? MCH_POOL_MAX : MCH_POOL_AVG};
	struct mch_pool *g = &layer.pool;
	do {
		g->r = between(rng, 1, 3), g->s = between(rng, 1, 3);
		g->dilation_h = between(rng, 0, 4) ? 1 : 2, g->dilation_w = between(rng, 0, 4) ? 1 : 3;
		g->pad_top = between(rng, 0, g->r - 1), g->pad_left = between(rng, 0, g->s - 1);
		g->pad_bottom = between(rng, 0, g->r - 1), g->pad_right = between(rng, 0, g->s - 1);
		g->stride_h = between(rng, 1, 3), g->stride_w = between(rng, 1, 3);
		g->ceil_mode = between(rng, 0, 1), g->count_include_pad = between(rng, 0, 1);
		g->n = 1, g->c = in.c, g->h = in.h, g->w = in.w;
	} while (mch_pool_p(g) < 1 || mch_pool_q(g) < 1 || sees_padding_alone(g));
	return layer;
}

void random_net(struct mch_rng *rng, struct mch_net *net)
{
	const struct mch_shape in = {1, between(rng, 1, 6), between(rng, 3, 11), between(rng, 3, 11)};
	const int n_layers = between(rng, 1, 4);
	int edge = begin(net, in);
	for (int i = 0; i < n_layers; i++) {
		const int choice = between(rng, 0, 9);
		struct mch_layer layer = {.kind = MCH_RELU};
		if (choice < 4)
			layer = random_conv(rng, net->edges[edge].shape);
		else if (choice < 7)
			layer = random_pool(rng, net->edges[edge].shape);
		else if (choice == 7)
			layer.kind = MCH_DROPOUT;
		edge = append_layer(net, &layer, edge, rng);
	}
	if (between(rng, 0, 3) == 0)
		edge = append_layer(net, &(struct mch_layer){.kind = MCH_FLATTEN}, edge, rng);
	const struct mch_layer dense = {.kind = MCH_DENSE, .conv = {.k = between(rng, 2, 20)}};
	edge = append_layer(net, &dense, edge, rng);
	if (between(rng, 0, 1))
		edge = append_layer(net, &(struct mch_layer){.kind = MCH_RELU}, edge, rng);
	if (between(rng, 0, 1))
		append_layer(net, &(struct mch_layer){.kind = MCH_SOFTMAX}, edge, rng);
}

static int append_conv(struct mch_net *net, int k, int kernel, int stride, int pad, int edge, struct mch_rng *rng)
{
	const struct mch_layer like = {.kind = MCH_CONV,
				       .conv = {.k = k, .r = kernel, .s = kernel,
						.stride_h = stride, .stride_w = stride,
						.pad_top = pad, .pad_left = pad, .pad_bottom = pad, .pad_right = pad,
						.dilation_h = 1, .dilation_w = 1, .groups = 1}};
	return append_layer(net, &like, edge, rng);
}

static int append_pool(struct mch_net *net, int kernel, int edge, struct mch_rng *rng)
{
	const struct mch_layer like = {.kind = MCH_POOL_MAX,
				       .pool = {.r = kernel, .s = kernel, .stride_h = 2, .stride_w = 2,
						.dilation_h = 1, .dilation_w = 1, .ceil_mode = true}};
	return append_layer(net, &like, edge, rng);
}

void lenet_net(struct mch_rng *rng, struct mch_net *net)
{
	int edge = begin(net, (struct mch_shape){1, 1, 28, 28});
	edge = append_conv(net, 20, 5, 1, 0, edge, rng);
	edge = append_pool(net, 2, edge, rng);
	edge = append_conv(net, 50, 5, 1, 0, edge, rng);
	edge = append_pool(net, 2, edge, rng);
	edge = append_layer(net, &(struct mch_layer){.kind = MCH_DENSE, .conv = {.k = 500}}, edge, rng);
	edge = append_layer(net, &(struct mch_layer){.kind = MCH_RELU}, edge, rng);
	append_layer(net, &(struct mch_layer){.kind = MCH_DENSE, .conv = {.k = 10}}, edge, rng);
}

void fire_net(struct mch_rng *rng, struct mch_net *net)
{
	int edge = begin(net, (struct mch_shape){1, 3, 113, 113});
	edge = append_conv(net, 64, 3, 2, 0, edge, rng);
	edge = append_layer(net, &(struct mch_layer){.kind = MCH_RELU}, edge, rng);
	edge = append_pool(net, 3, edge, rng);
	for (int fire = 0; fire < 2; fire++) {
		edge = append_conv(net, 16, 1, 1, 0, edge, rng);
		edge = append_layer(net, &(struct mch_layer){.kind = MCH_RELU}, edge, rng);
		edge = append_conv(net, 128, 3, 1, 1, edge, rng);
		edge = append_layer(net, &(struct mch_layer){.kind = MCH_RELU}, edge, rng);
	}
}

static int random_bits(struct mch_rng *rng, const struct random_format *f, int max)
{
	return f->exact_bits ? f->exact_bits : between(rng, 1, max ? max : MCH_OPERAND_BITS_MAX);
}

int integer_bits(struct mch_format format)
{
	int bits = format.is_signed;
	if (format.number == MCH_FIXED)
		return format.bits;
	while (mch_format_integer(format, mch_format_max(format)) >> (bits - format.is_signed))
		bits++;
	return bits;
}

struct mch_format random_number(struct mch_rng *rng, const struct random_format *f, struct mch_format fixed, bool is_weights)
{
	struct mch_format all = is_weights ? f->weights : f->tensors;
	if (all.bits) {
		all.frac = fixed.frac, all.is_signed = is_weights || fixed.is_signed;
		return all;
	}
	if (!f->has_numbers || between(rng, 0, 3) == 0)
		return fixed;
	for (;;) {
		struct mch_format number = {.frac = fixed.frac, .is_signed = is_weights || between(rng, 0, 1)};
		number.number = (enum mch_number)between(rng, MCH_MINIFLOAT, is_weights ? MCH_POW2_NO_ZERO : MCH_MINIFLOAT_FLUSH);
		const bool is_minifloat = mch_number_is_minifloat(number.number);
		number.bits = is_minifloat ? between(rng, 3, 9) : between(rng, 2, MCH_POW2_BITS_MAX);
		number.exp_bits = is_minifloat ? between(rng, 1, MCH_EXP_BITS_MAX) : 0;
		if (mch_format_is_operand(number))
			return number;
	}
}

/* Codes of one temper: corners, or one extreme everywhere, or mostly zeros. */
static void random_weights(struct mch_rng *rng, struct mch_layer *layer, struct mch_format format)
{
	const uint32_t temper = mch_rng_below(rng, 6);
	for (size_t i = 0; i < layer->n_weights; i++) {
		int64_t code = random_code(rng, format);
		if (temper == 0)
			code = mch_format_min(format);
		else if (temper == 1)
			code = mch_format_max(format);
		else if (temper == 2 && mch_rng_below(rng, 4))
			code = 0;
		layer->weights[i] = (float)mch_format_real(format, code);
	}
}

void random_mac_quant(struct mch_rng *rng, const struct random_format *f, struct mch_layer *layer,
			      struct mch_layer_quant *lq, struct mch_format x, struct mch_format *y)
{
	lq->weights = (struct mch_format){random_bits(rng, f, f->weight_bits_max), 0, true};
	lq->weights = random_number(rng, f, lq->weights, true);
	/* The sums' width, about, so that outputs neither all vanish nor all saturate. */
	const int acc_bits =
		integer_bits(x) + integer_bits(lq->weights) + (int)log2((double)mch_conv_terms(&layer->conv));
	const int shift = acc_bits - integer_bits(*y) - between(rng, 0, 5);
	y->frac = between(rng, -4, 12);
	lq->weights.frac = y->frac - x.frac + (shift < MCH_SHIFT_MIN ? MCH_SHIFT_MIN : shift);
	if (lq->weights.frac > MCH_FRAC_LIMIT)
		lq->weights.frac = MCH_FRAC_LIMIT;
	if ((f->has_numbers || f->weights.bits) && lq->weights.frac > y->frac - x.frac + MCH_SHIFT_MAX)
		lq->weights.frac = y->frac - x.frac + MCH_SHIFT_MAX;
	random_weights(rng, layer, lq->weights);
	for (size_t k = 0; k < layer->n_bias; k++)
		layer->bias[k] = (float)ldexp(2 * mch_rng_real(rng) - 1, acc_bits - 3 - x.frac - lq->weights.frac);
	if (between(rng, 0, 99) < f->n_narrow_percent)
		lq->acc = (struct mch_acc){between(rng, 2, acc_bits > 2 ? acc_bits : 2),
					   between(rng, 0, 1) ? MCH_WRAP : MCH_SATURATE};
}

static bool is_behind_weights(const struct mch_net *net, const struct mch_layer *layer)
{
	const int producer = net->edges[layer->in[0]].producer;
	return producer >= 0 && net->layers[producer].weights;
}

void random_quant(struct mch_rng *rng, const struct random_format *f, struct mch_net *net, struct mch_quant *quant)
{
	struct mch_err err = {""};
	MCH_REQUIRE(mch_quant_init(quant, net, &err) == 0, err.text);
	quant->round = (enum mch_round)between(rng, 0, MCH_N_ROUNDS - 1);
	quant->seed = (uint32_t)mch_rng_next(rng);
	quant->edge[net->input] = (struct mch_format){random_bits(rng, f, f->in_bits_max), between(rng, 0, 8),
						      between(rng, 0, 1)};
	quant->edge[net->input] = random_number(rng, f, quant->edge[net->input], false);
	for (int i = 0; i < net->n_layers; i++) {
		struct mch_layer *layer = &net->layers[i];
		const struct mch_format x = quant->edge[layer->in[0]];
		struct mch_format *y = &quant->edge[layer->out[0]];
		*y = x;
		if (layer->kind == MCH_POOL_MAX || mch_layer_table[layer->kind].is_identity ||
		    layer->kind == MCH_SOFTMAX)
			continue;
		y->bits = random_bits(rng, f, f->in_bits_max);
		y->frac = x.frac + between(rng, -6, 3);
		y->is_signed = between(rng, 0, 1);
		y->number = MCH_FIXED;
		y->exp_bits = 0;
		*y = random_number(rng, f, *y, false);
		if (layer->weights)
			random_mac_quant(rng, f, layer, &quant->layer[i], x, y);
		else if (layer->kind == MCH_RELU && is_behind_weights(net, layer))
			*y = x; /* fused: the sums' shift was chosen for this format */
	}
}
