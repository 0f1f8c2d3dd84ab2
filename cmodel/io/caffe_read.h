/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A Caffe network definition (prototxt) as a network without weights. Host only: no RTL twin. */
#ifndef MCH_IO_CAFFE_READ_H
#define MCH_IO_CAFFE_READ_H

#include "net/net.h"

/* Reads path as Caffe does for testing (phase TEST, level 0, no stages). Data layers do not tell the shape of their
 * images: data_shape is taken for it, or, when NULL, such a file is refused. Losses and accuracy are left out.
 * transform_param.scale of a data or Input layer becomes net->transform.scale. A layer that works in place gets an edge
 * of its own, named after the layer. net is freed on error. 0, or -1 with err. */
int mch_caffe_read(const char *path, const struct mch_shape *data_shape, struct mch_net *net, struct mch_err *err);

#endif
