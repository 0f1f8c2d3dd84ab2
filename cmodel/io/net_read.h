/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A network from a file of any format this program reads. Host only: no RTL twin. */
#ifndef MCH_IO_NET_READ_H
#define MCH_IO_NET_READ_H

#include "io/build.h"
#include "net/net.h"
#include "net/quant.h"

/* By the end of the name: .onnx ("-", the standard input, too), or .prototxt (Caffe) with the parameters in
 * `weights`, a .caffemodel, or NULL for none. Shapes are inferred. A quantized model (ONNX QDQ and integer
 * operators, QONNX, Ristretto) also fills *quant; quant->n_edges is 0 for a float model. quant may be NULL: of
 * ONNX the float network is read alone, of Ristretto it is refused. net and quant are free on error. 0, or -1
 * with err. */
int mch_net_read(const char *path, const char *weights, struct mch_net *net, struct mch_quant *quant,
		 struct mch_err *err);

/* The same, and *list (zeros at first, the caller's to free) has all that is not supported, when that is why it
 * failed. */
int mch_net_read_listing(const char *path, const char *weights, struct mch_net *net, struct mch_quant *quant,
			 struct mch_unsupported *list, struct mch_err *err);

#endif
