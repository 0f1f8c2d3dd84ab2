/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* macchiato plan: what a quantized network costs in hardware, layer by layer. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cli/cmd.h"
#include "cli/load.h"
#include "cli/plan_program.h"
#include "cli/search_options.h"
#include "io/quant_json.h"
#include "net/lower.h"

struct arguments {
	struct mch_net_options net;
	struct mch_data_options data; /* preprocessing, a part of the network's hash */
	const char *quant;
	struct mch_cost_config hardware;
	struct mch_build_options build;
	bool json, is_program;
};

/* A network's layers with their widths, and the sums. */
struct plan {
	const struct arguments *args;
	const struct mch_net *net;
	struct mch_cost cost;
	int8_t *weight_bits, *edge_bits;
	struct mch_layer_cost total; /* utilisation over all; widths: the widest */
	double sums[MCH_N_COSTS];
};

enum { KEY_PROGRAM = 256 };

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct arguments *args = state->input;
	switch (key) {
	case 'j':
		args->json = true;
		return 0;
	case KEY_PROGRAM:
		args->is_program = true;
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->net;
		state->child_inputs[1] = &args->hardware;
		state->child_inputs[2] = &args->build;
		state->child_inputs[3] = &args->data;
		return 0;
	case ARGP_KEY_ARG:
		if (!args->net.path)
			args->net.path = text;
		else if (!args->quant)
			args->quant = text;
		else
			mch_cmd_fail(text, "a network and a quantization are expected; give no more");
		return 0;
	case ARGP_KEY_END:
		if (!args->quant)
			mch_cmd_fail("Q.json", "no quantization given; give the result of `macchiato quantize`");
		if (args->build.is_given && !args->is_program)
			mch_cmd_fail("--program", "options of the accelerator say nothing without it; give it too");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static struct mch_layer_cost layer_cost(const struct plan *p, int i)
{
	const struct mch_layer *layer = &p->net->layers[i];
	const int x = layer->n_in ? p->edge_bits[layer->in[0]] : 0;
	return mch_cost_layer(&p->cost, i, p->weight_bits[i], x, p->edge_bits[layer->out[0]]);
}

/* The accelerator whose operands are the widest that the network has, with buffers as they usually are. */
static bool accelerator_area(const struct plan *p, struct mch_accel_area *area)
{
	enum { BUFFER_WORDS = 4096, MEM_BITS_USUAL = 128 };
	const int x = p->total.x_bits, w = p->total.w_bits, cols = p->cost.config.cols;
	if (p->total.macs == 0 || cols < 4 || (cols & (cols - 1)) != 0)
		return false;
	*area = mch_accel_area(&(struct mch_accel_config){
		.rows = p->cost.config.rows,
		.cols = cols,
		.x_bits = x,
		.w_bits = w,
		.out_bits = x,
		.acc_bits = x <= 8 && w <= 8 ? 32 : 48,
		.mem_bits = MEM_BITS_USUAL,
		.x_words = BUFFER_WORDS,
		.w_words = BUFFER_WORDS,
	});
	return true;
}

static void sum_up(struct plan *p)
{
	struct mch_layer_cost *t = &p->total;
	for (int i = 0; i < p->net->n_layers; i++) {
		const struct mch_layer_cost c = layer_cost(p, i);
		if (c.macs == 0)
			continue;
		t->macs += c.macs;
		t->bit_ops += c.bit_ops;
		t->array_cycles += c.array_cycles;
		t->cycles += c.cycles;
		t->weight_bits += c.weight_bits;
		t->traffic_bits += c.traffic_bits;
		t->x_bits = c.x_bits > t->x_bits ? c.x_bits : t->x_bits;
		t->w_bits = c.w_bits > t->w_bits ? c.w_bits : t->w_bits;
	}
	const double lanes = (double)p->cost.config.rows * p->cost.config.cols;
	t->utilisation = t->cycles ? (double)t->macs / (lanes * (double)t->cycles) : 0;
	if (t->macs) {
		t->lut = lanes * mch_mac_cost(t->x_bits, t->w_bits, false).lut;
		t->dsp = lanes * mch_mac_cost(t->x_bits, t->w_bits, true).dsp;
	}
	for (int k = 0; k < MCH_N_COSTS; k++)
		p->sums[k] = mch_cost_total(&p->cost, (enum mch_cost_kind)k, p->weight_bits, p->edge_bits);
}

static void print_row(int width, const char *name, const struct mch_layer_cost *c, double share)
{
	printf("%-*s  %4d  %4d  %12" PRIu64 "  %11" PRIu64 "  %5.1f %%  %5.1f %%  %-6s  %12" PRIu64 "  %12" PRIu64
	       "\n",
	       width, name, c->x_bits, c->w_bits, c->macs, c->cycles, 100 * share, 100 * c->utilisation,
	       c->cycles > c->array_cycles ? "memory" : "array", c->weight_bits, c->traffic_bits);
}

static void print_plan(const struct plan *p)
{
	const struct mch_cost_config *hardware = &p->cost.config;
	const struct mch_layer_cost *t = &p->total;
	int width = (int)strlen("Layer");
	for (int i = 0; i < p->net->n_layers; i++)
		if (p->cost.layer[i].macs && (int)strlen(p->net->layers[i].name) > width)
			width = (int)strlen(p->net->layers[i].name);
	printf("network     %s\n", p->net->name);
	printf("array       %dx%d, %d bits a cycle to and from memory, one image\n\n", hardware->rows, hardware->cols,
	       hardware->bus_bits);
	printf("%-*s  %4s  %4s  %12s  %11s  %7s  %7s  %-6s  %12s  %12s\n", width, "Layer", "x", "w", "MACs", "cycles",
	       "time", "used", "limit", "weight bits", "traffic bits");
	for (int i = 0; i < p->net->n_layers; i++) {
		const struct mch_layer_cost c = layer_cost(p, i);
		if (c.macs)
			print_row(width, p->net->layers[i].name, &c, (double)c.cycles / (double)t->cycles);
	}
	print_row(width, "total", t, 1);
	printf("\nstored      %.0f bits, weights and tensors\n", p->sums[MCH_COST_BITS]);
	printf("bit ops     %.6g\n", p->sums[MCH_COST_BITOPS]);
	printf("one array   x %d, w %d bits: %.0f LUT without DSP slices, or %.0f DSP\n", t->x_bits, t->w_bits,
	       t->lut, t->dsp);
	printf("balanced    as many lanes shared out by work, each layer at its widths: %.0f LUT, or %.0f DSP\n",
	       p->sums[MCH_COST_LUT], p->sums[MCH_COST_DSP]);
	struct mch_accel_area area;
	if (accelerator_area(p, &area))
		printf("accelerator %.0f LUT (+-%g %%), %.0f FF (+-%g %%), %d DSP, %g BRAM of 36 Kbit\n", area.lut, area.lut_error,
		       area.ff, area.ff_error, area.dsp, area.bram);
}

static json_t *row_json(const char *name, const struct mch_layer_cost *c)
{
	return json_pack("{s:s, s:i, s:i, s:I, s:I, s:I, s:f, s:I, s:I, s:I, s:f, s:f}", "name", name, "x_bits",
			 c->x_bits, "w_bits", c->w_bits, "macs", (json_int_t)c->macs, "cycles", (json_int_t)c->cycles,
			 "array_cycles", (json_int_t)c->array_cycles, "utilisation", c->utilisation, "weight_bits",
			 (json_int_t)c->weight_bits, "traffic_bits", (json_int_t)c->traffic_bits, "bit_ops",
			 (json_int_t)c->bit_ops, "lut", c->lut, "dsp", c->dsp);
}

static int print_json(const struct plan *p, struct mch_err *err)
{
	json_t *layers = json_array(), *sums = json_object();
	int bad = 0;
	for (int i = 0; i < p->net->n_layers; i++) {
		const struct mch_layer_cost c = layer_cost(p, i);
		if (c.macs)
			bad |= json_array_append_new(layers, row_json(p->net->layers[i].name, &c));
	}
	for (int k = 0; k < MCH_N_COSTS; k++)
		bad |= json_object_set_new(sums, mch_cost_name((enum mch_cost_kind)k), json_real(p->sums[k]));
	json_t *root = json_pack("{s:s, s:[i,i], s:i, s:o, s:o, s:o}", "network", p->net->name, "array",
				 p->cost.config.rows, p->cost.config.cols, "bus_bits", p->cost.config.bus_bits,
				 "layers", layers, "total", row_json("total", &p->total), "cost", sums);
	struct mch_accel_area area;
	if (root && accelerator_area(p, &area))
		bad |= json_object_set_new(root, "accelerator",
					   json_pack("{s:f, s:f, s:i, s:f, s:f, s:f}", "lut", area.lut, "ff", area.ff, "dsp",
						     area.dsp, "bram", area.bram, "lut_error_percent", area.lut_error,
						     "ff_error_percent", area.ff_error));
	if (!root || bad) {
		json_decref(root);
		return mch_err_set(err, p->args->net.path,
				   "a name is no UTF-8, which JSON needs; rename it, or leave --json out");
	}
	json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
	putchar('\n');
	json_decref(root);
	return 0;
}

static int show(struct plan *p, const struct mch_quant *quant, struct mch_err *err)
{
	p->weight_bits = calloc((size_t)p->net->n_layers + 1, sizeof(*p->weight_bits));
	p->edge_bits = calloc((size_t)p->net->n_edges + 1, sizeof(*p->edge_bits));
	int status = p->weight_bits && p->edge_bits
			     ? mch_cost_init(&p->cost, p->net, &p->args->hardware, err)
			     : mch_err_set(err, p->args->net.path, "out of memory; use a machine with more");
	if (status == 0) {
		for (int i = 0; i < p->net->n_layers; i++)
			p->weight_bits[i] = (int8_t)quant->layer[i].weights.bits;
		for (int e = 0; e < p->net->n_edges; e++)
			p->edge_bits[e] = (int8_t)quant->edge[e].bits;
		sum_up(p);
		if (p->args->json)
			status = print_json(p, err);
		else
			print_plan(p);
	}
	mch_cost_free(&p->cost);
	free(p->weight_bits);
	free(p->edge_bits);
	return status;
}

static const struct argp_option options[] = {
	{"program", KEY_PROGRAM, NULL, 0, "Count the cycles of the accelerator mch_top by its cycle model instead", 0},
	{"json", 'j', NULL, 0, "Print JSON instead of text", 0},
	{0},
};
static const struct argp_child children[] = {{&mch_net_argp, 0, NULL, 0}, {&mch_array_argp, 0, NULL, 0},
					     {&mch_build_argp, 0, NULL, 0}, {&mch_data_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
	options,
	parse_option,
	"NET Q.json",
	"Shows what a quantized network costs on an array of multipliers: cycles, utilisation, memory "
	"and logic of each layer.",
	children,
	NULL,
	NULL};

static int show_program(const struct arguments *args, const struct mch_net *net, struct mch_quant *quant,
			struct mch_err *err)
{
	struct mch_qnet q;
	if (mch_qnet_build(&q, net, quant, err) != 0)
		return -1;
	const int status = mch_plan_program(&args->build, args->hardware.rows, args->hardware.cols, &q, args->json, err);
	mch_qnet_free(&q);
	return status;
}

int mch_cmd_plan(int argc, char **argv, struct mch_err *err)
{
	struct arguments args = {.hardware = mch_array_options_usual(), .build = mch_build_options_usual(),
				 .data = mch_data_options_usual()};
	struct mch_net net;
	struct mch_quant quant;
	mch_cmd_parse(&argp, argc, argv, &args);
	if (mch_load_net(&args.net, &args.data, &net, NULL, err) != 0)
		return MCH_EXIT_FAILED;
	int status = mch_net_lower(&net, err);
	if (status == 0)
		status = mch_quant_json_read(args.quant, &net, &quant, NULL, err);
	if (status == 0) {
		struct plan plan = {.args = &args, .net = &net};
		status = args.is_program ? show_program(&args, &net, &quant, err) : show(&plan, &quant, err);
		mch_quant_free(&quant);
	}
	mch_net_free(&net);
	return status == 0 ? MCH_EXIT_OK : MCH_EXIT_FAILED;
}
