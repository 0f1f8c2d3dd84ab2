/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What a layer is in integers, and where the integers end; see qnet.h. */
#include <math.h>

#include "net/layer.h"
#include "net/qnet.h"
#include "net/qstep.h"

/* +-2^e with a magnitude that a shift can have; *exponent is e. */
static bool is_shift(double coefficient, int *exponent)
{
	const double mantissa = frexp(coefficient, exponent); /* 0.5 <= |mantissa| < 1 */
	*exponent -= 1;
	return fabs(mantissa) == 0.5 && *exponent >= -MCH_FRAC_LIMIT && *exponent <= MCH_FRAC_LIMIT;
}

int mch_sum_exponent(const struct mch_layer *layer, int i)
{
	int exponent = 0;
	if (layer->kind == MCH_SUM && layer->weights)
		is_shift((double)layer->weights[i], &exponent);
	return exponent;
}

/* Coefficients that are no powers of two need multipliers, a product of three 16-bit codes more than 48 bits. */
static enum mch_form eltwise_form(const struct mch_layer *layer)
{
	int exponent;
	for (int i = 0; layer->kind == MCH_SUM && layer->weights && i < layer->n_in; i++)
		if (!is_shift((double)layer->weights[i], &exponent))
			return MCH_FORM_HOST;
	return layer->kind == MCH_PROD && layer->n_in > MCH_ELTWISE_FACTORS_MAX ? MCH_FORM_HOST : MCH_FORM_ELTWISE;
}

enum mch_form mch_layer_form(const struct mch_layer *layer)
{
	switch (layer->kind) {
	case MCH_CONV:
	case MCH_DENSE:
		return MCH_FORM_MAC;
	case MCH_POOL_MAX:
		return MCH_FORM_POOL_MAX;
	case MCH_POOL_AVG:
		return MCH_FORM_POOL_AVG;
	case MCH_RELU:
	case MCH_CLIP:
		return MCH_FORM_REQUANT;
	case MCH_SUM:
	case MCH_PROD:
	case MCH_MAX:
		return eltwise_form(layer);
	case MCH_CONCAT:
		return MCH_FORM_CONCAT;
	case MCH_SLICE:
	case MCH_PAD:
	case MCH_UPSAMPLE:
		return MCH_FORM_GATHER;
	case MCH_TRANSPOSE:
		return MCH_FORM_MOVE;
	case MCH_CONSTANT:
		return MCH_FORM_CONSTANT;
	case MCH_DECONV:
	case MCH_N_KINDS:
		return MCH_FORM_NONE;
	default:
		return mch_layer_table[layer->kind].is_identity ? MCH_FORM_MOVE : MCH_FORM_HOST;
	}
}

int mch_net_n_readers(const struct mch_net *net, int edge, int *reader)
{
	int n = 0;
	for (int i = 0; i < net->n_layers; i++)
		for (int j = 0; j < net->layers[i].n_in; j++)
			if (net->layers[i].in[j] == edge) {
				*reader = i;
				n++;
			}
	return n;
}

static bool is_softmax(enum mch_kind kind)
{
	return kind == MCH_SOFTMAX || kind == MCH_LOG_SOFTMAX;
}

/* From the output backwards over softmaxes and identities that nothing else reads. */
int mch_net_integer_end(const struct mch_net *net, bool *is_tail)
{
	int end = net->output, unused;
	for (int e = net->output; net->edges[e].producer >= 0;) {
		const struct mch_layer *layer = &net->layers[net->edges[e].producer];
		if (mch_net_n_readers(net, e, &unused) != (e != net->output) ||
		    !(is_softmax(layer->kind) || mch_layer_table[layer->kind].is_identity))
			break;
		e = layer->in[0];
		if (is_softmax(layer->kind))
			end = e;
	}
	for (int i = 0; is_tail && i < net->n_layers; i++)
		is_tail[i] = false;
	for (int e = net->output; is_tail && e != end; e = net->layers[net->edges[e].producer].in[0])
		is_tail[net->edges[e].producer] = true;
	return end;
}

bool mch_net_is_host_layer(const struct mch_net *net, int i)
{
	if (mch_layer_form(&net->layers[i]) != MCH_FORM_HOST)
		return false;
	const int end = mch_net_integer_end(net, NULL);
	for (int e = net->output; e != end; e = net->layers[net->edges[e].producer].in[0])
		if (net->edges[e].producer == i)
			return false;
	return true;
}
