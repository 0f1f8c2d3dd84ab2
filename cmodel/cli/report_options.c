/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The command line of `macchiato report`; see report_options.h. */
#include "cli/report_options.h"

#include <string.h>

#include "cli/cmd.h"

enum { OPT_COMPARE = 256, OPT_TRAIN_DATA, OPT_TUNE_LOG };

static void finish_arguments(const struct mch_report_options *args)
{
	const bool has_images = args->data.path || args->train_data;
	if (!args->quant)
		mch_cmd_fail("Q.json", "no quantization given; give the result of `macchiato quantize`");
	if (!args->output && !args->json)
		mch_cmd_fail("--output", "no file given; name the page, as in -o report.html, or give --json");
	if (args->json && args->output && strcmp(args->output, "-") == 0)
		mch_cmd_fail("--json", "the standard output is taken by --output=-; give a file name");
	if (args->images && !has_images)
		mch_cmd_fail("--images",
			     "there are none without --data or --train-data; give their folder or file");
	if (args->data.limit && !args->data.path)
		mch_cmd_fail("--limit", "there are no images to score without --data; give their folder or file");
}

static void take_file(struct mch_report_options *args, const char *text)
{
	if (!args->net.path)
		args->net.path = text;
	else if (!args->quant)
		args->quant = text;
	else
		mch_cmd_fail(text, "a network and a quantization are expected; give no more");
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct mch_report_options *args = state->input;
	switch (key) {
	case 'o':
		args->output = text;
		return 0;
	case OPT_COMPARE:
		args->compare = text;
		return 0;
	case OPT_TUNE_LOG:
		args->tune_log = text;
		return 0;
	case OPT_TRAIN_DATA:
		args->train_data = text;
		return 0;
	case 'n':
		args->images = mch_cmd_integer("--images", text, 1, 1000000000);
		return 0;
	case 'l':
		args->data.limit = mch_cmd_integer("--limit", text, 1, 1000000000);
		return 0;
	case 's':
		args->data.seed = (uint64_t)mch_cmd_integer("--seed", text, 0, UINT32_MAX);
		return 0;
	case 'j':
		args->json = true;
		return 0;
	case 'q':
		args->quiet = true;
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->net;
		state->child_inputs[1] = &args->data;
		return 0;
	case ARGP_KEY_ARG:
		take_file(args, text);
		return 0;
	case ARGP_KEY_END:
		finish_arguments(args);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{"output", 'o', "FILE", 0, "Write the page to FILE, or - for the standard output", 0},
	{"compare", OPT_COMPARE, "Q2.json", 0,
	 "Draw the curves of another search of this network too, as of static fixed point", 0},
	{"tune-log", OPT_TUNE_LOG, "FILE", 0, "Draw the fine-tuning that FILE.csv tells of", 0},
	{"train-data", OPT_TRAIN_DATA, "PATH", 0, "Show the tensors' ranges on these images", 0},
	{"images", 'n', "N", 0, "Show the ranges on N images (default 1000)", 0},
	{"limit", 'l', "N", 0, "Score the first N test images of --data (default all)", 0},
	{"seed", 's', "N", 0, "Of --shuffle (default 1)", 0},
	{"json", 'j', NULL, 0, "Print what the page shows as JSON", 0},
	{"quiet", 'q', NULL, 0, "No progress", 0},
	{0},
};
static const struct argp_child children[] = {{&mch_net_argp, 0, NULL, 0}, {&mch_data_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {options,
				 parse_option,
				 "NET Q.json -o report.html",
				 "Writes a page about a quantized network: accuracy, formats, ranges, accumulators "
				 "and the search, with pictures. The page is one file and needs no network.\v"
				 "With --data the network is scored again, in float and on exact integers, and its "
				 "tensors are measured; without, the page has what Q.json tells and the weights.",
				 children,
				 NULL,
				 NULL};

struct mch_report_options mch_report_parse(int argc, char **argv)
{
	struct mch_report_options args = {.data = mch_data_options_usual()};
	mch_cmd_parse(&argp, argc, argv, &args);
	return args;
}
