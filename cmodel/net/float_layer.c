/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* One layer as an operator of the fast float graph; see float_layer.h. */
#include "net/float_layer.h"

#include <math.h>
#include <stdlib.h>

#include "base/require.h"
#include "net/layer.h"

static int no_memory(const struct mch_layer *layer, struct mch_err *err)
{
	return mch_err_set(err, layer->name, "out of memory; use smaller batches or a machine with more memory");
}

struct mch_float_call {
	struct mch_float_call *next;
	const struct mch_layer *layer;
	struct mch_shape out, in[];
};

void mch_float_calls_free(struct mch_float_call *calls)
{
	while (calls) {
		struct mch_float_call *next = calls->next;
		free(calls);
		calls = next;
	}
}

static void run_plain(const void *ctx, int n, const float *const *x, float *y)
{
	const struct mch_float_call *call = ctx;
	const struct mch_layer_run run = {call->layer, n, call->in, call->out, x, y};
	mch_layer_table[call->layer->kind].run_f32(&run);
}

/* Whatever the library lacks runs on the arbiter's own form. */
static int append_plain(struct mch_float_build *build, const struct mch_layer *layer, const int *x,
			struct mch_err *err)
{
	struct mch_float_call *call = malloc(sizeof(*call) + (size_t)layer->n_in * sizeof(call->in[0]));
	if (!call)
		return no_memory(layer, err);
	call->next = build->calls;
	build->calls = call;
	call->layer = layer;
	call->out = build->net->edges[layer->out[0]].shape;
	for (int i = 0; i < layer->n_in; i++)
		call->in[i] = build->net->edges[layer->in[i]].shape;
	const struct mch_dnnl_plain plain = {run_plain, call};
	return mch_dnnl_graph_call(build->graph, layer->n_in, x, call->out, plain, err);
}

static struct mch_dnnl_map map_of(const struct mch_layer *layer)
{
	switch (layer->kind) {
	case MCH_RELU:
		return (struct mch_dnnl_map){MCH_FN_RELU, 0, 0};
	case MCH_LEAKY_RELU:
		return (struct mch_dnnl_map){MCH_FN_LEAKY, (float)layer->slope, 0};
	case MCH_CLIP:
		return (struct mch_dnnl_map){MCH_FN_CLIP, fminf(layer->clip.low, layer->clip.high), layer->clip.high};
	case MCH_SIGMOID:
		return (struct mch_dnnl_map){MCH_FN_SIGMOID, 0, 0};
	default:
		return (struct mch_dnnl_map){MCH_FN_TANH, 0, 0};
	}
}

/* scale[c] * x + shift[c], of n channels; both begin as what comes before. */
struct affine {
	int n;
	double *scale, *shift;
};

static int open_affine(struct affine *a, const struct mch_layer *layer, int n, struct mch_err *err)
{
	a->n = n;
	a->scale = malloc(2 * (size_t)n * sizeof(double));
	if (!a->scale)
		return no_memory(layer, err);
	a->shift = a->scale + n;
	for (int c = 0; c < n; c++)
		a->scale[c] = 1, a->shift[c] = 0;
	return 0;
}

/* Behind a comes one of batch norm and scale. */
static void compose(struct affine *a, const struct mch_layer *layer)
{
	for (int c = 0; c < a->n; c++) {
		double factor = (double)layer->weights[c], mean = 0;
		if (layer->kind == MCH_BATCH_NORM) {
			factor /= sqrt((double)layer->variance[c] + layer->norm.epsilon);
			mean = (double)layer->mean[c];
		}
		a->scale[c] *= factor;
		a->shift[c] = (a->shift[c] - mean) * factor + (layer->bias ? (double)layer->bias[c] : 0);
	}
}

/* All that was fused into layer `index` and multiplies; whether there was any. */
static bool compose_fused(const struct mch_float_build *build, int index, struct affine *a)
{
	bool any = false;
	for (int i = index + 1; i < build->net->n_layers; i++)
		if (build->steps[i].into == index && mch_float_is_affine(&build->net->layers[i])) {
			compose(a, &build->net->layers[i]);
			any = true;
		}
	return any;
}

