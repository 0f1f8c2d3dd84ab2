/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Operators of the float graph that keep the shape: functions of one number, of a channel, softmax, LRN; see
 * dnnl_graph.h. */
#include <stdlib.h>

#include "fast/dnnl_value.h"

static const dnnl_memory_desc_t *desc_of(const struct mch_dnnl_graph *graph, int value)
{
	return &graph->memories[graph->values[value].memory].desc;
}

/* The value of a step that wrote `memory` from x, perhaps in place. */
static int same_shape(struct mch_dnnl_graph *graph, int x, int memory, bool in_place, struct mch_err *err)
{
	if (memory >= 0 && in_place)
		mch_dnnl_may_overwrite(graph, graph->n_steps - 1, graph->values[x].memory, memory);
	return mch_dnnl_add_value(graph, graph->values[x].shape, memory, err);
}

int mch_dnnl_graph_map(struct mch_dnnl_graph *graph, int x, struct mch_dnnl_map map, struct mch_err *err)
{
	float alpha, beta;
	const dnnl_alg_kind_t alg = mch_dnnl_eltwise(map, &alpha, &beta);
	dnnl_eltwise_desc_t op;
	dnnl_primitive_desc_t pd;
	if (mch_dnnl_status(dnnl_eltwise_forward_desc_init(&op, dnnl_forward_inference, alg, desc_of(graph, x), alpha,
							   beta),
			    "function", err) != 0 ||
	    mch_dnnl_describe(&graph->lib, &op, NULL, "function", &pd, err) != 0)
		return -1;
	const int memory = mch_dnnl_add_simple(graph, graph->values[x].memory, pd, 0, NULL, err);
	return same_shape(graph, x, memory, true, err);
}

int mch_dnnl_graph_prelu(struct mch_dnnl_graph *graph, int x, const float *slope, struct mch_err *err)
{
	const struct mch_shape one = {1, graph->values[x].shape.c, 1, 1};
	const dnnl_memory_desc_t plain = mch_dnnl_plain_desc(one), any = mch_dnnl_any_desc(one);
	dnnl_prelu_desc_t op;
	dnnl_primitive_desc_t pd;
	if (mch_dnnl_status(dnnl_prelu_forward_desc_init(&op, dnnl_forward_inference, desc_of(graph, x), &any),
			    "prelu", err) != 0 ||
	    mch_dnnl_describe(&graph->lib, &op, NULL, "prelu", &pd, err) != 0)
		return -1;
	const dnnl_memory_desc_t *want = dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
	const int weights = mch_dnnl_add_constant(graph, slope, &plain, want, err);
	if (weights < 0) {
		dnnl_primitive_desc_destroy(pd);
		return -1;
	}
	const struct mch_dnnl_use more = {DNNL_ARG_WEIGHTS, weights};
	/* Not in place: the library's tails go over some values twice. */
	const int memory = mch_dnnl_add_simple(graph, graph->values[x].memory, pd, 1, &more, err);
	return same_shape(graph, x, memory, false, err);
}

/* The library's batch normalization with mean 0 and variance 1. */
static int append_affine(struct mch_dnnl_graph *graph, int x, const float *scale_shift, struct mch_err *err)
{
	const int n_c = graph->values[x].shape.c;
	const dnnl_dims_t pair = {2, n_c}, single = {n_c};
	dnnl_memory_desc_t both, one;
	dnnl_batch_normalization_desc_t op;
	dnnl_primitive_desc_t pd;
	dnnl_memory_desc_init_by_tag(&both, 2, pair, dnnl_f32, dnnl_nc);
	dnnl_memory_desc_init_by_tag(&one, 1, single, dnnl_f32, dnnl_x);
	const struct mch_dnnl_use more[] = {
		{DNNL_ARG_SCALE_SHIFT, mch_dnnl_add_constant(graph, scale_shift, &both, &both, err)},
		{DNNL_ARG_MEAN, mch_dnnl_add_constant(graph, scale_shift + 2 * (size_t)n_c, &one, &one, err)},
		{DNNL_ARG_VARIANCE, mch_dnnl_add_constant(graph, scale_shift + 3 * (size_t)n_c, &one, &one, err)},
	};
	const unsigned flags = dnnl_use_global_stats | dnnl_use_scaleshift;
	if (more[0].memory < 0 || more[1].memory < 0 || more[2].memory < 0 ||
	    mch_dnnl_status(dnnl_batch_normalization_forward_desc_init(&op, dnnl_forward_inference, desc_of(graph, x),
								       0, flags),
			    "scaling", err) != 0 ||
	    mch_dnnl_describe(&graph->lib, &op, NULL, "scaling", &pd, err) != 0)
		return -1;
	return mch_dnnl_add_simple(graph, graph->values[x].memory, pd, 3, more, err);
}

int mch_dnnl_graph_affine(struct mch_dnnl_graph *graph, int x, const float *scale, const float *shift,
			  struct mch_err *err)
{
	const size_t n_c = (size_t)graph->values[x].shape.c;
	float *list = malloc(4 * n_c * sizeof(*list));
	if (!list)
		return mch_dnnl_no_memory(err);
	for (size_t c = 0; c < n_c; c++) {
		list[c] = scale[c];
		list[n_c + c] = shift[c];
		list[2 * n_c + c] = 0;
		list[3 * n_c + c] = 1;
	}
	const int memory = append_affine(graph, x, list, err);
	free(list);
	return same_shape(graph, x, memory, true, err);
}

int mch_dnnl_graph_softmax(struct mch_dnnl_graph *graph, int x, bool is_log, struct mch_err *err)
{
	union {
		dnnl_softmax_desc_t plain;
		dnnl_logsoftmax_desc_t log;
	} op;
	dnnl_primitive_desc_t pd;
	const dnnl_status_t status =
		is_log ? dnnl_logsoftmax_forward_desc_init(&op.log, dnnl_forward_inference, desc_of(graph, x), 1)
		       : dnnl_softmax_forward_desc_init(&op.plain, dnnl_forward_inference, desc_of(graph, x), 1);
	if (mch_dnnl_status(status, "softmax", err) != 0 ||
	    mch_dnnl_describe(&graph->lib, &op, NULL, "softmax", &pd, err) != 0)
		return -1;
	const int memory = mch_dnnl_add_simple(graph, graph->values[x].memory, pd, 0, NULL, err);
	return same_shape(graph, x, memory, false, err);
}

int mch_dnnl_graph_lrn(struct mch_dnnl_graph *graph, int x, int size, double alpha, double beta, double k,
		       struct mch_err *err)
{
	dnnl_lrn_desc_t op;
	dnnl_primitive_desc_t pd;
	if (mch_dnnl_status(dnnl_lrn_forward_desc_init(&op, dnnl_forward_inference, dnnl_lrn_across_channels,
						       desc_of(graph, x), size, (float)alpha, (float)beta, (float)k),
			    "normalization", err) != 0 ||
	    mch_dnnl_describe(&graph->lib, &op, NULL, "normalization", &pd, err) != 0)
		return -1;
	const int memory = mch_dnnl_add_simple(graph, graph->values[x].memory, pd, 0, NULL, err);
	return same_shape(graph, x, memory, false, err);
}
