/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The command line of `macchiato quantize`; see quantize_options.h. */
#include "cli/quantize_options.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/policy_options.h"

enum {
	OPT_TRAIN_DATA = 256, OPT_BATCH_NORM, OPT_FOLD_INPUT, OPT_EQUALIZE, OPT_COMPENSATE, OPT_BIAS_CORRECTION, OPT_NET_OUT, OPT_ACC_BITS, OPT_PROFILE, OPT_OVERFLOW
};

static void finish_arguments(struct mch_quantize_options *args)
{
	if (!args->data.path)
		mch_cmd_fail("--data", "no images given; give their folder or file");
	if (!args->output)
		mch_cmd_fail("--output", "no file given; give the file for the result");
	const char *change = args->keeps_norms	     ? "--batch-norm"
			     : args->is_input_folded ? "--fold-input"
			     : args->equalization	     ? "--equalize"
			     : args->is_compensated    ? "--compensate"
			     : args->is_bias_corrected ? "--bias-correction"
						       : NULL;
	if (change && !args->net_output)
		mch_cmd_fail(change, "changes the network, and the formats belong to the changed one; name a file for it with "
				     "--net-out=NET.onnx");
	if (args->net_output && !change)
		mch_cmd_fail("--net-out", "nothing changes the network; give --fold-input, --equalize, --compensate or "
					  "--bias-correction with it");
	if (isnan(args->error_margin) && !args->widths[0])
		args->error_margin = 1;
	if (args->widths[0] && args->search.has_granularity)
		mch_cmd_fail("--widths",
			     "widths are given, and a granularity to search them with; leave one of the two out");
	if (args->profile && args->profile->is_ladder && args->search.has_granularity)
		mch_cmd_fail("--profile", "%s searches part by part; leave --granularity out", args->profile->name);
	if (args->json && strcmp(args->output, "-") == 0)
		mch_cmd_fail("--json", "the standard output is taken by --output=-; give a file name");
}

/* Options behind it change single choices of it. */
static void take_profile(struct mch_quantize_options *args, const char *text)
{
	char names[160] = "";
	args->profile = mch_profile_find(text);
	for (int i = 0; i < MCH_N_PROFILES; i++) {
		const size_t used = strlen(names);
		snprintf(names + used, sizeof(names) - used, "%s%s", i == 0 ? "" : i == MCH_N_PROFILES - 1 ? " or " : ", ",
			 mch_profiles[i].name);
	}
	if (!args->profile)
		mch_cmd_fail("--profile", "\"%.60s\" is no profile; give %s", text, names);
	args->round = args->profile->round;
	args->wraps = args->profile->wraps;
	mch_profile_apply(args->profile, &args->policy);
}

/* "8,6,8": conv weights, FC weights, activations. */
static void parse_widths(struct mch_quantize_options *args, const char *text)
{
	int *w = args->widths, used = 0;
	bool usable = sscanf(text, "%2d,%2d,%2d%n", &w[0], &w[1], &w[2], &used) == MCH_N_PARTS && text[used] == '\0';
	for (int p = 0; p < MCH_N_PARTS; p++)
		usable = usable && w[p] >= 1 && w[p] <= MCH_OPERAND_BITS_MAX;
	if (!usable)
		mch_cmd_fail("--widths",
			     "\"%.60s\" is not three widths of 1 to 16 bits; give them as 8,8,8: conv weights, FC "
			     "weights, activations",
			     text);
}

/* "weights", "tensors", "tensors:0.75". */
static void parse_equalize(struct mch_quantize_options *args, const char *text)
{
	static const char tensors[] = "tensors";
	args->equalization = MCH_EQUALIZE_WEIGHTS;
	args->balance = 0.5;
	if (strcmp(text, "weights") == 0)
		return;
	args->equalization = MCH_EQUALIZE_TENSORS;
	if (strncmp(text, tensors, sizeof(tensors) - 1) != 0 || (text[sizeof(tensors) - 1] != '\0' && text[sizeof(tensors) - 1] != ':'))
		mch_cmd_fail("--equalize", "\"%.60s\" is no kind of it; give weights, tensors, or tensors:B with a balance B of 0 to 1",
			     text);
	if (text[sizeof(tensors) - 1] == ':')
		args->balance = mch_cmd_real("--equalize", text + sizeof(tensors), 0, 1);
}

