/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Between the files that make the list of integer steps: qnet.c, qform.c, qstep.c. Host only: no RTL twin. */
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

/* "NET: layer NAME: WHAT". */
int mch_step_fail(const struct mch_net *net, const char *layer, struct mch_err *err, const char *what);

#endif
