/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* One integer step in full: formats checked, parameters converted; see qstep.h. */
#include "net/qstep.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/layer.h"

int mch_step_fail(const struct mch_net *net, const char *layer, struct mch_err *err, const char *what)
{
	char where[256];
	snprintf(where, sizeof(where), "%s: layer %s", net->name ? net->name : "network", layer);
	return mch_err_set(err, where, "%s", what);
}

static int no_memory(const struct mch_qnet *q, const struct mch_step *step, struct mch_err *err)
{
	return mch_step_fail(q->net, step->layer->name, err, "out of memory; use a machine with more");
}

static bool is_usable(struct mch_format f)
{
	return f.number == MCH_FIXED && f.bits >= 1 && f.bits <= MCH_OPERAND_BITS_MAX && f.frac >= -MCH_FRAC_LIMIT &&
	       f.frac <= MCH_FRAC_LIMIT;
}

/* Fails with the formats of input i, of the weights and of the output, and what is wrong with them. */
static int fail_formats(const struct mch_qnet *q, const struct mch_step *step, int i, struct mch_err *err,
			const char *what, ...) __attribute__((format(printf, 5, 6)));

static int fail_formats(const struct mch_qnet *q, const struct mch_step *step, int i, struct mch_err *err,
			const char *what, ...)
{
	char x[24] = "-", w[24], y[24], why[256], text[352];
	va_list args;
	va_start(args, what);
	vsnprintf(why, sizeof(why), what, args);
	va_end(args);
	if (step->n_in > 0)
		mch_format_text(step->in_formats[i], x);
	snprintf(text, sizeof(text), "formats x %s, w %s, y %s%s", x,
		 step->form == MCH_FORM_MAC ? mch_format_text(step->weight_format, w) : "-",
		 mch_format_text(step->out_format, y), why);
	return mch_step_fail(q->net, step->layer->name, err, text);
}

static int check_formats(const struct mch_qnet *q, const struct mch_step *step, struct mch_err *err)
{
	const bool has_weights = step->form == MCH_FORM_MAC, is_moved = step->form == MCH_FORM_POOL_MAX ||
									step->form == MCH_FORM_GATHER ||
									step->form == MCH_FORM_MOVE;
	const struct mch_format w = step->weight_format, y = step->out_format;
	for (int i = 0; i < (step->n_in ? step->n_in : 1); i++) {
		const struct mch_format x = step->n_in ? step->in_formats[i] : y;
		if (!is_usable(x) || !is_usable(y) || (has_weights && (!is_usable(w) || !w.is_signed)))
			return fail_formats(q, step, i, err,
					    ": operands have 1 to 16 bits, |frac| <= 64, weights are "
					    "signed; correct the quantization");
		if (is_moved && (x.bits != y.bits || x.frac != y.frac || x.is_signed != y.is_signed))
			return fail_formats(q, step, i, err,
					    ": codes pass this layer unchanged, so its output has the format "
					    "of its input; correct the quantization");
	}
	return 0;
}

/* frac is that of what is rounded: x of input i, or sum or product. */
static int check_shift(const struct mch_qnet *q, const struct mch_step *step, int i, int frac, int most,
		       struct mch_err *err)
{
	const int shift = frac - step->out_format.frac;
	if (shift >= MCH_SHIFT_MIN && shift <= most)
		return 0;
	return fail_formats(q, step, i, err,
			    " ask for a shift of %d, outside %d..%d; choose a fraction of y nearer to that "
			    "of %s",
			    shift, MCH_SHIFT_MIN, MCH_SHIFT_MAX, step->form == MCH_FORM_MAC ? "x * w" : "x");
}

/* The accumulator's fraction of output channel k, from which the shift was made. */
static int acc_frac(const struct mch_step *step, size_t k)
{
	return step->shift[k] + step->out_format.frac;
}

/* The smallest width that holds every bias of a layer, each at its channel's fraction, from 2 up; MCH_ACC_BITS_MAX
 * when none does. */
