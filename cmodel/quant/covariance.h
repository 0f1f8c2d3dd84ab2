/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Covariance of what the outputs of a convolution read. Host only: no RTL twin. */
#ifndef MCH_QUANT_COVARIANCE_H
#define MCH_QUANT_COVARIANCE_H

#include <stddef.h>

#include "op/conv.h"

struct mch_covariance {
	int terms, n_groups;
	long n;        /* places looked at, those that wait included */
	double *sum;   /* [n_groups][terms] */
	double *cross; /* [n_groups][terms][terms]: sums of products, j >= i; covariances when finished */
	double *wait;  /* [WAIT][n_groups][terms]: not yet added */
	int n_wait;
};

/* 0, or -1 when memory is short. */
int mch_covariance_init(struct mch_covariance *cov, const struct mch_conv *conv);
void mch_covariance_free(struct mch_covariance *cov);

/* What output `at`, p * q_size + q, of image n reads of x [n][c][h][w]; zeros where that is padding. */
void mch_covariance_add(struct mch_covariance *cov, const struct mch_conv *conv, const float *x, int n, int at);

/* Makes the sums of a group covariances, once, after all was added. */
void mch_covariance_finish(struct mch_covariance *cov, int group);

/* [terms][terms], symmetric, of a group that is finished; and the mean of a term. */
double *mch_covariance_of(const struct mch_covariance *cov, int group);
double mch_covariance_mean(const struct mch_covariance *cov, int group, int term);

#endif
