/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Scales and zero points of quantized ONNX tensors, and the formats that they are; see onnx_quant.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/onnx_quant.h"

/* Bits of the codes of a data type, 0 for one that has none. */
static int code_bits(int type, bool *is_signed)
{
	enum { UINT16 = 4, INT16 = 5, UINT4 = 21, INT4 = 22 };
	*is_signed = type == MCH_ONNX_INT8 || type == INT16 || type == INT4 || type == MCH_ONNX_INT32;
	switch (type) {
	case UINT4:
	case INT4:
		return 4;
	case MCH_ONNX_UINT8:
	case MCH_ONNX_INT8:
		return 8;
	case UINT16:
	case INT16:
		return 16;
	case MCH_ONNX_INT32:
		return 32;
	default:
		return 0;
	}
}

void mch_onnx_scale_free(struct mch_onnx_scale *s)
{
	free(s->scale);
	free(s->zero);
	s->scale = s->zero = NULL;
}

static const MchOnnx__TensorProto *find(const struct mch_onnx_quant *q, const char *name)
{
	const MchOnnx__TensorProto *t = mch_onnx_quant_constant(q, name);
	if (!t)
		mch_onnx_err(&q->place, "\"%.64s\" is no constant; simplify the model", name);
	return t;
}

static int read_zero(struct mch_onnx_quant *q, const char *zero_name, struct mch_onnx_scale *s)
{
	const MchOnnx__TensorProto *t = find(q, zero_name);
	size_t n;
	float *values;
	if (!t || mch_onnx_tensor_f32(&q->place, t, &values, &n) != 0)
		return -1;
	if (n == s->n || n == 1)
		for (size_t i = 0; i < s->n; i++)
			s->zero[i] = values[n == 1 ? 0 : i];
	free(values);
	return n == s->n || n == 1
		       ? 0
		       : mch_onnx_err(&q->place, "%zu scales and %zu zero points; export the model again", s->n, n);
}

int mch_onnx_scale_read(struct mch_onnx_quant *q, const char *scale_name, const char *zero_name, int type,
			struct mch_onnx_scale *s)
{
	const MchOnnx__TensorProto *t = find(q, scale_name);
	memset(s, 0, sizeof(*s));
	return t ? mch_onnx_scale_of(q, t, zero_name, type, s) : -1;
}

static int read_parts(struct mch_onnx_quant *q, const MchOnnx__TensorProto *scale, const char *zero_name, int type,
		      struct mch_onnx_scale *s)
{
	const bool has_zero = zero_name && zero_name[0];
	*s = (struct mch_onnx_scale){.axis = 1, .round = MCH_ROUND_HALF_EVEN};
	if (mch_onnx_tensor_f32(&q->place, scale, &s->scale, &s->n) != 0)
		return -1;
	s->zero = calloc(s->n, sizeof(*s->zero));
	if (!s->zero)
		return mch_onnx_err(&q->place, "out of memory; use a machine with more");
	if (has_zero && read_zero(q, zero_name, s) != 0)
		return -1;
	s->bits = code_bits(has_zero ? mch_onnx_quant_constant(q, zero_name)->data_type : type, &s->is_signed);
	for (size_t i = 0; i < s->n; i++)
		if (!(s->scale[i] > 0))
			return mch_onnx_err(
				&q->place,
				"scale %zu is %g, a number above 0 is expected; quantize the model again", i,
				(double)s->scale[i]);
	return 0;
}

int mch_onnx_scale_of(struct mch_onnx_quant *q, const MchOnnx__TensorProto *scale, const char *zero_name, int type,
		      struct mch_onnx_scale *s)
{
	const int status = read_parts(q, scale, zero_name, type, s);
	if (status != 0)
		mch_onnx_scale_free(s);
	return status;
}

/* Elements that have one scale in a row, and how often the scales repeat. */
static int find_rows(const struct mch_onnx_quant *q, const struct mch_onnx_scale *s, const MchOnnx__TensorProto *t,
		     size_t *row)
{
	const int n_dims = (int)t->n_dims, axis = s->axis < 0 ? s->axis + n_dims : s->axis;
	*row = 1;
	if (s->n == 1)
		return 0;
	if (axis < 0 || axis >= n_dims || t->dims[axis] != (int64_t)s->n)
		return mch_onnx_err(&q->place,
				    "%zu scales do not fit dimension %d of \"%.64s\"; quantize the model again",
				    s->n, axis, t->name);
	for (int i = axis + 1; i < n_dims; i++)
		*row *= (size_t)t->dims[i];
	return 0;
}

int mch_onnx_scale_decode(const struct mch_onnx_quant *q, const struct mch_onnx_scale *s,
			  const MchOnnx__TensorProto *t, float *values, size_t n)
{
	size_t row;
	if (find_rows(q, s, t, &row) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const size_t k = s->n == 1 ? 0 : i / row % s->n;
		values[i] = (float)(((double)values[i] - (double)s->zero[k]) * (double)s->scale[k]);
	}
	return 0;
}

