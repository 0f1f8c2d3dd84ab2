/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The options of `macchiato quantize`. */
#ifndef MCH_CLI_QUANTIZE_OPTIONS_H
#define MCH_CLI_QUANTIZE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/data_options.h"
#include "cli/net_options.h"
#include "cli/search_options.h"
#include "net/quant.h"
#include "quant/policy.h"
#include "quant/profile.h"

enum mch_equalization { MCH_EQUALIZE_NOTHING, MCH_EQUALIZE_WEIGHTS, MCH_EQUALIZE_TENSORS };

struct mch_quantize_options {
	struct mch_net_options net;
	struct mch_data_options data; /* its limit is of the test images; its seed is `seed` too */
	const char *train_data;       /* a path of its own for the training images, or NULL */
	const char *output;
	const char *net_output; /* the changed network, or NULL */
	enum mch_equalization equalization;
	double balance; /* of MCH_EQUALIZE_TENSORS, see quant/equalize.h */
	bool keeps_norms, is_input_folded, is_compensated, is_bias_corrected;
	struct mch_search_options search;
	struct mch_cost_config hardware;
	double error_margin; /* NAN: none */
	long images;         /* 0: as usual */
	enum mch_round round;
	struct mch_format_policy policy;
	uint32_t seed;
	int widths[MCH_N_PARTS]; /* 0: searched */
	const struct mch_profile *profile; /* or NULL */
	bool wraps; /* outputs */
	bool json, quiet;
};

/* Usual values, then the command line; bad usage ends the program. */
struct mch_quantize_options mch_quantize_parse(int argc, char **argv);

#endif
