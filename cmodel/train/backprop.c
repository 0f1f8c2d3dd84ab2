/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Forward and backward through the graph; see backprop.h. */
#include "train/backprop.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "base/rng.h"
#include "fast/grad.h"
#include "fast/snap.h"
#include "net/dataset.h"
#include "train/params.h"
#include "train/plan.h"
#include "train/rounding.h"
#include "train/rows.h"

struct mch_backprop {
	const struct mch_net *net;
	const struct mch_quantizer *quantizer; /* NULL: float */
	int max_n, n_runs; /* layers [0, n_runs) run: all but the last softmax */
	int logits;        /* edge */
	struct mch_plan plan;
	float **buffer;          /* [plan.n_buffers][max_n][...] */
	bool *has_slope;         /* [edge]: written in this run */
	struct mch_site *site;   /* [layer] */
	size_t *offset;          /* [layer]: of its gradient */
	struct mch_shape *shape; /* of all inputs of all layers, one behind the other */
	const float **x;         /* the same */
	float *scratch, *extra;  /* extra: a slope that is added to one that is there already */
	uint8_t *of_input;       /* with a quantizer: what mch_snap tells of the input; nobody asks */
	int32_t *codes;          /* scratch of rounding */
};

/* The final softmax, or n_layers. It must be the last layer for the layers before it to be all that runs. */
static int loss_layer(const struct mch_net *net)
{
	const int last = net->n_layers - 1;
	const bool is_softmax = net->layers[last].kind == MCH_SOFTMAX || net->layers[last].kind == MCH_LOG_SOFTMAX;
	return is_softmax && net->layers[last].out[0] == net->output ? last : net->n_layers;
}

static int logits_edge(const struct mch_net *net)
{
	const int last = loss_layer(net);
	return last < net->n_layers ? net->layers[last].in[0] : net->output;
}

int mch_backprop_check(const struct mch_net *net, int n_classes, struct mch_err *err)
{
	const char *name = net->name ? net->name : "network";
	char list[400] = "";
	size_t used = 0;
	bool any_params = false;
	for (int i = 0; i < loss_layer(net); i++) {
		const struct mch_layer *layer = &net->layers[i];
		any_params |= mch_params_of_layer(net, i) > 0;
		if (mch_rows[layer->kind].backward || used >= sizeof(list))
			continue;
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s (%s)", used ? ", " : "", layer->name,
					 mch_layer_table[layer->kind].name);
	}
	if (used)
		return mch_err_set(err, name, "layers without a gradient: %s; take them out to train, a softmax may only be "
				   "the last layer", list);
	if (mch_net_n_inputs(net) != 1)
		return mch_err_set(err, name, "has %d inputs; only networks with one can be trained", mch_net_n_inputs(net));
	if (!any_params)
		return mch_err_set(err, name, "has no weights to train; give a network with conv or dense layers");
	const struct mch_shape s = net->edges[logits_edge(net)].shape;
	if (s.h != 1 || s.w != 1 || s.c < n_classes)
		return mch_err_set(err, name, "its output is %dx%dx%d, the data has %d classes; give the last layer %d outputs",
				   s.c, s.h, s.w, n_classes, n_classes);
	return 0;
}

/* calloc of n * m elements, at least one; NULL also when the product overflows. */
static void *room(size_t n, size_t m, size_t elem_bytes)
{
	if (m && n > SIZE_MAX / m / elem_bytes)
		return NULL;
	return calloc(n && m ? n * m : 1, elem_bytes);
}

static float *value_of(const struct mch_backprop *b, int edge)
{
	return b->plan.value[edge] < 0 ? NULL : b->buffer[b->plan.value[edge]];
}

/* NULL: not wanted. */
static float *slope_of(const struct mch_backprop *b, int edge)
{
	return b->plan.slope[edge] < 0 ? NULL : b->buffer[b->plan.slope[edge]];
}

static bool make_buffers(struct mch_backprop *b)
{
	if (mch_plan_make(b->net, b->n_runs, b->logits, &b->plan) != 0)
		return false;
	b->buffer = room((size_t)b->plan.n_buffers, 1, sizeof(*b->buffer));
	for (int i = 0; b->buffer && i < b->plan.n_buffers; i++) {
		b->buffer[i] = room((size_t)b->max_n, b->plan.elems[i], sizeof(float));
		if (!b->buffer[i])
			return false;
	}
	b->extra = room((size_t)b->max_n, b->plan.extra, sizeof(float));
	return b->buffer && b->extra;
}

