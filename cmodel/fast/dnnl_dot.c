/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Exact dot products of bytes on oneDNN; see dnnl.h.
 *
 * What is exact, and why:
 * - With AVX-512 VNNI the four products of a step are summed into 32 bits at once. Without it (vpmaddubsw) pairs
 *   of products saturate at 16 bits, so such machines get the same operands as float, exact while sums stay within
 *   2^24.
 * - Sources are always unsigned. For signed ones oneDNN adds 128 and takes it back in float behind the sum, which
 *   rounds above 2^24 (found by measurement, 25088 terms); our caller adds the offset itself and takes it back in
 *   integers.
 * - The brgemm kernels store the 32-bit sums untouched when no scale is asked for; the older ones (jit_int8, gemm)
 *   pass them through float, and so get the limit of float. */
#include <stdlib.h>
#include <string.h>

#include "fast/dnnl.h"
#include "fast/dnnl_call.h"

struct mch_dnnl_dot {
	struct mch_dnnl lib;
	struct mch_conv g;
	int64_t limit;
	dnnl_memory_t x, weights, acc; /* x and acc borrow the caller's buffers */
	struct mch_dnnl_call call;
	/* On machines without exact byte products: bytes to float, float sums to int32. */
	int is_float;
	dnnl_memory_t x_f32, acc_f32;
	struct mch_dnnl_call widen, narrow;
};

int mch_dnnl_has_exact_bytes(void)
{
	const int vnni = dnnl_cpu_isa_avx512_core_vnni;
	return ((int)dnnl_get_effective_cpu_isa() & vnni) == vnni;
}

/* The kernel is the whole input, which is a matrix product. */
static int is_dense(const struct mch_conv *g)
{
	return g->groups == 1 && g->h == 1 && g->w == 1 && g->r == 1 && g->s == 1 && mch_conv_p(g) == 1 &&
	       mch_conv_q(g) == 1 && g->pad_top == 0 && g->pad_left == 0;
}

static int describe_dense(const struct mch_dnnl_dot *dot, dnnl_data_type_t x_type, dnnl_data_type_t w_type,
			  dnnl_data_type_t acc_type, dnnl_primitive_desc_t *pd, struct mch_err *err)
{
	const struct mch_conv *g = &dot->g;
	const dnnl_dims_t x_dims = {g->n, g->c}, w_dims = {g->k, g->c}, acc_dims = {g->n, g->k};
	dnnl_memory_desc_t x, w, acc;
	dnnl_inner_product_desc_t op;
	dnnl_memory_desc_init_by_tag(&x, 2, x_dims, x_type, dnnl_nc);
	dnnl_memory_desc_init_by_tag(&w, 2, w_dims, w_type, dnnl_format_tag_any);
	dnnl_memory_desc_init_by_tag(&acc, 2, acc_dims, acc_type, dnnl_nc);
	if (mch_dnnl_status(dnnl_inner_product_forward_desc_init(&op, dnnl_forward_inference, &x, &w, NULL, &acc),
			    "inner product", err) != 0)
		return -1;
	return mch_dnnl_describe(&dot->lib, &op, NULL, "inner product", pd, err);
}

static int describe(const struct mch_dnnl_dot *dot, dnnl_data_type_t x_type, dnnl_data_type_t w_type,
		    dnnl_data_type_t acc_type, dnnl_primitive_desc_t *pd, struct mch_err *err)
{
	const struct mch_conv *g = &dot->g;
	if (is_dense(g))
		return describe_dense(dot, x_type, w_type, acc_type, pd, err);
	const dnnl_memory_desc_t x = mch_dnnl_desc4(g->n, g->c, g->h, g->w, x_type, dnnl_nhwc);
	const dnnl_memory_desc_t w = mch_dnnl_weights_desc(g, w_type, 0);
	const dnnl_memory_desc_t acc = mch_dnnl_desc4(g->n, g->k, mch_conv_p(g), mch_conv_q(g), acc_type, dnnl_nhwc);
	return mch_dnnl_describe_conv(&dot->lib, g, dnnl_convolution_direct, &x, &w, NULL, &acc, NULL, pd, err);
}

/* Sums of bytes are kept in 32 bits by these kernels alone. */
static int keeps_sums(dnnl_primitive_desc_t pd)
{
	const char *name = NULL;
	dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, (void *)&name);
	return name && strncmp(name, "brg", 3) == 0;
}

static int pack_weights(struct mch_dnnl_dot *dot, dnnl_primitive_desc_t pd, const int8_t *weights,
			struct mch_err *err)
{
	const dnnl_dims_t dense_dims = {dot->g.k, dot->g.c};
	dnnl_memory_desc_t plain = mch_dnnl_weights_desc(&dot->g, dnnl_s8, 1);
	dnnl_memory_t from = NULL;
	if (is_dense(&dot->g))
		dnnl_memory_desc_init_by_tag(&plain, 2, dense_dims, dnnl_s8, dnnl_oi);
	/* The library only reads it. */
	int status = mch_dnnl_memory(&dot->lib, &plain, (void *)(uintptr_t)weights, &from, err);
	if (status == 0)
		status = mch_dnnl_memory(&dot->lib, dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0), NULL,
					 &dot->weights, err);
	if (status == 0)
		status = mch_dnnl_reorder(&dot->lib, from, dot->weights, err);
	if (from)
		dnnl_memory_destroy(from);
	return status;
}

