/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What a build of the accelerator fixes, and what follows from it: words, parameters. Host only: no RTL twin (the
 * parameters of mch_top). Spec: docs/accelerator.md "Words, tensors, tiles, strips". */
#ifndef MCH_ARCH_ACCEL_H
#define MCH_ARCH_ACCEL_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/mac_array.h"
#include "base/err.h"
#include "fxp/encode.h"

/* RTL parameters, same spelling in lower case. */
struct mch_accel_config {
	int rows, cols;               /* 1..64; cols a power of two */
	int x_bits, w_bits, out_bits; /* 1..16 */
	int acc_bits;                 /* 2..48, wrapping */
	enum mch_round round;
	int mem_bits;     /* of a beat of memory: a power of two, 8..1024 */
	uint32_t x_words; /* of one half of the feature buffer */
	uint32_t w_words; /* of the ring of weights */
	bool pack; /* two columns in one multiplier */
	enum mch_mult mult; /* those that shift take codes of powers of two with a zero (W_KIND 5), 2 to 5 bits */
	/* Of minifloats, else 0: activations, which results are, too; weights. */
	enum mch_number x_kind;
	int x_exp;
	enum mch_number w_kind;
	int w_exp;
};

/* 0, or -1 with err. */
int mch_accel_check(const struct mch_accel_config *cfg, struct mch_err *err);

static inline bool mch_accel_is_minifloat(const struct mch_accel_config *cfg)
{
	return cfg->mult == MCH_MULT_MINIFLOAT;
}

/* X_COLS, activations of a row in a beat. Columns that share a multiplier share their activation. */
static inline int mch_accel_x_cols(const struct mch_accel_config *cfg)
{
	return cfg->pack || cfg->cols < 4 ? 1 : 4;
}

/* What activations and results of the build are, the fraction apart; of fixed point as wide as they can be. */
static inline struct mch_format mch_accel_number(const struct mch_accel_config *cfg, bool is_signed)
{
	return (struct mch_format){cfg->x_bits, 0, is_signed, cfg->x_kind, cfg->x_exp};
}

static inline int mch_accel_elem_bits(const struct mch_accel_config *cfg)
{
	return cfg->x_bits <= 8 && cfg->w_bits <= 8 && cfg->out_bits <= 8 ? 8 : 16;
}

static inline int mch_accel_elem_bytes(const struct mch_accel_config *cfg)
{
	return mch_accel_elem_bits(cfg) / 8;
}

static inline uint32_t mch_accel_word_bytes(const struct mch_accel_config *cfg)
{
	return (uint32_t)(cfg->cols * mch_accel_elem_bytes(cfg));
}

/* Words of a bias in the stream: its elements, low first. */
static inline int mch_accel_bias_words(const struct mch_accel_config *cfg)
{
	return (cfg->acc_bits + mch_accel_elem_bits(cfg) - 1) / mch_accel_elem_bits(cfg);
}

/* Words of a seed: 16 bits, in the stochastic build alone. */
static inline int mch_accel_seed_words(const struct mch_accel_config *cfg)
{
	return cfg->round == MCH_ROUND_STOCHASTIC ? 16 / mch_accel_elem_bits(cfg) : 0;
}

/* The element that stands for a weight, an integer; false: there is none. And back. */
bool mch_accel_weight_code(const struct mch_accel_config *cfg, int64_t weight, int32_t *element);
int64_t mch_accel_weight(const struct mch_accel_config *cfg, int32_t element);

/* PARAM: biases, shifts, seeds. */
static inline int mch_accel_param_words(const struct mch_accel_config *cfg)
{
	return mch_accel_bias_words(cfg) + 1 + mch_accel_seed_words(cfg);
}

/* Memory as bytes, low first: the word at address a begins at byte a * word_bytes. */
static inline int32_t mch_accel_get(const uint8_t *mem, uint64_t elem, int elem_bytes, bool is_signed)
{
	const uint8_t *at = mem + elem * (uint64_t)elem_bytes;
	const uint32_t bits = elem_bytes == 1 ? at[0] : at[0] | (uint32_t)at[1] << 8;
	const uint32_t sign = elem_bytes == 1 ? 0x80U : 0x8000U;
	return is_signed ? (int32_t)(bits ^ sign) - (int32_t)sign : (int32_t)bits;
}

static inline void mch_accel_put(uint8_t *mem, uint64_t elem, int elem_bytes, int64_t value)
{
	uint8_t *at = mem + elem * (uint64_t)elem_bytes;
	at[0] = (uint8_t)((uint64_t)value & 0xff);
	if (elem_bytes == 2)
		at[1] = (uint8_t)((uint64_t)value >> 8 & 0xff);
}

/* A code as its element has it: minifloats are sign and magnitude. */
static inline int32_t mch_accel_get_code(const uint8_t *mem, uint64_t elem, int elem_bytes, struct mch_format f)
{
	if (!mch_number_is_minifloat(f.number))
		return mch_accel_get(mem, elem, elem_bytes, f.is_signed);
	return mch_minifloat_code(f, (uint32_t)mch_accel_get(mem, elem, elem_bytes, false));
}

static inline void mch_accel_put_code(uint8_t *mem, uint64_t elem, int elem_bytes, struct mch_format f, int32_t code)
{
	mch_accel_put(mem, elem, elem_bytes,
		      mch_number_is_minifloat(f.number) ? (int64_t)mch_minifloat_memory(f, code) : code);
}

#endif
