/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Convolution, deconvolution and dense of the float graph; see dnnl_graph.h. */
#include <string.h>

#include "fast/dnnl_value.h"

enum { BLOCK = 16, FEW_IMAGES = 8 };

/* Kernels for blocks of 16 channels. */
static int has_blocks(void)
{
	const int avx512 = dnnl_cpu_isa_avx512_core;
	return ((int)dnnl_get_effective_cpu_isa() & avx512) == avx512;
}

/* The plain layouts of weights and bias. */
struct shapes {
	dnnl_memory_desc_t weights, bias;
};

static dnnl_memory_desc_t vector_desc(int n)
{
	const dnnl_dims_t dims = {n};
	dnnl_memory_desc_t desc;
	dnnl_memory_desc_init_by_tag(&desc, 1, dims, dnnl_f32, dnnl_x);
	return desc;
}

/* Packs weights and bias as pd (taken over) wants them, and appends it; the memory of its result. */
static int append_weighted(struct mch_dnnl_graph *graph, int x, const struct mch_dnnl_weighted *w,
			   const struct shapes *plain, int added, dnnl_primitive_desc_t pd, struct mch_err *err)
{
	struct mch_dnnl_use more[3];
	int n = 0, status = 0;
	const dnnl_memory_desc_t *want = dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
	more[n++] = (struct mch_dnnl_use){DNNL_ARG_WEIGHTS,
					  mch_dnnl_add_constant(graph, w->weights, &plain->weights, want, err)};
	status = more[0].memory < 0 ? -1 : 0;
	if (status == 0 && w->bias) {
		const int bias = mch_dnnl_add_constant(graph, w->bias, &plain->bias, &plain->bias, err);
		more[n++] = (struct mch_dnnl_use){DNNL_ARG_BIAS, bias};
		status = bias < 0 ? -1 : 0;
	}
	if (status == 0 && added >= 0)
		more[n++] = (struct mch_dnnl_use){MCH_DNNL_ARG_ADDED, added};
	if (status != 0) {
		dnnl_primitive_desc_destroy(pd);
		return -1;
	}
	return mch_dnnl_add_simple(graph, graph->values[x].memory, pd, n, more, err);
}

static int largest_prime(int n)
{
	int largest = 1;
	for (int p = 2; n > 1; p++)
		for (; n % p == 0; n /= p)
			largest = p;
	return largest;
}

/* The library cuts channels into blocks of 16, and shares these out by their factors: with one of 7 and above it
 * was found slower than the direct kernel (96 to 208 channels of 14x14 and 112 to 224: 0.5 to 0.8 times its
 * speed; others 1.2 to 2.5 times). */
bool mch_dnnl_is_winograd(const struct mch_conv *g)
{
	return g->groups == 1 && g->r == 3 && g->s == 3 && g->stride_h == 1 && g->stride_w == 1 &&
	       g->dilation_h == 1 && g->dilation_w == 1 && g->pad_top <= 1 && g->pad_left <= 1 &&
	       g->pad_bottom <= 1 && g->pad_right <= 1 &&
	       g->c % BLOCK == 0 && g->k % BLOCK == 0 && largest_prime(g->c / BLOCK) < 7 &&
	       largest_prime(g->k / BLOCK) < 7;
}

/* How a convolution is computed, and in what layouts. */
struct choice {
	dnnl_alg_kind_t alg;
	dnnl_memory_desc_t src, dst;
};

static int describe_conv(const struct mch_dnnl_graph *graph, const struct mch_conv *g, int has_bias,
			 const struct choice *how, const struct mch_dnnl_post *post, dnnl_primitive_desc_t *pd,
			 struct mch_err *err)
{
	const dnnl_memory_desc_t w = mch_dnnl_weights_desc(g, dnnl_f32, 0), b = vector_desc(g->k);
	return mch_dnnl_describe_conv(&graph->lib, g, how->alg, &how->src, &w, has_bias ? &b : NULL, &how->dst, post,
				      pd, err);
}

static const char *kernel_of(const_dnnl_primitive_desc_t pd)
{
	const char *name = NULL;
	dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, (void *)&name);
	return name ? name : "";
}

/* The library's reference kernels are a thousand times slower than the others. */
static int describe_fast(const struct mch_dnnl_graph *graph, const struct mch_conv *g, int has_bias,
			 const struct choice *how, const struct mch_dnnl_post *post, dnnl_primitive_desc_t *pd)
{
	struct mch_err unused = {""};
	if (describe_conv(graph, g, has_bias, how, post, pd, &unused) != 0)
		return -1;
	if (strncmp(kernel_of(*pd), "ref", 3) != 0)
		return 0;
	dnnl_primitive_desc_destroy(*pd);
	return -1;
}

