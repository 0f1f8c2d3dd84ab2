/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A float graph on oneDNN; see dnnl.h. Every value is seen as [n][c][h][w] in whatever layout its producer chose;
 * an operator that wants another one gets a reorder in front. */
#include <stdlib.h>
#include <string.h>

#include "fast/dnnl.h"
#include "fast/dnnl_call.h"

struct value {
	struct mch_shape shape; /* n == batch */
	dnnl_memory_t memory;
};

struct mch_dnnl_graph {
	struct mch_dnnl lib;
	int batch, n_values, n_calls, n_owned;
	struct value *values;
	struct mch_dnnl_call *calls;
	dnnl_memory_t *owned; /* every memory object, values' included */
};

static int no_memory(struct mch_err *err)
{
	return mch_err_set(err, "oneDNN", "out of memory; use smaller batches or a machine with more");
}

/* Creates memory that lives as long as the graph. */
static int own(struct mch_dnnl_graph *graph, const dnnl_memory_desc_t *desc, void *handle, dnnl_memory_t *out,
	       struct mch_err *err)
{
	dnnl_memory_t *owned = realloc(graph->owned, ((size_t)graph->n_owned + 1) * sizeof(*owned));
	if (!owned)
		return no_memory(err);
	graph->owned = owned;
	if (mch_dnnl_memory(&graph->lib, desc, handle, out, err) != 0)
		return -1;
	owned[graph->n_owned++] = *out;
	return 0;
}

static int add_value(struct mch_dnnl_graph *graph, struct mch_shape shape, dnnl_memory_t memory, struct mch_err *err)
{
	struct value *values = realloc(graph->values, ((size_t)graph->n_values + 1) * sizeof(*values));
	if (!values)
		return no_memory(err);
	graph->values = values;
	shape.n = graph->batch;
	values[graph->n_values] = (struct value){shape, memory};
	return graph->n_values++;
}

static struct mch_dnnl_call *add_call(struct mch_dnnl_graph *graph, struct mch_err *err)
{
	struct mch_dnnl_call *calls = realloc(graph->calls, ((size_t)graph->n_calls + 1) * sizeof(*calls));
	if (!calls) {
		no_memory(err);
		return NULL;
	}
	graph->calls = calls;
	memset(&calls[graph->n_calls], 0, sizeof(*calls));
	return &calls[graph->n_calls++];
}

static const dnnl_memory_desc_t *desc_of(dnnl_memory_t memory)
{
	const dnnl_memory_desc_t *desc = NULL;
	dnnl_memory_get_memory_desc(memory, &desc);
	return desc;
}

/* The same values in the layout `want`: itself, or behind a reorder. */
static int in_layout(struct mch_dnnl_graph *graph, dnnl_memory_t from, const dnnl_memory_desc_t *want,
		     dnnl_memory_t *out, struct mch_err *err)
{
	*out = from;
	if (dnnl_memory_desc_equal(desc_of(from), want))
		return 0;
	struct mch_dnnl_call *call = add_call(graph, err);
	if (!call || own(graph, want, NULL, out, err) != 0)
		return -1;
	return mch_dnnl_compile_reorder(&graph->lib, from, *out, call, err);
}

struct mch_dnnl_graph *mch_dnnl_graph_new(int batch, struct mch_err *err)
{
	struct mch_dnnl_graph *graph = calloc(1, sizeof(*graph));
	if (!graph) {
		no_memory(err);
		return NULL;
	}
	graph->batch = batch;
	if (mch_dnnl_open(&graph->lib, err) != 0) {
		free(graph);
		return NULL;
	}
	return graph;
}

void mch_dnnl_graph_free(struct mch_dnnl_graph *graph)
{
	if (!graph)
		return;
	for (int i = 0; i < graph->n_calls; i++)
		mch_dnnl_call_free(&graph->calls[i]);
	for (int i = 0; i < graph->n_owned; i++)
		dnnl_memory_destroy(graph->owned[i]);
	mch_dnnl_close(&graph->lib);
	free(graph->values);
	free(graph->calls);
	free(graph->owned);
	free(graph);
}

static dnnl_memory_desc_t plain(struct mch_shape s)
{
	return mch_dnnl_desc4(s.n, s.c, s.h, s.w, dnnl_f32, dnnl_nchw);
}

static dnnl_memory_desc_t any_layout(struct mch_shape s)
{
	return mch_dnnl_desc4(s.n, s.c, s.h, s.w, dnnl_f32, dnnl_format_tag_any);
}

