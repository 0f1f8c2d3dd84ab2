/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Cost of a network in hardware; see cost.h. */
#include "arch/cost.h"

#include <stdlib.h>
#include <string.h>

#include "arch/gemm.h"
#include "base/require.h"
#include "net/qnet.h"

static const struct {
	int x_bits, w_bits;
	struct mch_mac_cost without_dsp, with_dsp;
} mac_costs[] = {
#include "arch/mac_cost.inc"
};

/* The terms of the accelerator's formulas, those of scripts/fit-accelerator.awk. */
enum { N_TERMS = 6 };

static const struct {
	struct {
		const char *name;
		double lut[N_TERMS], ff[N_TERMS];
	} unit[4];
	double lut_error, ff_error;
} accelerator = {
#include "arch/accelerator_cost.inc"
};

static const char *const names[MCH_N_COSTS] = {
	[MCH_COST_BITS] = "bits", [MCH_COST_BITOPS] = "bitops", [MCH_COST_LUT] = "lut",
	[MCH_COST_DSP] = "dsp",   [MCH_COST_CYCLES] = "cycles", [MCH_COST_TRAFFIC] = "traffic",
};

struct mch_mac_cost mch_mac_cost(int x_bits, int w_bits, bool has_dsp)
{
	MCH_REQUIRE(x_bits >= 1 && x_bits <= MCH_OPERAND_BITS_MAX && w_bits >= 1 && w_bits <= MCH_OPERAND_BITS_MAX,
		    "operands have 1 to 16 bits");
	const size_t i = (size_t)((x_bits - 1) * MCH_OPERAND_BITS_MAX + w_bits - 1);
	_Static_assert(sizeof(mac_costs) / sizeof(*mac_costs) == MCH_OPERAND_BITS_MAX * MCH_OPERAND_BITS_MAX,
		       "a row for every pair of widths");
	MCH_REQUIRE(mac_costs[i].x_bits == x_bits && mac_costs[i].w_bits == w_bits, "rows lie in order");
	return has_dsp ? mac_costs[i].with_dsp : mac_costs[i].without_dsp;
}

/* Blocks of 36 Kbit in the shape that takes the fewest, 512 x 72 .. 32768 x 1; half of one where that is enough. */
static double blocks(uint32_t depth, uint32_t width)
{
	static const uint32_t widths[] = {72, 36, 18, 9, 4, 2, 1};
	double best = 0;
	for (uint32_t i = 0; i < sizeof(widths) / sizeof(*widths); i++) {
		const uint32_t d = 512U << i, w = widths[i];
		double n = ((depth + d - 1) / d) * ((width + w - 1) / w);
		if (n == 1 && (depth <= d / 2 || 2 * width <= w))
			n = 0.5;
		best = i == 0 || n < best ? n : best;
	}
	return best;
}

struct mch_accel_area mch_accel_area(const struct mch_accel_config *cfg)
{
	MCH_REQUIRE(cfg->mult == MCH_MULT_INTEGER, "the fit has seen no multipliers that shift");
	const struct mch_mac_cost lane = mch_mac_cost(cfg->x_bits, cfg->w_bits, true);
	const double cols = cfg->cols, lanes = cols * cfg->rows;
	/* A lane was measured with 32 bits. One more is one in the bank and, outside of a slice, one in the accumulator. */
	const double more = (cfg->acc_bits - 32) * (lane.dsp ? 1 : 2);
	const double terms[N_TERMS - 1] = {1, cols, cols * cfg->x_bits, cols * cfg->acc_bits, lanes * cfg->x_bits};
	struct mch_accel_area area = {.dsp = cfg->cols * cfg->rows * lane.dsp,
				      .lut_error = accelerator.lut_error,
				      .ff_error = accelerator.ff_error};
	for (size_t u = 0; u < sizeof(accelerator.unit) / sizeof(*accelerator.unit); u++) {
		for (int t = 0; t < N_TERMS - 1; t++) {
			area.lut += accelerator.unit[u].lut[t] * terms[t];
			area.ff += accelerator.unit[u].ff[t] * terms[t];
		}
		area.lut += accelerator.unit[u].lut[N_TERMS - 1] * lanes * (lane.lut + more);
		area.ff += accelerator.unit[u].ff[N_TERMS - 1] * lanes * (lane.ff + more);
	}
	const uint32_t word = 8 * mch_accel_word_bytes(cfg);
	area.bram = blocks(2 * cfg->x_words, word) + blocks(cfg->w_words, word);
	return area;
}

const char *mch_cost_name(enum mch_cost_kind kind)
{
	return names[kind];
}

int mch_cost_parse(const char *name, enum mch_cost_kind *kind)
{
	for (int i = 0; i < MCH_N_COSTS; i++) {
		if (strcmp(name, names[i]) == 0) {
			*kind = (enum mch_cost_kind)i;
			return 0;
		}
	}
	return -1;
}

/* The array's side of a layer that multiplies. */
static void plan_layer(struct mch_cost *cost, int i)
{
	const struct mch_layer *layer = &cost->net->layers[i];
	if (mch_layer_form(layer) != MCH_FORM_MAC)
		return;
	const struct mch_gemm g = mch_gemm_plan(&layer->conv, cost->config.rows, cost->config.cols);
	struct mch_layer_cost *c = &cost->layer[i];
	c->macs = (uint64_t)g.n_pixels * (uint64_t)layer->conv.k * mch_conv_terms(&layer->conv);
	c->array_cycles = g.n_cycles;
	c->utilisation = (double)c->macs / ((double)cost->config.rows * cost->config.cols * (double)g.n_cycles);
	/* A group's channel tiles read that group's part of the input alone. */
	cost->channel_tiles[i] = (uint64_t)g.n_channel_tiles;
}