/* A batch norm or scale that stands alone, with those behind it. */
static int append_affine(struct mch_float_build *build, int index, int x, struct mch_err *err)
{
	const struct mch_layer *layer = &build->net->layers[index];
	struct affine a;
	if (open_affine(&a, layer, layer->norm.channels, err) != 0)
		return -1;
	int y = -1;
	float *both = malloc(2 * (size_t)a.n * sizeof(*both));
	if (!both) {
		no_memory(layer, err);
	} else {
		compose(&a, layer);
		compose_fused(build, index, &a);
		for (int c = 0; c < a.n; c++) {
			both[c] = (float)a.scale[c];
			both[a.n + c] = (float)a.shift[c];
		}
		y = mch_dnnl_graph_affine(build->graph, x, both, both + a.n, err);
	}
	free(both);
	free(a.scale);
	return y;
}

/* The output channel of weight i. */
static size_t channel_of(const struct mch_layer *layer, size_t i)
{
	const struct mch_conv *g = &layer->conv;
	const size_t kernel = (size_t)g->r * (size_t)g->s;
	if (layer->kind != MCH_DECONV)
		return i / mch_conv_terms(g);
	const size_t k_group = (size_t)(g->k / g->groups), c = i / (kernel * k_group);
	return c / (size_t)(g->c / g->groups) * k_group + i / kernel % k_group;
}

static int append_operator(struct mch_float_build *build, const struct mch_layer *layer, int x,
			   const struct mch_dnnl_weighted *w, struct mch_err *err)
{
	const struct mch_shape out = build->net->edges[layer->out[0]].shape;
	if (layer->kind == MCH_DENSE)
		return mch_dnnl_graph_dense(build->graph, x, layer->conv.k, w, err);
	if (layer->kind == MCH_DECONV)
		return mch_dnnl_graph_deconv(build->graph, x, &layer->conv, out.h, out.w, w, err);
	return mch_dnnl_graph_conv(build->graph, x, &layer->conv, w, err);
}

/* The same with weights that are multiplied, and a bias that is multiplied and shifted. */
static int append_folded(struct mch_float_build *build, const struct mch_layer *layer, int x, const struct affine *a,
			 struct mch_dnnl_weighted w, struct mch_err *err)
{
	float *weights = malloc((layer->n_weights + (size_t)a->n) * sizeof(*weights));
	if (!weights)
		return no_memory(layer, err);
	float *bias = weights + layer->n_weights;
	for (size_t i = 0; i < layer->n_weights; i++)
		weights[i] = (float)((double)layer->weights[i] * a->scale[channel_of(layer, i)]);
	for (int k = 0; k < a->n; k++)
		bias[k] = (float)((layer->bias ? (double)layer->bias[k] * a->scale[k] : 0) + a->shift[k]);
	w.weights = weights;
	w.bias = bias;
	const int y = append_operator(build, layer, x, &w, err);
	free(weights);
	return y;
}

static int append_mac(struct mch_float_build *build, int index, int x, struct mch_err *err)
{
	const struct mch_layer *layer = &build->net->layers[index];
	const struct mch_float_step *step = &build->steps[index];
	struct mch_dnnl_weighted w = {layer->weights, layer->bias, {MCH_FN_SAME, 0, 0}, -1};
	struct affine a;
	if (step->map >= 0)
		w.map = map_of(&build->net->layers[step->map]);
	if (step->added >= 0)
		w.added = build->value[step->added];
	if (open_affine(&a, layer, layer->conv.k, err) != 0)
		return -1;
	const int y = compose_fused(build, index, &a) ? append_folded(build, layer, x, &a, w, err)
						      : append_operator(build, layer, x, &w, err);
	free(a.scale);
	return y;
}

static int append_prelu(struct mch_float_build *build, const struct mch_layer *layer, int x, struct mch_err *err)
{
	float *slope = malloc((size_t)layer->norm.channels * sizeof(*slope));
	if (!slope)
		return no_memory(layer, err);
	for (int c = 0; c < layer->norm.channels; c++)
		slope[c] = layer->weights[layer->n_weights == 1 ? 0 : c];
	const int y = mch_dnnl_graph_prelu(build->graph, x, slope, err);
	free(slope);
	return y;
}

