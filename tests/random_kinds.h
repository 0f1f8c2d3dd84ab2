/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Networks of every kind of layer by chance, with branches that meet again, for the tests of the float engine. A
 * fault in the fixture ends the test. */
#ifndef MCH_TESTS_RANDOM_KINDS_H
#define MCH_TESTS_RANDOM_KINDS_H

#include "base/rng.h"
#include "net/net.h"

/* 3 to 14 layers; the output is the last one's, and some layers may lead nowhere. Values stay of about one size.
 * Free with mch_net_free. */
void random_kinds(struct mch_rng *rng, struct mch_net *net);

/* A layer of that kind on these edges, of random geometry and parameters; its output edge. */
int random_layer(struct mch_rng *rng, struct mch_net *net, enum mch_kind kind, int n_in, const int *in);

/* An empty network with its input edge. */
void begin_kinds(struct mch_net *net, struct mch_shape shape);

#endif
