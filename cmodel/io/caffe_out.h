/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What the two writers of Caffe's files share: how a layer of a network is called there. Host only: no RTL twin. */
#ifndef MCH_IO_CAFFE_OUT_H
#define MCH_IO_CAFFE_OUT_H

#include <stdio.h>

#include "net/net.h"

enum { MCH_CAFFE_OUT_BLOBS_MAX = 3 };

/* One Caffe layer with parameters. */
struct mch_caffe_out {
	const char *type;
	bool is_second; /* NAME/scale behind a batch norm */
	int n_blobs;
	struct {
		const float *values; /* NULL: a 1 */
		int n_axes;
		int64_t dim[4];
	} blob[MCH_CAFFE_OUT_BLOBS_MAX];
};

/* The Caffe layers that hold a layer's parameters: 0 to 2 of them. */
int mch_caffe_out_layers(const struct mch_layer *layer, struct mch_caffe_out out[2]);

/* A batch norm that also scales: Caffe's does not. */
bool mch_caffe_out_scales(const struct mch_layer *layer);

/* "Convolution"; never NULL where nothing is lacking. */
const char *mch_caffe_out_type(const struct mch_net *net, const struct mch_layer *layer);
/* What of the layer Caffe has not; NULL: nothing, "": the layer altogether. */
const char *mch_caffe_out_lacks(const struct mch_net *net, const struct mch_layer *layer);
/* Its message of parameters, on a line; nothing where all are Caffe's defaults. */
void mch_caffe_out_params(FILE *f, const struct mch_net *net, const struct mch_layer *layer);

/* Everything that Caffe has not, at once; path is for the message. 0, or -1 with err. */
int mch_caffe_check(const struct mch_net *net, const char *path, struct mch_err *err);

/* Of a layer that picks: the one axis that it cuts, 1 to 3, from *begin to *end; 0: none or more. */
int mch_caffe_out_cut(const struct mch_net *net, const struct mch_layer *layer, int *begin, int *end);
/* Of an elementwise layer, 1: all inputs have one shape; 2: the second has one value for each channel of the first;
 * 0: neither. */
int mch_caffe_out_joins(const struct mch_net *net, const struct mch_layer *layer);

#endif
