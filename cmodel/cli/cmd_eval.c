/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* macchiato eval: top-1 accuracy, in float or on exact integers. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "cli/cmd.h"
#include "cli/load.h"
#include "cli/progress.h"
#include "io/hash.h"
#include "io/net_read.h"
#include "io/quant_json.h"
#include "net/exact.h"
#include "net/float.h"

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

/* Right answers among images [first, first + n) with the plain operators. -1 with err. */
static int plain_float(const struct job *job, int first, int n, struct mch_err *err)
{
	const struct mch_net *net = &job->net;
	const size_t in = mch_shape_elems(net->edges[net->input].shape);
	const size_t out = mch_shape_elems(net->edges[net->output].shape);
	float *input = malloc((size_t)n * in * sizeof(*input)), *output = malloc((size_t)n * out * sizeof(*output));
	float **edges = calloc((size_t)net->n_edges, sizeof(*edges));
	int n_right = -1;
	if (!input || !output || !edges) {
		mch_err_set(err, job->args->net, "out of memory; use a machine with more");
	} else {
		edges[net->output] = output;
		if (mch_dataset_f32(&job->data, first, n, input, err) == 0 &&
		    mch_net_run_f32(net, n, input, edges, err) == 0) {
			n_right = 0;
			for (int i = 0; i < n; i++)
				n_right += mch_argmax_f32(output + (size_t)i * out, (int)out) == job->data.labels[first + i];
		}
	}
	free(input);
	free(output);
	free(edges);
	return n_right;
}

static int plain_exact(const struct job *job, int first, int n, struct mch_err *err)
{
	const struct mch_qnet *q = &job->q;
	const size_t in = mch_shape_elems(job->net.edges[job->net.input].shape);
	const size_t out = mch_shape_elems(job->net.edges[q->output].shape);
	int32_t *input = malloc((size_t)n * in * sizeof(*input)), *output = malloc((size_t)n * out * sizeof(*output));
	int n_right = -1;
	if (!input || !output) {
		mch_err_set(err, job->args->net, "out of memory; use a machine with more");
	} else {
		if (mch_dataset_raw(&job->data, first, n, q->input_format, input, err) == 0 &&
		    mch_qnet_run(q, n, input, output, NULL, NULL, err) == 0) {
			n_right = 0;
			for (int i = 0; i < n; i++)
				n_right += mch_argmax_raw(output + (size_t)i * out, (int)out) == job->data.labels[first + i];
		}
	}
	free(input);
	free(output);
	return n_right;
}

/* All cores, a few images at a time; every image is alone, so neither can change a result. */
static int plain_score(const struct job *job, struct mch_err *err)
{
	enum { PART = 4, ROUND = 64 * PART };
	struct mch_progress bar;
	int n_right = 0, n_failed = 0;
	mch_progress_begin(&bar, "eval", "images");
	for (int first = 0; first < job->n_images && !n_failed; first += ROUND) {
		const int end = job->n_images - first < ROUND ? job->n_images : first + ROUND;
#pragma omp parallel for schedule(dynamic, 1) reduction(+ : n_right, n_failed)
		for (int at = first; at < end; at += PART) {
			struct mch_err part_err = {""};
			const int n = end - at < PART ? end - at : PART;
			const int right = job->args->quant ? plain_exact(job, at, n, &part_err)
							   : plain_float(job, at, n, &part_err);
			n_right += right < 0 ? 0 : right;
			n_failed += right < 0;
#pragma omp critical
			if (right < 0)
				*err = part_err;
		}
		mch_progress_update(&bar, (uint64_t)end, (uint64_t)job->n_images);
	}
	mch_progress_end(&bar);
	return n_failed ? -1 : n_right;
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
	if (args->quant && (mch_quant_json_read(args->quant, &job->net, &job->quant, NULL, err) != 0 ||
			    mch_qnet_build(&job->q, &job->net, &job->quant, err) != 0))
		return -1;
	const double start_s = now_s();
	if (args->plain)
		job->n_right = plain_score(job, err);
	else if (args->quant)
		job->n_right = mch_exact_score(&job->q, &job->data, job->n_images, NULL, err);
	else
		job->n_right = mch_float_score(&job->net, &job->data, job->n_images, NULL, err);
	job->seconds = now_s() - start_s;
	return job->n_right < 0 ? -1 : 0;
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
		return 0;
	}
	json_t *root = json_pack("{s:s, s:s, s:s?, s:s, s:s, s:s, s:i, s:i, s:f, s:[f,f], s:f}", "network", args->net, "hash",
				 hash, "quant", args->quant, "arithmetic", arithmetic, "operators", operators, "data",
				 job->data.name, "images", job->n_images, "right", job->n_right, "accuracy", accuracy,
				 "interval_95", low, high, "images_per_s", rate);
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
