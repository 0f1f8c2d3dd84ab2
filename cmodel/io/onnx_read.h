/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* An ONNX model as a network with weights. Host only: no RTL twin. Source: the ONNX specification, operator sets 7
 * and up. */
#ifndef MCH_IO_ONNX_READ_H
#define MCH_IO_ONNX_READ_H

#include <stddef.h>

#include "net/net.h"

/* 0, or -1 with err; net is freed on error. The batch may be open or any number. */
int mch_onnx_read(const char *path, struct mch_net *net, struct mch_err *err);

/* The same from memory; where names it in errors. */
int mch_onnx_parse(const char *where, const void *bytes, size_t n_bytes, struct mch_net *net, struct mch_err *err);

#endif