/* Tensors that a fused ReLU, clip or max pool hands on are not stored twice: what counts is what is read in the end.
 * A concatenation and a gather are addresses. */
static bool is_stored(const struct mch_net *net, int edge, int end)
{
	if (edge == end || net->edges[edge].producer < 0)
		return true;
	for (int i = 0; i < net->n_layers; i++) {
		const enum mch_form form = mch_layer_form(&net->layers[i]);
		if (form == MCH_FORM_REQUANT || form == MCH_FORM_POOL_MAX || form == MCH_FORM_GATHER ||
		    form == MCH_FORM_MOVE || form == MCH_FORM_CONCAT)
			continue;
		for (int j = 0; j < net->layers[i].n_in; j++)
			if (net->layers[i].in[j] == edge)
				return true;
	}
	return false;
}

int mch_cost_init(struct mch_cost *cost, const struct mch_net *net, const struct mch_cost_config *config,
		  struct mch_err *err)
{
	MCH_REQUIRE(config->rows >= 1 && config->rows <= 64 && config->cols >= 1 && config->cols <= 64,
		    "arrays have 1 to 64 rows and columns");
	*cost = (struct mch_cost){.config = *config, .net = net, .end = mch_net_integer_end(net, NULL)};
	cost->layer = calloc((size_t)net->n_layers + 1, sizeof(*cost->layer));
	cost->elems = calloc((size_t)net->n_edges + 1, sizeof(*cost->elems));
	cost->channel_tiles = calloc((size_t)net->n_layers + 1, sizeof(*cost->channel_tiles));
	if (!cost->layer || !cost->elems || !cost->channel_tiles) {
		mch_cost_free(cost);
		return mch_err_set(err, net->name ? net->name : "network", "out of memory; use a machine with more");
	}
	for (int i = 0; i < net->n_layers; i++)
		plan_layer(cost, i);
	for (int e = 0; e < net->n_edges; e++)
		if (is_stored(net, e, cost->end))
			cost->elems[e] = mch_shape_elems(net->edges[e].shape);
	return 0;
}

void mch_cost_free(struct mch_cost *cost)
{
	free(cost->layer);
	free(cost->elems);
	free(cost->channel_tiles);
	*cost = (struct mch_cost){0};
}

struct mch_layer_cost mch_cost_layer(const struct mch_cost *cost, int i, int w_bits, int x_bits, int y_bits)
{
	const struct mch_layer *layer = &cost->net->layers[i];
	struct mch_layer_cost c = cost->layer[i];
	if (c.macs == 0)
		return c;
	const double lanes = (double)cost->config.rows * cost->config.cols;
	c.x_bits = x_bits;
	c.w_bits = w_bits;
	c.weight_bits = layer->n_weights * (uint64_t)w_bits;
	c.input_bits = mch_shape_elems(cost->net->edges[layer->in[0]].shape) * (uint64_t)x_bits;
	c.output_bits = mch_shape_elems(cost->net->edges[layer->out[0]].shape) * (uint64_t)y_bits;
	c.bit_ops = c.macs * (uint64_t)x_bits * (uint64_t)w_bits;
	c.traffic_bits = c.weight_bits + c.input_bits * cost->channel_tiles[i] + c.output_bits;
	const uint64_t bus = (uint64_t)cost->config.bus_bits, moves = (c.traffic_bits + bus - 1) / bus;
	c.cycles = c.array_cycles > moves ? c.array_cycles : moves;
	c.lut = lanes * mch_mac_cost(x_bits, w_bits, false).lut;
	c.dsp = lanes * mch_mac_cost(x_bits, w_bits, true).dsp;
	return c;
}

static double stored_bits(const struct mch_cost *cost, const int8_t *weight_bits, const int8_t *edge_bits)
{
	double sum = 0;
	for (int i = 0; i < cost->net->n_layers; i++)
		if (cost->layer[i].macs)
			sum += (double)cost->net->layers[i].n_weights * weight_bits[i];
	for (int e = 0; e < cost->net->n_edges; e++)
		sum += (double)cost->elems[e] * edge_bits[e];
	return sum;
}

double mch_cost_total(const struct mch_cost *cost, enum mch_cost_kind kind, const int8_t *weight_bits,
		      const int8_t *edge_bits)
{
	if (kind == MCH_COST_BITS)
		return stored_bits(cost, weight_bits, edge_bits);
	double sum = 0, work = 0;
	for (int i = 0; i < cost->net->n_layers; i++) {
		const struct mch_layer *layer = &cost->net->layers[i];
		if (cost->layer[i].macs == 0)
			continue;
		const struct mch_layer_cost c =
			mch_cost_layer(cost, i, weight_bits[i], edge_bits[layer->in[0]], edge_bits[layer->out[0]]);
		work += (double)c.array_cycles;
		switch (kind) {
		case MCH_COST_BITOPS:
			sum += (double)c.bit_ops;
			break;
		case MCH_COST_LUT:
			sum += c.lut * (double)c.array_cycles;
			break;
		case MCH_COST_DSP:
			sum += c.dsp * (double)c.array_cycles;
			break;
		case MCH_COST_CYCLES:
			sum += (double)c.cycles;
			break;
		default:
			sum += (double)c.traffic_bits;
			break;
		}
	}
	const bool is_shared = kind == MCH_COST_LUT || kind == MCH_COST_DSP;
	return is_shared && work > 0 ? sum / work : sum;
}
