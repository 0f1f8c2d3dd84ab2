/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A network becomes a list of integer steps; see qnet.h. */
#include "net/qnet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/layer.h"

static int fail(const struct mch_net *net, const char *layer, struct mch_err *err, const char *what)
{
	char where[256];
	snprintf(where, sizeof(where), "%s: layer %s", net->name ? net->name : "network", layer);
	return mch_err_set(err, where, "%s", what);
}

struct mch_certificate mch_step_certificate(const struct mch_step *step)
{
	const int64_t x_min = mch_format_min(step->in_format), x_max = mch_format_max(step->in_format);
	const size_t n_terms = mch_conv_terms(&step->conv);
	struct mch_certificate c = {0, 0, 2};
	for (int k = 0; k < step->conv.k; k++) {
		int64_t low = 0, high = 0; /* 16 + 16 bits a term and less than 2^31 terms: 63 bits */
		for (size_t t = 0; t < n_terms; t++) {
			const int64_t w = step->weights[(size_t)k * n_terms + t];
			low += w < 0 ? w * x_max : w * x_min;
			high += w < 0 ? w * x_min : w * x_max;
		}
		c.low = low < c.low ? low : c.low;
		c.high = high > c.high ? high : c.high;
	}
	while (c.bits < 63 && (c.low < -(INT64_C(1) << (c.bits - 1)) || c.high >= INT64_C(1) << (c.bits - 1)))
		c.bits++;
	return c;
}

static int usable(struct mch_format f)
{
	return f.bits >= 1 && f.bits <= MCH_OPERAND_BITS_MAX && f.frac >= -MCH_FRAC_LIMIT && f.frac <= MCH_FRAC_LIMIT;
}

static int check_formats(const struct mch_net *net, const struct mch_step *step, struct mch_err *err)
{
	char text[3][16], what[256];
	const struct mch_format x = step->in_format, w = step->weight_format, y = step->out_format;
	const bool has_weights = step->layer->weights != NULL;
	if (!usable(x) || !usable(y) || (has_weights && (!usable(w) || !w.is_signed))) {
		snprintf(what, sizeof(what), "formats x %s, w %s, y %s: operands have 1 to 16 bits, |frac| <= 64, weights are "
			 "signed; correct the quantization", mch_format_text(x, text[0]),
			 has_weights ? mch_format_text(w, text[1]) : "-", mch_format_text(y, text[2]));
		return fail(net, step->layer->name, err, what);
	}
	const int shift = x.frac + (has_weights ? w.frac : 0) - y.frac;
	const bool is_max = step->layer->kind == MCH_POOL_MAX;
	if (is_max && (x.bits != y.bits || x.frac != y.frac || x.is_signed != y.is_signed))
		return fail(net, step->layer->name, err, "a max pool's output has the format of its input; correct the "
			    "quantization");
	if (shift < MCH_SHIFT_MIN || shift > (step->layer->kind == MCH_POOL_AVG ? 16 : MCH_SHIFT_MAX)) {
		snprintf(what, sizeof(what), "formats x %s, w %s, y %s ask for a shift of %d, outside %d..%d; choose a fraction of y "
			 "nearer to that of x * w", mch_format_text(x, text[0]), has_weights ? mch_format_text(w, text[1]) : "-",
			 mch_format_text(y, text[2]), shift, MCH_SHIFT_MIN, MCH_SHIFT_MAX);
		return fail(net, step->layer->name, err, what);
	}
	return 0;
}

/* The smallest width that holds every bias of a layer at frac, from 2 up; MCH_ACC_BITS_MAX when none does. */
static int bias_bits(const struct mch_layer *layer, int frac)
{
	int bits = 2;
	for (size_t i = 0; layer->bias && i < layer->n_bias; i++) {
		bool saturated = true;
		while (bits < MCH_ACC_BITS_MAX) {
			mch_format_raw((struct mch_format){bits, frac, true}, (double)layer->bias[i], MCH_ROUND_HALF_EVEN,
				       &saturated);
			if (!saturated)
				break;
			bits++;
		}
	}
	return bits;
}

