/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* macchiato export --program. */
#ifndef MCH_CLI_EXPORT_PROGRAM_H
#define MCH_CLI_EXPORT_PROGRAM_H

#include "cli/build_options.h"
#include "io/program_write.h"

/* Writes and reports; e lacks its configuration, and its images when there are none: noise from seed then. 0, or -1
 * with err. */
struct mch_export_program {
	struct mch_build_options build;
	int rows, cols;
	const char *out;
	bool force, json;
	uint32_t seed;
};
int mch_export_program(const struct mch_export_program *job, struct mch_program_export *e, struct mch_err *err);

#endif
