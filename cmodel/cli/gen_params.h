/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The parameters of an operator, as options of `gen` and `ver`. */
#ifndef MCH_CLI_GEN_PARAMS_H
#define MCH_CLI_GEN_PARAMS_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "fxp/format.h"
#include "fxp/mac.h"
#include "tensor/tensor.h"

enum {
	MCH_GEN_INPUTS_MAX = 4, /* tensors of an elementwise layer or a concat */
	MCH_GEN_TEXT = 180,
	MCH_GEN_CASES = 10000, /* unless another number is asked for */
};

/* The options: those that an operator takes, and those that were given. */
enum {
	MCH_GEN_IN = 1 << 0,
	MCH_GEN_WEIGHTS = 1 << 1,
	MCH_GEN_OUT = 1 << 2,
	MCH_GEN_ROUND = 1 << 3,
	MCH_GEN_ACC = 1 << 4,
	MCH_GEN_SHIFT = 1 << 5,
	MCH_GEN_RELU = 1 << 6,
	MCH_GEN_CLIP = 1 << 7,
	MCH_GEN_WRAP = 1 << 8,
	MCH_GEN_NO_BIAS = 1 << 9,
	MCH_GEN_NO_FLAGS = 1 << 10,
	MCH_GEN_SHAPE = 1 << 11,
	MCH_GEN_TERMS = 1 << 12,
	MCH_GEN_ARRAY = 1 << 13,
	MCH_GEN_OUTPUTS = 1 << 14,
	MCH_GEN_KERNEL = 1 << 15,
	MCH_GEN_STRIDE = 1 << 16,
	MCH_GEN_PAD = 1 << 17,
	MCH_GEN_DILATION = 1 << 18,
	MCH_GEN_GROUPS = 1 << 19,
	MCH_GEN_CEIL = 1 << 20,
	MCH_GEN_COUNT_PAD = 1 << 21,
	MCH_GEN_ORDER = 1 << 22,
	MCH_GEN_SCALE = 1 << 23,
	MCH_GEN_SEED = 1 << 24, /* from here on not of the operator */
	MCH_GEN_N_CASES = 1 << 25,
	MCH_GEN_CASE = 1 << 26,
	MCH_GEN_LEVEL = 1 << 27,
	MCH_GEN_PARAMS = MCH_GEN_SEED - 1, /* those of the operator */
};

struct mch_gen_params {
	unsigned given;
	char text[MCH_GEN_TEXT]; /* those of the operator as they were given: " --in=s8.4 --relu" */
	int n_in, n_shapes;
	struct mch_format in[MCH_GEN_INPUTS_MAX], weights, out; /* out.bits 0: sums are not rounded */
	struct mch_shape shape[MCH_GEN_INPUTS_MAX];
	enum mch_round round;
	struct mch_acc acc; /* bits 0: the narrowest in which nothing overflows */
	int shift_low, shift_high;
	int32_t clip_low, clip_high;
	int terms, rows, cols, outputs, groups, scale;
	int kernel[2], stride[2], pad[4], dilation[2]; /* rows, columns; top, left, bottom, right */
	int order[3];                                  /* of a transpose: axis of the input, 0 c, 1 h, 2 w */
	uint64_t seed, first, n_cases;                 /* cases first .. first + n_cases - 1 */
	int level;
};
struct mch_gen_params mch_gen_usual(void);

/* A child for mch_cmd_parse; its input is a struct mch_gen_params. Ends the program by mch_cmd_fail on a bad value. */
extern const struct argp mch_gen_argp;

/* The name of the option of that bit, "--in". */
const char *mch_gen_option(unsigned bit);

#endif
