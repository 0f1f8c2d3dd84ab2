/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* macchiato train: float training from scratch, with checkpoints. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "base/temporary.h"
#include "cli/cmd.h"
#include "cli/load.h"
#include "cli/progress.h"
#include "io/hash.h"
#include "io/onnx_write.h"
#include "io/real_text.h"
#include "net/score.h"
#include "train/checkpoint.h"
#include "train/sgd.h"

enum { CHECKPOINT_S = 30 };

struct arguments {
	struct mch_net_options net;
	struct mch_data_options data; /* its limit is of the training images; its seed is config.seed too */
	const char *test_data;        /* a path of its own for the test images, or NULL */
	const char *output, *checkpoint;
	struct mch_sgd_config config;
	bool resume, quiet, json;
};

static const char *const policy_names[MCH_N_POLICIES] = {
	[MCH_POLICY_FIXED] = "fixed", [MCH_POLICY_STEP] = "step", [MCH_POLICY_COSINE] = "cosine"};

/* Options without a letter. */
enum { OPT_EPOCHS = 256, OPT_BATCH, OPT_RATE, OPT_MOMENTUM, OPT_DECAY, OPT_POLICY, OPT_SEED, OPT_SHIFT, OPT_FLIP,
       OPT_CHECKPOINT, OPT_RESUME, OPT_TEST_DATA };

static const struct argp_option options[] = {
	{"test-data", OPT_TEST_DATA, "PATH", 0, "Test images, when those of --data are training images alone", 0},
	{"output", 'o', "NET.onnx", 0, "Write the trained network to NET.onnx", 0},
	{"epochs", OPT_EPOCHS, "N", 0, "Passes over the training images (default 15)", 1},
	{"batch", OPT_BATCH, "N", 0, "Images in a step (default 64)", 1},
	{"lr", OPT_RATE, "X", 0, "Learning rate at the start (default 0.02)", 1},
	{"policy", OPT_POLICY, "NAME", 0, "How the rate falls: cosine, step or fixed (default cosine)", 1},
	{"momentum", OPT_MOMENTUM, "X", 0, "Share of the last step that goes into the next (default 0.9)", 1},
	{"decay", OPT_DECAY, "X", 0, "Decay of the weights (default 0.0005)", 1},
	{"shift", OPT_SHIFT, "N", 0, "Move each image by up to N pixels (default 1)", 1},
	{"flip", OPT_FLIP, NULL, 0, "Mirror half of the images left to right", 1},
	{"seed", OPT_SEED, "N", 0, "Of all that is drawn at random (default 1)", 1},
	{"limit", 'l', "N", 0, "Train on the first N images only (default all)", 1},
	{"checkpoint", OPT_CHECKPOINT, "FILE", 0, "Keep the unfinished run in FILE (default NET.onnx.ckpt)", 2},
	{"resume", OPT_RESUME, NULL, 0, "Go on from the checkpoint", 2},
	{"quiet", 'q', NULL, 0, "Only the result and errors", 2},
	{"json", 'j', NULL, 0, "Print JSON instead of text", 2},
	{0},
};

static void finish_arguments(const struct arguments *args)
{
	if (!args->data.path)
		mch_cmd_fail("--data", "no images given; give their folder or file");
	if (!args->output)
		mch_cmd_fail("--output", "no file given; give the file for the trained network");
	if (strcmp(args->output, "-") == 0)
		mch_cmd_fail("--output", "the standard output is taken by the result; give a file name");
}

static void parse_policy(const char *text, struct arguments *args)
{
	for (int i = 0; i < MCH_N_POLICIES; i++)
		if (strcmp(text, policy_names[i]) == 0) {
			args->config.policy = (enum mch_policy)i;
			return;
		}
	mch_cmd_fail("--policy", "\"%.60s\" is no policy; give cosine, step or fixed", text);
}

