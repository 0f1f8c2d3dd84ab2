/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* How much information a format loses of a distribution. Host only: no RTL twin.
 * Source: Migacz, "8-bit Inference with TensorRT", GPU Technology Conference, 2017. */
#ifndef MCH_QUANT_DIVERGENCE_H
#define MCH_QUANT_DIVERGENCE_H

#include "fxp/format.h"
#include "quant/range.h"

enum { MCH_DIVERGENCE_BINS = 2048 };

/* Magnitudes of values that are not 0, which every format holds exactly. */
struct mch_divergence {
	double count[MCH_DIVERGENCE_BINS];
	double width; /* of a bin; 0: there are none */
};

/* Counts the samples of n_ranges ranges. */
void mch_divergence_init(struct mch_divergence *d, const struct mch_range *const *ranges, int n_ranges);

/* The Kullback-Leibler divergence, in nats, of the distribution from what the format leaves of it: the values of one code are spread
 * evenly over the bins that become it and are not empty, and all that saturates counts as the last bin that does not. INFINITY when fewer than 128 bins
 * do not saturate. */
double mch_divergence(const struct mch_divergence *d, struct mch_format format);

#endif
