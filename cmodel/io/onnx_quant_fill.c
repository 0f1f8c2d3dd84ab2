/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Formats from a quantized ONNX model on the network that was read from it; see onnx_quant.h. What the model
 * leaves unquantized between two tensors gets a format that follows from theirs. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/onnx_quant.h"
#include "net/layer.h"

enum { WIDE_BITS = MCH_OPERAND_BITS_MAX };

struct filler {
	const struct mch_net *net;
	struct mch_quant *quant;
	FILE *notes;
};

static void note(struct filler *f, const char *what, const char *name, const struct mch_onnx_format *from,
		 struct mch_format format)
{
	char text[16];
	if (!from->is_exact) {
		fprintf(f->notes, "%s %s: %g to %g in steps of %.9g is no format, %s covers it\n", what, name,
			from->low, from->high, from->scale, mch_format_text(format, text));
		f->quant->n_notes++;
	}
}

/* Weights have a sign: one bit more holds what has none. */
static struct mch_format with_sign(struct mch_format f)
{
	if (f.is_signed)
		return f;
	if (f.bits == WIDE_BITS)
		f.frac--;
	else
		f.bits++;
	f.is_signed = true;
	return f;
}

static void fill_named(struct filler *f, const struct mch_onnx_quant *q, const struct mch_onnx_graph *g)
{
	for (size_t i = 0; i < q->n_formats; i++) {
		const struct mch_onnx_format *from = &q->formats[i];
		const struct mch_onnx_value *value = mch_onnx_value(g, from->name);
		const int *as_value = mch_names_find(&q->value_formats, from->name);
		const int *as_weights = mch_names_find(&q->weight_formats, from->name);
		if (!value || mch_onnx_is_constant(value) || value->edge < 0) /* or led to nothing */
			continue;
		if (as_value && *as_value == (int)i && f->quant->edge[value->edge].bits == 0) {
			f->quant->edge[value->edge] = from->format;
			note(f, "tensor", f->net->edges[value->edge].name, from, from->format);
		}
		const int layer = f->net->edges[value->edge].producer;
		if (as_weights && *as_weights == (int)i && layer >= 0 && mch_layer_is_mac(&f->net->layers[layer]) &&
		    f->quant->layer[layer].weights.bits == 0) {
			f->quant->layer[layer].weights = with_sign(from->format);
			note(f, "weights of layer", f->net->layers[layer].name, from,
			     f->quant->layer[layer].weights);
		}
	}
}

/* Values of the output are values of the input. */
static bool keeps_values(const struct mch_layer *layer)
{
	return mch_layer_table[layer->kind].is_identity || layer->kind == MCH_RELU || layer->kind == MCH_CLIP ||
	       layer->kind == MCH_POOL_MAX || layer->kind == MCH_SOFTMAX || layer->kind == MCH_LOG_SOFTMAX ||
	       layer->kind == MCH_SLICE || layer->kind == MCH_PAD || layer->kind == MCH_UPSAMPLE ||
	       layer->kind == MCH_TRANSPOSE || layer->kind == MCH_POOL_AVG;
}

/* Along layers that keep values, forwards; and backwards, to what such a layer reads. */
static void spread(struct filler *f)
{
	struct mch_format *edge = f->quant->edge;
	for (int i = 0; i < f->net->n_layers; i++) {
		const struct mch_layer *layer = &f->net->layers[i];
		if (layer->n_in == 1 && keeps_values(layer) && edge[layer->out[0]].bits == 0)
			edge[layer->out[0]] = edge[layer->in[0]];
	}
	for (int i = f->net->n_layers - 1; i >= 0; i--) {
		const struct mch_layer *layer = &f->net->layers[i];
		if (layer->n_in == 1 && keeps_values(layer) && edge[layer->in[0]].bits == 0)
			edge[layer->in[0]] = edge[layer->out[0]];
	}
}

/* The largest magnitude that a format has. */
static double reach(struct mch_format f)
{
	return fmax(mch_format_real(f, mch_format_max(f)), -mch_format_real(f, mch_format_min(f)));
}

/* The largest magnitude of a sum of products, over all inputs of the format. */
static double mac_reach(const struct mch_layer *layer, double x)
{
	/* A deconv's weights lie by input channel: the sum over all of them bounds each output's. */
	const size_t n_k = layer->kind == MCH_DECONV ? 1 : (size_t)layer->conv.k, n = layer->n_weights / n_k;
	double most = 0, bias = 0;
	for (size_t k = 0; k < n_k; k++) {
		double sum = 0;
		for (size_t i = 0; i < n; i++)
			sum += fabs((double)layer->weights[k * n + i]);
		most = fmax(most, sum);
	}
	for (size_t k = 0; layer->bias && k < layer->n_bias; k++)
		bias = fmax(bias, fabs((double)layer->bias[k]));
	return most * x + bias;
}