static void code_range(const struct mch_onnx_scale *s, double *low, double *high)
{
	*low = s->is_signed ? -ldexp(1, s->bits - 1) + s->is_narrow : 0;
	*high = ldexp(1, s->bits - s->is_signed) - 1 - (s->is_narrow && !s->is_signed);
}

int mch_onnx_scale_requantize(const struct mch_onnx_quant *q, const struct mch_onnx_scale *s,
			      const MchOnnx__TensorProto *t, float *values, size_t n)
{
	const struct mch_format wide = {49, 0, true};
	size_t row;
	double low, high;
	if (find_rows(q, s, t, &row) != 0)
		return -1;
	code_range(s, &low, &high);
	for (size_t i = 0; i < n; i++) {
		const size_t k = s->n == 1 ? 0 : i / row % s->n;
		const double zero = (double)s->zero[k], scale = (double)s->scale[k];
		const double code = (double)mch_format_raw(wide, (double)values[i] / scale + zero, s->round, NULL);
		values[i] = (float)((fmin(fmax(code, low), high) - zero) * scale);
	}
	return 0;
}

bool mch_onnx_scale_is_positive(const struct mch_onnx_scale *s)
{
	double low, high;
	code_range(s, &low, &high);
	for (size_t i = 0; i < s->n; i++)
		if (low < (double)s->zero[i])
			return false;
	return true;
}

struct mch_format mch_onnx_cover(double low, double high, int bits)
{
	struct mch_format f = {bits > MCH_OPERAND_BITS_MAX ? MCH_OPERAND_BITS_MAX : bits, MCH_FRAC_LIMIT, low < 0};
	if (f.bits < 2) /* one bit and a sign has the codes -1 and 0 alone */
		f.bits = 1 + f.is_signed;
	while (f.frac > -MCH_FRAC_LIMIT &&
	       (mch_format_real(f, mch_format_max(f)) < high || mch_format_real(f, mch_format_min(f)) > low))
		f.frac--;
	return f;
}

static bool are_powers_of_two(const struct mch_onnx_scale *s)
{
	int exponent;
	for (size_t i = 0; i < s->n; i++)
		if (frexp((double)s->scale[i], &exponent) != 0.5)
			return false;
	return true;
}

static bool has_all(struct mch_format f, const float *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (mch_format_real(f, mch_format_raw(f, (double)values[i], MCH_ROUND_HALF_EVEN, NULL)) !=
		    (double)values[i])
			return false;
	return true;
}

struct mch_onnx_format mch_onnx_scale_format(const struct mch_onnx_scale *s, const float *values, size_t n)
{
	struct mch_onnx_format result = {.is_exact = true, .scale = (double)s->scale[0]};
	double code_low, code_high, low = INFINITY, high = -INFINITY;
	int exponent;
	code_range(s, &code_low, &code_high);
	for (size_t i = 0; i < s->n; i++) {
		low = fmin(low, (code_low - (double)s->zero[i]) * (double)s->scale[i]);
		high = fmax(high, (code_high - (double)s->zero[i]) * (double)s->scale[i]);
		result.is_exact = result.is_exact && s->scale[i] == s->scale[0] && s->zero[i] == s->zero[0];
	}
	/* Powers of two, and codes that are those of a format of as many bits, moved by the zero point or not. */
	const double first = code_low - (double)s->zero[0] - (s->is_narrow && s->is_signed);
	const bool is_signed = first < 0;
	result.is_exact = result.is_exact && frexp((double)s->scale[0], &exponent) == 0.5 &&
			  s->bits <= MCH_OPERAND_BITS_MAX && exponent - 1 >= -MCH_FRAC_LIMIT &&
			  exponent - 1 <= MCH_FRAC_LIMIT && first == (is_signed ? -ldexp(1, s->bits - 1) : 0);
	result.low = low;
	result.high = high;
	if (result.is_exact) {
		result.format = (struct mch_format){s->bits, 1 - exponent, is_signed};
		return result;
	}
	if (values) { /* a constant is what it is, whatever its codes could be */
		result.low = result.high = 0;
		for (size_t i = 0; i < n; i++) {
			result.low = fmin(result.low, (double)values[i]);
			result.high = fmax(result.high, (double)values[i]);
		}
	}
	result.format = mch_onnx_cover(result.low, result.high, s->bits);
	/* Several powers of two, one for each channel: a wider format may have them all. */
	for (int bits = s->bits; values && are_powers_of_two(s) && !result.is_exact && bits <= MCH_OPERAND_BITS_MAX;
	     bits++) {
		const struct mch_format wider = mch_onnx_cover(result.low, result.high, bits);
		result.is_exact = has_all(wider, values, n);
		result.format = result.is_exact ? wider : result.format;
	}
	return result;
}
