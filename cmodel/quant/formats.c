/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Formats of a whole net from widths; see formats.h. */
#include "quant/formats.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "net/qnet.h"
#include "quant/channel.h"
#include "quant/static.h"

enum {
	UNKNOWN = INT8_MIN,
	N_WIDTHS = MCH_OPERAND_BITS_MAX + 1, /* width 0 is not used */
};

int mch_formats_part(const struct mch_layer *layer)
{
	return layer->kind == MCH_CONV ? MCH_PART_CONV_WEIGHTS : layer->kind == MCH_DENSE ? MCH_PART_FC_WEIGHTS : -1;
}

/* Codes go through such a layer unchanged, or are dropped, or are clamped. */
static bool passes_codes(const struct mch_layer *layer)
{
	const enum mch_form form = mch_layer_form(layer);
	return form == MCH_FORM_POOL_MAX || form == MCH_FORM_REQUANT || form == MCH_FORM_GATHER ||
	       form == MCH_FORM_MOVE;
}

/* Inputs of concatenations that read an edge of the group; whether a layer that computes does. */
static int concat_uses(const struct mch_formats *f, int group, bool *is_computed_on)
{
	int n = 0;
	*is_computed_on = false;
	for (int e = 0; e < f->net->n_edges; e++)
		*is_computed_on = *is_computed_on || (f->group[e] == group && f->is_read[e]);
	for (int i = 0; i < f->net->n_layers; i++)
		for (int j = 0; j < f->net->layers[i].n_in && f->net->layers[i].kind == MCH_CONCAT; j++)
			n += f->group[f->net->layers[i].in[j]] == group;
	return n;
}

/* What a concatenation alone reads is made in its format at once: rounded once, not twice. Others have formats of
 * their own. */
static void join_concat(struct mch_formats *f, const struct mch_layer *layer)
{
	for (int i = 0; i < layer->n_in; i++) {
		const int from = f->group[layer->in[i]], to = f->group[layer->out[0]];
		bool is_computed_on;
		if (concat_uses(f, from, &is_computed_on) != 1 || is_computed_on) {
			f->is_read[layer->in[i]] = true;
			continue;
		}
		for (int e = 0; e < f->net->n_edges; e++)
			f->group[e] = f->group[e] == from ? to : f->group[e];
	}
}

static void find_groups(struct mch_formats *f)
{
	const struct mch_net *net = f->net;
	for (int e = 0; e < net->n_edges; e++)
		f->group[e] = e;
	/* A softmax at the end ranks its input; its own output, 0..1, is never a code. */
	f->is_read[mch_net_integer_end(net, f->is_tail)] = true;
	for (int i = 0; i < net->n_layers; i++) {
		const struct mch_layer *layer = &net->layers[i];
		if (f->is_tail[i] || passes_codes(layer))
			f->group[layer->out[0]] = f->group[layer->in[0]];
		else if (layer->kind != MCH_CONCAT)
			for (int j = 0; j < layer->n_in; j++)
				f->is_read[layer->in[j]] = true;
	}
	for (int i = 0; i < net->n_layers; i++)
		if (net->layers[i].kind == MCH_CONCAT)
			join_concat(f, &net->layers[i]);
}

static void find_signs(struct mch_formats *f)
{
	const bool is_everywhere = f->policy.is_static || !f->policy.has_unsigned;
	for (int e = 0; e < f->net->n_edges; e++)
		if (is_everywhere || (f->is_read[e] && f->ranges->edge[e].min < 0))
			f->is_signed[f->group[e]] = true;
}

/* Places for the fractions of every output channel of every width. */
static void find_channels(struct mch_formats *f)
{
	for (int i = 0; i < f->net->n_layers; i++) {
		f->first_channel[i] = f->n_channels;
		if (f->policy.per_channel && mch_formats_part(&f->net->layers[i]) >= 0)
			f->n_channels += (size_t)f->net->layers[i].conv.k;
	}
}

static int no_memory(const struct mch_formats *f, struct mch_err *err)
{
	return mch_err_set(err, f->net->name ? f->net->name : "network", "out of memory; use a machine with more");
}

