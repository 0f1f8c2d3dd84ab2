/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The network as integers: a list of steps that hardware does, with raw weights, biases and shifts.
 * The golden runner, the fast engine, the exporter and the lock-step bench all walk this one list.
 * Host only: no RTL twin. Spec: docs/datapath.md "Network". */
#ifndef MCH_NET_QNET_H
#define MCH_NET_QNET_H

#include "net/net.h"
#include "net/quant.h"
#include "op/requant.h"

/* One step: conv or dense with its requantizer (and the ReLU behind it), or a pool, or a lone ReLU. */
struct mch_step {
	const struct mch_layer *layer; /* owned by the net */
	int layer_index;
	bool relu;   /* a ReLU layer is fused in */
	int in, out; /* edges, identities resolved: out is the edge after the fused ReLU */
	struct mch_format in_format, out_format;
	/* conv and dense only: */
	struct mch_conv conv; /* dense: as a convolution of [n][c*h*w][1][1]; n == 1 */
	struct mch_acc acc;
	struct mch_format weight_format;
	int32_t *weights; /* [k][terms] raw, owned */
	int64_t *bias;    /* [k] raw at acc fraction, owned */
	int8_t *shift;    /* [k], owned */
	struct mch_requant requant; /* points at bias and shift */
	/* pools only: */
	struct mch_pool pool; /* n == 1 */
	struct mch_pool_avg avg;
};

struct mch_qnet {
	const struct mch_net *net;
	int n_steps;
	struct mch_step *steps;
	int input, output; /* edges, identities resolved; a final softmax is left to the host, so output is its input */
	struct mch_format input_format;
	uint64_t n_weights_saturated; /* parameters that left their format's range */
};

/* Converts weights and biases (half even), derives shifts, fuses ReLUs, resolves identities. Refuses formats out of
 * range and layers without an integer form. Fills quant->layer[].certificate; a layer whose quant->layer[].acc.bits is 0
 * gets the certificate's width (wrapping, which cannot happen then), or more where a bias needs it: it has the same width. */
int mch_qnet_build(struct mch_qnet *q, const struct mch_net *net, struct mch_quant *quant, struct mch_err *err);
void mch_qnet_free(struct mch_qnet *q);

/* The certificate of a step from its raw weights; see struct mch_certificate. The bias is added behind the accumulator,
 * in one more bit, and has no part in it. */
struct mch_certificate mch_step_certificate(const struct mch_step *step);

/* One step on n images with the plain operators: x, y are [n][c][h][w] raw; acc is room for n * k * p * q values (conv and
 * dense) and holds the accumulators afterwards. events may be NULL. */
void mch_step_run(const struct mch_step *step, int n, const int32_t *x, int64_t *acc, int32_t *y,
		  struct mch_events *events);

/* Elements of a step's input and output, one image. */
size_t mch_step_in_elems(const struct mch_qnet *q, const struct mch_step *step);
size_t mch_step_out_elems(const struct mch_qnet *q, const struct mch_step *step);

/* The whole net, plain: input is [n] images of raw codes, output [n] images. edge_values[e] (may itself be NULL) taps edge
 * e. 0, or -1 with err when memory is short. */
int mch_qnet_run(const struct mch_qnet *q, int n, const int32_t *input, int32_t *output, int32_t *const *edge_values,
		 struct mch_events *events, struct mch_err *err);

#endif
