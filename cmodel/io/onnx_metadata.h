/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The transform of a network (net/transform.h) in the metadata of its ONNX model:
 *
 *   macchiato.input_scale   0.00390625
 *   macchiato.channels      bgr                     when pictures enter blue first
 *   macchiato.resize        warp 256x256            height x width; or "short 256x256"
 *   macchiato.crop          centre                  of larger pictures
 *   macchiato.mean, .std    104,117,123             one number, or one for each channel
 *   macchiato.mean_file     mean.binaryproto        a mean picture that was not found
 *
 * A mean picture is an initializer "macchiato.mean_image" that no node reads. Host only: no RTL twin. */
#ifndef MCH_IO_ONNX_METADATA_H
#define MCH_IO_ONNX_METADATA_H

#include "io/onnx_emit.h"
#include "io/wire.h"

#define MCH_ONNX_MEAN_IMAGE "macchiato.mean_image"

/* Sets model->metadata_props, and adds the mean picture to e->graph. */
void mch_onnx_put_metadata(struct mch_emit *e, MchOnnx__ModelProto *model);

/* Fills in *transform. 0, or -1 with err ("PATH: macchiato.mean is ..."). */
int mch_onnx_get_metadata(const char *path, const MchOnnx__ModelProto *model, struct mch_wire *wire,
			  struct mch_transform *transform, struct mch_err *err);

#endif
