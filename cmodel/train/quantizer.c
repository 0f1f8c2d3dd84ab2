/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Shadow weights; see quantizer.h. */
#include "train/quantizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "fast/snap.h"
#include "fxp/lfsr.h"
#include "train/params.h"

struct mch_quantizer {
	const struct mch_net *shadow;
	struct mch_quant quant;
	struct mch_qnet steps;
	struct mch_net twin; /* owns its array of layers, and in it weights and biases of the MAC layers */
	const struct mch_step **rounds; /* [n_edges] */
	const struct mch_step **mac;    /* [n_layers] */
	size_t *offset;                 /* [n_layers]: of its parameters in place */
	uint8_t *place;
	uint16_t *noise; /* for the weights of the largest layer */
};

static int no_memory(const struct mch_net *net, struct mch_err *err)
{
	return mch_err_set(err, net->name ? net->name : "network", "out of memory; use a machine with more");
}

/* What a step writes lies on these codes already, or it moves them. */
static bool rounds(const struct mch_step *step)
{
	switch (step->form) {
	case MCH_FORM_POOL_MAX:
	case MCH_FORM_MOVE:
	case MCH_FORM_NONE:
		return false;
	case MCH_FORM_GATHER:
		return step->layer->gather.fill != 0;
	default:
		return true;
	}
}

static float *twin_of(const float *values, size_t n)
{
	float *copy = malloc((n ? n : 1) * sizeof(*copy));
	if (copy)
		memcpy(copy, values, n * sizeof(*copy));
	return copy;
}

static int make_twin(struct mch_quantizer *q, struct mch_err *err)
{
	const struct mch_net *net = q->shadow;
	struct mch_layer *layers = malloc((size_t)net->n_layers * sizeof(*layers));
	if (!layers)
		return no_memory(net, err);
	memcpy(layers, net->layers, (size_t)net->n_layers * sizeof(*layers));
	q->twin = *net;
	q->twin.layers = layers;
	bool has_room = true;
	for (int i = 0; i < net->n_layers; i++) {
		struct mch_layer *layer = &layers[i];
		if (!q->mac[i])
			continue;
		layer->weights = twin_of(layer->weights, layer->n_weights);
		layer->bias = layer->bias ? twin_of(layer->bias, layer->n_bias) : NULL;
		has_room = has_room && layer->weights && (layer->bias || !net->layers[i].bias);
	}
	return has_room ? 0 : no_memory(net, err);
}

static int index_steps(struct mch_quantizer *q, struct mch_err *err)
{
	const struct mch_net *net = q->shadow;
	const size_t n_layers = (size_t)net->n_layers;
	size_t n = 0, largest = 1;
	q->rounds = calloc((size_t)net->n_edges, sizeof(*q->rounds));
	q->mac = calloc(n_layers, sizeof(*q->mac));
	q->offset = calloc(n_layers, sizeof(*q->offset));
	if (!q->rounds || !q->mac || !q->offset)
		return no_memory(net, err);
	for (int i = 0; i < q->steps.n_steps; i++) {
		const struct mch_step *step = &q->steps.steps[i];
		if (rounds(step))
			q->rounds[step->out] = step;
		if (step->form == MCH_FORM_MAC)
			q->mac[step->layer_index] = step;
	}
	for (int i = 0; i < net->n_layers; n += mch_params_of_layer(net, i++)) {
		q->offset[i] = n;
		largest = q->mac[i] && net->layers[i].n_weights > largest ? net->layers[i].n_weights : largest;
	}
	q->place = malloc(n + 1);
	q->noise = malloc(largest * sizeof(*q->noise));
	if (!q->place || !q->noise)
		return no_memory(net, err);
	memset(q->place, MCH_SNAP_INSIDE, n + 1);
	return 0;
}