int mch_dnnl_graph_input(struct mch_dnnl_graph *graph, struct mch_shape shape, struct mch_err *err)
{
	shape.n = graph->batch;
	const dnnl_memory_desc_t desc = plain(shape);
	dnnl_memory_t memory;
	if (own(graph, &desc, NULL, &memory, err) != 0)
		return -1;
	return add_value(graph, shape, memory, err);
}

/* A constant, brought into the layout `want` now. */
static int constant(struct mch_dnnl_graph *graph, const float *data, const dnnl_memory_desc_t *as,
		    const dnnl_memory_desc_t *want, dnnl_memory_t *out, struct mch_err *err)
{
	dnnl_memory_t from;
	if (own(graph, want, NULL, out, err) != 0)
		return -1;
	/* The library only reads it. */
	if (mch_dnnl_memory(&graph->lib, as, (void *)(uintptr_t)data, &from, err) != 0)
		return -1;
	const int status = mch_dnnl_reorder(&graph->lib, from, *out, err);
	dnnl_memory_destroy(from);
	return status;
}

/* Compiles pd (taken over) with source x; *dst is the memory of its result. */
static int append(struct mch_dnnl_graph *graph, dnnl_memory_t x, dnnl_primitive_desc_t pd, int *call_index,
		  dnnl_memory_t *dst, struct mch_err *err)
{
	dnnl_memory_t src;
	struct mch_dnnl_call *call = NULL;
	if (in_layout(graph, x, dnnl_primitive_desc_query_md(pd, dnnl_query_src_md, 0), &src, err) != 0 ||
	    own(graph, dnnl_primitive_desc_query_md(pd, dnnl_query_dst_md, 0), NULL, dst, err) != 0 ||
	    !(call = add_call(graph, err))) {
		dnnl_primitive_desc_destroy(pd);
		return -1;
	}
	if (mch_dnnl_compile(&graph->lib, pd, call, err) != 0)
		return -1;
	mch_dnnl_arg(call, DNNL_ARG_SRC, src);
	mch_dnnl_arg(call, DNNL_ARG_DST, *dst);
	*call_index = graph->n_calls - 1;
	return 0;
}

/* Weights and bias to the layouts of pd, which is then compiled. */
static int append_weighted(struct mch_dnnl_graph *graph, int x, const struct mch_conv *g, dnnl_primitive_desc_t pd,
			   const float *weights, const float *bias, dnnl_memory_t *dst, struct mch_err *err)
{
	const dnnl_memory_desc_t w_plain = mch_dnnl_weights_desc(g, dnnl_f32, 1);
	const dnnl_dims_t k = {g->k};
	dnnl_memory_desc_t b_plain;
	dnnl_memory_t w = NULL, b = NULL;
	int call;
	dnnl_memory_desc_init_by_tag(&b_plain, 1, k, dnnl_f32, dnnl_x);
	const dnnl_memory_desc_t *w_want = dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
	if (constant(graph, weights, &w_plain, w_want, &w, err) != 0 ||
	    (bias && constant(graph, bias, &b_plain, &b_plain, &b, err) != 0)) {
		dnnl_primitive_desc_destroy(pd);
		return -1;
	}
	if (append(graph, graph->values[x].memory, pd, &call, dst, err) != 0)
		return -1;
	mch_dnnl_arg(&graph->calls[call], DNNL_ARG_WEIGHTS, w);
	if (bias)
		mch_dnnl_arg(&graph->calls[call], DNNL_ARG_BIAS, b);
	return 0;
}

int mch_dnnl_graph_conv(struct mch_dnnl_graph *graph, int x, const struct mch_conv *g, const float *weights,
			const float *bias, struct mch_err *err)
{
	const struct mch_shape out = {graph->batch, g->k, mch_conv_p(g), mch_conv_q(g)};
	const dnnl_memory_desc_t src = any_layout(graph->values[x].shape), dst = any_layout(out);
	const dnnl_memory_desc_t w = mch_dnnl_weights_desc(g, dnnl_f32, 0);
	const dnnl_dims_t k = {g->k};
	dnnl_memory_desc_t b;
	dnnl_primitive_desc_t pd;
	dnnl_memory_t memory;
	dnnl_memory_desc_init_by_tag(&b, 1, k, dnnl_f32, dnnl_x);
	if (mch_dnnl_describe_conv(&graph->lib, g, &src, &w, bias ? &b : NULL, &dst, &pd, err) != 0 ||
	    append_weighted(graph, x, g, pd, weights, bias, &memory, err) != 0)
		return -1;
	return add_value(graph, out, memory, err);
}