/* What a layer that is not quantized can give at most; negative: not known. */
static double layer_reach(const struct filler *f, const struct mch_layer *layer)
{
	double sum = 0, product = 1, most = 0;
	for (int i = 0; i < layer->n_in; i++) {
		const struct mch_format x = f->quant->edge[layer->in[i]];
		if (x.bits == 0)
			return -1;
		sum += reach(x) * (layer->weights && layer->kind == MCH_SUM ? fabs((double)layer->weights[i]) : 1);
		product *= reach(x);
		most = fmax(most, reach(x));
	}
	if (mch_layer_is_mac(layer))
		return layer->weights ? mac_reach(layer, most) : -1;
	switch (layer->kind) {
	case MCH_SUM:
		return sum;
	case MCH_PROD:
		return product;
	case MCH_MAX:
	case MCH_CONCAT:
	case MCH_LEAKY_RELU:
		return most;
	case MCH_SIGMOID:
	case MCH_TANH:
		return 1;
	default:
		return -1;
	}
}

/* Tensors that are left: wide enough for all that they can be. */
static void widen(struct filler *f)
{
	for (int i = 0; i < f->net->n_layers; i++) {
		const struct mch_layer *layer = &f->net->layers[i];
		const int out = layer->out[0];
		char text[16];
		if (f->quant->edge[out].bits > 0)
			continue;
		if (layer->n_in == 1 && keeps_values(layer)) {
			f->quant->edge[out] = f->quant->edge[layer->in[0]];
			continue;
		}
		const double most = layer_reach(f, layer);
		if (!(most >= 0))
			continue;
		f->quant->edge[out] = mch_onnx_cover(-most, most, WIDE_BITS);
		fprintf(f->notes, "tensor %s: is not quantized, %s holds all that it can be\n",
			f->net->edges[out].name, mch_format_text(f->quant->edge[out], text));
		f->quant->n_notes++;
	}
}

static void fill_weights(struct filler *f)
{
	for (int i = 0; i < f->net->n_layers; i++) {
		const struct mch_layer *layer = &f->net->layers[i];
		struct mch_format *format = &f->quant->layer[i].weights;
		char text[16];
		if (!mch_layer_is_mac(layer) || format->bits > 0 || !layer->weights)
			continue;
		double low = 0, high = 0;
		for (size_t j = 0; j < layer->n_weights; j++) {
			low = fmin(low, (double)layer->weights[j]);
			high = fmax(high, (double)layer->weights[j]);
		}
		*format = with_sign(mch_onnx_cover(low < 0 ? low : -high, high, WIDE_BITS));
		fprintf(f->notes, "weights of layer %s: are not quantized, %s covers them\n", layer->name,
			mch_format_text(*format, text));
		f->quant->n_notes++;
	}
}

static void fill_widths(struct filler *f)
{
	int *width = f->quant->width;
	for (int i = 0; i < f->net->n_layers; i++) {
		const int part = f->net->layers[i].kind == MCH_DENSE ? MCH_PART_FC_WEIGHTS : MCH_PART_CONV_WEIGHTS;
		const int bits = f->quant->layer[i].weights.bits;
		width[part] = bits > width[part] ? bits : width[part];
	}
	for (int e = 0; e < f->net->n_edges; e++) {
		const int bits = f->quant->edge[e].bits;
		width[MCH_PART_ACTIVATIONS] =
			bits > width[MCH_PART_ACTIVATIONS] ? bits : width[MCH_PART_ACTIVATIONS];
	}
}

int mch_onnx_quant_fill(const struct mch_onnx_quant *q, const struct mch_onnx_graph *g, struct mch_quant *quant,
			struct mch_err *err)
{
	memset(quant, 0, sizeof(*quant));
	if (!q->is_found)
		return 0;
	if (mch_quant_init(quant, g->net, err) != 0)
		return -1;
	size_t n_bytes;
	struct filler f = {g->net, quant, open_memstream(&quant->notes, &n_bytes)};
	if (f.notes) {
		quant->round = q->round;
		fill_named(&f, q, g);
		spread(&f);
		fill_weights(&f);
		widen(&f);
		spread(&f);
		fill_widths(&f);
	}
	if (f.notes && fclose(f.notes) == 0)
		return 0;
	mch_quant_free(quant);
	memset(quant, 0, sizeof(*quant));
	return mch_err_set(err, g->path, "out of memory; use a machine with more");
}