/* Memory of the caller, its address set at every run. */
static int borrow(const struct mch_dnnl *lib, const dnnl_memory_desc_t *desc, dnnl_data_type_t type,
		  dnnl_memory_t *out, struct mch_err *err)
{
	dnnl_memory_desc_t typed;
	dnnl_memory_desc_init_by_tag(&typed, desc->ndims, desc->dims, type, desc->ndims == 2 ? dnnl_nc : dnnl_nhwc);
	return mch_dnnl_status(dnnl_memory_create(out, &typed, lib->engine, DNNL_MEMORY_NONE), "memory", err);
}

static int compile(struct mch_dnnl_dot *dot, const int8_t *weights, struct mch_err *err)
{
	const struct mch_dnnl *lib = &dot->lib;
	dnnl_primitive_desc_t pd = NULL;
	dot->is_float = !mch_dnnl_has_exact_bytes();
	if (describe(dot, dot->is_float ? dnnl_f32 : dnnl_u8, dot->is_float ? dnnl_f32 : dnnl_s8,
		     dot->is_float ? dnnl_f32 : dnnl_s32, &pd, err) != 0)
		return -1;
	dot->limit = !dot->is_float && keeps_sums(pd) ? INT32_MAX : INT64_C(1) << 24;
	const dnnl_memory_desc_t *x = dnnl_primitive_desc_query_md(pd, dnnl_query_src_md, 0);
	const dnnl_memory_desc_t *acc = dnnl_primitive_desc_query_md(pd, dnnl_query_dst_md, 0);
	int status = pack_weights(dot, pd, weights, err);
	if (status == 0)
		status = borrow(lib, x, dnnl_u8, &dot->x, err);
	if (status == 0)
		status = borrow(lib, acc, dnnl_s32, &dot->acc, err);
	if (status == 0 && dot->is_float)
		status = mch_dnnl_memory(lib, x, NULL, &dot->x_f32, err);
	if (status == 0 && dot->is_float)
		status = mch_dnnl_memory(lib, acc, NULL, &dot->acc_f32, err);
	if (status != 0) {
		dnnl_primitive_desc_destroy(pd);
		return -1;
	}
	if (mch_dnnl_compile(lib, pd, &dot->call, err) != 0)
		return -1;
	mch_dnnl_arg(&dot->call, DNNL_ARG_SRC, dot->is_float ? dot->x_f32 : dot->x);
	mch_dnnl_arg(&dot->call, DNNL_ARG_WEIGHTS, dot->weights);
	mch_dnnl_arg(&dot->call, DNNL_ARG_DST, dot->is_float ? dot->acc_f32 : dot->acc);
	if (!dot->is_float)
		return 0;
	if (mch_dnnl_compile_reorder(lib, dot->x, dot->x_f32, &dot->widen, err) != 0)
		return -1;
	return mch_dnnl_compile_reorder(lib, dot->acc_f32, dot->acc, &dot->narrow, err);
}

struct mch_dnnl_dot *mch_dnnl_dot_new(const struct mch_conv *g, const int8_t *weights, struct mch_err *err)
{
	struct mch_dnnl_dot *dot = calloc(1, sizeof(*dot));
	if (!dot) {
		mch_err_set(err, "oneDNN", "out of memory; use a machine with more");
		return NULL;
	}
	dot->g = *g;
	if (mch_dnnl_open(&dot->lib, err) != 0 || compile(dot, weights, err) != 0) {
		mch_dnnl_dot_free(dot);
		return NULL;
	}
	return dot;
}

void mch_dnnl_dot_free(struct mch_dnnl_dot *dot)
{
	if (!dot)
		return;
	const dnnl_memory_t memory[] = {dot->x, dot->weights, dot->acc, dot->x_f32, dot->acc_f32};
	mch_dnnl_call_free(&dot->call);
	mch_dnnl_call_free(&dot->widen);
	mch_dnnl_call_free(&dot->narrow);
	for (size_t i = 0; i < sizeof(memory) / sizeof(memory[0]); i++)
		if (memory[i])
			dnnl_memory_destroy(memory[i]);
	mch_dnnl_close(&dot->lib);
	free(dot);
}

int64_t mch_dnnl_dot_limit(const struct mch_dnnl_dot *dot)
{
	return dot->limit;
}

int mch_dnnl_dot_run(struct mch_dnnl_dot *dot, const uint8_t *x, int32_t *acc, struct mch_err *err)
{
	/* The library only reads x. */
	dnnl_memory_set_data_handle(dot->x, (void *)(uintptr_t)x);
	dnnl_memory_set_data_handle(dot->acc, acc);
	if (dot->is_float && mch_dnnl_run(&dot->lib, &dot->widen, err) != 0)
		return -1;
	if (mch_dnnl_run(&dot->lib, &dot->call, err) != 0)
		return -1;
	return dot->is_float ? mch_dnnl_run(&dot->lib, &dot->narrow, err) : 0;
}
