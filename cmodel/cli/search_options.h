/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Which widths are searched, and what they cost: options that commands share. */
#ifndef MCH_CLI_SEARCH_OPTIONS_H
#define MCH_CLI_SEARCH_OPTIONS_H

#include <argp.h>
#include <stdbool.h>

#include "arch/cost.h"

enum mch_granularity { MCH_GRANULARITY_NET, MCH_GRANULARITY_PART, MCH_GRANULARITY_LAYER };

struct mch_search_options {
	enum mch_granularity granularity;
	enum mch_cost_kind cost;
	bool has_granularity; /* it was given */
	double holdout;       /* images, or with is_percent percent of them, that only report; 0: none */
	bool is_percent;
	long scores_max;         /* of mixed precision */
	long sensitivity_images; /* at most */
	bool has_curves;
	const char *pareto; /* path, or NULL */
};

struct mch_search_options mch_search_options_usual(void);

/* "net", "part", "layer". */
const char *mch_granularity_name(enum mch_granularity granularity);

/* Children of a command's argp; the input is a struct mch_search_options, a struct mch_cost_config. */
extern const struct argp mch_search_argp, mch_array_argp;

struct mch_cost_config mch_array_options_usual(void);

/* The value of --holdout: "100" images, or "20%" of them. */
void mch_parse_holdout(const char *text, double *holdout, bool *is_percent);

#endif
