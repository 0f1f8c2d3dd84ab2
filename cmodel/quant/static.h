/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Static fixed point: one fraction for everything. Host only: no RTL twin.
 * Source: Gysel et al., "Hardware-oriented Approximation of Convolutional Neural Networks", ICLR workshop, 2016. */
#ifndef MCH_QUANT_STATIC_H
#define MCH_QUANT_STATIC_H

#include "quant/fraction.h"

/* One tensor, or one layer's weights. */
struct mch_static_item {
	struct mch_format shape;
	enum mch_fraction rule;
	double percentile;
	const struct mch_range *range;
};

/* By the rule of the first item. mse: the least mean, over the items, of the squared error relative to the squares of the values
 * themselves, so that large tensors do not outweigh small ones; else the smallest of the fractions that the items' rules choose. */
int mch_static_choose(const struct mch_static_item *items, int n);

#endif
