/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The operators that `gen` and `ver` know; see gen.h. */
#include "cli/gen.h"

#define REQUANT (MCH_GEN_OUT | MCH_GEN_ROUND | MCH_GEN_RELU | MCH_GEN_CLIP | MCH_GEN_WRAP | MCH_GEN_NO_FLAGS)
#define DOT (MCH_GEN_IN | MCH_GEN_WEIGHTS | MCH_GEN_ACC | MCH_GEN_NO_BIAS | REQUANT)
#define WINDOW (MCH_GEN_IN | MCH_GEN_SHAPE | MCH_GEN_KERNEL | MCH_GEN_STRIDE | MCH_GEN_PAD | MCH_GEN_DILATION)
#define MEAN (MCH_GEN_OUT | MCH_GEN_ROUND | MCH_GEN_NO_FLAGS)
#define JOIN (MCH_GEN_IN | MCH_GEN_SHAPE | REQUANT)

const struct mch_gen_op mch_gen_ops[] = {
	{"round_shift", "y = round(v * 2^-shift)", "round_shift", MCH_GEN_IN | MCH_GEN_ROUND | MCH_GEN_SHIFT,
	 mch_gen_round_shift_setup, mch_gen_round_shift},
	{"sat", "y = nearest code of v", "sat", MCH_GEN_IN | MCH_GEN_OUT | MCH_GEN_WRAP | MCH_GEN_NO_FLAGS, mch_gen_sat_setup,
	 mch_gen_sat},
	{"requant", "y = sat(round((acc + bias) * 2^-shift))", "requant", DOT | MCH_GEN_SHIFT, mch_gen_requant_setup,
	 mch_gen_sum_given},
	{"encode", "y = the minifloat nearest to v * 2^-shift", "encode",
	 MCH_GEN_IN | MCH_GEN_WEIGHTS | MCH_GEN_ACC | MCH_GEN_SHIFT | MEAN, mch_gen_encode_setup, mch_gen_sum_given},
	{"lfsr", "next = the state behind state", "lfsr", 0, mch_gen_lfsr_setup, mch_gen_lfsr},
	{"lfsr_seed", "state = a channel's first state", "lfsr", 0, mch_gen_lfsr_seed_setup, mch_gen_lfsr_seed},
	{"mac", "acc = acc_in + x * w", "mac", MCH_GEN_IN | MCH_GEN_WEIGHTS | MCH_GEN_ACC | MCH_GEN_NO_FLAGS, mch_gen_mac_setup,
	 mch_gen_mac},
	{"dot", "acc = sum of x[t] * w[t], or y of it", "mac", DOT | MCH_GEN_TERMS, mch_gen_dot_setup, mch_gen_conv},
	{"mac_array", "acc[i][j] = sum of x[t][i] * w[t][j], or y of it", "mac_array", DOT | MCH_GEN_TERMS | MCH_GEN_ARRAY,
	 mch_gen_array_setup, mch_gen_array},
	{"conv", "acc[k][p][q] of x[c][h][w], w[k][c][r][s], or y of it", "conv",
	 DOT | WINDOW | MCH_GEN_OUTPUTS | MCH_GEN_GROUPS, mch_gen_conv_setup, mch_gen_conv},
	{"dense", "acc[k] = sum of x[t] * w[k][t], or y of it", "conv", DOT | MCH_GEN_SHAPE | MCH_GEN_OUTPUTS,
	 mch_gen_dense_setup, mch_gen_conv},
	{"max_pool", "y = the largest of a window", "pool", WINDOW | MCH_GEN_CEIL, mch_gen_pool_setup, mch_gen_max_pool},
	{"avg_pool", "y = the mean of a window", "pool", WINDOW | MEAN | MCH_GEN_CEIL | MCH_GEN_COUNT_PAD, mch_gen_mean_setup,
	 mch_gen_mean},
	{"global_pool", "y = the mean of a channel", "pool", MCH_GEN_IN | MCH_GEN_SHAPE | MEAN, mch_gen_mean_setup, mch_gen_mean},
	{"add", "y = a + b (+ c + d)", "eltwise", JOIN, mch_gen_add_setup, mch_gen_eltwise},
	{"mul", "y = a * b", "eltwise", JOIN, mch_gen_mul_setup, mch_gen_eltwise},
	{"max", "y = the largest of a, b (, c, d)", "eltwise", JOIN, mch_gen_max_setup, mch_gen_eltwise},
	{"concat", "y = a, then b (, c, d), in one format", "concat", JOIN, mch_gen_concat_setup, mch_gen_concat},
	{"transpose", "y = x with its axes in another order", "gather", MCH_GEN_IN | MCH_GEN_SHAPE | MCH_GEN_ORDER,
	 mch_gen_transpose_setup, mch_gen_transpose},
	{"upsample", "y = x with rows and columns repeated", "gather", MCH_GEN_IN | MCH_GEN_SHAPE | MCH_GEN_SCALE,
	 mch_gen_upsample_setup, mch_gen_upsample},
	{0},
};
