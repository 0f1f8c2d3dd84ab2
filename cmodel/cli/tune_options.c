/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The command line of `macchiato tune`; see tune_options.h. */
#include "cli/tune_options.h"

#include <string.h>

#include "cli/cmd.h"
#include "cli/search_options.h"

enum { OPT_TRAIN_DATA = MCH_TRAIN_OWN, OPT_QUANT_OUT, OPT_LOG, OPT_IMAGES, OPT_HOLDOUT, OPT_OPTIMIZER, OPT_ROUNDING,
       OPT_DISTILL, OPT_TEMPERATURE };

#define USUAL_RATE_MOMENTUM 0.01
#define USUAL_RATE_ADAM 0.0005

static const struct argp_option options[] = {
	{"quant", 'Q', "Q.json", 0, "The formats to tune for", 0},
	{"train-data", OPT_TRAIN_DATA, "PATH", 0, "Training images, when those of --data are test images alone", 0},
	{"output", 'o', "NET2.onnx", 0, "Write the tuned network to NET2.onnx", 0},
	{"quant-out", OPT_QUANT_OUT, "Q2.json", 0, "Write its formats, certificates and accuracies to Q2.json", 0},
	{"log", OPT_LOG, "FILE", 0, "Write loss and accuracies of each epoch to FILE, as CSV for report --tune-log", 0},
	{"epochs", MCH_TRAIN_EPOCHS, "N", 0, "Passes over the training images (default 5)", 1},
	{"batch", MCH_TRAIN_BATCH, "N", 0, "Images in a step (default 64)", 1},
	{"optimizer", OPT_OPTIMIZER, "NAME", 0, "momentum or adam (default momentum)", 1},
	{"lr", MCH_TRAIN_RATE, "X", 0, "Learning rate at the start (default 0.01, of adam 0.0005)", 1},
	{"policy", MCH_TRAIN_POLICY, "NAME", 0, "How the rate falls: cosine, step or fixed (default cosine)", 1},
	{"momentum", MCH_TRAIN_MOMENTUM, "X", 0,
	 "Share of the last step that goes into the next; of adam beta1 (default 0.9)", 1},
	{"decay", MCH_TRAIN_DECAY, "X", 0, "Decay of the shadow weights (default 0)", 1},
	{"weight-rounding", OPT_ROUNDING, "HOW", 0,
	 "Of weights in each step: nearest, which is as in Q.json, or stochastic (default nearest)", 1},
	{"distill", OPT_DISTILL, "X", 0,
	 "Learn this share, 0 to 1, from the float network's answers, the rest from the labels (default 0)", 1},
	{"temperature", OPT_TEMPERATURE, "X", 0,
	 "Divide the outputs by this before the loss's softmax (default the step of their codes, at least 1)", 1},
	{"shift", MCH_TRAIN_SHIFT, "N", 0, "Move each image by up to N pixels (default 0)", 1},
	{"flip", MCH_TRAIN_FLIP, NULL, 0, "Mirror half of the images left to right", 1},
	{"seed", MCH_TRAIN_SEED, "N", 0, "Of all that is drawn at random (default 1)", 1},
	{"images", OPT_IMAGES, "N", 0, "Use N training images only, drawn by --seed (default all)", 1},
	{"holdout", OPT_HOLDOUT, "N|P%", 0,
	 "Hold out so many training images, drawn by --seed: the epoch that is best on them is taken (default 10%)", 1},
	{"limit", 'l', "N", 0, "Report on the first N test images only (default all)", 1},
	{"checkpoint", MCH_TRAIN_CHECKPOINT, "FILE", 0, "Keep the unfinished run in FILE (default NET2.onnx.ckpt)", 2},
	{"resume", MCH_TRAIN_RESUME, NULL, 0, "Go on from the checkpoint", 2},
	{"quiet", 'q', NULL, 0, "Only the result and errors", 2},
	{"json", 'j', NULL, 0, "Print JSON instead of text", 2},
	{0},
};

static void require_file(const char *option, const char *path, const char *what)
{
	if (!path)
		mch_cmd_fail(option, "no file given; give the file for %s", what);
	if (strcmp(path, "-") == 0)
		mch_cmd_fail(option, "the standard output is taken by the result; give a file name");
}

