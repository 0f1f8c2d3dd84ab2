/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Covariance of inputs; see covariance.h. */
#include "quant/covariance.h"

#include <stdlib.h>
#include <string.h>

enum { WAIT = 4 }; /* places added at a time: the matrix passes through the cache once for all of them */

int mch_covariance_init(struct mch_covariance *cov, const struct mch_conv *conv)
{
	const size_t terms = mch_conv_terms(conv), n = (size_t)conv->groups * terms;
	*cov = (struct mch_covariance){.terms = (int)terms, .n_groups = conv->groups};
	cov->sum = calloc(n, sizeof(*cov->sum));
	cov->cross = calloc(n * terms, sizeof(*cov->cross));
	cov->wait = calloc(n * WAIT, sizeof(*cov->wait));
	if (cov->sum && cov->cross && cov->wait)
		return 0;
	mch_covariance_free(cov);
	return -1;
}

void mch_covariance_free(struct mch_covariance *cov)
{
	free(cov->sum);
	free(cov->cross);
	free(cov->wait);
	*cov = (struct mch_covariance){0};
}

/* All that waits, into one group; what is not there is zero. */
static void add_group(struct mch_covariance *cov, int group)
{
	const size_t terms = (size_t)cov->terms, n = (size_t)cov->n_groups * terms;
	const double *x0 = cov->wait + (size_t)group * terms, *x1 = x0 + n, *x2 = x1 + n, *x3 = x2 + n;
	double *sum = cov->sum + (size_t)group * terms;
	for (size_t i = 0; i < terms; i++) {
		double *row = cov->cross + ((size_t)group * terms + i) * terms;
		const double a0 = x0[i], a1 = x1[i], a2 = x2[i], a3 = x3[i];
		sum[i] += a0 + a1 + a2 + a3;
		for (size_t j = i; j < terms; j++)
			row[j] += a0 * x0[j] + a1 * x1[j] + a2 * x2[j] + a3 * x3[j];
	}
}

static void add_waiting(struct mch_covariance *cov)
{
	for (int g = 0; g < cov->n_groups && cov->n_wait > 0; g++)
		add_group(cov, g);
	memset(cov->wait, 0, WAIT * (size_t)cov->n_groups * (size_t)cov->terms * sizeof(*cov->wait));
	cov->n_wait = 0;
}

void mch_covariance_add(struct mch_covariance *cov, const struct mch_conv *conv, const float *x, int n, int at)
{
	const int q_size = mch_conv_q(conv), k_per_group = conv->k / conv->groups;
	double *to = cov->wait + (size_t)cov->n_wait * (size_t)cov->n_groups * (size_t)cov->terms;
	for (int g = 0; g < cov->n_groups; g++)
		for (int t = 0; t < cov->terms; t++) {
			const ptrdiff_t from = mch_conv_x_index(conv, n, g * k_per_group, at / q_size, at % q_size, (size_t)t);
			*to++ = from < 0 ? 0 : (double)x[from];
		}
	cov->n++;
	if (++cov->n_wait == WAIT)
		add_waiting(cov);
}

void mch_covariance_finish(struct mch_covariance *cov, int group)
{
	const size_t terms = (size_t)cov->terms;
	double *sum = cov->sum + (size_t)group * terms, *cross = mch_covariance_of(cov, group);
	const double n = cov->n ? (double)cov->n : 1;
	add_waiting(cov);
	for (size_t i = 0; i < terms; i++)
		sum[i] /= n;
	for (size_t i = 0; i < terms; i++)
		for (size_t j = i; j < terms; j++)
			cross[i * terms + j] = cross[j * terms + i] = cross[i * terms + j] / n - sum[i] * sum[j];
}

double *mch_covariance_of(const struct mch_covariance *cov, int group)
{
	return cov->cross + (size_t)group * (size_t)cov->terms * (size_t)cov->terms;
}

double mch_covariance_mean(const struct mch_covariance *cov, int group, int term)
{
	return cov->sum[(size_t)group * (size_t)cov->terms + (size_t)term];
}