/* The options that say how to quantize, not on what. */
static error_t parse_choice(int key, const char *text, struct argp_state *state)
{
	struct mch_quantize_options *args = state->input;
	switch (key) {
	case 'e':
		args->error_margin = mch_cmd_real("--error-margin", text, 0, 100);
		return 0;
	case 'r':
		if (mch_round_parse(text, &args->round) != 0)
			mch_cmd_fail("--rounding",
				     "\"%.60s\" is no rounding mode; give floor, half_up, half_away, "
				     "half_even or stochastic",
				     text);
		return 0;
	case OPT_PROFILE:
		take_profile(args, text);
		return 0;
	case OPT_OVERFLOW:
		args->wraps = strcmp(text, "wrap") == 0;
		if (!args->wraps && strcmp(text, "saturate") != 0)
			mch_cmd_fail("--overflow", "\"%.60s\" is neither wrap nor saturate; give one of them", text);
		return 0;
	case OPT_ACC_BITS:
		args->policy.acc = mch_cmd_acc("--acc-bits", text);
		return 0;
	case 'n':
		args->images = mch_cmd_integer("--images", text, 1, 1000000000);
		return 0;
	case 'l':
		args->data.limit = mch_cmd_integer("--limit", text, 1, 1000000000);
		return 0;
	case 's':
		args->seed = (uint32_t)mch_cmd_integer("--seed", text, 0, UINT32_MAX);
		args->data.seed = args->seed;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct mch_quantize_options *args = state->input;
	switch (key) {
	case OPT_TRAIN_DATA:
		args->train_data = text;
		return 0;
	case 'o':
		args->output = text;
		return 0;
	case OPT_EQUALIZE:
		parse_equalize(args, text);
		return 0;
	case OPT_BATCH_NORM:
		args->keeps_norms = strcmp(text, "keep") == 0;
		if (!args->keeps_norms && strcmp(text, "fold") != 0)
			mch_cmd_fail("--batch-norm", "\"%.60s\" is neither fold nor keep; give one of them", text);
		return 0;
	case OPT_FOLD_INPUT:
		args->is_input_folded = true;
		return 0;
	case OPT_COMPENSATE:
		args->is_compensated = true;
		return 0;
	case OPT_BIAS_CORRECTION:
		args->is_bias_corrected = true;
		return 0;
	case OPT_NET_OUT:
		args->net_output = text;
		return 0;
	case 'j':
		args->json = true;
		return 0;
	case 'q':
		args->quiet = true;
		return 0;
	case 'w':
		parse_widths(args, text);
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->net;
		state->child_inputs[1] = &args->data;
		state->child_inputs[2] = &args->search;
		state->child_inputs[3] = &args->hardware;
		state->child_inputs[4] = &args->policy;
		return 0;
	case ARGP_KEY_END:
		finish_arguments(args);
		return 0;
	default:
		return parse_choice(key, text, state);
	}
}

static const struct argp_option options[] = {
	{"train-data", OPT_TRAIN_DATA, "PATH", 0,
	 "Training images, which give the ranges, when those of --data are test images "
	 "alone",
	 0},
	{"output", 'o', "FILE", 0, "Write the formats to FILE, or - for the standard output", 0},
	{"error-margin", 'e', "POINTS", 0,
	 "Percentage points of top-1 accuracy that may be lost (default 1; with "
	 "--widths any)",
	 0},
	{"widths", 'w', "C,F,A", 0, "No search: score these widths of conv weights, FC weights and activations", 0},
	{"rounding", 'r', "MODE", 0, "floor, half_up, half_away, half_even or stochastic (default half_even)", 0},
	{"profile", OPT_PROFILE, "NAME", 0,
	 "The choices of another system, for comparison: ristretto, ristretto-gpu, cmsis-nn, tflite, onnxruntime, nvdla or hls; options "
	 "behind it change them", 0},
	{"overflow", OPT_OVERFLOW, "HOW", 0,
	 "What outputs do that do not fit: saturate or wrap (default saturate)", 0},
	{"acc-bits", OPT_ACC_BITS, "N[:HOW]", 0,
	 "Accumulators of N bits in all layers, that wrap or saturate (default wrap); else each as its certificate asks", 0},
	{"batch-norm", OPT_BATCH_NORM, "HOW", 0,
	 "fold batch norms into the layers before them (default), or keep them as layers with formats of their own", 0},
	{"fold-input", OPT_FOLD_INPUT, NULL, 0,
	 "Let the network read pixels as they are: mean and scale go into its first weights and biases", 0},
	{"equalize", OPT_EQUALIZE, "WHAT", 0,
	 "Scale channels so that neighbouring layers' weights span like ranges (weights), or that channels of a tensor "
	 "do, with B of 0 to 1 of the factor (tensors:B, 0.5)", 0},
	{"compensate", OPT_COMPENSATE, NULL, 0,
	 "Round each weight so that it takes back what the rounding of others does, on training images", 0},
	{"bias-correction", OPT_BIAS_CORRECTION, NULL, 0,
	 "Let biases take back by how much quantization moves the mean of each channel, on training images", 0},
	{"net-out", OPT_NET_OUT, "FILE", 0, "Write the network that these change to FILE, as ONNX", 0},
	{"images", 'n', "N", 0, "Take the ranges from N training images (default 1000)", 0},
	{"limit", 'l', "N", 0, "Score on the first N test images (default all)", 0},
	{"seed", 's', "N", 0, "Of stochastic rounding and of --shuffle (default 1)", 0},
	{"json", 'j', NULL, 0, "Print JSON instead of text", 0},
	{"quiet", 'q', NULL, 0, "No progress, notes or tables", 0},
	{0},
};
static const struct argp_child children[] = {{&mch_net_argp, 0, NULL, 0},
					     {&mch_data_argp, 0, NULL, 0},
					     {&mch_search_argp, 0, NULL, 0},
					     {&mch_array_argp, 0, NULL, 0},
					     {&mch_policy_argp, 0, NULL, 0},
					     {0}};
static const struct argp argp = {options,
				 parse_option,
				 "NET",
				 "Finds the smallest bit-widths of convolution weights, FC weights and "
				 "activations that lose no more accuracy than the margin.\v"
				 "Training images of --data give the ranges, test images the scores. Every score is "
				 "the top-1 accuracy of exact "
				 "integers, the same bits as the hardware. Scores are kept in FILE.part: a "
				 "search that was stopped goes on where it was. Exit status 1: the margin "
				 "cannot be met, and no FILE is written.",
				 children,
				 NULL,
				 NULL};

struct mch_quantize_options mch_quantize_parse(int argc, char **argv)
{
	struct mch_quantize_options args = {.data = mch_data_options_usual(),
					    .search = mch_search_options_usual(),
					    .hardware = mch_array_options_usual(),
					    .error_margin = NAN,
					    .round = MCH_ROUND_HALF_EVEN,
					    .policy = mch_format_policy_usual(),
					    .seed = 1};
	mch_cmd_parse(&argp, argc, argv, &args);
	return args;
}
