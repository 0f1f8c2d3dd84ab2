/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* TILES by the cycle model, where the estimate of mch_program_tiles chooses among strips that cost nearly the same.
 * Host only: no RTL twin. Spec: docs/accelerator.md "Programs". */
#ifndef MCH_ARCH_PROGRAM_REFINE_H
#define MCH_ARCH_PROGRAM_REFINE_H

#include "arch/program.h"

enum { MCH_REFINE_CANDIDATES = 6 }; /* programs that are timed, one more in the end */

/* TILES of every step into tiles [q->n_steps], for mch_program_options; 0: as estimated. before, after: cycles of all
 * lists, after <= before. 0, or -1 with err. */
int mch_program_refine(const struct mch_qnet *q, const struct mch_accel_config *cfg,
		       const struct mch_program_options *options, int *tiles, uint64_t *before, uint64_t *after,
		       struct mch_err *err);

#endif
