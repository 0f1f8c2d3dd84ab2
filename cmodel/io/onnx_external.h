/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* ONNX tensors whose data are in a file beside the model. Host only: no RTL twin. */
#ifndef MCH_IO_ONNX_EXTERNAL_H
#define MCH_IO_ONNX_EXTERNAL_H

#include "io/onnx_attr.h"

/* Opens the file at the tensor's first byte, of n_bytes that are there. It lies below the model's folder: no path
 * leads out of that. *wire is to be closed and freed, also on failure, unless it is NULL. 0, or -1 with err. */
int mch_onnx_external_open(const struct mch_onnx_node *node, const MchOnnx__TensorProto *t, size_t n_bytes,
			   struct mch_wire **wire);

#endif
