/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Arguments of the package; see check.h. */
#include "dpi/check.h"

#include "dpi/macchiato_dpi.h"
#include "fxp/format.h"

/* Of a simulator (IEEE 1800-2012, annex H). Weak: other programs load the library for what takes no arrays. */
void *svGetArrayPtr(void *array) __attribute__((weak));
int svSize(void *array, int dimension) __attribute__((weak));

struct mch_err mch_dpi_err;

const char *mch_dpi_error(void)
{
	return mch_dpi_err.text;
}

int mch_dpi_need(const char *where, const char *what, long long value, long long low, long long high)
{
	if (value >= low && value <= high)
		return 0;
	return mch_err_set(&mch_dpi_err, where, "%s is %lld; give %lld to %lld", what, value, low, high);
}

int mch_dpi_need_all(const char *where, const char *what, const int32_t *v, size_t n, int64_t low, int64_t high)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] < low || v[i] > high)
			return mch_err_set(&mch_dpi_err, where, "%s[%zu] is %ld; give %lld to %lld", what, i, (long)v[i],
					   (long long)low, (long long)high);
	return 0;
}

int mch_dpi_acc(const char *where, const uint32_t *packed, struct mch_acc *acc)
{
	const int bits = mch_dpi_field(packed, 2, 0), overflow = mch_dpi_field(packed, 2, 1);
	if (mch_dpi_need(where, "acc_bits", bits, 2, MCH_ACC_BITS_MAX) != 0 ||
	    mch_dpi_need(where, "acc_sat", overflow, MCH_WRAP, MCH_SATURATE) != 0)
		return -1;
	*acc = (struct mch_acc){bits, (enum mch_overflow)overflow};
	return 0;
}

/* Of the kinds, those that rtl/mch_encode.v makes. */
static int need_minifloat(const char *where, const struct mch_requant *out)
{
	const struct mch_format f = {out->out_bits, 0, true, out->number, out->exp_bits};
	const int mantissa = out->out_bits - 1 - out->exp_bits;
	if (out->exp_bits < 1 || !mch_format_is_operand(f) || mantissa < (out->number == MCH_MINIFLOAT_FN ? 2 : 1) || out->wraps)
		return mch_err_set(&mch_dpi_err, where,
				   "a minifloat of %d bits with %d of exponent is none that is made; give out_exp 1 to 5, a mantissa, and "
				   "wraps 0",
				   out->out_bits, out->exp_bits);
	return 0;
}

int mch_dpi_out(const char *where, const uint32_t *packed, struct mch_requant *out)
{
	enum { OUT_BITS, OUT_SIGNED, RELU, ROUND, WRAPS, OUT_KIND, OUT_EXP, N_FIELDS };
	static const char *const name[] = {"out_bits", "out_signed", "relu", "round", "wraps", "out_kind", "out_exp"};
	static const int high[] = {MCH_OPERAND_BITS_MAX, 1, 1, MCH_N_ROUNDS - 1, 1, MCH_MINIFLOAT_FLUSH, MCH_EXP_BITS_MAX};
	int field[N_FIELDS];
	for (int i = 0; i < N_FIELDS; i++) {
		field[i] = mch_dpi_field(packed, N_FIELDS, i);
		if (mch_dpi_need(where, name[i], field[i], i == OUT_BITS ? 1 : 0, high[i]) != 0)
			return -1;
	}
	*out = (struct mch_requant){.out_bits = field[OUT_BITS],
				    .out_signed = field[OUT_SIGNED] != 0,
				    .relu = field[RELU] != 0,
				    .round = (enum mch_round)field[ROUND],
				    .wraps = field[WRAPS] != 0,
				    .number = (enum mch_number)field[OUT_KIND],
				    .exp_bits = field[OUT_EXP]};
	return out->number == MCH_FIXED ? 0 : need_minifloat(where, out);
}

size_t mch_dpi_elems(void *array)
{
	const int n = svSize && array ? svSize(array, 1) : 0;
	return n > 0 ? (size_t)n : 0;
}

static int need_array(const char *where, const char *what, void *array, size_t n, void **data)
{
	const size_t elems = mch_dpi_elems(array);
	if (!svGetArrayPtr || !svSize)
		return mch_err_set(&mch_dpi_err, where, "%s is an array of SystemVerilog; call from a simulator", what);
	if (elems < n || n == 0)
		return mch_err_set(&mch_dpi_err, where, "%s has %zu elements; give an array of %zu", what, elems, n);
	*data = svGetArrayPtr(array);
	if (!*data)
		return mch_err_set(&mch_dpi_err, where, "%s is not laid out as in C by this simulator; declare it [0:%zu]", what, n - 1);
	return 0;
}

int mch_dpi_ints(const char *where, const char *what, void *array, size_t n, int32_t **data)
{
	void *memory;
	if (need_array(where, what, array, n, &memory) != 0)
		return -1;
	*data = memory;
	return 0;
}

int mch_dpi_longs(const char *where, const char *what, void *array, size_t n, int64_t **data)
{
	void *memory;
	if (need_array(where, what, array, n, &memory) != 0)
		return -1;
	*data = memory;
	return 0;
}