int mch_formats_init(struct mch_formats *f, const struct mch_net *net, const struct mch_ranges *ranges,
		     const struct mch_format_policy *policy, struct mch_err *err)
{
	const size_t n_edges = (size_t)net->n_edges, n_layers = (size_t)net->n_layers;
	*f = (struct mch_formats){.net = net, .ranges = ranges, .policy = *policy};
	f->group = malloc(n_edges * sizeof(*f->group));
	f->is_read = calloc(n_edges, sizeof(*f->is_read));
	f->is_tail = calloc(n_layers, sizeof(*f->is_tail));
	f->cap = malloc(n_edges * sizeof(*f->cap));
	f->is_signed = calloc(n_edges, sizeof(*f->is_signed));
	f->read = calloc(n_edges, sizeof(*f->read));
	f->edge_frac = malloc(n_edges * N_WIDTHS);
	f->weight_frac = malloc(n_layers * N_WIDTHS);
	f->first_channel = calloc(n_layers, sizeof(*f->first_channel));
	f->items = calloc(n_edges + n_layers, sizeof(*f->items));
	if (f->first_channel)
		find_channels(f);
	f->channel_frac = malloc((f->n_channels + 1) * N_WIDTHS);
	if (!f->group || !f->is_read || !f->is_tail || !f->cap || !f->is_signed || !f->read || !f->edge_frac ||
	    !f->weight_frac || !f->first_channel || !f->items || !f->channel_frac) {
		no_memory(f, err);
		mch_formats_free(f);
		return -1;
	}
	memset(f->channel_frac, UNKNOWN, (f->n_channels + 1) * N_WIDTHS);
	memset(f->edge_frac, UNKNOWN, n_edges * N_WIDTHS);
	memset(f->weight_frac, UNKNOWN, n_layers * N_WIDTHS);
	find_groups(f);
	find_signs(f);
	return 0;
}

void mch_formats_free(struct mch_formats *f)
{
	free(f->group);
	free(f->is_read);
	free(f->is_tail);
	free(f->cap);
	free(f->is_signed);
	free(f->read);
	free(f->edge_frac);
	free(f->weight_frac);
	free(f->first_channel);
	free(f->items);
	free(f->channel_frac);
	*f = (struct mch_formats){0};
}

bool mch_formats_is_wide(struct mch_format codes, struct mch_format weights)
{
	return codes.number != MCH_FIXED ||
	       (weights.number != MCH_FIXED && mch_format_integer(weights, mch_format_max(weights)) > INT16_MAX);
}

/* Free choice for a group, from the ranges of all its edges that are read. */
static int free_frac(struct mch_formats *f, int group, int bits)
{
	int8_t *known = &f->edge_frac[group * N_WIDTHS + bits];
	if (*known != UNKNOWN)
		return *known;
	int n = 0;
	for (int e = 0; e < f->net->n_edges; e++)
		if (f->is_read[e] && f->group[e] == group)
			f->read[n++] = &f->ranges->edge[e];
	if (n == 0) /* a dead end of the graph: any format will do */
		f->read[n++] = &f->ranges->edge[group];
	const struct mch_format_policy_part *part = &f->policy.activations;
	const struct mch_format shape = mch_formats_shape(f, false, bits, f->is_signed[group]);
	*known = (int8_t)mch_fraction_choose(part->rule, part->percentile, shape, f->read, n);
	return *known;
}

/* The same, as far as the layers that join it with others let it. */
static int group_frac(struct mch_formats *f, int group, int bits)
{
	const int frac = f->policy.is_static ? f->static_frac : free_frac(f, group, bits);
	return frac < f->cap[group] ? frac : f->cap[group];
}

static int clamp(int v, int low, int high)
{
	return v < low ? low : v > high ? high : v;
}

/* The bias shares the accumulator. */
static int acc_bits_max(const struct mch_formats *f, bool is_wide)
{
	return f->policy.acc.bits ? f->policy.acc.bits : is_wide ? MCH_WIDE_BITS_MAX : MCH_ACC_BITS_MAX;
}

/* Weights of a layer. The bias is stored at x.frac + w.frac in at most 48 bits, or those asked for: where a large bias meets tiny
 * weights, the weights give up fraction bits so that it still fits. */
static struct mch_format weight_format(struct mch_formats *f, int i, int bits, struct mch_format x)
{
	const struct mch_layer *layer = &f->net->layers[i];
	const struct mch_format_policy_part *part = &f->policy.weights;
	struct mch_format w = mch_formats_shape(f, true, bits, true);
	int8_t *known = &f->weight_frac[i * N_WIDTHS + bits];
	if (*known == UNKNOWN) {
		const struct mch_range *range = &f->ranges->layer[i];
		*known = (int8_t)mch_fraction_choose(part->rule, part->percentile, w, &range, 1);
	}
	w.frac = f->policy.is_static ? f->static_frac : *known;
	double largest = 0;
	for (size_t k = 0; k < layer->n_bias; k++)
		largest = fmax(largest, fabs((double)layer->bias[k]));
	const bool is_wide = mch_formats_is_wide(x, w);
	const int acc_bits = acc_bits_max(f, is_wide);
	const int limit = (is_wide ? mch_channel_bias_frac(largest, acc_bits)
				   : mch_fraction_max((struct mch_format){.bits = acc_bits, .is_signed = true}, -largest,
						      largest)) -
			  x.frac;
	w.frac = clamp(w.frac, -MCH_FRAC_LIMIT, limit > -MCH_FRAC_LIMIT ? limit : -MCH_FRAC_LIMIT);
	return w;
}