int mch_dnnl_graph_dense(struct mch_dnnl_graph *graph, int x, int k, const float *weights, const float *bias,
			 struct mch_err *err)
{
	const struct mch_shape in = graph->values[x].shape, out = {graph->batch, k, 1, 1};
	/* Its weights have the layout of a convolution whose kernel is the whole input. */
	struct mch_conv g = mch_dense_geometry(graph->batch, in.c, k);
	g.r = in.h, g.s = in.w;
	const dnnl_memory_desc_t src = any_layout(in), w = mch_dnnl_weights_desc(&g, dnnl_f32, 0), seen = plain(out);
	const dnnl_dims_t dims = {graph->batch, k}, bias_dims = {k};
	dnnl_memory_desc_t dst, b;
	dnnl_inner_product_desc_t op;
	dnnl_primitive_desc_t pd;
	dnnl_memory_t flat, memory;
	void *data = NULL;
	dnnl_memory_desc_init_by_tag(&dst, 2, dims, dnnl_f32, dnnl_nc);
	dnnl_memory_desc_init_by_tag(&b, 1, bias_dims, dnnl_f32, dnnl_x);
	if (mch_dnnl_status(dnnl_inner_product_forward_desc_init(&op, dnnl_forward_inference, &src, &w,
								 bias ? &b : NULL, &dst),
			    "inner product", err) != 0 ||
	    mch_dnnl_describe(&graph->lib, &op, "inner product", &pd, err) != 0 ||
	    append_weighted(graph, x, &g, pd, weights, bias, &flat, err) != 0)
		return -1;
	dnnl_memory_get_data_handle(flat, &data);
	if (own(graph, &seen, data, &memory, err) != 0)
		return -1;
	return add_value(graph, out, memory, err);
}

int mch_dnnl_graph_relu(struct mch_dnnl_graph *graph, int x, struct mch_err *err)
{
	const dnnl_memory_t from = graph->values[x].memory;
	dnnl_eltwise_desc_t op;
	dnnl_primitive_desc_t pd;
	dnnl_memory_t memory;
	int call;
	if (mch_dnnl_status(dnnl_eltwise_forward_desc_init(&op, dnnl_forward_inference, dnnl_eltwise_relu,
							   desc_of(from), 0, 0),
			    "relu", err) != 0 ||
	    mch_dnnl_describe(&graph->lib, &op, "relu", &pd, err) != 0 ||
	    append(graph, from, pd, &call, &memory, err) != 0)
		return -1;
	return add_value(graph, graph->values[x].shape, memory, err);
}

int mch_dnnl_graph_softmax(struct mch_dnnl_graph *graph, int x, struct mch_err *err)
{
	const dnnl_memory_t from = graph->values[x].memory;
	dnnl_softmax_desc_t op;
	dnnl_primitive_desc_t pd;
	dnnl_memory_t memory;
	int call;
	if (mch_dnnl_status(dnnl_softmax_forward_desc_init(&op, dnnl_forward_inference, desc_of(from), 1), "softmax",
			    err) != 0 ||
	    mch_dnnl_describe(&graph->lib, &op, "softmax", &pd, err) != 0 ||
	    append(graph, from, pd, &call, &memory, err) != 0)
		return -1;
	return add_value(graph, graph->values[x].shape, memory, err);
}

int mch_dnnl_graph_flatten(struct mch_dnnl_graph *graph, int x, struct mch_err *err)
{
	const struct mch_shape in = graph->values[x].shape, out = {in.n, in.c * in.h * in.w, 1, 1};
	const dnnl_memory_desc_t ordered = plain(in), seen = plain(out);
	dnnl_memory_t from, memory;
	void *data = NULL;
	if (in_layout(graph, graph->values[x].memory, &ordered, &from, err) != 0)
		return -1;
	dnnl_memory_get_data_handle(from, &data);
	if (own(graph, &seen, data, &memory, err) != 0)
		return -1;
	return add_value(graph, out, memory, err);
}

/* Padding behind the input that makes the library count as many windows as we do (ceil_mode, clipped windows). */
static int pad_end(int n_windows, int stride, int reach, int size, int pad_begin)
{
	const int need = (n_windows - 1) * stride + reach - size - pad_begin;
	return need > 0 ? need : 0; /* below 0: rows that no window reads, which the library drops as well */
}

