/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Ristretto's layers: a number format for what enters, what leaves and the parameters; see caffe_layer.h.
 * Source: Ristretto's quantization_param (Gysel et al.). Its formats are signed, its rounding is to nearest, ties to
 * even (on a GPU), or stochastic; its bias has the format of the weights, unless these are powers of two. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/caffe_layer.h"
#include "io/caffe_ristretto.h"
#include "net/lower.h"
#include "net/qnet.h"

static const char known[] = "precision rounding_scheme bw_layer_in bw_layer_out bw_params fl_layer_in fl_layer_out "
			    "fl_params mant_bits exp_bits exp_min exp_max ";

static int read_format(struct mch_caffe_layer *l, const char *bits, const char *frac, struct mch_format *format)
{
	/* Ristretto's own defaults: 32 and 16. */
	if (mch_caffe_int(l, bits, 1, 64, 32, &format->bits) != 0 ||
	    mch_caffe_int(l, frac, -MCH_FRAC_LIMIT, MCH_FRAC_LIMIT, 16, &format->frac) != 0)
		return -1;
	format->is_signed = true;
	if (format->bits > MCH_OPERAND_BITS_MAX)
		return mch_caffe_complain(l, mch_prototxt_find(l->param, bits),
					  "%s is %d, 1 to %d bits are supported; choose a narrower format", bits,
					  format->bits, MCH_OPERAND_BITS_MAX);
	return 0;
}

struct mch_format mch_ristretto_minifloat(int mant_bits, int exp_bits)
{
	/* Exponents 0 .. 2^E - 1 stand for 2^-(2^(E-1) - 1) and up; the least is 2^M as an integer. */
	return (struct mch_format){.bits = 1 + exp_bits + mant_bits, .frac = mant_bits + (1 << (exp_bits - 1)) - 1,
				   .is_signed = true, .number = MCH_MINIFLOAT_FLUSH, .exp_bits = exp_bits};
}

int mch_ristretto_pow2(int exp_min, int exp_max, struct mch_format *format)
{
	*format = (struct mch_format){.bits = 2, .frac = -exp_min, .is_signed = true, .number = MCH_POW2_NO_ZERO};
	while (format->bits < MCH_POW2_BITS_MAX && exp_max - exp_min + 1 > 1 << (format->bits - 1))
		format->bits++;
	return exp_max - exp_min + 1 == 1 << (format->bits - 1) ? 0 : -1;
}

static int read_minifloat(struct mch_caffe_layer *l, struct mch_caffe_formats *f)
{
	int mant_bits, exp_bits;
	/* Ristretto's own defaults: those of a float. */
	if (mch_caffe_int(l, "mant_bits", 0, 64, 23, &mant_bits) != 0 ||
	    mch_caffe_int(l, "exp_bits", 1, 64, 8, &exp_bits) != 0)
		return -1;
	if (exp_bits > MCH_EXP_BITS_MAX || 1 + exp_bits + mant_bits > MCH_OPERAND_BITS_MAX)
		return mch_caffe_complain(l, mch_prototxt_find(l->param, "precision"),
					  "mant_bits %d and exp_bits %d, at most %d exponent bits and %d bits with the sign "
					  "are supported; choose a narrower format",
					  mant_bits, exp_bits, MCH_EXP_BITS_MAX, MCH_OPERAND_BITS_MAX);
	f->in = f->out = f->params = mch_ristretto_minifloat(mant_bits, exp_bits);
	return 0;
}

static int read_pow2(struct mch_caffe_layer *l, struct mch_caffe_formats *f)
{
	const struct mch_prototxt *precision = mch_prototxt_find(l->param, "precision");
	int exp_min, exp_max;
	/* Ristretto's own defaults. */
	if (mch_caffe_int(l, "exp_min", -MCH_FRAC_LIMIT, MCH_FRAC_LIMIT, -8, &exp_min) != 0 ||
	    mch_caffe_int(l, "exp_max", -MCH_FRAC_LIMIT, MCH_FRAC_LIMIT, -1, &exp_max) != 0)
		return -1;
	if (mch_ristretto_pow2(exp_min, exp_max, &f->params) != 0)
		return mch_caffe_complain(l, precision,
					  "exponents from %d to %d, 2, 4, 8 or 16 of them are supported; choose another "
					  "exp_min or exp_max",
					  exp_min, exp_max);
	if (f->round == MCH_ROUND_STOCHASTIC)
		return mch_caffe_complain(l, precision,
					  "STOCHASTIC exponents are not supported; choose rounding_scheme NEAREST");
	if (!mch_prototxt_find(l->param, "bw_layer_in") || !mch_prototxt_find(l->param, "bw_layer_out"))
		return mch_caffe_complain(l, precision,
					  "it leaves activations in float here; give them formats: bw_layer_in, fl_layer_in, "
					  "bw_layer_out, fl_layer_out");
	return read_format(l, "bw_layer_in", "fl_layer_in", &f->in) != 0
		       ? -1
		       : read_format(l, "bw_layer_out", "fl_layer_out", &f->out);
}

