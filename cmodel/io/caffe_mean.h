/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A mean picture, as Caffe's compute_image_mean writes it (.binaryproto, one BlobProto), or raw. Host only: no RTL
 * twin. */
#ifndef MCH_IO_CAFFE_MEAN_H
#define MCH_IO_CAFFE_MEAN_H

#include "net/transform.h"
#include "tensor/tensor.h"

/* Reads path and makes it the mean of transform, in place of any before. input is the network's, c == 0 when it is
 * not known yet: else the mean has its channels and is no smaller, and a file of just its float32 values, little
 * endian, is taken too. 0, or -1 with err and transform as it was. */
int mch_caffe_mean_read(const char *path, struct mch_shape input, struct mch_transform *transform,
			struct mch_err *err);

#endif
