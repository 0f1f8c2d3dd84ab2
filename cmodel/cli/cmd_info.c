/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* macchiato info: what a network is made of, or what of it is not supported. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cli/certificates.h"
#include "cli/cmd.h"
#include "cli/layer_text.h"
#include "io/hash.h"
#include "io/net_read.h"
#include "io/quant_json.h"
#include "net/layer.h"
#include "net/lower.h"

struct arguments {
	const char *net, *weights, *quant, *witness;
	bool json, lowered, certificates;
};

enum { OPT_CERTIFICATES = 256, OPT_WITNESS };

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct arguments *args = state->input;
	switch (key) {
	case 'w':
		args->weights = text;
		return 0;
	case 'l':
		args->lowered = true;
		return 0;
	case 'Q':
		args->quant = text;
		return 0;
	case OPT_CERTIFICATES:
		args->certificates = true;
		return 0;
	case OPT_WITNESS:
		args->witness = text;
		return 0;
	case 'j':
		args->json = true;
		return 0;
	case ARGP_KEY_ARG:
		mch_cmd_take_net(&args->net, text);
		return 0;
	case ARGP_KEY_NO_ARGS:
		mch_cmd_fail("NET", "no network given; give a .onnx or .prototxt file");
		return 0;
	case ARGP_KEY_END:
		if (args->quant && !args->certificates && !args->witness)
			mch_cmd_fail("--quant", "gives formats, which --certificates or --witness want; give one of them");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

struct totals {
	uint64_t macs, params;
	bool has_weights; /* in every layer that needs them */
};

static struct totals add_up(const struct mch_net *net)
{
	struct totals t = {0, 0, mch_net_require_weights(net, NULL) == 0};
	for (int i = 0; i < net->n_layers; i++) {
		t.macs += mch_layer_macs(&net->layers[i]);
		t.params += mch_layer_params(&net->layers[i]);
	}
	return t;
}

static int wider(int width, const char *text)
{
	return (int)strlen(text) > width ? (int)strlen(text) : width;
}

static bool is_input(const struct mch_net *net, int edge)
{
	return net->edges[edge].producer < 0;
}

static void print_head(const struct mch_net *net, const char *hash, bool has_weights)
{
	char shape[48], transform[MCH_LAYER_TEXT];
	mch_shape_text(net->edges[net->input].shape, shape);
	mch_transform_text(&net->transform, net->edges[net->input].shape.c, transform);
	printf("network     %s\n", net->name);
	printf("input       %s %s, %s\n", net->edges[net->input].name, shape, transform);
	for (int e = 0; e < net->n_edges; e++)
		if (is_input(net, e) && e != net->input) {
			mch_shape_text(net->edges[e].shape, shape);
			printf("input       %s %s\n", net->edges[e].name, shape);
		}
	mch_shape_text(net->edges[net->output].shape, shape);
	printf("output      %s %s\n", net->edges[net->output].name, shape);
	printf("weights     %s\n", has_weights ? "in the file" : "none: train the network first");
	printf("hash        %s\n\n", hash);
}

/* Where a layer reads from, unless that is the line above, or the input for the first. */
static void print_inputs(const struct mch_net *net, int index)
{
	const struct mch_layer *layer = &net->layers[index];
	const int above = index > 0 ? net->layers[index - 1].out[0] : net->input;
	if (layer->n_in == 0 || (layer->n_in == 1 && layer->in[0] == above))
		return;
	for (int i = 0; i < layer->n_in; i++)
		printf("%s%s", i ? ", " : "  from ", net->edges[layer->in[i]].name);
}

static void print_table(const struct mch_net *net, const char *hash)
{
	const struct totals t = add_up(net);
	int name_width = wider(0, "layer"), text_width = 24;
	char shape[48], text[MCH_LAYER_TEXT];
	for (int i = 0; i < net->n_layers; i++) {
		mch_layer_text(net, &net->layers[i], text);
		name_width = wider(name_width, net->layers[i].name);
		text_width = wider(text_width, text);
	}
	print_head(net, hash, t.has_weights);
	printf("%-*s  %-12s  %-*s  %-14s  %12s  %12s\n", name_width, "layer", "kind", text_width, "window", "output",
	       "MACs", "parameters");
	for (int i = 0; i < net->n_layers; i++) {
		const struct mch_layer *layer = &net->layers[i];
		mch_shape_text(net->edges[layer->out[0]].shape, shape);
		mch_layer_text(net, layer, text);
		printf("%-*s  %-12s  %-*s  %-14s  %12zu  %12zu", name_width, layer->name,
		       mch_layer_table[layer->kind].name, text_width, text, shape, mch_layer_macs(layer),
		       mch_layer_params(layer));
		print_inputs(net, i);
		putchar('\n');
	}
	printf("%-*s  %-12s  %-*s  %-14s  %12" PRIu64 "  %12" PRIu64 "\n", name_width, "total", "", text_width, "",
	       "", t.macs, t.params);
}

static json_t *edge_json(const struct mch_edge *edge)
{
	return json_pack("{s:s, s:[i,i,i]}", "name", edge->name, "shape", edge->shape.c, edge->shape.h,
			 edge->shape.w);
}

/* The network's first, as elsewhere. */
static json_t *inputs_json(const struct mch_net *net)
{
	json_t *inputs = json_array();
	json_array_append_new(inputs, edge_json(&net->edges[net->input]));
	for (int e = 0; e < net->n_edges; e++)
		if (is_input(net, e) && e != net->input)
			json_array_append_new(inputs, edge_json(&net->edges[e]));
	return inputs;
}

static json_t *layer_json(const struct mch_net *net, const struct mch_layer *layer)
{
	char text[MCH_LAYER_TEXT];
	json_t *inputs = json_array();
	mch_layer_text(net, layer, text);
	for (int i = 0; i < layer->n_in; i++)
		json_array_append_new(inputs, json_string(net->edges[layer->in[i]].name));
	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:I, s:I}", "name", layer->name, "kind",
			 mch_layer_table[layer->kind].name, "window", text, "inputs", inputs, "output",
			 edge_json(&net->edges[layer->out[0]]), "macs", (json_int_t)mch_layer_macs(layer),
			 "parameters", (json_int_t)mch_layer_params(layer));
}

