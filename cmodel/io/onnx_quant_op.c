/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* QuantizeLinear, DequantizeLinear and Quant without quantization, and the table of all that quantize; see
 * onnx_quant.h. Those that compute on codes are in onnx_quant_linear.c and onnx_quant_integer.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/onnx_quant.h"

/* Layers whose result may be below zero; what only moves or clips is told by what it reads. */
static bool may_be_negative(const struct mch_onnx_quant *q, const char *value)
{
	static const char *const types[] = {"Conv", "ConvTranspose",     "Gemm", "MatMul", "Add", "Sub", "Mul",
					    "Sum",  "BatchNormalization"};
	const int *at = mch_names_find(&q->producers, value);
	for (size_t i = 0; at && i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(q->nodes[*at]->op_type, types[i]) == 0)
			return true;
	return false;
}

static int add_bound(struct mch_onnx_quant *q, const char *name, double value)
{
	MchOnnx__TensorProto scalar = MCH_ONNX__TENSOR_PROTO__INIT;
	float *values = malloc(sizeof(*values));
	if (!values)
		return mch_onnx_err(&q->place, "out of memory; use a machine with more");
	values[0] = (float)value;
	return mch_onnx_quant_add_constant(q, name, &scalar, values, 1);
}

/* Codes that begin at zero cut off what is below: where a model relies on that, in place of a ReLU, it gets one.
 * A scale that is no power of two is no format's: then the upper end is cut off too, where the codes end. */
static int make_clip(struct mch_onnx_quant *q, MchOnnx__NodeProto *node, const char *x,
		     const struct mch_onnx_format *f)
{
	if (f->is_exact)
		return mch_onnx_quant_change(q, node, "Relu", false, 1, &x);
	const size_t room = strlen(node->output[0]) + 8;
	char *low = malloc(room), *high = malloc(room);
	int status = low && high ? 0 : mch_onnx_err(&q->place, "out of memory; use a machine with more");
	if (status == 0) {
		snprintf(low, room, "%s/low", node->output[0]);
		snprintf(high, room, "%s/high", node->output[0]);
		const char *const inputs[] = {x, low, high};
		status = add_bound(q, low, 0) != 0 || add_bound(q, high, f->high) != 0
				 ? -1
				 : mch_onnx_quant_change(q, node, "Clip", false, 3, inputs);
	}
	free(low);
	free(high);
	return status;
}

int mch_onnx_quant_finish(struct mch_onnx_quant *q, MchOnnx__NodeProto *node, const char *x,
			  const struct mch_onnx_scale *s)
{
	const struct mch_onnx_format format = mch_onnx_scale_format(s, NULL, 0);
	const bool is_cut = mch_onnx_scale_is_positive(s) && may_be_negative(q, x);
	/* Codes of 32 bits are sums, not operands: no format of ours, and none is needed. */
	const bool has_format = s->bits > 0 && s->bits <= MCH_OPERAND_BITS_MAX;
	if (has_format && (mch_onnx_quant_note(q, &q->value_formats, node->output[0], &format) != 0 ||
			   (!is_cut && mch_onnx_quant_note(q, &q->value_formats, x, &format) != 0)))
		return -1;
	return is_cut ? make_clip(q, node, x, &format) : mch_onnx_quant_change(q, node, "Identity", false, 1, &x);
}

int mch_onnx_quant_weights(struct mch_onnx_quant *q, const char *name, const char *as,
			   const struct mch_onnx_scale *s, bool are_codes)
{
	const MchOnnx__TensorProto *t = mch_onnx_quant_constant(q, name);
	float *values;
	size_t n;
	if (!t)
		return mch_onnx_err(&q->place, "\"%.64s\" is no constant; simplify the model", name);
	if (mch_onnx_tensor_f32(&q->place, t, &values, &n) != 0)
		return -1;
	if ((are_codes ? mch_onnx_scale_decode(q, s, t, values, n)
		       : mch_onnx_scale_requantize(q, s, t, values, n)) != 0) {
		free(values);
		return -1;
	}
	const struct mch_onnx_format format = mch_onnx_scale_format(s, values, n);
	if (mch_onnx_quant_add_constant(q, as, t, values, n) != 0)
		return -1;
	return s->bits > 0 && s->bits <= MCH_OPERAND_BITS_MAX
		       ? mch_onnx_quant_note(q, &q->constant_formats, as, &format)
		       : 0;
}

