/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A small network for every kind of layer and each form that it has in a file, for the tests of formats. */
#ifndef MCH_TESTS_KIND_NETS_H
#define MCH_TESTS_KIND_NETS_H

#include "net/net.h"

enum { KIND_POOLS = 17 };

int kind_nets_count(void);
const char *kind_nets_name(int i); /* a file name without its end */
/* Network i with shapes and weights. A fault in the fixture ends the test. */
void kind_nets_make(int i, struct mch_net *net);

/* Geometry of pool i, for a maximum and a mean: windows over the edge, holes, padding that counts and that does
 * not. */
struct mch_pool kind_pool(int i);

#endif