static int bias_bits(const struct mch_step *step)
{
	const struct mch_layer *layer = step->layer;
	int bits = 2;
	for (size_t k = 0; layer->bias && k < layer->n_bias; k++) {
		bool saturated = true;
		while (bits < MCH_ACC_BITS_MAX) {
			mch_format_raw((struct mch_format){bits, acc_frac(step, k), true}, (double)layer->bias[k],
				       MCH_ROUND_HALF_EVEN, &saturated);
			if (!saturated)
				break;
			bits++;
		}
	}
	return bits;
}

/* Parameters become codes one after the other, with noise of their own when that is asked for. */
struct coder {
	enum mch_round round;
	uint16_t noise;
	uint64_t n_saturated;
};

static int64_t code_of(struct coder *c, struct mch_format format, float value)
{
	bool saturated;
	int64_t code;
	if (c->round == MCH_ROUND_STOCHASTIC) {
		code = mch_format_raw_noisy(format, (double)value, c->noise, &saturated);
		c->noise = mch_lfsr_next(c->noise);
	} else {
		code = mch_format_raw(format, (double)value, c->round, &saturated);
	}
	c->n_saturated += saturated;
	return code;
}

/* Weights to codes, certificate, accumulator width, then the bias in that width. */
static int convert_parameters(struct mch_qnet *q, struct mch_step *step, const struct mch_quant *quant,
			      struct mch_layer_quant *lq, struct mch_err *err)
{
	const struct mch_layer *layer = step->layer;
	const size_t n_k = (size_t)step->conv.k, n_terms = layer->n_weights / n_k;
	struct coder coder = {.round = quant->weight_round};
	step->weights = malloc(layer->n_weights * sizeof(*step->weights));
	if (!step->weights)
		return no_memory(q, step, err);
	for (size_t k = 0; k < n_k; k++) {
		struct mch_format format = step->weight_format;
		format.frac = mch_layer_quant_frac(lq, (int)k);
		coder.noise = mch_lfsr_seed(quant->seed, (int)k);
		for (size_t i = k * n_terms; i < (k + 1) * n_terms; i++)
			step->weights[i] = (int32_t)code_of(&coder, format, layer->weights[i]);
	}
	lq->certificate = mch_step_certificate(step);
	if (lq->acc.bits == 0) {
		/* Wide enough for the bias too, which shares the width: a large one beside tiny weights must not be
		 * clipped. */
		const int for_bias = bias_bits(step), for_sum = lq->certificate.bits;
		lq->acc = (struct mch_acc){for_sum > for_bias ? for_sum : for_bias, MCH_WRAP};
	}
	if (lq->acc.bits < 2 || lq->acc.bits > MCH_ACC_BITS_MAX) {
		char what[160];
		snprintf(what, sizeof(what),
			 "the accumulator needs %d bits, 2 to %d can be had; use narrower operands, or ask "
			 "for a narrower accumulator",
			 lq->acc.bits, MCH_ACC_BITS_MAX);
		return mch_step_fail(q->net, layer->name, err, what);
	}
	step->acc = lq->acc;
	coder.round = MCH_ROUND_HALF_EVEN;
	for (size_t k = 0; layer->bias && k < n_k; k++)
		step->bias[k] =
			code_of(&coder, (struct mch_format){lq->acc.bits, acc_frac(step, k), true}, layer->bias[k]);
	q->n_weights_saturated += coder.n_saturated;
	return 0;
}

/* Every step has a requantizer; those that round nothing leave it alone. */
static int fill_requant(struct mch_qnet *q, struct mch_step *step, const struct mch_layer *clip,
			const struct mch_quant *quant, int n, struct mch_err *err)
{
	const struct mch_format y = step->out_format;
	step->bias = calloc((size_t)n, sizeof(*step->bias));
	step->shift = calloc((size_t)n, sizeof(*step->shift));
	if (!step->bias || !step->shift)
		return no_memory(q, step, err);
	step->requant = (struct mch_requant){.out_bits = y.bits,
					     .out_signed = y.is_signed,
					     .relu = step->relu || step->layer->kind == MCH_RELU,
					     .round = quant->round,
					     .seed = quant->seed,
					     .bias = step->bias,
					     .shift = step->shift};
	if (!clip && step->layer->kind == MCH_CLIP)
		clip = step->layer;
	if (clip) {
		step->requant.is_clipped = true;
		step->requant.clip_low =
			(int32_t)mch_format_raw(y, (double)clip->clip.low, MCH_ROUND_HALF_EVEN, NULL);
		step->requant.clip_high =
			(int32_t)mch_format_raw(y, (double)clip->clip.high, MCH_ROUND_HALF_EVEN, NULL);
	}
	return 0;
}

