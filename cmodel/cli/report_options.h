/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The command line of `macchiato report`. */
#ifndef MCH_CLI_REPORT_OPTIONS_H
#define MCH_CLI_REPORT_OPTIONS_H

#include "cli/data_options.h"
#include "cli/net_options.h"

struct mch_report_options {
	struct mch_net_options net;
	struct mch_data_options data; /* path NULL: nothing is measured */
	const char *quant;            /* the file of formats, never NULL when all is read */
	const char *output;           /* NULL: with json alone */
	const char *compare;          /* the file of another search, or NULL */
	const char *tune_log;         /* CSV, or NULL */
	const char *train_data;       /* images for ranges, or NULL */
	long images;                  /* of these; 0: as usual */
	bool json, quiet;
};

/* Bad usage ends the program. */
struct mch_report_options mch_report_parse(int argc, char **argv);

#endif