static int read_formats(struct mch_caffe_layer *l, struct mch_caffe_formats *f)
{
	const struct mch_prototxt *precision = mch_prototxt_find(l->param, "precision");
	if (strcmp(l->type->type, "LRNRistretto") == 0)
		return mch_caffe_complain(l, precision,
					  "LRNRistretto rounds to minifloats within the layer, which is not supported; use a "
					  "layer LRN, which runs in float");
	if (mch_caffe_is_word(precision, "MINIFLOAT", "1"))
		return read_minifloat(l, f);
	if (mch_caffe_is_word(precision, "INTEGER_POWER_OF_2_WEIGHTS", "2"))
		return read_pow2(l, f);
	if (precision && !mch_caffe_is_word(precision, "DYNAMIC_FIXED_POINT", "0"))
		return mch_caffe_complain(l, precision,
					  "precision is DYNAMIC_FIXED_POINT, MINIFLOAT or "
					  "INTEGER_POWER_OF_2_WEIGHTS; correct the "
					  "definition");
	if (read_format(l, "bw_layer_in", "fl_layer_in", &f->in) != 0 ||
	    read_format(l, "bw_layer_out", "fl_layer_out", &f->out) != 0)
		return -1;
	return read_format(l, "bw_params", "fl_params", &f->params);
}

int mch_caffe_read_ristretto(struct mch_caffe_layer *l, int index)
{
	struct mch_caffe *caffe = l->caffe;
	if (!strstr(l->type->type, "Ristretto"))
		return 0;
	l->param = mch_prototxt_find(l->field, "quantization_param");
	if (!l->param)
		return mch_caffe_complain(l, NULL,
					  "quantization_param is missing; add it, or use the layer's float type");
	if (mch_prototxt_message(caffe->path, l->param, caffe->err) != 0)
		return -1;
	for (const struct mch_prototxt *f = l->param->first; f; f = f->next)
		if (!mch_caffe_has_word(known, f->name))
			return mch_caffe_complain(l, f, "%s is no field of quantization_param; correct the name",
						  f->name);
	const struct mch_prototxt *round = mch_prototxt_find(l->param, "rounding_scheme");
	struct mch_caffe_formats f = {.layer = index, .line = l->field->line, .round = MCH_ROUND_HALF_EVEN};
	if (mch_caffe_is_word(round, "STOCHASTIC", "1"))
		f.round = MCH_ROUND_STOCHASTIC;
	else if (round && !mch_caffe_is_word(round, "NEAREST", "0"))
		return mch_caffe_complain(l, round,
					  "rounding_scheme is NEAREST or STOCHASTIC; correct the definition");
	if (read_formats(l, &f) != 0)
		return -1;
	struct mch_caffe_formats *more = realloc(caffe->formats, ((size_t)caffe->n_formats + 1) * sizeof(*more));
	if (!more)
		return mch_err_set(caffe->err, caffe->path, "out of memory; use a machine with more");
	caffe->formats = more;
	caffe->formats[caffe->n_formats++] = f;
	return 0;
}

/* Formats of edges under construction: who gave an edge its own, for messages. */
struct edges {
	const struct mch_caffe *caffe;
	struct mch_quant *quant;
	int *giver; /* [n_edges]: index into caffe->formats, -1: none yet */
	int *root;  /* [n_edges]: the edge that codes come from unchanged */
};

/* Codes leave such a layer as they entered it, or clamped. */
static bool passes_codes(const struct mch_layer *layer)
{
	const enum mch_form form = mch_layer_form(layer);
	return form == MCH_FORM_POOL_MAX || form == MCH_FORM_REQUANT || form == MCH_FORM_GATHER ||
	       form == MCH_FORM_MOVE;
}

