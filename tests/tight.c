/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Certificates against the golden accumulator; see tight.h. */
#include "tight.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "net/layer.h"
#include "net/witness.h"
#include "quant/fraction.h"

/* What the golden convolution makes of an image in one output channel. */
struct sums {
	int64_t at;        /* the output that the witness names */
	int64_t low, high; /* of all pixels */
	uint64_t n_over;
};

static struct sums run(const struct mch_step *step, const struct mch_bound *at, const int32_t *x, struct mch_acc acc)
{
	struct mch_conv one = step->conv;
	const int group = at->k / (one.k / one.groups);
	one.c /= one.groups;
	one.groups = one.k = 1;
	const size_t n_q = (size_t)mch_conv_q(&one), n = (size_t)mch_conv_p(&one) * n_q;
	int64_t *sum = malloc(n * sizeof(*sum));
	struct mch_events events = {0};
	ck_assert_ptr_nonnull(sum);
	mch_conv(&one, acc, x + (size_t)group * (size_t)one.c * (size_t)one.h * (size_t)one.w,
		 step->weights + (size_t)at->k * mch_conv_terms(&one), sum, &events);
	struct sums s = {sum[(size_t)at->p * n_q + (size_t)at->q], INT64_MAX, INT64_MIN, events.n_acc_over};
	for (size_t i = 0; i < n; i++) {
		s.low = sum[i] < s.low ? sum[i] : s.low;
		s.high = sum[i] > s.high ? sum[i] : s.high;
	}
	free(sum);
	return s;
}

/* Whether a bit less than the certificate's is too narrow for this bound. */
static bool overflows(const struct mch_step *step, const struct mch_witness *w, const struct mch_bound *at,
		      const int32_t *x)
{
	const int64_t half = INT64_C(1) << (w->bits - 2);
	const bool is_high = at->value > 0, is_beyond = is_high ? at->value >= half : at->value < -half;
	const struct sums wrapped = run(step, at, x, (struct mch_acc){w->bits - 1, MCH_WRAP});
	const struct sums kept = run(step, at, x, (struct mch_acc){w->bits - 1, MCH_SATURATE});
	if (is_beyond) {
		ck_assert_msg(wrapped.n_over > 0 && kept.n_over > 0, "no overflow in %d bits", w->bits - 1);
		ck_assert_int_eq(wrapped.at, mch_wrap((int64_t)at->value, w->bits - 1));
		ck_assert_int_eq(kept.at, is_high ? half - 1 : -half);
	}
	return is_beyond;
}

static bool is_cut(const struct mch_step *step, const struct mch_bound *at)
{
	for (size_t t = 0; t < mch_conv_terms(&step->conv); t++)
		if (mch_conv_x_index(&step->conv, 0, at->k, at->p, at->q, t) < 0)
			return true;
	return false;
}

/* The sum of one output, and the steps of all outputs that overflow in an accumulator of so many bits. */
static mch_int128 run_wide(const struct mch_step *step, const struct mch_bound *at, const int32_t *x, int bits,
			   uint64_t *n_over)
{
	const size_t n_terms = mch_conv_terms(&step->conv), n_out = mch_shape_elems(step->out_shape);
	struct mch_step narrow = *step;
	struct mch_events events = {0};
	struct mch_err err;
	mch_int128 sum = 0;
	for (size_t t = 0; t < n_terms; t++) {
		const ptrdiff_t i = mch_conv_x_index(&step->conv, 0, at->k, at->p, at->q, t);
		if (i >= 0)
			sum += (mch_int128)mch_format_integer(step->in_format, x[i]) *
			       step->wide_weights[(size_t)at->k * n_terms + t];
	}
	narrow.acc = (struct mch_acc){bits, MCH_SATURATE};
	int64_t *acc = malloc(n_out * sizeof(*acc));
	int32_t *y = malloc(n_out * sizeof(*y));
	ck_assert(acc && y);
	const struct mch_step_data data = {1, (const int32_t *const[]){x}, acc, y};
	ck_assert_int_eq(mch_step_compute(&narrow, &data, &events, &err), 0);
	*n_over = events.n_acc_over;
	free(acc);
	free(y);
	return sum;
}

