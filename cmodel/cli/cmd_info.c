/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* macchiato info: what a network is made of. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cli/cmd.h"
#include "io/hash.h"
#include "io/net_read.h"
#include "io/real_text.h"
#include "net/layer.h"

struct arguments {
	const char *net;
	bool json;
};

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct arguments *args = state->input;
	switch (key) {
	case 'j':
		args->json = true;
		return 0;
	case ARGP_KEY_ARG:
		mch_cmd_take_net(&args->net, text);
		return 0;
	case ARGP_KEY_NO_ARGS:
		mch_cmd_fail("NET", "no network given; give a .onnx or .prototxt file");
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

static void shape_text(char *buf, size_t room, struct mch_shape s)
{
	if (s.h == 1 && s.w == 1)
		snprintf(buf, room, "%d", s.c);
	else
		snprintf(buf, room, "%dx%dx%d", s.c, s.h, s.w);
}

/* "5x5 stride 2x2 pad 1,1,2,2": what differs from the ordinary is told, the rest is not. */
static void window_text(char *buf, size_t room, const int kernel[2], const int stride[2], const int pad[4])
{
	size_t used = (size_t)snprintf(buf, room, "%dx%d", kernel[0], kernel[1]);
	if (stride[0] != 1 || stride[1] != 1)
		used += (size_t)snprintf(buf + used, room - used,
					 stride[0] == stride[1] ? " stride %d" : " stride %dx%d", stride[0],
					 stride[1]);
	const bool is_even = pad[0] == pad[1] && pad[0] == pad[2] && pad[0] == pad[3];
	if (pad[0] || !is_even)
		snprintf(buf + used, room - used, is_even ? " pad %d" : " pad %d,%d,%d,%d", pad[0], pad[1], pad[2],
			 pad[3]);
}

static void geometry_text(char *buf, size_t room, const struct mch_layer *layer)
{
	char more[64] = "";
	buf[0] = '\0';
	if (layer->kind == MCH_CONV) {
		const struct mch_conv *g = &layer->conv;
		window_text(buf, room, (const int[]){g->r, g->s}, (const int[]){g->stride_h, g->stride_w},
			    (const int[]){g->pad_top, g->pad_left, g->pad_bottom, g->pad_right});
		if (g->dilation_h != 1 || g->dilation_w != 1)
			snprintf(more, sizeof(more), " dilation %dx%d", g->dilation_h, g->dilation_w);
		strncat(buf, more, room - strlen(buf) - 1);
		snprintf(more, sizeof(more), g->groups > 1 ? " groups %d" : "", g->groups);
	} else if (layer->kind == MCH_POOL_MAX || layer->kind == MCH_POOL_AVG) {
		const struct mch_pool *g = &layer->pool;
		window_text(buf, room, (const int[]){g->r, g->s}, (const int[]){g->stride_h, g->stride_w},
			    (const int[]){g->pad_top, g->pad_left, g->pad_bottom, g->pad_right});
	}
	strncat(buf, more, room - strlen(buf) - 1);
}

/* The width of the first column: the longest name. */
static int name_width(const struct mch_net *net)
{
	size_t width = strlen("layer");
	for (int i = 0; i < net->n_layers; i++)
		width = strlen(net->layers[i].name) > width ? strlen(net->layers[i].name) : width;
	return (int)width;
}

static void print_table(const struct mch_net *net, const char *hash)
{
	const struct totals t = add_up(net);
	const struct mch_edge *in = &net->edges[net->input], *out = &net->edges[net->output];
	const int width = name_width(net);
	char shape[48], geometry[160], scale[32];
	shape_text(shape, sizeof(shape), in->shape);
	printf("network     %s\n", net->name);
	printf("input       %s %s, pixel * %s\n", in->name, shape, mch_real_text(net->transform.scale, scale));
	shape_text(shape, sizeof(shape), out->shape);
	printf("output      %s %s\n", out->name, shape);
	printf("weights     %s\n", t.has_weights ? "in the file" : "none: train the network first");
	printf("hash        %s\n\n", hash);
	printf("%-*s  %-12s  %-24s  %-14s  %12s  %12s\n", width, "layer", "kind", "window", "output", "MACs",
	       "parameters");
	for (int i = 0; i < net->n_layers; i++) {
		const struct mch_layer *layer = &net->layers[i];
		shape_text(shape, sizeof(shape), net->edges[layer->out[0]].shape);
		geometry_text(geometry, sizeof(geometry), layer);
		printf("%-*s  %-12s  %-24s  %-14s  %12zu  %12zu\n", width, layer->name,
		       mch_layer_table[layer->kind].name, geometry, shape, mch_layer_macs(layer),
		       mch_layer_params(layer));
	}
	printf("%-*s  %-12s  %-24s  %-14s  %12" PRIu64 "  %12" PRIu64 "\n", width, "total", "", "", "", t.macs,
	       t.params);
}

static json_t *edge_json(const struct mch_edge *edge)
{
	return json_pack("{s:s, s:[i,i,i]}", "name", edge->name, "shape", edge->shape.c, edge->shape.h,
			 edge->shape.w);
}

static int print_json(const char *path, const struct mch_net *net, const char *hash, struct mch_err *err)
{
	const struct totals t = add_up(net);
	json_t *layers = json_array();
	for (int i = 0; i < net->n_layers; i++) {
		const struct mch_layer *layer = &net->layers[i];
		char geometry[160];
		geometry_text(geometry, sizeof(geometry), layer);
		json_array_append_new(layers, json_pack("{s:s, s:s, s:s, s:s, s:o, s:I, s:I}", "name", layer->name,
							"kind", mch_layer_table[layer->kind].name, "window", geometry,
							"input", net->edges[layer->in[0]].name, "output",
							edge_json(&net->edges[layer->out[0]]), "macs",
							(json_int_t)mch_layer_macs(layer), "parameters",
							(json_int_t)mch_layer_params(layer)));
	}
	const bool is_whole = json_array_size(layers) == (size_t)net->n_layers;
	json_t *root = json_pack("{s:s, s:s, s:f, s:o, s:o, s:b, s:I, s:I, s:o}", "network", net->name, "hash", hash,
				 "input_scale", net->transform.scale, "input", edge_json(&net->edges[net->input]),
				 "output", edge_json(&net->edges[net->output]), "weights", t.has_weights, "macs",
				 (json_int_t)t.macs, "parameters", (json_int_t)t.params, "layers", layers);
	if (!root || !is_whole) {
		json_decref(root);
		return mch_err_set(err, path, "a name is no UTF-8, which JSON needs; rename it, or leave --json out");
	}
	json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
	putchar('\n');
	json_decref(root);
	return 0;
}

int mch_cmd_info(int argc, char **argv, struct mch_err *err)
{
	static const struct argp_option options[] = {
		{"json", 'j', NULL, 0, "Print JSON instead of text", 0},
		{0},
	};
	static const struct argp argp = {options,
					 parse_option,
					 "NET",
					 "Shows the layers of a network: shapes, multiply-accumulates, parameters.\v"
					 "NET is an ONNX model (.onnx) or a Caffe definition (.prototxt).",
					 NULL,
					 NULL,
					 NULL};
	struct arguments args = {NULL, false};
	struct mch_net net;
	char hash[MCH_HASH_HEX];
	mch_cmd_parse(&argp, argc, argv, &args);
	if (mch_net_read(args.net, NULL, &net, NULL, err) != 0)
		return MCH_EXIT_FAILED;
	mch_hash_net(&net, hash);
	int status = 0;
	if (args.json)
		status = print_json(args.net, &net, hash, err);
	else
		print_table(&net, hash);
	mch_net_free(&net);
	return status == 0 ? MCH_EXIT_OK : MCH_EXIT_FAILED;
}
