/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Shadow weights: a float network that training moves, and its twin whose parameters are those that hardware has.
 * Host only: no RTL twin. Source: Courbariaux, Bengio, David, "BinaryConnect", 2015; Gysel et al., "Ristretto",
 * 2018, section V. */
#ifndef MCH_TRAIN_QUANTIZER_H
#define MCH_TRAIN_QUANTIZER_H

#include "net/qnet.h"

struct mch_quantizer;

/* Of a lowered network and its formats, which it copies. The network is read at every mch_quantizer_round, so that
 * its parameters may change between; its structure may not. NULL with err when the formats do not suit. */
struct mch_quantizer *mch_quantizer_new(const struct mch_net *shadow, const struct mch_quant *quant, struct mch_err *err);
void mch_quantizer_free(struct mch_quantizer *q);

/* The twin: layers and edges as the shadow's; parameters as of the last rounding. Its weights and biases are
 * values of their formats, so it has the same codes as the shadow, rounded in any mode. */
const struct mch_net *mch_quantizer_net(const struct mch_quantizer *q);

/* Parameters of the shadow into the twin, as mch_qnet_build rounds them. */
void mch_quantizer_round(struct mch_quantizer *q);

/* The same, but weights are rounded up or down by lot, with the chances that keep their mean (Gupta et al., "Deep
 * Learning with Limited Numerical Precision", 2015). The same seed, the same lot, for any number of threads. */
void mch_quantizer_round_by_lot(struct mch_quantizer *q, uint64_t seed);

/* Of each parameter, in the order of params.h: enum mch_snap_place in the last rounding. */
const uint8_t *mch_quantizer_places(const struct mch_quantizer *q);

/* The step that rounds what is written to an edge, or NULL: it passes as it is. */
const struct mch_step *mch_quantizer_step(const struct mch_quantizer *q, int edge);
struct mch_format mch_quantizer_input(const struct mch_quantizer *q);

/* Layers whose sums float may not make exactly (rounding.h), with the parameters of the last rounding:
 * names[n_layers] of the network's layers are filled from the first on. How many; with 0, forward gives the values
 * of mch_qnet_run's codes. -1 with err. */
int mch_quantizer_inexact(const struct mch_quantizer *q, const char **names, struct mch_err *err);

#endif
