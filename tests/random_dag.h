/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Networks of every kind of layer by chance: several readers of a tensor, several inputs of a layer, small and odd
 * geometry. */
#ifndef MCH_TESTS_RANDOM_DAG_H
#define MCH_TESTS_RANDOM_DAG_H

#include "base/rng.h"
#include "net/net.h"

/* A network of 1 to n_layers_max layers with parameters, inferred; the last layer's result is the output. Values stay
 * near 1 for inputs near 1. About every kind of layer is as likely as any other. */
void random_dag(struct mch_rng *rng, int n_layers_max, struct mch_net *net);

/* Appends one layer of that kind behind edges that suit it, with parameters. */
void random_dag_append(struct mch_rng *rng, enum mch_kind kind, struct mch_net *net);

/* n values from -1 to 1, corners among them; the caller frees them. */
float *random_values(struct mch_rng *rng, size_t n);

#endif