/* The fastest way for the graph as a whole: Winograd's kernels want blocks of channels, so all others that can
 * have them too; an image's few channels are not worth filling up. */
static int choose_conv(const struct mch_dnnl_graph *graph, int x, const struct mch_conv *g, int has_bias,
		       const struct mch_dnnl_post *post, struct choice *how, dnnl_primitive_desc_t *pd,
		       struct mch_err *err)
{
	const struct mch_shape in = graph->values[x].shape, out = {graph->batch, g->k, mch_conv_p(g), mch_conv_q(g)};
	const dnnl_memory_desc_t src = mch_dnnl_any_desc(in), dst = mch_dnnl_any_desc(out);
	*how = (struct choice){dnnl_convolution_winograd, src, dst};
	if (graph->kernels == MCH_KERNELS_WINOGRAD) {
		if (mch_dnnl_is_winograd(g) && describe_fast(graph, g, has_bias, how, post, pd) == 0)
			return 0;
		how->alg = dnnl_convolution_direct;
		how->src = mch_dnnl_desc4(in.n, in.c, in.h, in.w, dnnl_f32, dnnl_nChw16c);
		how->dst = mch_dnnl_desc4(out.n, out.c, out.h, out.w, dnnl_f32, dnnl_nChw16c);
		if (has_blocks() && in.c >= BLOCK && g->groups == 1 &&
		    describe_fast(graph, g, has_bias, how, post, pd) == 0)
			return 0;
	}
	*how = (struct choice){dnnl_convolution_direct, src, dst};
	return describe_conv(graph, g, has_bias, how, post, pd, err);
}

/* Replaces pd, whose kernel adds nothing, by the same kernel with the addition; *added: its operand in the result's
 * layout, or -1 when the kernel cannot. */
static int describe_added(struct mch_dnnl_graph *graph, const struct mch_conv *g, const struct mch_dnnl_weighted *w,
			  struct choice *how, dnnl_primitive_desc_t *pd, int *added, struct mch_err *err)
{
	how->dst = *dnnl_primitive_desc_query_md(*pd, dnnl_query_dst_md, 0);
	const struct mch_dnnl_post post = {&how->dst, w->map};
	struct mch_err unused = {""};
	dnnl_primitive_desc_t with = NULL;
	*added = -1;
	if (describe_conv(graph, g, w->bias != NULL, how, &post, &with, &unused) != 0)
		return 0;
	if (strcmp(kernel_of(*pd), kernel_of(with)) != 0) {
		dnnl_primitive_desc_destroy(with);
		return 0;
	}
	dnnl_primitive_desc_destroy(*pd);
	*pd = with;
	*added = mch_dnnl_in_layout(graph, graph->values[w->added].memory, &how->dst, err);
	return *added < 0 ? -1 : 0;
}

int mch_dnnl_graph_conv(struct mch_dnnl_graph *graph, int x, const struct mch_conv *g,
			const struct mch_dnnl_weighted *w, struct mch_err *err)
{
	const struct mch_shape out = {graph->batch, g->k, mch_conv_p(g), mch_conv_q(g)};
	const struct shapes plain = {mch_dnnl_weights_desc(g, dnnl_f32, 1), vector_desc(g->k)};
	const struct mch_dnnl_post alone = {NULL, w->map};
	struct choice how;
	dnnl_primitive_desc_t pd;
	int added = -1;
	/* What is added goes in between: without a kernel that can, the map has to wait for it. */
	if (choose_conv(graph, x, g, w->bias != NULL, w->added < 0 ? &alone : NULL, &how, &pd, err) != 0)
		return -1;
	if (w->added >= 0 && describe_added(graph, g, w, &how, &pd, &added, err) != 0) {
		dnnl_primitive_desc_destroy(pd);
		return -1;
	}
	const int y = mch_dnnl_add_value(graph, out, append_weighted(graph, x, w, &plain, added, pd, err), err);
	if (y < 0 || w->added < 0 || added >= 0)
		return y;
	const int both[2] = {y, w->added}, sum = mch_dnnl_graph_join(graph, MCH_JOIN_SUM, 2, both, NULL, err);
	return sum < 0 || w->map.fn == MCH_FN_SAME ? sum : mch_dnnl_graph_map(graph, sum, w->map, err);
}

