/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The factor of local response normalization: one definition for the plain float form and the fast host step. Host
 * only: no RTL twin. */
#ifndef MCH_NET_LRN_H
#define MCH_NET_LRN_H

#include <math.h>

#include "net/net.h"

/* base^-beta. With the usual exponents by square roots alone, which IEEE 754 rounds the same everywhere. */
static inline double mch_lrn_power(double base, double beta)
{
	if (beta == 0.75)
		return 1 / (sqrt(base) * sqrt(sqrt(base)));
	if (beta == 0.5)
		return 1 / sqrt(base);
	return beta == 1 ? 1 / base : pow(base, -beta);
}

/* alpha, shared out among the squares. */
static inline double mch_lrn_share(const struct mch_lrn *lrn)
{
	return lrn->alpha / (lrn->is_within ? (double)lrn->size * lrn->size : lrn->size);
}

/* What a value is multiplied by, from the sum of the squares around it. */
static inline double mch_lrn_factor(double k, double share, double beta, double sum)
{
	return mch_lrn_power(k + share * sum, beta);
}

static inline double mch_lrn_k(const struct mch_lrn *lrn)
{
	return lrn->is_within ? 1 : lrn->k;
}

#endif