/* Formats keep the accumulators that were asked for; those of the steps are only of the first parameters. */
static int make_steps(struct mch_quantizer *q, const struct mch_quant *quant, struct mch_err *err)
{
	struct mch_quant of_steps;
	if (mch_quant_copy(&q->quant, quant, err) != 0 || mch_quant_copy(&of_steps, quant, err) != 0)
		return -1;
	const int status = mch_qnet_build(&q->steps, q->shadow, &of_steps, err);
	mch_quant_free(&of_steps);
	return status;
}

struct mch_quantizer *mch_quantizer_new(const struct mch_net *shadow, const struct mch_quant *quant, struct mch_err *err)
{
	struct mch_quantizer *q = calloc(1, sizeof(*q));
	if (!q) {
		no_memory(shadow, err);
		return NULL;
	}
	q->shadow = shadow;
	if (make_steps(q, quant, err) == 0 && index_steps(q, err) == 0 && make_twin(q, err) == 0) {
		mch_quantizer_round(q);
		return q;
	}
	mch_quantizer_free(q);
	return NULL;
}

void mch_quantizer_free(struct mch_quantizer *q)
{
	if (!q)
		return;
	for (int i = 0; q->twin.layers && i < q->twin.n_layers; i++)
		if (q->mac[i]) {
			free(q->twin.layers[i].weights);
			free(q->twin.layers[i].bias);
		}
	free(q->twin.layers);
	mch_qnet_free(&q->steps);
	mch_quant_free(&q->quant);
	free(q->rounds);
	free(q->mac);
	free(q->offset);
	free(q->place);
	free(q->noise);
	free(q);
}

const struct mch_net *mch_quantizer_net(const struct mch_quantizer *q)
{
	return &q->twin;
}

const uint8_t *mch_quantizer_places(const struct mch_quantizer *q)
{
	return q->place;
}

const struct mch_step *mch_quantizer_step(const struct mch_quantizer *q, int edge)
{
	return q->rounds[edge];
}

struct mch_format mch_quantizer_input(const struct mch_quantizer *q)
{
	return q->steps.input_format;
}

/* How the weights of a layer are rounded, and where to. */
struct rounding {
	const struct mch_layer *from;
	struct mch_layer *to;
	const struct mch_layer_quant *quant;
	enum mch_round round;
	uint8_t *place;
	uint16_t *noise;
	uint32_t lfsr_seed;
	bool is_by_lot;
	uint64_t lot;
};

/* The lot of channel k begins anew, so no order of channels can change it. */
static void fill_noise(const struct rounding *r, int k, size_t n_terms, uint16_t *noise)
{
	struct mch_rng rng = mch_rng_stream(r->lot, (uint64_t)k, 0);
	uint16_t state = mch_lfsr_seed(r->lfsr_seed, k);
	for (size_t i = 0; i < n_terms; i++) {
		noise[i] = r->is_by_lot ? (uint16_t)(mch_rng_next(&rng) >> 48) : state;
		state = mch_lfsr_next(state);
	}
}

static void round_channel(const struct rounding *r, int k)
{
	const size_t n_terms = r->from->n_weights / (size_t)r->from->conv.k, at = (size_t)k * n_terms;
	struct mch_format format = r->quant->weights;
	format.frac = mch_layer_quant_frac(r->quant, k);
	if (r->round != MCH_ROUND_STOCHASTIC && !r->is_by_lot) {
		mch_snap(format, r->round, n_terms, r->from->weights + at, r->to->weights + at, r->place + at);
		return;
	}
	fill_noise(r, k, n_terms, r->noise + at);
	mch_snap_noisy(format, r->noise + at, n_terms, r->from->weights + at, r->to->weights + at, r->place + at);
}

/* In as many bits as there are: an accumulator that the program chooses is as wide as its bias. One that was asked
 * for may be narrower, and then cuts it off; rounding.h speaks of that. */
