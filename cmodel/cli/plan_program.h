/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* macchiato plan --program: the cycles of a network on the accelerator, by its cycle model. */
#ifndef MCH_CLI_PLAN_PROGRAM_H
#define MCH_CLI_PLAN_PROGRAM_H

#include "cli/build_options.h"

/* Prints the table, or JSON. 0, or -1 with err. */
int mch_plan_program(const struct mch_build_options *build, int rows, int cols, const struct mch_qnet *q, bool json,
		     struct mch_err *err);

#endif
