/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The network as integers: a list of steps that hardware does, with raw weights, biases and shifts.
 * The golden runner, the fast engine, the exporter and the lock-step bench all walk this one list.
 * Host only: no RTL twin. Spec: docs/datapath.md "Network". */
#ifndef MCH_NET_QNET_H
#define MCH_NET_QNET_H

#include "net/net.h"
#include "net/quant.h"
#include "op/concat.h"
#include "op/eltwise.h"
#include "op/requant.h"
#include "op/wide.h"

/* What a layer is in integers. */
enum mch_form {
	MCH_FORM_MAC,      /* conv, dense: accumulated, requantized */
	MCH_FORM_POOL_MAX,
	MCH_FORM_POOL_AVG,
	MCH_FORM_REQUANT,  /* a lone ReLU or clip */
	MCH_FORM_ELTWISE,  /* sum, product, maximum: exact, requantized */
	MCH_FORM_CONCAT,   /* each input requantized */
	MCH_FORM_GATHER,   /* slice, pad, upsample: codes move */
	MCH_FORM_MOVE,     /* transpose; flatten and reshape, which move codes where channels lie innermost */
	MCH_FORM_CONSTANT,
	MCH_FORM_HOST,     /* computed by the host in float, between two conversions */
	MCH_FORM_NONE,     /* must be taken away before: deconv (net/lower.h) */
};

/* Depends on kind, coefficients and number of inputs alone. */
enum mch_form mch_layer_form(const struct mch_layer *layer);

/* The edge that the integers end at: the net's output or, when softmax layers stand before it, what the first of
 * these reads. is_tail [n_layers], may be NULL: the layers behind, which are the host's. */
int mch_net_integer_end(const struct mch_net *net, bool *is_tail);

/* Layer i is a host step of the integer network: its result is no hardware's. */
bool mch_net_is_host_layer(const struct mch_net *net, int i);

/* One step: a layer, and the ReLU or clip fused behind it. */
struct mch_step {
	const struct mch_layer *layer; /* owned by the net */
	int layer_index;
	bool relu;   /* a ReLU layer is fused in */
	int in, out; /* edges, identities resolved: out is behind the fused layer; in is ins[0], of a constant -1 */
	struct mch_format in_format, out_format; /* in_format is in_formats[0] */
	/* conv and dense only: */
	struct mch_conv conv; /* dense: as a convolution of [n][c*h*w][1][1]; n == 1 */
	struct mch_acc acc;
	struct mch_format weight_format; /* channel k has shift[k] - the smallest shift more fraction bits: mch_layer_quant */
	int32_t *weights; /* [k][terms] integers, which of fixed point are the codes, owned; NULL when is_wide */
	int64_t *bias;    /* [k] raw at acc fraction, owned; elementwise and lone ReLU: zeros */
	int8_t *shift;    /* [k], owned; concat: [n_in] */
	struct mch_requant requant; /* points at bias and shift */
	/* pools only: */
	struct mch_pool pool; /* n == 1 */
	struct mch_pool_avg avg;
	/* is_wide: numbers of other kinds than fixed point, op/wide.h; codes and shifts as ever. Owned, of conv and dense: */
	bool is_wide;
	int64_t *wide_weights; /* [k][terms] integers */
	mch_int128 *wide_bias; /* [k], and bias is 0 */
	int64_t *integers;     /* of in_format's codes, from the lowest up */
	/* all: */
	enum mch_form form;
	bool clip; /* a clip layer is fused in */
	int n_in;
	int *ins;                      /* [n_in] edges, owned */
	struct mch_format *in_formats; /* [n_in], owned */
	struct mch_shape *in_shapes;   /* [n_in] as the layer sees them, n == 1, owned */
	struct mch_shape out_shape;
	struct mch_eltwise eltwise;
	struct mch_eltwise_in *eltwise_in; /* [n_in], owned */
	struct mch_concat concat;
	int32_t fill;   /* gather: code */
	int32_t *codes; /* constant: one image, owned */
};

/* The channels of a MAC have weights of more than one fraction. */
static inline bool mch_step_is_per_channel(const struct mch_step *step)
{
	for (int k = 1; k < step->conv.k; k++)
		if (step->shift[k] != step->shift[0])
			return true;
	return false;
}

/* The format of the integers in `weights`: of fixed point the weights' own, of other kinds the narrowest fixed point that holds
 * them. */
struct mch_format mch_step_operand(const struct mch_step *step);

struct mch_qnet {
	const struct mch_net *net;
	int n_steps;
	struct mch_step *steps;
	int input, output; /* edges, identities resolved; see mch_net_integer_end */
	struct mch_format input_format;
	uint64_t n_weights_saturated; /* parameters that left their format's range */
};

/* Converts weights and biases (half even), derives shifts, fuses ReLUs and clips, resolves identities. Refuses
 * formats out of range and layers without an integer form. Fills quant->layer[].certificate; a layer whose
 * quant->layer[].acc.bits is 0 gets the certificate's width (wrapping, which cannot happen then), or more where a
 * bias needs it: it has the same width. */
int mch_qnet_build(struct mch_qnet *q, const struct mch_net *net, struct mch_quant *quant, struct mch_err *err);
void mch_qnet_free(struct mch_qnet *q);

/* The certificate of a step from its raw weights; see struct mch_certificate, and witness.h for what reaches it. The
 * bias is added behind the accumulator, in one more bit, and has no part in it. */
struct mch_certificate mch_step_certificate(const struct mch_step *step);

/* Steps whose accumulator is narrower than their certificate: they may overflow. */
int mch_qnet_n_narrow(const struct mch_qnet *q);

/* One step of the forms with one input that hardware has (MAC, pools, lone ReLU) on n images with the plain
 * operators; layer->kind tells which. x, y are [n][c][h][w] raw; acc is room for n * k * p * q values (n * elements
 * of a lone ReLU) and holds the accumulators afterwards. events may be NULL. */
void mch_step_run(const struct mch_step *step, int n, const int32_t *x, int64_t *acc, int32_t *y,
		  struct mch_events *events);

/* Any step on n images: x[step->n_in], y and acc as above (acc: room for n * elements of the output). */
struct mch_step_data {
	int n;
	const int32_t *const *x;
	int64_t *acc;
	int32_t *y;
};

/* 0, or -1 with err when memory for a host step is short. events may be NULL. */
int mch_step_compute(const struct mch_step *step, const struct mch_step_data *data, struct mch_events *events,
		     struct mch_err *err);

/* Of a wide conv or dense, n images. */
struct mch_wide_mac mch_step_wide_mac(const struct mch_step *step, int n);

/* Elements of a step's first input and of its output, one image. */
size_t mch_step_in_elems(const struct mch_qnet *q, const struct mch_step *step);
size_t mch_step_out_elems(const struct mch_qnet *q, const struct mch_step *step);

/* The whole net, plain: input is [n] images of raw codes, output [n] images. edge_values[e] (may itself be NULL)
 * taps edge e, where a step writes it. 0, or -1 with err when memory is short. */
int mch_qnet_run(const struct mch_qnet *q, int n, const int32_t *input, int32_t *output, int32_t *const *edge_values,
		 struct mch_events *events, struct mch_err *err);

#endif