static void round_bias(const struct mch_quantizer *q, int i)
{
	const struct mch_layer *from = &q->shadow->layers[i];
	const struct mch_step *step = q->mac[i];
	const int bits = step->is_wide ? MCH_WIDE_BITS_MAX : MCH_ACC_BITS_MAX;
	for (size_t k = 0; from->bias && k < from->n_bias; k++) {
		const int frac = step->in_format.frac + mch_layer_quant_frac(&q->quant.layer[i], (int)k);
		bool saturated;
		const mch_int128 raw = mch_wide_raw((double)from->bias[k], frac, bits, &saturated);
		q->twin.layers[i].bias[k] = isnan(from->bias[k]) ? from->bias[k] : (float)ldexp(mch_wide_real(raw), -frac);
	}
}

static void round_layers(struct mch_quantizer *q, bool is_by_lot, uint64_t seed)
{
	enum { WORTH_A_THREAD = 16384 };
	for (int i = 0; i < q->shadow->n_layers; i++) {
		const struct mch_layer *from = &q->shadow->layers[i];
		if (!q->mac[i])
			continue;
		struct mch_rng rng = mch_rng_stream(seed, (uint64_t)i, 0);
		const struct rounding r = {from, &q->twin.layers[i], &q->quant.layer[i], q->quant.weight_round,
					   q->place + q->offset[i], q->noise, q->quant.seed, is_by_lot,
					   mch_rng_next(&rng)};
		memset(r.place, MCH_SNAP_INSIDE, mch_params_of_layer(q->shadow, i));
#pragma omp parallel for schedule(static) if (from->n_weights > WORTH_A_THREAD)
		for (int k = 0; k < from->conv.k; k++)
			round_channel(&r, k);
		round_bias(q, i);
	}
}

void mch_quantizer_round(struct mch_quantizer *q)
{
	round_layers(q, false, 0);
}

void mch_quantizer_round_by_lot(struct mch_quantizer *q, uint64_t seed)
{
	round_layers(q, true, seed);
}

static bool is_within(mch_int128 low, mch_int128 high)
{
	const mch_int128 limit = (mch_int128)1 << 24;
	return low >= -limit && high <= limit;
}

/* Partial sums of products lie within the certificate in any order, and the bias is added at either end of them. */
static bool is_mac_exact(const struct mch_step *step, const struct mch_certificate *certificate)
{
	mch_int128 least = 0, most = 0;
	for (int k = 0; k < step->conv.k; k++) {
		const mch_int128 bias = step->is_wide ? step->wide_bias[k] : step->bias[k];
		least = bias < least ? bias : least;
		most = bias > most ? bias : most;
	}
	return step->acc.bits >= certificate->bits && is_within(least, most) &&
	       is_within(certificate->low + least, certificate->high + most);
}

static bool is_exact(const struct mch_step *step, const struct mch_layer_quant *quant)
{
	int64_t low = 0, high = 0;
	if (step->form == MCH_FORM_MAC)
		return is_mac_exact(step, &quant->certificate);
	if (step->form != MCH_FORM_ELTWISE || step->eltwise.kind == MCH_ELTWISE_MAX)
		return true;
	if (!step->is_wide)
		mch_eltwise_range(&step->eltwise, step->in_formats, &low, &high);
	return !step->is_wide && is_within(low, high);
}

int mch_quantizer_inexact(const struct mch_quantizer *q, const char **names, struct mch_err *err)
{
	struct mch_quant quant;
	struct mch_qnet net;
	int n = 0;
	if (mch_quant_copy(&quant, &q->quant, err) != 0)
		return -1;
	if (mch_qnet_build(&net, &q->twin, &quant, err) == 0) {
		for (int i = 0; i < net.n_steps; i++)
			if (!is_exact(&net.steps[i], &quant.layer[net.steps[i].layer_index]))
				names[n++] = net.steps[i].layer->name;
		mch_qnet_free(&net);
	} else {
		n = -1;
	}
	mch_quant_free(&quant);
	return n;
}
