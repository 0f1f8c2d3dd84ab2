/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The arithmetic of lower.h: parameters of one layer turned into those of another. Host only: no RTL twin. */
#ifndef MCH_NET_LOWER_MAC_H
#define MCH_NET_LOWER_MAC_H

#include "net/net.h"

/* A batch norm or scale becomes part of the layer before it: conv, dense, deconv, batch norm or scale. Where one of the
 * two has no parameters loaded that layer has none afterwards. */
int mch_lower_fold(struct mch_layer *before, const struct mch_layer *norm, struct mch_err *err);

/* A batch norm or scale becomes a convolution of 1x1 with a group for each channel. */
int mch_lower_depthwise(struct mch_layer *norm, struct mch_err *err);

/* One axis of a deconv's input, made ready for an ordinary convolution of stride 1: element i < n is row (first + i)
 * / stride of the input where that is whole and inside, else zero; the convolution pads the rest itself. */
struct mch_spread {
	int size, stride, first, n, pad_begin, pad_end;
};
struct mch_spread mch_spread_h(const struct mch_layer *deconv);
struct mch_spread mch_spread_w(const struct mch_layer *deconv);

/* The axis as it is: no gather is needed. */
bool mch_spread_is_plain(const struct mch_spread *spread);

/* The gather of both axes. */
int mch_lower_spread(struct mch_gather *gather, int n_c, const struct mch_spread *h, const struct mch_spread *w,
		     struct mch_err *err);

/* A deconv becomes the convolution behind that gather: weights [k][c / groups][r][s], each kernel turned around. */
int mch_lower_deconv(struct mch_layer *layer, const struct mch_spread *h, const struct mch_spread *w,
		     struct mch_err *err);

#endif