/* Takes root over. */
static int print_root(const char *path, json_t *root, bool is_whole, struct mch_err *err)
{
	if (!root || !is_whole) {
		json_decref(root);
		return mch_err_set(err, path, "a name is no UTF-8, which JSON needs; rename it, or leave --json out");
	}
	json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
	putchar('\n');
	json_decref(root);
	return 0;
}

static int print_json(const char *path, const struct mch_net *net, const char *hash, struct mch_err *err)
{
	const struct totals t = add_up(net);
	json_t *layers = json_array();
	for (int i = 0; i < net->n_layers; i++)
		json_array_append_new(layers, layer_json(net, &net->layers[i]));
	const bool is_whole = json_array_size(layers) == (size_t)net->n_layers;
	char transform[MCH_LAYER_TEXT];
	mch_transform_text(&net->transform, net->edges[net->input].shape.c, transform);
	json_t *root =
		json_pack("{s:s, s:s, s:f, s:s, s:o, s:o, s:b, s:I, s:I, s:o}", "network", net->name, "hash", hash,
			  "input_scale", net->transform.scale, "transform", transform, "inputs", inputs_json(net),
			  "output", edge_json(&net->edges[net->output]), "weights", t.has_weights, "macs",
			  (json_int_t)t.macs, "parameters", (json_int_t)t.params, "layers", layers);
	return print_root(path, root, is_whole, err);
}

/* A name from a foreign file steers no terminal. */
static void print_name(const char *name)
{
	for (; *name; name++)
		putchar((unsigned char)*name < 0x20 || *name == 0x7f ? '?' : *name);
}

static int count_type(const struct mch_unsupported *list, const char *type)
{
	int n = 0;
	for (int i = 0; i < list->n; i++)
		n += strcmp(list->items[i].type, type) == 0;
	return n;
}

/* All of them, kind by kind: the error has room for a line alone. */
static void print_unsupported(const struct mch_unsupported *list)
{
	for (int i = 0; i < list->n; i++) {
		const char *type = list->items[i].type;
		if (!mch_unsupported_is_first(list, i))
			continue;
		print_name(type);
		printf(": %d\n", count_type(list, type));
		for (int j = i; j < list->n; j++)
			if (strcmp(list->items[j].type, type) == 0) {
				printf("  ");
				print_name(list->items[j].where);
				putchar('\n');
			}
	}
}

