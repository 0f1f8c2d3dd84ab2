/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What all files dnnl_* share: one compiled primitive with its arguments. Only files named dnnl_* may
 * include it: the C interface of oneDNN differs between its major versions, and they are the one place that knows.
 * Host only: no RTL twin. */
#ifndef MCH_FAST_DNNL_CALL_H
#define MCH_FAST_DNNL_CALL_H

#include <oneapi/dnnl/dnnl.h>

#include "base/err.h"
#include "fast/dnnl_graph.h"
#include "op/conv.h"

#if DNNL_VERSION_MAJOR != 2
#error "oneDNN 2.x is needed: its C interface changed in 3.0 (Debian 12: libdnnl-dev 2.6)"
#endif

struct mch_dnnl {
	dnnl_engine_t engine;
	dnnl_stream_t stream;
};

enum { MCH_DNNL_ARGS_MAX = 8 };

/* Memory objects are borrowed but for the scratchpad, which is the call's own: no state is shared between threads. */
struct mch_dnnl_call {
	dnnl_primitive_t primitive;
	dnnl_memory_t scratchpad;
	int n_args;
	dnnl_exec_arg_t args[MCH_DNNL_ARGS_MAX];
};

int mch_dnnl_open(struct mch_dnnl *lib, struct mch_err *err);
void mch_dnnl_close(struct mch_dnnl *lib);

/* 0, or -1 with err: "oneDNN: WHAT: reason; ...". */
int mch_dnnl_status(dnnl_status_t status, const char *what, struct mch_err *err);

dnnl_memory_desc_t mch_dnnl_desc4(int n, int c, int h, int w, dnnl_data_type_t type, dnnl_format_tag_t tag);

/* handle NULL: memory of its own, zeroed. */
int mch_dnnl_memory(const struct mch_dnnl *lib, const dnnl_memory_desc_t *desc, void *handle, dnnl_memory_t *out,
		    struct mch_err *err);

/* What is done to each result before it is stored: map(result + added). */
struct mch_dnnl_post {
	const dnnl_memory_desc_t *added; /* NULL: none; argument MCH_DNNL_ARG_ADDED */
	struct mch_dnnl_map map;
};
enum { MCH_DNNL_ARG_ADDED = DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1 };

/* The library's function, with its two parameters. */
dnnl_alg_kind_t mch_dnnl_eltwise(struct mch_dnnl_map map, float *alpha, float *beta);

/* The descriptor of a primitive, from a filled operation descriptor; post NULL: none. */
int mch_dnnl_describe(const struct mch_dnnl *lib, const_dnnl_op_desc_t op, const struct mch_dnnl_post *post,
		      const char *what, dnnl_primitive_desc_t *out, struct mch_err *err);
int mch_dnnl_describe_reorder(const struct mch_dnnl *lib, const dnnl_memory_desc_t *from,
			      const dnnl_memory_desc_t *to, dnnl_primitive_desc_t *out, struct mch_err *err);

/* Attributes with a scratchpad of the caller's; the library's own would belong to the thread that compiles. */
int mch_dnnl_attr(const struct mch_dnnl_post *post, dnnl_primitive_attr_t *out, struct mch_err *err);

/* Forward convolution of g (with its n) over descriptors that the caller chose; bias NULL: none. */
int mch_dnnl_describe_conv(const struct mch_dnnl *lib, const struct mch_conv *g, dnnl_alg_kind_t alg,
			   const dnnl_memory_desc_t *src,
			   const dnnl_memory_desc_t *weights, const dnnl_memory_desc_t *bias,
			   const dnnl_memory_desc_t *dst, const struct mch_dnnl_post *post,
			   dnnl_primitive_desc_t *out, struct mch_err *err);

/* Weights of g: in the plain order K(C/groups)RS (seen as [groups][k/groups]... when there are groups), or in any. */
dnnl_memory_desc_t mch_dnnl_weights_desc(const struct mch_conv *g, dnnl_data_type_t type, int is_plain);

/* Compiles; takes pd over, whatever happens. */
int mch_dnnl_compile(const struct mch_dnnl *lib, dnnl_primitive_desc_t pd, struct mch_dnnl_call *call,
		     struct mch_err *err);
int mch_dnnl_compile_reorder(const struct mch_dnnl *lib, dnnl_memory_t from, dnnl_memory_t to,
			     struct mch_dnnl_call *call, struct mch_err *err);
void mch_dnnl_arg(struct mch_dnnl_call *call, int arg, dnnl_memory_t memory);
int mch_dnnl_run(const struct mch_dnnl *lib, const struct mch_dnnl_call *call, struct mch_err *err);
void mch_dnnl_call_free(struct mch_dnnl_call *call);

/* Reorders once, now. */
int mch_dnnl_reorder(const struct mch_dnnl *lib, dnnl_memory_t from, dnnl_memory_t to, struct mch_err *err);

#endif
