/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Between the files that make the list of integer steps: qnet.c, qform.c, qstep.c, qmac.c. Host only: no RTL twin. */
#ifndef MCH_NET_QSTEP_H
#define MCH_NET_QSTEP_H

#include "net/qnet.h"

/* e of a sum's coefficient +-2^e of input i; 0 for other kinds. */
int mch_sum_exponent(const struct mch_layer *layer, int i);

/* How many inputs of layers an edge feeds; *reader is the last of these layers, untouched when there is none. */
int mch_net_n_readers(const struct mch_net *net, int edge, int *reader);

/* All of a step but its layer, edges (ins and out) and what is fused. behind is the clip layer fused in, or NULL. */
int mch_step_fill(struct mch_qnet *q, struct mch_step *step, const struct mch_layer *behind, struct mch_quant *quant,
		  struct mch_err *err);

/* A conv or dense step, its shifts, weights, accumulator and biases; fills the layer's certificate. */
int mch_step_fill_mac(struct mch_qnet *q, struct mch_step *step, struct mch_quant *quant, struct mch_err *err);

/* The formats are those of operands and suit the step. */
int mch_step_check_formats(const struct mch_qnet *q, const struct mch_step *step, struct mch_err *err);

/* frac, that of what is rounded (x of input i, or sum or product), can be shifted to the output's. */
int mch_step_check_shift(const struct mch_qnet *q, const struct mch_step *step, int i, int frac, struct mch_err *err);

/* Parameters become codes one after the other, with noise of their own when that is asked for. */
struct mch_coder {
	enum mch_round round;
	uint16_t noise;
	uint64_t n_saturated;
};
int64_t mch_coder_code(struct mch_coder *c, struct mch_format format, float value);

int mch_step_no_memory(const struct mch_qnet *q, const struct mch_step *step, struct mch_err *err);

/* "NET: layer NAME: WHAT". */
int mch_step_fail(const struct mch_net *net, const char *layer, struct mch_err *err, const char *what);

#endif