/* The site of layer i, whose inputs begin at first. */
static void make_site(struct mch_backprop *b, int i, size_t first)
{
	const struct mch_net *net = b->net;
	const struct mch_layer *layer = &net->layers[i];
	for (int j = 0; j < layer->n_in; j++) {
		b->shape[first + (size_t)j] = net->edges[layer->in[j]].shape;
		b->x[first + (size_t)j] = value_of(b, layer->in[j]);
	}
	b->site[i].run = (struct mch_layer_run){layer, b->max_n, b->shape + first, net->edges[layer->out[0]].shape,
						b->x + first, value_of(b, layer->out[0])};
	b->site[i].dy = slope_of(b, layer->out[0]);
}

/* What the sites of a quantizer have besides. */
static bool make_roundings(struct mch_backprop *b)
{
	const struct mch_net *net = b->net;
	size_t n_codes = 0;
	if (!b->quantizer)
		return true;
	b->of_input = room((size_t)b->max_n, mch_shape_elems(net->edges[net->input].shape), 1);
	for (int i = 0; i < b->n_runs; i++) {
		struct mch_site *site = &b->site[i];
		site->step = mch_quantizer_step(b->quantizer, net->layers[i].out[0]);
		if (!site->step)
			continue;
		const size_t need = mch_rounding_codes(site);
		n_codes = need > n_codes ? need : n_codes;
		site->place = room((size_t)b->max_n, mch_shape_elems(site->run.out), 1);
		if (!site->place)
			return false;
	}
	b->codes = room(n_codes, 1, sizeof(*b->codes));
	for (int i = 0; i < b->n_runs; i++)
		b->site[i].codes = b->codes;
	return b->of_input && b->codes;
}

static bool make_sites(struct mch_backprop *b)
{
	const struct mch_net *net = b->net;
	size_t n_scratch = 0, n_in = 0, offset = 0;
	for (int i = 0; i < b->n_runs; i++)
		n_in += (size_t)net->layers[i].n_in;
	b->shape = room(n_in, 1, sizeof(*b->shape));
	b->x = room(n_in, 1, sizeof(*b->x));
	n_in = 0;
	for (int i = 0; b->shape && b->x && i < b->n_runs; i++) {
		const struct mch_row *row = &mch_rows[net->layers[i].kind];
		struct mch_site *site = &b->site[i];
		make_site(b, i, n_in);
		n_in += (size_t)net->layers[i].n_in;
		b->offset[i] = offset;
		offset += mch_params_of_layer(net, i);
		const size_t need = row->scratch_elems ? row->scratch_elems(site) : 0;
		n_scratch = need > n_scratch ? need : n_scratch;
		if (row->keep_bytes && !(site->kept = room(row->keep_bytes(site), 1, 1)))
			return false;
	}
	b->scratch = room(n_scratch, 1, sizeof(float));
	for (int i = 0; i < b->n_runs; i++)
		b->site[i].scratch = b->scratch;
	return b->shape && b->x && b->scratch && make_roundings(b);
}

struct mch_backprop *mch_backprop_new(const struct mch_net *net, const struct mch_quantizer *quantizer, int max_n,
				      struct mch_err *err)
{
	struct mch_backprop *b = calloc(1, sizeof(*b));
	if (b) {
		const size_t n_edges = (size_t)net->n_edges, n_layers = (size_t)net->n_layers;
		*b = (struct mch_backprop){.net = net, .quantizer = quantizer, .max_n = max_n,
					   .n_runs = loss_layer(net), .logits = logits_edge(net)};
		b->has_slope = calloc(n_edges, sizeof(*b->has_slope));
		b->site = calloc(n_layers, sizeof(*b->site));
		b->offset = calloc(n_layers, sizeof(*b->offset));
		if (b->has_slope && b->site && b->offset && make_buffers(b) && make_sites(b))
			return b;
	}
	mch_backprop_free(b);
	mch_err_set(err, net->name ? net->name : "network", "out of memory for %d images at a time; take a smaller batch",
		    max_n);
	return NULL;
}

void mch_backprop_free(struct mch_backprop *b)
{
	if (!b)
		return;
	for (int i = 0; b->buffer && i < b->plan.n_buffers; i++)
		free(b->buffer[i]);
	for (int i = 0; b->site && i < b->net->n_layers; i++) {
		free(b->site[i].kept);
		free(b->site[i].place);
	}
	mch_plan_free(&b->plan);
	free(b->buffer);
	free(b->has_slope);
	free(b->site);
	free(b->offset);
	free(b->shape);
	free(b->x);
	free(b->scratch);
	free(b->extra);
	free(b->of_input);
	free(b->codes);
	free(b);
}

float *mch_backprop_input(struct mch_backprop *b)
{
	return value_of(b, b->net->input);
}

