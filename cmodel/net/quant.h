/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Formats of a whole network: what the search finds and all exact runs obey. Host only: no RTL twin.
 * Spec: docs/datapath.md "Network". */
#ifndef MCH_NET_QUANT_H
#define MCH_NET_QUANT_H

#include "fxp/format.h"
#include "fxp/mac.h"
#include "fxp/wide.h"
#include "net/net.h"

/* Ristretto's three groups, each with one width. */
enum mch_part { MCH_PART_CONV_WEIGHTS, MCH_PART_FC_WEIGHTS, MCH_PART_ACTIVATIONS, MCH_N_PARTS };

/* The accumulator certificate of a layer: the exact worst case over every input of the input's format, with the
 * actual weights. Any partial sum, in any order, lies in [low, high]; `bits` is the smallest two's complement width
 * that holds it. */
struct mch_certificate {
	mch_int128 low, high;
	int bits;
};

struct mch_layer_quant {
	struct mch_format weights; /* conv and dense; signed */
	/* [n_channels], owned: a fraction for the weights of each output channel, weights.frac being the smallest of them; the
	 * accumulator's fraction, bias and shift are per channel then. NULL, and n_channels 0: weights.frac holds for all. */
	int8_t *channel_frac;
	int n_channels;
	struct mch_acc acc;
	struct mch_certificate certificate;
};

struct mch_quant {
	enum mch_round round;   /* of every requantizer and mean */
	enum mch_round weight_round; /* of weights: half even unless asked for otherwise */
	bool wraps;             /* outputs that are outside their format wrap instead of saturating; means never do */
	uint32_t seed;          /* of stochastic rounding */
	int width[MCH_N_PARTS]; /* bits */
	int n_edges, n_layers;
	struct mch_format *edge;       /* [n_edges]; pass-through layers have the format of their input */
	struct mch_layer_quant *layer; /* [n_layers] */
	double accuracy_float, accuracy_exact; /* percent top-1, NAN when not measured */
	int n_scored;                          /* images behind them */
	double error_margin;                   /* percentage points asked for, NAN when none */
	char net_hash[65];                     /* SHA-256 of the network's parameters and structure, hex */
	/* Of an import: a line for each tensor whose quantization is no format, and what it got. Owned. */
	char *notes;
	int n_notes;
};

int mch_quant_init(struct mch_quant *quant, const struct mch_net *net, struct mch_err *err);
void mch_quant_free(struct mch_quant *quant);
int mch_quant_copy(struct mch_quant *to, const struct mch_quant *from, struct mch_err *err);

/* One accumulator for all layers that have weights, whatever their certificates; 0 bits: each as its certificate asks. */
void mch_quant_set_acc(struct mch_quant *quant, struct mch_acc acc);

/* Room for n fractions, all `frac`, in place of those it has. 0, or -1 when memory is short: then it has none. */
int mch_layer_quant_split(struct mch_layer_quant *layer, int n, int frac);

/* One fraction for all channels again. */
void mch_layer_quant_join(struct mch_layer_quant *layer);

/* Fraction of the weights of output channel k. */
static inline int mch_layer_quant_frac(const struct mch_layer_quant *layer, int k)
{
	return layer->channel_frac ? layer->channel_frac[k] : layer->weights.frac;
}

#endif
