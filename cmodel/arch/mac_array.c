/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The MAC array, cycle by cycle; see mac_array.h. */
#include "arch/mac_array.h"

#include <stdlib.h>
#include <string.h>

#include "fxp/encode.h"

/* One source, compiled for several vector widths and chosen at load time; the result is the same integer in each. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define MCH_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define MCH_CLONES
#endif

static bool is_minifloat(int bits, int exp, enum mch_number kind)
{
	return mch_number_is_minifloat(kind) && exp >= 1 && exp <= MCH_EXP_BITS_MAX && bits >= 1 + exp;
}

static int check_mult(const struct mch_mac_array_config *cfg, struct mch_err *err)
{
	const bool is_pow2 = cfg->w_kind == MCH_POW2 || cfg->w_kind == MCH_POW2_NO_ZERO;
	if (cfg->mult == MCH_MULT_INTEGER && cfg->w_kind != MCH_FIXED)
		return mch_err_set(err, "array", "weights of kind %d are no operands of MULT 0; W_KIND is 0", cfg->w_kind);
	if (cfg->mult == MCH_MULT_SHIFT && (!is_pow2 || cfg->w_bits < 2 || cfg->w_bits > MCH_POW2_BITS_MAX))
		return mch_err_set(err, "array",
				   "weights of kind %d with %d bits are no operands of MULT 1; W_KIND is 5 or 6, W_BITS 2 to 5",
				   cfg->w_kind, cfg->w_bits);
	if (cfg->mult != MCH_MULT_MINIFLOAT && (cfg->x_kind != MCH_FIXED || cfg->x_exp != 0 || cfg->w_exp != 0))
		return mch_err_set(err, "array", "minifloats are operands of MULT 2 alone; X_KIND, X_EXP and W_EXP are 0");
	/* All widths first: only of formats that exist a product's width can be told. */
	if (cfg->mult == MCH_MULT_MINIFLOAT && (!is_minifloat(cfg->x_bits, cfg->x_exp, cfg->x_kind) ||
						!is_minifloat(cfg->w_bits, cfg->w_exp, cfg->w_kind) ||
						mch_mac_array_product_bits(cfg) > MCH_ACC_BITS_MAX))
		return mch_err_set(err, "array",
				   "operands of kinds %d and %d are none of MULT 2; kinds are 1 to 4, exponents 1 to 5 bits, products 48",
				   cfg->x_kind, cfg->w_kind);
	/* Of a DSP slice's 25 x 18 bits, the pair of weights takes X_BITS + 2 * W_BITS + 1 of the 25. */
	if (cfg->pack && (cfg->mult != MCH_MULT_INTEGER || cfg->x_bits + 2 * cfg->w_bits > 24))
		return mch_err_set(err, "array",
				   "operands of %d and %d bits of MULT %d cannot be packed; X_BITS + 2 * W_BITS is up to 24, MULT 0",
				   cfg->x_bits, cfg->w_bits, cfg->mult);
	if (cfg->x_cols < 0 || cfg->x_cols > cfg->cols || (cfg->pack && cfg->x_cols > 1))
		return mch_err_set(err, "array", "%d activations of a row in a beat; X_COLS is 1 to COLS, and 1 with PACK",
				   cfg->x_cols);
	return 0;
}

int mch_mac_array_init(struct mch_mac_array *a, const struct mch_mac_array_config *cfg, struct mch_err *err)
{
	memset(a, 0, sizeof(*a));
	if (cfg->rows < 1 || cfg->rows > 64 || cfg->cols < 1 || cfg->cols > 64)
		return mch_err_set(err, "array", "%dx%d is out of range; ROWS and COLS are 1 to 64", cfg->rows, cfg->cols);
	if (cfg->x_bits < 1 || cfg->x_bits > 16 || cfg->w_bits < 1 || cfg->w_bits > 16)
		return mch_err_set(err, "array", "operands of %d and %d bits are out of range; X_BITS and W_BITS are 1 to 16",
				   cfg->x_bits, cfg->w_bits);
	if (cfg->acc.bits < 2 || cfg->acc.bits > 48)
		return mch_err_set(err, "array", "an accumulator of %d bits is out of range; ACC_BITS is 2 to 48",
				   cfg->acc.bits);
	if (check_mult(cfg, err) != 0)
		return -1;
	const size_t rows = (size_t)cfg->rows, cols = (size_t)cfg->cols, n = rows * cols;
	const size_t n_x = rows * (size_t)(cfg->x_cols ? cfg->x_cols : 1);
	a->cfg = *cfg;
	a->cfg.x_cols = cfg->x_cols ? cfg->x_cols : 1;
	a->has_data = true;
	a->x = calloc(n_x, sizeof(*a->x));
	a->w = calloc(cols, sizeof(*a->w));
	a->w_integer = calloc(cols, sizeof(*a->w_integer));
	const bool is_wide = cfg->mult == MCH_MULT_MINIFLOAT;
	a->x_wide = calloc(is_wide ? n_x : 1, sizeof(*a->x_wide));
	a->w_wide = calloc(is_wide ? cols : 1, sizeof(*a->w_wide));
	a->product_wide = calloc(is_wide ? n : 1, sizeof(*a->product_wide));
	a->product = calloc(n, sizeof(*a->product));
	a->whole = calloc(n, sizeof(*a->whole));
	a->acc = calloc(n, sizeof(*a->acc));
	a->over = calloc(n, sizeof(*a->over));
	a->bank = calloc(n, sizeof(*a->bank));
	a->bank_over = calloc(n, sizeof(*a->bank_over));
	if (!a->x || !a->w || !a->w_integer || !a->x_wide || !a->w_wide || !a->product_wide || !a->product || !a->whole || !a->acc || !a->over || !a->bank || !a->bank_over) {
		mch_mac_array_free(a);
		return mch_err_set(err, "array", "out of memory; use a machine with more");
	}
	return 0;
}