static int fill_pool(struct mch_qnet *q, struct mch_step *step, const struct mch_quant *quant, struct mch_err *err)
{
	const struct mch_shape in = step->in_shapes[0];
	if (step->form != MCH_FORM_REQUANT)
		step->pool = step->layer->pool;
	step->pool.n = 1, step->pool.c = in.c, step->pool.h = in.h,
	step->pool.w = in.w; /* a lone ReLU has the sizes alone */
	const int shift = step->in_format.frac - step->out_format.frac;
	if (check_shift(q, step, 0, step->in_format.frac, step->form == MCH_FORM_POOL_AVG ? 16 : MCH_SHIFT_MAX,
			err) != 0)
		return -1;
	memset(step->shift, (int8_t)shift, (size_t)in.c);
	step->avg = (struct mch_pool_avg){step->out_format.bits, step->out_format.is_signed,
					  quant->round == MCH_ROUND_STOCHASTIC ? MCH_ROUND_HALF_EVEN : quant->round,
					  shift};
	return 0;
}

static int fill_mac(struct mch_qnet *q, struct mch_step *step, struct mch_quant *quant, struct mch_err *err)
{
	struct mch_layer_quant *lq = &quant->layer[step->layer_index];
	if (lq->channel_frac && lq->n_channels != step->conv.k)
		return mch_step_fail(q->net, step->layer->name, err,
				     "has weight fractions for another number of channels; "
				     "correct the quantization");
	for (int k = 0; k < step->conv.k; k++) {
		step->weight_format.frac =
			mch_layer_quant_frac(lq, k); /* that of a channel, so that a refusal shows it */
		const int frac = step->in_format.frac + step->weight_format.frac;
		if (check_formats(q, step, err) != 0 || check_shift(q, step, 0, frac, MCH_SHIFT_MAX, err) != 0)
			return -1;
		step->shift[k] = (int8_t)(frac - step->out_format.frac);
	}
	step->weight_format = lq->weights;
	return convert_parameters(q, step, quant, lq, err);
}

/* The fraction that an input's codes have when their coefficient is taken for a shift of the point. */
static int eltwise_frac(const struct mch_step *step, int i)
{
	return step->in_formats[i].frac - mch_sum_exponent(step->layer, i);
}

static int fill_eltwise(struct mch_qnet *q, struct mch_step *step, struct mch_err *err)
{
	const struct mch_layer *layer = step->layer;
	int finest = eltwise_frac(step, 0), sum = 0, least = finest;
	step->eltwise_in = calloc((size_t)step->n_in, sizeof(*step->eltwise_in));
	if (!step->eltwise_in)
		return no_memory(q, step, err);
	for (int i = 0; i < step->n_in; i++) {
		const int frac = eltwise_frac(step, i);
		finest = frac > finest ? frac : finest;
		least = frac < least ? frac : least;
		sum += frac;
	}
	const bool is_product = layer->kind == MCH_PROD;
	if (!is_product && finest - least > MCH_ELTWISE_LEFT_MAX)
		return mch_step_fail(q->net, layer->name, err,
				     "its inputs have fractions too far apart to be added in 48 bits; "
				     "choose nearer ones");
	for (int i = 0; i < step->n_in; i++)
		step->eltwise_in[i] = (struct mch_eltwise_in){
			.shape = step->in_shapes[i],
			.left = is_product ? 0 : finest - eltwise_frac(step, i),
			.is_taken_off = layer->kind == MCH_SUM && layer->weights && layer->weights[i] < 0};
	step->eltwise = (struct mch_eltwise){is_product		        ? MCH_ELTWISE_PROD
					     : layer->kind == MCH_SUM ? MCH_ELTWISE_SUM
								      : MCH_ELTWISE_MAX,
					     step->n_in, step->eltwise_in, step->out_shape};
	int64_t low, high;
	mch_eltwise_range(&step->eltwise, step->in_formats, &low, &high);
	if (low < -(INT64_C(1) << (MCH_ACC_BITS_MAX - 1)) || high >= INT64_C(1) << (MCH_ACC_BITS_MAX - 1))
		return mch_step_fail(q->net, layer->name, err,
				     "its exact result does not fit 48 bits; use narrower operands");
	const int frac = is_product ? sum : finest;
	if (check_shift(q, step, 0, frac, MCH_SHIFT_MAX, err) != 0)
		return -1;
	memset(step->shift, (int8_t)(frac - step->out_format.frac), (size_t)step->out_shape.c);
	return 0;
}