static int give(struct edges *e, int edge, int giver, struct mch_format format)
{
	const struct mch_caffe *caffe = e->caffe;
	const int root = e->root[edge], before = e->giver[root];
	char is[24], was[24];
	if (before < 0 || mch_ristretto_same(e->quant->edge[root], format)) {
		e->quant->edge[root] = format;
		e->giver[root] = before < 0 ? giver : before;
		return 0;
	}
	const struct mch_prototxt at = {.line = caffe->formats[giver].line};
	return mch_prototxt_err(caffe->err, caffe->path, &at,
				"layer %s has %s as %s, layer %s has it as %s; give both one format",
				caffe->net->layers[caffe->formats[giver].layer].name, caffe->net->edges[edge].name,
				mch_format_text(format, is), caffe->net->layers[caffe->formats[before].layer].name,
				mch_format_text(e->quant->edge[root], was));
}

/* Ristretto rounds a bias into the format of the weights; here a bias has the accumulator's, which is finer. */
static void round_bias(struct mch_layer *layer, struct mch_format format)
{
	for (size_t i = 0; layer->bias && i < layer->n_bias; i++)
		layer->bias[i] = (float)mch_format_real(
			format, mch_format_raw(format, (double)layer->bias[i], MCH_ROUND_HALF_EVEN, NULL));
}

float mch_ristretto_power(struct mch_format format, float weight)
{
	const int low = -format.frac, high = low + (1 << (format.bits - 1)) - 1;
	const float exponent = roundf(log2f(fabsf(weight))); /* of 0: -infinity */
	const int kept = !(exponent > (float)low) ? low : exponent > (float)high ? high : (int)exponent;
	return ldexpf(weight >= 0 ? 1 : -1, kept);
}

static void round_pow2(struct mch_layer *layer, struct mch_format format)
{
	for (size_t i = 0; layer->weights && i < layer->n_weights; i++)
		layer->weights[i] = mch_ristretto_power(format, layer->weights[i]);
}

/* Ristretto makes 0 of all parameters below the smallest minifloat; to nearest, half of them would become that. (Of
 * activations the nearer is taken.) */
static void flush_small(float *values, size_t n, struct mch_format format)
{
	const double smallest = mch_format_real(format, 1);
	for (size_t i = 0; values && i < n; i++)
		if (fabs((double)values[i]) < smallest)
			values[i] = 0;
}

static int give_all(struct edges *e)
{
	const struct mch_caffe *caffe = e->caffe;
	struct mch_quant *quant = e->quant;
	for (int i = 0; i < caffe->n_formats; i++) {
		const struct mch_caffe_formats *f = &caffe->formats[i];
		struct mch_layer *layer = &caffe->net->layers[f->layer];
		const enum mch_part part = layer->kind == MCH_DENSE ? MCH_PART_FC_WEIGHTS : MCH_PART_CONV_WEIGHTS;
		if (f->round != caffe->formats[0].round) {
			const struct mch_prototxt at = {.line = f->line};
			return mch_prototxt_err(caffe->err, caffe->path, &at,
						"layer %s rounds otherwise than layer %s; give all one "
						"rounding_scheme",
						layer->name, caffe->net->layers[caffe->formats[0].layer].name);
		}
		if (give(e, layer->in[0], i, f->in) != 0 || give(e, layer->out[0], i, f->out) != 0)
			return -1;
		quant->layer[f->layer].weights = f->params;
		quant->round = quant->weight_round = f->round;
		/* Of parts whose layers differ the widest is told. */
		quant->width[part] = f->params.bits > quant->width[part] ? f->params.bits : quant->width[part];
		const int wider = f->in.bits > f->out.bits ? f->in.bits : f->out.bits;
		quant->width[MCH_PART_ACTIVATIONS] =
			wider > quant->width[MCH_PART_ACTIVATIONS] ? wider : quant->width[MCH_PART_ACTIVATIONS];
		if (f->params.number == MCH_MINIFLOAT_FLUSH) {
			flush_small(layer->weights, layer->n_weights, f->params);
			flush_small(layer->bias, layer->n_bias, f->params);
		}
		if (f->params.number == MCH_POW2_NO_ZERO)
			round_pow2(layer, f->params);
		else
			round_bias(layer, f->params);
	}
	return 0;
}

void mch_ristretto_roots(const struct mch_net *net, int *root)
{
	for (int e = 0; e < net->n_edges; e++)
		root[e] = e;
	for (int i = 0; i < net->n_layers; i++)
		if (passes_codes(&net->layers[i]))
			root[net->layers[i].out[0]] = root[net->layers[i].in[0]];
}

int mch_ristretto_fill_rest(const struct mch_net *net, struct mch_quant *quant, struct mch_err *err)
{
	bool *is_tail = calloc((size_t)net->n_layers, sizeof(*is_tail));
	if (!is_tail)
		return mch_err_set(err, net->name, "out of memory; use a machine with more");
	mch_net_integer_end(net, is_tail);
	for (int i = 0; i < net->n_layers; i++) {
		const struct mch_layer *layer = &net->layers[i];
		struct mch_format *out = &quant->edge[layer->out[0]];
		if (is_tail[i])
			*out = (struct mch_format){0};
		else if (out->bits == 0 && layer->n_in > 0)
			*out = quant->edge[layer->in[0]];
	}
	free(is_tail);
	return 0;
}