/* The options that have a number or nothing; -1 for others. */
static int parse_config(int key, const char *text, struct arguments *args)
{
	struct mch_sgd_config *config = &args->config;
	switch (key) {
	case OPT_EPOCHS:
		config->n_epochs = (int)mch_cmd_integer("--epochs", text, 1, 100000);
		return 0;
	case OPT_BATCH:
		config->batch = (int)mch_cmd_integer("--batch", text, 1, 65536);
		return 0;
	case OPT_RATE:
		config->rate = mch_cmd_real("--lr", text, 1e-9, 1000);
		return 0;
	case OPT_MOMENTUM:
		config->momentum = mch_cmd_real("--momentum", text, 0, 0.9999);
		return 0;
	case OPT_DECAY:
		config->decay = mch_cmd_real("--decay", text, 0, 1);
		return 0;
	case OPT_SHIFT:
		config->max_shift = (int)mch_cmd_integer("--shift", text, 0, 1000);
		return 0;
	case OPT_FLIP:
		config->flip = true;
		return 0;
	case OPT_SEED:
		config->seed = (uint64_t)mch_cmd_integer("--seed", text, 0, 2147483647);
		args->data.seed = config->seed;
		return 0;
	case 'l':
		args->data.limit = mch_cmd_integer("--limit", text, 1, 1000000000);
		return 0;
	default:
		return -1;
	}
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
	case OPT_CHECKPOINT:
		args->checkpoint = text;
		return 0;
	case OPT_RESUME:
		args->resume = true;
		return 0;
	case OPT_POLICY:
		parse_policy(text, args);
		return 0;
	case 'q':
		args->quiet = true;
		return 0;
	case 'j':
		args->json = true;
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->net;
		state->child_inputs[1] = &args->data;
		return 0;
	case ARGP_KEY_END:
		finish_arguments(args);
		return 0;
	default:
		return parse_config(key, text, args) == 0 ? 0 : ARGP_ERR_UNKNOWN;
	}
}

struct job {
	struct arguments *args;
	struct mch_net net;
	struct mch_dataset train, test;
	struct mch_sgd *sgd;
	char *checkpoint; /* file name */
	char identity[1024];
	double start_s, saved_s;
	struct mch_progress bar;
	char bar_text[64];
};

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Everything the result depends on; made before the first weights, so the network's hash is that of its structure
 * (and of weights that it brought). */
