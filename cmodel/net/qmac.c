/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The integers of a conv or dense step: weights, certificate, accumulator, biases; see qstep.h. */
#include <stdio.h>
#include <stdlib.h>

#include "net/qstep.h"

/* The accumulator's fraction of output channel k, from which the shift was made. */
static int acc_frac(const struct mch_step *step, size_t k)
{
	return step->shift[k] + step->out_format.frac;
}

static int most_bits(const struct mch_step *step)
{
	return step->is_wide ? MCH_WIDE_BITS_MAX : MCH_ACC_BITS_MAX;
}

/* The bias of channel k in an accumulator of `bits` bits. */
static mch_int128 bias_of(const struct mch_step *step, size_t k, int bits, bool *saturated)
{
	return mch_wide_raw((double)step->layer->bias[k], acc_frac(step, k), bits, saturated);
}

/* The smallest width that holds every bias of a layer, each at its channel's fraction, from 2 up; the most there are
 * when none does. */
static int bias_bits(const struct mch_step *step)
{
	const struct mch_layer *layer = step->layer;
	int bits = 2;
	for (size_t k = 0; layer->bias && k < layer->n_bias; k++) {
		bool saturated = true;
		while (bits < most_bits(step)) {
			bias_of(step, k, bits, &saturated);
			if (!saturated)
				break;
			bits++;
		}
	}
	return bits;
}

struct mch_format mch_step_operand(const struct mch_step *step)
{
	struct mch_format w = step->weight_format;
	if (w.number == MCH_FIXED)
		return w;
	const int64_t largest = mch_format_integer(w, mch_format_max(w)), lowest = mch_format_integer(w, mch_format_min(w));
	return (struct mch_format){.bits = mch_wide_bits(lowest, largest), .frac = w.frac, .is_signed = true};
}

int64_t mch_coder_code(struct mch_coder *c, struct mch_format format, float value)
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

/* Weights to codes to integers. */
static int convert_weights(struct mch_qnet *q, struct mch_step *step, const struct mch_quant *quant,
			   const struct mch_layer_quant *lq, struct mch_err *err)
{
	const struct mch_layer *layer = step->layer;
	const size_t n_k = (size_t)step->conv.k, n_terms = layer->n_weights / n_k;
	struct mch_coder coder = {.round = quant->weight_round};
	if (step->is_wide)
		step->wide_weights = malloc(layer->n_weights * sizeof(*step->wide_weights));
	else
		step->weights = malloc(layer->n_weights * sizeof(*step->weights));
	if (!step->wide_weights && !step->weights)
		return mch_step_no_memory(q, step, err);
	for (size_t k = 0; k < n_k; k++) {
		struct mch_format format = step->weight_format;
		format.frac = mch_layer_quant_frac(lq, (int)k);
		coder.noise = mch_lfsr_seed(quant->seed, (int)k);
		for (size_t i = k * n_terms; i < (k + 1) * n_terms; i++) {
			const int64_t code = mch_coder_code(&coder, format, layer->weights[i]);
			if (step->is_wide)
				step->wide_weights[i] = mch_format_integer(format, code);
			else
				step->weights[i] = (int32_t)mch_format_integer(format, code);
		}
	}
	q->n_weights_saturated += coder.n_saturated;
	return 0;
}

static int choose_accumulator(const struct mch_qnet *q, struct mch_step *step, struct mch_layer_quant *lq,
			      struct mch_err *err)
{
	lq->certificate = mch_step_certificate(step);
	if (lq->acc.bits == 0) {
		/* Wide enough for the bias too, which shares the width: a large one beside tiny weights must not be
		 * clipped. */
		const int for_bias = bias_bits(step), for_sum = lq->certificate.bits;
		lq->acc = (struct mch_acc){for_sum > for_bias ? for_sum : for_bias, MCH_WRAP};
	}
	if (lq->acc.bits < 2 || lq->acc.bits > most_bits(step)) {
		char what[160];
		snprintf(what, sizeof(what),
			 "the accumulator needs %d bits, 2 to %d can be had; use narrower operands, or ask "
			 "for a narrower accumulator",
			 lq->acc.bits, most_bits(step));
		return mch_step_fail(q->net, step->layer->name, err, what);
	}
	step->acc = lq->acc;
	return 0;
}

/* Biases in the accumulator's width, of wide steps in room of their own. */
static int convert_biases(struct mch_qnet *q, struct mch_step *step, struct mch_err *err)
{
	if (step->is_wide) {
		step->wide_bias = calloc((size_t)step->conv.k, sizeof(*step->wide_bias));
		if (!step->wide_bias)
			return mch_step_no_memory(q, step, err);
	}
	for (size_t k = 0; step->layer->bias && k < (size_t)step->conv.k; k++) {
		bool saturated;
		const mch_int128 bias = bias_of(step, k, step->acc.bits, &saturated);
		if (step->is_wide)
			step->wide_bias[k] = bias;
		else
			step->bias[k] = (int64_t)bias;
		q->n_weights_saturated += saturated;
	}
	return 0;
}

/* The integer of every code of the input. */
static int list_integers(struct mch_qnet *q, struct mch_step *step, struct mch_err *err)
{
	const int64_t low = mch_format_min(step->in_format), high = mch_format_max(step->in_format);
	step->integers = malloc((size_t)(high - low + 1) * sizeof(*step->integers));
	if (!step->integers)
		return mch_step_no_memory(q, step, err);
	for (int64_t code = low; code <= high; code++)
		step->integers[code - low] = mch_format_integer(step->in_format, code);
	return 0;
}

int mch_step_fill_mac(struct mch_qnet *q, struct mch_step *step, struct mch_quant *quant, struct mch_err *err)
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
		if (mch_step_check_formats(q, step, err) != 0 || mch_step_check_shift(q, step, 0, frac, err) != 0)
			return -1;
		step->shift[k] = (int8_t)(frac - step->out_format.frac);
	}
	step->weight_format = lq->weights;
	if (convert_weights(q, step, quant, lq, err) != 0 || choose_accumulator(q, step, lq, err) != 0 ||
	    convert_biases(q, step, err) != 0)
		return -1;
	return step->is_wide ? list_integers(q, step, err) : 0;
}
