/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A network as Caffe has it: definition, parameters and mean picture. Host only: no RTL twin. */
#ifndef MCH_IO_CAFFE_WRITE_H
#define MCH_IO_CAFFE_WRITE_H

#include "net/quant.h"

/* The definition, a .prototxt: an Input layer (with net->transform as its transform_param), then every layer. What
 * Caffe has no layer for is listed at once, and nothing is written. Pictures enter blue first there, always: a
 * network that takes them red first has a comment that says so. mean_file names the mean picture that mch_caffe_write_mean
 * writes, NULL when there is none. With formats (quant, which may be NULL) convolutions and dense layers are Ristretto's;
 * what that cannot say is refused. 0, or -1 with err. */
int mch_caffe_write(const struct mch_net *net, const struct mch_quant *quant, const char *path, const char *mean_file, struct mch_err *err);

/* The parameters, a binary .caffemodel (V2): streamed, whatever their size. Layers without parameters are not in it.
 * A batch norm becomes Caffe's two layers, NAME and NAME/scale. 0, or -1 with err. */
int mch_caffe_write_weights(const struct mch_net *net, const char *path, struct mch_err *err);

/* All of them, under one name: path is NAME.prototxt, and NAME.caffemodel and NAME.binaryproto are written too, as far
 * as there are parameters and a mean picture. The definition comes last. 0, or -1 with err. */
int mch_caffe_write_files(const struct mch_net *net, const struct mch_quant *quant, const char *path,
			  struct mch_err *err);

/* The mean picture of transform as a .binaryproto. 0, or -1 with err. */
int mch_caffe_write_mean(const struct mch_transform *transform, const char *path, struct mch_err *err);

#endif
