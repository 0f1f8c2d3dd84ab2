/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The options of `macchiato tune`. */
#ifndef MCH_CLI_TUNE_OPTIONS_H
#define MCH_CLI_TUNE_OPTIONS_H

#include "cli/data_options.h"
#include "cli/net_options.h"
#include "cli/train_options.h"

struct mch_tune_options {
	struct mch_net_options net;
	struct mch_data_options data; /* its limit is of the test images; its seed is that of training too */
	const char *train_data;       /* a path of its own for the training images, or NULL */
	const char *quant;            /* file of formats */
	const char *output, *quant_output;
	const char *log; /* CSV, or NULL */
	long images;     /* of the training images; 0: all */
	double holdout;  /* training images, or with is_percent percent of them, that choose */
	bool is_percent;
	bool has_lr;
	struct mch_train_options train; /* its temperature is 0 where none is given */
};

/* Usual values, then the command line; bad usage ends the program. */
struct mch_tune_options mch_tune_parse(int argc, char **argv);

#endif
