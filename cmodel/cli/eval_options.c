/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The command line of `macchiato eval`; see eval_options.h. */
#include "cli/eval_options.h"

#include <string.h>

#include "cli/cmd.h"

enum { OPT_SPLIT = 256, OPT_SEED, OPT_LABELS, OPT_CONFUSION, OPT_PER_CLASS, OPT_REFERENCE, OPT_REFERENCE_WEIGHTS,
       OPT_ACC_BITS };

static const struct argp_option options[] = {
	{"quant", 'Q', "Q.json", 0, "Evaluate on exact integers, in these formats", 0},
	{"acc-bits", OPT_ACC_BITS, "N[:HOW]", 0, "With accumulators of N bits in all layers, that wrap or saturate (default wrap)", 0},
	{"plain", 'p', NULL, 0, "Use the plain operators, the reference: slow", 0},
	{"split", OPT_SPLIT, "NAME", 0, "Of data that has two sets: test or train (default test)", 9},
	{"limit", 'l', "N", 0, "Evaluate the first N images only (default all)", 9},
	{"seed", OPT_SEED, "N", 0, "Of --shuffle (default 1)", 10},
	{"per-class", OPT_PER_CLASS, NULL, 0, "Print a table of the classes", 1},
	{"confusion", OPT_CONFUSION, "FILE.csv", 0,
	 "Write how often each class was taken for each; of up to 20 classes it is "
	 "printed too",
	 1},
	{"labels", OPT_LABELS, "FILE", 0, "Names of the classes, one a line", 1},
	{"reference", OPT_REFERENCE, "NET2", 0, "Tell how far the outputs are from those of this network in float",
	 2},
	{"reference-weights", OPT_REFERENCE_WEIGHTS, "FILE", 0, "Its .caffemodel, if it is a .prototxt", 2},
	{"json", 'j', NULL, 0, "Print JSON instead of text", 3},
	{0},
};

static void finish(const struct mch_eval_options *args)
{
	if (!args->data.path)
		mch_cmd_fail("--data", "no images given; give their folder or file");
	if (args->reference.weights && !args->reference.path)
		mch_cmd_fail("--reference-weights", "there is no network for them; give --reference=NET2.prototxt");
	if (args->confusion && strcmp(args->confusion, "-") == 0)
		mch_cmd_fail("--confusion", "the standard output is taken by the result; give a file name");
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct mch_eval_options *args = state->input;
	switch (key) {
	case 'Q':
		args->quant = text;
		return 0;
	case OPT_ACC_BITS:
		args->acc = mch_cmd_acc("--acc-bits", text);
		return 0;
	case 'p':
		args->plain = true;
		return 0;
	case 'j':
		args->json = true;
		return 0;
	case OPT_SPLIT:
		mch_data_options_split(&args->data, text);
		return 0;
	case OPT_SEED:
		args->data.seed = (uint64_t)mch_cmd_integer("--seed", text, 0, UINT32_MAX);
		return 0;
	case 'l':
		args->data.limit = mch_cmd_integer("--limit", text, 1, 1000000000);
		return 0;
	case OPT_PER_CLASS:
		args->per_class = true;
		return 0;
	case OPT_CONFUSION:
		args->confusion = text;
		return 0;
	case OPT_LABELS:
		args->labels = text;
		return 0;
	case OPT_REFERENCE:
		args->reference.path = text;
		return 0;
	case OPT_REFERENCE_WEIGHTS:
		args->reference.weights = text;
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->net;
		state->child_inputs[1] = &args->data;
		return 0;
	case ARGP_KEY_END:
		finish(args);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

struct mch_eval_options mch_eval_parse(int argc, char **argv)
{
	static const struct argp_child children[] = {
		{&mch_net_argp, 0, NULL, 0}, {&mch_data_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {
		options,
		parse_option,
		"NET",
		"Accuracy of a network on labelled images: in float, or with --quant on exact integers, "
		"bit for bit what the hardware computes.\v"
		"A quantized model (ONNX QDQ, integer operators or QONNX, or Ristretto's .prototxt) brings "
		"its formats, and is evaluated on exact integers without --quant.",
		children,
		NULL,
		NULL};
	struct mch_eval_options args = {.data = mch_data_options_usual()};
	args.data.split = "test";
	mch_cmd_parse(&argp, argc, argv, &args);
	return args;
}
