/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Which builds there are; see accel.h. */
#include "arch/accel.h"

#include "fxp/sat.h"

static bool is_power_of_two(int v)
{
	return v > 0 && (v & (v - 1)) == 0;
}

static bool is_operand(int bits)
{
	return bits >= 1 && bits <= 16;
}

static bool is_buffer(uint32_t words)
{
	return words >= 2 && words <= 32768 && is_power_of_two((int)words);
}

static struct mch_format weight_format(const struct mch_accel_config *cfg)
{
	return (struct mch_format){.bits = cfg->w_bits,
				   .is_signed = true,
				   .number = cfg->mult == MCH_MULT_SHIFT ? MCH_POW2 : cfg->w_kind,
				   .exp_bits = cfg->w_exp};
}

/* The array and the requantizers say the rest (arch/datapath.h). */
static int check_number(const struct mch_accel_config *cfg, struct mch_err *err)
{
	const struct mch_format x = mch_accel_number(cfg, true), w = weight_format(cfg);
	const bool has_numbers = mch_number_is_minifloat(x.number) && mch_format_is_operand(x) &&
				 mch_number_is_minifloat(w.number) && mch_format_is_operand(w);
	if (!mch_accel_is_minifloat(cfg) && (cfg->x_kind != MCH_FIXED || cfg->x_exp || cfg->w_kind != MCH_FIXED || cfg->w_exp))
		return mch_err_set(err, "accelerator",
				   "minifloats of multipliers that are none of theirs; choose those of minifloats");
	if (mch_accel_is_minifloat(cfg) && (!has_numbers || cfg->x_bits != cfg->out_bits))
		return mch_err_set(err, "accelerator",
				   "multipliers of minifloats for activations of kind %d with %d bits, weights of kind %d and "
				   "results of %d bits; choose minifloats, and results as wide as activations",
				   cfg->x_kind, cfg->x_bits, cfg->w_kind, cfg->out_bits);
	const struct mch_mac_array_config array = {.mult = cfg->mult,
						   .x_bits = cfg->x_bits,
						   .w_bits = cfg->w_bits,
						   .x_kind = cfg->x_kind,
						   .x_exp = cfg->x_exp,
						   .w_kind = cfg->w_kind,
						   .w_exp = cfg->w_exp};
	const int product_bits = mch_mac_array_product_bits(&array);
	if (mch_accel_is_minifloat(cfg) && product_bits > MCH_ACC_BITS_MAX)
		return mch_err_set(err, "accelerator",
				   "minifloats of %d bits, %d of them exponent, by such of %d and %d: products of %d bits, and sums have "
				   "48; choose fewer exponent bits",
				   cfg->x_bits, cfg->x_exp, cfg->w_bits, cfg->w_exp, product_bits);
	return 0;
}

int mch_accel_check(const struct mch_accel_config *cfg, struct mch_err *err)
{
	if (cfg->rows < 1 || cfg->rows > 64 || cfg->cols < 1 || cfg->cols > 64)
		return mch_err_set(err, "accelerator", "%dx%d: rows and columns are 1 to 64; choose such a size",
				   cfg->rows, cfg->cols);
	if (!is_power_of_two(cfg->cols))
		return mch_err_set(err, "accelerator",
				   "%d columns: a descriptor is a whole number of words; choose a power of two",
				   cfg->cols);
	if (!is_operand(cfg->x_bits) || !is_operand(cfg->w_bits) || !is_operand(cfg->out_bits))
		return mch_err_set(err, "accelerator", "operands of %d, %d and %d bits; choose 1 to 16", cfg->x_bits,
				   cfg->w_bits, cfg->out_bits);
	if (cfg->acc_bits < 2 || cfg->acc_bits > 48)
		return mch_err_set(err, "accelerator", "accumulators of %d bits; choose 2 to 48", cfg->acc_bits);
	if (!is_power_of_two(cfg->mem_bits) || cfg->mem_bits < 8 || cfg->mem_bits > 1024)
		return mch_err_set(err, "accelerator", "memory of %d bits; choose a power of two from 8 to 1024",
				   cfg->mem_bits);
	if (!is_buffer(cfg->x_words) || !is_buffer(cfg->w_words))
		return mch_err_set(err, "accelerator",
				   "buffers of %u and %u words; choose powers of two from 2 to 32768", cfg->x_words,
				   cfg->w_words);
	if (cfg->mult == MCH_MULT_SHIFT && (cfg->w_bits < 2 || cfg->w_bits > 5))
		return mch_err_set(err, "accelerator", "powers of two of %d bits; choose 2 to 5", cfg->w_bits);
	return check_number(cfg, err);
}

bool mch_accel_weight_code(const struct mch_accel_config *cfg, int64_t weight, int32_t *element)
{
	const struct mch_format format = weight_format(cfg);
	int64_t of = weight;
	bool saturated;
	if (mch_accel_is_minifloat(cfg)) {
		of = mch_format_encode(format, weight, 0, MCH_ROUND_FLOOR, 0, &saturated);
		*element = (int32_t)mch_minifloat_memory(format, of);
		return mch_format_integer(format, of) == weight;
	}
	if (cfg->mult == MCH_MULT_SHIFT) { /* 0, and +-2^(code - 1) */
		const uint64_t magnitude = (uint64_t)(weight < 0 ? -weight : weight);
		int exponent = 0;
		while (exponent < 62 && magnitude >> exponent > 1)
			exponent++;
		if (magnitude & (magnitude - 1))
			return false;
		of = weight == 0 ? 0 : weight < 0 ? -1 - exponent : 1 + exponent;
	}
	*element = (int32_t)of;
	return of >= mch_format_min(format) && of <= mch_format_max(format);
}

int64_t mch_accel_weight(const struct mch_accel_config *cfg, int32_t element)
{
	const struct mch_format format = weight_format(cfg);
	if (mch_accel_is_minifloat(cfg))
		return mch_format_integer(format,
					  mch_minifloat_code(format, (uint32_t)element & ((1U << cfg->w_bits) - 1)));
	return mch_format_integer(format, mch_wrap(element, cfg->w_bits));
}
