/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The options of `macchiato eval`. */
#ifndef MCH_CLI_EVAL_OPTIONS_H
#define MCH_CLI_EVAL_OPTIONS_H

#include <stdbool.h>

#include "cli/data_options.h"
#include "cli/net_options.h"
#include "fxp/mac.h"

struct mch_eval_options {
	struct mch_net_options net, reference; /* reference.path is NULL when there is none */
	struct mch_data_options data;
	const char *quant;
	struct mch_acc acc; /* in place of those of the formats; 0 bits: not */
	const char *labels, *confusion; /* files, or NULL */
	bool plain, per_class, json;
};

/* Usual values, then the command line; bad usage ends the program. */
struct mch_eval_options mch_eval_parse(int argc, char **argv);

#endif
