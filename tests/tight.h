/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* That certificates are tight: the witness reaches the bound, and a bit less overflows. */
#ifndef MCH_TESTS_TIGHT_H
#define MCH_TESTS_TIGHT_H

#include "net/qnet.h"

/* How many there were. */
struct tight {
	int n_layers;
	int n_cut;    /* of these, layers whose padding cuts every output */
	int n_wide;   /* layers of numbers whose sums are wide */
	int n_narrow; /* layers that a bit less was tried on: all that need more than 2 */
};

/* Of a conv or dense, by the golden convolution of the output channel that the witness names. */
void check_tight(const struct mch_step *step, struct tight *seen);

/* One format for all activations, one for all weights of a lowered network, but for its fraction: the most that saturates
 * none, of every other channel one more where per_channel. Then check_tight of all layers with weights. */
void check_tight_net(const struct mch_net *net, struct mch_format x, struct mch_format w, bool per_channel,
		     struct tight *seen);

#endif
