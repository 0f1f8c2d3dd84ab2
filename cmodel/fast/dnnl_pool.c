/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Pooling of the float graph; see dnnl_graph.h. */
#include <stdlib.h>

#include "fast/dnnl_value.h"

/* Padding behind the input that makes the library count as many windows as we do (ceil_mode, clipped windows). */
static int pad_end(int n_windows, int stride, int reach, int size, int pad_begin)
{
	const int need = (n_windows - 1) * stride + reach - size - pad_begin;
	return need > 0 ? need : 0; /* below 0: rows that no window reads, which the library drops as well */
}

/* The memory of the result. */
static int append_pool(struct mch_dnnl_graph *graph, int x, const struct mch_pool *g, dnnl_alg_kind_t alg,
		       struct mch_err *err)
{
	const int n_p = mch_pool_p(g), n_q = mch_pool_q(g), from = graph->values[x].memory;
	const dnnl_memory_desc_t src = graph->memories[from].desc,
				 dst = mch_dnnl_any_desc((struct mch_shape){graph->batch, g->c, n_p, n_q});
	const dnnl_dims_t strides = {g->stride_h, g->stride_w}, kernel = {g->r, g->s};
	const dnnl_dims_t begin = {g->pad_top, g->pad_left};
	/* The library counts from 0, and wants no more holes than the input has rows even where the window has
	 * one row. */
	const dnnl_dims_t holes = {g->r > 1 ? g->dilation_h - 1 : 0, g->s > 1 ? g->dilation_w - 1 : 0};
	const dnnl_dims_t end = {pad_end(n_p, g->stride_h, (g->r - 1) * g->dilation_h + 1, g->h, g->pad_top),
				 pad_end(n_q, g->stride_w, (g->s - 1) * g->dilation_w + 1, g->w, g->pad_left)};
	dnnl_pooling_v2_desc_t op;
	dnnl_primitive_desc_t pd;
	if (mch_dnnl_status(dnnl_pooling_v2_forward_desc_init(&op, dnnl_forward_inference, alg, &src, &dst, strides,
							      kernel, holes, begin, end),
			    "pooling", err) != 0 ||
	    mch_dnnl_describe(&graph->lib, &op, NULL, "pooling", &pd, err) != 0)
		return -1;
	return mch_dnnl_add_simple(graph, from, pd, 0, NULL, err);
}

static struct mch_shape out_shape(const struct mch_pool *g)
{
	return (struct mch_shape){1, g->c, mch_pool_p(g), mch_pool_q(g)};
}

int mch_dnnl_graph_pool_max(struct mch_dnnl_graph *graph, int x, const struct mch_pool *g, struct mch_err *err)
{
	return mch_dnnl_add_value(graph, out_shape(g), append_pool(graph, x, g, dnnl_pooling_max, err), err);
}

/* factor[p][q] = (clipped window) / (divisor): what turns a mean over the input's positions into ours. */
static float *divisor_factors(const struct mch_pool *g)
{
	const int n_p = mch_pool_p(g), n_q = mch_pool_q(g);
	float *factor = malloc((size_t)n_p * (size_t)n_q * sizeof(*factor));
	for (int i = 0; factor && i < n_p * n_q; i++) {
		const struct mch_window rows = mch_pool_rows(g, i / n_q), cols = mch_pool_cols(g, i % n_q);
		factor[i] = (float)((double)mch_window_positions(&rows) * mch_window_positions(&cols) /
				    ((double)rows.extent * cols.extent));
	}
	return factor;
}

/* The memory of mean * factor[p][q]. */
static int append_factors(struct mch_dnnl_graph *graph, int mean, const struct mch_pool *g, const float *factor,
			  struct mch_err *err)
{
	const dnnl_memory_desc_t one = mch_dnnl_plain_desc((struct mch_shape){1, 1, mch_pool_p(g), mch_pool_q(g)});
	const dnnl_memory_desc_t desc = graph->memories[mean].desc;
	const struct mch_dnnl_use more = {DNNL_ARG_SRC_1, mch_dnnl_add_constant(graph, factor, &one, &one, err)};
	dnnl_binary_desc_t op;
	dnnl_primitive_desc_t pd;
	if (more.memory < 0 ||
	    mch_dnnl_status(dnnl_binary_desc_init(&op, dnnl_binary_mul, &desc, &one, &desc), "scaling", err) != 0 ||
	    mch_dnnl_describe(&graph->lib, &op, NULL, "scaling", &pd, err) != 0)
		return -1;
	const int memory = mch_dnnl_add_simple(graph, mean, pd, 1, &more, err);
	if (memory >= 0)
		mch_dnnl_may_overwrite(graph, graph->n_steps - 1, mean, memory);
	return memory;
}

/* The library divides by the whole window or by its part inside the input; ours may count only some of the padding
 * (see mch_window), and then the second is corrected by a factor for each position. */
int mch_dnnl_graph_pool_avg(struct mch_dnnl_graph *graph, int x, const struct mch_pool *g, struct mch_err *err)
{
	int memory = append_pool(graph, x, g, dnnl_pooling_avg_exclude_padding, err);
	float *factor = memory >= 0 ? divisor_factors(g) : NULL;
	if (memory >= 0 && !factor)
		memory = mch_dnnl_no_memory(err);
	bool is_plain = true;
	for (int i = 0; factor && i < mch_pool_p(g) * mch_pool_q(g); i++)
		is_plain = is_plain && factor[i] == 1.0F;
	if (memory >= 0 && !is_plain)
		memory = append_factors(graph, memory, g, factor, err);
	free(factor);
	return mch_dnnl_add_value(graph, out_shape(g), memory, err);
}
