/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Operators on codes with the scale of every tensor among their inputs: QLinearConv, QLinearMatMul, and those of
 * ONNX Runtime; see onnx_quant.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/onnx_quant.h"

/* "VALUE/part", owned by the caller. */
static char *part_name(const struct mch_onnx_quant *q, const char *value, const char *part)
{
	const size_t room = strlen(value) + strlen(part) + 2;
	char *name = malloc(room);
	if (name)
		snprintf(name, room, "%s/%s", value, part);
	else
		mch_onnx_err(&q->place, "out of memory; use a machine with more");
	return name;
}

static int read_scale(struct mch_onnx_quant *q, const MchOnnx__NodeProto *node, size_t at, struct mch_onnx_scale *s)
{
	return mch_onnx_scale_read(q, mch_onnx_quant_input(node, at), mch_onnx_quant_input(node, at + 1),
				   MCH_ONNX_UINT8, s);
}

/* The format of a value that the node reads. */
static int note_input(struct mch_onnx_quant *q, const char *value, const struct mch_onnx_scale *s)
{
	const struct mch_onnx_format format = mch_onnx_scale_format(s, NULL, 0);
	return mch_onnx_quant_note(q, &q->value_formats, value, &format);
}

/* Gives the node's result the format of s. Where codes begin at zero, the node writes a value of its own and
 * another node, which *node becomes, cuts it off. */
static int finish(struct mch_onnx_quant *q, MchOnnx__NodeProto **node, const struct mch_onnx_scale *s)
{
	if (!mch_onnx_scale_is_positive(s))
		return note_input(q, (*node)->output[0], s);
	MchOnnx__NodeProto *sum = *node, *cut = malloc(sizeof(*cut));
	char *name = part_name(q, sum->output[0], "sum");
	if (cut)
		mch_onnx__node_proto__init(cut);
	char **output = malloc(sizeof(*output));
	if (!cut || !name || !output) {
		free(cut);
		free(name);
		free(output);
		return mch_onnx_err(&q->place, "out of memory; use a machine with more");
	}
	output[0] = sum->output[0];
	sum->output[0] = name;
	cut->output = output;
	cut->n_output = 1;
	*node = cut;
	if (mch_onnx_quant_keep(q, sum) != 0)
		return -1;
	return mch_onnx_quant_rename(q, &cut->name, output[0]) != 0 ? -1 : mch_onnx_quant_finish(q, cut, name, s);
}

/* The scale of sums: products of codes of x and w. */
static int product_scale(const struct mch_onnx_quant *q, const struct mch_onnx_scale *x,
			 const struct mch_onnx_scale *w, struct mch_onnx_scale *s)
{
	*s = (struct mch_onnx_scale){.n = w->n, .bits = 32, .is_signed = true, .axis = 0};
	s->scale = malloc(w->n * sizeof(*s->scale));
	s->zero = calloc(w->n, sizeof(*s->zero));
	if (!s->scale || !s->zero)
		return mch_onnx_err(&q->place, "out of memory; use a machine with more");
	for (size_t i = 0; i < w->n; i++)
		s->scale[i] = x->scale[0] * w->scale[i];
	return 0;
}

/* What a layer with weights has: scales of its input, weights and output, at these inputs of the node. */
struct layer_inputs {
	size_t weights, bias, output; /* bias 0: none */
	int axis;                     /* of the weights, that of the output channels */
	const char *op_type;
};

static int change_layer(struct mch_onnx_quant *q, MchOnnx__NodeProto *node, const struct layer_inputs *at,
			const struct mch_onnx_scale *x, const struct mch_onnx_scale *w)
{
	const bool has_bias = at->bias && mch_onnx_quant_input(node, at->bias)[0];
	char *weight = part_name(q, node->output[0], "weight"), *bias = part_name(q, node->output[0], "bias");
	struct mch_onnx_scale sums = {0};
	int status = weight && bias ? mch_onnx_quant_weights(q, node->input[at->weights], weight, w, true) : -1;
	if (status == 0 && has_bias)
		status = product_scale(q, x, w, &sums) != 0 ||
					 mch_onnx_quant_weights(q, node->input[at->bias], bias, &sums, true) != 0
				 ? -1
				 : 0;
	if (status == 0) {
		const char *const inputs[] = {node->input[0], weight, bias};
		status = mch_onnx_quant_change(q, node, at->op_type, true, has_bias ? 3 : 2, inputs);
	}
	mch_onnx_scale_free(&sums);
	free(weight);
	free(bias);
	return status;
}

static int read_layer(struct mch_onnx_quant *q, MchOnnx__NodeProto **node, const struct layer_inputs *at)
{
	struct mch_onnx_scale x = {0}, w = {0}, y = {0};
	int status = (*node)->n_input > at->weights + 1 && (*node)->n_output == 1
			     ? 0
			     : mch_onnx_err(&q->place, "%zu inputs are not supported; export the model again",
					    (*node)->n_input);
	const bool has_output = status == 0 && mch_onnx_quant_input(*node, at->output)[0];
	if (status == 0 && (read_scale(q, *node, 1, &x) != 0 || read_scale(q, *node, at->weights + 1, &w) != 0 ||
			    (has_output && read_scale(q, *node, at->output, &y) != 0)))
		status = -1;
	w.axis = at->axis;
	if (status == 0 && x.n != 1)
		status = mch_onnx_err(&q->place,
				      "its input has %zu scales, 1 is supported; quantize the model again", x.n);
	if (status == 0)
		status = note_input(q, (*node)->input[0], &x);
	if (status == 0)
		status = change_layer(q, *node, at, &x, &w);
	if (status == 0 && has_output)
		status = finish(q, node, &y);
	mch_onnx_scale_free(&x);
	mch_onnx_scale_free(&w);
	mch_onnx_scale_free(&y);
	return status;
}