static int fill_concat(struct mch_qnet *q, struct mch_step *step, struct mch_err *err)
{
	for (int i = 0; i < step->n_in; i++) {
		if (check_shift(q, step, i, step->in_formats[i].frac, MCH_SHIFT_MAX, err) != 0)
			return -1;
		step->shift[i] = (int8_t)(step->in_formats[i].frac - step->out_format.frac);
	}
	step->concat =
		(struct mch_concat){step->layer->axis, step->n_in, step->in_shapes, step->shift, step->out_shape};
	return 0;
}

static int fill_constant(struct mch_qnet *q, struct mch_step *step, struct mch_err *err)
{
	const size_t elems = mch_shape_elems(step->out_shape);
	struct coder coder = {.round = MCH_ROUND_HALF_EVEN};
	step->codes = malloc(elems * sizeof(*step->codes));
	if (!step->codes)
		return no_memory(q, step, err);
	for (size_t i = 0; i < elems; i++)
		step->codes[i] = (int32_t)code_of(&coder, step->out_format, step->layer->weights[i]);
	q->n_weights_saturated += coder.n_saturated;
	return 0;
}

static int fill_inputs(struct mch_qnet *q, struct mch_step *step, const struct mch_quant *quant, struct mch_err *err)
{
	const size_t n = (size_t)(step->n_in ? step->n_in : 1);
	step->in_formats = calloc(n, sizeof(*step->in_formats));
	step->in_shapes = calloc(n, sizeof(*step->in_shapes));
	if (!step->in_formats || !step->in_shapes)
		return no_memory(q, step, err);
	for (int i = 0; i < step->n_in; i++) {
		step->in_formats[i] = quant->edge[step->ins[i]];
		step->in_shapes[i] = q->net->edges[step->layer->in[i]].shape;
	}
	step->in_format = step->in_formats[0];
	step->out_format = quant->edge[step->out];
	step->out_shape = q->net->edges[step->layer->out[0]].shape;
	return 0;
}

int mch_step_fill(struct mch_qnet *q, struct mch_step *step, const struct mch_layer *behind, struct mch_quant *quant,
		  struct mch_err *err)
{
	if (fill_inputs(q, step, quant, err) != 0)
		return -1;
	if (step->form == MCH_FORM_MAC) {
		step->conv = step->layer->conv;
		step->weight_format = quant->layer[step->layer_index].weights;
	}
	const int widest = step->in_shapes[0].c > step->out_shape.c ? step->in_shapes[0].c : step->out_shape.c;
	if (check_formats(q, step, err) != 0 ||
	    fill_requant(q, step, behind, quant, widest > step->n_in ? widest : step->n_in, err) != 0)
		return -1;
	switch (step->form) {
	case MCH_FORM_MAC:
		return fill_mac(q, step, quant, err);
	case MCH_FORM_POOL_MAX:
	case MCH_FORM_POOL_AVG:
	case MCH_FORM_REQUANT:
		return fill_pool(q, step, quant, err);
	case MCH_FORM_ELTWISE:
		return fill_eltwise(q, step, err);
	case MCH_FORM_CONCAT:
		return fill_concat(q, step, err);
	case MCH_FORM_GATHER:
		step->fill = (int32_t)mch_format_raw(step->out_format, (double)step->layer->gather.fill,
						     MCH_ROUND_HALF_EVEN, NULL);
		return 0;
	case MCH_FORM_CONSTANT:
		return fill_constant(q, step, err);
	default: /* moves and host steps have nothing more */
		return 0;
	}
}
