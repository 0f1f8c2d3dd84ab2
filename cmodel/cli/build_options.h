/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Which accelerator is built: options that commands share, but --array. */
#ifndef MCH_CLI_BUILD_OPTIONS_H
#define MCH_CLI_BUILD_OPTIONS_H

#include <argp.h>
#include <stdbool.h>

#include "arch/accel.h"
#include "net/qnet.h"

/* Widths that are 0 are those that the network needs. */
struct mch_build_options {
	int x_bits, w_bits, out_bits, acc_bits, mem_bits;
	uint32_t x_words, w_words;
	int mult; /* enum mch_mult; -1: what all layers with weights can have */
	bool pack;
	bool refine;   /* TILES by the cycle model */
	bool is_given; /* one of the options was */
};

struct mch_build_options mch_build_options_usual(void);

/* A child of a command's argp; the input is a struct mch_build_options. */
extern const struct argp mch_build_argp;

/* The parameters of mch_top for a network; 0, or -1 with err when there is no such build. */
int mch_build_config(const struct mch_build_options *options, int rows, int cols, const struct mch_qnet *q,
		     struct mch_accel_config *cfg, struct mch_err *err);

/* Its multipliers in a word or two. */
const char *mch_build_mult_name(const struct mch_accel_config *cfg);

/* TILES of each step by the cycle model, [n_steps], owned by the caller; keep as in mch_program_options. 0, or -1
 * with err. */
int mch_build_refine(const struct mch_qnet *q, const struct mch_accel_config *cfg, bool keep, int **tiles,
		     uint64_t *before, uint64_t *after, struct mch_err *err);

#endif
