/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The layer table: one row for each kind, with all that tells kinds apart. Host only: no RTL twin. */
#ifndef MCH_NET_LAYER_H
#define MCH_NET_LAYER_H

#include "net/net.h"

struct mch_layer_row {
	const char *name;       /* "conv" */
	const char *caffe_type; /* "Convolution" */
	const char *caffe_v1;   /* "CONVOLUTION" */
	const char *onnx_op;    /* "Conv" */
	int is_identity;        /* the values of the input, perhaps in another shape */
	/* Output shape from the input shape; completes the geometry. -1 with err when it cannot be. */
	int (*infer)(struct mch_layer *layer, struct mch_shape in, struct mch_shape *out, struct mch_err *err);
	/* Plain float forward of n images. */
	void (*run_f32)(const struct mch_layer *layer, int n, struct mch_shape in, struct mch_shape out, const float *x,
			float *y);
};

extern const struct mch_layer_row mch_layer_table[MCH_N_KINDS];

#endif
