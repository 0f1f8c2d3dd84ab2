/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The cycles of a program by the cycle model with a memory as fast as its port, and where they go.
 * Host only: no RTL twin. Spec: docs/accelerator.md "top". */
#ifndef MCH_ARCH_PROGRAM_TIME_H
#define MCH_ARCH_PROGRAM_TIME_H

#include "arch/program.h"

/* The registers of counters, of one descriptor: from the end of the one before, or the list's start, to its own. */
struct mch_program_time {
	uint64_t cycles;
	uint64_t beats, wait_x, wait_w, wait_out;
	uint64_t read_beats, write_beats;
};

/* time is [p->n_descriptors]. 0, or -1 with err. */
int mch_program_time(const struct mch_program *p, struct mch_program_time *time, struct mch_err *err);

#endif
