/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The state of reading an ONNX graph: its values, and how often each is read. Host only: no RTL twin. */
#ifndef MCH_IO_ONNX_GRAPH_H
#define MCH_IO_ONNX_GRAPH_H

#include <stdbool.h>

#include "io/build.h"
#include "io/names.h"
#include "io/onnx.pb-c.h"
#include "io/wire.h"
#include "net/net.h"

enum {
	MCH_ONNX_RANK_MAX = 8,
};

/* TensorProto.data_type. */
enum {
	MCH_ONNX_FLOAT = 1,
	MCH_ONNX_UINT8 = 2,
	MCH_ONNX_INT8 = 3,
	MCH_ONNX_INT32 = 6,
	MCH_ONNX_INT64 = 7,
	MCH_ONNX_BOOL = 9,
	MCH_ONNX_FLOAT16 = 10,
	MCH_ONNX_DOUBLE = 11,
	MCH_ONNX_BFLOAT16 = 16,
};
/* "float16"; "type 99". */
const char *mch_onnx_type_name(int type);

static inline bool mch_onnx_type_is_float(int type)
{
	return type == 0 || type == MCH_ONNX_FLOAT || type == MCH_ONNX_FLOAT16 || type == MCH_ONNX_DOUBLE ||
	       type == MCH_ONNX_BFLOAT16;
}

/* A whole number or a float, or unknown: very old models leave it out. */
static inline bool mch_onnx_type_is_number(int type)
{
	enum { STRING = 8, COMPLEX64 = 14, COMPLEX128 = 15 };
	return type >= 0 && type <= MCH_ONNX_BFLOAT16 && type != STRING && type != COMPLEX64 && type != COMPLEX128;
}

/* An open batch among the integers of a shape: Shape -> Gather -> Concat -> Reshape may carry it, but not compute
 * with it. No integer of a real model is this one. */
#define MCH_ONNX_OPEN (INT64_MIN + 20011)

/* A constant that the reader has computed: integers (a shape, mostly), or floats; one of the two is NULL. */
struct mch_onnx_constant {
	size_t n;
	int64_t *ints;
	float *floats;
	struct mch_onnx_constant *next; /* all are in one list, which the graph owns */
};

/* A named value: a constant, or an edge of the network. The edge holds the elements in the order of dims, in an image
 * of any c x h x w of as many elements (mch_onnx_natural tells the usual one): logical shapes of any rank pass
 * through. */
struct mch_onnx_value {
	const char *name;                         /* "": an optional input that is left out */
	const MchOnnx__TensorProto *tensor;       /* a constant of the file, or */
	const struct mch_onnx_constant *constant; /* one that was computed, or */
	int edge;                                 /* an edge; else -1 */
	int type;                                 /* TensorProto.data_type */
	int rank;
	int64_t dims[MCH_ONNX_RANK_MAX]; /* of an edge: dims[0] is the batch when n_batch is 1, and MCH_ONNX_OPEN when
					    open */
};

/* How often a value is read, by nodes and as the graph's output, and by which node last (NULL: none). */
struct mch_onnx_readers {
	int n;
	const MchOnnx__NodeProto *node;
};

struct mch_onnx_graph {
	const char *path;
	const MchOnnx__GraphProto *proto;
	struct mch_net *net;
	struct mch_err *err;
	struct mch_wire *wire; /* the file */
	struct mch_unsupported *unsupported;
	int opset;
	int n_batch;   /* 1: the first dimension of every edge is the batch; 0: a tensor is one image as a whole */
	int64_t batch; /* of the inputs; MCH_ONNX_OPEN when open */
	struct mch_onnx_value *values;
	int n_values, n_values_room;
	struct mch_names value_names; /* index into values */
	struct mch_onnx_readers *readers;
	struct mch_names reader_names; /* index into readers: every name in the graph is here */
	struct mch_names layer_names;
	struct mch_onnx_constant *constants;
	bool *is_decoded;     /* [n_values_room]: tensors that have been copied once */
	uint64_t extra_bytes; /* see mch_onnx_charge */
	size_t *group_end;    /* [n_node]: behind the last node of its group (onnx_group.h), 0 for none */
};

/* 0, or -1 with err. */
int mch_onnx_count_all(struct mch_onnx_graph *g);
void mch_onnx_graph_free(struct mch_onnx_graph *g);

/* NULL when there is none of that name. The pointer holds until a value is added. */
const struct mch_onnx_value *mch_onnx_value(const struct mch_onnx_graph *g, const char *name);
/* A copy, under its name. 0, or -1 with err when the name is taken. */
int mch_onnx_add_value(struct mch_onnx_graph *g, const struct mch_onnx_value *value);
/* A constant of the file as a value. 0, or -1 with err when its shape is not usable. */
int mch_onnx_add_tensor(struct mch_onnx_graph *g, const char *name, const MchOnnx__TensorProto *tensor);

static inline bool mch_onnx_is_constant(const struct mch_onnx_value *v)
{
	return v->tensor || v->constant;
}

/* Inputs of nodes and outputs of the graph that read the value. */
struct mch_onnx_readers mch_onnx_readers(const struct mch_onnx_graph *g, const char *name);

bool mch_onnx_is_known(const MchOnnx__NodeProto *node);
/* Appends what the node means to the network. 0, or -1 with err. */
int mch_onnx_read_node(struct mch_onnx_graph *g, const MchOnnx__NodeProto *node);

#endif
