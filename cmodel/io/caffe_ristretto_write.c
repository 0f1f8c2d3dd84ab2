/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Formats as Ristretto's layers have them; see caffe_ristretto.h. */
#include "io/caffe_ristretto.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "net/layer.h"
#include "net/qnet.h"

/* What is wrong with a layer, or a tensor of it. */
static int fail(const char *path, const struct mch_layer *layer, struct mch_err *err, const char *what, ...)
	__attribute__((format(printf, 4, 5)));

static int fail(const char *path, const struct mch_layer *layer, struct mch_err *err, const char *what, ...)
{
	char text[320];
	va_list args;
	va_start(args, what);
	vsnprintf(text, sizeof(text), what, args);
	va_end(args);
	return mch_err_set(err, path, "Ristretto cannot say layer %s: %s", layer->name, text);
}

const char *mch_ristretto_type(const struct mch_layer *layer)
{
	return layer->kind == MCH_CONV ? "ConvolutionRistretto" : layer->kind == MCH_DENSE ? "FcRistretto" : NULL;
}

static bool is_pow2(struct mch_format f)
{
	return f.number == MCH_POW2_NO_ZERO;
}

static bool is_minifloat(struct mch_format f)
{
	return f.number == MCH_MINIFLOAT_FLUSH &&
	       mch_ristretto_same(f, mch_ristretto_minifloat(f.bits - 1 - f.exp_bits, f.exp_bits));
}

/* The three formats of a layer go together in one of three ways. */
static int check_formats(const struct mch_layer *layer, struct mch_format x, struct mch_format w, struct mch_format y,
			 const char *path, struct mch_err *err)
{
	char tx[24], tw[24], ty[24];
	mch_format_text(x, tx), mch_format_text(w, tw), mch_format_text(y, ty);
	if (!x.is_signed || !y.is_signed)
		return fail(path, layer, err, "its %s is %s, Ristretto's are signed; quantize with --signed",
			    x.is_signed ? "output" : "input", x.is_signed ? ty : tx);
	if (x.number == MCH_FIXED && y.number == MCH_FIXED && (w.number == MCH_FIXED || is_pow2(w)))
		return 0;
	if (is_minifloat(x) && mch_ristretto_same(x, w) && mch_ristretto_same(x, y))
		return 0;
	return fail(path, layer, err,
		    "its input %s, weights %s and output %s are not all fixed point, nor one of Ristretto's minifloats "
		    "for all, nor fixed point with weights that are powers of two without a zero; quantize it so",
		    tx, tw, ty);
}

static int check_layer(const struct mch_net *net, const struct mch_quant *quant, int i, const char *path,
		       struct mch_err *err)
{
	const struct mch_layer *layer = &net->layers[i];
	const struct mch_layer_quant *q = &quant->layer[i];
	if (q->channel_frac)
		return fail(path, layer, err, "its channels have fractions of their own; quantize without --per-channel");
	if (q->acc.bits && q->acc.bits < q->certificate.bits)
		return fail(path, layer, err,
			    "its accumulator of %d bits can overflow, Ristretto's sums have no width; quantize without "
			    "--acc-bits",
			    q->acc.bits);
	return check_formats(layer, quant->edge[layer->in[0]], q->weights, quant->edge[layer->out[0]], path, err);
}

static int check_rounding(const struct mch_quant *quant, const char *path, struct mch_err *err)
{
	const enum mch_round round = quant->round;
	if (quant->wraps)
		return mch_err_set(err, path, "Ristretto cannot say outputs that wrap: its own saturate; quantize with "
					      "--overflow=saturate");
	if (round != MCH_ROUND_HALF_EVEN && round != MCH_ROUND_HALF_AWAY && round != MCH_ROUND_STOCHASTIC)
		return mch_err_set(err, path,
				   "Ristretto cannot say rounding %s: it rounds to nearest (half_even on a GPU, half_away "
				   "on a CPU) or stochastic; quantize with --rounding of these",
				   mch_round_name(round));
	if (quant->weight_round != round)
		return mch_err_set(err, path,
				   "Ristretto cannot say weights rounded %s beside activations rounded %s: it has one "
				   "rounding; quantize with --weight-rounding=%s",
				   mch_round_name(quant->weight_round), mch_round_name(round), mch_round_name(round));
	return 0;
}