int mch_onnx_quant_conv(struct mch_onnx_quant *q, MchOnnx__NodeProto **node, bool *is_gone)
{
	(void)is_gone;
	return read_layer(q, node, &(struct layer_inputs){3, 8, 6, 0, "Conv"});
}

int mch_onnx_quant_matmul(struct mch_onnx_quant *q, MchOnnx__NodeProto **node, bool *is_gone)
{
	(void)is_gone;
	return read_layer(q, node, &(struct layer_inputs){3, 0, 6, -1, "MatMul"});
}

int mch_onnx_quant_gemm(struct mch_onnx_quant *q, MchOnnx__NodeProto **node, bool *is_gone)
{
	int is_transposed;
	(void)is_gone;
	if (mch_onnx_int(&q->place, "transB", 0, 1, 0, &is_transposed) != 0)
		return -1;
	return read_layer(q, node, &(struct layer_inputs){3, 6, 7, is_transposed ? 0 : 1, "Gemm"});
}

/* The value at input `at` of the node, with its scale behind it: real numbers are there already, or are made of a
 * constant. */
static int read_operand(struct mch_onnx_quant *q, MchOnnx__NodeProto *node, size_t at, char **name)
{
	struct mch_onnx_scale s = {0};
	char part[32];
	snprintf(part, sizeof(part), "operand%zu", at);
	const char *value = mch_onnx_quant_input(node, at);
	const bool is_constant = mch_onnx_quant_constant(q, value) != NULL;
	*name = is_constant ? part_name(q, node->output[0], part) : strdup(value);
	int status = *name && read_scale(q, node, at + 1, &s) == 0 ? 0 : -1;
	if (status == 0) {
		status = is_constant ? mch_onnx_quant_weights(q, value, *name, &s, true) : note_input(q, value, &s);
		mch_onnx_scale_free(&s);
	}
	return status;
}

/* n operands at inputs first, first + 3, ...; the result's scale is at `result`. */
static int read_operands(struct mch_onnx_quant *q, MchOnnx__NodeProto **node, const char *op_type, size_t first,
			 size_t n, size_t result)
{
	struct mch_onnx_scale y = {0};
	char **names = calloc(n + 1, sizeof(*names));
	int status = names ? 0 : mch_onnx_err(&q->place, "out of memory; use a machine with more");
	for (size_t i = 0; status == 0 && i < n; i++)
		status = read_operand(q, *node, first + 3 * i, &names[i]);
	if (status == 0 && read_scale(q, *node, result, &y) != 0)
		status = -1;
	else if (status == 0) {
		status = mch_onnx_quant_change(q, *node, op_type, true, n, (const char *const *)names);
		if (status == 0)
			status = finish(q, node, &y);
		mch_onnx_scale_free(&y);
	}
	for (size_t i = 0; names && i < n; i++)
		free(names[i]);
	free(names);
	return status;
}

static void remove_attribute(MchOnnx__NodeProto *node, const char *name)
{
	for (size_t i = 0; i < node->n_attribute; i++)
		if (strcmp(node->attribute[i]->name, name) == 0) {
			mch_onnx__attribute_proto__free_unpacked(node->attribute[i], NULL);
			node->attribute[i] = node->attribute[--node->n_attribute];
			return;
		}
}

/* QLinearAdd is Add, and so on. */
int mch_onnx_quant_linear(struct mch_onnx_quant *q, MchOnnx__NodeProto **node, bool *is_gone)
{
	char op_type[32];
	int is_last;
	(void)is_gone;
	snprintf(op_type, sizeof(op_type), "%s", (*node)->op_type + strlen("QLinear"));
	if (mch_onnx_int(&q->place, "channels_last", 0, 0, 0, &is_last) != 0)
		return -1;
	remove_attribute(*node, "channels_last");
	remove_attribute(*node, "opset");
	const size_t n = strcmp(op_type, "Add") == 0 || strcmp(op_type, "Mul") == 0 ? 2 : 1;
	return read_operands(q, node, op_type, 0, n, 3 * n);
}

/* The result's scale is first. */
int mch_onnx_quant_concat(struct mch_onnx_quant *q, MchOnnx__NodeProto **node, bool *is_gone)
{
	(void)is_gone;
	if ((*node)->n_input < 5 || ((*node)->n_input - 2) % 3)
		return mch_onnx_err(&q->place, "%zu inputs are not supported; export the model again",
				    (*node)->n_input);
	return read_operands(q, node, "Concat", 2, ((*node)->n_input - 2) / 3, 0);
}
