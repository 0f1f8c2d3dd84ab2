/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Attributes and tensors of ONNX nodes, checked. Host only: no RTL twin. */
#ifndef MCH_IO_ONNX_ATTR_H
#define MCH_IO_ONNX_ATTR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "io/onnx.pb-c.h"
#include "io/wire.h"

/* A node and where it is, for messages: "net.onnx: node conv1 (Conv): ...". */
struct mch_onnx_node {
	const char *path;
	const MchOnnx__NodeProto *proto;
	struct mch_err *err;
	struct mch_wire *wire; /* the model's file, where large tensors are (onnx_load.h) */
};

/* err with the node's place; returns -1. */
int mch_onnx_err(const struct mch_onnx_node *node, const char *what, ...) __attribute__((format(printf, 2, 3)));

/* The node's name, or that of its first output when it has none. */
const char *mch_onnx_name(const MchOnnx__NodeProto *node);

/* An attribute that is not in the words of `known` (a space behind each) is refused. */
int mch_onnx_check_attributes(const struct mch_onnx_node *node, const char *known);

/* Each: 0, or -1 with err when the attribute has another type, length or range. Left out, it has the fallback. */
int mch_onnx_int(const struct mch_onnx_node *node, const char *name, int low, int high, int fallback, int *value);
int mch_onnx_ints(const struct mch_onnx_node *node, const char *name, int n, int low, int high, int fallback,
		  int *values);
int mch_onnx_real(const struct mch_onnx_node *node, const char *name, double fallback, double *value);
int mch_onnx_text(const struct mch_onnx_node *node, const char *name, const char *fallback, char *buf, size_t room);
const MchOnnx__AttributeProto *mch_onnx_find(const struct mch_onnx_node *node, const char *name);

/* Tensors, onnx_tensor.c. Elements are where the file has them: in the messages, further on in the file, or in another
 * file below the model's folder. Sizes are proven before anything is allocated. */

/* Elements of a tensor, 0 when a dimension is not positive or they do not fit the memory of a file. */
size_t mch_onnx_tensor_elems(const MchOnnx__TensorProto *t);

/* All elements of a tensor of any number type as floats; owned by the caller. Every one must be finite. */
int mch_onnx_tensor_f32(const struct mch_onnx_node *node, const MchOnnx__TensorProto *t, float **values, size_t *n);

/* The same without the demand to be finite. */
int mch_onnx_tensor_any_f32(const struct mch_onnx_node *node, const MchOnnx__TensorProto *t, float **values,
			    size_t *n);

/* The elements of a tensor of whole numbers, exactly n of them. */
int mch_onnx_tensor_ints(const struct mch_onnx_node *node, const MchOnnx__TensorProto *t, size_t n, int64_t *values);

/* The same, however many; owned by the caller. */
int mch_onnx_tensor_all_ints(const struct mch_onnx_node *node, const MchOnnx__TensorProto *t, int64_t **values,
			     size_t *n);

/* Whole numbers, or bool. */
bool mch_onnx_tensor_is_whole(const MchOnnx__TensorProto *t);

#endif
