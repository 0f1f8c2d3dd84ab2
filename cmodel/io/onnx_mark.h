/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Marks: what a group of ONNX nodes stands for, when it is one layer that ONNX has no operator for. The last node
 * of the group has it as its doc_string:
 *
 *   macchiato nodes=6 crc=0f3c55aa in=0 rank=4 kind=lrn size=3 alpha=5e-05 beta=0.75 within=1
 *
 * The checksum covers the group's nodes and the initializers that they read. Another program runs the nodes. A
 * reader of ours whose checksum agrees has the layer as it was; where somebody has changed a node, it does not,
 * and the nodes are read as what they are. A node of kind=alias changes the number of dimensions and is no layer.
 * Host only: no RTL twin. */
#ifndef MCH_IO_ONNX_MARK_H
#define MCH_IO_ONNX_MARK_H

#include "io/onnx_emit.h"
#include "io/wire.h"

/* Writing: marks the node that was appended last, as the end of nodes first_node.. of layer e->layer. */
void mch_onnx_mark_layer(struct mch_emit *e);
void mch_onnx_mark_alias(struct mch_emit *e, MchOnnx__NodeProto *node);

/* Reading. */
struct mch_onnx_mark {
	size_t first, last; /* nodes of the group */
	bool is_alias;
	enum mch_kind kind;
	int rank;         /* of what it writes */
	const char *text; /* the parameters */
};

/* The mark of node `last`: true when there is one that holds. wire gives large tensors. */
bool mch_onnx_mark_find(const MchOnnx__GraphProto *graph, struct mch_wire *wire, size_t last,
			struct mch_onnx_mark *mark);

/* The values that the group reads from outside, initializers excepted, each once, in the order of their first
 * use. The names are the graph's. Their number, or -1 when there are over `room`. */
int mch_onnx_mark_inputs(const MchOnnx__GraphProto *graph, size_t first, size_t last, size_t room,
			 const char **names);

/* Numbers of the input list: which of those values the layer's inputs are. Their number, or -1 (a bad mark). */
int mch_onnx_mark_order(const struct mch_onnx_mark *mark, int n_values, size_t room, int *order);

/* Sets the fields of the layer (kind, n_in are there) but for parameters that are tensors. 0, or -1 with err. */
int mch_onnx_mark_apply(const struct mch_onnx_mark *mark, struct mch_layer *layer, struct mch_err *err);

#endif
