/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Building the messages of an ONNX graph, layer by layer. Host only: no RTL twin. */
#ifndef MCH_IO_ONNX_EMIT_H
#define MCH_IO_ONNX_EMIT_H

#include "io/onnx.pb-c.h"
#include "net/net.h"

/* One block of memory for many small things that are freed together. */
struct mch_emit_block;

/* The graph under construction. Names and floats of the network are pointed to, not copied. When memory is short,
 * `failed` is set, functions that give a pointer give NULL, and all take NULL and do nothing: one check at the
 * end is enough. */
struct mch_emit {
	const struct mch_net *net;
	const struct mch_layer *layer; /* the one being written */
	MchOnnx__GraphProto graph;
	size_t n_node_room, n_tensor_room;
	const char **in;   /* the values that it reads */
	size_t first_node; /* of the group that stands for it, see onnx_mark.h */
	bool is_marked;    /* the group does not tell by itself what it stands for */
	int *rank;         /* of each edge: 4 is N C H W, 2 is N C */
	int opset;         /* the lowest that has all that is used */
	bool failed;
	struct mch_emit_block *blocks;
};

void mch_emit_free(struct mch_emit *e);

/* Zeroed. NULL, and e->failed, when memory is short. */
void *mch_emit_room(struct mch_emit *e, size_t n_bytes);

/* "LAYER<separator>part", "..._2" and so on when the network has that name. */
const char *mch_emit_name(struct mch_emit *e, char separator, const char *part);

/* Appends a node of the layer: its last one (part NULL), which writes the layer's edge, or one before it, which
 * writes a value of its own name. */
MchOnnx__NodeProto *mch_emit_node(struct mch_emit *e, const char *op_type, const char *part);
/* The value it writes; "" for NULL. */
const char *mch_emit_output(const MchOnnx__NodeProto *node);

void mch_emit_input(struct mch_emit *e, MchOnnx__NodeProto *node, const char *value);
void mch_emit_int(struct mch_emit *e, MchOnnx__NodeProto *node, const char *name, int64_t value);
void mch_emit_ints(struct mch_emit *e, MchOnnx__NodeProto *node, const char *name, size_t n, const int *values);
void mch_emit_real(struct mch_emit *e, MchOnnx__NodeProto *node, const char *name, double value);
void mch_emit_text(struct mch_emit *e, MchOnnx__NodeProto *node, const char *name, const char *value);

/* An initializer "LAYER.part" that the node reads next; values are not copied. */
void mch_emit_floats(struct mch_emit *e, MchOnnx__NodeProto *node, const char *part, const float *values,
		     size_t n_dims, const int *dims);
/* Copied: one float without dimensions; whole numbers in one dimension. */
void mch_emit_scalar(struct mch_emit *e, MchOnnx__NodeProto *node, const char *part, float value);
void mch_emit_longs(struct mch_emit *e, MchOnnx__NodeProto *node, const char *part, size_t n,
		    const int64_t *values);

/* What each kind of layer becomes, onnx_write_layer.c: appends its nodes. 0, or -1 with err when it has no ONNX
 * form. */
int mch_emit_layer(struct mch_emit *e, struct mch_err *err);

/* Makes in[i] N C H W, or N C, by a node before the layer's where it is not. To be called before any of those. */
void mch_emit_image(struct mch_emit *e, int i);
void mch_emit_vector(struct mch_emit *e, int i);

/* Kinds that have several forms: onnx_write_pool.c, onnx_write_pick.c, onnx_write_many.c. */
void mch_emit_pool(struct mch_emit *e);
void mch_emit_within_lrn(struct mch_emit *e);
void mch_emit_slice(struct mch_emit *e);
void mch_emit_pad(struct mch_emit *e);
void mch_emit_upsample(struct mch_emit *e);
void mch_emit_sum(struct mch_emit *e);
void mch_emit_product(struct mch_emit *e);
void mch_emit_constant(struct mch_emit *e);

#endif
