/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The parameters of a Caffe network from a binary .caffemodel. Host only: no RTL twin. */
#ifndef MCH_IO_CAFFE_WEIGHTS_H
#define MCH_IO_CAFFE_WEIGHTS_H

#include "io/caffe_layer.h"

/* Fills the layers of caffe->plans, by name, as Caffe does: layers that the file has besides are ignored, those that
 * it has not are reported all at once. Values go from the file into the network's arrays without a copy between.
 * 0, or -1 with caffe->err. */
int mch_caffe_read_weights(struct mch_caffe *caffe, const char *path);

#endif
