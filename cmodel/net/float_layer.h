/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* One layer as an operator of the fast float graph. Host only: no RTL twin. */
#ifndef MCH_NET_FLOAT_LAYER_H
#define MCH_NET_FLOAT_LAYER_H

#include "fast/dnnl_graph.h"
#include "net/float_plan.h"

struct mch_float_call; /* a layer that runs on its plain form, with what that needs to know */

struct mch_float_build {
	const struct mch_net *net;
	const struct mch_float_step *steps; /* [n_layers] */
	struct mch_dnnl_graph *graph;
	int *value;                   /* [n_edges], of the graph */
	struct mch_float_call *calls; /* owned; the graph's steps read them */
};

/* Layer `index` with all that runs in its operator; sets the value of the edge that the operator writes. 0, or -1
 * with err. */
int mch_float_append(struct mch_float_build *build, int index, struct mch_err *err);

void mch_float_calls_free(struct mch_float_call *calls);

#endif
