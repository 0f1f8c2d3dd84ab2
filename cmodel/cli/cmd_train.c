/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* macchiato train: float training from scratch, with checkpoints. */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "cli/cmd.h"
#include "cli/load.h"
#include "cli/train_run.h"
#include "io/hash.h"
#include "io/onnx_write.h"
#include "net/score.h"

struct arguments {
	struct mch_net_options net;
	struct mch_data_options data; /* its limit is of the training images; its seed is that of training too */
	const char *test_data;        /* a path of its own for the test images, or NULL */
	const char *output;
	struct mch_train_options train;
};

enum { OPT_TEST_DATA = MCH_TRAIN_OWN };

static const struct argp_option options[] = {
	{"test-data", OPT_TEST_DATA, "PATH", 0, "Test images, when those of --data are training images alone", 0},
	{"output", 'o', "NET.onnx", 0, "Write the trained network to NET.onnx", 0},
	{"epochs", MCH_TRAIN_EPOCHS, "N", 0, "Passes over the training images (default 15)", 1},
	{"batch", MCH_TRAIN_BATCH, "N", 0, "Images in a step (default 64)", 1},
	{"lr", MCH_TRAIN_RATE, "X", 0, "Learning rate at the start (default 0.02)", 1},
	{"policy", MCH_TRAIN_POLICY, "NAME", 0, "How the rate falls: cosine, step or fixed (default cosine)", 1},
	{"momentum", MCH_TRAIN_MOMENTUM, "X", 0, "Share of the last step that goes into the next (default 0.9)", 1},
	{"decay", MCH_TRAIN_DECAY, "X", 0, "Decay of the weights (default 0.0005)", 1},
	{"shift", MCH_TRAIN_SHIFT, "N", 0, "Move each image by up to N pixels (default 1)", 1},
	{"flip", MCH_TRAIN_FLIP, NULL, 0, "Mirror half of the images left to right", 1},
	{"seed", MCH_TRAIN_SEED, "N", 0, "Of all that is drawn at random (default 1)", 1},
	{"limit", 'l', "N", 0, "Train on the first N images only (default all)", 1},
	{"checkpoint", MCH_TRAIN_CHECKPOINT, "FILE", 0, "Keep the unfinished run in FILE (default NET.onnx.ckpt)", 2},
	{"resume", MCH_TRAIN_RESUME, NULL, 0, "Go on from the checkpoint", 2},
	{"quiet", 'q', NULL, 0, "Only the result and errors", 2},
	{"json", 'j', NULL, 0, "Print JSON instead of text", 2},
	{0},
};

static void finish_arguments(struct arguments *args)
{
	if (!args->data.path)
		mch_cmd_fail("--data", "no images given; give their folder or file");
	if (!args->output)
		mch_cmd_fail("--output", "no file given; give the file for the trained network");
	if (strcmp(args->output, "-") == 0)
		mch_cmd_fail("--output", "the standard output is taken by the result; give a file name");
	args->data.seed = args->train.config.seed;
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct arguments *args = state->input;
	switch (key) {
	case OPT_TEST_DATA:
		args->test_data = text;
		return 0;
	case 'o':
		args->output = text;
		return 0;
	case 'l':
		args->data.limit = mch_cmd_integer("--limit", text, 1, 1000000000);
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->net;
		state->child_inputs[1] = &args->data;
		return 0;
	case ARGP_KEY_END:
		finish_arguments(args);
		return 0;
	default:
		return mch_train_option(key, text, &args->train) == 0 ? 0 : ARGP_ERR_UNKNOWN;
	}
}

struct job {
	struct arguments *args;
	struct mch_net net;
	struct mch_dataset train, test;
	struct mch_train_run run;
};

/* Everything the result depends on; made before the first weights, so the network's hash is that of its structure
 * (and of weights that it brought). */
static int identify(struct job *job, struct mch_err *err)
{
	const int n_images = job->args->train.config.n_images;
	char net[MCH_HASH_HEX], data[MCH_HASH_HEX];
	mch_hash_net(&job->net, net);
	if (mch_load_hash(&job->train, n_images, data, err) != 0)
		return -1;
	snprintf(job->run.identity, sizeof(job->run.identity), "network=%.16s\nimages=%.16s\n--limit=%d\n", net, data,
		 n_images);
	mch_train_run_identify(&job->run);
	return 0;
}

/* The test images choose nothing, but they tell how good the result is: they have to be others. */
static int load_data(struct job *job, struct mch_err *err)
{
	const struct mch_data_options *data = &job->args->data;
	const char *test_path = job->args->test_data ? job->args->test_data : data->path;
	if (mch_load_data(data, data->path, "train", &job->net, data->limit, &job->train, err) != 0 ||
	    mch_load_require_labels(&job->train, &job->net, err) != 0)
		return -1;
	if (!job->args->test_data && !job->train.is_split)
		return mch_err_set(err, data->path,
				   "is one set of images, for training; give those for test with --test-data=PATH");
	if (mch_load_data(data, test_path, "test", &job->net, 0, &job->test, err) != 0)
		return -1;
	return mch_load_require_labels(&job->test, &job->net, err);
}

