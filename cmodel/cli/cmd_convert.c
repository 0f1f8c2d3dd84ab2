/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* macchiato convert: a network from one format into another. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cli/cmd.h"
#include "cli/data_options.h"
#include "io/caffe_ristretto.h"
#include "io/caffe_write.h"
#include "io/hash.h"
#include "io/net_read.h"
#include "io/onnx_write.h"
#include "io/quant_json.h"
#include "net/lower.h"
#include "train/first.h"

enum { OPT_QUANT = 256 };

struct arguments {
	const char *net, *weights, *output, *quant, *quant_out;
	bool has_init, fold, json, quiet;
	uint64_t seed;                /* of --init */
	struct mch_data_options data; /* of which there is only the transform */
};

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct arguments *args = state->input;
	switch (key) {
	case 'w':
		args->weights = text;
		return 0;
	case 'o':
		args->output = text;
		return 0;
	case OPT_QUANT:
		args->quant = text;
		return 0;
	case 'Q':
		args->quant_out = text;
		return 0;
	case 'i':
		args->has_init = true;
		args->seed = (uint64_t)mch_cmd_integer("--init", text, 0, INT32_MAX);
		return 0;
	case 'f':
		args->fold = true;
		return 0;
	case 'q':
		args->quiet = true;
		return 0;
	case 'j':
		args->json = true;
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->data;
		return 0;
	case ARGP_KEY_ARG:
		mch_cmd_take_net(&args->net, text);
		return 0;
	case ARGP_KEY_END:
		if (!args->net)
			mch_cmd_fail("NET", "no network given; give a .onnx or .prototxt file");
		if (!args->output)
			mch_cmd_fail("--output", "no file given; give the file for the result");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static bool ends_with(const char *path, const char *end)
{
	const size_t n_path = strlen(path), n_end = strlen(end);
	return n_path > n_end && strcmp(path + n_path - n_end, end) == 0;
}

/* What can be told before any work. */
static void check(const struct arguments *args)
{
	const bool is_stream = strcmp(args->output, "-") == 0;
	if (!is_stream && !ends_with(args->output, ".onnx") && !ends_with(args->output, ".prototxt") &&
	    !ends_with(args->output, ".caffemodel"))
		mch_cmd_fail("--output",
			     "\"%.200s\" ends in no format that can be written; give a .onnx, .prototxt or "
			     ".caffemodel file",
			     args->output);
	if (args->quant && !ends_with(args->output, ".prototxt"))
		mch_cmd_fail("--quant", "\"%.200s\" has no place for formats; give a .prototxt file, which Ristretto reads, "
			     "or use `macchiato export`", args->output);
	if (is_stream && args->quant_out && strcmp(args->quant_out, "-") == 0)
		mch_cmd_fail("--quant-out", "the standard output is taken by --output=-; give a file name");
	if (args->json && (is_stream || (args->quant_out && strcmp(args->quant_out, "-") == 0)))
		mch_cmd_fail("--json", "the standard output is taken by %s; give a file name",
			     is_stream ? "--output=-" : "--quant-out=-");
}

static size_t count_params(const struct mch_net *net)
{
	size_t n = 0;
	for (int i = 0; i < net->n_layers; i++)
		n += mch_layer_params(&net->layers[i]);
	return n;
}

static int report(const struct arguments *args, const struct mch_net *net, const struct mch_quant *quant,
		  struct mch_err *err)
{
	const bool is_taken =
		strcmp(args->output, "-") == 0 || (args->quant_out && strcmp(args->quant_out, "-") == 0);
	char hash[MCH_HASH_HEX];
	if (args->quiet || is_taken)
		return 0;
	mch_hash_net(net, hash);
	if (!args->json) {
		printf("%s: %d layers, %zu parameters, hash %.12s\n", args->output, net->n_layers,
		       count_params(net), hash);
		return 0;
	}
	json_t *root = json_pack("{s:s, s:s, s:i, s:I, s:s, s:i}", "output", args->output, "network", net->name,
				 "layers", net->n_layers, "parameters", (json_int_t)count_params(net), "hash", hash,
				 "inexact_formats", quant->n_notes);
	if (!root)
		return mch_err_set(err, args->output,
				   "a name is no UTF-8, which JSON needs; rename it, or leave --json out");
	json_dumpf(root, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(root);
	return 0;
}

static int write_net(const char *path, const struct mch_net *net, const struct mch_quant *quant, struct mch_err *err)
{
	if (ends_with(path, ".prototxt"))
		return mch_caffe_write_files(net, quant, path, err);
	if (ends_with(path, ".caffemodel"))
		return mch_caffe_write_weights(net, path, err);
	return mch_onnx_write(path, net, err);
}

/* A message for each line of the notes. */
static void print_notes(const struct arguments *args, const struct mch_quant *quant)
{
	const char *line = args->quiet ? NULL : quant->notes;
	while (line && *line) {
		const size_t n = strcspn(line, "\n");
		struct mch_err note;
		mch_err_set(&note, args->net, "%.*s", (int)n, line);
		mch_cmd_say(&note);
		line += n + (line[n] == '\n');
	}
}

static double nearest(struct mch_format f, float value)
{
	return mch_format_real(f, mch_format_raw(f, (double)value, MCH_ROUND_HALF_EVEN, NULL));
}

/* What Ristretto computes otherwise, whatever is written. */
static void say_differences(const struct arguments *args, const struct mch_net *net, const struct mch_quant *quant)
{
	size_t n = 0, n_biases = 0, n_weights = 0;
	for (int i = 0; i < net->n_layers; i++) {
		const struct mch_layer *layer = &net->layers[i];
		const struct mch_format f = quant->layer[i].weights;
		const bool is_power = f.number == MCH_POW2_NO_ZERO;
		for (size_t k = 0; layer->bias && f.bits && !is_power && k < layer->n_bias; k++, n++)
			n_biases += nearest(f, layer->bias[k]) != (double)layer->bias[k];
		for (size_t k = 0; layer->weights && f.bits && is_power && k < layer->n_weights; k++)
			n_weights += nearest(f, layer->weights[k]) != (double)mch_ristretto_power(f, layer->weights[k]);
	}
	if (n_biases)
		fprintf(stderr,
			"macchiato: %s: Ristretto rounds biases into the formats of the weights: %zu of %zu change there, and "
			"when the file is read again\n",
			args->output, n_biases, n);
	if (n_weights)
		fprintf(stderr,
			"macchiato: %s: Ristretto rounds the exponent of a weight, not its value: %zu weights become the next "
			"power of two there, and when the file is read again\n",
			args->output, n_weights);
	if (quant->round == MCH_ROUND_HALF_AWAY)
		fprintf(stderr, "macchiato: %s: Ristretto rounds half_away on a CPU alone; the file is read again as half_even\n",
			args->output);
}

/* The formats of --quant belong to the lowered network. */
static int read_quant(const struct arguments *args, struct mch_net *net, struct mch_quant *quant, struct mch_err *err)
{
	if (args->has_init || args->fold)
		return mch_err_set(err, "--quant", "formats belong to a network as it is; leave --init and --fold out");
	mch_quant_free(quant);
	memset(quant, 0, sizeof(*quant));
	if (mch_data_options_apply(&args->data, net, err) != 0 || mch_net_lower(net, err) != 0)
		return -1;
	return mch_quant_json_read(args->quant, net, quant, NULL, err);
}

static int convert(const struct arguments *args, struct mch_net *net, struct mch_quant *quant, struct mch_err *err)
{
	if (args->quant && read_quant(args, net, quant, err) != 0)
		return -1;
	const bool is_quantized = quant->n_edges > 0;
	if (args->quant_out && !is_quantized)
		return mch_err_set(err, args->net,
				   "is not quantized, there are no formats to write; leave --quant-out out");
	if (args->has_init && is_quantized)
		return mch_err_set(err, args->net, "is quantized, its parameters are there; leave --init out");
	if (args->fold && is_quantized)
		return mch_err_set(
			err, args->net,
			"is quantized, its formats are those of the layers as they are; leave --fold out");
	if (!args->quant && mch_data_options_apply(&args->data, net, err) != 0)
		return -1;
	if (args->has_init && mch_first_weights(net, mch_rng_seed(args->seed), err) != 0)
		return -1;
	if (args->fold && mch_net_fold(net, err) != 0)
		return -1;
	if (write_net(args->output, net, args->quant ? quant : NULL, err) != 0)
		return -1;
	if (args->quant_out && mch_quant_json_write(args->quant_out, net, quant, NULL, err) != 0)
		return -1;
	if (args->quant_out)
		print_notes(args, quant);
	if (args->quant && !args->quiet)
		say_differences(args, net, quant);
	if (is_quantized && !args->quant && !args->quant_out && !args->quiet)
		fprintf(stderr, "macchiato: %s: its formats are left behind; keep them with --quant-out=Q.json\n",
			args->net);
	return report(args, net, quant, err);
}

int mch_cmd_convert(int argc, char **argv, struct mch_err *err)
{
	static const struct argp_option options[] = {
		{"weights", 'w', "FILE", 0, "Parameters of a Caffe definition, a .caffemodel file", 0},
		{"output", 'o', "OUT", 0, "Write the network to OUT, a .onnx, .prototxt or .caffemodel file", 0},
		{"quant", OPT_QUANT, "Q.json", 0, "Write a .prototxt in Ristretto's layers, with these formats", 0},
		{"quant-out", 'Q', "Q.json", 0, "Write the formats of a quantized network to Q.json", 0},
		{"init", 'i', "SEED", 0, "Give layers without parameters random ones, as training does", 0},
		{"fold", 'f', NULL, 0, "Make batch norm and scale part of the layer before", 0},
		{"quiet", 'q', NULL, 0, "Only errors", 0},
		{"json", 'j', NULL, 0, "Print JSON instead of text", 0},
		{0},
	};
	static const struct argp_child children[] = {{&mch_transform_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {
		options,
		parse_option,
		"NET -o OUT",
		"Writes a network in another format: as ONNX or for Caffe, with its weights "
		"and the preprocessing of its input.\v"
		"NET is an ONNX model (.onnx) or a Caffe definition (.prototxt).",
		children,
		NULL,
		NULL};
	struct arguments args = {.data = mch_data_options_usual()};
	struct mch_net net;
	struct mch_quant quant;
	mch_cmd_parse(&argp, argc, argv, &args);
	check(&args);
	if (mch_net_read(args.net, args.weights, &net, &quant, err) != 0)
		return MCH_EXIT_FAILED;
	const int status = convert(&args, &net, &quant, err);
	mch_net_free(&net);
	mch_quant_free(&quant);
	return status == 0 ? MCH_EXIT_OK : MCH_EXIT_FAILED;
}
