/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What the readers of ONNX operators share. Host only: no RTL twin. */
#ifndef MCH_IO_ONNX_OP_H
#define MCH_IO_ONNX_OP_H

#include "io/onnx_attr.h"
#include "io/onnx_graph.h"

/* One operator being read. */
struct mch_onnx_op {
	struct mch_onnx_graph *g;
	struct mch_onnx_node node;
	int first_layer; /* layers from here on are this operator's */
};

/* The dimensions of one image: those behind the batch, all when there is none, as with constants. Those of edges are
 * at least 1, and their product fits an int. */
struct mch_onnx_dims {
	int n;
	int64_t size[MCH_ONNX_RANK_MAX];
};

/* A short list of integers: an attribute, or an input that holds a constant. */
struct mch_onnx_list {
	bool is_given;
	int n;
	int64_t v[2 * MCH_ONNX_RANK_MAX];
};

/* Window, stride, dilation and padding that convolutions and pools have in common; pad: top, left, bottom, right. */
struct mch_onnx_window {
	int kernel[2], stride[2], dilation[2], pad[4];
};

/* All below: 0 (or an index), or -1 with err, unless they say otherwise. */

/* Copies of what the inputs are: pointers would not outlive an added value. An optional input that is missing has no
 * name. */
int mch_onnx_inputs(const struct mch_onnx_op *op, size_t n_min, size_t n_max, struct mch_onnx_value *inputs);

/* x is an edge, of that rank (batch and all) unless rank is 0. */
int mch_onnx_require_edge(const struct mch_onnx_op *op, const struct mch_onnx_value *x, int rank);
/* An edge with the values of x in an image of that size, which has as many elements; a constant becomes a layer
 * without input. */
int mch_onnx_to_edge(const struct mch_onnx_op *op, const struct mch_onnx_value *x, int64_t c, int64_t h, int64_t w);

struct mch_onnx_dims mch_onnx_inner(const struct mch_onnx_op *op, const struct mch_onnx_value *x);
int64_t mch_onnx_elems(const struct mch_onnx_dims *dims);
/* Product of dims [from, to): 0 when one is none, INT64_MAX when it is larger than that. */
int64_t mch_onnx_product(const struct mch_onnx_dims *dims, int from, int to);
/* The usual image of such a shape: [c], [c][1][w], [c][h][w]; more dimensions are taken together in w. */
struct mch_shape mch_onnx_natural(const struct mch_onnx_dims *dims);
/* Which of c, h, w (1, 2, 3) dimension i is in the natural image, 0 when it shares one. */
int mch_onnx_natural_axis(const struct mch_onnx_dims *dims, int i);

/* The attribute `axis` as an index of the inner dimensions; refuses the batch. */
int mch_onnx_axis(const struct mch_onnx_op *op, const struct mch_onnx_value *x, int fallback, int *axis);
/* An axis of x, which may count from the end, among all its dimensions. */
int mch_onnx_any_axis(const struct mch_onnx_op *op, int64_t axis, int rank, int *index);

/* The elements of a constant; owned by the caller. No element at all is possible. */
int mch_onnx_f32(const struct mch_onnx_op *op, const struct mch_onnx_value *v, float **values, size_t *n);
int mch_onnx_int64(const struct mch_onnx_op *op, const struct mch_onnx_value *v, int64_t **values, size_t *n);
/* A constant of one element. */
int mch_onnx_scalar(const struct mch_onnx_op *op, const struct mch_onnx_value *v, float *value);
/* The attribute, or else the input v (NULL: there is none), or else nothing. */
int mch_onnx_list(const struct mch_onnx_op *op, const char *attribute, const struct mch_onnx_value *v,
		  struct mch_onnx_list *list);

/* A layer of this operator; the caller sets its geometry and parameters, and then calls mch_onnx_infer, which returns
 * the edge that it writes. Its name is made up until mch_onnx_emit. */
int mch_onnx_append(const struct mch_onnx_op *op, enum mch_kind kind, int n_in, const int *in);
int mch_onnx_infer(const struct mch_onnx_op *op, int layer);

/* An edge with the values of `edge` in an image of that size, which has as many elements: itself, or behind a
 * RESHAPE. */
int mch_onnx_view(const struct mch_onnx_op *op, int edge, int64_t c, int64_t h, int64_t w);
/* The values of `edge`, which holds dims, in another order: dimension i of the result is dims[order[i]]. */
int mch_onnx_permute(const struct mch_onnx_op *op, int edge, const struct mch_onnx_dims *dims, const int *order);

/* The edge is what output i of the node means. When this operator has made it, it becomes the usual image of dims,
 * and it and its layer get the names in the file. */
int mch_onnx_emit(const struct mch_onnx_op *op, size_t i, int edge, const struct mch_onnx_dims *dims, int type);
/* The same with the shape and type of x. */
int mch_onnx_emit_like(const struct mch_onnx_op *op, int edge, const struct mch_onnx_value *x);

/* Before memory is taken that the file does not account for: computed constants, indexes, second copies of a tensor.
 * A small file may ask for much of it, so all together is limited. */
int mch_onnx_charge(const struct mch_onnx_op *op, uint64_t n_bytes);

/* Elements of the shape of a computed constant; -1 with err when there are too many. */
int64_t mch_onnx_count(const struct mch_onnx_op *op, int rank, const int64_t *dims);
/* A computed constant is the first output. */
int mch_onnx_emit_constant(const struct mch_onnx_op *op, const struct mch_onnx_constant *c, int rank,
			   const int64_t *dims);

