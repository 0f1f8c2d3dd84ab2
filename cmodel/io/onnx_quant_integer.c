/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* ConvInteger and MatMulInteger, whose sums a Cast and a Mul make real numbers, and DynamicQuantizeLinear, which
 * computes its scale while running; see onnx_quant.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/onnx_quant.h"

/* A node that is still to come, or NULL. */
static MchOnnx__NodeProto *node_at(const struct mch_onnx_quant *q, const int *at)
{
	return at && *at >= 0 ? q->graph->node[*at] : NULL;
}

/* The only reader of a value, of that type. */
static MchOnnx__NodeProto *only_reader(const struct mch_onnx_quant *q, const char *value, const char *op_type)
{
	MchOnnx__NodeProto *node = node_at(q, mch_names_find(&q->readers, value));
	return node && strcmp(node->op_type, op_type) == 0 && node->n_output == 1 ? node : NULL;
}

static void take_away(struct mch_onnx_quant *q, const char *value)
{
	const int at = *mch_names_find(&q->readers, value);
	mch_onnx__node_proto__free_unpacked(q->graph->node[at], NULL);
	q->graph->node[at] = NULL;
}

/* Of a product of a computed scale and a constant, the constant; NULL when it is none. */
static const MchOnnx__TensorProto *constant_factor(const struct mch_onnx_quant *q, const MchOnnx__NodeProto *mul)
{
	for (size_t i = 0; strcmp(mul->op_type, "Mul") == 0 && mul->n_input == 2 && i < 2; i++) {
		const MchOnnx__TensorProto *t = mch_onnx_quant_constant(q, mul->input[i]);
		if (t && mch_names_find(&q->run_scales, mul->input[1 - i]))
			return t;
	}
	return NULL;
}

int mch_onnx_quant_product(struct mch_onnx_quant *q, const MchOnnx__NodeProto *node, bool *is_gone)
{
	const MchOnnx__TensorProto *t = q->run_scales.n && node->n_output == 1 ? constant_factor(q, node) : NULL;
	if (!t)
		return 0;
	*is_gone = true;
	for (size_t i = 0; i < q->n_constants; i++)
		if (q->constants[i] == t)
			return mch_names_set(&q->run_products, node->output[0], (int)i) == 0
				       ? 0
				       : mch_onnx_err(&q->place, "out of memory; use a machine with more");
	return 0;
}

int mch_onnx_quant_dynamic(struct mch_onnx_quant *q, MchOnnx__NodeProto **node, bool *is_gone)
{
	MchOnnx__NodeProto *n = *node;
	(void)is_gone;
	if (n->n_input != 1 || n->n_output != 3)
		return mch_onnx_err(&q->place,
				    "%zu inputs and %zu outputs are not supported; export the model again",
				    n->n_input, n->n_output);
	const char *const x = n->input[0];
	if (mch_names_set(&q->codes, n->output[0], -1) != 0 || mch_names_set(&q->run_scales, n->output[1], 0) != 0)
		return mch_onnx_err(&q->place, "out of memory; use a machine with more");
	while (n->n_output > 1)
		if (n->output[--n->n_output] != protobuf_c_empty_string)
			free(n->output[n->n_output]);
	return mch_onnx_quant_change(q, n, "Identity", false, 1, &x);
}

/* What the sums are multiplied by: a constant, or its part that is one. */
static const MchOnnx__TensorProto *find_factor(const struct mch_onnx_quant *q, const MchOnnx__NodeProto *mul,
					       const char *sums, bool *is_run)
{
	const char *other = strcmp(mul->input[0], sums) == 0 ? mul->input[1] : mul->input[0];
	const MchOnnx__TensorProto *t = mch_onnx_quant_constant(q, other);
	const int *product = mch_names_find(&q->run_products, other);
	const MchOnnx__NodeProto *coming = node_at(q, mch_names_find(&q->origins, other));
	*is_run = !t;
	if (t)
		return t;
	return product ? q->constants[*product] : coming ? constant_factor(q, coming) : NULL;
}

/* The weights' scale: what the sums are multiplied by, without the share of x's scale, when that is known. */
static int read_scale(struct mch_onnx_quant *q, const MchOnnx__NodeProto *node, const MchOnnx__TensorProto *factor,
		      double x_scale, struct mch_onnx_scale *s)
{
	const MchOnnx__TensorProto *w = mch_onnx_quant_constant(q, node->input[1]);
	const char *zero = mch_onnx_quant_input(node, 3);
	if (!w)
		return mch_onnx_err(&q->place, "its weights \"%.64s\" are no constant; simplify the model",
				    node->input[1]);
	if (mch_onnx_scale_of(q, factor, zero, w->data_type, s) != 0)
		return -1;
	s->axis = node->op_type[0] == 'C' ? 0 : -1;
	for (size_t i = 0; i < s->n; i++)
		s->scale[i] = (float)((double)s->scale[i] / x_scale);
	return 0;
}

static int rewrite(struct mch_onnx_quant *q, MchOnnx__NodeProto *node, const char *sums, const char *reals,
		   const struct mch_onnx_scale *s)
{
	const char *op_type = node->op_type[0] == 'C' ? "Conv" : "MatMul";
	const size_t room = strlen(reals) + 16;
	char *weight = malloc(room), *out = strdup(reals);
	int status = weight && out ? 0 : mch_onnx_err(&q->place, "out of memory; use a machine with more");
	if (status == 0) {
		snprintf(weight, room, "%s/weight", out);
		status = mch_onnx_quant_weights(q, node->input[1], weight, s, true);
	}
	if (status == 0) {
		const char *const inputs[] = {node->input[0], weight};
		take_away(q, sums);
		take_away(q, node->output[0]);
		status = mch_onnx_quant_change(q, node, op_type, true, 2, inputs);
	}
	if (status == 0)
		status = mch_onnx_quant_rename(q, &node->output[0], out);
	free(weight);
	free(out);
	return status;
}

int mch_onnx_quant_integer(struct mch_onnx_quant *q, MchOnnx__NodeProto **node, bool *is_gone)
{
	MchOnnx__NodeProto *n = *node;
	(void)is_gone;
	if (n->n_input < 2 || n->n_input > 4 || n->n_output != 1)
		return mch_onnx_err(&q->place, "%zu inputs are not supported; export the model again", n->n_input);
	const MchOnnx__NodeProto *cast = only_reader(q, n->output[0], "Cast");
	const MchOnnx__NodeProto *mul = cast ? only_reader(q, cast->output[0], "Mul") : NULL;
	const int *codes = mch_names_find(&q->codes, n->input[0]);
	bool is_run = false;
	const MchOnnx__TensorProto *factor =
		mul && mul->n_input == 2 ? find_factor(q, mul, cast->output[0], &is_run) : NULL;
	if (!factor || !codes || is_run != (*codes < 0))
		return mch_onnx_err(
			&q->place,
			"its sums become real numbers by no Cast and Mul with the scales of its input and "
			"weights; quantize the model with QuantizeLinear and DequantizeLinear");
	struct mch_onnx_scale s = {0};
	const double x_scale = is_run ? 1 : (double)q->scales[*codes].scale[0];
	const int status = read_scale(q, n, factor, x_scale, &s) != 0
				   ? -1
				   : rewrite(q, n, cast->output[0], mul->output[0], &s);
	mch_onnx_scale_free(&s);
	return status;
}
