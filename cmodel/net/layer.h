/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The layer table: one row for each kind, with all that tells kinds apart. Host only: no RTL twin. */
#ifndef MCH_NET_LAYER_H
#define MCH_NET_LAYER_H

#include "net/net.h"

/* A plain float run: n images through one layer. */
struct mch_layer_run {
	const struct mch_layer *layer;
	int n;
	const struct mch_shape *in; /* [n_in], n == 1 */
	struct mch_shape out;       /* n == 1 */
	const float *const *x;      /* [n_in] */
	float *y;
};

enum mch_weights {
	MCH_WEIGHTS_NONE,
	MCH_WEIGHTS_MAC,     /* conv, dense, deconv: products are summed */
	MCH_WEIGHTS_CHANNEL, /* a few for each channel */
};

struct mch_layer_row {
	const char *name;    /* "conv" */
	const char *onnx_op; /* "Conv" */
	int n_in_min, n_in_max;
	enum mch_weights weights;
	bool is_identity; /* the values of the input in their order, perhaps in another shape */
	/* Output shape from the input shapes; completes the geometry. -1 with err when it cannot be. */
	int (*infer)(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out, struct mch_err *err);
	void (*run_f32)(const struct mch_layer_run *run);
};

extern const struct mch_layer_row mch_layer_table[MCH_N_KINDS];

/* Shapes, layer_shape.c. `in` is [n_in]. */
int mch_infer_same(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out, struct mch_err *err);
int mch_infer_flat(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out, struct mch_err *err);
int mch_infer_conv(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out, struct mch_err *err);
int mch_infer_deconv(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out, struct mch_err *err);
int mch_infer_dense(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out, struct mch_err *err);
int mch_infer_pool(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out, struct mch_err *err);
int mch_infer_norm(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out, struct mch_err *err);
int mch_infer_lrn(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out, struct mch_err *err);
int mch_infer_eltwise(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out,
		      struct mch_err *err);
int mch_infer_concat(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out, struct mch_err *err);
int mch_infer_gather(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out, struct mch_err *err);
int mch_infer_shape(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out, struct mch_err *err);
int mch_infer_transpose(struct mch_layer *layer, const struct mch_shape *in, struct mch_shape *out,
		        struct mch_err *err);

/* The plain float forms, layer_f32.c: the arbiter of the fast engine. Sums are in double. */
void mch_run_conv(const struct mch_layer_run *run); /* and dense */
void mch_run_deconv(const struct mch_layer_run *run);
/* ReLU, clip, leaky ReLU, PReLU, sigmoid, tanh, batch norm, scale. */
void mch_run_map(const struct mch_layer_run *run);
void mch_run_softmax(const struct mch_layer_run *run);
void mch_run_pool(const struct mch_layer_run *run);
void mch_run_lrn(const struct mch_layer_run *run);
void mch_run_eltwise(const struct mch_layer_run *run); /* sum, product, maximum; a side of 1 repeats */
void mch_run_concat(const struct mch_layer_run *run);
void mch_run_gather(const struct mch_layer_run *run);
void mch_run_transpose(const struct mch_layer_run *run);
void mch_run_same(const struct mch_layer_run *run);
void mch_run_constant(const struct mch_layer_run *run);

/* A value of channel c behind a layer of mch_run_map: the one definition of these functions. */
float mch_layer_map(const struct mch_layer *layer, int c, float x);

#endif
