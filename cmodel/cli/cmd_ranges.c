/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* macchiato ranges: what values a network holds, and the formats that suit them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cli/cmd.h"
#include "cli/format_text.h"
#include "cli/load.h"
#include "cli/policy_options.h"
#include "cli/progress.h"
#include "net/lower.h"
#include "quant/formats.h"
#include "quant/ranges.h"

enum { N_BINS = 32, USUAL_IMAGES = 1000, OPT_SPLIT = 256, OPT_SEED };

struct arguments {
	struct mch_net_options net;
	struct mch_data_options data;
	long images; /* 0: as usual */
	int bits;
	struct mch_format_policy policy;
	bool json;
};

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct arguments *args = state->input;
	switch (key) {
	case 'n':
		args->images = mch_cmd_integer("--images", text, 1, 1000000000);
		return 0;
	case 'b':
		args->bits = (int)mch_cmd_integer("--bits", text, 1, MCH_OPERAND_BITS_MAX);
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
	case ARGP_KEY_INIT:
		state->child_inputs[2] = &args->policy;
		state->child_inputs[0] = &args->net;
		state->child_inputs[1] = &args->data;
		return 0;
	case ARGP_KEY_END:
		if (!args->data.path)
			mch_cmd_fail("--data", "no images given; give the folder or file of the training images");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* What the two reports show. */
struct view {
	const struct arguments *args;
	const struct mch_net *net;
	const struct mch_dataset *data;
	const struct mch_ranges *ranges;
	const struct mch_quant *quant;
};

/* Bars of eight heights, on a logarithmic scale: the rare large values decide a format and must be seen. */
static void bar_text(char *buf, const uint64_t *counts, int n)
{
	static const char *const bars[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	uint64_t most = 1;
	buf[0] = '\0';
	for (int i = 0; i < n; i++)
		most = counts[i] > most ? counts[i] : most;
	for (int i = 0; i < n; i++) {
		const double height = log1p((double)counts[i]) / log1p((double)most);
		strcat(buf, bars[(int)ceil(8 * height - 1e-9)]);
	}
}

static void print_row(const char *name, int width, const struct mch_range *r, const char *format)
{
	uint64_t counts[N_BINS];
	char bars[N_BINS * 3 + 1];
	mch_range_histogram(r, counts, N_BINS);
	bar_text(bars, counts, N_BINS);
	printf("%-*s  %11.5g  %11.5g  %11.5g  %11.5g  %5.1f  %-9s  %s\n", width, name, r->min, r->max, r->mean,
	       r->std, 100 * (double)r->n_zero / (double)(r->n ? r->n : 1), format, bars);
}

static int name_width(const struct mch_net *net)
{
	size_t width = strlen("weights");
	for (int i = 0; i < net->n_layers; i++)
		width = strlen(net->layers[i].name) > width ? strlen(net->layers[i].name) : width;
	for (int e = 0; e < net->n_edges; e++)
		width = strlen(net->edges[e].name) > width ? strlen(net->edges[e].name) : width;
	return (int)width;
}

static void print_head(const char *what, int width)
{
	printf("\n%-*s  %11s  %11s  %11s  %11s  %5s  %-9s  %s\n", width, what, "min", "max", "mean", "std", "zero%",
	       "format", "min ... max, log of the count");
}

static void print_tables(const struct view *v)
{
	const int width = name_width(v->net);
	char text[MCH_FORMAT_TEXT];
	printf("network     %s\n", v->net->name);
	printf("images      %d of %s\n", v->ranges->n_images, v->data->name);
	char policy[MCH_FORMAT_POLICY_TEXT];
	printf("formats     %d bits; %s\n", v->args->bits, mch_format_policy_text(&v->args->policy, policy));
	print_head("tensor", width);
	for (int e = 0; e < v->net->n_edges; e++)
		print_row(v->net->edges[e].name, width, &v->ranges->edge[e],
			  mch_format_or_float(v->quant->edge[e], text));
	print_head("weights", width);
	for (int i = 0; i < v->net->n_layers; i++)
		if (v->ranges->layer[i].n > 0)
			print_row(v->net->layers[i].name, width, &v->ranges->layer[i],
				  mch_weights_text(&v->quant->layer[i], text));
}

static json_t *counts_json(const uint64_t *counts, int n)
{
	json_t *list = json_array();
	for (int i = 0; i < n; i++)
		json_array_append_new(list, json_integer((json_int_t)counts[i]));
	return list;
}

static json_t *range_json(const char *name, const struct mch_range *r, struct mch_format format)
{
	uint64_t counts[N_BINS];
	char text[MCH_FORMAT_TEXT];
	mch_range_histogram(r, counts, N_BINS);
	return json_pack("{s:s, s:s, s:I, s:I, s:f, s:f, s:f, s:f, s:o, s:i, s:o}", "name", name, "format",
			 mch_format_or_float(format, text), "values", (json_int_t)r->n, "zeros",
			 (json_int_t)r->n_zero, "min", r->min, "max", r->max, "mean", r->mean, "std", r->std,
			 "histogram", counts_json(counts, N_BINS), "log2_first", MCH_RANGE_LOG2_MIN, "log2",
			 counts_json(r->log2, MCH_RANGE_N_LOG2));
}

static json_t *weights_json(const struct view *v, int i)
{
	const struct mch_layer_quant *lq = &v->quant->layer[i];
	json_t *row = range_json(v->net->layers[i].name, &v->ranges->layer[i], lq->weights);
	if (!row || !lq->channel_frac)
		return row;
	json_t *list = json_array();
	for (int k = 0; k < lq->n_channels; k++)
		json_array_append_new(list, json_integer(lq->channel_frac[k]));
	json_object_set_new(row, "channel_frac", list);
	return row;
}

static int print_json(const struct view *v, struct mch_err *err)
{
	json_t *tensors = json_array(), *weights = json_array();
	char policy[MCH_FORMAT_POLICY_TEXT];
	int bad = 0;
	for (int e = 0; e < v->net->n_edges; e++)
		bad |= json_array_append_new(tensors, range_json(v->net->edges[e].name, &v->ranges->edge[e],
								 v->quant->edge[e]));
	for (int i = 0; i < v->net->n_layers; i++)
		if (v->ranges->layer[i].n > 0)
			bad |= json_array_append_new(weights, weights_json(v, i));
	json_t *root = json_pack("{s:s, s:s, s:i, s:i, s:s, s:o, s:o}", "network", v->net->name, "data",
				 v->data->name, "images", v->ranges->n_images, "bits", v->args->bits, "formats",
				 mch_format_policy_text(&v->args->policy, policy), "tensors", tensors, "weights", weights);
	if (!root || bad) {
		json_decref(root);
		return mch_err_set(err, v->args->net.path,
				   "a name is no UTF-8, which JSON needs; rename it, or leave "
				   "--json out");
	}
	/* 9 digits tell any two float values apart */
	json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
	putchar('\n');
	json_decref(root);
	return 0;
}

static void show_progress(void *ctx, int done, int total)
{
	mch_progress_update(ctx, (uint64_t)done, (uint64_t)total);
}

/* From the ranges to the formats to the report. */
static int report(struct view *v, const struct mch_ranges *ranges, struct mch_err *err)
{
	const int width[MCH_N_PARTS] = {v->args->bits, v->args->bits, v->args->bits};
	struct mch_formats formats;
	struct mch_widths widths = {0};
	struct mch_quant quant = {0};
	if (mch_formats_init(&formats, v->net, ranges, &v->args->policy, err) != 0)
		return -1;
	int status = mch_quant_init(&quant, v->net, err);
	if (status == 0)
		status = mch_widths_init(&widths, v->net, err);
	if (status == 0) {
		mch_formats_widths(&formats, width, &widths);
		status = mch_formats_apply(&formats, &widths, &quant, err);
	}
	if (status == 0) {
		v->ranges = ranges;
		v->quant = &quant;
		if (v->args->json)
			status = print_json(v, err);
		else
			print_tables(v);
	}
	mch_widths_free(&widths);
	mch_quant_free(&quant);
	mch_formats_free(&formats);
	return status;
}

static int run(const struct arguments *args, const struct mch_net *net, struct mch_err *err)
{
	struct mch_dataset data;
	struct mch_ranges ranges;
	struct mch_progress bar;
	if (mch_net_require_weights(net, err) != 0 ||
	    mch_load_data(&args->data, args->data.path, args->data.split, net,
			  args->images ? args->images : USUAL_IMAGES, &data, err) != 0)
		return -1;
	const int n = mch_load_count("--images", args->images, USUAL_IMAGES, &data, err);
	int status = n < 0 ? -1 : 0;
	if (status == 0) {
		mch_progress_begin(&bar, "ranges", "images");
		status = mch_ranges_measure(&ranges, net, &data, n, show_progress, &bar, err);
		mch_progress_end(&bar);
	}
	if (status == 0) {
		struct view view = {.args = args, .net = net, .data = &data};
		status = report(&view, &ranges, err);
		mch_ranges_free(&ranges);
	}
	mch_dataset_free(&data);
	return status;
}

int mch_cmd_ranges(int argc, char **argv, struct mch_err *err)
{
	static const struct argp_option options[] = {
		{"images", 'n', "N", 0, "Look at N images (default 1000)", 0},
		{"bits", 'b', "BITS", 0, "Suggest formats of BITS bits, 1 to 16 (default 8)", 0},
		{"split", OPT_SPLIT, "NAME", 0, "Of data that has two sets: test or train (default train)", 9},
		{"seed", OPT_SEED, "N", 0, "Of --shuffle (default 1)", 10},
		{"json", 'j', NULL, 0, "Print JSON instead of text", 0},
		{0},
	};
	static const struct argp_child children[] = {{&mch_net_argp, 0, NULL, 0}, {&mch_data_argp, 0, NULL, 0},
						     {&mch_policy_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {options,
					 parse_option,
					 "NET",
					 "Shows the range and distribution of every tensor and of every layer's "
					 "weights, and the fixed-point format that suits it.\v"
					 "The histograms are of up to 65536 values of "
					 "a tensor, and of all weights. A tensor's format is that of the layers that "
					 "pass its codes on, such as pooling and ReLU: what counts is the range "
					 "behind them.",
					 children,
					 NULL,
					 NULL};
	struct arguments args = {.data = mch_data_options_usual(), .bits = 8, .policy = mch_format_policy_usual()};
	struct mch_net net;
	args.data.split = "train";
	mch_cmd_parse(&argp, argc, argv, &args);
	if (mch_load_net(&args.net, &args.data, &net, NULL, err) != 0)
		return MCH_EXIT_FAILED;
	const int status = mch_net_lower(&net, err) == 0 ? run(&args, &net, err) : -1;
	mch_net_free(&net);
	return status == 0 ? MCH_EXIT_OK : MCH_EXIT_FAILED;
}