static int append_pool(struct mch_dnnl_graph *graph, int x, const struct mch_pool *g, dnnl_alg_kind_t alg,
		       dnnl_memory_t *memory, struct mch_err *err)
{
	const int n_p = mch_pool_p(g), n_q = mch_pool_q(g);
	const dnnl_memory_t from = graph->values[x].memory;
	const dnnl_memory_desc_t dst = any_layout((struct mch_shape){graph->batch, g->c, n_p, n_q});
	const dnnl_dims_t strides = {g->stride_h, g->stride_w}, kernel = {g->r, g->s};
	const dnnl_dims_t begin = {g->pad_top, g->pad_left};
	/* The library counts from 0, and wants no more holes than the input has rows even where the window has one row. */
	const dnnl_dims_t holes = {g->r > 1 ? g->dilation_h - 1 : 0, g->s > 1 ? g->dilation_w - 1 : 0};
	const dnnl_dims_t end = {pad_end(n_p, g->stride_h, (g->r - 1) * g->dilation_h + 1, g->h, g->pad_top),
				 pad_end(n_q, g->stride_w, (g->s - 1) * g->dilation_w + 1, g->w, g->pad_left)};
	dnnl_pooling_v2_desc_t op;
	dnnl_primitive_desc_t pd;
	int call;
	if (mch_dnnl_status(dnnl_pooling_v2_forward_desc_init(&op, dnnl_forward_inference, alg, desc_of(from), &dst,
							      strides, kernel, holes, begin, end),
			    "pooling", err) != 0 ||
	    mch_dnnl_describe(&graph->lib, &op, "pooling", &pd, err) != 0)
		return -1;
	return append(graph, from, pd, &call, memory, err);
}

int mch_dnnl_graph_pool_max(struct mch_dnnl_graph *graph, int x, const struct mch_pool *g, struct mch_err *err)
{
	dnnl_memory_t memory;
	if (append_pool(graph, x, g, dnnl_pooling_max, &memory, err) != 0)
		return -1;
	return add_value(graph, (struct mch_shape){1, g->c, mch_pool_p(g), mch_pool_q(g)}, memory, err);
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

/* The library divides by the whole window or by its part inside the input; ours may count only some of the padding
 * (see mch_window), so the second is corrected by a factor for each position. */
int mch_dnnl_graph_pool_avg(struct mch_dnnl_graph *graph, int x, const struct mch_pool *g, struct mch_err *err)
{
	const struct mch_shape out = {graph->batch, g->c, mch_pool_p(g), mch_pool_q(g)};
	dnnl_memory_t mean, factors, memory;
	dnnl_binary_desc_t op;
	dnnl_primitive_desc_t pd;
	int call;
	if (append_pool(graph, x, g, dnnl_pooling_avg_exclude_padding, &mean, err) != 0)
		return -1;
	if (!g->count_include_pad)
		return add_value(graph, out, mean, err);
	const dnnl_memory_desc_t one = plain((struct mch_shape){1, 1, out.h, out.w});
	float *factor = divisor_factors(g);
	int status = factor ? constant(graph, factor, &one, &one, &factors, err) : no_memory(err);
	free(factor);
	if (status == 0)
		status = mch_dnnl_status(dnnl_binary_desc_init(&op, dnnl_binary_mul, desc_of(mean), &one,
							       desc_of(mean)),
					 "scaling", err);
	if (status != 0 || mch_dnnl_describe(&graph->lib, &op, "scaling", &pd, err) != 0 ||
	    append(graph, mean, pd, &call, &memory, err) != 0)
		return -1;
	mch_dnnl_arg(&graph->calls[call], DNNL_ARG_SRC_1, factors);
	return add_value(graph, out, memory, err);
}

int mch_dnnl_graph_run(struct mch_dnnl_graph *graph, const float *input, struct mch_err *err)
{
	void *data = NULL;
	dnnl_memory_get_data_handle(graph->values[0].memory, &data);
	memcpy(data, input, mch_shape_elems(graph->values[0].shape) * sizeof(float));
	for (int i = 0; i < graph->n_calls; i++)
		if (mch_dnnl_run(&graph->lib, &graph->calls[i], err) != 0)
			return -1;
	return 0;
}

int mch_dnnl_graph_read(struct mch_dnnl_graph *graph, int value, float *out, struct mch_err *err)
{
	const dnnl_memory_desc_t desc = plain(graph->values[value].shape);
	dnnl_memory_t to;
	if (mch_dnnl_memory(&graph->lib, &desc, out, &to, err) != 0)
		return -1;
	const int status = mch_dnnl_reorder(&graph->lib, graph->values[value].memory, to, err);
	dnnl_memory_destroy(to);
	return status;
}