static bool is_same_shape(struct mch_shape a, struct mch_shape b)
{
	return a.c == b.c && a.h == b.h && a.w == b.w;
}

/* The library repeats one operand at a time: a term has to have the result's shape, with coefficients all of them. */
static int append_join(struct mch_float_build *build, const struct mch_layer *layer, const int *x,
		       struct mch_err *err)
{
	const struct mch_net *net = build->net;
	const enum mch_dnnl_join kind = layer->kind == MCH_SUM    ? MCH_JOIN_SUM
					: layer->kind == MCH_PROD ? MCH_JOIN_PROD
								  : MCH_JOIN_MAX;
	int n_whole = 0;
	for (int i = 0; i < layer->n_in; i++)
		n_whole += is_same_shape(net->edges[layer->in[i]].shape, net->edges[layer->out[0]].shape);
	const float *coefficients = kind == MCH_JOIN_SUM ? layer->weights : NULL;
	if (layer->n_in < 2 || n_whole == 0 || (coefficients && n_whole < layer->n_in))
		return append_plain(build, layer, x, err);
	return mch_dnnl_graph_join(build->graph, kind, layer->n_in, x, coefficients, err);
}

/* y, the value of the layer's output. x are its inputs. */
static int append_kind(struct mch_float_build *build, int index, const int *x, struct mch_err *err)
{
	const struct mch_layer *layer = &build->net->layers[index];
	const struct mch_shape out = build->net->edges[layer->out[0]].shape;
	struct mch_dnnl_graph *graph = build->graph;
	if (mch_float_is_plain(layer))
		return append_plain(build, layer, x, err);
	switch (layer->kind) {
	case MCH_CONV:
	case MCH_DENSE:
	case MCH_DECONV:
		return append_mac(build, index, x[0], err);
	case MCH_PRELU:
		return append_prelu(build, layer, x[0], err);
	case MCH_BATCH_NORM:
	case MCH_SCALE:
		return append_affine(build, index, x[0], err);
	case MCH_SOFTMAX:
	case MCH_LOG_SOFTMAX:
		return mch_dnnl_graph_softmax(graph, x[0], layer->kind == MCH_LOG_SOFTMAX, err);
	case MCH_POOL_MAX:
		return mch_dnnl_graph_pool_max(graph, x[0], &layer->pool, err);
	case MCH_POOL_AVG:
		return mch_dnnl_graph_pool_avg(graph, x[0], &layer->pool, err);
	case MCH_LRN:
		return mch_dnnl_graph_lrn(graph, x[0], layer->lrn.size, layer->lrn.alpha, layer->lrn.beta,
					  layer->lrn.k, err);
	case MCH_SUM:
	case MCH_PROD:
	case MCH_MAX:
		return append_join(build, layer, x, err);
	case MCH_CONCAT:
		return mch_dnnl_graph_concat(graph, layer->n_in, x, layer->axis, err);
	case MCH_FLATTEN:
	case MCH_RESHAPE:
		return mch_dnnl_graph_reshape(graph, x[0], out, err);
	case MCH_DROPOUT:
		return x[0];
	case MCH_TRANSPOSE:
		return mch_dnnl_graph_transpose(graph, x[0], layer->order, err);
	case MCH_CONSTANT:
		return mch_dnnl_graph_constant(graph, out, layer->weights, err);
	default:
		MCH_REQUIRE(mch_float_is_map(layer), "every kind has its operator");
		return mch_dnnl_graph_map(graph, x[0], map_of(layer), err);
	}
}

int mch_float_append(struct mch_float_build *build, int index, struct mch_err *err)
{
	const struct mch_layer *layer = &build->net->layers[index];
	int *x = malloc((size_t)(layer->n_in + 1) * sizeof(*x));
	if (!x)
		return no_memory(layer, err);
	for (int i = 0; i < layer->n_in; i++)
		x[i] = build->value[layer->in[i]];
	const int y = append_kind(build, index, x, err);
	free(x);
	build->value[build->steps[index].writes] = y;
	return y < 0 ? -1 : 0;
}
