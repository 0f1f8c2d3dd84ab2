/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A network with its weights as an ONNX model. Host only: no RTL twin. Source: the ONNX specification, operator
 * sets 13 and 19. */
#ifndef MCH_IO_ONNX_WRITE_H
#define MCH_IO_ONNX_WRITE_H

#include "net/net.h"

/* Writes path whole or not at all ("-": the standard output). The batch is left open; the transform goes to the
 * metadata (onnx_metadata.h). The same network gives the same bytes, and mch_onnx_read gives the same network
 * back. Where ONNX has no operator for a layer, a group of nodes computes the same, and a mark tells what it is
 * (onnx_mark.h). Needs weights in every layer. 0, or -1 with err. */
int mch_onnx_write(const char *path, const struct mch_net *net, struct mch_err *err);

/* A model of over limit_bytes, of which a file may have 2^31 - 1, has its weights in a second file, PATH.data. */
int mch_onnx_write_limited(const char *path, const struct mch_net *net, size_t limit_bytes, struct mch_err *err);

#endif
