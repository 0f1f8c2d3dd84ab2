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

/* Enough to tell one power of two from the next. */
enum { MCH_STATIC_SAMPLE = 4096 };

/* The range with so many of its samples at most, in values; they are in no order, but weights, which are taken from all over the
 * layer. */
struct mch_range mch_static_sample(const struct mch_range *range, float *values);

/* Squared error of a sample in the item's shape, relative to the squares; 0 for nothing but zeros. */
double mch_static_noise(const struct mch_static_item *item, int frac);

/* By the rule of the first item. mse: the least mean, over the items, of the squared error relative to the squares of the values
 * themselves, so that large tensors do not outweigh small ones; else the smallest of the fractions that the items' rules choose. */
int mch_static_choose(const struct mch_static_item *items, int n);

#endif
