/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Which layers the float engine runs as one operator: batch norm and scale folded into the weights before them, then
 * an addition, then a function of one number, done to the sums of a convolution before they are stored. Host only: no
 * RTL twin. */
#ifndef MCH_NET_FLOAT_PLAN_H
#define MCH_NET_FLOAT_PLAN_H

#include "net/net.h"

/* What becomes of a layer. */
struct mch_float_step {
	int into; /* the layer in whose operator it runs: its own index, an earlier layer's, or -1: nobody needs it */
	/* Of a layer that runs in its own operator: */
	int writes; /* the edge that the operator writes, behind all that runs in it */
	int added;  /* the edge that is added, or -1 */
	int map;    /* the layer whose function is applied last, or -1 */
};

/* steps has room for every layer. The edge `tapped` is wanted beside the output; -1: every edge is, and so every
 * layer runs alone. 0, or -1 with err. */
int mch_float_plan(const struct mch_net *net, int tapped, struct mch_float_step *steps, struct mch_err *err);

/* The library lacks it: it runs on its plain form, alone. */
bool mch_float_is_plain(const struct mch_layer *layer);

/* It multiplies and shifts each channel: batch norm and scale. */
bool mch_float_is_affine(const struct mch_layer *layer);

/* It is a function of one number. */
bool mch_float_is_map(const struct mch_layer *layer);

#endif