/* Weights to codes, certificate, accumulator width, then the bias in that width. */
static int convert_parameters(struct mch_qnet *q, struct mch_step *step, struct mch_layer_quant *lq, struct mch_err *err)
{
	const struct mch_layer *layer = step->layer;
	const size_t k = (size_t)step->conv.k;
	step->weights = malloc(layer->n_weights * sizeof(*step->weights));
	if (!step->weights)
		return fail(q->net, layer->name, err, "out of memory; use a machine with more");
	bool saturated;
	for (size_t i = 0; i < layer->n_weights; i++) {
		step->weights[i] = (int32_t)mch_format_raw(step->weight_format, (double)layer->weights[i],
							   MCH_ROUND_HALF_EVEN, &saturated);
		q->n_weights_saturated += saturated;
	}
	lq->certificate = mch_step_certificate(step);
	const int acc_frac = step->in_format.frac + step->weight_format.frac;
	if (lq->acc.bits == 0) {
		/* Wide enough for the bias too, which shares the width: a large one beside tiny weights must not be clipped. */
		const int for_bias = bias_bits(layer, acc_frac), for_sum = lq->certificate.bits;
		lq->acc = (struct mch_acc){for_sum > for_bias ? for_sum : for_bias, MCH_WRAP};
	}
	if (lq->acc.bits < 2 || lq->acc.bits > MCH_ACC_BITS_MAX) {
		char what[160];
		snprintf(what, sizeof(what), "the accumulator needs %d bits, 2 to %d can be had; use narrower operands, or ask "
			 "for a narrower accumulator", lq->acc.bits, MCH_ACC_BITS_MAX);
		return fail(q->net, layer->name, err, what);
	}
	step->acc = lq->acc;
	const struct mch_format bias_format = {lq->acc.bits, acc_frac, true};
	for (size_t i = 0; i < k; i++) {
		step->bias[i] = layer->bias ? mch_format_raw(bias_format, (double)layer->bias[i], MCH_ROUND_HALF_EVEN,
							     &saturated)
					    : 0;
		q->n_weights_saturated += layer->bias && saturated;
	}
	return 0;
}

static int fill_step(struct mch_qnet *q, struct mch_step *step, struct mch_quant *quant, struct mch_err *err)
{
	const struct mch_layer *layer = step->layer;
	const bool has_weights = layer->kind == MCH_CONV || layer->kind == MCH_DENSE;
	step->in_format = quant->edge[step->in];
	step->out_format = quant->edge[step->out];
	if (has_weights) {
		step->conv = layer->conv;
		step->weight_format = quant->layer[step->layer_index].weights;
	} else {
		const struct mch_shape in = q->net->edges[step->in].shape;
		step->pool = layer->pool; /* a lone ReLU has the sizes alone */
		step->pool.c = in.c, step->pool.h = in.h, step->pool.w = in.w;
	}
	if (check_formats(q->net, step, err) != 0)
		return -1;
	const size_t k = (size_t)(has_weights ? layer->conv.k : q->net->edges[step->in].shape.c);
	step->bias = calloc(k, sizeof(*step->bias));
	step->shift = malloc(k * sizeof(*step->shift));
	if (!step->bias || !step->shift)
		return fail(q->net, layer->name, err, "out of memory; use a machine with more");
	const int shift = step->in_format.frac + (has_weights ? step->weight_format.frac : 0) - step->out_format.frac;
	memset(step->shift, (int8_t)shift, k);
	step->requant = (struct mch_requant){step->out_format.bits, step->out_format.is_signed,
					     step->relu || layer->kind == MCH_RELU, quant->round, quant->seed, step->bias,
					     step->shift};
	step->avg = (struct mch_pool_avg){step->out_format.bits, step->out_format.is_signed,
					  quant->round == MCH_ROUND_STOCHASTIC ? MCH_ROUND_HALF_EVEN : quant->round,
					  shift};
	return has_weights ? convert_parameters(q, step, &quant->layer[step->layer_index], err) : 0;
}