/* What a reader would make of the tensors, from what the layers say. */
static int say(const struct mch_net *net, const struct mch_quant *quant, struct mch_quant *said, const char *path,
	       struct mch_err *err)
{
	int *root = malloc((size_t)net->n_edges * sizeof(*root));
	if (!root)
		return mch_err_set(err, path, "out of memory; use a machine with more");
	mch_ristretto_roots(net, root);
	for (int i = 0; i < net->n_layers; i++) {
		const struct mch_layer *layer = &net->layers[i];
		if (!mch_ristretto_type(layer))
			continue;
		said->edge[root[layer->in[0]]] = quant->edge[layer->in[0]];
		said->edge[root[layer->out[0]]] = quant->edge[layer->out[0]];
	}
	for (int e = 0; e < net->n_edges; e++)
		said->edge[e] = said->edge[root[e]];
	free(root);
	return mch_ristretto_fill_rest(net, said, err);
}

static int check_tensors(const struct mch_net *net, const struct mch_quant *quant, const char *path,
			 struct mch_err *err)
{
	struct mch_quant said;
	if (mch_quant_init(&said, net, err) != 0)
		return -1;
	int status = say(net, quant, &said, path, err);
	for (int e = 0; status == 0 && e < net->n_edges; e++) {
		char is[24], read[24];
		if (mch_ristretto_same(said.edge[e], quant->edge[e]))
			continue;
		status = mch_err_set(err, path,
				     "Ristretto cannot say tensor %s, %s: neither a convolution nor an FC layer has it as "
				     "input or output, and it would be read %s%s; quantize both alike",
				     net->edges[e].name, mch_format_text(quant->edge[e], is),
				     said.edge[e].bits ? "as " : "without a format",
				     said.edge[e].bits ? mch_format_text(said.edge[e], read) : "");
	}
	mch_quant_free(&said);
	return status;
}

int mch_ristretto_check(const struct mch_net *net, const struct mch_quant *quant, const char *path,
			struct mch_err *err)
{
	if (check_rounding(quant, path, err) != 0)
		return -1;
	for (int i = 0; i < net->n_layers; i++)
		if (mch_ristretto_type(&net->layers[i]) && check_layer(net, quant, i, path, err) != 0)
			return -1;
	return check_tensors(net, quant, path, err);
}

void mch_ristretto_put(FILE *f, const struct mch_net *net, const struct mch_quant *quant, int i)
{
	const struct mch_layer *layer = &net->layers[i];
	const struct mch_format x = quant->edge[layer->in[0]], y = quant->edge[layer->out[0]], w = quant->layer[i].weights;
	const char *round = quant->round == MCH_ROUND_STOCHASTIC ? "STOCHASTIC" : "NEAREST";
	fprintf(f, "\tquantization_param {");
	if (x.number != MCH_FIXED) {
		fprintf(f, " precision: MINIFLOAT mant_bits: %d exp_bits: %d rounding_scheme: %s }\n",
			x.bits - 1 - x.exp_bits, x.exp_bits, round);
		return;
	}
	fprintf(f, " precision: %s bw_layer_in: %d fl_layer_in: %d bw_layer_out: %d fl_layer_out: %d",
		is_pow2(w) ? "INTEGER_POWER_OF_2_WEIGHTS" : "DYNAMIC_FIXED_POINT", x.bits, x.frac, y.bits, y.frac);
	if (is_pow2(w))
		fprintf(f, " exp_min: %d exp_max: %d", -w.frac, -w.frac + (1 << (w.bits - 1)) - 1);
	else
		fprintf(f, " bw_params: %d fl_params: %d", w.bits, w.frac);
	fprintf(f, " rounding_scheme: %s }\n", round);
}