/* Our weights have the input's channels outside, the library's definition the output's. */
static dnnl_memory_desc_t deconv_weights(const struct mch_conv *g, int is_plain)
{
	const dnnl_dims_t one = {g->k, g->c, g->r, g->s};
	const dnnl_dims_t many = {g->groups, g->k / g->groups, g->c / g->groups, g->r, g->s};
	dnnl_memory_desc_t desc;
	memset(&desc, 0, sizeof(desc));
	if (g->groups == 1)
		dnnl_memory_desc_init_by_tag(&desc, 4, one, dnnl_f32, is_plain ? dnnl_iohw : dnnl_format_tag_any);
	else
		dnnl_memory_desc_init_by_tag(&desc, 5, many, dnnl_f32, is_plain ? dnnl_giohw : dnnl_format_tag_any);
	return desc;
}

int mch_dnnl_graph_deconv(struct mch_dnnl_graph *graph, int x, const struct mch_conv *g, int p, int q,
			  const struct mch_dnnl_weighted *w, struct mch_err *err)
{
	const struct mch_shape out = {graph->batch, g->k, p, q};
	const dnnl_memory_desc_t src = mch_dnnl_any_desc(graph->values[x].shape), dst = mch_dnnl_any_desc(out);
	const dnnl_memory_desc_t weights = deconv_weights(g, 0);
	const struct shapes plain = {deconv_weights(g, 1), vector_desc(g->k)};
	const dnnl_dims_t strides = {g->stride_h, g->stride_w}, dilates = {g->dilation_h - 1, g->dilation_w - 1},
			  begin = {g->pad_top, g->pad_left}, end = {g->pad_bottom, g->pad_right};
	dnnl_deconvolution_desc_t op;
	dnnl_primitive_desc_t pd;
	if (mch_dnnl_status(dnnl_dilated_deconvolution_forward_desc_init(&op, dnnl_forward_inference,
									 dnnl_deconvolution_direct, &src, &weights,
									 w->bias ? &plain.bias : NULL, &dst, strides,
									 dilates, begin, end),
			    "deconvolution", err) != 0 ||
	    mch_dnnl_describe(&graph->lib, &op, NULL, "deconvolution", &pd, err) != 0)
		return -1;
	const int y = mch_dnnl_add_value(graph, out, append_weighted(graph, x, w, &plain, -1, pd, err), err);
	return y < 0 || w->map.fn == MCH_FN_SAME ? y : mch_dnnl_graph_map(graph, y, w->map, err);
}

/* Few images are best flattened first: CaffeNet's fc6, 256x6x6 to 4096, took 9 ms for one image as it was, and half as
 * long flat. */
int mch_dnnl_graph_dense(struct mch_dnnl_graph *graph, int x, int k, const struct mch_dnnl_weighted *w,
			 struct mch_err *err)
{
	const struct mch_shape whole = graph->values[x].shape;
	if (whole.h * whole.w > 1 && graph->batch < FEW_IMAGES) {
		x = mch_dnnl_graph_reshape(graph, x, (struct mch_shape){1, whole.c * whole.h * whole.w, 1, 1}, err);
		if (x < 0)
			return -1;
	}
	const struct mch_shape in = graph->values[x].shape, out = {graph->batch, k, 1, 1};
	/* Its weights have the layout of a convolution whose kernel is the whole input. */
	struct mch_conv g = mch_dense_geometry(graph->batch, in.c, k);
	g.r = in.h, g.s = in.w;
	const dnnl_memory_desc_t src = mch_dnnl_any_desc(in), weights = mch_dnnl_weights_desc(&g, dnnl_f32, 0);
	const dnnl_memory_desc_t seen = mch_dnnl_plain_desc(out);
	const struct shapes plain = {mch_dnnl_weights_desc(&g, dnnl_f32, 1), vector_desc(k)};
	const struct mch_dnnl_post post = {NULL, w->map};
	const dnnl_dims_t dims = {graph->batch, k};
	dnnl_memory_desc_t dst;
	dnnl_inner_product_desc_t op;
	dnnl_primitive_desc_t pd;
	dnnl_memory_desc_init_by_tag(&dst, 2, dims, dnnl_f32, dnnl_nc);
	if (mch_dnnl_status(dnnl_inner_product_forward_desc_init(&op, dnnl_forward_inference, &src, &weights,
								 w->bias ? &plain.bias : NULL, &dst),
			    "inner product", err) != 0 ||
	    mch_dnnl_describe(&graph->lib, &op, &post, "inner product", &pd, err) != 0)
		return -1;
	const int flat = append_weighted(graph, x, w, &plain, -1, pd, err);
	return flat < 0 ? -1 : mch_dnnl_add_value(graph, out, mch_dnnl_add_view(graph, flat, &seen, err), err);
}