void mch_mac_array_free(struct mch_mac_array *a)
{
	free(a->x);
	free(a->w);
	free(a->w_integer);
	free(a->x_wide);
	free(a->w_wide);
	free(a->product_wide);
	free(a->product);
	free(a->whole);
	free(a->acc);
	free(a->over);
	free(a->bank);
	free(a->bank_over);
	memset(a, 0, sizeof(*a));
}

void mch_mac_array_reset(struct mch_mac_array *a)
{
	a->v0 = a->v1 = a->done = false;
	a->n_out = 0;
}

/* Stage 3: a finished tile enters the bank, or the bank moves up by one row. */
static void step_bank(struct mch_mac_array *a, bool en, bool out_ready)
{
	const size_t n = (size_t)a->cfg.rows * (size_t)a->cfg.cols, cols = (size_t)a->cfg.cols;
	if (a->done && en) {
		a->n_out = a->cfg.rows;
		if (!a->has_data)
			return;
		memcpy(a->bank, a->acc, n * sizeof(*a->bank));
		memcpy(a->bank_over, a->over, n * sizeof(*a->bank_over));
	} else if (a->n_out > 0 && out_ready) {
		a->n_out--;
		if (!a->has_data)
			return;
		memmove(a->bank, a->bank + cols, (n - cols) * sizeof(*a->bank));
		memmove(a->bank_over, a->bank_over + cols, (n - cols) * sizeof(*a->bank_over));
		memset(a->bank + n - cols, 0, cols * sizeof(*a->bank));
		memset(a->bank_over + n - cols, 0, cols * sizeof(*a->bank_over));
	}
}

/* Of a pair, the lower product is exact, and takes one off the upper when it is negative. */
static const int32_t *whole_products(struct mch_mac_array *a)
{
	const int cols = a->cfg.cols;
	const int32_t *p = a->product;
	if (!a->cfg.pack)
		return p;
	for (int i = 0; i < a->cfg.rows; i++)
		for (int j = 0; j < cols; j++)
			a->whole[i * cols + j] = p[i * cols + j] + ((j & 1) && p[i * cols + j - 1] < 0);
	return a->whole;
}

static void pack(struct mch_mac_array *a)
{
	const int cols = a->cfg.cols;
	for (int i = 0; i < a->cfg.rows; i++)
		for (int j = 1; j < cols; j += 2)
			a->product[i * cols + j] -= a->product[i * cols + j - 1] < 0;
}

/* Stage 2. The loops are the model's whole cost: two forms, each of one straight line that the compiler can vectorize. */
static inline __attribute__((always_inline)) void accumulate(struct mch_mac_array *a, enum mch_overflow overflow)
{
	const struct mch_acc cfg = {a->cfg.acc.bits, overflow};
	const size_t n = (size_t)a->cfg.rows * (size_t)a->cfg.cols;
	const int64_t keep = a->first1 ? 0 : -1; /* a mask: `first` starts from 0 */
	int64_t *restrict acc = a->acc;
	const int32_t *restrict product = whole_products(a);
	bool *restrict over = a->over;
	for (size_t i = 0; i < n; i++) {
		bool overflowed;
		acc[i] = mch_acc_add(cfg, acc[i] & keep, product[i], &overflowed);
		if (overflow == MCH_SATURATE)
			over[i] = overflowed | (over[i] & (keep != 0));
	}
}

/* Stage 1. 17 x 16 bits: the product fits 32, see docs/datapath.md "mac". A shift is the product with the power of two. In most
 * beats the activations of a row are one: a straight line again. */