/* The same, and the fractions of its channels where they are asked for. False when memory is short. */
static bool settle_weights(struct mch_formats *f, int i, int bits, struct mch_format x, struct mch_layer_quant *lq)
{
	const struct mch_layer *layer = &f->net->layers[i];
	lq->weights = weight_format(f, i, bits, x);
	if (!f->policy.per_channel || f->policy.is_static)
		return true;
	int8_t *frac = f->channel_frac + (size_t)bits * f->n_channels + f->first_channel[i];
	if (frac[0] == UNKNOWN)
		mch_channel_choose(&f->policy.weights, lq->weights, layer, f->weight_frac[i * N_WIDTHS + bits], frac);
	return mch_channel_settle(layer, x, frac, acc_bits_max(f, mch_formats_is_wide(x, lq->weights)), lq) == 0;
}

/* The fraction that input i has in a sum: a coefficient of 2^e moves the point. */
static int input_frac(const struct mch_layer *layer, int i, const struct mch_quant *quant)
{
	int exponent = 1;
	if (layer->kind == MCH_SUM && layer->weights)
		frexp((double)layer->weights[i], &exponent); /* 0.5 * 2^exponent */
	return quant->edge[layer->in[i]].frac - (exponent - 1);
}

/* Weights' fraction of the channel that has the most. */
static int finest_weights(const struct mch_layer_quant *lq)
{
	int most = lq->weights.frac;
	for (int k = 0; k < lq->n_channels; k++)
		most = lq->channel_frac[k] > most ? lq->channel_frac[k] : most;
	return most;
}

/* The fraction of what a layer makes, from its group's free choice and what the layer can give. */
static int output_frac(const struct mch_formats *f, int i, int wanted, const struct mch_quant *quant)
{
	const struct mch_layer *layer = &f->net->layers[i];
	const enum mch_form form = mch_layer_form(layer);
	if (form == MCH_FORM_HOST || form == MCH_FORM_CONSTANT) /* made of real numbers */
		return wanted;
	int least = input_frac(layer, 0, quant), most = least, sum = least;
	for (int j = 1; j < layer->n_in; j++) {
		const int frac = input_frac(layer, j, quant);
		least = frac < least ? frac : least;
		most = frac > most ? frac : most;
		sum += frac;
	}
	const bool is_wide = mch_formats_is_wide(quant->edge[layer->out[0]], quant->layer[i].weights);
	const int most_shift = is_wide ? MCH_ENCODE_SHIFT_MAX : MCH_SHIFT_MAX;
	if (form == MCH_FORM_POOL_AVG) /* the mean's shift is x.frac - y.frac, -15..16, or ..56 */
		return clamp(wanted, least - (is_wide ? most_shift - 16 : 16), least - MCH_SHIFT_MIN);
	if (form == MCH_FORM_CONCAT) /* every input's shift is -15..48, or ..72 */
		return clamp(wanted, most - most_shift, least - MCH_SHIFT_MIN);
	if (form == MCH_FORM_MAC) {
		most += finest_weights(&quant->layer[i]);
		least += quant->layer[i].weights.frac;
	} else {
		least = most = layer->kind == MCH_PROD ? sum : most;
	}
	/* A sum has no bits below its own fraction: a finer output would spend range on zeros. (Static fixed point
	 * has no choice.) */
	const int finest = least - MCH_SHIFT_MIN < most || f->policy.is_static ? least - MCH_SHIFT_MIN : most;
	return clamp(clamp(wanted, most - most_shift, finest), -MCH_FRAC_LIMIT, MCH_FRAC_LIMIT);
}

/* Inputs of a sum are aligned within 48 bits, those of a concatenation shifted by -15..48: where their fractions
 * lie too far apart, the finer ones must give way. True when one was told to. */
