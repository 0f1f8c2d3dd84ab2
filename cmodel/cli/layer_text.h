/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What a layer is like beside its kind, in a few words. */
#ifndef MCH_CLI_LAYER_TEXT_H
#define MCH_CLI_LAYER_TEXT_H

#include "net/net.h"

enum { MCH_LAYER_TEXT = 256 };

/* "5x5 stride 2 pad 1,1,2,2", "size 5 alpha 0.0001 beta 0.75", "over channels", "0 to 6", "hw x2", ...: what differs
 * from the ordinary is told, the rest is not. "" for most kinds without a geometry. */
void mch_layer_text(const struct mch_net *net, const struct mch_layer *layer, char buf[MCH_LAYER_TEXT]);

/* "3x224x224", "10". */
void mch_shape_text(struct mch_shape shape, char buf[48]);

/* "pixel * 0.00390625", "(pixel - 104,117,123) * 1, blue first": how a picture becomes the input of n_channels. */
void mch_transform_text(const struct mch_transform *t, int n_channels, char buf[MCH_LAYER_TEXT]);

#endif