static int check_inputs(const struct mch_onnx_quant *q, const MchOnnx__NodeProto *node, size_t n_min, size_t n_max)
{
	if (node->n_input >= n_min && node->n_input <= n_max && node->n_output >= 1)
		return 0;
	return mch_onnx_err(&q->place, "%zu inputs and %zu outputs are not supported; export the model again",
			    node->n_input, node->n_output);
}

/* A constant is computed now, and the node goes; another value keeps its number and gets the format. */
static int quantize_value(struct mch_onnx_quant *q, MchOnnx__NodeProto *node, const struct mch_onnx_scale *s,
			  bool are_codes, bool *is_gone)
{
	if (!mch_onnx_quant_constant(q, node->input[0]))
		return mch_onnx_quant_finish(q, node, node->input[0], s);
	*is_gone = true;
	return mch_onnx_quant_weights(q, node->input[0], node->output[0], s, are_codes);
}

static int read_linear_scale(struct mch_onnx_quant *q, MchOnnx__NodeProto *node, int type, struct mch_onnx_scale *s)
{
	if (check_inputs(q, node, 2, 3) != 0)
		return -1;
	if (mch_onnx_scale_read(q, node->input[1], mch_onnx_quant_input(node, 2), type, s) != 0 ||
	    mch_onnx_int(&q->place, "axis", -8, 8, 1, &s->axis) != 0) {
		mch_onnx_scale_free(s);
		return -1;
	}
	return 0;
}

static int quantize_linear(struct mch_onnx_quant *q, MchOnnx__NodeProto **node, bool *is_gone)
{
	struct mch_onnx_scale s = {0};
	int type;
	if (mch_onnx_int(&q->place, "output_dtype", 0, 64, 0, &type) != 0 ||
	    read_linear_scale(q, *node, type ? type : MCH_ONNX_UINT8, &s) != 0)
		return -1;
	if (quantize_value(q, *node, &s, false, is_gone) != 0) {
		mch_onnx_scale_free(&s);
		return -1;
	}
	return mch_onnx_quant_add_codes(q, (*node)->output[0], &s);
}

static int dequantize_linear(struct mch_onnx_quant *q, MchOnnx__NodeProto **node, bool *is_gone)
{
	struct mch_onnx_scale s = {0};
	const MchOnnx__TensorProto *t = (*node)->n_input ? mch_onnx_quant_constant(q, (*node)->input[0]) : NULL;
	if (read_linear_scale(q, *node, t ? t->data_type : MCH_ONNX_UINT8, &s) != 0)
		return -1;
	/* Of a QuantizeLinear that was computed above: real numbers already. */
	const char *const x = (*node)->input[0];
	const int status = t && mch_names_find(&q->codes, x)
				   ? mch_onnx_quant_change(q, *node, "Identity", false, 1, &x)
				   : quantize_value(q, *node, &s, true, is_gone);
	mch_onnx_scale_free(&s);
	return status;
}

static int read_rounding(struct mch_onnx_quant *q, struct mch_onnx_scale *s, bool is_constant)
{
	char mode[16];
	if (mch_onnx_text(&q->place, "rounding_mode", "ROUND", mode, sizeof(mode)) != 0)
		return -1;
	if (strcmp(mode, "ROUND") != 0 && strcmp(mode, "FLOOR") != 0)
		return mch_onnx_err(
			&q->place,
			"rounding_mode \"%s\" is not supported, ROUND and FLOOR are; quantize the model "
			"again",
			mode);
	s->round = mode[0] == 'R' ? MCH_ROUND_HALF_EVEN : MCH_ROUND_FLOOR;
	if (is_constant)
		return 0;
	if (q->has_round && q->round != s->round)
		return mch_onnx_err(&q->place,
				    "rounding_mode is another than that of the tensors before, one for all is "
				    "supported; quantize the model again");
	q->round = s->round;
	q->has_round = true;
	return 0;
}

/* The dimension of x that the scales run along: they have as many dimensions as x, or fewer and fit its last ones. */
static int find_axis(struct mch_onnx_quant *q, const MchOnnx__NodeProto *node, struct mch_onnx_scale *s)
{
	const MchOnnx__TensorProto *scale = mch_onnx_quant_constant(q, node->input[1]);
	for (int i = 0; scale && s->n > 1 && i < (int)scale->n_dims; i++)
		if (scale->dims[i] == (int64_t)s->n) {
			s->axis = i - (int)scale->n_dims;
			return 0;
		}
	return s->n == 1 ? 0
			 : mch_onnx_err(&q->place, "its scales run along two dimensions; quantize the model again");
}

