/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Quantized ONNX models. Before the graph is read, what quantizes is taken out of it: codes become the real
 * numbers that they stand for, weights are dequantized, QLinearConv becomes Conv, and so on; and the formats are
 * written down by the names of values. Behind the reading they are put on the network's edges and layers. Host
 * only: no RTL twin. Source: the ONNX operators QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear,
 * QLinearConv, QLinearMatMul, ConvInteger, MatMulInteger; Quant of QONNX (Pappalardo et al., "QONNX: Representing
 * Arbitrary-Precision Quantized Neural Networks", 2022). */
#ifndef MCH_IO_ONNX_QUANT_H
#define MCH_IO_ONNX_QUANT_H

#include "io/names.h"
#include "io/onnx_attr.h"
#include "io/onnx_graph.h"
#include "net/quant.h"

/* real = (code - zero) * scale, codes of `bits` bits. */
struct mch_onnx_scale {
	size_t n;     /* 1, or one for each index of dimension `axis` */
	float *scale; /* [n], owned */
	float *zero;  /* [n], owned */
	int axis;
	int bits;
	bool is_signed, is_narrow; /* narrow: without the lowest code */
	enum mch_round round;
};

struct mch_onnx_format {
	struct mch_format format;
	char *name; /* of the value */
	bool is_exact;
	double scale, low, high; /* for the note: the first scale, the range */
};

struct mch_onnx_quant {
	struct mch_onnx_node place; /* for messages: the node at work */
	MchOnnx__GraphProto *graph;
	bool is_found; /* there is something quantized */
	enum mch_round round;
	bool has_round;
	/* Constants of the graph: initializers, and tensors of Constant nodes. */
	struct mch_names constant_names;
	const MchOnnx__TensorProto **constants;
	size_t n_constants, n_constants_room;
	/* The nodes that remain, in their order. */
	MchOnnx__NodeProto **nodes;
	size_t n_nodes, n_nodes_room;
	struct mch_names producers; /* of a value: index into nodes */
	/* Of a value, before anything was changed: indexes into graph->node, where a node that has been dealt
	 * with is NULL. */
	struct mch_names origins, readers; /* the only reader, -1 when there are more */
	/* Formats of values that are computed, of constants, and of the weights of nodes, these by the node's
	 * output. */
	struct mch_onnx_format *formats;
	size_t n_formats, n_formats_room;
	struct mch_names value_formats, constant_formats, weight_formats; /* index into formats */
	/* Values that were codes: index into scales, -1 where a scale is computed while running. */
	struct mch_names codes;
	struct mch_onnx_scale *scales;
	size_t n_scales, n_scales_room;
	/* Such scales themselves; and their products with a constant: its index. */
	struct mch_names run_scales, run_products;
};

/* Rewrites the graph when it has something quantized, and neither reads nor writes codes itself. 0, or -1 with
 * err; the graph can be freed in any case, and mch_onnx_quant_free must be called. */
int mch_onnx_quant_strip(struct mch_onnx_quant *q, const char *path, MchOnnx__GraphProto *graph,
			 struct mch_wire *wire, struct mch_err *err);
void mch_onnx_quant_free(struct mch_onnx_quant *q);

/* The formats of the network that was read from the stripped graph. quant->n_edges stays 0 when there are none.
 * 0, or -1 with err. */
int mch_onnx_quant_fill(const struct mch_onnx_quant *q, const struct mch_onnx_graph *g, struct mch_quant *quant,
			struct mch_err *err);

/* Below: for onnx_quant*.c. Every int is 0, or -1 with err. */

const MchOnnx__TensorProto *mch_onnx_quant_constant(const struct mch_onnx_quant *q, const char *name);
/* Appends a float constant; takes values over, also on failure. */
int mch_onnx_quant_add_constant(struct mch_onnx_quant *q, const char *name, const MchOnnx__TensorProto *like,
				float *values, size_t n);
/* Appends a node to those that remain; takes it over, also on failure. */
int mch_onnx_quant_keep(struct mch_onnx_quant *q, MchOnnx__NodeProto *node);
/* Value `name` was codes of that scale, which is taken over, also on failure. */
int mch_onnx_quant_add_codes(struct mch_onnx_quant *q, const char *name, struct mch_onnx_scale *s);
int mch_onnx_quant_note(struct mch_onnx_quant *q, struct mch_names *names, const char *name,
			const struct mch_onnx_format *format);

/* The node becomes another operator: without its attributes unless keep_attributes; inputs are copied first. */
int mch_onnx_quant_change(struct mch_onnx_quant *q, MchOnnx__NodeProto *node, const char *op_type,
			  bool keep_attributes, size_t n_inputs, const char *const *inputs);
int mch_onnx_quant_rename(struct mch_onnx_quant *q, char **name, const char *to);

/* onnx_quant_scale.c. Nothing is left to free on failure. zero_name may be "" or NULL. type: of the codes when
 * there is no zero point. */
int mch_onnx_scale_read(struct mch_onnx_quant *q, const char *scale_name, const char *zero_name, int type,
			struct mch_onnx_scale *s);
int mch_onnx_scale_of(struct mch_onnx_quant *q, const MchOnnx__TensorProto *scale, const char *zero_name, int type,
		      struct mch_onnx_scale *s);
void mch_onnx_scale_free(struct mch_onnx_scale *s);
/* codes -> reals, in place; reals -> the nearest codes' reals. dims as of the tensor. */
int mch_onnx_scale_decode(const struct mch_onnx_quant *q, const struct mch_onnx_scale *s,
			  const MchOnnx__TensorProto *t, float *values, size_t n);
int mch_onnx_scale_requantize(const struct mch_onnx_quant *q, const struct mch_onnx_scale *s,
			      const MchOnnx__TensorProto *t, float *values, size_t n);
/* The format that has all codes, or the finest one of as many bits that covers them, or just the n values of a
 * constant when values is not NULL. */
struct mch_onnx_format mch_onnx_scale_format(const struct mch_onnx_scale *s, const float *values, size_t n);
/* No code stands for a number below zero. */
bool mch_onnx_scale_is_positive(const struct mch_onnx_scale *s);
/* The finest format of that many bits with all of low .. high. */
struct mch_format mch_onnx_cover(double low, double high, int bits);

/* onnx_quant_op.c. */
bool mch_onnx_quant_is_op(const MchOnnx__NodeProto *node);
/* Changes a node that quantizes; *is_gone when it is to be left out. Another may be put into its place, behind
 * those that have been kept. */
int mch_onnx_quant_node(struct mch_onnx_quant *q, MchOnnx__NodeProto **node, bool *is_gone);

/* "" for an input that is left out. */
static inline const char *mch_onnx_quant_input(const MchOnnx__NodeProto *node, size_t i)
{
	return i < node->n_input ? node->input[i] : "";
}

/* The constant `name` as real numbers, under the name `as`. are_codes: it is codes, else reals that get a code's
 * value. */
int mch_onnx_quant_weights(struct mch_onnx_quant *q, const char *name, const char *as,
			   const struct mch_onnx_scale *s, bool are_codes);
/* The node becomes what quantizing x is to real numbers, and its output has the format. */
int mch_onnx_quant_finish(struct mch_onnx_quant *q, MchOnnx__NodeProto *node, const char *x,
			  const struct mch_onnx_scale *s);

/* onnx_quant_linear.c and onnx_quant_integer.c: operators on codes. */
int mch_onnx_quant_conv(struct mch_onnx_quant *q, MchOnnx__NodeProto **node, bool *is_gone);
int mch_onnx_quant_matmul(struct mch_onnx_quant *q, MchOnnx__NodeProto **node, bool *is_gone);
int mch_onnx_quant_gemm(struct mch_onnx_quant *q, MchOnnx__NodeProto **node, bool *is_gone);
int mch_onnx_quant_linear(struct mch_onnx_quant *q, MchOnnx__NodeProto **node, bool *is_gone);
int mch_onnx_quant_concat(struct mch_onnx_quant *q, MchOnnx__NodeProto **node, bool *is_gone);
int mch_onnx_quant_integer(struct mch_onnx_quant *q, MchOnnx__NodeProto **node, bool *is_gone);
int mch_onnx_quant_dynamic(struct mch_onnx_quant *q, MchOnnx__NodeProto **node, bool *is_gone);
/* A product of scales that are computed while running: it is left out. */
int mch_onnx_quant_product(struct mch_onnx_quant *q, const MchOnnx__NodeProto *node, bool *is_gone);

#endif