static int load(struct job *job, struct mch_err *err)
{
	struct arguments *args = job->args;
	struct mch_sgd_config *config = &args->train.config;
	if (mch_train_run_begin(&job->run, err) != 0 ||
	    mch_load_net(&args->net, &args->data, &job->net, NULL, err) != 0 || load_data(job, err) != 0)
		return -1;
	config->n_images = mch_load_count("--limit", args->data.limit, job->train.n_images, &job->train, err);
	if (config->n_images < 0 || mch_cmd_require_writable(args->output, err) != 0 ||
	    mch_cmd_require_writable(job->run.checkpoint, err) != 0)
		return -1;
	if (identify(job, err) != 0)
		return -1;
	job->run.sgd = mch_sgd_new(&job->net, &job->train, config, err);
	return job->run.sgd ? mch_train_run_resume(&job->run, err) : -1;
}

static void unload(struct job *job)
{
	mch_train_run_free(&job->run);
	mch_dataset_free(&job->train);
	mch_dataset_free(&job->test);
	mch_net_free(&job->net);
}

static int show_epoch(void *ctx, struct mch_err *err)
{
	struct job *job = ctx;
	(void)err;
	if (job->args->train.quiet)
		return 0;
	mch_train_run_tell(&job->run);
	fprintf(stderr, "  %.0f s\n", mch_train_run_seconds(&job->run));
	return 0;
}

static int report(const struct job *job, int n_right, struct mch_err *err)
{
	const struct mch_sgd_state *state = mch_sgd_state(job->run.sgd);
	const struct arguments *args = job->args;
	const int n_images = args->train.config.n_images;
	const double loss = state->loss / n_images;
	const double train = 100.0 * (double)state->n_right / n_images;
	const double test = 100.0 * n_right / job->test.n_images;
	if (!args->train.json) {
		printf("%s: test accuracy %.2f %% (%d of %d images)\n", args->output, test, n_right,
		       job->test.n_images);
		return 0;
	}
	char hash[MCH_HASH_HEX];
	mch_hash_net(&job->net, hash);
	json_t *root = json_pack("{s:s, s:s, s:i, s:i, s:f, s:f, s:i, s:i, s:f, s:f}", "network", args->output,
				 "hash", hash, "epochs", args->train.config.n_epochs, "train_images", n_images,
				 "loss", loss, "train_accuracy", train, "test_images", job->test.n_images,
				 "test_right", n_right, "test_accuracy", test, "seconds",
				 mch_train_run_seconds(&job->run));
	if (!root)
		return mch_err_set(err, args->output,
				   "the name is no UTF-8, which JSON needs; rename it, or leave --json out");
	json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
	putchar('\n');
	json_decref(root);
	return 0;
}

static int finish(struct job *job, struct mch_err *err)
{
	if (mch_onnx_write(job->args->output, &job->net, err) != 0)
		return -1;
	const int n_right = mch_float_score(&job->net, &job->test, job->test.n_images, NULL, err);
	if (n_right < 0 || report(job, n_right, err) != 0)
		return -1;
	mch_train_run_end(&job->run);
	return 0;
}

int mch_cmd_train(int argc, char **argv, struct mch_err *err)
{
	static const struct argp_child children[] = {{&mch_net_argp, 0, NULL, 0}, {&mch_data_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {
		options,
		parse_option,
		"NET.prototxt",
		"Trains a network in float on labelled images: gradient descent with momentum on the "
		"cross-entropy of its output. Layers that bring weights (.onnx) begin with those.\v"
		"The result does not depend on the number of threads. An "
		"interrupted or killed run goes on with --resume and ends with the same file. The last "
		"epoch's network is the result, the test images choose nothing.",
		children,
		NULL,
		NULL};
	struct arguments args = {.data = mch_data_options_usual(),
				 .train.config = {.n_epochs = 15, .batch = 64, .rate = 0.02, .momentum = 0.9,
						  .decay = 0.0005, .policy = MCH_POLICY_COSINE, .seed = 1,
						  .max_shift = 1, .temperature = 1}};
	struct job job = {.args = &args};
	mch_cmd_parse(&argp, argc, argv, &args);
	mch_net_init(&job.net);
	job.run.options = &args.train, job.run.output = args.output, job.run.net = &job.net;
	job.run.end_epoch = show_epoch, job.run.ctx = &job;
	const int status = load(&job, err) == 0 && mch_train_run_steps(&job.run, err) == 0 ? finish(&job, err) : -1;
	unload(&job);
	return status == 0 ? MCH_EXIT_OK : MCH_EXIT_FAILED;
}
