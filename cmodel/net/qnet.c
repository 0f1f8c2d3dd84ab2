/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A network becomes a list of integer steps; see qnet.h. */
#include "net/qnet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/layer.h"
#include "net/qstep.h"

/* A build in progress. */
struct build {
	struct mch_qnet *q;
	const struct mch_net *net;
	struct mch_quant *quant;
	int end;    /* the edge that the integers end at */
	int *alias; /* [n_edges]: the edge that holds the same codes in the same order */
	bool *skip; /* [n_layers]: fused into another, or behind the end */
};

/* All layers that have no form are named at once. */
static int check_forms(const struct mch_net *net, struct mch_err *err)
{
	char names[320] = "";
	int n = 0;
	for (int i = 0; i < net->n_layers; i++) {
		if (mch_layer_form(&net->layers[i]) != MCH_FORM_NONE)
			continue;
		const size_t used = strlen(names);
		if (used < sizeof(names) - 80)
			snprintf(names + used, sizeof(names) - used, "%s%.48s (%s)", n ? ", " : "",
				 net->layers[i].name, mch_layer_table[net->layers[i].kind].name);
		else if (names[used - 1] != '.')
			snprintf(names + used, sizeof(names) - used, ", ...");
		n++;
	}
	const char *name = net->name ? net->name : "network";
	if (n > 0)
		return mch_err_set(err, name,
				   "%d layer%s without an integer form: %s; replace %s, or cut the network there", n,
				   n > 1 ? "s are" : " is", names, n > 1 ? "them" : "it");
	if (mch_net_n_inputs(net) != 1)
		return mch_err_set(err, name, "has %d inputs, the integer form one; cut the network into parts",
				   mch_net_n_inputs(net));
	return 0;
}

/* In both shapes the codes lie in one order, whether channels are outermost (the plain operators) or innermost (the
 * fast). */
static bool layouts_agree(struct mch_shape a, struct mch_shape b)
{
	const bool a_is_line = a.c == 1 || a.h * a.w == 1, b_is_line = b.c == 1 || b.h * b.w == 1;
	return (a.c == b.c && a.h == b.h && a.w == b.w) || (a_is_line && b_is_line);
}

/* Whoever reads the edge takes the codes in whatever shape: a dense layer, which flattens, or the end. */
static bool any_shape_will_do(const struct build *b, int edge)
{
	for (int i = 0; i < b->net->n_layers; i++) {
		const struct mch_layer *layer = &b->net->layers[i];
		for (int j = 0; j < layer->n_in; j++) {
			if (layer->in[j] != edge || b->skip[i] || layer->kind == MCH_DENSE)
				continue;
			if (!mch_layer_table[layer->kind].is_identity || !any_shape_will_do(b, layer->out[0]))
				return false;
		}
	}
	return true;
}

static bool is_alias(const struct build *b, const struct mch_layer *layer)
{
	return mch_layer_table[layer->kind].is_identity &&
	       (layouts_agree(b->net->edges[layer->in[0]].shape, b->net->edges[layer->out[0]].shape) ||
		any_shape_will_do(b, layer->out[0]));
}

/* The ReLU or clip that alone reads what a requantizer makes, else -1. */
static int activation_behind(const struct build *b, enum mch_form form, int edge)
{
	int reader = -1;
	if (form != MCH_FORM_MAC && form != MCH_FORM_ELTWISE && form != MCH_FORM_CONCAT)
		return -1;
	if (edge == b->end || mch_net_n_readers(b->net, edge, &reader) != 1)
		return -1;
	return mch_layer_form(&b->net->layers[reader]) == MCH_FORM_REQUANT ? reader : -1;
}

static int add_step(struct build *b, int i, struct mch_err *err)
{
	const struct mch_layer *layer = &b->net->layers[i], *behind = NULL;
	struct mch_step *step = &b->q->steps[b->q->n_steps++];
	int out = layer->out[0];
	*step = (struct mch_step){
		.layer = layer, .layer_index = i, .form = mch_layer_form(layer), .n_in = layer->n_in};
	const int next = activation_behind(b, step->form, out);
	if (next >= 0) {
		behind = &b->net->layers[next];
		b->skip[next] = true;
		b->alias[out] = behind->out[0];
		out = b->alias[out];
		step->relu = behind->kind == MCH_RELU;
		step->clip = behind->kind == MCH_CLIP;
	}
	step->ins = malloc((size_t)(layer->n_in ? layer->n_in : 1) * sizeof(*step->ins));
	if (!step->ins)
		return mch_step_fail(b->net, layer->name, err, "out of memory; use a machine with more");
	for (int j = 0; j < layer->n_in; j++)
		step->ins[j] = b->alias[layer->in[j]];
	step->in = layer->n_in ? step->ins[0] : -1;
	step->out = out;
	return mch_step_fill(b->q, step, step->clip ? behind : NULL, b->quant, err);
}

static int add_steps(struct build *b, struct mch_err *err)
{
	for (int i = 0; i < b->net->n_layers; i++) {
		const struct mch_layer *layer = &b->net->layers[i];
		if (b->skip[i])
			continue;
		if (is_alias(b, layer))
			b->alias[layer->out[0]] = b->alias[layer->in[0]];
		else if (add_step(b, i, err) != 0)
			return -1;
	}
	return 0;
}

static int no_memory(const struct mch_net *net, struct mch_err *err)
{
	return mch_err_set(err, net->name ? net->name : "network", "out of memory; use a machine with more");
}

int mch_qnet_build(struct mch_qnet *q, const struct mch_net *net, struct mch_quant *quant, struct mch_err *err)
{
	memset(q, 0, sizeof(*q));
	q->net = net;
	if (mch_net_require_weights(net, err) != 0 || check_forms(net, err) != 0)
		return -1;
	struct build b = {.q = q, .net = net, .quant = quant};
	b.alias = malloc((size_t)net->n_edges * sizeof(*b.alias));
	b.skip = calloc((size_t)net->n_layers, sizeof(*b.skip));
	q->steps = calloc((size_t)net->n_layers, sizeof(*q->steps));
	int status = b.alias && b.skip && q->steps ? 0 : no_memory(net, err);
	if (status == 0) {
		b.end = mch_net_integer_end(net, b.skip);
		for (int e = 0; e < net->n_edges; e++)
			b.alias[e] = e;
		status = add_steps(&b, err);
	}
	if (status == 0) {
		q->input = b.alias[net->input];
		q->output = b.alias[b.end];
		q->input_format = quant->edge[q->input];
		if (q->n_steps == 0)
			status = mch_err_set(err, net->name ? net->name : "network",
					     "has no layer that hardware computes; "
					     "give a network with convolutions");
	}
	free(b.alias);
	free(b.skip);
	if (status != 0)
		mch_qnet_free(q);
	return status;
}

void mch_qnet_free(struct mch_qnet *q)
{
	for (int i = 0; i < q->n_steps; i++) {
		struct mch_step *step = &q->steps[i];
		free(step->weights);
		free(step->bias);
		free(step->wide_weights);
		free(step->wide_bias);
		free(step->integers);
		free(step->shift);
		free(step->ins);
		free(step->in_formats);
		free(step->in_shapes);
		free(step->eltwise_in);
		free(step->codes);
	}
	free(q->steps);
	memset(q, 0, sizeof(*q));
}
