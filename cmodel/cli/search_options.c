/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The search on the command line; see search_options.h. */
#include "cli/search_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"

enum {
	OPT_GRANULARITY = 0x3000,
	OPT_COST,
	OPT_HOLDOUT,
	OPT_SCORES,
	OPT_SENSITIVITY,
	OPT_CURVES,
	OPT_PARETO,
	OPT_ARRAY,
	OPT_BUS,
	BUS_MAX = 4096,
	SIDE_MAX = 64,
};

static const char *const granularities[] = {"net", "part", "layer"};

const char *mch_granularity_name(enum mch_granularity granularity)
{
	return granularities[granularity];
}

struct mch_search_options mch_search_options_usual(void)
{
	return (struct mch_search_options){.granularity = MCH_GRANULARITY_PART,
					   .cost = MCH_COST_BITS,
					   .scores_max = 300,
					   .sensitivity_images = 32};
}

struct mch_cost_config mch_array_options_usual(void)
{
	return (struct mch_cost_config){16, 16, 64};
}

static void parse_granularity(struct mch_search_options *options, const char *text)
{
	for (int i = 0; i <= MCH_GRANULARITY_LAYER; i++) {
		if (strcmp(text, granularities[i]) == 0) {
			options->granularity = (enum mch_granularity)i;
			options->has_granularity = true;
			return;
		}
	}
	mch_cmd_fail("--granularity", "\"%.60s\" is none; give net, part or layer", text);
}

void mch_parse_holdout(const char *text, double *holdout, bool *is_percent)
{
	char *end;
	const double value = strtod(text, &end);
	*is_percent = *end == '%';
	*holdout = value;
	const bool is_whole = value >= 1 && value <= 1e9 && value == (double)(long)value;
	if (end == text || end[*is_percent] != '\0' ||
	    !(*is_percent ? value > 0 && value < 100 : is_whole))
		mch_cmd_fail("--holdout",
			     "\"%.60s\" is neither a number of images nor a share of them; give 100, or 20%%", text);
}

static error_t parse_search(int key, char *text, struct argp_state *state)
{
	struct mch_search_options *options = state->input;
	switch (key) {
	case OPT_GRANULARITY:
		parse_granularity(options, text);
		return 0;
	case OPT_COST:
		if (mch_cost_parse(text, &options->cost) != 0)
			mch_cmd_fail("--cost", "\"%.60s\" is none; give bits, bitops, lut, dsp, cycles or traffic",
				     text);
		return 0;
	case OPT_HOLDOUT:
		mch_parse_holdout(text, &options->holdout, &options->is_percent);
		return 0;
	case OPT_SCORES:
		options->scores_max = mch_cmd_integer("--max-scores", text, 1, 1000000);
		return 0;
	case OPT_SENSITIVITY:
		options->sensitivity_images = mch_cmd_integer("--rank-images", text, 1, 1000000000);
		return 0;
	case OPT_CURVES:
		options->has_curves = true;
		return 0;
	case OPT_PARETO:
		options->pareto = text;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option search_table[] = {
	{"granularity", OPT_GRANULARITY, "WHAT", 0,
	 "net: one width for all; part: one each for conv weights, FC weights and activations; layer: one for each "
	 "layer's "
	 "weights and each group of tensors (default part)",
	 10},
	{"cost", OPT_COST, "COST", 0,
	 "What layer makes small, and the front shows: bits, bitops, lut, dsp, cycles or traffic "
	 "(default bits)",
	 10},
	{"holdout", OPT_HOLDOUT, "N|P%", 0,
	 "Draw so many test images, by --seed, that report the result's accuracy and have no part "
	 "in choosing it",
	 10},
	{"max-scores", OPT_SCORES, "N", 0, "layer: end after N scores with the best so far (default 300)", 10},
	{"rank-images", OPT_SENSITIVITY, "N", 0, "layer: rank widths by at most N images (default 32)", 10},
	{"curves", OPT_CURVES, NULL, 0,
	 "Score on all images also what misses the margin: accuracy at every width, not bounds", 10},
	{"pareto", OPT_PARETO, "FILE", 0, "Write every combination scored, its cost and accuracy to FILE, as CSV",
	 10},
	{0},
};

const struct argp mch_search_argp = {search_table, parse_search, NULL, NULL, NULL, NULL, NULL};

/* "16x8": rows, columns. */
static void parse_array(struct mch_cost_config *config, const char *text)
{
	int used = 0;
	if (sscanf(text, "%3dx%3d%n", &config->rows, &config->cols, &used) != 2 || text[used] != '\0' ||
	    config->rows < 1 || config->rows > SIDE_MAX || config->cols < 1 || config->cols > SIDE_MAX)
		mch_cmd_fail("--array", "\"%.60s\" is no array of 1 to 64 rows and columns; give it as 16x16", text);
}

static error_t parse_hardware(int key, char *text, struct argp_state *state)
{
	struct mch_cost_config *config = state->input;
	switch (key) {
	case OPT_ARRAY:
		parse_array(config, text);
		return 0;
	case OPT_BUS:
		config->bus_bits = (int)mch_cmd_integer("--bus-bits", text, 1, BUS_MAX);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option hardware_table[] = {
	{"array", OPT_ARRAY, "RxC", 0, "Cost: an array of R x C multipliers (default 16x16)", 11},
	{"bus-bits", OPT_BUS, "N", 0, "Cost: N bits to and from memory in a cycle (default 64)", 11},
	{0},
};

const struct argp mch_array_argp = {hardware_table, parse_hardware, NULL, NULL, NULL, NULL, NULL};
