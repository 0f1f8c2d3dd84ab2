/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* One compiled oneDNN primitive with its arguments; see dnnl_call.h. */
#include "fast/dnnl_call.h"

#include <string.h>

int mch_dnnl_status(dnnl_status_t status, const char *what, struct mch_err *err)
{
	static const char *const reason[] = {"success", "out of memory", "invalid arguments", "not implemented",
					     "end of iterator", "runtime error", "not required"};
	if (status == dnnl_success)
		return 0;
	const char *text = (size_t)status < sizeof(reason) / sizeof(reason[0]) ? reason[status] : "unknown failure";
	return mch_err_set(err, "oneDNN", "%s: %s; %s", what, text,
			   status == dnnl_out_of_memory ? "use smaller batches or a machine with more memory"
							: "this layer's geometry may be too large for the library");
}

int mch_dnnl_open(struct mch_dnnl *lib, struct mch_err *err)
{
	memset(lib, 0, sizeof(*lib));
	int status = mch_dnnl_status(dnnl_engine_create(&lib->engine, dnnl_cpu, 0), "engine", err);
	if (status == 0)
		status = mch_dnnl_status(dnnl_stream_create(&lib->stream, lib->engine, dnnl_stream_default_flags),
					 "stream", err);
	if (status != 0)
		mch_dnnl_close(lib);
	return status;
}

void mch_dnnl_close(struct mch_dnnl *lib)
{
	if (lib->stream)
		dnnl_stream_destroy(lib->stream);
	if (lib->engine)
		dnnl_engine_destroy(lib->engine);
	memset(lib, 0, sizeof(*lib));
}

dnnl_memory_desc_t mch_dnnl_desc4(int n, int c, int h, int w, dnnl_data_type_t type, dnnl_format_tag_t tag)
{
	const dnnl_dims_t dims = {n, c, h, w};
	dnnl_memory_desc_t desc;
	memset(&desc, 0, sizeof(desc));
	dnnl_memory_desc_init_by_tag(&desc, 4, dims, type, tag);
	return desc;
}

dnnl_memory_desc_t mch_dnnl_weights_desc(const struct mch_conv *g, dnnl_data_type_t type, int is_plain)
{
	const dnnl_dims_t one = {g->k, g->c, g->r, g->s};
	const dnnl_dims_t many = {g->groups, g->k / g->groups, g->c / g->groups, g->r, g->s};
	dnnl_memory_desc_t desc;
	memset(&desc, 0, sizeof(desc));
	if (g->groups == 1)
		dnnl_memory_desc_init_by_tag(&desc, 4, one, type, is_plain ? dnnl_oihw : dnnl_format_tag_any);
	else
		dnnl_memory_desc_init_by_tag(&desc, 5, many, type, is_plain ? dnnl_goihw : dnnl_format_tag_any);
	return desc;
}

int mch_dnnl_memory(const struct mch_dnnl *lib, const dnnl_memory_desc_t *desc, void *handle, dnnl_memory_t *out,
		    struct mch_err *err)
{
	const size_t bytes = dnnl_memory_desc_get_size(desc);
	*out = NULL;
	if (mch_dnnl_status(dnnl_memory_create(out, desc, lib->engine, handle ? handle : DNNL_MEMORY_ALLOCATE),
			    "memory", err) != 0)
		return -1;
	if (!handle && bytes > 0) {
		void *data = NULL;
		dnnl_memory_get_data_handle(*out, &data);
		memset(data, 0, bytes);
	}
	return 0;
}

dnnl_alg_kind_t mch_dnnl_eltwise(struct mch_dnnl_map map, float *alpha, float *beta)
{
	*alpha = map.fn == MCH_FN_RELU ? 0 : map.a;
	*beta = map.b;
	switch (map.fn) {
	case MCH_FN_RELU:
	case MCH_FN_LEAKY:
		return dnnl_eltwise_relu;
	case MCH_FN_CLIP:
		return dnnl_eltwise_clip;
	case MCH_FN_SIGMOID:
		return dnnl_eltwise_logistic;
	case MCH_FN_TANH:
		return dnnl_eltwise_tanh;
	default:
		*alpha = 1, *beta = 0;
		return dnnl_eltwise_linear;
	}
}

static dnnl_status_t append_post(dnnl_primitive_attr_t attr, const struct mch_dnnl_post *post)
{
	dnnl_post_ops_t ops;
	float alpha, beta;
	const dnnl_alg_kind_t alg = mch_dnnl_eltwise(post->map, &alpha, &beta);
	if (dnnl_post_ops_create(&ops) != dnnl_success)
		return dnnl_out_of_memory;
	dnnl_status_t status = dnnl_success;
	if (post->added)
		status = dnnl_post_ops_append_binary(ops, dnnl_binary_add, post->added);
	if (status == dnnl_success && post->map.fn != MCH_FN_SAME)
		status = dnnl_post_ops_append_eltwise(ops, 1, alg, alpha, beta);
	if (status == dnnl_success)
		status = dnnl_primitive_attr_set_post_ops(attr, ops);
	dnnl_post_ops_destroy(ops);
	return status;
}

int mch_dnnl_attr(const struct mch_dnnl_post *post, dnnl_primitive_attr_t *out, struct mch_err *err)
{
	dnnl_status_t status = dnnl_primitive_attr_create(out);
	if (status != dnnl_success) {
		*out = NULL;
		return mch_dnnl_status(status, "attributes", err);
	}
	status = dnnl_primitive_attr_set_scratchpad_mode(*out, dnnl_scratchpad_mode_user);
	if (status == dnnl_success && post)
		status = append_post(*out, post);
	if (status == dnnl_success)
		return 0;
	dnnl_primitive_attr_destroy(*out);
	*out = NULL;
	return mch_dnnl_status(status, "attributes", err);
}