static int identify(struct job *job, struct mch_err *err)
{
	const struct mch_sgd_config *c = &job->args->config;
	char net[MCH_HASH_HEX], data[MCH_HASH_HEX], rate[32], momentum[32], decay[32];
	mch_hash_net(&job->net, net);
	if (mch_load_hash(&job->train, c->n_images, data, err) != 0)
		return -1;
	snprintf(job->identity, sizeof(job->identity),
		 "network=%.16s\nimages=%.16s\n--limit=%d\n--epochs=%d\n--batch=%d\n--lr=%s\n--policy=%s\n"
		 "--momentum=%s\n--decay=%s\n--shift=%d\n--flip=%s\n--seed=%llu\n",
		 net, data, c->n_images, c->n_epochs, c->batch, mch_real_text(c->rate, rate), policy_names[c->policy],
		 mch_real_text(c->momentum, momentum), mch_real_text(c->decay, decay), c->max_shift,
		 c->flip ? "yes" : "no", (unsigned long long)c->seed);
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

static int name_checkpoint(struct job *job, struct mch_err *err)
{
	const struct arguments *args = job->args;
	const size_t room = strlen(args->output) + sizeof(".ckpt");
	job->checkpoint = args->checkpoint ? strdup(args->checkpoint) : malloc(room);
	if (!job->checkpoint)
		return mch_err_set(err, args->output, "out of memory; use a machine with more");
	if (!args->checkpoint)
		snprintf(job->checkpoint, room, "%s.ckpt", args->output);
	if (!args->resume && access(job->checkpoint, F_OK) == 0)
		return mch_err_set(err, job->checkpoint,
				   "holds an unfinished run; give --resume to go on with it, or remove it "
				   "to begin anew");
	return 0;
}

static int load(struct job *job, struct mch_err *err)
{
	struct arguments *args = job->args;
	if (name_checkpoint(job, err) != 0 || mch_load_net(&args->net, &args->data, &job->net, NULL, err) != 0 ||
	    load_data(job, err) != 0)
		return -1;
	args->config.n_images = mch_load_count("--limit", args->data.limit, job->train.n_images, &job->train, err);
	if (args->config.n_images < 0 || mch_cmd_require_writable(args->output, err) != 0 ||
	    mch_cmd_require_writable(job->checkpoint, err) != 0)
		return -1;
	if (identify(job, err) != 0)
		return -1;
	job->sgd = mch_sgd_new(&job->net, &job->train, &args->config, err);
	if (!job->sgd)
		return -1;
	job->start_s = job->saved_s = now_s();
	if (!args->resume)
		return 0;
	if (mch_checkpoint_read(job->checkpoint, job->identity, &job->net, mch_sgd_state(job->sgd), err) != 0)
		return -1;
	if (!args->quiet)
		fprintf(stderr, "%s: going on after epoch %d and %d images\n", job->checkpoint,
			mch_sgd_state(job->sgd)->epoch, mch_sgd_state(job->sgd)->n_done);
	return 0;
}

static void unload(struct job *job)
{
	mch_sgd_free(job->sgd);
	mch_dataset_free(&job->train);
	mch_dataset_free(&job->test);
	mch_net_free(&job->net);
	free(job->checkpoint);
}

static volatile sig_atomic_t is_interrupted;

static void interrupt(int signal_number)
{
	(void)signal_number;
	is_interrupted = 1;
	mch_temporary_guard(); /* a second Ctrl-C ends the program at once, should the disk hang */
}

static void catch_signals(void)
{
	static const int polite[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = interrupt}, old;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(polite) / sizeof(polite[0]); i++)
		if (sigaction(polite[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(polite[i], &action, NULL);
}

static int save(struct job *job, struct mch_err *err)
{
	job->saved_s = now_s();
	return mch_checkpoint_write(job->checkpoint, job->identity, &job->net, mch_sgd_state(job->sgd), err);
}

static void show_step(struct job *job)
{
	const struct mch_sgd_state *state = mch_sgd_state(job->sgd);
	const struct mch_sgd_config *c = &job->args->config;
	snprintf(job->bar_text, sizeof(job->bar_text), "epoch %d/%d, loss %.4f", state->epoch + 1, c->n_epochs,
		 state->loss / state->n_done);
	mch_progress_update(&job->bar, (uint64_t)state->n_done, (uint64_t)c->n_images);
}

static void show_epoch(struct job *job)
{
	const struct mch_sgd_state *state = mch_sgd_state(job->sgd);
	const struct mch_sgd_config *c = &job->args->config;
	mch_progress_end(&job->bar);
	if (job->args->quiet)
		return;
	fprintf(stderr, "epoch %*d/%d  loss %.4f  train accuracy %5.2f %%  %.0f s\n", c->n_epochs > 9 ? 2 : 1,
		state->epoch, c->n_epochs, state->loss / c->n_images, 100.0 * (double)state->n_right / c->n_images,
		now_s() - job->start_s);
	mch_progress_begin(&job->bar, job->bar_text, "images");
}

/* Steps until the end, an interruption or an error. */
static int run(struct job *job, struct mch_err *err)
{
	const struct mch_sgd_state *state = mch_sgd_state(job->sgd);
	if (!job->args->quiet)
		mch_progress_begin(&job->bar, job->bar_text, "images");
	int status = 0;
	while (status == 0 && !mch_sgd_is_done(job->sgd) && !is_interrupted) {
		status = mch_sgd_step(job->sgd, err);
		if (status != 0)
			break;
		if (state->n_done == 0)
			show_epoch(job);
		else
			show_step(job);
		if (state->n_done == 0 || now_s() - job->saved_s >= CHECKPOINT_S)
			status = save(job, err);
	}
	mch_progress_end(&job->bar);
	if (status != 0 || mch_sgd_is_done(job->sgd))
		return status;
	if (save(job, err) != 0)
		return -1;
	return mch_err_set(err, job->args->output,
			   "interrupted in epoch %d of %d, the checkpoint is %s; give the same command "
			   "with --resume to go on",
			   state->epoch + 1, job->args->config.n_epochs, job->checkpoint);
}

static int report(const struct job *job, int n_right, struct mch_err *err)
{
	const struct mch_sgd_state *state = mch_sgd_state(job->sgd);
	const struct arguments *args = job->args;
	const double loss = state->loss / args->config.n_images;
	const double train = 100.0 * (double)state->n_right / args->config.n_images;
	const double test = 100.0 * n_right / job->test.n_images;
	if (!args->json) {
		printf("%s: test accuracy %.2f %% (%d of %d images)\n", args->output, test, n_right,
		       job->test.n_images);
		return 0;
	}
	char hash[MCH_HASH_HEX];
	mch_hash_net(&job->net, hash);
	json_t *root = json_pack("{s:s, s:s, s:i, s:i, s:f, s:f, s:i, s:i, s:f, s:f}", "network", args->output,
				 "hash", hash, "epochs", args->config.n_epochs, "train_images", args->config.n_images,
				 "loss", loss, "train_accuracy", train, "test_images", job->test.n_images,
				 "test_right", n_right, "test_accuracy", test, "seconds", now_s() - job->start_s);
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
	unlink(job->checkpoint);
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
				 .config = {.n_epochs = 15, .batch = 64, .rate = 0.02, .momentum = 0.9, .decay = 0.0005,
					    .policy = MCH_POLICY_COSINE, .seed = 1, .max_shift = 1}};
	struct job job = {.args = &args};
	mch_cmd_parse(&argp, argc, argv, &args);
	mch_net_init(&job.net);
	catch_signals();
	const int status = load(&job, err) == 0 && run(&job, err) == 0 ? finish(&job, err) : -1;
	unload(&job);
	return status == 0 ? MCH_EXIT_OK : MCH_EXIT_FAILED;
}
