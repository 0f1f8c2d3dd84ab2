/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* From widths to a format for every tensor and every layer's weights: dynamic fixed point.
 * Host only: no RTL twin. Spec: docs/datapath.md "Network". */
#ifndef MCH_QUANT_FORMATS_H
#define MCH_QUANT_FORMATS_H

#include "net/quant.h"
#include "quant/policy.h"
#include "quant/ranges.h"
#include "quant/widths.h"

/* Edges joined by layers that pass codes on unchanged (max pool, ReLU, clip, moves, a final softmax) are one group
 * with one format; so is a concatenation with those of its inputs that nothing else computes on. Clamping and
 * rounding are monotone, so they commute with max, ReLU and clip: what counts is the range where the codes are
 * read, behind the last of these layers, and a group read only behind a ReLU is unsigned. */
struct mch_formats {
	const struct mch_net *net;
	const struct mch_ranges *ranges;
	struct mch_format_policy policy;
	int *group;       /* [n_edges]: the edge that the group starts from, where codes are made */
	bool *is_read;    /* [n_edges]: read by a layer that computes, or the end of the integers */
	bool *is_tail;    /* [n_layers]: behind that end, the host's */
	int *cap;         /* [n_edges], of groups, scratch: the finest fraction that sums and concatenations allow */
	bool *is_signed;  /* [n_edges], of groups */
	const struct mch_range **read; /* [n_edges], scratch */
	int8_t *edge_frac;   /* [n_edges][MCH_OPERAND_BITS_MAX + 1], of groups; UNKNOWN until asked for */
	int8_t *weight_frac; /* [n_layers][MCH_OPERAND_BITS_MAX + 1] */
	int8_t *channel_frac; /* [MCH_OPERAND_BITS_MAX + 1][n_channels], of all layers' output channels; UNKNOWN likewise */
	size_t *first_channel, n_channels; /* [n_layers]: where those of a layer begin */
	int8_t exp_bits[2][MCH_OPERAND_BITS_MAX + 1]; /* of tensors, of weights, by width; 0 until asked for */
	int static_frac;               /* that of static fixed point, of the widths applied last */
	struct mch_static_item *items; /* [n_edges + n_layers], scratch */
};

/* net and ranges are kept and must outlive f. 0, or -1 with err when memory is short. */
int mch_formats_init(struct mch_formats *f, const struct mch_net *net, const struct mch_ranges *ranges,
		     const struct mch_format_policy *policy, struct mch_err *err);
void mch_formats_free(struct mch_formats *f);

/* The widths that three parts stand for: of all convolution weights, all FC weights, all codes. Those of the net
 * alone. */
void mch_formats_widths(const struct mch_formats *f, const int width[MCH_N_PARTS], struct mch_widths *widths);

/* Sets width (the widest of each part, 0 for a part that the net has not), edge[] (zero bits behind a softmax,
 * which is the host's) and layer[].weights of quant, made by mch_quant_init for the same net, and lets
 * mch_qnet_build choose the accumulators, unless the policy has one. Widths are 1..16, those of a group equal; a kind of number that has not
 * so many bits gets the nearest it has. Choices are remembered per width, so a second call is cheap. 0, or -1 with
 * err when memory is short. */
int mch_formats_apply(struct mch_formats *f, const struct mch_widths *widths, struct mch_quant *quant,
		      struct mch_err *err);

/* A format without a fraction: the policy's kind, and exponent, which is chosen for all tensors, or for all weights, of that width
 * together where the policy leaves it open. */
struct mch_format mch_formats_shape(struct mch_formats *f, bool is_weights, int bits, bool is_signed);

/* The fraction of static fixed point, from all tensors that are read and all weights. */
int mch_formats_static_frac(const struct mch_formats *f, const struct mch_widths *widths);

/* The steps of such tensors and weights are wide (op/wide.h). */
bool mch_formats_is_wide(struct mch_format codes, struct mch_format weights);

/* The part that a layer's weights belong to: MCH_PART_CONV_WEIGHTS, MCH_PART_FC_WEIGHTS, or -1 when it has none. */
int mch_formats_part(const struct mch_layer *layer);

#endif