static int print_unsupported_json(const char *path, const struct mch_unsupported *list, struct mch_err *err)
{
	json_t *types = json_array();
	bool is_whole = true;
	for (int i = 0; i < list->n; i++) {
		const char *type = list->items[i].type;
		json_t *names = json_array();
		for (int j = i; j < list->n; j++)
			if (strcmp(list->items[j].type, type) == 0)
				is_whole = json_array_append_new(names, json_string(list->items[j].where)) == 0 &&
					   is_whole;
		if (mch_unsupported_is_first(list, i))
			is_whole = json_array_append_new(
					   types, json_pack("{s:s, s:O}", "type", type, "names", names)) == 0 &&
				   is_whole;
		json_decref(names);
	}
	return print_root(path, json_pack("{s:s, s:o}", "network", path, "unsupported", types), is_whole, err);
}

/* Why the network could not be read is in err already. */
static void show_unsupported(const struct arguments *args, const struct mch_unsupported *list)
{
	if (list->n == 0)
		return;
	if (args->json)
		print_unsupported_json(args->net, list, NULL);
	else
		print_unsupported(list);
}

/* Of a network that brings its formats, or of those of --quant, which belong to the lowered one. */
static int show_certificates(const struct arguments *args, struct mch_net *net, struct mch_quant *quant,
			     struct mch_err *err)
{
	struct mch_qnet q;
	if (args->quant) {
		mch_quant_free(quant);
		if (mch_net_lower(net, err) != 0 || mch_quant_json_read(args->quant, net, quant, NULL, err) != 0)
			return -1;
	}
	if (quant->n_edges == 0)
		return mch_err_set(err, args->net, "is not quantized, so it has no accumulators; give its formats with "
						   "--quant=Q.json");
	if (mch_qnet_build(&q, net, quant, err) != 0)
		return -1;
	int status = args->witness ? mch_certificates_write(&q, args->witness, err) : 0;
	if (status == 0 && args->certificates && args->json)
		status = print_root(args->net, mch_certificates_json(&q), true, err);
	else if (status == 0 && args->certificates)
		mch_certificates_print(&q);
	mch_qnet_free(&q);
	return status;
}

static int show(const struct arguments *args, struct mch_net *net, struct mch_quant *quant, struct mch_err *err)
{
	if (args->certificates || args->witness)
		return show_certificates(args, net, quant, err);
	char hash[MCH_HASH_HEX];
	if (args->lowered && mch_net_lower(net, err) != 0)
		return -1;
	mch_hash_net(net, hash);
	if (args->json)
		return print_json(args->net, net, hash, err);
	print_table(net, hash);
	return 0;
}

int mch_cmd_info(int argc, char **argv, struct mch_err *err)
{
	static const struct argp_option options[] = {
		{"weights", 'w', "FILE", 0, "Parameters of a .prototxt: its .caffemodel", 0},
		{"lowered", 'l', NULL, 0, "Show the layers that hardware computes: batch norms folded, and so on", 0},
		{"quant", 'Q', "Q.json", 0, "Formats of the network, for the two below", 0},
		{"certificates", OPT_CERTIFICATES, NULL, 0,
		 "Show what each layer's accumulator needs at worst, and where", 0},
		{"witness", OPT_WITNESS, "LAYER:FILE", 0,
		 "Write the inputs of a layer that reach its bounds to FILE, a .npy file", 0},
		{"json", 'j', NULL, 0, "Print JSON instead of text", 0},
		{0},
	};
	static const struct argp argp = {
		options,
		parse_option,
		"NET",
		"Shows the layers of a network: shapes, multiply-accumulates, parameters. Of a "
		"network that is not supported it lists every layer that is in the way.\v"
		"NET is an ONNX model (.onnx) or a Caffe definition (.prototxt).",
		NULL,
		NULL,
		NULL};
	struct arguments args = {0};
	struct mch_unsupported list = {0};
	struct mch_quant quant; /* a quantized network is shown like any other */
	struct mch_net net;
	mch_cmd_parse(&argp, argc, argv, &args);
	int status = mch_net_read_listing(args.net, args.weights, &net, &quant, &list, err);
	if (status == 0) {
		status = show(&args, &net, &quant, err);
		mch_quant_free(&quant);
		mch_net_free(&net);
	} else {
		show_unsupported(&args, &list);
	}
	mch_unsupported_free(&list);
	return status == 0 ? MCH_EXIT_OK : MCH_EXIT_FAILED;
}
