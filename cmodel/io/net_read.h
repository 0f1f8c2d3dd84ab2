/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A network from a file of any format this program reads. Host only: no RTL twin. */
#ifndef MCH_IO_NET_READ_H
#define MCH_IO_NET_READ_H

#include "net/net.h"

/* By the end of the name: .onnx (with weights) or .prototxt (Caffe, without). Shapes are inferred. net is freed on
 * error. 0, or -1 with err. */
int mch_net_read(const char *path, struct mch_net *net, struct mch_err *err);

#endif
