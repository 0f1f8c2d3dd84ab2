/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The memory of a program after an image, held to the integer network. Host only: no RTL twin. */
#ifndef MCH_IO_PROGRAM_GOLDEN_H
#define MCH_IO_PROGRAM_GOLDEN_H

#include "arch/program.h"

/* What the integer network has on every edge for one image. */
struct mch_program_golden {
	const struct mch_program *p; /* options.keep is set */
	int32_t **value;             /* [n_edges] */
	int32_t *output;
};

/* 0, or -1 with err when memory is short. */
int mch_program_golden_init(struct mch_program_golden *g, const struct mch_program *p, struct mch_err *err);
void mch_program_golden_free(struct mch_program_golden *g);

/* Runs image `codes` in mem, where the driver has put everything, the input included; then compares every tensor and
 * adds the number of elements. 0, or -1 with err. */
int mch_program_golden_run(struct mch_program_golden *g, const int32_t *codes, uint8_t *mem, uint64_t *n_elems,
			   struct mch_err *err);

#endif
