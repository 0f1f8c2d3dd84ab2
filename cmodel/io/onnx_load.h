/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* An ONNX file as messages. Large tensors stay where they are, in the file: what is in memory is small, whatever the
 * file's size. Host only: no RTL twin. */
#ifndef MCH_IO_ONNX_LOAD_H
#define MCH_IO_ONNX_LOAD_H

#include "io/onnx.pb-c.h"
#include "io/wire.h"

enum {
	MCH_ONNX_INLINE_BYTES = 4096, /* data up to this size are in the messages */
	MCH_ONNX_SKELETON_BYTES = 1
		<< 27, /* all messages together; those of real models have a few million bytes */
};

/* The open file gives the large tensors (onnx_attr.h): it is needed as long as the messages. */
struct mch_onnx_load {
	struct mch_wire wire;
	MchOnnx__ModelProto *model;
};

/* The messages of the file that is open in load->wire. 0, or -1 with err; mch_onnx_unload frees either way. */
int mch_onnx_load(struct mch_onnx_load *load, struct mch_err *err);
void mch_onnx_unload(struct mch_onnx_load *load);

#endif