/* The layer index of the only reader of an edge when that is a ReLU, else -1. */
static int only_reader_relu(const struct mch_net *net, int edge)
{
	int reader = -1;
	if (edge == net->output)
		return -1;
	for (int i = 0; i < net->n_layers; i++)
		for (int j = 0; j < net->layers[i].n_in; j++)
			if (net->layers[i].in[j] == edge) {
				if (reader >= 0)
					return -1;
				reader = i;
			}
	return reader >= 0 && net->layers[reader].kind == MCH_RELU ? reader : -1;
}

static bool has_integer_form(enum mch_kind kind)
{
	return kind == MCH_CONV || kind == MCH_DENSE || kind == MCH_RELU || kind == MCH_POOL_MAX || kind == MCH_POOL_AVG;
}

static int add_steps(struct mch_qnet *q, int *alias, bool *fused, struct mch_quant *quant, struct mch_err *err)
{
	const struct mch_net *net = q->net;
	for (int i = 0; i < net->n_layers; i++) {
		const struct mch_layer *layer = &net->layers[i];
		const int in = alias[layer->in[0]];
		int out = layer->out[0];
		if (fused[i])
			continue;
		if (mch_layer_table[layer->kind].is_identity) {
			alias[out] = in;
			continue;
		}
		if (layer->kind == MCH_SOFTMAX) {
			if (out != net->output)
				return fail(net, layer->name, err, "a softmax has an integer form only as the last layer; cut "
					    "the network there");
			alias[out] = in;
			continue;
		}
		if (!has_integer_form(layer->kind))
			return fail(net, layer->name, err, "has no integer form; replace the layer, or cut the network there");
		struct mch_step *step = &q->steps[q->n_steps++];
		const int relu = layer->weights ? only_reader_relu(net, out) : -1;
		if (relu >= 0) {
			fused[relu] = true;
			alias[out] = net->layers[relu].out[0];
			out = alias[out];
		}
		*step = (struct mch_step){.layer = layer, .layer_index = i, .relu = relu >= 0, .in = in, .out = out};
		if (fill_step(q, step, quant, err) != 0)
			return -1;
	}
	return 0;
}

int mch_qnet_build(struct mch_qnet *q, const struct mch_net *net, struct mch_quant *quant, struct mch_err *err)
{
	memset(q, 0, sizeof(*q));
	q->net = net;
	if (mch_net_require_weights(net, err) != 0)
		return -1;
	int *alias = malloc((size_t)net->n_edges * sizeof(*alias));
	bool *fused = calloc((size_t)net->n_layers, sizeof(*fused));
	q->steps = calloc((size_t)net->n_layers, sizeof(*q->steps));
	int status = 0;
	if (!alias || !fused || !q->steps)
		status = mch_err_set(err, net->name ? net->name : "network", "out of memory; use a machine with more");
	for (int e = 0; status == 0 && e < net->n_edges; e++)
		alias[e] = e;
	if (status == 0)
		status = add_steps(q, alias, fused, quant, err);
	if (status == 0) {
		q->input = alias[net->input];
		q->output = alias[net->output];
		q->input_format = quant->edge[q->input];
		if (q->n_steps == 0)
			status = mch_err_set(err, net->name ? net->name : "network", "has no layer that hardware computes; "
					     "give a network with convolutions");
	}
	free(alias);
	free(fused);
	if (status != 0)
		mch_qnet_free(q);
	return status;
}

void mch_qnet_free(struct mch_qnet *q)
{
	for (int i = 0; i < q->n_steps; i++) {
		free(q->steps[i].weights);
		free(q->steps[i].bias);
		free(q->steps[i].shift);
	}
	free(q->steps);
	memset(q, 0, sizeof(*q));
}