/* Room for a constant of n elements, integers or floats, owned by the graph; NULL with err. */
struct mch_onnx_constant *mch_onnx_constant_new(const struct mch_onnx_op *op, size_t n, bool is_float);

/* x is [batch][c][...] with so many dimensions behind c (0: any number); c and the product of the others. Without a
 * batch dimension the first must be 1. dims are those behind the batch; *first is the index of c there. */
int mch_onnx_image(const struct mch_onnx_op *op, const struct mch_onnx_value *x, int n_spatial_min, int n_spatial_max,
		   struct mch_onnx_dims *dims, int *first);

/* All but the kernel, which must be set before: padding may depend on it, and on the input's height and width.
 * n_axes: 1 (then it is the width), or 2. */
int mch_onnx_window(const struct mch_onnx_op *op, int n_axes, const int size[2], struct mch_onnx_window *w);
/* kernel_shape; 1 for what is not there, or 0 in w->kernel when it is left out. */
int mch_onnx_kernel(const struct mch_onnx_op *op, int n_axes, struct mch_onnx_window *w);

/* Operators, by topic. onnx_weights.c: */
int mch_onnx_read_conv(const struct mch_onnx_op *op);
int mch_onnx_read_deconv(const struct mch_onnx_op *op);
/* onnx_dense.c: */
int mch_onnx_read_gemm(const struct mch_onnx_op *op);
int mch_onnx_read_matmul(const struct mch_onnx_op *op);
/* onnx_pool.c: */
int mch_onnx_read_pool(const struct mch_onnx_op *op);
int mch_onnx_read_global_pool(const struct mch_onnx_op *op);
int mch_onnx_read_reduce(const struct mch_onnx_op *op);
/* onnx_map.c: */
int mch_onnx_read_map(const struct mch_onnx_op *op);
int mch_onnx_read_composed(const struct mch_onnx_op *op);
int mch_onnx_read_clip(const struct mch_onnx_op *op);
int mch_onnx_read_prelu(const struct mch_onnx_op *op);
int mch_onnx_read_softmax(const struct mch_onnx_op *op);
int mch_onnx_read_lrn(const struct mch_onnx_op *op);
int mch_onnx_read_batch_norm(const struct mch_onnx_op *op);
int mch_onnx_read_dropout(const struct mch_onnx_op *op);
int mch_onnx_read_identity(const struct mch_onnx_op *op);
int mch_onnx_read_cast(const struct mch_onnx_op *op);
/* onnx_eltwise.c: */
int mch_onnx_read_binary(const struct mch_onnx_op *op);
int mch_onnx_read_variadic(const struct mch_onnx_op *op);
/* onnx_shape.c: */
int mch_onnx_read_flatten(const struct mch_onnx_op *op);
int mch_onnx_read_reshape(const struct mch_onnx_op *op);
int mch_onnx_read_squeeze(const struct mch_onnx_op *op);
int mch_onnx_read_unsqueeze(const struct mch_onnx_op *op);
int mch_onnx_read_transpose(const struct mch_onnx_op *op);
int mch_onnx_read_space(const struct mch_onnx_op *op); /* DepthToSpace, SpaceToDepth */
/* onnx_concat.c: */
int mch_onnx_read_concat(const struct mch_onnx_op *op);
int mch_onnx_read_repeat(const struct mch_onnx_op *op); /* Expand, Tile */
/* onnx_pick.c: */
int mch_onnx_read_gather(const struct mch_onnx_op *op);
int mch_onnx_read_slice(const struct mch_onnx_op *op);
int mch_onnx_read_split(const struct mch_onnx_op *op);
/* onnx_resize.c: */
int mch_onnx_read_pad(const struct mch_onnx_op *op);
int mch_onnx_read_resize(const struct mch_onnx_op *op);
/* onnx_integers.c: */
int mch_onnx_read_constant(const struct mch_onnx_op *op);
int mch_onnx_read_integers(const struct mch_onnx_op *op); /* Shape, Size, ConstantOfShape */

/* Computes a node all of whose inputs are constants, as far as the program knows how: 1 done, 0 it does not, -1 with
 * err. */
int mch_onnx_fold(const struct mch_onnx_op *op);

/* An operator that picks elements along each dimension (onnx_pick.c): entry i of at[d] is the index in dimension d
 * that element i of the result has, or -1: fill. at[d] NULL: all, as they are. */
struct mch_onnx_pick {
	enum mch_kind kind;
	float fill;
	int64_t n[MCH_ONNX_RANK_MAX];
	int *at[MCH_ONNX_RANK_MAX]; /* owned */
};
/* Elements of `size` that start, end and step (range) pick, and the first: ends count from the end when negative, and
 * are cut to the tensor; a huge one means "to the end". The step is not 0, nor INT64_MIN. */
int64_t mch_onnx_slice(int64_t size, const int64_t range[3], int64_t *first);
void mch_onnx_pick_free(struct mch_onnx_pick *pick);
/* Room for n indexes in dimension d. */
int mch_onnx_pick_alloc(const struct mch_onnx_op *op, struct mch_onnx_pick *pick, int d, int64_t n);
/* The edge that holds the result, whose dimensions replace dims. */
int mch_onnx_pick(const struct mch_onnx_op *op, int edge, struct mch_onnx_dims *dims,
		  const struct mch_onnx_pick *pick);

#endif
