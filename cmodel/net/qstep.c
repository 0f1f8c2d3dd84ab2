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

int mch_step_no_memory(const struct mch_qnet *q, const struct mch_step *step, struct mch_err *err)
{
	return mch_step_fail(q->net, step->layer->name, err, "out of memory; use a machine with more");
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

static bool is_usable(struct mch_format f)
{
	return mch_format_is_operand(f) && f.frac >= -MCH_FRAC_LIMIT && f.frac <= MCH_FRAC_LIMIT;
}

static bool is_pow2(struct mch_format f)
{
	return f.number == MCH_POW2 || f.number == MCH_POW2_NO_ZERO;
}

static bool is_same(struct mch_format a, struct mch_format b)
{
	return a.bits == b.bits && a.frac == b.frac && a.is_signed == b.is_signed && a.number == b.number &&
	       a.exp_bits == b.exp_bits;
}

int mch_step_check_formats(const struct mch_qnet *q, const struct mch_step *step, struct mch_err *err)
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
		if (is_pow2(x) || is_pow2(y))
			return fail_formats(q, step, i, err,
					    ": powers of two are for weights; give tensors fixed point or minifloats");
		if (is_moved && !is_same(x, y))
			return fail_formats(q, step, i, err,
					    ": codes pass this layer unchanged, so its output has the format "
					    "of its input; correct the quantization");
	}
	return 0;
}

/* Of what is added to a shift of a fixed point's, 48 bits at most, and of others' (wide). */
static int most_shift(const struct mch_step *step, int more)
{
	return (step->is_wide ? MCH_ENCODE_SHIFT_MAX : MCH_SHIFT_MAX) - more;
}

int mch_step_check_shift(const struct mch_qnet *q, const struct mch_step *step, int i, int frac, struct mch_err *err)
{
	/* A mean is divided by another 2^16; of fixed point the last 32 bits of its shift are not offered. */
	const bool is_mean = step->form == MCH_FORM_POOL_AVG;
	const int shift = frac - step->out_format.frac, most = is_mean ? most_shift(step, step->is_wide ? 16 : 32) : most_shift(step, 0);
	if (shift >= MCH_SHIFT_MIN && shift <= most)
		return 0;
	return fail_formats(q, step, i, err,
			    " ask for a shift of %d, outside %d..%d; choose a fraction of y nearer to that "
			    "of %s",
			    shift, MCH_SHIFT_MIN, most, step->form == MCH_FORM_MAC ? "x * w" : "x");
}

/* Every step has a requantizer; those that round nothing leave it alone. */
static int fill_requant(struct mch_qnet *q, struct mch_step *step, const struct mch_layer *clip,
			const struct mch_quant *quant, int n, struct mch_err *err)
{
	const struct mch_format y = step->out_format;
	if (quant->wraps && step->is_wide)
		return mch_step_fail(q->net, step->layer->name, err,
				     "outputs that wrap are of fixed point alone; let them saturate, or use fixed point");
	step->bias = calloc((size_t)n, sizeof(*step->bias));
	step->shift = calloc((size_t)n, sizeof(*step->shift));
	if (!step->bias || !step->shift)
		return mch_step_no_memory(q, step, err);
	step->requant = (struct mch_requant){.out_bits = y.bits,
					     .out_signed = y.is_signed,
					     .number = y.number,
					     .exp_bits = y.exp_bits,
					     .relu = step->relu || step->layer->kind == MCH_RELU,
					     .round = quant->round,
					     .seed = quant->seed,
					     .wraps = quant->wraps,
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
	if (mch_step_check_shift(q, step, 0, step->in_format.frac, err) != 0)
		return -1;
	memset(step->shift, (int8_t)shift, (size_t)in.c);
	step->avg = (struct mch_pool_avg){step->out_format.bits, step->out_format.is_signed,
					  quant->round == MCH_ROUND_STOCHASTIC ? MCH_ROUND_HALF_EVEN : quant->round,
					  shift};
	return 0;
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
		return mch_step_no_memory(q, step, err);
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
	int64_t low = 0, high = 0; /* wide sums have room for all */
	if (!step->is_wide)
		mch_eltwise_range(&step->eltwise, step->in_formats, &low, &high);
	if (low < -(INT64_C(1) << (MCH_ACC_BITS_MAX - 1)) || high >= INT64_C(1) << (MCH_ACC_BITS_MAX - 1))
		return mch_step_fail(q->net, layer->name, err,
				     "its exact result does not fit 48 bits; use narrower operands");
	const int frac = is_product ? sum : finest;
	if (mch_step_check_shift(q, step, 0, frac, err) != 0)
		return -1;
	memset(step->shift, (int8_t)(frac - step->out_format.frac), (size_t)step->out_shape.c);
	return 0;
}

static int fill_concat(struct mch_qnet *q, struct mch_step *step, struct mch_err *err)
{
	for (int i = 0; i < step->n_in; i++) {
		if (mch_step_check_shift(q, step, i, step->in_formats[i].frac, err) != 0)
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
	struct mch_coder coder = {.round = MCH_ROUND_HALF_EVEN};
	step->codes = malloc(elems * sizeof(*step->codes));
	if (!step->codes)
		return mch_step_no_memory(q, step, err);
	for (size_t i = 0; i < elems; i++)
		step->codes[i] = (int32_t)mch_coder_code(&coder, step->out_format, step->layer->weights[i]);
	q->n_weights_saturated += coder.n_saturated;
	return 0;
}

static int fill_inputs(struct mch_qnet *q, struct mch_step *step, const struct mch_quant *quant, struct mch_err *err)
{
	const size_t n = (size_t)(step->n_in ? step->n_in : 1);
	step->in_formats = calloc(n, sizeof(*step->in_formats));
	step->in_shapes = calloc(n, sizeof(*step->in_shapes));
	if (!step->in_formats || !step->in_shapes)
		return mch_step_no_memory(q, step, err);
	for (int i = 0; i < step->n_in; i++) {
		step->in_formats[i] = quant->edge[step->ins[i]];
		step->in_shapes[i] = q->net->edges[step->layer->in[i]].shape;
	}
	step->in_format = step->in_formats[0];
	step->out_format = quant->edge[step->out];
	step->out_shape = q->net->edges[step->layer->out[0]].shape;
	return 0;
}

/* Some number is no code of fixed point, nor one whose integer takes the place of such a code: weights of 16 bits at most. */
static bool needs_wide(const struct mch_step *step)
{
	bool is_fixed = step->out_format.number == MCH_FIXED;
	for (int i = 0; i < step->n_in; i++)
		is_fixed = is_fixed && step->in_formats[i].number == MCH_FIXED;
	switch (step->form) {
	case MCH_FORM_MAC: {
		const struct mch_format w = step->weight_format;
		return !is_fixed || mch_format_integer(w, mch_format_max(w)) > INT16_MAX;
	}
	case MCH_FORM_POOL_AVG:
	case MCH_FORM_REQUANT:
	case MCH_FORM_ELTWISE:
	case MCH_FORM_CONCAT:
		return !is_fixed;
	default: /* codes move, or are real numbers between */
		return false;
	}
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
	if (mch_step_check_formats(q, step, err) != 0 ||
	    fill_requant(q, step, behind, quant, widest > step->n_in ? widest : step->n_in, err) != 0)
		return -1;
	step->is_wide = needs_wide(step);
	switch (step->form) {
	case MCH_FORM_MAC:
		return mch_step_fill_mac(q, step, quant, err);
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
