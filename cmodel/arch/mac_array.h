/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The MAC array, cycle by cycle: every register of the RTL, under the same names.
 * Twin: rtl/mch_mac_array.v. Spec: docs/datapath.md "mac_array". */
#ifndef MCH_ARCH_MAC_ARRAY_H
#define MCH_ARCH_MAC_ARRAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "fxp/format.h"
#include "fxp/mac.h"

/* What the array multiplies with; the numbers are those of the RTL parameter MULT. */
enum mch_mult {
	MCH_MULT_INTEGER = 0,
	MCH_MULT_SHIFT = 1, /* weights are powers of two */
	MCH_MULT_MINIFLOAT = 2,
};

/* RTL parameters, same spelling in lower case. */
struct mch_mac_array_config {
	int rows, cols;     /* 1..64 */
	int x_bits, w_bits; /* 1..16 */
	struct mch_acc acc; /* ACC_BITS 2..48, ACC_SAT */
	enum mch_mult mult; /* of a shift: W_BITS 2..5 */
	enum mch_number w_kind; /* MCH_FIXED; of a shift MCH_POW2 or MCH_POW2_NO_ZERO; minifloats */
	bool pack; /* of integers: two columns in one multiplication */
	enum mch_number x_kind; /* of minifloats, as the next two: exponent bits */
	int x_exp, w_exp;
	int x_cols; /* activations of a row in a beat, 1..cols, of which column j has number j % x_cols; 0 is 1; packed, 1 */
};

/* Bits of the largest magnitude that any code of a minifloat stands for: significand and places. */
static inline int mch_minifloat_integer_bits(int bits, int exp, enum mch_number kind)
{
	return bits - exp + (1 << exp) - (kind == MCH_MINIFLOAT_FLUSH ? 1 : 2);
}

/* Of a product register. */
static inline int mch_mac_array_product_bits(const struct mch_mac_array_config *cfg)
{
	if (cfg->mult == MCH_MULT_MINIFLOAT) /* x may be unsigned: a bit more */
		return mch_minifloat_integer_bits(cfg->x_bits + 1, cfg->x_exp, cfg->x_kind) +
		       mch_minifloat_integer_bits(cfg->w_bits, cfg->w_exp, cfg->w_kind) + 1;
	return cfg->x_bits + (cfg->mult == MCH_MULT_SHIFT ? 1 << (cfg->w_bits - 1) : cfg->w_bits);
}

/* Input pins, sampled at a rising edge. x [rows][x_cols] is already read as signed or unsigned (x_signed_i decides in RTL); minifloats are as
 * memory has them (fxp/encode.h), and x_signed says how. */
struct mch_mac_array_in {
	bool valid, first, last;
	const int32_t *x; /* [rows][x_cols] */
	const int32_t *w; /* [cols] codes */
	bool out_ready;
	bool x_signed; /* read with minifloats alone */
};

/* Registers; the suffix _q of the RTL name is implied. Arrays are row-major [rows][cols]. */
struct mch_mac_array {
	struct mch_mac_array_config cfg;
	bool has_data;                        /* true; false: control alone, as a plan's cycles need it */
	uint64_t cycle;                       /* edges since reset */
	bool v0, first0, last0;               /* stage 0: operands */
	bool v1, first1, last1;               /* stage 1: products */
	bool done;                            /* stage 2: accumulators hold a finished tile */
	int n_out;                            /* rows still in the bank, 0..rows */
	int32_t *x, *w;                       /* [rows][x_cols], [cols]; above a minifloat x: x_signed */
	int32_t *w_integer;                   /* [cols]: what w stands for, of a shift; no register */
	int64_t *x_wide, *w_wide;             /* [rows][x_cols], [cols]: what minifloats stand for; no registers */
	int64_t *product_wide;                /* [rows][cols]: product of minifloats, at most 48 bits */
	int32_t *product;                     /* [rows][cols]: at most 16 + 16 bits; packed, odd columns lack what the
						 column before took off: one, where that is negative */
	int32_t *whole;                       /* [rows][cols]: packed, the products that enter the sums; no register */
	int64_t *acc;                         /* [rows][cols] */
	bool *over;                           /* [rows][cols]: saturation seen in this tile; ACC_SAT only */
	int64_t *bank;                        /* [rows][cols]: finished sums, row 0 is on the output pins */
	bool *bank_over;                      /* [rows][cols] */
};

/* 0, or -1 with err when a parameter is out of range or memory is short. All registers start as 0, as those of the RTL do
 * under Verilator; no output depends on a data register before its first load (the Icarus bench, where they start
 * as X, shows that). */
int mch_mac_array_init(struct mch_mac_array *a, const struct mch_mac_array_config *cfg, struct mch_err *err);
void mch_mac_array_free(struct mch_mac_array *a);

/* What rst_ni does: the control registers clear, the data registers keep what they hold. */
void mch_mac_array_reset(struct mch_mac_array *a);

/* Output pins, functions of the registers alone. */
static inline bool mch_mac_array_in_ready(const struct mch_mac_array *a)
{
	return !(a->done && a->n_out > 0);
}
static inline bool mch_mac_array_out_valid(const struct mch_mac_array *a)
{
	return a->n_out > 0;
}
/* Pin idle_o: no beat in the stages, no row in the bank. */
static inline bool mch_mac_array_idle(const struct mch_mac_array *a)
{
	return !(a->v0 || a->v1 || a->done || a->n_out > 0);
}

/* One rising edge. */
void mch_mac_array_step(struct mch_mac_array *a, const struct mch_mac_array_in *in);

#endif
