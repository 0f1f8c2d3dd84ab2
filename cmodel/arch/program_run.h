/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What descriptors do to memory, without time: strip by strip, in the order of work, through buffers of the stated
 * sizes. It knows the specification alone, not how a list was made. Host only: no RTL twin (it is what a TLM model
 * calls). Spec: docs/accelerator.md "Words, tensors, tiles, strips". */
#ifndef MCH_ARCH_PROGRAM_RUN_H
#define MCH_ARCH_PROGRAM_RUN_H

#include "arch/descriptor.h"

struct mch_accel_memory {
	uint8_t *bytes;
	uint64_t n_words;
	/* [n_words] or NULL: words written since the last BARRIER. A descriptor without one that reads such a word
	 * fails, since hardware may read it before it is written. */
	uint8_t *unsettled;
};

/* Counters add up. */
struct mch_accel_counts {
	uint64_t descriptors, strips;
	uint64_t beats;            /* of the array */
	uint64_t x_words, w_words; /* read */
	uint64_t y_words;          /* written */
};

/* One descriptor, not OP_STOP. 0, or a value ERROR_* with err; -1 when memory is short or the descriptor breaks a
 * rule that hardware does not watch. counts may be NULL. */
int mch_descriptor_run(const struct mch_accel_config *cfg, const struct mch_descriptor *d,
		       const struct mch_accel_memory *mem, struct mch_accel_counts *counts, struct mch_err *err);

/* The list at word address `list`, up to OP_STOP. */
int mch_program_run(const struct mch_accel_config *cfg, uint32_t list, const struct mch_accel_memory *mem,
		    struct mch_accel_counts *counts, struct mch_err *err);

#endif
