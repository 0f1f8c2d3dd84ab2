/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The state of reading an ONNX graph, shared by onnx_read.c and onnx_node.c. Host only: no RTL twin. */
#ifndef MCH_IO_ONNX_GRAPH_H
#define MCH_IO_ONNX_GRAPH_H

#include <stdbool.h>

#include "io/onnx.pb-c.h"
#include "io/wire.h"
#include "net/net.h"

/* A named value: a constant, or an edge of the network. */
struct mch_onnx_value {
	const char *name;
	const MchOnnx__TensorProto *tensor; /* NULL: an edge */
	int edge;
	int rank; /* 4: N C H W; 2: N C */
};

struct mch_onnx_graph {
	const char *path;
	const MchOnnx__GraphProto *proto;
	struct mch_net *net;
	struct mch_err *err;
	struct mch_wire *wire; /* the file */
	int opset;
	int64_t batch; /* of the input, 0 when open */
	struct mch_onnx_value *values;
	int n_values;
	size_t *group_end; /* [n_node]: behind the last node of its group (onnx_group.h), 0 for none */
};

/* NULL when there is none of that name. The pointer holds until a value is added. */
const struct mch_onnx_value *mch_onnx_value(const struct mch_onnx_graph *g, const char *name);
/* 0, or -1 with err when the name is taken. */
int mch_onnx_add_value(struct mch_onnx_graph *g, const char *name, const MchOnnx__TensorProto *tensor, int edge,
		       int rank);

/* Inputs of nodes and outputs of the graph that read the value. */
int mch_onnx_count_readers(const struct mch_onnx_graph *g, const char *name);

bool mch_onnx_is_known(const MchOnnx__NodeProto *node);
/* Appends what the node means to the network. 0, or -1 with err. */
int mch_onnx_read_node(struct mch_onnx_graph *g, const MchOnnx__NodeProto *node);

#endif