static bool cap_inputs(struct mch_formats *f, int i, const struct mch_quant *quant)
{
	const struct mch_layer *layer = &f->net->layers[i];
	int apart = MCH_SHIFT_MAX - MCH_SHIFT_MIN, least = INT_MAX;
	bool is_lowered = false;
	if (layer->kind == MCH_SUM || layer->kind == MCH_MAX) {
		apart = MCH_ELTWISE_LEFT_MAX;
		for (int n = 1; n < layer->n_in; n *= 2)
			apart--; /* n terms of 17 + left bits need log2 n bits more */
	} else if (layer->kind != MCH_CONCAT) {
		return false;
	}
	for (int j = 0; j < layer->n_in; j++)
		least = input_frac(layer, j, quant) < least ? input_frac(layer, j, quant) : least;
	for (int j = 0; j < layer->n_in; j++) {
		const int group = f->group[layer->in[j]], frac = quant->edge[layer->in[j]].frac;
		const int limit = least + apart + frac - input_frac(layer, j, quant);
		if (frac > limit && f->cap[group] > limit) {
			f->cap[group] = limit;
			is_lowered = true;
		}
	}
	return is_lowered;
}

/* In order of execution: each layer's input is settled before its output. 1 when a cap was found to be needed, -1
 * when memory is short. */
static int settle(struct mch_formats *f, const struct mch_widths *widths, struct mch_quant *quant)
{
	const struct mch_net *net = f->net;
	bool is_lowered = false, has_room = true;
	for (int e = 0; e < net->n_edges; e++)
		quant->edge[e] = mch_formats_shape(f, false, widths->edge[f->group[e]], f->is_signed[f->group[e]]);
	quant->edge[net->input].frac = group_frac(f, f->group[net->input], widths->edge[net->input]);
	for (int i = 0; i < net->n_layers; i++) {
		const struct mch_layer *layer = &net->layers[i];
		const int out = layer->out[0];
		mch_layer_quant_join(&quant->layer[i]);
		quant->layer[i] = (struct mch_layer_quant){0};
		if (mch_formats_part(layer) >= 0)
			quant->layer[i].acc = f->policy.acc;
		if (f->is_tail[i]) {
			quant->edge[out] = (struct mch_format){0};
			continue;
		}
		if (passes_codes(layer)) {
			quant->edge[out] = quant->edge[layer->in[0]];
			continue;
		}
		if (mch_formats_part(layer) >= 0 &&
		    !settle_weights(f, i, widths->weights[i], quant->edge[layer->in[0]], &quant->layer[i]))
			has_room = false;
		is_lowered = cap_inputs(f, i, quant) || is_lowered;
		quant->edge[out].frac = output_frac(f, i, group_frac(f, f->group[out], widths->edge[out]), quant);
	}
	return has_room ? is_lowered : -1;
}

void mch_formats_widths(const struct mch_formats *f, const int width[MCH_N_PARTS], struct mch_widths *widths)
{
	for (int e = 0; e < f->net->n_edges; e++)
		widths->edge[e] = (int8_t)width[MCH_PART_ACTIVATIONS];
	for (int i = 0; i < f->net->n_layers; i++) {
		const int part = mch_formats_part(&f->net->layers[i]);
		widths->weights[i] = part < 0 ? 0 : (int8_t)width[part];
	}
}

static void widen(int *width, int bits)
{
	MCH_REQUIRE(bits >= 1 && bits <= MCH_OPERAND_BITS_MAX, "widths are 1 to 16");
	*width = bits > *width ? bits : *width;
}

int mch_formats_apply(struct mch_formats *f, const struct mch_widths *widths, struct mch_quant *quant,
		      struct mch_err *err)
{
	MCH_REQUIRE(quant->n_edges == f->net->n_edges && quant->n_layers == f->net->n_layers, "quant is of another "
											      "net");
	MCH_REQUIRE(widths->n_edges == f->net->n_edges && widths->n_layers == f->net->n_layers, "widths are of "
												"another net");
	for (int p = 0; p < MCH_N_PARTS; p++)
		quant->width[p] = 0;
	for (int e = 0; e < f->net->n_edges; e++) {
		MCH_REQUIRE(widths->edge[e] == widths->edge[f->group[e]], "a group has one width");
		widen(&quant->width[MCH_PART_ACTIVATIONS], widths->edge[e]);
		f->cap[e] = MCH_FRAC_LIMIT;
	}
	for (int i = 0; i < f->net->n_layers; i++) {
		const int part = mch_formats_part(&f->net->layers[i]);
		if (part >= 0)
			widen(&quant->width[part], widths->weights[i]);
	}
	if (f->policy.is_static)
		f->static_frac = mch_formats_static_frac(f, widths);
	quant->weight_round = f->policy.weight_round;
	int status;
	do /* each round lowers a cap, by whole bits */
		status = settle(f, widths, quant);
	while (status > 0);
	return status == 0 ? 0 : no_memory(f, err);
}