static void finish(struct mch_tune_options *args)
{
	struct mch_sgd_config *config = &args->train.config;
	if (!args->quant)
		mch_cmd_fail("--quant", "no formats given; give the file that quantize wrote");
	if (!args->data.path)
		mch_cmd_fail("--data", "no images given; give their folder or file");
	require_file("--output", args->output, "the tuned network");
	require_file("--quant-out", args->quant_output, "its formats");
	if (args->log && strcmp(args->log, "-") == 0)
		mch_cmd_fail("--log", "the standard output is taken by the result; give a file name");
	if (!args->has_lr)
		config->rate = config->optimizer == MCH_OPTIMIZER_ADAM ? USUAL_RATE_ADAM : USUAL_RATE_MOMENTUM;
	args->data.seed = config->seed;
}

static void parse_optimizer(const char *text, struct mch_sgd_config *config)
{
	config->optimizer = strcmp(text, "adam") == 0 ? MCH_OPTIMIZER_ADAM : MCH_OPTIMIZER_MOMENTUM;
	if (config->optimizer == MCH_OPTIMIZER_MOMENTUM && strcmp(text, "momentum") != 0)
		mch_cmd_fail("--optimizer", "\"%.60s\" is none; give momentum or adam", text);
}

static void parse_rounding(const char *text, struct mch_sgd_config *config)
{
	config->is_by_lot = strcmp(text, "stochastic") == 0;
	if (!config->is_by_lot && strcmp(text, "nearest") != 0)
		mch_cmd_fail("--weight-rounding", "\"%.60s\" is none; give nearest or stochastic", text);
}

/* Numbers of the run that are tune's own, or that it looks at first; -1 for others. */
static int parse_number(int key, const char *text, struct mch_tune_options *args)
{
	struct mch_sgd_config *config = &args->train.config;
	switch (key) {
	case OPT_DISTILL:
		config->share = mch_cmd_real("--distill", text, 0, 1);
		return 0;
	case OPT_TEMPERATURE:
		config->temperature = mch_cmd_real("--temperature", text, 0.01, 1000);
		return 0;
	case OPT_IMAGES:
		args->images = mch_cmd_integer("--images", text, 2, 1000000000);
		return 0;
	case OPT_HOLDOUT:
		mch_parse_holdout(text, &args->holdout, &args->is_percent);
		return 0;
	case 'l':
		args->data.limit = mch_cmd_integer("--limit", text, 1, 1000000000);
		return 0;
	default:
		args->has_lr = args->has_lr || key == MCH_TRAIN_RATE;
		return mch_train_option(key, text, &args->train);
	}
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct mch_tune_options *args = state->input;
	switch (key) {
	case 'Q':
		args->quant = text;
		return 0;
	case OPT_TRAIN_DATA:
		args->train_data = text;
		return 0;
	case 'o':
		args->output = text;
		return 0;
	case OPT_QUANT_OUT:
		args->quant_output = text;
		return 0;
	case OPT_LOG:
		args->log = text;
		return 0;
	case OPT_OPTIMIZER:
		parse_optimizer(text, &args->train.config);
		return 0;
	case OPT_ROUNDING:
		parse_rounding(text, &args->train.config);
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->net;
		state->child_inputs[1] = &args->data;
		return 0;
	case ARGP_KEY_END:
		finish(args);
		return 0;
	default:
		return parse_number(key, text, args) == 0 ? 0 : ARGP_ERR_UNKNOWN;
	}
}

struct mch_tune_options mch_tune_parse(int argc, char **argv)
{
	static const struct argp_child children[] = {{&mch_net_argp, 0, NULL, 0}, {&mch_data_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {
		options,
		parse_option,
		"NET",
		"Tunes a network for its formats: training goes on with weights and activations rounded as the "
		"hardware rounds them, slopes pass straight through the rounding, and float shadows of the weights gather "
		"what they say. The network written has the weights and biases that the hardware has.\v"
		"The result does not depend on the number of threads. An interrupted or killed run goes on with "
		"--resume and ends with the same files. Of all epochs the best on the training images that are held "
		"out is the result, scored on exact integers; the test images choose nothing.",
		children,
		NULL,
		NULL};
	struct mch_tune_options args = {.data = mch_data_options_usual(),
					.holdout = 10,
					.is_percent = true,
					.train.config = {.n_epochs = 5, .batch = 64, .momentum = 0.9,
							 .policy = MCH_POLICY_COSINE, .seed = 1}};
	mch_cmd_parse(&argp, argc, argv, &args);
	return args;
}
