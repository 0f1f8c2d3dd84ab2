/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* macchiato eval: top-1 accuracy, in float or on exact integers. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "cli/cmd.h"
#include "cli/host_layers.h"
#include "cli/load.h"
#include "cli/progress.h"
#include "io/hash.h"
#include "io/net_read.h"
#include "io/quant_json.h"
#include "net/lower.h"
#include "net/score.h"

struct arguments {
	const char *net, *data, *split, *quant;
	long limit; /* 0: all */
	bool plain, json;
};

enum { OPT_SPLIT = 256 };

static const struct argp_option options[] = {
	{"data", 'd', "DIR", 0, "Folder of the images: IDX files, plain or gzipped", 0},
	{"quant", 'Q', "Q.json", 0, "Evaluate on exact integers, in these formats", 0},
	{"split", OPT_SPLIT, "NAME", 0, "Images: test or train (default test)", 0},
	{"limit", 'l', "N", 0, "Evaluate the first N images only (default all)", 0},
	{"plain", 'p', NULL, 0, "Use the plain operators, the reference: slow", 0},
	{"json", 'j', NULL, 0, "Print JSON instead of text", 0},
	{0},
};

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct arguments *args = state->input;
	switch (key) {
	case 'd':
		args->data = text;
		return 0;
	case 'Q':
		args->quant = text;
		return 0;
	case OPT_SPLIT:
		if (strcmp(text, "test") != 0 && strcmp(text, "train") != 0)
			mch_cmd_fail("--split", "\"%.60s\" is no split; give test or train", text);
		args->split = text;
		return 0;
	case 'l':
		args->limit = mch_cmd_integer("--limit", text, 1, 1000000000);
		return 0;
	case 'p':
		args->plain = true;
		return 0;
	case 'j':
		args->json = true;
		return 0;
	case ARGP_KEY_ARG:
		mch_cmd_take_net(&args->net, text);
		return 0;
	case ARGP_KEY_END:
		if (!args->net)
			mch_cmd_fail("NET", "no network given; give a .onnx file");
		if (!args->data)
			mch_cmd_fail("--data", "no folder given; give the folder of the images");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

struct job {
	const struct arguments *args;
	struct mch_net net;
	struct mch_dataset data;
	struct mch_quant quant;
	struct mch_qnet q; /* with --quant */
	int n_images, n_right;
	double seconds;
};

static void show_progress(void *ctx, int done, int total)
{
	mch_progress_update(ctx, (uint64_t)done, (uint64_t)total);
}

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int run(struct job *job, struct mch_err *err)
{
	const struct arguments *args = job->args;
	if (mch_net_read(args->net, NULL, &job->net, NULL, err) != 0 || mch_net_require_weights(&job->net, err) != 0 ||
	    mch_load_data(args->data, args->split, &job->net, &job->data, err) != 0)
		return -1;
	job->n_images = mch_load_count("--limit", args->limit, job->data.n_images, &job->data, err);
	if (job->n_images < 0)
		return -1;
	if (args->quant && (mch_net_lower(&job->net, err) != 0 ||
			    mch_quant_json_read(args->quant, &job->net, &job->quant, NULL, err) != 0 ||
			    mch_qnet_build(&job->q, &job->net, &job->quant, err) != 0))
		return -1;
	const struct mch_model model = {&job->net, args->quant ? &job->q : NULL, args->plain};
	struct mch_progress bar;
	const struct mch_score_config config = {&job->data, job->n_images, show_progress, &bar};
	struct mch_answers answers;
	const double start_s = now_s();
	mch_progress_begin(&bar, "eval", "images");
	const int status = mch_score_run(&model, &config, &answers, err);
	mch_progress_end(&bar);
	job->seconds = now_s() - start_s;
	job->n_right = answers.n_top1;
	mch_answers_free(&answers);
	return status;
}

/* The 95 % interval of Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", 1927; in percent. */
static void wilson(int n_right, int n, double *low, double *high)
{
	const double z = 1.959963984540054, share = (double)n_right / n, zz = z * z / n;
	const double middle = (share + zz / 2) / (1 + zz);
	const double reach = z * sqrt(share * (1 - share) / n + zz / (4 * n)) / (1 + zz);
	*low = n_right == 0 ? 0 : 100 * (middle - reach);
	*high = n_right == n ? 100 : 100 * (middle + reach);
}

static int print_result(const struct job *job, struct mch_err *err)
{
	const struct arguments *args = job->args;
	const char *arithmetic = args->quant ? "exact" : "float", *operators = args->plain ? "plain" : "fast";
	const double accuracy = 100.0 * job->n_right / job->n_images, rate = job->n_images / job->seconds;
	double low, high;
	char hash[MCH_HASH_HEX];
	wilson(job->n_right, job->n_images, &low, &high);
	mch_hash_net(&job->net, hash);
	if (!args->json) {
		printf("network     %s\n", args->net);
		if (args->quant)
			printf("formats     %s\n", args->quant);
		printf("arithmetic  %s, %s operators\n", args->quant ? "exact integers" : "float", operators);
		printf("images      %s, %d of %d\n", job->data.name, job->n_images, job->data.n_images);
		printf("accuracy    %.2f %% (%d right), 95 %% interval %.2f to %.2f %%\n", accuracy, job->n_right, low, high);
		printf("rate        %.0f images/s\n", rate);
		if (args->quant)
			mch_host_layers_print(&job->net);
		return 0;
	}
	json_t *root = json_pack("{s:s, s:s, s:s?, s:s, s:s, s:s, s:i, s:i, s:f, s:[f,f], s:f}", "network", args->net, "hash",
				 hash, "quant", args->quant, "arithmetic", arithmetic, "operators", operators, "data",
				 job->data.name, "images", job->n_images, "right", job->n_right, "accuracy", accuracy,
				 "interval_95", low, high, "images_per_s", rate);
	if (root && args->quant && json_object_set_new(root, "host_layers", mch_host_layers_json(&job->net)) != 0) {
		json_decref(root);
		root = NULL;
	}
	if (!root)
		return mch_err_set(err, args->net, "a name is no UTF-8, which JSON needs; rename it, or leave --json out");
	json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
	putchar('\n');
	json_decref(root);
	return 0;
}

int mch_cmd_eval(int argc, char **argv, struct mch_err *err)
{
	static const struct argp argp = {options,
					 parse_option,
					 "NET",
					 "Top-1 accuracy of a network on labelled images: in float, or with --quant on exact integers, "
					 "bit for bit what the hardware computes.",
					 NULL,
					 NULL,
					 NULL};
	struct arguments args = {.split = "test"};
	struct job job = {.args = &args};
	mch_cmd_parse(&argp, argc, argv, &args);
	mch_net_init(&job.net);
	const int status = run(&job, err) == 0 ? print_result(&job, err) : -1;
	mch_qnet_free(&job.q);
	mch_quant_free(&job.quant);
	mch_dataset_free(&job.data);
	mch_net_free(&job.net);
	return status == 0 ? MCH_EXIT_OK : MCH_EXIT_FAILED;
}
