/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Float operators of oneDNN joined to a graph, in our own words: no type of oneDNN appears here. Values stay in the
 * layouts that the library chooses, and share one arena. Host only: no RTL twin.
 *
 * Build (new, input, operators, want, compile), then run: a compiled graph does not change, and any number of jobs
 * may run it at the same time. The number of OpenMP threads at the time of building is the number that each operator
 * uses. */
#ifndef MCH_FAST_DNNL_GRAPH_H
#define MCH_FAST_DNNL_GRAPH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "op/conv.h"
#include "op/pool.h"
#include "tensor/tensor.h"

struct mch_dnnl_graph;

/* Functions of one number. */
enum mch_dnnl_fn {
	MCH_FN_SAME,
	MCH_FN_RELU,
	MCH_FN_LEAKY, /* x < 0 ? a * x : x */
	MCH_FN_CLIP,  /* min(max(x, a), b) */
	MCH_FN_SIGMOID,
	MCH_FN_TANH,
};

struct mch_dnnl_map {
	enum mch_dnnl_fn fn;
	float a, b;
};

/* Operator with weights: y = map(weights * x + bias + added). Weights and bias are copied. */
struct mch_dnnl_weighted {
	const float *weights, *bias; /* bias: NULL for none */
	struct mch_dnnl_map map;
	int added; /* a value of the result's shape, or -1; conv only */
};

/* Elementwise over two or more values; a side of 1 repeats. */
enum mch_dnnl_join { MCH_JOIN_SUM, MCH_JOIN_PROD, MCH_JOIN_MAX };

/* An operator that the library lacks: n images [n][c][h][w] of each input. */
struct mch_dnnl_plain {
	void (*run)(const void *ctx, int n, const float *const *x, float *y);
	const void *ctx; /* must outlive the graph */
};

/* How convolutions are computed. */
enum mch_dnnl_kernels {
	MCH_KERNELS_DIRECT,
	/* Those of 3x3 with stride 1 by minimal filtering, where the library has it: a half to a quarter of the
	 * products, and a few more roundings (Lavin and Gray, "Fast algorithms for convolutional neural
	 * networks", 2016). The others in the layout that it needs. */
	MCH_KERNELS_WINOGRAD,
};

/* Winograd's algorithm is for this convolution, and faster. */
bool mch_dnnl_is_winograd(const struct mch_conv *g);

struct mch_dnnl_graph *mch_dnnl_graph_new(int batch, enum mch_dnnl_kernels kernels, struct mch_err *err);
void mch_dnnl_graph_free(struct mch_dnnl_graph *graph);

/* Each appends an operator and returns the index of the value it makes, or -1 with err. The input comes first,
 * once. Shapes and geometries are those of one image (n == 1). */
int mch_dnnl_graph_input(struct mch_dnnl_graph *graph, struct mch_shape shape, struct mch_err *err);
int mch_dnnl_graph_constant(struct mch_dnnl_graph *graph, struct mch_shape shape, const float *data,
			    struct mch_err *err);

int mch_dnnl_graph_conv(struct mch_dnnl_graph *graph, int x, const struct mch_conv *g,
			const struct mch_dnnl_weighted *w, struct mch_err *err);
/* Weights [c][k / groups][r][s]; p and q rows and columns of output: at most stride - 1 more than what the pads
 * leave. */
int mch_dnnl_graph_deconv(struct mch_dnnl_graph *graph, int x, const struct mch_conv *g, int p, int q,
			  const struct mch_dnnl_weighted *w, struct mch_err *err);
int mch_dnnl_graph_dense(struct mch_dnnl_graph *graph, int x, int k, const struct mch_dnnl_weighted *w,
			 struct mch_err *err);

int mch_dnnl_graph_map(struct mch_dnnl_graph *graph, int x, struct mch_dnnl_map map, struct mch_err *err);
/* x < 0 ? slope[c] * x : x; one slope for each channel. */
int mch_dnnl_graph_prelu(struct mch_dnnl_graph *graph, int x, const float *slope, struct mch_err *err);
/* scale[c] * x + shift[c] */
int mch_dnnl_graph_affine(struct mch_dnnl_graph *graph, int x, const float *scale, const float *shift,
			  struct mch_err *err);
int mch_dnnl_graph_softmax(struct mch_dnnl_graph *graph, int x, bool is_log, struct mch_err *err);
/* x * (k + alpha / size * sum of the squares of `size` neighbouring channels)^-beta */
int mch_dnnl_graph_lrn(struct mch_dnnl_graph *graph, int x, int size, double alpha, double beta, double k,
		       struct mch_err *err);

int mch_dnnl_graph_pool_max(struct mch_dnnl_graph *graph, int x, const struct mch_pool *g, struct mch_err *err);
int mch_dnnl_graph_pool_avg(struct mch_dnnl_graph *graph, int x, const struct mch_pool *g, struct mch_err *err);

/* coefficients [n] of a sum, or NULL. */
int mch_dnnl_graph_join(struct mch_dnnl_graph *graph, enum mch_dnnl_join kind, int n, const int *x,
			const float *coefficients, struct mch_err *err);
/* axis: 1 c, 2 h, 3 w */
int mch_dnnl_graph_concat(struct mch_dnnl_graph *graph, int n, const int *x, int axis, struct mch_err *err);
/* The same values in the order c, h, w. */
int mch_dnnl_graph_reshape(struct mch_dnnl_graph *graph, int x, struct mch_shape shape, struct mch_err *err);
/* Axis i of c, h, w is axis order[i] (0 c, 1 h, 2 w) of x. */
int mch_dnnl_graph_transpose(struct mch_dnnl_graph *graph, int x, const int order[3], struct mch_err *err);
int mch_dnnl_graph_call(struct mch_dnnl_graph *graph, int n, const int *x, struct mch_shape shape,
			struct mch_dnnl_plain plain, struct mch_err *err);

/* The value can be read after a run; others' memory is used again. Before mch_dnnl_graph_compile. */
void mch_dnnl_graph_want(struct mch_dnnl_graph *graph, int value);

/* Nothing can be appended from here on. 0, or -1 with err. */
int mch_dnnl_graph_compile(struct mch_dnnl_graph *graph, struct mch_err *err);

/* The arena of one job; the weights, which all jobs share. */
size_t mch_dnnl_graph_job_bytes(const struct mch_dnnl_graph *graph);
size_t mch_dnnl_graph_weights_bytes(const struct mch_dnnl_graph *graph);

/* What one run of a compiled graph needs for itself. The graph must outlive it. */
struct mch_dnnl_job;

struct mch_dnnl_job *mch_dnnl_job_new(const struct mch_dnnl_graph *graph, struct mch_err *err);
void mch_dnnl_job_free(struct mch_dnnl_job *job);

/* A whole batch, [batch][c][h][w], through every operator. input is read in place. */
int mch_dnnl_job_run(struct mch_dnnl_job *job, const float *input, struct mch_err *err);

/* The first n images of a wanted value after the last run, [n][c][h][w]. */
int mch_dnnl_job_read(struct mch_dnnl_job *job, int value, int n, float *out, struct mch_err *err);

#endif