static void forward(struct mch_backprop *b, int n, uint64_t noise)
{
	struct mch_rng rng = mch_rng_seed(noise);
	/* Pixels become codes half even, whatever the rounding of steps (net/dataset.h). */
	if (b->quantizer) {
		float *x = mch_backprop_input(b);
		mch_snap(mch_quantizer_input(b->quantizer), MCH_ROUND_HALF_EVEN,
			 (size_t)n * mch_shape_elems(b->net->edges[b->net->input].shape), x, x, b->of_input);
	}
	for (int i = 0; i < b->n_runs; i++) {
		struct mch_site *site = &b->site[i];
		site->run.n = n;
		site->noise = mch_rng_next(&rng);
		if (site->step)
			mch_rounding_forward(site);
		else
			mch_rows[site->run.layer->kind].forward(site);
	}
}

static void copy_moments(const struct mch_backprop *b, float *moments)
{
	for (int i = 0; i < b->n_runs; i++) {
		const struct mch_site *site = &b->site[i];
		if (site->run.layer->kind != MCH_BATCH_NORM)
			continue;
		const size_t n = 2 * (size_t)site->run.out.c;
		memcpy(moments, site->kept, n * sizeof(*moments));
		moments += n;
	}
}

/* The slopes of layer i's inputs, from that of its output. What an edge's readers ask of it adds up, last reader
 * first. */
static void backward_layer(struct mch_backprop *b, int i, float *gradient)
{
	struct mch_site *site = &b->site[i];
	const struct mch_layer *layer = site->run.layer;
	struct mch_params pieces[MCH_PARAMS_MAX];
	const int n_pieces = mch_params_of(b->net, i, pieces);
	site->dw = n_pieces > 0 ? gradient + b->offset[i] : NULL;
	site->db = n_pieces > 1 ? site->dw + pieces[0].n_elems : NULL;
	if (site->step)
		mch_rounding_hold(site, slope_of(b, layer->out[0]));
	for (int j = 0; j < layer->n_in; j++) {
		const int in = layer->in[j];
		float *const sum = slope_of(b, in);
		if (!sum && !site->dw)
			continue;
		site->which = j;
		site->dx = sum && b->has_slope[in] ? b->extra : sum;
		if (site->step)
			mch_rounding_backward(site);
		else
			mch_rows[layer->kind].backward(site);
		if (site->dx == b->extra)
			mch_grad_add_scaled((size_t)site->run.n * mch_shape_elems(site->run.in[j]), 1, b->extra, sum);
		b->has_slope[in] = sum;
	}
}

/* The loss, and its slope at the logits. */
static double loss_of(const struct mch_backprop *b, const struct mch_backprop_shard *shard)
{
	const double share = shard->loss.teacher ? shard->loss.share : 0, t = shard->loss.temperature;
	const int n_classes = b->net->edges[b->logits].shape.c;
	const float *logits = value_of(b, b->logits);
	float *slope = slope_of(b, b->logits);
	double loss = mch_grad_softmax_loss(shard->n, n_classes, logits, shard->labels, t, (float)(1 - share), slope);
	if (share > 0)
		loss = (1 - share) * loss + share * mch_grad_teacher_loss(shard->n, n_classes, logits,
									  shard->loss.teacher, t, (float)share, slope);
	return loss;
}

struct mch_backprop_result mch_backprop_run(struct mch_backprop *b, const struct mch_backprop_shard *shard)
{
	MCH_REQUIRE(shard->n >= 1 && shard->n <= b->max_n, "a shard has from 1 to max_n images");
	const int n_classes = b->net->edges[b->logits].shape.c;
	const float *logits = value_of(b, b->logits);
	struct mch_backprop_result result = {0, 0};
	forward(b, shard->n, shard->noise);
	copy_moments(b, shard->moments);
	memset(b->has_slope, 0, (size_t)b->net->n_edges * sizeof(*b->has_slope));
	/* A layer that no path joins with the loss has gradient 0. */
	memset(shard->gradient, 0, mch_params_of_net(b->net) * sizeof(*shard->gradient));
	result.loss = loss_of(b, shard);
	b->has_slope[b->logits] = true;
	for (int i = 0; i < shard->n; i++)
		result.n_right += mch_argmax_f32(logits + (ptrdiff_t)i * n_classes, n_classes) == shard->labels[i];
	for (int i = b->n_runs - 1; i >= 0; i--)
		if (b->has_slope[b->net->layers[i].out[0]])
			backward_layer(b, i, shard->gradient);
	return result;
}

const float *mch_backprop_logits(struct mch_backprop *b, int n)
{
	MCH_REQUIRE(n >= 1 && n <= b->max_n, "from 1 to max_n images");
	forward(b, n, 0);
	return value_of(b, b->logits);
}