/* Quant(x, scale, zero point, bits) of QONNX: real numbers on both sides. */
static int quant(struct mch_onnx_quant *q, MchOnnx__NodeProto **node, bool *is_gone)
{
	struct mch_onnx_scale s = {0};
	int is_signed, is_narrow;
	float *bits;
	size_t n_bits;
	if (check_inputs(q, *node, 4, 4) != 0)
		return -1;
	const MchOnnx__TensorProto *t = mch_onnx_quant_constant(q, (*node)->input[3]);
	if (!t)
		return mch_onnx_err(&q->place, "its bit width is no constant; simplify the model");
	if (mch_onnx_tensor_f32(&q->place, t, &bits, &n_bits) != 0)
		return -1;
	const float width = bits[0];
	free(bits);
	if (n_bits != 1 || !(width >= 1 && width <= 32) || width != (float)(int)width)
		return mch_onnx_err(&q->place,
				    "a bit width of %g is not supported, 1 to 32 is; quantize the model again",
				    (double)width);
	int status = mch_onnx_scale_read(q, (*node)->input[1], (*node)->input[2], 0, &s);
	s.bits = (int)width;
	if (status == 0 && (mch_onnx_int(&q->place, "signed", 0, 1, 1, &is_signed) != 0 ||
			    mch_onnx_int(&q->place, "narrow", 0, 1, 0, &is_narrow) != 0 ||
			    read_rounding(q, &s, mch_onnx_quant_constant(q, (*node)->input[0]) != NULL) != 0 ||
			    find_axis(q, *node, &s) != 0))
		status = -1;
	if (status == 0) {
		s.is_signed = is_signed != 0;
		s.is_narrow = is_narrow != 0;
		status = quantize_value(q, *node, &s, false, is_gone);
	}
	mch_onnx_scale_free(&s);
	return status;
}

/* The domain's first letters: the same operator has had several. */
static const struct row {
	const char *op_type, *domain;
	int (*change)(struct mch_onnx_quant *q, MchOnnx__NodeProto **node, bool *is_gone);
} rows[] = {
	{"ConvInteger", "", mch_onnx_quant_integer},
	{"DequantizeLinear", "", dequantize_linear},
	{"DequantizeLinear", "com.microsoft", dequantize_linear},
	{"DynamicQuantizeLinear", "", mch_onnx_quant_dynamic},
	{"MatMulInteger", "", mch_onnx_quant_integer},
	{"QGemm", "com.microsoft", mch_onnx_quant_gemm},
	{"QLinearAdd", "com.microsoft", mch_onnx_quant_linear},
	{"QLinearAveragePool", "com.microsoft", mch_onnx_quant_linear},
	{"QLinearConcat", "com.microsoft", mch_onnx_quant_concat},
	{"QLinearConv", "", mch_onnx_quant_conv},
	{"QLinearGlobalAveragePool", "com.microsoft", mch_onnx_quant_linear},
	{"QLinearLeakyRelu", "com.microsoft", mch_onnx_quant_linear},
	{"QLinearMatMul", "", mch_onnx_quant_matmul},
	{"QLinearMul", "com.microsoft", mch_onnx_quant_linear},
	{"QLinearSigmoid", "com.microsoft", mch_onnx_quant_linear},
	{"QLinearSoftmax", "com.microsoft", mch_onnx_quant_linear},
	{"Quant", "finn.custom_op", quant},
	{"Quant", "onnx.brevitas", quant},
	{"Quant", "qonnx.custom_op", quant},
	{"QuantizeLinear", "", quantize_linear},
	{"QuantizeLinear", "com.microsoft", quantize_linear},
};

static const struct row *find_row(const MchOnnx__NodeProto *node)
{
	const char *domain = strcmp(node->domain, "ai.onnx") == 0 ? "" : node->domain;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const size_t n = strlen(rows[i].domain);
		if (strcmp(node->op_type, rows[i].op_type) == 0 && strncmp(domain, rows[i].domain, n) == 0 &&
		    (n > 0 || domain[0] == '\0'))
			return &rows[i];
	}
	return NULL;
}

bool mch_onnx_quant_is_op(const MchOnnx__NodeProto *node)
{
	return find_row(node) != NULL;
}

int mch_onnx_quant_node(struct mch_onnx_quant *q, MchOnnx__NodeProto **node, bool *is_gone)
{
	const struct row *row = find_row(*node);
	if (row && check_inputs(q, *node, 1, SIZE_MAX) != 0)
		return -1;
	return row ? row->change(q, node, is_gone) : mch_onnx_quant_product(q, *node, is_gone);
}
