/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A Caffe network: its definition (prototxt), and its parameters (.caffemodel). Host only: no RTL twin. */
#ifndef MCH_IO_CAFFE_READ_H
#define MCH_IO_CAFFE_READ_H

#include "io/build.h"
#include "net/net.h"
#include "net/quant.h"

/* Reads path as Caffe does for testing (phase TEST; level and stages as its state says, else 0 and none). Data layers
 * do not always tell the shape of their images: data_shape is taken for it, or, when NULL, such a file is refused.
 * Losses and accuracy are left out. transform_param becomes net->transform. A layer that works in place gets an edge
 * of its own, named after the layer. net is freed on error. 0, or -1 with err. */
int mch_caffe_read(const char *path, const struct mch_shape *data_shape, struct mch_net *net, struct mch_err *err);

/* The same with the parameters of the .caffemodel `weights`, NULL for none: matched by layer name, straight into the
 * network. A definition of Ristretto's also fills *quant (then quant->n_edges is not 0, and the network is lowered, see
 * net/lower.h), or is refused where quant is NULL. net and quant are freed on error. 0, or -1 with err. */
int mch_caffe_load(const char *path, const char *weights, const struct mch_shape *data_shape, struct mch_net *net,
		   struct mch_quant *quant, struct mch_err *err);
/* The same, and *list (zeros at first, the caller's to free) has all that is not supported, when that is why it failed. */
int mch_caffe_load_listing(const char *path, const char *weights, const struct mch_shape *data_shape, struct mch_net *net,
			   struct mch_quant *quant, struct mch_unsupported *list, struct mch_err *err);

#endif