/* Every layer that has weights has their format, else where says which has not. */
static int check_weights(const struct mch_caffe *caffe, const struct mch_net *net, const struct mch_quant *quant)
{
	for (int i = 0; i < net->n_layers; i++)
		if (mch_layer_is_mac(&net->layers[i]) && quant->layer[i].weights.bits == 0)
			return mch_err_set(caffe->err, caffe->path,
					   "layer %s has no formats while others have; make it one of Ristretto's "
					   "too",
					   net->layers[i].name);
	return 0;
}

/* The formats of `net` for the lowered network, which has the tensors and layers that are left under their names. */
static int carry_over(const struct mch_caffe *caffe, const struct mch_quant *from, char *const *edge_names,
		      char *const *layer_names, struct mch_quant *quant)
{
	const struct mch_net *net = caffe->net;
	for (int e = 0; e < from->n_edges; e++) {
		const int now = mch_net_find_edge(net, edge_names[e]);
		if (now >= 0)
			quant->edge[now] = from->edge[e];
	}
	for (int i = 0; i < from->n_layers; i++) {
		const int now = mch_net_find_layer(net, layer_names[i]);
		if (now >= 0)
			quant->layer[now] = from->layer[i];
	}
	quant->round = from->round;
	quant->weight_round = from->weight_round;
	for (int p = 0; p < MCH_N_PARTS; p++)
		quant->width[p] = from->width[p];
	return check_weights(caffe, net, quant) != 0 ? -1 : mch_ristretto_fill_rest(net, quant, caffe->err);
}

static void free_names(char **names, int n)
{
	for (int i = 0; names && i < n; i++)
		free(names[i]);
	free(names);
}

/* The network becomes what hardware computes, as it does before any quantization, and the formats with it. */
static int lower(const struct mch_caffe *caffe, const struct mch_quant *from, struct mch_quant *quant)
{
	struct mch_net *net = caffe->net;
	const int n_edges = net->n_edges, n_layers = net->n_layers;
	char **edge_names = calloc((size_t)n_edges, sizeof(*edge_names)),
	     **layer_names = calloc((size_t)n_layers, sizeof(*layer_names));
	bool is_short = !edge_names || !layer_names;
	for (int e = 0; !is_short && e < n_edges; e++)
		is_short = !(edge_names[e] = strdup(net->edges[e].name));
	for (int i = 0; !is_short && i < n_layers; i++)
		is_short = !(layer_names[i] = strdup(net->layers[i].name));
	int status = is_short ? mch_err_set(caffe->err, caffe->path, "out of memory; use a machine with more")
			      : mch_net_lower(net, caffe->err);
	if (status == 0)
		status = mch_quant_init(quant, net, caffe->err);
	if (status == 0 && carry_over(caffe, from, edge_names, layer_names, quant) != 0) {
		mch_quant_free(quant);
		memset(quant, 0, sizeof(*quant));
		status = -1;
	}
	free_names(edge_names, n_edges);
	free_names(layer_names, n_layers);
	return status;
}

int mch_caffe_quant(const struct mch_caffe *caffe, struct mch_quant *quant)
{
	struct mch_quant own;
	if (caffe->n_formats == 0)
		return 0;
	if (!quant)
		return mch_err_set(caffe->err, caffe->path,
				   "is quantized already, by Ristretto; give the float network, or a command that "
				   "takes both");
	if (mch_quant_init(&own, caffe->net, caffe->err) != 0)
		return -1;
	const size_t n_edges = (size_t)caffe->net->n_edges;
	struct edges e = {caffe, &own, malloc(n_edges * sizeof(int)), malloc(n_edges * sizeof(int))};
	int status = -1;
	if (!e.giver || !e.root) {
		mch_err_set(caffe->err, caffe->path, "out of memory; use a machine with more");
	} else {
		memset(e.giver, -1, n_edges * sizeof(int));
		mch_ristretto_roots(caffe->net, e.root);
		status = give_all(&e);
		for (size_t i = 0; i < n_edges; i++)
			own.edge[i] = own.edge[e.root[i]];
	}
	if (status == 0)
		status = lower(caffe, &own, quant);
	mch_quant_free(&own);
	free(e.giver);
	free(e.root);
	return status;
}
