/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Which builds there are; see accel.h. */
#include "arch/accel.h"

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
	if (cfg->mult != MCH_MULT_INTEGER)
		return mch_err_set(err, "accelerator",
				   "has no programs for multipliers of kind %d yet; choose 0, integer",
				   (int)cfg->mult);
	return 0;
}