int mch_dnnl_describe(const struct mch_dnnl *lib, const_dnnl_op_desc_t op, const struct mch_dnnl_post *post,
		      const char *what, dnnl_primitive_desc_t *out, struct mch_err *err)
{
	dnnl_primitive_attr_t attr;
	*out = NULL;
	if (mch_dnnl_attr(post, &attr, err) != 0)
		return -1;
	const int status = mch_dnnl_status(dnnl_primitive_desc_create(out, op, attr, lib->engine, NULL), what, err);
	dnnl_primitive_attr_destroy(attr);
	return status;
}

int mch_dnnl_describe_reorder(const struct mch_dnnl *lib, const dnnl_memory_desc_t *from,
			      const dnnl_memory_desc_t *to, dnnl_primitive_desc_t *out, struct mch_err *err)
{
	dnnl_primitive_attr_t attr;
	*out = NULL;
	if (mch_dnnl_attr(NULL, &attr, err) != 0)
		return -1;
	const int status = mch_dnnl_status(dnnl_reorder_primitive_desc_create(out, from, lib->engine, to, lib->engine,
									      attr),
					   "reorder", err);
	dnnl_primitive_attr_destroy(attr);
	return status;
}

int mch_dnnl_describe_conv(const struct mch_dnnl *lib, const struct mch_conv *g, dnnl_alg_kind_t alg,
			   const dnnl_memory_desc_t *src,
			   const dnnl_memory_desc_t *weights, const dnnl_memory_desc_t *bias,
			   const dnnl_memory_desc_t *dst, const struct mch_dnnl_post *post,
			   dnnl_primitive_desc_t *out, struct mch_err *err)
{
	const dnnl_dims_t strides = {g->stride_h, g->stride_w}, dilates = {g->dilation_h - 1, g->dilation_w - 1},
			  begin = {g->pad_top, g->pad_left}, end = {g->pad_bottom, g->pad_right};
	dnnl_convolution_desc_t op;
	*out = NULL;
	if (mch_dnnl_status(dnnl_dilated_convolution_forward_desc_init(&op, dnnl_forward_inference,
								       alg, src, weights, bias, dst, strides, dilates,
								       begin, end),
			    "convolution", err) != 0)
		return -1;
	return mch_dnnl_describe(lib, &op, post, "convolution", out, err);
}

int mch_dnnl_compile(const struct mch_dnnl *lib, dnnl_primitive_desc_t pd, struct mch_dnnl_call *call,
		     struct mch_err *err)
{
	memset(call, 0, sizeof(*call));
	const dnnl_memory_desc_t *scratch = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
	int status = mch_dnnl_status(dnnl_primitive_create(&call->primitive, pd), "compiling", err);
	if (status == 0 && scratch && dnnl_memory_desc_get_size(scratch) > 0) {
		status = mch_dnnl_memory(lib, scratch, NULL, &call->scratchpad, err);
		mch_dnnl_arg(call, DNNL_ARG_SCRATCHPAD, call->scratchpad);
	}
	dnnl_primitive_desc_destroy(pd);
	if (status != 0)
		mch_dnnl_call_free(call);
	return status;
}

int mch_dnnl_compile_reorder(const struct mch_dnnl *lib, dnnl_memory_t from, dnnl_memory_t to,
			     struct mch_dnnl_call *call, struct mch_err *err)
{
	const dnnl_memory_desc_t *src, *dst;
	dnnl_primitive_desc_t pd;
	dnnl_memory_get_memory_desc(from, &src);
	dnnl_memory_get_memory_desc(to, &dst);
	memset(call, 0, sizeof(*call));
	if (mch_dnnl_describe_reorder(lib, src, dst, &pd, err) != 0 || mch_dnnl_compile(lib, pd, call, err) != 0)
		return -1;
	mch_dnnl_arg(call, DNNL_ARG_FROM, from);
	mch_dnnl_arg(call, DNNL_ARG_TO, to);
	return 0;
}

void mch_dnnl_arg(struct mch_dnnl_call *call, int arg, dnnl_memory_t memory)
{
	call->args[call->n_args++] = (dnnl_exec_arg_t){arg, memory};
}

int mch_dnnl_run(const struct mch_dnnl *lib, const struct mch_dnnl_call *call, struct mch_err *err)
{
	if (mch_dnnl_status(dnnl_primitive_execute(call->primitive, lib->stream, call->n_args, call->args), "running",
			    err) != 0)
		return -1;
	return mch_dnnl_status(dnnl_stream_wait(lib->stream), "running", err);
}

void mch_dnnl_call_free(struct mch_dnnl_call *call)
{
	if (call->primitive)
		dnnl_primitive_destroy(call->primitive);
	if (call->scratchpad)
		dnnl_memory_destroy(call->scratchpad);
	memset(call, 0, sizeof(*call));
}

int mch_dnnl_reorder(const struct mch_dnnl *lib, dnnl_memory_t from, dnnl_memory_t to, struct mch_err *err)
{
	struct mch_dnnl_call call;
	if (mch_dnnl_compile_reorder(lib, from, to, &call, err) != 0)
		return -1;
	const int status = mch_dnnl_run(lib, &call, err);
	mch_dnnl_call_free(&call);
	return status;
}