/* Minifloats: the sums of the operator are not to be seen, but they overflow where they should. */
static void check_wide(const struct mch_step *step, const struct mch_witness *w, int32_t *x, struct tight *seen)
{
	uint64_t n_over, n_narrow = 0;
	for (int is_high = 0; is_high < 2; is_high++) {
		const struct mch_bound *at = is_high ? &w->high : &w->low;
		mch_witness_input(step, at, is_high, x);
		ck_assert_msg(run_wide(step, at, x, w->bits, &n_over) == at->value, "layer %s: not the bound",
			      step->layer->name);
		ck_assert_uint_eq(n_over, 0);
		if (w->bits > 2) {
			run_wide(step, at, x, w->bits - 1, &n_over);
			n_narrow += n_over;
		}
	}
	ck_assert(w->bits == 2 || n_narrow > 0);
	seen->n_layers++;
	seen->n_wide++;
	seen->n_narrow += w->bits > 2;
}

void check_tight(const struct mch_step *step, struct tight *seen)
{
	const struct mch_witness w = mch_step_witness(step);
	const struct mch_certificate c = mch_step_certificate(step);
	const struct mch_conv *g = &step->conv;
	int32_t *x = malloc((size_t)g->c * (size_t)g->h * (size_t)g->w * sizeof(*x));
	bool is_too_narrow = false;
	if (step->is_wide) {
		check_wide(step, &w, x, seen);
		free(x);
		return;
	}
	ck_assert(x && c.low == w.low.value && c.high == w.high.value && c.bits == w.bits);
	for (int is_high = 0; is_high < 2; is_high++) {
		const struct mch_bound *at = is_high ? &w.high : &w.low;
		mch_witness_input(step, at, is_high, x);
		const struct sums s = run(step, at, x, (struct mch_acc){w.bits, MCH_SATURATE});
		ck_assert_msg(s.at == at->value, "layer %s: the %s bound is %g, the witness reaches %lld",
			      step->layer->name, is_high ? "high" : "low", mch_wide_real(at->value), (long long)s.at);
		ck_assert(s.n_over == 0 && s.low >= w.low.value && s.high <= w.high.value);
		if (w.bits > 2)
			is_too_narrow = overflows(step, &w, at, x) || is_too_narrow;
	}
	ck_assert(w.bits == 2 || is_too_narrow);
	free(x);
	seen->n_layers++;
	seen->n_narrow += w.bits > 2;
	seen->n_cut += is_cut(step, &w.high) && is_cut(step, &w.low);
}

static int finest(const struct mch_layer *layer, struct mch_format w)
{
	float largest = 0;
	for (size_t i = 0; i < layer->n_weights; i++)
		largest = fmaxf(largest, fabsf(layer->weights[i]));
	return mch_fraction_max(w, -(double)largest, (double)largest);
}

void check_tight_net(const struct mch_net *net, struct mch_format x, struct mch_format w, bool per_channel,
		     struct tight *seen)
{
	struct mch_quant quant;
	struct mch_qnet q;
	struct mch_err err = {""};
	ck_assert_msg(mch_quant_init(&quant, net, &err) == 0, "%s", err.text);
	for (int e = 0; e < net->n_edges; e++)
		quant.edge[e] = x;
	for (int i = 0; i < net->n_layers; i++) {
		const struct mch_layer *layer = &net->layers[i];
		struct mch_layer_quant *lq = &quant.layer[i];
		if (!mch_layer_is_mac(layer))
			continue;
		lq->weights = w;
		lq->weights.frac = finest(layer, w);
		if (per_channel)
			ck_assert_int_eq(mch_layer_quant_split(lq, layer->conv.k, lq->weights.frac), 0);
		for (int k = 1; per_channel && k < layer->conv.k; k += 2)
			lq->channel_frac[k]++;
	}
	ck_assert_msg(mch_qnet_build(&q, net, &quant, &err) == 0, "%s", err.text);
	for (int i = 0; i < q.n_steps; i++)
		if (q.steps[i].form == MCH_FORM_MAC)
			check_tight(&q.steps[i], seen);
	mch_qnet_free(&q);
	mch_quant_free(&quant);
}