static inline __attribute__((always_inline)) void multiply(struct mch_mac_array *a, const int32_t *restrict w)
{
	const size_t rows = (size_t)a->cfg.rows, cols = (size_t)a->cfg.cols, n = (size_t)a->cfg.x_cols;
	for (size_t i = 0; i < rows; i++) {
		const int32_t *x = a->x + i * n, one = x[0];
		int32_t *restrict product = a->product + i * cols;
		int32_t differ = 0;
		for (size_t k = 1; k < n; k++)
			differ |= x[k] ^ one;
		if (!differ)
			for (size_t j = 0; j < cols; j++)
				product[j] = one * w[j];
		else
			for (size_t j = 0; j < cols; j++)
				product[j] = x[j % n] * w[j];
	}
}

/* Stages 2 and 1 of minifloats. */
static void step_minifloat(struct mch_mac_array *a)
{
	const int rows = a->cfg.rows, cols = a->cfg.cols, n = a->cfg.x_cols;
	for (int i = 0; a->v1 && i < rows * cols; i++) {
		bool over;
		a->acc[i] = mch_acc_add(a->cfg.acc, a->first1 ? 0 : a->acc[i], a->product_wide[i], &over);
		a->over[i] = a->cfg.acc.overflow == MCH_SATURATE && (over || (a->over[i] && !a->first1));
	}
	for (int i = 0; a->v0 && i < rows; i++)
		for (int j = 0; j < cols; j++)
			a->product_wide[i * cols + j] = a->x_wide[i * n + j % n] * a->w_wide[j];
}

MCH_CLONES static void step_datapath(struct mch_mac_array *a)
{
	if (a->v1) {
		if (a->cfg.acc.overflow == MCH_SATURATE)
			accumulate(a, MCH_SATURATE);
		else
			accumulate(a, MCH_WRAP);
	}
	if (a->v0)
		multiply(a, a->cfg.mult == MCH_MULT_INTEGER ? a->w : a->w_integer);
	if (a->v0 && a->cfg.pack)
		pack(a);
}

/* Stage 0 of minifloats. */
static void take_minifloats(struct mch_mac_array *a, const struct mch_mac_array_in *in)
{
	const struct mch_mac_array_config *c = &a->cfg;
	const struct mch_format x = {c->x_bits, 0, in->x_signed, c->x_kind, c->x_exp};
	const struct mch_format w = {c->w_bits, 0, true, c->w_kind, c->w_exp};
	const uint32_t x_pins = (1U << c->x_bits) - 1, w_pins = (1U << c->w_bits) - 1;
	for (int i = 0; i < c->rows * c->x_cols; i++) {
		const uint32_t memory = (uint32_t)in->x[i] & x_pins;
		a->x[i] = (int32_t)memory | (in->x_signed ? 1 << c->x_bits : 0);
		a->x_wide[i] = mch_format_integer(x, mch_minifloat_code(x, memory));
	}
	for (int j = 0; j < c->cols; j++)
		a->w_wide[j] = mch_format_integer(w, mch_minifloat_code(w, (uint32_t)in->w[j] & w_pins));
}

/* Stage 0. */
static void take(struct mch_mac_array *a, const struct mch_mac_array_in *in)
{
	const struct mch_format w = {a->cfg.w_bits, 0, true, a->cfg.w_kind, 0};
	memcpy(a->x, in->x, (size_t)(a->cfg.rows * a->cfg.x_cols) * sizeof(*a->x));
	memcpy(a->w, in->w, (size_t)a->cfg.cols * sizeof(*a->w));
	for (int j = 0; a->cfg.mult == MCH_MULT_SHIFT && j < a->cfg.cols; j++)
		a->w_integer[j] = (int32_t)mch_format_integer(w, in->w[j]); /* at most 2^15 */
	if (a->cfg.mult == MCH_MULT_MINIFLOAT)
		take_minifloats(a, in);
}

/* From the last stage to the first, so that each reads what its predecessor held before the edge. */
void mch_mac_array_step(struct mch_mac_array *a, const struct mch_mac_array_in *in)
{
	const bool en = mch_mac_array_in_ready(a);
	step_bank(a, en, in->out_ready);
	a->cycle++;
	if (!en)
		return;
	if (a->has_data && a->cfg.mult == MCH_MULT_MINIFLOAT)
		step_minifloat(a);
	else if (a->has_data)
		step_datapath(a);
	a->done = a->v1 && a->last1;
	a->v1 = a->v0;
	a->first1 = a->first0;
	a->last1 = a->last0;
	a->v0 = in->valid;
	a->first0 = in->first;
	a->last0 = in->last;
	if (in->valid && a->has_data)
		take(a, in);
}
