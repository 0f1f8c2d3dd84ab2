/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Networks with branches by chance: residuals, gates, concatenations, moves, host layers; and formats for them. A
 * fault in the fixture ends the test. */
#ifndef MCH_TESTS_RANDOM_GRAPH_H
#define MCH_TESTS_RANDOM_GRAPH_H

#include "random_net.h"

/* 4 to 14 layers of all kinds that have an integer form, each reading any tensors before it; with or without a
 * dense layer at the end. */
void random_graph(struct mch_rng *rng, struct mch_net *net);

/* Appends a layer of several inputs, as append_layer; an index array (gather) passes to the net. Returns its output
 * edge. */
int append_graph_layer(struct mch_net *net, const struct mch_layer *like, int n_in, const int *in,
		       struct mch_rng *rng);

/* As random_quant, for any graph. */
void random_graph_quant(struct mch_rng *rng, const struct random_format *f, struct mch_net *net,
			struct mch_quant *quant);

#endif
