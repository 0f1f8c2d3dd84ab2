/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Rewriting a network into what hardware computes, with the same results but for rounding. Host only: no RTL twin. */
#ifndef MCH_NET_LOWER_H
#define MCH_NET_LOWER_H

#include "net/net.h"

/* Batch norm and scale behind a conv, dense, deconv, batch norm or scale whose output has no other reader become part of
 * its weights and bias; the rest stays as it is. The tensor that remains has the name of the one behind the batch norm. Needs
 * mch_net_infer before. Layers whose parameters are not loaded are joined too, and the result has none. 0, or -1 with
 * err, and then net is good for mch_net_free alone. Edges and layers are numbered anew. */
int mch_net_fold(struct mch_net *net, struct mch_err *err);

/* The same, and:
 * - the other batch norms and scales become convolutions of 1x1 with a group for each channel;
 * - a deconv becomes a convolution with the kernel turned around, behind a PAD that puts its stride's zeros between
 * the rows and columns, or takes some off the edge, where one is needed;
 * - layers that do nothing go: dropout, a sum or concat of one input, a reshape to the same shape, a pool of one
 * position, ...;
 * - a clip from 0 to infinity, and a leaky ReLU without slope, become ReLU.
 * What is left of the tensors keeps its names; the output always does. A second run changes nothing. */
int mch_net_lower(struct mch_net *net, struct mch_err *err);

/* The same without folding: every batch norm, with the scale behind it, becomes a convolution of 1x1 with a group for each channel, which
 * rounds and has formats of its own. */
int mch_net_lower_apart(struct mch_net *net, struct mch_err *err);

#endif
